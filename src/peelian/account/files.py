"""The files beside the chapter: tables, the letter to the public, the business case, records, share cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peelian import words
from peelian.account.answers import by_place
from peelian.account.feed import public_files
from peelian.account.foi import as_markdown
from peelian.account.governance import as_markdown as as_page
from peelian.account.leaving import as_json as tables_as_json
from peelian.account.records import Held
from peelian.account.request import due
from peelian.account.results import (
    Results,
    benefits_frame,
    costs_frame,
    promise_frame,
    spend_frame,
    switching_frame,
)
from peelian.account.tables_of_business import paper
from peelian.figures import figures_frame

if TYPE_CHECKING:
    import pandas as pd


def files(results: Results) -> dict[str, Any]:
    """File name -> content; those without content are left out."""
    frames: dict[str, pd.DataFrame | None] = {
        "costs.csv": costs_frame(results),
        "benefits.csv": benefits_frame(results),
        "switching.csv": switching_frame(results),
        "promise.csv": promise_frame(results),
        "spend.csv": spend_frame(results),
        "claims.csv": results.claims,
        "register.csv": results.held.register,
        "figures.csv": figures_frame(results.figures_used),
        "similar.csv": results.similar,
        "equality.csv": results.exposure,
    }
    as_of = in_words(results.held.day)
    foi = {
        "title": results.questions,
        "as_of": results.held.day,
        "answers": [r.as_json() for r in results.replies],
    }
    letter = as_markdown(
        results.questions, results.replies, as_of=as_of, searches=searches(results),
        reference=results.request.reference, dates=_dates(results), versions=results.version,
    )  # fmt: skip
    kept = {name: frame for name, frame in frames.items() if frame is not None}
    kept |= {"foi.json": foi, "foi.md": letter, "leaving.json": tables_as_json(results.leaving)}
    return kept | _business(results) | _governance(results) | _public(results)


def _dates(results: Results) -> str:
    """When the request came, and when the answer is due."""
    asked = results.request
    last = due(asked, results.held.figures, results.held.day)
    if asked.received is None or last is None:
        return ""
    stopped = f" ({asked.stopped_days} working days while it was clarified are not counted)"
    return (
        f"Received on {in_words(asked.received.isoformat())}; due by {in_words(last.isoformat())}"
        f"{stopped if asked.stopped_days else ''}."
    )


def _public(results: Results) -> dict[str, Any]:
    if not results.cards or results.held.day is None:
        return {}
    held = results.held
    title = f"Recorded {held.crimes} by area" + (f": {held.programme.name}" if held.programme else "")
    return public_files(results.cards, day=held.day or "", title=title, shapes=results.shapes)


def _business(results: Results) -> dict[str, Any]:
    case = results.business
    if case is None:
        return {}
    page = paper(case, results.held.crimes, as_of=in_words(results.held.day))
    frames = {"case.csv": case.lines, "case_effects.csv": case.effects, "case_shown.csv": case.shown}
    return {"case.md": page} | {name: frame for name, frame in frames.items() if frame is not None}


def _governance(results: Results) -> dict[str, Any]:
    import pandas as pd

    out: dict[str, Any] = {}
    for record in results.governance:
        out |= {f"records/{record.name}.json": record.as_json(), f"records/{record.name}.md": as_page(record)}
        if record.name == "atrs":
            rows = [(entry.key, entry.value) for entry in record.entries]
            out["records/atrs.csv"] = pd.DataFrame(rows, columns=["field", "value"])
    return out


def searches(results: Results) -> list[tuple[str, str]]:
    """The records looked in, and what was found in each."""
    held = results.held
    ledger, documents = held.ledger, held.documents
    return [
        ("decision", "read" if decided(held) else "none given"),
        ("ledger of payments", f"{len(ledger):,} rows" if ledger is not None else "none given"),
        ("deliveries by place and month", _deliveries(held)),
        ("recorded crime by place and month", "read" if held.counts is not None else "none given"),
        ("evaluation", f"verdict: {held.assessment.words}" if held.assessment else "none given"),
        ("recovered items", "read" if held.recoveries is not None else "none given"),
        ("decisions and documents", f"{len(documents):,} entries" if documents is not None else "none given"),
        ("e-mail and letters", "not part of this system and not searched"),
    ]


def _deliveries(held: Held) -> str:
    return "none given" if held.saturation is None else f"{len(by_place(held.saturation)):,} places"


def decided(held: Held) -> bool:
    """True where a decision says anything of the programme."""
    programme = held.programme
    return programme is not None and bool(
        programme.budget
        or programme.kits
        or programme.unit_cost
        or programme.prevented
        or len(programme.areas)
    )


def in_words(day: str | None) -> str:
    """A day as it is said: ``1 March 2026``.

    >>> in_words("2026-03-01")
    '1 March 2026'
    """
    return "a day that is not held" if day is None else words.day(day)
