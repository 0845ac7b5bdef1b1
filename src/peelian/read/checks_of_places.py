"""Checks of places: points that are blank, wrong, outside or shared, and area codes that fit no area."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from peelian.errors import some
from peelian.read.checks import ENOUGH, Finding, Limits, many, part, word
from peelian.read.coordinates import EXCHANGED
from peelian.read.vintage import vintage
from peelian.words import percent, several

if TYPE_CHECKING:
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places

SAID = {"either": "either (no code tells)"}


def blanks(incidents: Incidents, years: pd.DataFrame, months: pd.DataFrame, limits: Limits) -> Finding:
    """How many rows have no point, and in which year and month most?"""
    count = int(years["blank"].sum())
    share = count / len(incidents)
    if not count:
        return Finding("blanks", "fine", "Every row has a point.", 0.0)
    coded = "place" in incidents.frame and bool(incidents.frame["place"].notna().any())
    if count == len(incidents) and not coded:
        return Finding(
            "blanks", "warning", "No row has a point or an area code: they can be counted in total alone.",
            share, "Ask for coordinates or codes, or join the rows to crimes that have them by their IDs.",
        )  # fmt: skip
    if count == len(incidents):
        return Finding(
            "blanks", "note", "No row has a point: they can be counted by area code, and mapped by area.",
            share, "Ask for coordinates if streets or cells of a grid matter.",
        )  # fmt: skip
    worst = years["share"].idxmax()
    tail = "" if len(years) == 1 else f"; most in {worst} ({percent(years['share'][worst])})"
    full = months[months["rows"] >= ENOUGH]
    if len(full) > 1:
        share_of = full["blank"] / full["rows"]
        tail += f", and in {word(share_of.idxmax())} ({percent(share_of.max())})" if tail else ""
    return Finding(
        "blanks", "warning" if years["share"].max() > limits.blank else "note",
        f"{count:,} of {len(incidents):,} rows ({percent(share)}) have no point{tail}.",
        share, "They count in totals and nowhere on a map. Compare years only where the share is alike.",
    )  # fmt: skip


def faults(incidents: Incidents) -> Finding | None:
    """Are there coordinates that cannot be right?"""
    if "fault" not in incidents.frame:
        return None
    counts = incidents.frame["fault"].value_counts()
    if counts.empty:
        return Finding("faults", "fine", "No coordinates are impossible.", 0)
    named = some([f"{why}: {n:,}" for why, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))])
    return Finding(
        "faults", "warning", f"{int(counts.sum()):,} rows have values that cannot be used ({named}).",
        int(counts.sum()), f"The rows are kept without a point. {_mending(counts.index)}",
    )  # fmt: skip


def _mending(faults: Iterable[str]) -> str:
    """What to do about wrong coordinates, by what is wrong with them."""
    told = list(faults)
    todo = []
    if EXCHANGED in told:
        todo.append("Exchange longitude and latitude, in the mapping or at their source.")
    if any(fault.startswith("far outside") for fault in told):
        todo.append("Name the system that the coordinates are in (crs), or correct them.")
    if set(told) - {EXCHANGED} and len(todo) < 2 and not all(f.startswith("far outside") for f in told):
        todo.append("Correct the others at their source." if todo else "Correct them at their source.")
    return " ".join(todo)


def codes(incidents: Incidents, areas: Places, own: pd.Series, limits: Limits) -> list[Finding | None]:
    """Are the area codes among the areas, and does the point lie in the area of its code?"""
    if "place" not in incidents.frame or not incidents.frame["place"].notna().any():
        return [None]
    code = incidents.frame["place"]
    coded, found = int(code.notna().sum()), code.isin(areas.index)
    if not found.any():
        return [_strangers(code, areas, located=bool(incidents.located.any())), None]
    share = int(found.sum()) / coded
    lost = coded - int(found.sum())
    sentence = (
        f"{100 * share:.2f} % of the {coded:,} rows with an area code name one of the "
        f"{several(len(areas), 'area')}"
    )
    join = Finding("codes", "fine", f"{sentence}.", share)
    if lost:
        others = code[code.notna() & ~found].value_counts().index
        join = Finding(
            "codes", "warning" if 1 - share > limits.unknown_codes else "note",
            f"{sentence}; {many(lost, 'row names', 'rows name')} {many(len(others), 'other', 'others')} "
            f"({some(others, 4)}).", share,
            "Those areas are not in the places file: it is smaller than the extract, of another edition, or "
            "spells them otherwise.",
        )  # fmt: skip
    both = found & incidents.located
    if not both.any():
        return [join, None]
    agree = float((own[both] == code[both]).mean())
    return [
        join,
        Finding(
            "own_area", "fine" if agree >= limits.own_area else "warning",
            f"The point lies in the area of its own code in {percent(agree)} of {int(both.sum()):,} rows.",
            agree,
            "Snapped points sit on streets, and streets are borders: count by code, map by point."
            if agree >= limits.own_area
            else "Check the edition and the detail of the boundaries, and the CRS of the points.",
        ),
    ]  # fmt: skip


def _strangers(code: pd.Series, areas: Places, *, located: bool) -> Finding:
    """Codes of another kind of area than the places: no fault where points can be counted instead."""
    known = code.dropna()
    sentence = (
        f"None of the {len(known):,} area codes is one of the {several(len(areas), 'area')}: they look like "
        f"{known.iloc[0]}, the areas like {areas.index[0]}"
    )
    if located:
        return Finding(
            "codes", "note", f"{sentence}; rows are counted by their points.", 0.0,
            "Name a places file with the areas of the extract to count by code, or a lookup between the two.",
        )  # fmt: skip
    return Finding(
        "codes", "warning", f"{sentence}; without points no row can be counted.", 0.0,
        "Name a places file with the areas of the extract, or another id column of it.",
    )  # fmt: skip


def outside(incidents: Incidents, own: pd.Series, limits: Limits) -> Finding | None:
    """Do points lie outside every area?"""
    located = incidents.located
    if not located.any():
        return None
    away = int((located & own.isna()).sum())
    share = away / int(located.sum())
    if not away:
        return Finding("outside", "fine", "Every point lies in an area.", 0.0)
    return Finding(
        "outside", "warning" if share > limits.outside else "note",
        f"{many(away, 'point', 'points')} of {int(located.sum()):,} ({part(share)}) "
        f"{'lies' if away == 1 else 'lie'} outside every area.", share,
        "They are in no count by point. Use a places file that covers the extract, or leave them out.",
    )  # fmt: skip


def snapping(incidents: Incidents) -> Finding | None:
    """Were points moved to shared places?"""
    import pandas as pd

    shapes = incidents.frame.geometry[incidents.located]
    if shapes.empty:
        return None
    at = pd.DataFrame({"x": shapes.x, "y": shapes.y}).value_counts()
    each, shared = len(shapes) / len(at), float(at[at > 1].sum() / len(shapes))
    sentence = f"{len(shapes):,} points stand on {len(at):,} places, {each:.1f} a place"
    if incidents.snapped or (each >= 2 and shared >= 0.5):
        said = "snapped to shared street points" if incidents.snapped else "probably snapped or rounded"
        apart = _apart(at)
        return Finding(
            "snapping", "note",
            f"{sentence}: they are {said}, {apart:,.0f} m from the next at the median.", each,
            f"Distances below {apart:,.0f} m say nothing; the busiest place holds {int(at.iloc[0]):,} rows.",
        )  # fmt: skip
    return Finding("snapping", "fine", f"{sentence}: no sign of snapping.", each)


def _apart(places: pd.Series) -> float:
    """Metres from a place to the nearest other, at the median: the catchment of a snapped point."""
    import numpy as np
    from scipy.spatial import cKDTree

    if len(places) < 2:
        return 0.0
    points = np.column_stack([places.index.get_level_values(k) for k in ("x", "y")])
    distance, _ = cKDTree(points).query(points, k=2)
    return float(np.median(distance[:, 1]))


def editions(
    incidents: Incidents,
    areas: Places,
    known_2011: Iterable[str] | None,
    known_2021: Iterable[str] | None,
) -> tuple[Finding | None, pd.DataFrame | None]:
    """Which edition of the LSOA codes does each month use, and do the areas have them?"""
    """Which edition of the area codes does each month use, and are they those of the areas?

    Where codes were carried over to the areas' own edition, those that the extract gave are judged.
    """
    carried = "place_given" in incidents.frame
    column = "place_given" if carried else "place"
    if column not in incidents.frame or not incidents.frame[column].notna().any():
        return None, None
    code = incidents.frame[column]
    known = code.notna()
    table = vintage(code, incidents.months, known_2011=known_2011, known_2021=known_2021)
    found = code[known].isin(areas.index).groupby(incidents.months[known]).mean()
    table = table.assign(share_in_areas=found.reindex(table.index))
    counts = table["edition"].value_counts().sort_index()
    if list(counts.index) == ["none known"]:
        return None, table
    named = some(
        [f"{SAID.get(edition, edition)} in {many(n, 'month', 'months')}" for edition, n in counts.items()]
    )
    how = "" if known_2011 is not None else ", by their numbers"
    late = [edition for edition in counts.index if edition.startswith(("2021", "mixed"))]
    mixed = bool(late) and (len(counts) > 1 or "mixed" in late[0])
    sentence = f"Edition of the area codes{how}: {named}"
    if mixed and carried:
        return Finding(
            "vintage", "fine", f"{sentence}; all were brought to one.", some(list(counts.index))
        ), table
    finding = Finding(
        "vintage", "warning" if mixed else "fine", f"{sentence}.", some(list(counts.index)),
        "Codes of both editions stand side by side: name the lookup between them under [places] (lookup) "
        "before areas are compared over time." if mixed else "",
    )  # fmt: skip
    return finding, table
