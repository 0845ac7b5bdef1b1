"""Checks of inputs: the areas, files, features and weather that stand beside the rows of crime."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from peelian.errors import some
from peelian.places import MOST_CELLS
from peelian.read.checks import ENOUGH, Finding, many
from peelian.read.licences import share_alike
from peelian.words import several

if TYPE_CHECKING:
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places
    from peelian.read.areas import AreaReading
    from peelian.read.conditions import Conditions
    from peelian.read.run import Read

USED = ("street", "outcomes", "stop-and-search", "table", "counts")  # kinds of file whose rows are incidents
SHARED_LAND = 0.01  # share of the smaller of two areas below which an overlap is the drawing of edges
SHARED_POINTS = 0.05  # share of a layer's features on a point of another, above which it is said
RARE = 0.02  # share of areas without a row up to which it is only noted
MOST = 4  # names in a sentence


def findings(held: Read, *, cells: float) -> list[Finding]:
    """Every check of what is read beside the rows: areas, files, features, weather."""
    found = [
        areas(held.areas, cells=cells),
        profile(held.areas.profile),
        empty_areas(held.incidents, held.places),
        files(held.files),
        *(Finding("counted", "note", note, 0) for note in held.notes),
        carried(held.carried),
        features(held),
        dates_of_features(held),
        weather(held.weather),
    ]
    return [one for one in found if one is not None]


def areas(read: AreaReading, *, cells: float) -> Finding:
    """Have all areas a shape of their own, and how many cells has the grid over them?"""
    places = read.places
    said = [f"{several(len(places), 'area')} of {places.areas.sum() / 1e6:,.0f} km\u00b2"]
    wrong, todo = [], []
    if read.unshaped:
        rows = many(len(read.unshaped), "row has no shape and is", "rows have no shape and are")
        wrong.append(f"{rows} left out ({some(read.unshaped, MOST)})")
        todo.append("Rows that name such an area are in totals alone.")
    if read.mended:
        crossed = many(len(read.mended), "shape crossed itself and was", "shapes crossed themselves and were")
        wrong.append(f"{crossed} mended ({some(read.mended, MOST)})")
    pairs = overlaps(places)
    if len(pairs):
        named = [f"{one} and {other}" for one, other in pairs[:MOST]]
        wrong.append(f"{many(len(pairs), 'pair overlaps', 'pairs overlap')} ({some(named, MOST)})")
        todo.append("A point in two areas is counted in the first by id.")
    if places.households is not None:
        none = places.households.index[places.households.fillna(0) <= 0]
        if len(none):
            wrong.append(f"{many(len(none), 'area has', 'areas have')} no household ({some(none, MOST)})")
            todo.append("They have no rate.")
    if cells > MOST_CELLS:
        wrong.append(f"the grid over them would have {cells:,.0f} cells, more than {MOST_CELLS:,}")
        todo.append("Set a larger cell under [places], or a smaller study area (where).")
    said += wrong
    level = "warning" if read.unshaped or len(pairs) or cells > MOST_CELLS else "note" if wrong else "fine"
    if not todo and wrong:
        todo.append("Look at them on a map before their counts are used.")
    return Finding("areas", level, f"{'; '.join(said)}.", len(places), " ".join(todo))


def profile(sentence: str) -> Finding | None:
    """Are the areas in the profile that stands beside them?"""
    if not sentence:
        return None
    lacking = "Not in it" in sentence
    todo = "Their values are missing, never zero: is the profile of the same edition?" if lacking else ""
    return Finding("profile", "note" if lacking else "fine", sentence, 0, todo)


def overlaps(places: Places) -> list[tuple[str, str]]:
    """Pairs of areas that share more than 1 % of the smaller one."""
    import numpy as np

    shapes = places.frame.geometry
    left, right = shapes.sindex.query(shapes, predicate="intersects")
    left, right = left[left < right], right[left < right]
    if not len(left):
        return []
    a, b = shapes.values[left], shapes.values[right]
    boxes, others = a.bounds, b.bounds  # many neighbours touch: only boxes that share land are cut
    wide = np.minimum(boxes[:, 2], others[:, 2]) - np.maximum(boxes[:, 0], others[:, 0])
    high = np.minimum(boxes[:, 3], others[:, 3]) - np.maximum(boxes[:, 1], others[:, 1])
    smaller = np.minimum(a.area, b.area)
    asked = np.clip(wide, 0, None) * np.clip(high, 0, None) > SHARED_LAND * smaller
    shared = np.zeros(len(left))
    shared[asked] = a[asked].intersection(b[asked]).area
    at = np.flatnonzero(shared > SHARED_LAND * smaller)
    return [(str(places.index[left[k]]), str(places.index[right[k]])) for k in at]


def empty_areas(incidents: Incidents, places: Places) -> Finding | None:
    """Are there areas without a single row, of any type, where others have many?"""
    if not len(incidents):
        return None
    coded = "place" in incidents.frame and incidents.frame["place"].isin(places.index).any()
    counts = incidents.counts(places, by="code" if coded else "point")
    empty, usual = counts.index[counts == 0], counts[counts > 0].median()
    if not len(empty) or not usual >= ENOUGH:
        return None
    verb = "holds" if len(empty) == 1 else "hold"
    names = places.frame["name"].reindex(empty) if "name" in places.frame else empty
    return Finding(
        "empty_areas", "warning" if len(empty) > RARE * len(places) else "note",
        f"{len(empty):,} of {several(len(places), 'area')} {verb} no row of any type, where the others hold "
        f"{usual:,.0f} at the median: {some(names, MOST)}.",
        len(empty),
        "Either the extract does not cover them (leave them out of the places, or of the study area), or no "
        "snapped point lies in them.",
    )  # fmt: skip


def files(listing: pd.DataFrame) -> Finding:
    """Is there a file that holds a header and no row: a month that cannot be seen from the rows?"""
    own = listing[listing["kind"].isin([*USED, "empty"])]
    empty = own[own["rows"] == 0]
    if empty.empty:
        return Finding("files", "fine", f"{many(len(own), 'file holds', 'files hold')} rows.", 0)
    verb = many(len(empty), "file holds", "files hold")
    months = sorted(set(empty["file"].str.extract(r"(?:^|/)(\d{4}-\d{2})\b")[0].dropna()))
    lacking = f" {some(months, 6)} {'is' if len(months) == 1 else 'are'} therefore missing." if months else ""
    return Finding(
        "files", "warning", f"{verb} no row: {some(empty['file'], MOST)}.{lacking}", len(empty),
        "A file without a row is a gap, not a month without crime. Download it again.",
    )  # fmt: skip


def carried(sentence: str) -> Finding | None:
    """Were area codes carried over from another edition, and how?"""
    return Finding("carried", "fine", sentence, 0) if sentence else None


def features(held: Read) -> Finding | None:
    """Were features left out, and do many of a layer stand on one point?"""
    if not held.layers and held.rejected.empty:
        return None
    count = sum(len(layer) for layer in held.layers.values())
    sentence = f"{count:,} features in {several(len(held.layers), 'layer')}"
    todo = []
    if len(held.rejected):
        why = held.rejected["reason"].value_counts()
        named = some([f"{reason}: {n:,}" for reason, n in why.items()], 3)
        sentence += f"; {many(len(held.rejected), 'row was', 'rows were')} left out ({named})"
        todo.append("Look at rejected_features.csv.")
    stacked = _stacked(held)
    if stacked:
        sentence += f"; {some(stacked, MOST)} stand on the point of another of the same layer"
        todo.append("Those may be repeated calls from one address: count them once where places are meant.")
    alike = [name for name, layer in held.layers.items() if share_alike(layer.licence)]
    if alike:
        sentence += f"; {several(len(alike), 'layer')} under a share-alike licence"
        todo.append("Keep what is made of those apart.")
    unsaid = [name for name, layer in held.layers.items() if not layer.licence]
    if unsaid:
        sentence += f"; {several(len(unsaid), 'layer')} without a licence ({some(unsaid, MOST)})"
        todo.append("Ask for the licence before anything is published.")
    return Finding("features", "note" if todo else "fine", f"{sentence}.", count, " ".join(todo))


def _stacked(held: Read) -> list[str]:
    """Layers with many features on one point, in words."""
    found = []
    for name, layer in held.layers.items():
        shapes = layer.features.geometry
        again = int(shapes[shapes.geom_type == "Point"].to_wkb().duplicated().sum())
        if again > SHARED_POINTS * len(layer):
            found.append((again, f"{again:,} of {len(layer):,} {name}"))
    return [words for _, words in sorted(found, reverse=True)]


def dates_of_features(held: Read) -> Finding | None:
    """Are features of a later day than the crimes they are to explain?"""
    if not held.layers or not len(held.incidents):
        return None
    last = int(held.incidents.span[1].year)
    years = {n: re.findall(r"\b(?:19|20)\d\d\b", layer.date) for n, layer in held.layers.items()}
    later = [name for name, told in years.items() if told and int(max(told)) > last]
    if not later:
        return None
    newest = max(int(max(years[name])) for name in later)
    return Finding(
        "dates_of_features", "note",
        f"{several(len(later), 'layer')} {'is' if len(later) == 1 else 'are'} of a later year than the last "
        f"incident ({last}), up to {newest}: {some(later, MOST)}.",
        len(later), "Say so with any result: what opened or closed since is read wrongly.",
    )  # fmt: skip


def weather(read: Conditions | None) -> Finding | None:
    """What does the weather file hold, and what does it lack?"""
    if read is None:
        return None
    refused = len(read.weather.refused)
    said = " ".join(read.sentences)
    if refused:
        said += f" {many(refused, 'row was', 'rows were')} refused."
    lacking = bool(refused) or len(read.weather.gaps) > 0
    todo = "Days without a value are missing in every model, never zero." if lacking else ""
    return Finding("weather", "note" if lacking else "fine", said, len(read.weather.frame), todo)
