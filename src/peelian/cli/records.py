"""Commands beside the loop: verify, download, figures."""

from __future__ import annotations

import json

import click

from peelian.cli.group import main
from peelian.cli.printing import FOLDER, JSON, Bars, show_table, wrapped


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
        show_table(["Source and item", "Values", "What it is", "Licence"], rows, widest=44)
        return
    with Bars() as progress:
        done = tasks.download(source or "", item, values, out=out, again=again, progress=progress)
    if as_json:
        click.echo(json.dumps(done))
        return
    for row in done:
        state = "was here already" if row["cached"] else "came"
        click.echo(wrapped(f"{row['file']} {state}: {row['size']:,} bytes, SHA-256 {row['sha256'][:16]}..."))
        if row["before"]:
            click.echo(wrapped(f"It has changed: the file before had SHA-256 {row['before'][:16]}..."))
        click.echo(wrapped(f"Licence: {row['about']['licence']}. {row['about']['attribution']}"))


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
    show_table(header, cells, widest=34)
