"""The tables of counts that go to the public, as releases, set beside those that went before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from peelian.account.cards import ALL, Card, cards
from peelian.account.differencing import difference
from peelian.account.disclosure import HIDDEN, suppress
from peelian.account.records import Held
from peelian.account.releases import COLUMNS, Release
from peelian.account.trends import ALL as EVERYWHERE
from peelian.account.trends import MONTHS_IN_A_YEAR, WITH, WITHOUT, counts_by_arm
from peelian.words import day, month

if TYPE_CHECKING:
    import pandas as pd

    from peelian.account.results import Results

PUBLIC = "threshold_public"


def threshold_of_public(held: Held) -> int:
    """The smallest count that the public is shown."""
    return int(held.figures.at(PUBLIC, held.day).number)


def by_arm(held: Held) -> list[Release]:
    """The tables of the answers to the public by financial year and arm; none of counts public already."""
    import pandas as pd

    if held.counts is None or held.programme is None or held.published:
        return []
    arms = held.programme.areas["arm"]
    places = held.counts.index.get_level_values("place").unique()
    within = arms.reindex(places)
    parts = {
        WITH: tuple(sorted(places[within == "treated"])),
        WITHOUT: tuple(sorted(places[(within != "treated") & (within != "excluded")])),
    }
    parts[EVERYWHERE] = (*parts[WITH], *parts[WITHOUT])
    out = []
    for kind in held.counts:
        table = counts_by_arm(held.counts[kind], held.programme.areas)
        if table.empty or not parts[WITH]:
            continue
        shown = suppress(table, threshold=held.threshold, total_column=EVERYWHERE)
        rows = [
            (arm, f"{year[:4]}-04", f"{int(year[:4]) + 1}-03", shown.at[year, arm])
            for year in shown.index for arm in shown.columns
        ]  # fmt: skip
        frame = pd.DataFrame(rows, columns=list(COLUMNS))
        out.append(Release(f"{kind} by arm and financial year", held.day or "", str(kind), "arms of the "
                           "programme", frame, parts))  # fmt: skip
    return out


def by_area(held: Held, made: Sequence[Card], areas: pd.DataFrame) -> list[Release]:
    """The open data of the share cards."""
    import pandas as pd

    grouped = areas.groupby("area").groups
    parts = {str(area): tuple(sorted(map(str, places))) for area, places in grouped.items()}
    parts[ALL] = tuple(place for group in parts.values() for place in group)
    rows = []
    for card in made:
        for end, count in card.blocks:
            last = pd.Period(end, freq="M")
            first = last - MONTHS_IN_A_YEAR + 1
            rows.append((card.id, str(first), str(last), HIDDEN if count is None else count))
    name = f"{held.crime} by area and twelve months"
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return [Release(name, held.day or "", held.crime, "areas of the share cards", frame, parts)]


def audited(new: Sequence[Release], released: Sequence[Release], held: Held) -> None:
    """Every new table beside all that went before it and beside each other; ``PrivacyError`` where two give a
    small count away.
    """
    before = list(released)
    for table in new:
        difference(table, before, threshold=threshold_of_public(held))
        before.append(table)


def as_json(tables: Sequence[Release]) -> dict[str, Any]:
    """The tables as plain values, for the file that a later release is recorded from."""
    return {
        "tables": [
            {"name": table.id, "measure": table.measure, "geography": table.geography,
             "rows": table.table.astype(object).to_numpy().tolist(),
             "parts": {place: list(held) for place, held in table.parts.items()}}
            for table in tables
        ]
    }  # fmt: skip


def from_json(values: dict[str, Any], *, id: str, date: str) -> list[Release]:
    """The tables of ``as_json``, to be recorded as released under an id on a day."""
    import pandas as pd

    return [
        Release(
            f"{id} {held['name']}".replace(" ", "-"), date, held["measure"], held["geography"],
            pd.DataFrame(held["rows"], columns=list(COLUMNS)).astype(str),
            {place: tuple(parts) for place, parts in held["parts"].items()},
        )
        for held in values["tables"]
    ]  # fmt: skip


def cards_of(results: Results, areas: pd.DataFrame, changes: pd.DataFrame, source: str) -> list[Card]:
    """The cards of all areas, with what was done there and what the evaluation says."""
    held = results.held
    if held.counts is None or held.crime not in held.counts:
        return []
    figures = held.figures
    least, homes = (figures.at(name, held.day).number for name in ("least_compared", "card_homes"))
    return cards(
        held.counts[held.crime], areas, threshold=threshold_of_public(held), least=least,
        fewest_homes=homes, crimes=held.crimes, source=source,
        notes=_notes(held, areas), caution=recording_changed(held, changes),
        history=recording_changed(held, changes, years=MONTHS_IN_A_YEAR // 2),
    )  # fmt: skip


def _notes(held: Held, areas: pd.DataFrame) -> dict[str, str]:
    """A sentence of its own for each area with the programme, and the verdict for all together."""
    if held.programme is None or not len(held.programme.treated):
        return {}
    treated = held.programme.treated
    inside = areas["area"].reindex(treated.index).dropna()
    first = treated["start"].reindex(inside.index).groupby(inside).min().dropna()
    notes = {
        str(area): f"The programme began in part of it in {month(start)}." for area, start in first.items()
    }
    if held.assessment is not None:
        notes[ALL] = f"Evaluation of the programme: {held.assessment.words.rstrip('.')}."
    return notes


def recording_changed(held: Held, changes: pd.DataFrame, *, years: int = 2) -> str:
    """That recording changed within the years compared, where it did for every force."""
    import pandas as pd

    if held.day is None:
        return ""
    last = pd.Timestamp(held.day)
    first = last - pd.DateOffset(months=years * MONTHS_IN_A_YEAR)
    near = changes[(changes["force"] == "all") & (changes["from"] > first) & (changes["from"] <= last)]
    days = [day(str(when.date())) for when in near["from"]]
    return f"How crime is recorded changed on {' and '.join(days)}." if days else ""
