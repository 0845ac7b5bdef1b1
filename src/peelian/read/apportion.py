"""Apportion: counts and shares moved from one edition of areas to another, nothing lost on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from peelian.errors import DataError, DesignError, some
from peelian.incidents import Incidents
from peelian.places import Places
from peelian.read.lookups import Crosswalk

if TYPE_CHECKING:
    import pandas as pd

Edition = Literal["old", "new", "common"]
SAME, EXACT, BY_POINT, BEST_FIT, UNKNOWN = (
    "same code",
    "whole area",
    "by its point",
    "best fit",
    "unknown code",
)


@dataclass(frozen=True, eq=False)
class Apportioned:
    """Values on another edition, and what could not be moved.

    ``values``    on the new ids (and the month or whatever else the index held).
    ``unplaced``  the values of codes that the crosswalk does not know, as they were. For counts, the sum of
                  ``values`` and ``unplaced`` is the sum that was given.
    ``split``     share of the total that was divided between areas by an assumption, 0 to 1: the rest moved
                  whole.
    ``how``       what the division rests on.
    """

    values: pd.Series
    unplaced: pd.Series
    split: float
    how: str


def best_fit(shares: pd.DataFrame) -> pd.Series:
    """The one area that holds most of each, from shares (``Crosswalk.forward`` or ``backward``).

    Returns a Series of codes on codes; of two with equal shares the lower code.

    >>> import pandas as pd
    >>> walk = Crosswalk.of(pd.DataFrame({"old": ["a", "a"], "new": ["x", "y"], "size": [2, 5]}), how="rows")
    >>> best_fit(walk.forward).to_dict()
    {'a': 'y'}
    """
    ordered = shares.sort_values(["from", "share", "to"], ascending=[True, False, True])
    first = ordered.drop_duplicates("from").set_index("from")["to"]
    return first.rename_axis(None)


def apportion(
    values: pd.Series, crosswalk: Crosswalk, *, of: Literal["counts", "rates"] = "counts"
) -> Apportioned:
    """Values of old areas on the new ones: counts divided by shares, rates averaged by people.

    ``values``  Series on old codes, or on (place, month) or any index with a level ``place``.
    ``of``      ``counts`` (people, crimes, kits): each is divided by the shares of the pieces, and totals are
                kept. ``rates`` (a score, a percentage): a new area takes the average of its pieces, each
                weighted by its size. Ranks and deciles are neither: make them again from the scores.

    Codes that the crosswalk does not know are handed back in ``unplaced``, never dropped.
    """
    level = _level(values)
    known = values.index.get_level_values(level).isin(crosswalk.old)
    unplaced, moved = values[~known], values[known]
    if of == "rates":
        return Apportioned(_averaged(moved, crosswalk, level), unplaced, 0.0, crosswalk.how)
    shares = crosswalk.forward
    return Apportioned(_divided(moved, shares, level), unplaced, _split(moved, shares, level), crosswalk.how)


def one_edition(
    counts: pd.Series, crosswalk: Crosswalk, *, to: Edition, by: Literal["shares", "best fit"] = "shares"
) -> Apportioned:
    """One series of counts by area and month from months that use either edition, or both mixed.

    ``counts``  Series on (place, month); each code is of the old edition, of the new, or of both.
    ``to``      ``new`` or ``old``: codes of the other edition are moved by shares, which leaves fractions
                where an area was cut in several. ``common``: the smallest areas that both editions can be
                put together from, so that counts stay whole and nothing is assumed; most areas are
                unchanged, and the others are as coarse as the change was.
    ``by``      ``best fit``: each area's counts go whole to the area that holds most of it.

    Totals are kept: by month, the values and the unplaced add up to what was given. Months that the series
    has for any area are there for every area of the edition, zero where nothing was counted.
    """
    import pandas as pd

    level = _level(counts)
    place = counts.index.get_level_values(level)
    if to == "common":
        groups = common(crosswalk)
        known = place.isin(groups.index)
        moved = _renamed(counts[known], groups, level)
        result, split, how = moved, 0.0, "whole areas put together"
        every = sorted(set(groups))
    else:
        target = crosswalk.new if to == "new" else crosswalk.old
        source = crosswalk.old if to == "new" else crosswalk.new
        shares = crosswalk.forward if to == "new" else crosswalk.backward
        if by == "best fit":
            whole_areas = best_fit(shares)
            shares = whole_areas.rename_axis("from").rename("to").reset_index().assign(share=1.0)
        stays = place.isin(target)
        crosses = ~stays & place.isin(source)
        known = stays | crosses
        divided = _divided(counts[crosses], shares, level)
        result = pd.concat([counts[stays].astype("float64"), divided])
        result = result.groupby(level=list(range(counts.index.nlevels)), sort=True).sum()
        whole = float(counts[known].sum())
        split = (
            _split(counts[crosses], shares, level) * float(counts[crosses].sum()) / whole if whole else 0.0
        )
        how = "whole areas by best fit" if by == "best fit" else crosswalk.how
        every = sorted(target)
    return Apportioned(_complete(result, every, counts, level), counts[~known], split, how)


def common(crosswalk: Crosswalk) -> pd.Series:
    """The smallest areas that both editions can be put together from, named by their lowest old code.

    Returns a Series on the codes of both editions. An area that did not change is its own; one that was cut
    keeps its old code; several that exchanged land are one, named ``E01000001+2`` for two others with it.
    """
    import numpy as np
    import pandas as pd
    from scipy import sparse

    pieces = crosswalk.pieces
    codes = pd.Index(sorted(crosswalk.old | crosswalk.new))
    left, right = codes.get_indexer(pieces["old"]), codes.get_indexer(pieces["new"])
    graph = sparse.coo_array((np.ones(len(left)), (left, right)), shape=(len(codes), len(codes)))
    _, group = sparse.csgraph.connected_components(graph, directed=False)
    labels = pd.Series(group, codes)
    of_old = labels[labels.index.isin(crosswalk.old)]
    first = pd.Series(of_old.index, of_old.to_numpy()).groupby(level=0).agg(["min", "size"])
    names = first["min"] + np.where(first["size"] > 1, "+" + (first["size"] - 1).astype("str"), "")
    return labels.map(names).astype("str").rename("place")


def common_places(places: Places, crosswalk: Crosswalk) -> Places:
    """The places of either edition put together into the common areas, their households added up.

    Their other columns are kept where the areas that were put together say the same, and missing elsewhere.

    Raises ``DataError`` where part of a common area is not among the places.
    """
    groups = common(crosswalk)
    lost = places.index[~places.index.isin(groups.index)]
    if len(lost):
        raise DataError(f"The lookup does not know {len(lost):,} of the places: {some(lost)}.")
    edition = crosswalk.old if places.index.isin(crosswalk.old).all() else crosswalk.new
    named = groups.reindex(places.index)
    whole = groups[groups.index.isin(edition) & groups.isin(set(named))]
    missing = whole.index.difference(places.index)
    if len(missing):
        raise DataError(
            f"{len(missing):,} areas are missing that belong to a common area with others: {some(missing)}. "
            "Take the boundary a little wider, or leave out their neighbours too."
        )
    frame = places.frame.assign(common=named.to_numpy())
    kept = [name for name in frame if name not in ("households", "common", "geometry")]
    shapes = frame[[*(["households"] if "households" in frame else []), "common", "geometry"]]
    made = shapes.dissolve("common", aggfunc="sum")
    parts = frame.groupby("common")
    for name in kept:
        alike = parts[name].nunique(dropna=False) == 1
        made[name] = parts[name].first().where(alike)
    return Places.of(made, name="the common areas")


def recoded(
    codes: pd.Series,
    crosswalk: Crosswalk,
    places: Places,
    *,
    points: pd.Series | None = None,
) -> pd.DataFrame:
    """The area of the places for every row of an extract, whichever edition its own code is of.

    ``codes``   the area code of each row, of the old or the new edition (missing allowed).
    ``places``  the areas of one edition; a code among them stays as it is.
    ``points``  GeoSeries of the rows' points, on the same index: decides between the parts of an area that
                was cut. Where a row has none, or its point lies in another area, the largest part takes it.

    Returns a frame on the index of ``codes``: ``place`` (missing where nothing fits) and ``how``
    (``same code``, ``whole area``, ``by its point``, ``best fit``, ``unknown code``; missing without a
    code). Every row goes to one area, so counts stay whole.
    """
    import pandas as pd

    held = codes.isin(places.index)
    how = pd.Series(SAME, codes.index).where(held)
    place = codes.where(held)
    away = codes.notna() & ~held
    shares = pd.concat([crosswalk.forward, crosswalk.backward], ignore_index=True)
    shares = shares[shares["to"].isin(places.index) & (shares["from"] != shares["to"])]
    parts = shares.groupby("from")["to"].size()
    count = codes[away].map(parts).fillna(0).astype(int)
    best = codes[away].map(best_fit(shares)) if len(shares) else codes[away].where(False)
    place[away] = best
    how[away] = count.map(lambda n: UNKNOWN if n == 0 else EXACT if n == 1 else BEST_FIT)
    cut = count[count > 1].index
    if points is not None and len(cut):
        found = places.locate(points.loc[cut]).astype("object")
        pairs = pd.MultiIndex.from_frame(shares[["from", "to"]])
        fits = pd.MultiIndex.from_arrays([codes.loc[cut], found.fillna("")]).isin(pairs)
        place.loc[cut[fits]] = found[fits]
        how.loc[cut[fits]] = BY_POINT
    return pd.DataFrame({"place": place.astype("str"), "how": how.astype("str")}, index=codes.index)


def recoded_incidents(incidents: Incidents, places: Places, crosswalk: Crosswalk) -> tuple[Incidents, str]:
    """The incidents with the area codes of the places, whichever edition their months use, and a sentence.

    The codes of the extract stay in ``place_given``; ``place_how`` says how each was found (see ``recoded``).
    Incidents without codes come back as they are. No row is lost, and a code that the crosswalk does not
    know stays as it was, so that the check of codes names it.
    """
    if "place" not in incidents.frame:
        return incidents, "The extract gives no area codes, so none had to be carried over."
    given = incidents.frame["place"].astype("str")
    found = recoded(given, crosswalk, places, points=incidents.frame.geometry)
    frame = incidents.frame.assign(
        place=found["place"].fillna(given).array, place_given=given.array, place_how=found["how"].array
    )
    return replace(incidents, frame=frame), _told(found["how"])


def common_incidents(incidents: Incidents, crosswalk: Crosswalk) -> tuple[Incidents, str]:
    """The incidents with the codes of the common areas of both editions, and a sentence; none is divided.

    The codes of the extract stay in ``place_given``. A code that the crosswalk does not know stays as it was.
    """
    if "place" not in incidents.frame:
        return incidents, "The extract gives no area codes: rows are counted by their points."
    groups = common(crosswalk)
    given = incidents.frame["place"].astype("str")
    found = given.map(groups)
    frame = incidents.frame.assign(place=found.fillna(given).array, place_given=given.array)
    known, lost = int(found.notna().sum()), int((given.notna() & found.isna()).sum())
    sentence = (
        f"{known:,} area codes of both editions were put into the areas that both are made of, whole; "
        f"{lost:,} {'is' if lost == 1 else 'are'} in neither edition."
    )
    return replace(incidents, frame=frame), sentence


def _count(counts: pd.Series, how: str) -> str:
    return f"{int(counts[how]):,} {'is' if counts[how] == 1 else 'are'}"


def _told(how: pd.Series) -> str:
    """How many codes were carried over, and how, in one sentence."""
    counts = how.value_counts()
    words = {EXACT: "into one whole area", BY_POINT: "by their points", BEST_FIT: "by best fit"}
    parts = [f"{int(counts[how]):,} {said}" for how, said in words.items() if how in counts]
    lost = f"; {_count(counts, UNKNOWN)} in neither edition" if UNKNOWN in counts else ""
    if not parts:
        return f"All area codes are those of the project's own edition{lost}."
    moved = int(sum(counts.get(word, 0) for word in (EXACT, BY_POINT, BEST_FIT)))
    return (
        f"{moved:,} of {int(how.notna().sum()):,} area codes are of another edition and were carried over "
        f"({', '.join(parts)}){lost}."
    )


# -------------------------------------------------------------------- the sums
def _level(values: pd.Series) -> int:
    """Where the index holds the places."""
    names = list(values.index.names)
    if "place" in names:
        return names.index("place")
    if len(names) == 1:
        return 0
    raise DesignError(f"Which level of {names} holds the areas? Name it place.")


def _divided(values: pd.Series, shares: pd.DataFrame, level: int) -> pd.Series:
    """Each value divided by the shares of its area, and the parts added up by the areas they go to."""
    frame, names = _rows(values, level)
    joined = frame.merge(shares, left_on="code", right_on="from", how="inner")
    joined["value"] = joined["value"].astype("float64") * joined["share"]
    return _summed(joined, names, values, level)


def _averaged(values: pd.Series, crosswalk: Crosswalk, level: int) -> pd.Series:
    frame, names = _rows(values.dropna(), level)
    joined = frame.merge(crosswalk.pieces, left_on="code", right_on="old").rename(columns={"new": "to"})
    joined["size"] = joined["size"].where(joined["size"] > 0, 1e-12)
    top = _summed(joined.assign(value=joined["value"] * joined["size"]), names, values, level)
    return top / _summed(joined.assign(value=joined["size"]), names, values, level)


def _rows(values: pd.Series, level: int) -> tuple[pd.DataFrame, list[str]]:
    frame = values.index.to_frame(index=False)
    frame.columns = [f"level {k}" for k in range(values.index.nlevels)]
    names = list(frame.columns)
    frame["code"] = frame[names[level]].astype("str")
    frame["value"] = values.to_numpy()
    return frame, names


def _summed(joined: pd.DataFrame, names: list[str], values: pd.Series, level: int) -> pd.Series:
    joined = joined.assign(**{names[level]: joined["to"]})
    summed = joined.groupby(names if len(names) > 1 else names[0], sort=True)["value"].sum()
    summed.index.names = [name or "place" for name in values.index.names]
    return summed.rename(values.name)


def _renamed(values: pd.Series, groups: pd.Series, level: int) -> pd.Series:
    frame, names = _rows(values, level)
    frame["to"] = frame["code"].map(groups)
    return _summed(frame, names, values, level)


def _complete(result: pd.Series, every: list[str], counts: pd.Series, level: int) -> pd.Series:
    import pandas as pd

    if result.index.nlevels == 1:
        return result.reindex(pd.Index(every, name=result.index.names[0]), fill_value=0)
    axes = [counts.index.unique(k).sort_values() for k in range(counts.index.nlevels)]
    axes[level] = pd.Index(every)
    full = pd.MultiIndex.from_product(axes, names=counts.index.names)
    return result.reindex(full, fill_value=0)


def _split(values: pd.Series, shares: pd.DataFrame, level: int) -> float:
    """The share of the total that lies in areas cut into several."""
    parts = shares.groupby("from")["to"].size()
    cut = values.index.get_level_values(level).map(parts).to_numpy() > 1
    whole = float(values.sum())
    return float(values[cut].sum()) / whole if whole else 0.0
