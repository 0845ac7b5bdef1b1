"""Missions: which boxes a shift visits, as many as streets or kits allow, a known share of them drawn."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from peelian.arithmetic.routes import visiting_order
from peelian.errors import DataError, DesignError, some

if TYPE_CHECKING:
    import geopandas as gpd

    from peelian.places import Places

COLUMNS = (
    "mission", "crime", "patrol_area", "day", "shift", "order", "place", "kind", "expected", "probability",
    "kilometres", "minutes", "reason", "x", "y",
)  # fmt: skip
EVERYWHERE = "whole area"


@dataclass(frozen=True, eq=False)
class Missions:
    """The boxes to visit, a row a stop.

    ``frame``  ``mission`` (area, day and shift in words), ``crime``, ``patrol_area``, ``day``, ``shift``,
               ``order`` of the visit, ``place``, ``kind`` (``planned``, ``explore``, ``custom``),
               ``expected`` incidents, ``probability`` that the place was chosen (1 for planned, the chance of
               the draw for explore, missing for custom), ``kilometres`` of street (missing where not known),
               ``minutes``,
               ``reason``, ``x`` and ``y`` of a point in it (in the places' CRS).
    ``rest``   by patrol area, day and shift: places that were neither planned nor custom (``rest``), of which
               ``drawn`` were drawn.
    ``notes``  what the missions rest on and lack, in sentences.
    """

    frame: pd.DataFrame
    rest: pd.DataFrame
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Limit:
    """How much a mission may hold: ``amount`` of ``unit`` (``boxes``, ``kilometres`` or ``kits``)."""

    amount: float
    unit: str


def missions(
    risk: pd.Series,
    places: Places,
    *,
    crime: str,
    patrol_area: pd.Series | None = None,
    day: str,
    shift: str = "",
    boxes: int | None = None,
    kilometres: float | None = None,
    kits: int | None = None,
    visits: pd.Series | None = None,
    streets: pd.Series | None = None,
    need: pd.Series | None = None,
    within: pd.Series | None = None,
    minutes: float = 15,
    explore: float = 0.1,
    custom: pd.DataFrame | None = None,
    seed: int,
) -> Missions:
    """One shift's boxes in each patrol area: the riskiest that fit, and a known share drawn at random.

    ``risk``         expected incidents by place; ``patrol_area`` by place, or None for one area of all.
    ``day``          the date or period, in words; ``shift`` its name, or nothing.
    ``boxes``, ``kilometres``, ``kits``, ``visits``  exactly one: so many places, as many as that length of
                     street (``streets``: kilometres by place) or that many kits (``need``: kits by place)
                     allow, or the visits that a plan gives to areas (``within``: the area of each place).
    ``explore``      share of the limit that is drawn at random among the places not planned.
    ``custom``       places somebody adds: ``place``, ``reason``; they come on top and are marked.

    Places are taken by risk per unit, whole or not at all: one that does not fit is passed over for the next.
    Visits of an area go to as many of its riskiest places, and to the riskiest again where there are fewer.
    Drawn places are a simple random sample, so that each one's chance is known. Ties go to the earlier id.
    Raises ``DesignError`` for a limit that fits nothing, ``DataError`` for custom places without a reason.
    """
    limit = _limit(boxes, kilometres, kits, None if visits is None else int(visits.sum()))
    if not 0 <= explore < 1:
        raise DesignError(f"explore is a share from 0 to below 1; got {explore:g}.")
    cost = _costs(limit, places, streets, need)
    added = _custom(custom, places)
    where = _areas_of(patrol_area, places)
    risk = risk.reindex(places.index)
    points = places.points
    at = pd.DataFrame({"x": points.x, "y": points.y})
    stops, rest = [], []
    for area in sorted(where.dropna().unique()):
        inside = places.index[(where == area).to_numpy()]
        rng = np.random.default_rng([seed, zlib.crc32(f"{area}|{day}|{shift}".encode())])
        own = added[added["place"].isin(inside)]
        open_to = risk[inside].drop(own["place"])
        if visits is None or within is None:
            chosen, left = _chosen(open_to, cost, limit, explore, rng)
        else:
            chosen, left = _visited(open_to, visits, within, explore, rng)
        own = own.assign(kind="custom", probability=np.nan, times=1)
        chosen = pd.concat([chosen, own], ignore_index=True)
        if chosen.empty:
            continue
        chosen = _ordered(chosen, at)
        stops.append(chosen.assign(patrol_area=area))
        rest.append({"patrol_area": area, "day": day, "shift": shift, **left})
    if not stops:
        raise DesignError(
            f"No place fits into {limit.amount:g} {limit.unit}: the smallest needs {cost.min():.2f}. "
            "Raise the limit."
            if visits is None
            else "None of the areas that the plan visits holds the centre of a place. Make the grid finer."
        )
    frame = pd.concat(stops, ignore_index=True)
    frame = frame.assign(
        crime=crime, day=day, shift=shift, minutes=float(minutes) * frame["times"],
        expected=risk.loc[frame["place"]].to_numpy(), kilometres=np.nan if streets is None else
        streets.reindex(frame["place"]).to_numpy(float), mission=[", ".join(part for part in (area, day,
        shift) if part) for area in frame["patrol_area"]],
    )  # fmt: skip
    return Missions(frame.loc[:, list(COLUMNS)], pd.DataFrame(rest))


def together(parts: list[Missions], notes: tuple[str, ...] = ()) -> Missions:
    """The missions of several shifts and days as one."""
    return Missions(
        pd.concat([part.frame for part in parts], ignore_index=True),
        pd.concat([part.rest for part in parts], ignore_index=True), notes,
    )  # fmt: skip


def street_kilometres(streets: gpd.GeoDataFrame, places: Places) -> pd.Series:
    """Kilometres of street in each place: the part of every line that lies in it.

    Raises ``DataError`` where no street reaches any place.
    """
    import shapely

    lines = np.asarray(streets.to_crs(places.crs).geometry.array)
    line, place = places.frame.sindex.query(lines, predicate="intersects")
    if not len(line):
        raise DataError("The streets reach none of the places: are they of another area?")
    shapes = np.asarray(places.geometry.array)
    length = shapely.length(shapely.intersection(lines[line], shapes[place]))
    total = np.bincount(place, length, minlength=len(places)) / 1000
    return pd.Series(total, places.index, name="kilometres")


def _limit(boxes: int | None, kilometres: float | None, kits: int | None, visits: int | None = None) -> Limit:
    given = {"boxes": boxes, "kilometres": kilometres, "kits": kits, "visits": visits}
    held = [Limit(float(value), unit) for unit, value in given.items() if value is not None]
    if len(held) != 1:
        raise DesignError(
            "A mission has one limit: boxes, kilometres or kits, or the visits of a plan. "
            f"Given: {', '.join(limit.unit for limit in held) or 'none'}."
        )
    if not held[0].amount > 0:
        raise DesignError(f"{held[0].unit} must be above 0; got {held[0].amount:g}.")
    return held[0]


def _costs(limit: Limit, places: Places, streets: pd.Series | None, need: pd.Series | None) -> pd.Series:
    """What each place uses up of the limit; infinite where it has nothing to patrol or to mark."""
    if limit.unit in ("boxes", "visits"):
        return pd.Series(1.0, places.index)
    given, lack = (
        (streets, "a file of streets: [predict] streets = \"roads.gpkg\", or use boxes")
        if limit.unit == "kilometres"
        else (need, "households by place, or use boxes")
    )  # fmt: skip
    if given is None:
        raise DesignError(f"Missions by {limit.unit} need {lack}.")
    return given.reindex(places.index).where(lambda amount: amount > 0, np.inf).fillna(np.inf)


def _areas_of(patrol_area: pd.Series | None, places: Places) -> pd.Series:
    if patrol_area is None:
        return pd.Series(EVERYWHERE, places.index)
    where = patrol_area.reindex(places.index)
    return (
        where.astype(object).where(where.notna(), None).map(lambda name: None if name is None else str(name))
    )


def _custom(custom: pd.DataFrame | None, places: Places) -> pd.DataFrame:
    if custom is None or custom.empty:
        return pd.DataFrame({"place": pd.Series(dtype=object), "reason": pd.Series(dtype=object)})
    lacking = [name for name in ("place", "reason") if name not in custom]
    if lacking:
        raise DataError(f"Custom boxes need the columns place and reason; {some(lacking)} is not there.")
    added = custom.assign(place=custom["place"].astype(str))
    strange = added.loc[~added["place"].isin(places.index), "place"]
    if len(strange):
        raise DataError(
            f"Custom boxes name {some(strange)}, which are no places; ids look like {places.index[0]}."
        )
    silent = added["reason"].isna() | (added["reason"].astype(str).str.strip() == "")
    if silent.any():
        raise DataError(
            f"Custom boxes without a reason: {some(added.loc[silent, 'place'])}. Whoever adds one says why."
        )
    return added.drop_duplicates("place")[["place", "reason"]]


def _chosen(
    risk: pd.Series, cost: pd.Series, limit: Limit, explore: float, rng: np.random.Generator
) -> tuple[pd.DataFrame, dict[str, int]]:
    """The places planned and drawn of one patrol area, and how many were left to draw from."""
    able = risk.index[np.isfinite(cost[risk.index])]
    share = limit.amount * (1 - explore)
    if limit.unit == "boxes":
        share = limit.amount - (max(round(limit.amount * explore), 1) if explore and limit.amount > 1 else 0)
    planned = _fitting(risk[able], cost[able], share)
    others = able.difference(planned)
    number = 0
    if explore and len(others):
        each = float(cost[others].mean())
        number = min(max(int((limit.amount - share) / each + 1e-9), 1), len(others))
        if limit.unit == "boxes" and limit.amount <= 1:
            number = 0
    drawn = others[np.sort(rng.choice(len(others), number, replace=False))] if number else others[:0]
    frame = pd.DataFrame(
        {
            "place": [*planned, *drawn],
            "kind": ["planned"] * len(planned) + ["explore"] * len(drawn),
            "probability": [1.0] * len(planned) + [number / max(len(others), 1)] * len(drawn),
            "reason": "", "times": 1,
        }
    )  # fmt: skip
    return frame, {"rest": len(others), "drawn": number}


def _visited(
    risk: pd.Series, visits: pd.Series, within: pd.Series, explore: float, rng: np.random.Generator
) -> tuple[pd.DataFrame, dict[str, int]]:
    """The places that a plan's visits go to, those worth least given up for as many drawn at random."""
    made: list[str] = []
    for area, number in visits.items():
        own = risk[(within.reindex(risk.index) == area).to_numpy()]
        order = own.index[np.lexsort((np.arange(len(own)), -own.to_numpy()))]
        made += [str(order[at % len(order)]) for at in range(int(number))] if len(order) else []
    draws = max(round(len(made) * explore), 1) if explore and len(made) > 1 else 0
    kept = sorted(made, key=lambda place: -risk[place])[: len(made) - draws]
    times = pd.Series(kept, dtype=object).value_counts(sort=False)
    others = risk.index.difference(times.index)
    number = min(draws, len(others))
    drawn = others[np.sort(rng.choice(len(others), number, replace=False))] if number else others[:0]
    frame = pd.DataFrame(
        {
            "place": [*times.index, *drawn],
            "kind": ["planned"] * len(times) + ["explore"] * len(drawn),
            "probability": [1.0] * len(times) + [number / max(len(others), 1)] * len(drawn),
            "reason": "", "times": [*times, *[1] * len(drawn)],
        }
    )  # fmt: skip
    return frame, {"rest": len(others), "drawn": number}


def _fitting(risk: pd.Series, cost: pd.Series, amount: float) -> list[str]:
    """The places by falling risk per unit that still fit; those without risk are never planned."""
    rate = (risk / cost).to_numpy()
    order = np.lexsort((np.arange(len(rate)), -np.round(rate, 12)))
    taken, left = [], amount + 1e-9
    for position in order:
        if rate[position] <= 0 or left <= 0:
            break
        if cost.iat[position] <= left:
            taken.append(str(risk.index[position]))
            left -= float(cost.iat[position])
    return taken


def _ordered(chosen: pd.DataFrame, at: pd.DataFrame) -> pd.DataFrame:
    """The stops in the order of a short walk, numbered from 1."""
    where = at.loc[chosen["place"]]
    order = visiting_order(where.to_numpy())
    out = chosen.assign(x=where["x"].to_numpy(), y=where["y"].to_numpy()).iloc[order].reset_index(drop=True)
    return out.assign(order=np.arange(1, len(out) + 1))
