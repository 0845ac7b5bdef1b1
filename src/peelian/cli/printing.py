"""What every command shares: its options, a run and what it says, tables, progress bars."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from peelian.loop import Run, Step

FOLDER = click.argument("folder", metavar="[DIR]", default=".", type=click.Path())
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of words.")
FRESH = click.option("--fresh", is_flag=True, help="Run every stage, whether or not anything changed.")
SEED = click.option("--seed", type=click.IntRange(min=0), help="Seed in place of the project's.")


def run_and_say(
    folder: str, *, until: str | None, fresh: bool, seed: int | None, as_json: bool, only: str = ""
) -> None:
    """Run the loop and say what came of it; ``only`` one stage's findings."""
    from peelian import loop

    with Bars() as progress:
        done = loop.run(folder, until=until, fresh=fresh, seed=seed, progress=progress)
    if as_json:
        click.echo(json.dumps(done.as_json()))
        return
    say(done, only)
    if not only and done.report is not None and until is None:
        click.echo(f"\nThe report: {done.report}")


def say(done: Run, only: str = "") -> None:
    """A line a stage, then the findings: of every stage, or of ``only`` one."""
    if not done.changed:
        click.echo("Nothing changed: every stage is as it was.")
    for step in done.steps:
        click.echo(step_line(step))
    for step in done.steps:
        if step.findings and step.stage != "report" and (not only or step.stage == only):
            click.echo(f"\n{click.style(step.stage.capitalize(), bold=True)}")
            for sentence in step.findings:
                click.echo(wrapped(sentence))


def step_line(step: Step) -> str:
    """What became of one stage, and why it ran."""
    if step.state == "unchanged":
        text = f"  {step.stage:<9} unchanged"
    else:
        why = "; ".join(step.why[:3]) + ("; ..." if len(step.why) > 3 else "")
        text = f"  {step.stage:<9} ran in {step.seconds:.1f} s ({why})"
    return text + (f"; not held: {step.not_held}" if step.not_held else "")


def wrapped(text: str) -> str:
    """A sentence in lines of 96 letters, set in by two."""
    return click.wrap_text(text, width=96, initial_indent="  ", subsequent_indent="  ")


def show_table(header: list[str], rows: list[list[Any]], *, widest: int = 58) -> None:
    """A plain table; cells wrap so that it fits a terminal."""
    import textwrap

    cells = [[textwrap.wrap(str(value), widest) or [""] for value in row] for row in [header, *rows]]
    widths = [max(len(line) for row in cells for line in row[i]) for i in range(len(header))]
    for number, row in enumerate(cells):
        for line in range(max(len(cell) for cell in row)):
            parts = [cell[line] if line < len(cell) else "" for cell in row]
            click.echo(("  " + "  ".join(p.ljust(w) for p, w in zip(parts, widths, strict=True))).rstrip())
        if number == 0:
            click.echo("  " + "  ".join("-" * width for width in widths))


class Bars:
    """Progress bars on standard error, one a stage; silent where that is no terminal."""

    def __init__(self) -> None:
        self.bar: Any = None
        self.stage = ""

    def __enter__(self) -> Callable[[str, int, int], None]:
        return self.tick

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the bar of the last stage."""
        if self.bar is not None:
            self.bar.render_finish()
            self.bar = None

    def tick(self, stage: str, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` steps of a stage are done."""
        if not sys.stderr.isatty():
            return
        if stage != self.stage or self.bar is None or self.bar.length != total:
            self.close()
            self.stage = stage
            self.bar = click.progressbar(length=total, label=f"{stage:<9}", file=sys.stderr)
            self.bar.render_progress()
        self.bar.update(done - self.bar.pos)
