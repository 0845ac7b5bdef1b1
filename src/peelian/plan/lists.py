"""Lists to work from, one a team and one a ward: areas, rounds, streets, signs, shops, kits by month.

A list holds streets and counts, never a name or an address of a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from peelian.words import month, several, whole

if TYPE_CHECKING:
    import pandas as pd

    from peelian.places import Places
    from peelian.plan.report import Findings
    from peelian.plan.work import Work
    from peelian.programme import Plan

BOX = "\u2610"
TURN = (
    "Walk the streets in this order. Tick a street when every door was tried; write the kits that were given."
)


@dataclass(frozen=True)
class Part:
    """One table of a list: its heading, a sentence, its columns and rows as text; ``together`` on a page."""

    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    together: bool = False


@dataclass(frozen=True)
class Sheet:
    """A list for one team or one ward: ``name`` of the file, ``title``, ``lead`` sentences, its parts."""

    name: str
    title: str
    lead: tuple[str, ...]
    parts: tuple[Part, ...]


def sheets(plan: Plan, areas: Places, found: Findings) -> list[Sheet]:
    """A list for every team, and where ward officers work for every ward: its own areas and no other."""
    done = found.work
    if done is None:
        return []
    chosen = plan.chosen.index
    made: list[Sheet] = []
    if done.team is None:
        made.append(_sheet(plan, areas, found, done, chosen, "list-all", "All chosen areas"))
    else:
        team = done.team.reindex(chosen).astype("str")
        for name in sorted(team.unique()):
            own = chosen[(team == name).to_numpy()]
            made.append(
                _sheet(plan, areas, found, done, own, f"team-{_slug(name)}", f"Team {name}", team=name)
            )
    if done.ward is not None and done.months is not None and (done.months["by"] == "ward officer").any():
        ward = done.ward.reindex(chosen)
        for name in sorted(ward.unique()):
            own = chosen[(ward == name).to_numpy()]
            title = f"Ward officers of {name}"
            made.append(_sheet(plan, areas, found, done, own, f"ward-{_slug(name)}", title, ward=name))
    return made


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "none"


def _sheet(
    plan: Plan, areas: Places, found: Findings, done: Work, own: pd.Index, name: str, title: str, *,
    team: str = "", ward: str = "",
) -> Sheet:  # fmt: skip
    by = "ward officer" if ward else "team"
    parts = [_areas(plan, areas, done, own, by)]
    parts += _rounds(done, own)
    parts += _signs(done, own)
    if not ward:
        parts += _shops(done, team) + _months(done, own)
    kits = int(plan.chosen.loc[own, "kits"].sum())
    lead = [f"{several(len(own), 'area')}, {whole(kits)} kits, from {month(plan.start)}."]
    if ward:
        lead.append(f"Ward officers of {ward} work in this ward alone.")
    if found.frozen is not None:
        lead.append(f"Evaluation frozen: SHA-256 {found.frozen.sha256}.")
    return Sheet(name, title, tuple(lead), tuple(parts))


def _areas(plan: Plan, areas: Places, done: Work, own: pd.Index, by: str) -> Part:
    from peelian.plan.tables import name_column

    label = name_column(areas)
    names = own if label is None else areas.frame[label].reindex(own)
    work = None if done.months is None else done.months[done.months["by"] == by]
    rows = []
    for number, (place, called) in enumerate(zip(own, names, strict=True), start=1):
        area = plan.chosen.loc[place]
        first = last = ""
        if work is not None and len(mine := work[work["place"] == place]):
            first, last = str(mine["month"].min()), str(mine["month"].max())
        rows.append((str(number), str(place), str(called), whole(area["households"]), whole(area["kits"]),
                     first, last))  # fmt: skip
    note = "Finish an area before the next is begun. Kits bring it to the line."
    return Part("Areas in order", note, ("No.", "Area", "Name", "Homes", "Kits", "From", "To"), tuple(rows))


def _rounds(done: Work, own: pd.Index) -> Iterator[Part]:
    """The overview of the rounds, then each with its streets and boxes."""
    if done.rounds is None or done.streets is None:
        return
    held = done.rounds[done.rounds["place"].isin(own)]
    rows = tuple(
        (BOX, f"{row.place}/{row.round}", str(row.month), str(row.streets), whole(row.dwellings),
         whole(row.kits), whole(row.metres), whole(row.minutes))
        for row in held.itertuples()
    )  # fmt: skip
    columns = ("", "Round", "Month", "Streets", "Homes", "Kits", "Metres", "Minutes")
    note = (
        f"{several(len(held), 'round')}, each for one officer and one shift. {TURN} Metres: between streets."
    )
    if done.streets["estimated"].any():
        note += " Homes by street are estimated from its length: count the doors."
    yield Part("Rounds", note, columns, rows)
    streets = done.streets[done.streets["place"].isin(own)]
    for (place, number), part in streets.groupby(["place", "round"], sort=False):
        lines = tuple(
            (BOX, _street(row.street, row.part, row.listed), whole(row.dwellings), whole(row.kits), "", "")
            for row in part.itertuples()
        )
        when = f", {part['month'].iloc[0]}" if part["month"].iloc[0] else ""
        title = f"Round {place}/{number}{when}"
        yield Part(title, "", ("", "Street", "Homes", "Kits", "Given", "No answer"), lines, together=True)


def _street(name: str, part: str, listed: bool) -> str:
    """A street as its line says it."""
    words = f"{name} ({part})" if part else str(name)
    return words if listed else f"{words}; on no address list: count the doors"


def _signs(done: Work, own: pd.Index) -> list[Part]:
    if done.signs is None:
        return []
    held = done.signs[done.signs["place"].isin(own)]
    rows = tuple(
        (BOX, str(row.site), str(row.kind), str(row.place), f"{row.x:.0f}, {row.y:.0f}", whole(row.homes),
         "stands" if row.existing else "", "")
        for row in held.itertuples()
    )  # fmt: skip
    columns = ("", "Site", "Kind", "Area", "East, north", "Homes", "Already", "Consent")
    note = "Write whose wall or post it is, who agreed and when. No sign without consent."
    return [Part("Signs", note, columns, rows)] if rows else []


def _shops(done: Work, team: str) -> list[Part]:
    if done.shops is None:
        return []
    held = done.shops[done.shops["team"] == team] if team else done.shops
    rows = tuple(
        (BOX, str(row.shop), str(row.nearest), whole(row.metres), "first" if row.first else "", "")
        for row in held.itertuples()
    )
    columns = ("", "Shop", "Nearest area", "Metres", "When", "Agreed")
    note = "Second-hand shops and pawnbrokers: those marked first before the others. Leave a detection kit."
    return [Part("Shops to visit", note, columns, rows)] if rows else []


def _months(done: Work, own: pd.Index) -> list[Part]:
    if done.months is None:
        return []
    held = done.months[done.months["place"].isin(own)]
    monthly = held.groupby("month", as_index=False).agg(areas=("place", "nunique"), kits=("kits", "sum"))
    rows = tuple((str(row.month), whole(row.areas), whole(row.kits)) for row in monthly.itertuples())
    return [Part("Kits by month", "To draw from the store.", ("Month", "Areas", "Kits"), rows)]


def page(sheet: Sheet, *, marking: str) -> str:
    """A list as a page that prints on A4 and reads on a phone; nothing in it comes from elsewhere."""
    from importlib.resources import files

    from jinja2 import Environment

    text = (files(__package__) / "templates" / "list.html").read_text("utf-8")
    made = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text)
    return made.render(sheet=sheet, marking=marking, box=BOX)
