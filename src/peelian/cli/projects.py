"""Commands of a project: demo, new, check, run."""

from __future__ import annotations

import json

import click

from peelian.cli.group import main
from peelian.cli.printing import FOLDER, FRESH, JSON, SEED, Bars, run_and_say, say, show_table, wrapped


@main.command()
@click.option("--out", default="peelian-demo", show_default=True, type=click.Path(), help="Folder to make.")
@SEED
@JSON
def demo(out: str, seed: int | None, as_json: bool) -> None:
    """Make a simulated borough, run the whole loop on it, and lay its truth beside the findings."""
    from peelian import tasks

    with Bars() as progress:
        done, truth = tasks.demo(out, seed=seed, progress=progress)
    if as_json:
        click.echo(json.dumps(done.as_json() | {"truth": truth}))
        return
    say(done)
    click.echo("\nThe truth that was planted, beside what was found:\n")
    show_table(
        ["What", "Truth", "Found", "Agrees"],
        [[r["what"], r["truth"], r["found"], r["agrees"]] for r in truth],
    )
    click.echo(f"\nThe report: {done.report}")


@main.command()
@click.argument("folder", metavar="DIR", type=click.Path())
@click.option(
    "--from", "kind", default="police-uk", show_default=True, type=click.Choice(["demo", "police-uk"]),
    help="What to start from: a simulated borough, or an archive of data.police.uk.",
)  # fmt: skip
@JSON
def new(folder: str, kind: str, as_json: bool) -> None:
    """Make a project folder with a commented peelian.toml."""
    from peelian import tasks

    lines = tasks.new(folder, kind=kind)
    if as_json:
        click.echo(json.dumps({"project": folder, "said": lines}))
        return
    for line in lines:
        click.echo(line)


@main.command()
@FOLDER
@JSON
@click.option("--html", metavar="FILE", type=click.Path(), help="Write the judgement as a page, too.")
@click.option("--rejected", metavar="FILE", type=click.Path(), help="Write every refused row as CSV, too.")
def check(folder: str, as_json: bool, html: str | None, rejected: str | None) -> None:
    """Read and judge the inputs; change nothing."""
    from peelian import tasks

    judged = tasks.check(folder, html=html, rejected=rejected)
    if as_json:
        click.echo(json.dumps(judged))
        return
    for sentence in judged["findings"]:
        click.echo(wrapped(sentence))
    order = {"warning": 0, "note": 1, "fine": 2}
    for row in sorted(judged["checks"], key=lambda one: order[one["level"]]):
        remedy = f" To do: {row['remedy']}" if row["remedy"] and row["level"] != "fine" else ""
        name = row["check"].replace("_", " ")
        click.echo(wrapped(f"{row['level']:<8} {name}: {row['sentence']}{remedy}"))


@main.command()
@FOLDER
@click.option("--until", metavar="STAGE", help="Stop after this stage.")
@FRESH
@SEED
@JSON
def run(folder: str, until: str | None, fresh: bool, seed: int | None, as_json: bool) -> None:
    """Run the loop: each stage that has something new to say, and then the report."""
    run_and_say(folder, until=until, fresh=fresh, seed=seed, as_json=as_json)
