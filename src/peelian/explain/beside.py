"""Beside the terrain: hot spots, concentration, near repeats and times, each run or skipped with a reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic.dataclasses import dataclass as parameters

from peelian.errors import DesignError

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places
    from peelian.report import Block

CONFIG = ConfigDict(extra="forbid")
PERIOD = re.compile(r"\s*(\d{4}-(?:0[1-9]|1[0-2]))\s*\.\.\s*(\d{4}-(?:0[1-9]|1[0-2]))\s*")


def months_of(period: str) -> tuple[str, str]:
    """First and last month of a period as it is written in peelian.toml.

    >>> months_of("2016-01..2018-12")
    ('2016-01', '2018-12')
    """
    found = PERIOD.fullmatch(period)
    if not found or found[1] > found[2]:
        raise ValueError("write first and last month as 2016-01..2018-12")
    return found[1], found[2]


@parameters(frozen=True, config=CONFIG)
class HotSpotParameters:
    """The ``[explain.hotspots]`` table.

    ``on``; ``alpha`` level after adjustment; ``adjust`` for asking about every place; ``p``; ``period`` of
    the patterns over time; ``rates``: empirical-Bayes rates by household in the place of counts;
    ``bandwidth`` metres of a kernel density (of several the likeliest); ``before`` and ``after``, first and
    last month of two periods whose change by place is shown; ``eps`` metres and ``least`` incidents, for
    clusters of any shape.
    """

    on: bool = True
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    adjust: Literal["fdr", "bonferroni", "none"] = "fdr"
    p: Literal["auto", "normal", "permutation"] = "auto"
    period: Literal["month", "quarter", "year"] = "quarter"
    rates: bool = False
    bandwidth: tuple[Annotated[float, Field(gt=0)], ...] = ()
    before: str | None = None
    after: str | None = None
    eps: Annotated[float, Field(gt=0)] | None = None
    least: Annotated[float, Field(gt=0)] = 20

    @field_validator("before", "after")
    @classmethod
    def _two_months(cls, value: str | None) -> str | None:
        if value is not None:
            months_of(value)
        return value

    @model_validator(mode="after")
    def _both_periods(self) -> HotSpotParameters:
        if (self.before is None) != (self.after is None):
            raise ValueError("before and after come together: the two periods whose change is shown")
        return self


@parameters(frozen=True, config=CONFIG)
class ConcentrationParameters:
    """The ``[explain.concentration]`` table: ``on``; ``draws`` of chance and of resampled places."""

    on: bool = True
    draws: Annotated[int, Field(ge=99)] = 199


@parameters(frozen=True, config=CONFIG)
class NearRepeatParameters:
    """The ``[explain.near_repeat]`` table.

    ``on``; ``distances`` metres, the first the same place; ``days``, or hours with ``unit = "hours"``;
    ``bands``: ``correct``, ``left`` or ``nrc-1.3``; ``metric`` (``network`` goes along ``streets`` of
    ``[explain]``); ``null``: ``both``, ``within``, ``permute`` or ``background``; ``tile`` metres of the
    strata, or ``strata``, a column of the areas; ``permutations``; ``least_ratio`` and ``level``, what counts
    as a sign; ``windows``: ``midpoint`` or ``draws``, so many ``draws`` of each event's time; ``drop_points``
    [x, y] left out; ``local``: a file of single events, for analysts of an internal project.
    """

    on: bool = True
    distances: tuple[float, ...] = (0.01, 100, 200, 400)
    days: tuple[float, ...] = (7, 14, 21, 28)
    unit: Literal["days", "hours"] = "days"
    bands: Literal["correct", "left", "nrc-1.3"] = "correct"
    metric: Literal["euclidean", "manhattan", "network"] = "euclidean"
    null: Literal["both", "within", "permute", "background"] = "both"
    tile: Annotated[float, Field(gt=0)] = 2000
    strata: str | None = None
    permutations: Annotated[int, Field(ge=19)] = 999
    level: Annotated[float, Field(gt=0, lt=1)] = 0.05
    least_ratio: Annotated[float, Field(ge=1)] = 1.2
    windows: Literal["midpoint", "draws"] = "midpoint"
    draws: Annotated[int, Field(ge=2, le=200)] = 20
    drop_points: tuple[tuple[float, float], ...] = ()
    local: bool = False

    @model_validator(mode="after")
    def _rising(self) -> NearRepeatParameters:
        from peelian.errors import DataError
        from peelian.explain.bands import bands_of

        try:
            bands_of(self.distances, self.days, self.bands, unit=self.unit)
        except DataError as error:
            raise ValueError(str(error)) from None
        return self


@parameters(frozen=True, config=CONFIG)
class AoristicParameters:
    """The ``[explain.aoristic]`` table: ``on``; ``by`` what the bins are; ``cap`` hours; ``long`` windows
    beyond it: ``exclude``, ``spread`` or ``start``; ``timezone`` of the extract."""

    on: bool = True
    by: Literal["hour", "hour-of-week", "shift", "day", "month"] = "hour-of-week"
    cap: Annotated[float, Field(gt=0)] = 72
    long: Literal["exclude", "spread", "start"] = "exclude"
    timezone: str = "Europe/London"


@dataclass(frozen=True, eq=False)
class Beside:
    """What else the chapter holds: blocks, files, columns by place and headline numbers."""

    blocks: list[Block] = field(default_factory=list)
    files: dict[str, Any] = field(default_factory=dict)
    columns: dict[str, pd.Series] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)


def beside(
    incidents: Incidents, cells: Places, asked: Asked, *, seed: int, crime: str = "crime",
    progress: Callable[[int, int], None] | None = None, households: pd.Series | None = None,
    streets: gpd.GeoSeries | None = None, areas: Places | None = None,
) -> Beside:  # fmt: skip
    """Every part that was asked for; a part that the data forbid is one sentence that says why.

    ``households``  by cell, for rates. ``streets``  lines, for near repeats along them. ``areas``  whose
    columns may be strata.
    """
    from peelian.explain import near_repeat_part

    found = Beside()
    parts: tuple[tuple[str, bool, Callable[[], None]], ...] = (
        ("Hot spots", asked.hotspots.on,
         lambda: _hot_spots(found, incidents, cells, asked.hotspots, seed, crime, households)),
        ("Concentration", asked.concentration.on,
         lambda: _concentration(found, incidents, cells, asked.concentration, seed, crime)),
        ("Near repeats", asked.near_repeat.on,
         lambda: near_repeat_part.add(
             found, incidents, asked.near_repeat, seed, crime, progress, streets, areas)),
        ("Times", asked.aoristic.on, lambda: _times(found, incidents, asked.aoristic, seed, crime)),
    )  # fmt: skip
    from peelian.report import Text

    for name, on, part in parts:
        if on:
            try:
                part()
            except DesignError as error:
                found.blocks.append(
                    Text(f"{name} are not shown. {error}".replace("ion are", "ion is"), "note")
                )
    return found


@dataclass(frozen=True)
class Asked:
    """The tables of the parts."""

    hotspots: HotSpotParameters = field(default_factory=HotSpotParameters)
    concentration: ConcentrationParameters = field(default_factory=ConcentrationParameters)
    near_repeat: NearRepeatParameters = field(default_factory=NearRepeatParameters)
    aoristic: AoristicParameters = field(default_factory=AoristicParameters)


def _hot_spots(
    found: Beside, incidents: Incidents, cells: Places, asked: HotSpotParameters, seed: int, crime: str,
    households: pd.Series | None,
) -> None:  # fmt: skip
    from peelian.explain import hot_spots_ways
    from peelian.explain.hot_spots import hotspot_classify, hotspots
    from peelian.explain.hot_spots_report import blocks

    if asked.rates and households is None:
        raise DesignError("rates = true needs areas with a households column: name it in [places].")
    hot = hotspots(
        incidents, cells, alpha=asked.alpha, adjust=asked.adjust, p=asked.p, seed=seed, crime=crime,
        households=households if asked.rates else None,
    )  # fmt: skip
    try:
        lasting = hotspot_classify(
            incidents, cells, period=asked.period, critical_p=asked.alpha, adjust=asked.adjust, seed=seed,
            crime=crime,
        )  # fmt: skip
    except DesignError:  # fewer than three whole periods: the hot spots of the whole time remain
        lasting = None
    found.blocks.extend(blocks(hot, lasting, cells, published=incidents.published))
    found.columns.update({"gi": hot.frame["gi"], "hot_spot": hot.frame["class"].astype("str")})
    if lasting is not None:
        found.columns["hot_spot_pattern"] = lasting.frame["pattern"].astype("str")
    found.summary["hot_spots"] = {
        "places": len(hot.frame), "hot": len(hot.hot), "cold": len(hot.cold),
        "incidents_in_hot": int(hot.frame.loc[hot.hot, "count"].sum()),
    }  # fmt: skip
    hot_spots_ways.add(found, incidents, cells, asked, crime, households)


def _concentration(
    found: Beside, incidents: Incidents, cells: Places, asked: ConcentrationParameters, seed: int, crime: str
) -> None:
    from peelian.explain.lorenz import concentration
    from peelian.explain.lorenz_report import blocks

    held = concentration(incidents, cells, draws=asked.draws, seed=seed, crime=crime)
    found.blocks.extend(blocks(held))
    found.files.update({"concentration.csv": held.shares, "lorenz.csv": held.lorenz})
    half = held.shares.iloc[1]
    found.summary["concentration"] = {
        "gini": held.gini, "generalised_gini": held.generalised, "low": held.low, "high": held.high,
        "share_of_places_for_half": float(half["share_of_places"]), "by_chance": float(half["by_chance"]),
    }  # fmt: skip


def _times(found: Beside, incidents: Incidents, asked: AoristicParameters, seed: int, crime: str) -> None:
    from peelian.explain.times import aoristic
    from peelian.explain.times_report import blocks

    held = aoristic(
        incidents, asked.by, cap=asked.cap, long=asked.long, timezone=asked.timezone, seed=seed, crime=crime
    )
    found.blocks.extend(blocks(held, published=incidents.published))
    found.files["times.csv"] = held.frame.reset_index()
    found.summary["times"] = {"busiest": str(held.frame["aoristic"].idxmax()), "finding": str(held)}
