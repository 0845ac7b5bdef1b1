"""From features to levels: how near or how thickly, in nested bands whose effect may only fall outwards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from peelian.errors import DataError, DesignError
from peelian.explain.monotone import Nested
from peelian.explain.shares import Shares

if TYPE_CHECKING:
    import pandas as pd

    from peelian.explain.measure import How
    from peelian.explain.shares import Columns
    from peelian.explain.values import Valued
    from peelian.layers import Layers
    from peelian.places import Places

Array = Any
QUANTILES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99)
BANDWIDTHS = (2, 4, 8)  # cells
SNAPPED_START, SNAPPED_STEP, FINEST_STEP = 100.0, 50.0, 25.0


@dataclass(frozen=True, eq=False)
class Measure:
    """One way of being near a factor, with its cuts, widest first.

    ``operation``  ``proximity`` (cuts in metres, falling), ``density`` (kernel sums, rising, with the
    ``shares`` of places at or below each), ``value`` (of a place, rising) or ``given``; ``bandwidth``
    metres of the kernel; ``sign`` -1 where protective.
    """

    factor: str
    operation: str
    sign: int
    cuts: Array
    bandwidth: float = float("nan")
    shares: Array | None = None

    def distance(self, at: int) -> float:
        """Metres of one band: its cut, or the bandwidth of its kernel."""
        return float(self.cuts[at]) if self.operation == "proximity" else self.bandwidth

    def name(self, at: int) -> str:
        """The name of one band."""
        if self.operation == "proximity":
            label = f"{self.factor}_proximity_{self.cuts[at]:g}"
        elif self.operation == "density":
            assert self.shares is not None
            label = f"{self.factor}_density_{self.bandwidth:g}_q{1000 * self.shares[at]:g}"
        elif self.operation == "value":
            label = f"{self.factor}_above_{self.cuts[at]:g}"
        else:
            label = self.factor if len(self.cuts) == 1 else f"{self.factor}_{at}"
        return label + ("_protective" if self.sign < 0 and self.operation != "given" else "")


@dataclass(frozen=True, eq=False)
class Decay:
    """Every measure of every factor over all places: ``levels`` places x measures, and what was dropped.

    ``owner``  the place of each row of ``levels`` where these are points of its ground; None: one a place.
    ``notes``  what should be known of the measuring.
    """

    measures: tuple[Measure, ...]
    levels: Array
    factor_names: list[str]
    dropped: pd.DataFrame
    owner: Array | None = None
    notes: tuple[str, ...] = ()

    @property
    def shares(self) -> bool:
        """Whether columns are shares of places."""
        return self.owner is not None

    @property
    def factor(self) -> Array:
        """Number of the factor of each measure."""
        return np.array([self.factor_names.index(m.factor) for m in self.measures])

    def nested(self, where: Array) -> Columns:
        """The columns over some places."""
        starts = np.concatenate([[0], np.cumsum([len(m.cuts) for m in self.measures])])
        sign = np.array([m.sign for m in self.measures])
        if self.owner is None:
            return Nested(np.asfortranarray(self.levels[where]), starts, sign)
        held = np.zeros(int(self.owner.max()) + 1, bool)
        held[where] = True
        points = held[self.owner]
        own = (held.cumsum() - 1)[self.owner[points]]
        return Shares.of(Nested(np.asfortranarray(self.levels[points]), starts, sign), own)

    def band(self, column: int) -> tuple[Measure, int]:
        """The measure of a column, and which of its cuts it is."""
        at = int(column)
        for measure in self.measures:
            if at < len(measure.cuts):
                return measure, at
            at -= len(measure.cuts)
        raise IndexError(column)


def cuts_of(cell: float, reach: float, *, snapped: bool = False, coarser: int = 1) -> Array:
    """The distances of the bands, widest first: every half cell (at least 25 m) up to ``reach``.

    From 100 m in steps of 50 m where points are moved to shared street points.

    >>> cuts_of(250, 500).tolist()
    [500.0, 375.0, 250.0, 125.0]
    >>> cuts_of(100, 200, snapped=True).tolist()
    [200.0, 150.0, 100.0]
    """
    step = max(FINEST_STEP, cell / 2)
    first = step
    if snapped:
        first, step = max(SNAPPED_START, step), max(SNAPPED_STEP, step)
    step *= coarser
    first = max(first, step) if coarser > 1 else first
    return np.arange(first, reach + 1e-9, step)[::-1]


def measured(
    layers: Layers, places: Places, *, cell: float, reach: float, operations: str, snapped: bool,
    fitted: Array, min_cells: int, period: tuple[Any, Any] | None, coarser: int = 1, how: How | None = None,
    valued: Valued | None = None,
) -> Decay:  # fmt: skip
    """Levels of each place for each layer: bands of distance, and of density at 2, 4 and 8 cells.

    ``reach``    metres beyond which nothing is asked. ``fitted``  places in the fit, whose quantiles make
    the cuts of density. ``coarser``  times the steps and bandwidths, to see what depends on them. ``valued``
    values by place that are factors too.
    """
    from peelian.explain.factors import open_during
    from peelian.explain.measure import Ground, How

    ground = Ground.of(places, how or How())
    owner = ground.owner
    held = fitted if owner is None else fitted[owner]
    cuts = cuts_of(cell, reach, snapped=snapped, coarser=coarser)
    if not len(cuts):
        raise DesignError(f"reach_limit = {reach:g} m is shorter than the first band. Raise it.")
    bandwidths = [coarser * k * cell for k in BANDWIDTHS]
    found: list[Measure] = []
    levels: list[Array] = []
    for name in layers:
        layer = layers[name]
        features = open_during(layer.features, period).to_crs(places.crs)
        if not len(features):
            raise DataError(f"Layer {name} has no feature that was open in the period.")
        wanted = layer.operations if operations == "both" else operations
        signs = {"protective": (-1,), "either": (1, -1)}.get(layer.sign, (1,))
        if wanted in ("both", "proximity"):
            nearest = ground.nearest(features, float(cuts[0]))
            for sign in signs:
                found.append(Measure(name, "proximity", sign, cuts))
                levels.append((nearest[:, None] <= cuts).sum(axis=1))
        if wanted in ("both", "density"):
            _, sums = ground.near_and_kernels(features, bandwidths)
            for bandwidth, values in zip(bandwidths, sums, strict=True):
                limits = np.quantile(values[held], QUANTILES)
                # limits are themselves sums of many terms: the last digits are not to decide
                level = (values[:, None] > limits * (1 + 1e-12)).sum(axis=1)
                for sign in signs:
                    found.append(Measure(name, "density", sign, limits, bandwidth, np.array(QUANTILES)))
                    levels.append(level)
    names, notes = list(layers), list(ground.notes)
    if valued is not None:
        for name in valued.names:
            value, steps, note = valued.steps(name, places, fitted)
            level = (value[:, None] > steps).sum(axis=1)
            for sign in {"protective": (-1,), "either": (1, -1)}.get(valued.sign(name), (1,)):
                found.append(Measure(name, "value", sign, steps))
                levels.append(level if owner is None else level[owner])
            names.append(name)
            notes += note
    decay = _thinned(found, np.column_stack(levels), names, fitted, min_cells, owner)
    return replace(decay, notes=tuple(notes))


def given(columns: pd.DataFrame, factor_of: dict[str, str], *, fitted: Array, min_cells: int) -> Decay:
    """Levels from 0/1 (0/-1) columns that the user made: each a band by itself."""
    from peelian.explain.factors import given_columns

    influence = given_columns(columns, factor_of, fitted=fitted, min_cells=min_cells)
    measures = [
        Measure(str(name), "given", int(about["sign"]), np.array([np.nan]))
        for name, about in influence.meta.iterrows()
    ]
    factor = influence.meta["factor"].to_dict()
    levels = (influence.columns.to_numpy() != 0).astype(np.uint8)
    named = tuple(replace(m, factor=factor[m.factor]) for m in measures)
    return Decay(named, levels, list(dict.fromkeys(factor.values())), influence.dropped)


def _thinned(
    measures: list[Measure], levels: Array, names: list[str], fitted: Array, min_cells: int,
    owner: Array | None = None,
) -> Decay:  # fmt: skip
    """Without bands that too few places have any of, all have, or that say what the next one says."""
    import pandas as pd

    kept: list[Measure] = []
    columns: list[Array] = []
    gone: list[tuple[str, str, str]] = []
    seen: set[bytes] = set()
    held = fitted if owner is None else fitted[owner]
    number, first = int(held.sum()), None if owner is None else np.flatnonzero(np.diff(owner, prepend=-1))
    for measure, level in zip(measures, levels.T, strict=True):
        size = len(measure.cuts)
        highest = level if first is None else np.maximum.reduceat(level, first)
        ones, some = (
            np.bincount(at, minlength=size + 1)[::-1].cumsum()[::-1][1:]
            for at in (level[held], highest[fitted])
        )
        inner, next_ = np.append(ones[1:], 0), np.append(some[1:], 0)
        reason = np.select(
            [some < min_cells, ones == number, (ones == inner) & (next_ >= min_cells)],
            [
                f"fewer than {min_cells} cells have it",
                "every cell has it",
                "the same cells as the next narrower",
            ],
            "",
        )
        stay = reason == ""
        gone += [(measure.name(int(k)), measure.factor, str(reason[k])) for k in np.flatnonzero(~stay)]
        new = np.concatenate([[0], stay.cumsum()])[level].astype(np.uint8)
        key = bytes([measure.sign + 1]) + new[held].tobytes()
        if not stay.any() or key in seen:
            if stay.any():
                gone += [
                    (measure.name(int(k)), measure.factor, "the same cells as another layer or bandwidth")
                    for k in np.flatnonzero(stay)
                ]
            continue
        seen.add(key)
        shares = None if measure.shares is None else measure.shares[stay]
        kept.append(replace(measure, cuts=measure.cuts[stay], shares=shares))
        columns.append(new)
    if not kept:
        raise DesignError("No candidate tells one place from another: every column was dropped.")
    dropped = pd.DataFrame(gone, columns=["name", "factor", "reason"])
    known = [name for name in names if any(m.factor == name for m in kept)]
    return Decay(tuple(kept), np.column_stack(columns), known, dropped, owner)
