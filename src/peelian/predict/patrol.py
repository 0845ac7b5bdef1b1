"""Patrol: the forecast made into missions by area, day and shift, and what was delivered of earlier ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from peelian.errors import DataError, DesignError, some
from peelian.predict.missions import Missions, missions, street_kilometres, together
from peelian.predict.reasons import reasons

if TYPE_CHECKING:
    import geopandas as gpd

    from peelian.incidents import Incidents
    from peelian.places import Places
    from peelian.predict.dosage import Dosage, Explored
    from peelian.predict.forecast import Forecast
    from peelian.predict.tables import MissionTable


@dataclass(frozen=True, eq=False)
class Given:
    """Files that the ``[predict]`` table names, read: each None where it names none.

    ``streets`` lines; ``custom`` boxes with reasons; ``checkins`` of patrols, and the ``planned`` missions
    they belong to (missions.csv of an earlier run); ``visits`` a shift by area, as a plan left them
    (patrol.csv: place, visits). ``near_repeat`` the method of that name with the excess that ``explain``
    found, or nothing; ``marking`` the protective marking, for what is handed out.
    """

    streets: gpd.GeoDataFrame | None = None
    custom: pd.DataFrame | None = None
    checkins: pd.DataFrame | None = None
    planned: pd.DataFrame | None = None
    visits: pd.DataFrame | None = None
    near_repeat: str = ""
    marking: str = ""


def planned(
    forecast: Forecast, incidents: Incidents, cells: Places, areas: Places, asked: MissionTable, given: Given,
    *, crime: str, crimes: str, homes: pd.Series | None, seed: int,
) -> Missions:  # fmt: skip
    """Missions for the forecast's period: by day and shift where records carry days and times."""
    streets = None if given.streets is None else street_kilometres(given.streets, cells)
    need = None if homes is None else np.ceil(homes * asked.saturation)
    shares, notes = _shifts(incidents, cells, asked)
    visits, within, said = _of_the_plan(given.visits, asked, cells, areas)
    notes += said
    by_area = None if visits is not None else patrol_areas(cells, areas, asked.patrol_area)
    days = _days(forecast, incidents, asked)
    if len(days) == 1 and incidents.precision == "month":
        notes.append(
            f"Missions by date and shift are refused: these {crimes} are dated by month, so nothing is known "
            f"of days or hours. The boxes are ranked places for {forecast.period}; or load a force extract "
            "with dates."
        )
    if streets is None:
        notes.append(
            f"No streets were given ([predict] streets), so boxes are cells of {cells.cell:g} m, not "
            "kilometres."
        )
    span = 1.0 if incidents.precision == "month" else (forecast.stop - forecast.start).days
    made = []
    for day in days:
        for shift, share in shares.items():
            made.append(
                missions(
                    forecast.frame["risk"] * share / span, cells, crime=crime,
                    patrol_area=by_area, day=day, shift=shift,
                    boxes=asked.boxes, kilometres=asked.kilometres, kits=asked.kits, streets=streets,
                    visits=visits, within=within, need=need, minutes=asked.minutes, explore=asked.explore,
                    custom=given.custom, seed=seed,
                )
            )  # fmt: skip
    whole = together(made, tuple(notes))
    return _with_reasons(whole, reasons(forecast, crimes))


def _of_the_plan(
    given: pd.DataFrame | None, asked: MissionTable, cells: Places, areas: Places
) -> tuple[pd.Series | None, pd.Series | None, list[str]]:
    """The plan's visits by area and the area of each cell, where the table itself sets no limit."""
    if given is None or asked.limited:
        return None, None, []
    lacking = [name for name in ("place", "visits") if name not in given]
    if lacking:
        raise DataError(f"The plan's visits lack the columns {some(lacking)}; they need place and visits.")
    number = pd.to_numeric(given["visits"], errors="coerce").set_axis(given["place"].astype(str))
    strange = number.index.difference(areas.index)
    if len(strange) or number.isna().any() or (number < 0).any():
        wrong = strange if len(strange) else number.index[number.isna() | (number < 0)]
        raise DataError(f"The plan's visits name no area, or no number, in {some(wrong)}.")
    within = areas.locate(cells.points).astype(object)
    without = number.index.difference(within.dropna().unique())
    said = [
        f"The plan's {number.sum():,.0f} visits a shift go to the riskiest cells of its {len(number):,} "
        "areas, in one mission; those worth least are given up for as many drawn at random."
    ]
    if len(without):
        said.append(f"{len(without):,} of those areas hold the centre of no cell, and are not visited.")
    return number, within, said


def _shifts(
    incidents: Incidents, cells: Places, asked: MissionTable
) -> tuple[dict[str, pd.Series | float], list[str]]:
    from peelian.predict.shifts import hours_of, shift_shares

    if incidents.precision == "minute":
        shares = shift_shares(incidents, cells, asked.shifts)
        total = shares.mean()
        told = ", ".join(f"{name} ({asked.shifts[name]} h) {total[name] * 100:.0f} %" for name in shares)
        return {name: shares[name] for name in shares}, [f"Share of the risk by shift: {told}."]
    if incidents.precision == "day":
        names = hours_of(asked.shifts)
        note = (
            "The records carry no time of day, so all shifts share one map, an equal part of the risk each."
        )
        return {name: 1 / len(names) for name in names}, [note]
    return {"": 1.0}, []


def _days(forecast: Forecast, incidents: Incidents, asked: MissionTable) -> list[str]:
    if incidents.precision == "month":
        return [forecast.period]
    last = forecast.stop - pd.Timedelta(1, "D")
    days = pd.date_range(forecast.start, last, freq="D")[: asked.days]
    return [str(day.date()) for day in days]


def patrol_areas(cells: Places, areas: Places, column: str) -> pd.Series | None:
    """By cell: the value of a column of the area that holds its centre; None where no column is named."""
    if not column:
        return None
    if column not in areas.frame:
        held = some([name for name in areas.frame if name != "geometry"], 30)
        raise DataError(f"[predict.missions] patrol_area names {column!r}; the places have {held}.")
    where = areas.locate(cells.points)
    return areas.frame[column].astype(object).reindex(where.to_numpy(object)).set_axis(cells.index)


def _with_reasons(made: Missions, why: pd.Series) -> Missions:
    from dataclasses import replace

    frame = made.frame
    drawn = "Drawn at random, with a chance of " + frame["probability"].map(
        lambda chance: "" if chance != chance or chance <= 0 else f"1 in {1 / chance:,.0f}"
    )
    own = why.reindex(frame["place"]).to_numpy()
    text = np.select(
        [frame["kind"] == "planned", frame["kind"] == "explore"],
        [own, drawn + ", to learn of places that no forecast names."],
        "Added by hand: " + frame["reason"],
    )
    return replace(made, frame=frame.assign(reason=text))


def delivered(
    given: Given, incidents: Incidents, cells: Places
) -> tuple[Dosage, Explored | None, pd.DataFrame | None]:
    """What check-ins delivered of earlier missions, and, once their days are over, what the drawn boxes say
    and what was recorded in the boxes by why each was chosen.
    """
    from peelian.predict.dosage import dosage

    if given.checkins is None or given.planned is None:
        raise DesignError(
            "Dosage needs both files: [predict] planned (the missions.csv that was handed out) and checkins "
            "(day, shift, place, minutes, crew)."
        )
    past = _over(given.planned, incidents, cells)
    if past is None:
        return dosage(given.checkins, given.planned), None, None
    counts = _recorded_on(past, incidents, cells)
    return dosage(given.checkins, given.planned), _explored(past, counts), by_kind(past, counts)


def by_kind(past: pd.DataFrame, recorded: pd.Series) -> pd.DataFrame:
    """Boxes by why they were chosen: ``box_days``, ``expected`` and ``recorded`` incidents, 90 % limits.

    ``past``  stops whose day is over; ``recorded`` on each one's day in its place. Boxes that somebody added
    are so scored apart from those of the forecast and those that were drawn. Limits are of a Poisson.
    """
    from peelian.arithmetic.distributions import count_test

    day = past.assign(recorded=recorded.to_numpy()).groupby(["kind", "place", "day"], sort=True)
    once = day.agg(expected=("expected", "sum"), recorded=("recorded", "first"))
    rows = []
    for kind, boxes in once.groupby(level="kind", sort=True):
        test = count_test(float(boxes["recorded"].sum()), float(boxes["expected"].sum()))
        rows.append(
            {
                "kind": kind, "box_days": len(boxes), "expected": test.expected, "recorded": test.recorded,
                "low": test.low, "high": test.high,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _over(planned: pd.DataFrame, incidents: Incidents, cells: Places) -> pd.DataFrame | None:
    """The stops of days that are over, with ``when``; None where there is none, or records know no days."""
    when = pd.to_datetime(planned["day"], errors="coerce")
    if incidents.precision == "month":
        return None
    end = incidents.frame["start"].max().normalize() + pd.Timedelta(1, "D")
    past = planned[when.notna() & planned["place"].isin(cells.index) & (when < end)]
    return past.assign(when=when[past.index]) if len(past) else None


def _recorded_on(past: pd.DataFrame, incidents: Incidents, cells: Places) -> pd.Series:
    """Incidents in the place of each stop on its day."""
    day = incidents.frame["start"].dt.normalize()
    counted = (
        pd.Series(1, pd.MultiIndex.from_arrays([incidents.place_of(cells), day])).groupby(level=[0, 1]).sum()
    )
    keys = pd.MultiIndex.from_arrays([past["place"], past["when"]])
    return pd.Series(counted.reindex(keys).fillna(0).to_numpy(float), past.index)


def _explored(past: pd.DataFrame, recorded: pd.Series) -> Explored | None:
    """Incidents of the planned days in all places that were not planned, from the drawn ones."""
    from peelian.predict.dosage import explored

    rows = past[past["kind"] == "explore"]
    if rows.empty:
        return None
    shifts = max(rows["shift"].fillna("").nunique(), 1)  # each shift's draw speaks for the whole day
    strata = rows.fillna({"shift": ""}).groupby(["patrol_area", "day", "shift"], sort=True)
    rest = (strata.size() / strata["probability"].max()).round().to_numpy(float)
    counts = recorded[rows.index].to_numpy()
    return explored(counts, strata.ngroup().to_numpy(), rest, repeats=shifts)
