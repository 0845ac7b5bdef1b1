"""Beside the terrain: hot spots, concentration, near repeats and times, each run or skipped with a reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, field_validator, model_validator
from pydantic.dataclasses import dataclass as parameters

from peelian.errors import DesignError

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.maps import Style
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


def known_timezone(name: str) -> str:
    """The name of a time zone, if there is one of that name."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f'there is no time zone {name!r}; write for instance "Europe/London"') from None
    return name


Timezone = Annotated[str, AfterValidator(known_timezone)]


@parameters(frozen=True, config=CONFIG)
class HotSpotParameters:
    """The ``[explain.hotspots]`` table.

    ``on``; ``alpha`` level after adjustment; ``adjust`` for asking about every place; ``p``; ``sides``:
    ``two``, or ``hot`` only; ``include_self``: the place with its neighbours (Gi*); ``period`` of the
    patterns over time, with their shares ``hotspot``, ``persistent`` and ``recent``; ``rates``:
    empirical-Bayes rates by household in the place of counts; ``bandwidth`` metres of a kernel density (of
    several the likeliest) and its ``kernel``; ``before`` and ``after``, first and last month of two periods
    whose change by place is shown; ``eps`` metres and ``least`` weight, for clusters of any shape, with
    ``weights`` (harm) by crime type, 1 each where none are given.
    """

    on: bool = True
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    adjust: Literal["fdr", "bonferroni", "none"] = "fdr"
    p: Literal["auto", "normal", "permutation"] = "auto"
    sides: Literal["two", "hot"] = "two"
    include_self: bool = True
    period: Literal["month", "quarter", "year"] = "quarter"
    hotspot: Annotated[float, Field(gt=0, le=1)] = 0.1
    persistent: Annotated[float, Field(gt=0, le=1)] = 0.8
    recent: Annotated[float, Field(gt=0, lt=1)] = 0.2
    rates: bool = False
    bandwidth: tuple[Annotated[float, Field(gt=0)], ...] = ()
    kernel: Literal["quartic", "gaussian", "epanechnikov"] = "quartic"
    before: str | None = None
    after: str | None = None
    eps: Annotated[float, Field(gt=0)] | None = None
    least: Annotated[float, Field(gt=0)] = 20
    weights: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)

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

    ``on``; ``distances`` metres, the first the same place; ``days``, or hours with ``unit = "hours"``,
    elapsed by the clocks of ``timezone``;
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
    timezone: Timezone = "Europe/London"
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
    timezone: Timezone = "Europe/London"


@dataclass(frozen=True, eq=False)
class Beside:
    """What else the chapter holds: blocks, files, columns by place, layers of the map with their styles, and
    headline numbers."""

    blocks: list[Block] = field(default_factory=list)
    files: dict[str, Any] = field(default_factory=dict)
    columns: dict[str, pd.Series] = field(default_factory=dict)
    layers: dict[str, gpd.GeoDataFrame] = field(default_factory=dict)
    styles: dict[str, Style] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)


def beside(
    incidents: Incidents, cells: Places, asked: Asked, *, seed: int, crime: str = "crime",
    progress: Callable[[int, int], None] | None = None, households: pd.Series | None = None,
    streets: gpd.GeoSeries | None = None, areas: Places | None = None,
) -> Beside:  # fmt: skip
    """Every part that was asked for; a part that the data forbid is one sentence that says why.

    ``households``  by cell. ``streets``  lines, for near repeats along them and as places of concentration;
    ``areas``  as places of concentration, their columns as strata.
    """
    from peelian.explain import hot_spots_part, lorenz_part, near_repeat_part

    found = Beside()
    parts: tuple[tuple[str, bool, Callable[[], None]], ...] = (
        ("Hot spots", asked.hotspots.on,
         lambda: hot_spots_part.add(found, incidents, cells, asked.hotspots, seed, crime, households)),
        ("Concentration", asked.concentration.on,
         lambda: lorenz_part.add(
             found, incidents, cells, asked.concentration, seed, crime, households, areas, streets)),
        ("Near repeats", asked.near_repeat.on,
         lambda: near_repeat_part.add(
             found, incidents, asked.near_repeat, seed, crime, progress, streets, areas)),
        ("Times", asked.aoristic.on, lambda: _times(found, incidents, asked.aoristic, seed, crime)),
    )  # fmt: skip
    from peelian.report import Text

    for name, on, part in parts:
        if on:
            found.blocks.append(Text(name, "heading"))
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


def _times(found: Beside, incidents: Incidents, asked: AoristicParameters, seed: int, crime: str) -> None:
    from peelian.explain.times import aoristic
    from peelian.explain.times_report import blocks

    held = aoristic(
        incidents, asked.by, cap=asked.cap, long=asked.long, timezone=asked.timezone, seed=seed, crime=crime
    )
    found.blocks.extend(blocks(held, published=incidents.published))
    found.files["times.csv"] = held.frame.reset_index()
    found.summary["times"] = {"busiest": str(held.frame["aoristic"].idxmax()), "finding": str(held)}
