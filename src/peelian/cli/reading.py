"""Commands of reading: the stage, a mapping, a store, its counts, counts carried over."""

from __future__ import annotations

import json

import click

from peelian.cli.group import main, stage
from peelian.cli.printing import JSON, Bars, show_table, wrapped

read = stage("read", "Read: what was recorded, where, and what is wrong with it?")


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
        show_table(
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
        click.echo(wrapped(line))


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

    with Bars() as progress:
        said = tasks.read_store(source, store, again=again, progress=progress)
    if as_json:
        click.echo(json.dumps(said))
        return
    click.echo(wrapped(said["words"]))
    click.echo(wrapped(said["next"]))


@main.command("read counts")
@click.argument("store", metavar="STORE", type=click.Path())
@click.argument("out", metavar="FILE", type=click.Path())
@click.option("--type", "types", multiple=True, help="Only this crime type; may be given several times.")
@click.option("--first", metavar="MONTH", help="First month, such as 2016-05.")
@click.option("--last", metavar="MONTH", help="Last month.")
@click.option("--areas", metavar="SHAPES", type=click.Path(), help="Count by point, in these areas.")
@click.option("--id", default="", help="The column of --areas with their codes.")
@click.option(
    "--audience", type=click.Choice(["internal", "partner", "public", "foi", "research"]), default="internal",
    show_default=True, help="Who gets the counts: small ones are withheld from all but internal readers.",
)  # fmt: skip
@click.option(
    "--larger", default="", help="Column of --areas with larger areas, where small ones can't leave."
)
@JSON
def read_counts(
    store: str, out: str, types: tuple[str, ...], first: str | None, last: str | None, areas: str | None,
    id: str, audience: str, larger: str, as_json: bool,
) -> None:  # fmt: skip
    """Count the crimes of a store by area, month and type, into a CSV or Parquet file."""
    from peelian import tasks

    said = tasks.read_counts(
        store, out, types=types, first=first, last=last, areas=areas, id=id, audience=audience, larger=larger
    )
    click.echo(json.dumps(said) if as_json else wrapped(said["words"]))


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
    click.echo(json.dumps(said) if as_json else wrapped(said["words"]))
