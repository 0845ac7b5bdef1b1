"""Beside: what learned methods may learn from besides incidents, each with the month it was known."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from peelian.errors import DesignError, some
from peelian.predict.calendar_features import CALENDAR, calendar_columns
from peelian.predict.history import History, step_after
from peelian.predict.layer_features import dated, layer_columns
from peelian.predict.weather_features import SOURCES, weather_columns

if TYPE_CHECKING:
    import pandas as pd

    from peelian.layers import Layers
    from peelian.places import Places
    from peelian.predict.exposure import Split
    from peelian.predict.tables import FeatureTable

Column = tuple[str, str, np.ndarray, int | None]
KINDS = ("calendar", "layers", "columns", *SOURCES, "exposure")
OUTCOME = re.compile(r"crime|burglar|offen[cs]e|incident|victim|arrest|robber|theft", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Beside:
    """What is there to learn from besides incidents, and what of it is used unless a method says otherwise.

    ``layers``      features of the environment: how far the nearest of each is, and how thick they lie.
    ``columns``     columns of ``areas`` -> the month in which each was known (``2019-09``), empty where
                    nobody says. A cell takes the value of the area that holds its centre.
    ``calendar``    of ``month``, ``weekday``, ``bank_holidays``, ``darkness``.
    ``weather``     measured, by day or month; ``forecasts`` of it with the time each was ``issued``.
    ``exposure``    a column of ``areas``: what a rate is per; ``split`` shares of homes among the incidents.
    ``used``        of ``KINDS``.

    Raises ``DesignError`` for a column that is missing, holds no numbers or counts crime.
    """

    layers: Layers | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    areas: Places | None = None
    calendar: tuple[str, ...] = ()
    weather: pd.DataFrame | None = None
    forecasts: pd.DataFrame | None = None
    exposure: str = ""
    split: Split | None = None
    used: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        held = () if self.areas is None else self.areas.frame.columns
        named = [self.exposure, "" if self.split is None else self.split.by]
        for name in (*self.columns, *filter(None, named)):
            if name not in held:
                raise DesignError(
                    f"[predict.features] names the column {name!r}, and the places have none; they have "
                    f"{some(held, 20)}."
                )
        for name in self.columns:
            if OUTCOME.search(name):
                raise DesignError(
                    f"[predict.features] columns: {name} seems to count crime, which is what is to be "
                    "foretold (the crime domain of the deprivation index is recorded crime too). Leave it "
                    "out; what was recorded before each month is among the features already."
                )
        strange = [kind for kind in self.calendar if kind not in CALENDAR]
        if strange:
            raise DesignError(
                f"[predict.features] calendar holds {some(strange)}; there are {some(CALENDAR)}."
            )

    def having(self, use: tuple[str, ...] | None, *, exposure: bool = True) -> tuple[str, ...]:
        """The kinds that a method uses: those it names, else those in use. ``DesignError`` for others.

        ``exposure``  whether the method can take one: trees cannot.
        """
        asked = self.used if use is None else tuple(use)
        if not exposure:
            if use is not None and "exposure" in use:
                raise DesignError("Boosted trees take no exposure. Leave it out of use, or take ridge.")
            asked = tuple(kind for kind in asked if kind != "exposure")
        for kind in asked:
            if kind not in KINDS:
                raise DesignError(
                    f"use holds {kind!r}; a learned method can use {some(KINDS, 10)}. The weather of the "
                    f"period itself is known to nobody beforehand: only a row named {PERFECT!r} may have it."
                )
            if not self._given(kind):
                raise DesignError(
                    f"use holds {kind!r}, and the project gives none. See [predict.features] in peelian.toml."
                )
        return asked

    def _given(self, kind: str) -> bool:
        if kind in SOURCES:
            return (self.forecasts if kind == "forecast weather" else self.weather) is not None
        value = getattr(self, kind)
        return value is not None and len(value) > 0

    def made(self, kinds: tuple[str, ...], history: History, start: int, stop: int) -> list[Column]:
        """Columns of these kinds for the period, from what was known at the end of history."""
        out: list[Column] = []
        if "calendar" in kinds:
            latitude = latitude_of(history.places) if "darkness" in self.calendar else 0.0
            out += calendar_columns(self.calendar, history, start, stop, latitude)
        if "layers" in kinds and self.layers is not None:
            out += layer_columns(self.layers, history)
        if "columns" in kinds:
            out += [self._column(name, history) for name in self.columns]
        for source in SOURCES:
            if source in kinds:
                out += weather_columns(source, self.weather, self.forecasts, history, start, stop)
        return out

    def _column(self, name: str, history: History) -> Column:
        values = self.by_place(name, history)
        known = self.columns[name]
        return name, "what is there", values - min(values.min(), 0.0), step_after(known, history.step)

    def by_place(self, name: str, history: History) -> np.ndarray:
        """A column by place: its own, or that of the area round a cell's centre; the mean where missing."""
        return _remembered(history, ("column", id(self), name), lambda: self._by_place(name, history.places))

    def _by_place(self, name: str, places: Places) -> np.ndarray:
        import pandas as pd

        assert self.areas is not None
        column = pd.to_numeric(self.areas.frame[name], errors="coerce")
        if column.isna().all():
            raise DesignError(f"[predict.features]: the column {name} of the places holds no numbers.")
        at = places.index if places.index.equals(self.areas.index) else self.inside(places)
        values = column.reindex(at).to_numpy(float)
        return np.asarray(np.where(np.isfinite(values), values, column.mean()))

    def inside(self, places: Places) -> pd.Index:
        """The area that holds the point of each place, missing where none does."""
        import pandas as pd

        assert self.areas is not None
        if places.index.equals(self.areas.index):
            return places.index
        return pd.Index(self.areas.locate(places.points))

    def offset(self, history: History) -> tuple[np.ndarray, int | None]:
        """What a rate is per, by place, its mean 1; all burglary where the share of homes is known."""
        from peelian.predict.exposure import exposed

        return exposed(self, history)

    def inputs(self, kinds: tuple[str, ...]) -> dict[str, str | None]:
        """What these kinds rest on: the last month that each has seen, None where nobody says."""
        import pandas as pd

        out: dict[str, str | None] = {}
        if "layers" in kinds and self.layers is not None:
            out |= {f"layer {name} ({layer.date or 'no date'})": dated(layer.date)
                    for name, layer in self.layers.items()}  # fmt: skip
        if "columns" in kinds:
            out |= {f"column {name}": known or None for name, known in self.columns.items()}
        if PERFECT in kinds and self.weather is not None:
            out["weather of the period itself"] = str(pd.PeriodIndex(self.weather.index).max().asfreq("M"))
        return out


PERFECT = SOURCES[-1]


@dataclass(frozen=True, eq=False)
class Holdings:
    """What a project holds that ``[predict.features]`` may ask for, as ``Beside`` has it."""

    layers: Layers | None = None
    forecasts: pd.DataFrame | None = None
    split: Split | None = None


def beside_of(
    asked: FeatureTable, held: Holdings | None, *, areas: Places, weather: pd.DataFrame | None,
    police: str = "",
) -> Beside | None:  # fmt: skip
    """What ``[predict.features]`` asks for, of what the project holds; None where it asks for nothing.

    ``police``  a written reason for learning from police activity. ``DesignError`` for what is not held.
    """
    from peelian.layers import Layers

    chosen, held = None, held or Holdings()
    if asked.layers:
        layers = held.layers if held.layers is not None else Layers.of([])
        names = layers.names if asked.layers == ("all",) else asked.layers
        chosen = Layers.of([layers[name] for name in names])
        _refuse_police(chosen, police)
    used = [name for name in ("calendar", "layers", "columns", "exposure") if getattr(asked, name)]
    if asked.weather:
        used.append(asked.weather if asked.weather in SOURCES else f"{asked.weather} weather")
    if not used:
        return None
    beside = Beside(
        chosen, asked.columns, areas, asked.calendar, weather, held.forecasts, asked.exposure, held.split,
        tuple(used),
    )  # fmt: skip
    beside.having(None)
    return beside


def _refuse_police(layers: Layers, reason: str) -> None:
    found = [name for name in layers if layers[name].kind == "police-activity"]
    if found and not reason.strip():
        raise DesignError(
            f"[predict.features] layers holds {some(found)}, which records police activity: it follows "
            "police, not risk. Leave it out, or give allow_police_generated a reason; it is printed."
        )


def latitude_of(places: Places) -> float:
    """Degrees north of the middle of the places."""
    from pyproj import Transformer

    west, south, east, north = places.geometry.total_bounds
    to_degrees = Transformer.from_crs(places.crs, "EPSG:4326", always_xy=True)
    return float(to_degrees.transform((west + east) / 2, (south + north) / 2)[1])


def newer(inputs: Mapping[str, str | None], origin: pd.Timestamp) -> list[str]:
    """Those of a method's inputs that are newer than an origin, or that nobody dates, in words.

    >>> import pandas as pd
    >>> newer({"layer pub (2021)": "2021-12", "column rented": "2011-03"}, pd.Timestamp("2018-01-01"))
    ['layer pub (2021), used for January 2018']
    """
    import pandas as pd

    return [
        f"{what}, used for {origin:%B %Y}"
        for what, month in inputs.items()
        if month is None or (pd.Period(month, "M") + 1).start_time > origin
    ]


def _remembered(history: History, key: object, make: Callable[[], Any]) -> Any:
    if key not in history.memo:
        history.memo[key] = make()
    return history.memo[key]
