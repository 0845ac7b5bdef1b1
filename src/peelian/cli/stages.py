"""Commands of the stages after reading, one each."""

from __future__ import annotations

import json
from typing import Any

import click

from peelian.cli.group import main, stage
from peelian.cli.printing import FOLDER, FRESH, JSON, SEED, Bars, run_and_say, say, show_table, wrapped

explain = stage("explain", "Explain: which features of places go with this crime, how far, how surely?")


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
@click.option(
    "--resume", is_flag=True,
    help="Say how many origins a stopped run has finished, and go on from there, also with --fresh.",
)  # fmt: skip
@FRESH
@SEED
@JSON
def predict(
    folder: str, ledger: str | None, only: str | None, head: str | None, resume: bool, fresh: bool,
    seed: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Predict: where next, and is that better than last year's map?"""
    if only is not None:
        _predicted(folder, only, seed, as_json)
        return
    if ledger is None:
        from peelian import tasks

        finished = tasks.finished_origins(folder, keep=resume or not fresh)
        if resume:
            click.echo(f"{finished} origins of a run that was stopped are taken up.", err=True)
        run_and_say(folder, until="predict", fresh=fresh, seed=seed, as_json=as_json, only="predict")
        return
    from peelian import tasks

    said = tasks.ledger(folder, act=ledger, head=head)
    click.echo(json.dumps(said) if as_json else said["words"])
    if said.get("problems"):
        raise click.exceptions.Exit(11)


def _predicted(folder: str, only: str, seed: int | None, as_json: bool) -> None:
    from peelian import tasks

    with Bars() as progress:
        said = tasks.predict_part(folder, only=only, seed=seed, progress=progress)
    if as_json:
        click.echo(json.dumps(said))
        return
    for sentence in said["findings"]:
        click.echo(wrapped(sentence))
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
        with Bars() as progress:
            said = tasks.freeze_plan(folder, author=author, late=late, amend=amend, progress=progress)
    elif verify:
        said = tasks.verify_plan(folder)
    elif only:
        with Bars() as progress:
            said = tasks.plan_part(folder, only, fresh=fresh, seed=seed, progress=progress)
        said["words"] = "\n\n".join([*said["sentences"], *said["files"]]) or f"[plan] asks nothing of {only}."
    else:
        run_and_say(folder, until="plan", fresh=fresh, seed=seed, as_json=as_json, only="plan")
        return
    words = "\n".join(wrapped(part) for part in said["words"].split("\n\n"))
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
    run_and_say(folder, until="deliver", fresh=fresh, seed=seed, as_json=as_json, only="deliver")


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
        click.echo(json.dumps(said) if as_json else wrapped(said["words"]))
        return
    if files["panel"] is None:
        given = [f"--{name}" for name in ("programme", "places", "protocol", "out") if files[name]]
        if given:
            raise click.UsageError(f"{', '.join(given)}: only with --panel; a project names its own files.")
        if only is None:
            run_and_say(folder, until="evaluate", fresh=fresh, seed=seed, as_json=as_json, only="evaluate")
            return
        from peelian import loop

        with Bars() as progress:
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
            click.echo(wrapped(sentence)) if sentence else None
        click.echo(f"\nThe report: {said['report']}")


def _part(held: dict[str, Any], as_json: bool) -> None:
    """One part of an evaluation: its sentences and its table."""
    if as_json:
        click.echo(json.dumps(held))
        return
    for sentence in held["says"]:
        click.echo(wrapped(sentence))
    if held["rows"]:
        click.echo("")
        names = list(held["rows"][0])
        cells = [[_cell(row.get(name)) for name in names] for row in held["rows"]]
        show_table([name.replace("_", " ") for name in names], cells, widest=40)


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
    with Bars() as progress:
        done, said = tasks.account(
            folder, only=only, overrides={key: value for key, value in asked.items() if value},
            formats=[name.strip() for name in (formats or "").split(",") if name.strip()],
            release=release, fresh=fresh, seed=seed, progress=progress,
        )  # fmt: skip
    if as_json:
        click.echo(json.dumps(done.as_json() | said))
        return
    say(done, "account" if only in (None, "report") else "nothing")
    for table in said["tables"]:
        click.echo(f"\n{click.style(table['title'], bold=True)}\n")
        show_table(table["header"], table["rows"], widest=40)
    if said["not_held"]:
        click.echo(f"\n  Not held: {said['not_held']}.")
    if only:
        click.echo("\n" + "\n".join(f"  {path}" for path in said["files"]))
    for path in said["written"]:
        click.echo(f"Wrote {path}")
    for name in said["released"]:
        click.echo(f"Recorded as published today: {name}")
