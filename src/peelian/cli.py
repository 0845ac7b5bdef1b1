"""The command line: one command a stage. It prints, and computes nothing.

Findings go to standard output, progress and errors to standard error. Exit codes: 0 done, 2 the command
was typed wrongly, 10 to 13 our errors (see ``peelian.errors``), 130 interrupted.
"""

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


class Commands(click.Group):
    """The commands in the order of the loop, and our errors with their exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which they were added."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """A command of two words where there is one, such as ``read map``, else the first word's."""
        two = " ".join(args[:2])
        if two in self.commands:
            return two, self.commands[two], args[2:]
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a user's mistake prints what is wrong and what to do, without a traceback."""
        from peelian.errors import Error

        machine = "--json" in ctx.args
        try:
            return super().invoke(ctx)
        except Error as error:
            if machine:
                click.echo(
                    json.dumps(
                        {"error": type(error).__name__, "message": error.message, "exit": error.exit_code}
                    )
                )
            click.echo(f"{type(error).__name__}: {error.message}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("\nStopped. The last good outputs are in place; run again to go on.", err=True)
            ctx.exit(130)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="peelian", message="Peelian %(version)s")
def main() -> None:
    """Prevent crime at places, and find out whether it worked.

    read -> explain -> predict -> plan -> deliver -> evaluate -> account

    Start with `peelian demo`: a simulated borough through the whole loop.
    """


@main.command()
@click.option("--out", default="peelian-demo", show_default=True, type=click.Path(), help="Folder to make.")
@SEED
@JSON
def demo(out: str, seed: int | None, as_json: bool) -> None:
    """Make a simulated borough, run the whole loop on it, and lay its truth beside the findings."""
    from peelian import tasks

    with _bars() as progress:
        done, truth = tasks.demo(out, seed=seed, progress=progress)
    if as_json:
        click.echo(json.dumps(done.as_json() | {"truth": truth}))
        return
    _say(done)
    click.echo("\nThe truth that was planted, beside what was found:\n")
    _table(
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
        click.echo(_wrapped(sentence))
    order = {"warning": 0, "note": 1, "fine": 2}
    for row in sorted(judged["checks"], key=lambda one: order[one["level"]]):
        remedy = f" To do: {row['remedy']}" if row["remedy"] and row["level"] != "fine" else ""
        name = row["check"].replace("_", " ")
        click.echo(_wrapped(f"{row['level']:<8} {name}: {row['sentence']}{remedy}"))


@main.command()
@FOLDER
@click.option("--until", metavar="STAGE", help="Stop after this stage.")
@FRESH
@SEED
@JSON
def run(folder: str, until: str | None, fresh: bool, seed: int | None, as_json: bool) -> None:
    """Run the loop: each stage that has something new to say, and then the report."""
    _run(folder, until=until, fresh=fresh, seed=seed, as_json=as_json)


def _stage(name: str, says: str) -> Callable[..., None]:
    def command(folder: str, fresh: bool, seed: int | None, as_json: bool) -> None:
        _run(folder, until=name, fresh=fresh, seed=seed, as_json=as_json, only=name)

    command.__doc__ = says
    made = main.command(name)(FOLDER(FRESH(SEED(JSON(command)))))
    return made


read = _stage("read", "Read: what was recorded, where, and what is wrong with it?")


@main.command("read map")
@click.argument("file", metavar="FILE", type=click.Path())
@click.option("--out", metavar="PROFILE", type=click.Path(), help="Save the mapping as this profile (TOML).")
@click.option(
    "--near", metavar="SHAPES", type=click.Path(),
    help="A spatial file of the place, to tell coordinate systems apart; else those beside the file.",
)  # fmt: skip
@JSON
def read_map(file: str, out: str | None, near: str | None, as_json: bool) -> None:
    """Propose which column of a table is what, show it, and save it."""
    from peelian import tasks

    said = tasks.read_map(file, out=out, near=near)
    if as_json:
        click.echo(json.dumps(said))
        return
    click.echo(f"{said['file']}: {said['rows']:,} rows.")
    if said["choices"] and said["form"] == "incidents":
        click.echo("")
        _table(
            ["Field", "Column", "Why", "Examples"],
            [[c["field"], c["column"], c["why"], "; ".join(c["examples"])] for c in said["choices"]],
            widest=34,
        )
    settings = "; ".join(f"{key} = {json.dumps(value)}" for key, value in said["settings"].items())
    lines = [f"Also: {settings}"] if settings else []
    lines += said["notes"] + [f"To be said by you: {text}" for text in said["questions"]]
    lines += [f"Not used: {', '.join(said['unused'])}."] if said["unused"] else []
    click.echo("")
    for line in [*lines, said["next"]]:
        click.echo(_wrapped(line))


@main.command("read store")
@click.argument("source", metavar="SOURCE", type=click.Path())
@click.argument("store", metavar="STORE", type=click.Path())
@click.option(
    "--again", type=click.Choice(["refuse", "keep", "replace"]), default="refuse", show_default=True,
    help="What to do with a month that the store holds already with other rows.",
)  # fmt: skip
@JSON
def read_store(source: str, store: str, again: str, as_json: bool) -> None:
    """Put street files of any number of forces and months into a store that projects read parts of."""
    from peelian import tasks

    with _bars() as progress:
        said = tasks.read_store(source, store, again=again, progress=progress)
    if as_json:
        click.echo(json.dumps(said))
        return
    click.echo(_wrapped(said["words"]))
    click.echo(_wrapped(said["next"]))


@main.command("read counts")
@click.argument("store", metavar="STORE", type=click.Path())
@click.argument("out", metavar="FILE", type=click.Path())
@click.option("--type", "types", multiple=True, help="Only this crime type; may be given several times.")
@click.option("--first", metavar="MONTH", help="First month, such as 2016-05.")
@click.option("--last", metavar="MONTH", help="Last month.")
@click.option("--areas", metavar="SHAPES", type=click.Path(), help="Count by point, in these areas.")
@click.option("--id", default="", help="The column of --areas with their codes.")
@JSON
def read_counts(
    store: str, out: str, types: tuple[str, ...], first: str | None, last: str | None, areas: str | None,
    id: str, as_json: bool,
) -> None:  # fmt: skip
    """Count the crimes of a store by area, month and type, into a CSV or Parquet file."""
    from peelian import tasks

    said = tasks.read_counts(store, out, types=types, first=first, last=last, areas=areas, id=id)
    click.echo(json.dumps(said) if as_json else _wrapped(said["words"]))


@main.command("read carry")
@click.argument("counts", metavar="COUNTS", type=click.Path())
@click.argument("lookup", metavar="LOOKUP", type=click.Path())
@click.option("--category", required=True, help="Which counts of the table.")
@click.option("--to", type=click.Choice(["new", "old", "common"]), default="new", show_default=True)
@click.option(
    "--by", type=click.Choice(["shares", "best fit"]), default="shares", show_default=True,
    help="Divide an area that was cut, or give it whole to the area that holds most of it.",
)  # fmt: skip
@click.option("--size", help="Column of the lookup with people or homes, for the shares.")
@click.option("--out", required=True, type=click.Path(), help="CSV file to write.")
@JSON
def read_carry(
    counts: str, lookup: str, category: str, to: str, by: str, size: str | None, out: str, as_json: bool
) -> None:
    """Carry counts by area over to another edition of the areas, or to those that both are made of."""
    from peelian import tasks

    said = tasks.read_carry(counts, lookup, category=category, to=to, by=by, size=size, out=out)
    click.echo(json.dumps(said) if as_json else _wrapped(said["words"]))


explain = _stage("explain", "Explain: which features of places go with this crime, how far, how surely?")


@main.command()
@FOLDER
@click.option(
    "--ledger", type=click.Choice(["append", "score", "verify"]),
    help="Seal the forecast before its period, score the sealed ones that are due, or check the ledger.",
)  # fmt: skip
@click.option(
    "--only", metavar="PART",
    help="One part alone: map, backtest, leakage, missions, dosage, weather or audit.",
)  # fmt: skip
@click.option("--head", help="With verify: a head that somebody else kept; the ledger must contain it.")
@FRESH
@SEED
@JSON
def predict(
    folder: str, ledger: str | None, only: str | None, head: str | None, fresh: bool, seed: int | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Predict: where next, and is that better than last year's map?"""
    if only is not None:
        _predicted(folder, only, seed, as_json)
        return
    if ledger is None:
        _run(folder, until="predict", fresh=fresh, seed=seed, as_json=as_json, only="predict")
        return
    from peelian import tasks

    said = tasks.ledger(folder, act=ledger, head=head)
    click.echo(json.dumps(said) if as_json else said["words"])
    if said.get("problems"):
        raise click.exceptions.Exit(11)


def _predicted(folder: str, only: str, seed: int | None, as_json: bool) -> None:
    from peelian import tasks

    with _bars() as progress:
        said = tasks.predict_part(folder, only=only, seed=seed, progress=progress)
    if as_json:
        click.echo(json.dumps(said))
        return
    for sentence in said["findings"]:
        click.echo(_wrapped(sentence))
    click.echo(f"\nIts page and files: {said['folder']}")


@main.command()
@FOLDER
@click.option("--freeze", is_flag=True, help="Lock the plan's evaluation in protocol.toml before the start.")
@click.option("--author", default="", metavar="NAME", help="With --freeze: who answers for it.")
@click.option("--late", is_flag=True, help="With --freeze: although the start has passed; marked for ever.")
@click.option("--amend", default="", metavar="REASON", help="With --freeze: in place of a frozen plan.")
@click.option("--verify", is_flag=True, help="Check that plan and protocol.toml are as they were frozen.")
@click.option(
    "--only", metavar="PART",
    type=click.Choice(
        ["allocate", "expect", "equity", "power", "trial", "protocol", "schedule", "streets", "signs"]
    ),
    help="Say one part: allocate, expect, equity, power, trial, protocol, schedule, streets or signs.",
)  # fmt: skip
@FRESH
@SEED
@JSON
def plan(
    folder: str, freeze: bool, author: str, late: bool, amend: str, verify: bool, only: str | None,
    fresh: bool, seed: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Plan: which areas get kits under this budget, and what could be learnt from it?"""
    from peelian import tasks

    if freeze:
        with _bars() as progress:
            said = tasks.freeze_plan(folder, author=author, late=late, amend=amend, progress=progress)
    elif verify:
        said = tasks.verify_plan(folder)
    elif only:
        with _bars() as progress:
            said = tasks.plan_part(folder, only, fresh=fresh, seed=seed, progress=progress)
        said["words"] = "\n\n".join([*said["sentences"], *said["files"]]) or f"[plan] asks nothing of {only}."
    else:
        _run(folder, until="plan", fresh=fresh, seed=seed, as_json=as_json, only="plan")
        return
    words = "\n".join(_wrapped(part) for part in said["words"].split("\n\n"))
    click.echo(json.dumps(said) if as_json else words)


@main.group()
def deliver() -> None:
    """Deliver: who has a kit, and how saturated is each street? Counts by place only."""


@deliver.command()
@FOLDER
@FRESH
@SEED
@JSON
def saturation(folder: str, fresh: bool, seed: int | None, as_json: bool) -> None:
    """Homes with a kit by area and month, against the target."""
    _run(folder, until="deliver", fresh=fresh, seed=seed, as_json=as_json, only="deliver")


@main.command()
@FOLDER
@click.option(
    "--only", metavar="PART",
    help="Print one part: compare, did, events, rings, wdd, microsynth, staggered, its, trial or checks.",
)  # fmt: skip
@click.option("--unblind", is_flag=True, help="Record that the trial's arms may be named from now on.")
@click.option("--author", default="", metavar="NAME", help="With --unblind: who answers for it.")
@click.option(
    "--panel", metavar="FILE", type=click.Path(), help="Without a project: counts by area and month."
)
@click.option(
    "--programme", metavar="FILE", type=click.Path(), help="With --panel: who was treated from when."
)
@click.option(
    "--places", metavar="FILE", type=click.Path(), help="With --panel: the areas' shapes, for rings."
)
@click.option(
    "--protocol", metavar="FILE", type=click.Path(), help="With --panel: the frozen evaluation plan."
)
@click.option("--out", metavar="DIR", type=click.Path(), help="With --panel: the folder to write.")
@click.option("--crime", default="crime", metavar="WORD", help="With --panel: what is counted (burglary).")
@click.option("--randomised", is_flag=True, help="With --panel: the areas were drawn by lot.")
@click.option("--gaps-are-zero", is_flag=True, help="With --panel: a month that is not there means none.")
@FRESH
@SEED
@JSON
def evaluate(
    folder: str, only: str | None, fresh: bool, seed: int | None, as_json: bool, **files: Any
) -> None:
    """Evaluate: did it work, did crime move next door, could it be selection?"""
    from peelian import tasks

    unblind, author = files.pop("unblind"), files.pop("author")
    if unblind:
        said = tasks.unblind(folder, author=author)
        click.echo(json.dumps(said) if as_json else _wrapped(said["words"]))
        return
    if files["panel"] is None:
        given = [f"--{name}" for name in ("programme", "places", "protocol", "out") if files[name]]
        if given:
            raise click.UsageError(f"{', '.join(given)}: only with --panel; a project names its own files.")
        if only is None:
            _run(folder, until="evaluate", fresh=fresh, seed=seed, as_json=as_json, only="evaluate")
            return
        from peelian import loop

        with _bars() as progress:
            loop.run(folder, until="evaluate", fresh=fresh, seed=seed, progress=progress)
        _part(tasks.evaluation_part(f"{folder}/evaluate", only), as_json)
        return
    if not files["programme"] or not files["out"]:
        raise click.UsageError("--panel needs --programme FILE and --out DIR too.")
    said = tasks.evaluate_files(**files, seed=1829 if seed is None else seed)
    if only is not None:
        _part(tasks.evaluation_part(files["out"], only), as_json)
    elif as_json:
        click.echo(json.dumps(said))
    else:
        for sentence in [*said["findings"], said["not_held"]]:
            click.echo(_wrapped(sentence)) if sentence else None
        click.echo(f"\nThe report: {said['report']}")


def _part(held: dict[str, Any], as_json: bool) -> None:
    """One part of an evaluation: its sentences and its table."""
    if as_json:
        click.echo(json.dumps(held))
        return
    for sentence in held["says"]:
        click.echo(_wrapped(sentence))
    if held["rows"]:
        click.echo("")
        names = list(held["rows"][0])
        cells = [[_cell(row.get(name)) for name in names] for row in held["rows"]]
        _table([name.replace("_", " ") for name in names], cells, widest=40)


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() or abs(value) >= 100 else f"{value:.3f}"
    return "" if value is None else str(value)


@main.command()
@FOLDER
@click.option(
    "--only", metavar="PART",
    type=click.Choice(
        ["cost", "case", "promise", "claims", "foi", "protect", "records", "trends", "report"]
    ),
    help="Show one part: cost, case, promise, claims, foi, protect, records, trends or report.",
)  # fmt: skip
@click.option("--bank", metavar="FILE", type=click.Path(), help="Questions of the public, in place of ours.")
@click.option("--as-of", metavar="DATE", type=click.DateTime(["%Y-%m-%d"]), help="Day the records stand at.")
@click.option(
    "--audience", type=click.Choice(["internal", "partner", "public", "foi", "research"]),
    help="Whose threshold holds for small counts.",
)  # fmt: skip
@click.option(
    "--format", "formats", metavar="LIST",
    help="Write the chapter as a report of its own: html, pdf, docx, xlsx, ods, parted by commas.",
)  # fmt: skip
@click.option("--release", metavar="NAME", help="Record the tables for the public as published today.")
@FRESH
@SEED
@JSON
def account(
    folder: str, only: str | None, bank: str | None, as_of: Any, audience: str | None, formats: str | None,
    release: str | None, fresh: bool, seed: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Account: what did it cost, what was it worth, what do we tell the public?"""
    import os

    from peelian import tasks

    asked = {
        "questions": os.path.abspath(bank) if bank else None,
        "as_of": as_of.date() if as_of else None, "audience": audience,
    }  # fmt: skip
    with _bars() as progress:
        done, said = tasks.account(
            folder, only=only, overrides={key: value for key, value in asked.items() if value},
            formats=[name.strip() for name in (formats or "").split(",") if name.strip()],
            release=release, fresh=fresh, seed=seed, progress=progress,
        )  # fmt: skip
    if as_json:
        click.echo(json.dumps(done.as_json() | said))
        return
    _say(done, "account" if only in (None, "report") else "nothing")
    for table in said["tables"]:
        click.echo(f"\n{click.style(table['title'], bold=True)}\n")
        _table(table["header"], table["rows"], widest=40)
    if said["not_held"]:
        click.echo(f"\n  Not held: {said['not_held']}.")
    if only:
        click.echo("\n" + "\n".join(f"  {path}" for path in said["files"]))
    for path in said["written"]:
        click.echo(f"Wrote {path}")
    for name in said["released"]:
        click.echo(f"Recorded as published today: {name}")


@main.command()
@FOLDER
@JSON
def verify(folder: str, as_json: bool) -> None:
    """Look whether every output is as the record of provenance says, by SHA-256."""
    from peelian import tasks

    said = tasks.verify(folder)
    click.echo(json.dumps(said) if as_json else said["words"])
    if not said["whole"]:
        raise click.exceptions.Exit(11)


@main.command()
@click.argument("source", metavar="[SOURCE]", required=False)
@click.argument("item", metavar="[ITEM]", required=False)
@click.argument("values", metavar="[NAME=VALUE ...]", nargs=-1)
@click.option("--out", default="downloads", show_default=True, type=click.Path(), help="Folder to put it in.")
@click.option("--again", is_flag=True, help="Fetch what is here already, too.")
@JSON
def download(
    source: str | None, item: str | None, values: tuple[str, ...], out: str, again: bool, as_json: bool
) -> None:
    """Fetch official data: police-uk, ons, os-open, osm, weather. For a machine with internet.

    Without ITEM: what there is, and the values each needs.
    """
    from peelian import tasks

    if item is None:
        held = tasks.downloads(source)
        if as_json:
            click.echo(json.dumps(held))
            return
        rows = [[f"{r['source']} {r['item']}", r["values"], r["about"], r["licence"]] for r in held]
        _table(["Source and item", "Values", "What it is", "Licence"], rows, widest=44)
        return
    with _bars() as progress:
        done = tasks.download(source or "", item, values, out=out, again=again, progress=progress)
    if as_json:
        click.echo(json.dumps(done))
        return
    for row in done:
        state = "was here already" if row["cached"] else "came"
        click.echo(_wrapped(f"{row['file']} {state}: {row['size']:,} bytes, SHA-256 {row['sha256'][:16]}..."))
        if row["before"]:
            click.echo(_wrapped(f"It has changed: the file before had SHA-256 {row['before'][:16]}..."))
        click.echo(_wrapped(f"Licence: {row['about']['licence']}. {row['about']['attribution']}"))


@main.command()
@click.option("--expired", is_flag=True, help="Only figures past the date they apply to.")
@click.option("--weak", is_flag=True, help="Only figures of weak quality and large impact.")
@JSON
def figures(expired: bool, weak: bool, as_json: bool) -> None:
    """The policy figures with source, date, quality and impact."""
    from peelian import tasks

    rows = tasks.figures(expired=expired, weak=weak)
    if as_json:
        click.echo(json.dumps(rows))
        return
    header = ["Figure", "Value", "Unit", "Prices", "From", "Quality", "Impact", "Source"]
    keys = ("unit", "price_base", "from", "quality", "impact", "source")
    cells = [
        [r["name"], "not held" if r["value"] is None else f"{r['value']:,g}", *(r[key] for key in keys)]
        for r in rows
    ]
    _table(header, cells, widest=34)


# -------------------------------------------------------------------- printing
def _run(
    folder: str, *, until: str | None, fresh: bool, seed: int | None, as_json: bool, only: str = ""
) -> None:
    from peelian import loop

    with _bars() as progress:
        done = loop.run(folder, until=until, fresh=fresh, seed=seed, progress=progress)
    if as_json:
        click.echo(json.dumps(done.as_json()))
        return
    _say(done, only)
    if not only and done.report is not None and until is None:
        click.echo(f"\nThe report: {done.report}")


def _say(done: Run, only: str = "") -> None:
    if not done.changed:
        click.echo("Nothing changed: every stage is as it was.")
    for step in done.steps:
        click.echo(_step_line(step))
    for step in done.steps:
        if step.findings and step.stage != "report" and (not only or step.stage == only):
            click.echo(f"\n{click.style(step.stage.capitalize(), bold=True)}")
            for sentence in step.findings:
                click.echo(_wrapped(sentence))


def _step_line(step: Step) -> str:
    if step.state == "unchanged":
        text = f"  {step.stage:<9} unchanged"
    else:
        why = "; ".join(step.why[:3]) + ("; ..." if len(step.why) > 3 else "")
        text = f"  {step.stage:<9} ran in {step.seconds:.1f} s ({why})"
    return text + (f"; not held: {step.not_held}" if step.not_held else "")


def _wrapped(text: str) -> str:
    return click.wrap_text(text, width=96, initial_indent="  ", subsequent_indent="  ")


def _table(header: list[str], rows: list[list[Any]], *, widest: int = 58) -> None:
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


class _bars:
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


if __name__ == "__main__":
    main()
