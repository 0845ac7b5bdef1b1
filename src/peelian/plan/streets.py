"""The streets of chosen areas in walking order, in rounds that one officer walks in one shift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError, some

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from peelian.places import Places
    from peelian.programme import Plan


FAR = 3000.0  # metres between two parts of one street, above which they are two streets


@dataclass(frozen=True)
class Shift:
    """What one officer does in a shift on foot. Every number is an assumption until it is measured.

    ``minutes`` of a shift; ``answered`` minutes at a door that opens; ``unanswered`` at one that does not;
    ``kilometre`` minutes to walk one; ``detour`` street over straight line; ``doors`` on a list and
    ``carried`` kits at most.
    """

    minutes: float
    answered: float
    unanswered: float
    kilometre: float
    detour: float
    doors: int
    carried: int

    @classmethod
    def of_figures(cls, **own: float) -> Shift:
        """The shift of the policy figures, with one's own numbers in the place of some.

        >>> Shift.of_figures(doors=60).doors, Shift.of_figures().minutes
        (60, 420.0)
        """
        from peelian.figures import load

        held = load()
        names = {
            "minutes": "shift_minutes", "answered": "door_answered", "unanswered": "door_unanswered",
            "kilometre": "walking", "detour": "detour", "doors": "doors_a_list", "carried": "kits_carried",
        }  # fmt: skip
        found: dict[str, Any] = {key: held.at(name).number for key, name in names.items()} | own
        return cls(**{**found, "doors": int(found["doors"]), "carried": int(found["carried"])})


def street_lists(
    plan: Plan,
    streets: pd.DataFrame,
    *,
    shift: Shift | None = None,
    team: pd.Series | None = None,
    ward: pd.Series | None = None,
    work: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The streets of each chosen area in walking order, with the kits that bring the area to the line.

    ``streets``  one row a street and area: ``street`` (a name or number, never a person), ``place``,
                 ``dwellings`` (missing where no address list has it), ``x``, ``y`` (metres, its middle);
                 ``usrn`` where two streets have one name; ``estimated`` where homes were spread by length. A
                 street in two areas belongs to the one with more of its dwellings, whole.
    ``team``, ``ward``  by place: printed, and whose list it is.
    ``work``     of ``schedule``: the month of each round.

    Returns one row a street, or a part of one too long for a shift: ``place``, ``order``, ``street``,
    ``part`` (``2 of 3``, or blank), ``dwellings``, ``kits``, ``running`` (kits so far in the area),
    ``round`` (a new one before a shift's minutes, doors or carried kits are passed), ``metres`` walked from
    the one before, ``minutes``, ``listed`` (false where no address list has the street: it is walked, and
    gets no kit until it has), ``estimated``, ``team``, ``ward``, ``month``, ``x``, ``y``. Kits
    of an area's streets add up to the area's.

    Raises ``DataError`` for chosen areas without a street of known dwellings, or with too few of them.
    """
    import numpy as np
    import pandas as pd

    shift = shift or Shift.of_figures()
    whole = _of_one_area(streets)
    lacking = [place for place in plan.chosen.index if place not in set(whole["place"])]
    if lacking:
        raise DataError(f"The streets file has none in {some(lacking)}. Its kits could not be placed.")
    parts = []
    for place, area in plan.chosen.iterrows():
        own = whole[whole["place"] == place].sort_values(["street", "id"], kind="stable")
        homes = own["dwellings"].fillna(0).to_numpy(float)
        if homes.sum() < area["kits"]:
            raise DataError(
                f"{place} needs {int(area['kits']):,} kits, but its streets hold {int(homes.sum()):,} homes. "
                "Is the address list complete?"
            )
        parts.append(_walked(str(place), own, _apportioned(homes, int(area["kits"])), shift))
    table = pd.concat(parts, ignore_index=True)
    for name, by_place in (("team", team), ("ward", ward)):
        table[name] = "" if by_place is None else table["place"].map(by_place).astype("str")
    table["month"] = "" if work is None else _months(table, work)
    columns = [
        "place", "order", "street", "part", "dwellings", "kits", "running", "round", "metres", "minutes",
        "listed", "estimated", "team", "ward", "month", "x", "y",
    ]  # fmt: skip
    return table[columns].assign(minutes=np.ceil(table["minutes"]).astype("int64"),
                                 metres=table["metres"].round().astype("int64"))  # fmt: skip


def rounds(table: pd.DataFrame) -> pd.DataFrame:
    """One row a round of ``street_lists``: where, when, how much, how far.

    ``place``, ``round``, ``team``, ``ward``, ``month``, ``streets``, ``dwellings``, ``kits``, ``metres``
    walked between its streets, ``minutes``.
    """
    grouped = table.groupby(["place", "round"], sort=False, as_index=False)
    return grouped.agg(
        team=("team", "first"), ward=("ward", "first"), month=("month", "first"), streets=("street", "size"),
        dwellings=("dwellings", "sum"), kits=("kits", "sum"), metres=("metres", "sum"),
        minutes=("minutes", "sum"),
    )  # fmt: skip


def estimated_streets(roads: gpd.GeoDataFrame, places: Places, *, name: str = "name") -> pd.DataFrame:
    """Streets from road lines where no address list is held: each area's households spread by length.

    ``roads``  lines in any CRS with a column ``name``. Lines without one are "unnamed road".

    Returns what ``street_lists`` takes, marked ``estimated``: parts of a road in two areas are two streets.
    """
    import geopandas as gpd
    import numpy as np
    import pandas as pd

    if roads.crs is None:
        raise DataError("The roads have no CRS, so they cannot be placed. Say which it is.")
    lines = gpd.GeoDataFrame({name: roads[name]}, geometry=roads.geometry.to_crs(places.crs))
    areas = gpd.GeoDataFrame({"place": places.index}, geometry=places.geometry.array, crs=places.crs)
    inside = gpd.overlay(lines, areas, how="intersection", keep_geom_type=True)
    inside["street"] = inside[name].fillna("").astype(str).str.strip().replace("", "unnamed road")
    inside = inside.dissolve(["place", "street"]).reset_index()
    homes = pd.Series(places.households).reindex(inside["place"]).to_numpy(float)
    length = inside.length.to_numpy()
    given = np.zeros(len(inside), np.int64)
    for place in pd.unique(inside["place"]):
        own = np.flatnonzero(inside["place"] == place)
        given[own] = _apportioned(length[own], int(homes[own[0]]))
    middle = inside.geometry.representative_point()
    return pd.DataFrame(
        {
            "street": inside["street"], "usrn": inside["place"] + "|" + inside["street"],
            "place": inside["place"], "dwellings": given, "x": middle.x, "y": middle.y, "estimated": True,
        }
    )  # fmt: skip


def _of_one_area(streets: pd.DataFrame) -> pd.DataFrame:
    """Each street whole, in the area that holds most of its dwellings (the first by id of equals)."""
    needed = ["street", "place", "dwellings", "x", "y"]
    missing = [name for name in needed if name not in streets.columns]
    if missing:
        raise DataError(f"The streets lack the column {some(missing)}; they have {some(streets.columns)}.")
    rows = streets[needed].copy()
    rows["estimated"] = streets["estimated"].astype(bool) if "estimated" in streets else False
    rows["id"] = (streets["usrn"] if "usrn" in streets else streets["street"]).astype(str)
    spread = rows.groupby("id")[["x", "y"]].agg(lambda at: at.max() - at.min()).max(axis=1)
    far = spread.index[spread > FAR]
    if len(far):
        raise DataError(
            f"{some(far)}: parts of one street lie more than {FAR:,.0f} m apart, so they are several streets "
            "of one name. Give the streets file a column usrn that tells them apart."
        )
    rows["held"] = rows["dwellings"].fillna(0)
    rows = rows.sort_values(["id", "held", "place"], ascending=[True, False, True], kind="stable")
    total = rows.groupby("id")["dwellings"].sum(min_count=1)
    first = rows.drop_duplicates("id")
    return first.assign(dwellings=first["id"].map(total)).drop(columns="held")


def _months(table: pd.DataFrame, work: pd.DataFrame) -> list[str]:
    """The month in which each round's first kit goes out, as the schedule has it."""
    import numpy as np

    held = {place: part.sort_values("month", kind="stable") for place, part in work.groupby("place")}
    out: dict[tuple[str, int], str] = {}
    for (place, number), part in table.groupby(["place", "round"], sort=False):
        done = held[place]
        before = int(part["running"].iloc[0] - part["kits"].iloc[0])
        at = int(np.searchsorted(done["kits"].cumsum().to_numpy(), before, side="right"))
        out[place, number] = str(done["month"].iloc[min(at, len(done) - 1)])
    return [out[place, number] for place, number in zip(table["place"], table["round"], strict=True)]


def _apportioned(homes: NDArray[np.float64], kits: int) -> NDArray[np.int64]:
    """Kits by street in proportion to homes, in whole numbers that add up (largest remainders)."""
    import numpy as np

    exact = kits * homes / homes.sum()
    given = np.floor(exact).astype(np.int64)
    order = np.lexsort((np.arange(len(homes)), given - exact))
    given[order[: kits - int(given.sum())]] += 1
    return given


def _walked(place: str, own: pd.DataFrame, kits: NDArray[np.int64], shift: Shift) -> pd.DataFrame:
    """One area's streets in the order of a walk, long ones in parts, with minutes, metres and rounds."""
    import numpy as np

    from peelian.arithmetic.routes import visiting_order

    points = own[["x", "y"]].to_numpy(float)
    order = visiting_order(points)
    listed = own["dwellings"].notna().to_numpy()
    homes = own["dwellings"].fillna(0).to_numpy(float)
    at_doors = kits * shift.answered + (homes - kits) * shift.unanswered
    pieces = np.maximum.reduce(
        [np.ceil(homes / shift.doors), np.ceil(kits / shift.carried), np.ceil(at_doors / shift.minutes),
         homes < 1]
    ).astype(np.int64)  # fmt: skip
    at = np.repeat(order, pieces[order])
    number = np.concatenate([np.arange(pieces[street]) for street in order])
    table = own.iloc[at].assign(place=place, order=np.arange(1, len(at) + 1), listed=listed[at])
    table["dwellings"] = _share(homes[at], pieces[at], number)
    table["kits"] = _share(kits[at], pieces[at], number)
    table["part"] = [f"{n + 1} of {of}" if of > 1 else "" for n, of in zip(number, pieces[at], strict=True)]
    table["running"] = table["kits"].cumsum()
    table["minutes"] = (
        table["kits"] * shift.answered + (table["dwellings"] - table["kits"]) * shift.unanswered
    ).to_numpy()  # fmt: skip
    _into_rounds(table, points[at], shift)
    return table


def _share(total: NDArray[Any], pieces: NDArray[np.int64], number: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number-th of so many pieces of a whole number, the first ones larger where it is not even."""
    whole = total.astype("int64")
    return whole // pieces + (number < whole % pieces)


def _into_rounds(table: pd.DataFrame, points: NDArray[np.float64], shift: Shift) -> None:
    """Adds ``round``, ``metres`` and the walk's minutes: a new round begins before any limit would be passed.

    A round begins where its first street is, so the way there is not counted. A single street that alone
    passes a limit (by the way to it) is a round of its own.
    """
    import numpy as np

    from peelian.arithmetic.routes import walk_metres

    size = len(table)
    step = [0.0] + [shift.detour * walk_metres(points, [at - 1, at]) for at in range(1, size)]
    time, doors, kits = (table[c].to_numpy(float) for c in ("minutes", "dwellings", "kits"))
    found, metres = np.empty(size, np.int64), np.zeros(size)
    number, used = 1, np.zeros(3)
    most = np.array([shift.minutes, shift.doors, shift.carried])
    for at in range(size):
        takes = np.array([time[at] + step[at] * shift.kilometre / 1000, doors[at], kits[at]])
        if used.any() and (used + takes > most + 1e-9).any():
            number, used = number + 1, np.zeros(3)
        if used.any():
            metres[at] = step[at]
        else:
            takes[0] = time[at]
        found[at], used = number, used + takes
    table["round"], table["metres"] = found, metres
    table["minutes"] = time + metres * shift.kilometre / 1000
