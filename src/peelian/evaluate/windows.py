"""What is compared with what: units, groups and windows, laid out once as matrices.

Every number of this stage rests on sums per unit over windows of months, never on the long panel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peelian.errors import DesignError
from peelian.evaluate.arms import Later, areas_of, check_arms, later_of
from peelian.evaluate.leftout import LeftOut, left_out

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from peelian.panel import Panel
    from peelian.places import Places
    from peelian.programme import Programme

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

TREATED, CONTROL, OUT = 0, -1, -2
Window = tuple[int, int]
STANDARD = {
    "count", "arm", "treated", "start", "after", "unit", "ring", "saturation", "households",
    "recording_break",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stack:
    """One start month with its own windows, as half-open positions in the panel's months.

    ``before`` the baseline; ``clean`` whether it keeps clear of the months the areas were chosen on;
    ``selection`` those months (None where treatment was randomised); ``assumed`` whether they were not
    stated, so that the 12 months before the start stand for them.
    """

    start: int
    before: Window
    after: Window
    clean: bool = True
    selection: Window | None = None
    assumed: bool = False

    @property
    def naive(self) -> Window:
        """The baseline a before-and-after figure takes: the months of choice, else the year before."""
        if self.selection is not None:
            window = max(self.selection[0], 0), min(self.selection[1], self.start)
            if window[1] > window[0]:
                return window
        return max(self.start - 12, 0), self.start

    @property
    def lengths(self) -> tuple[int, int]:
        """Months of the baseline and of the after window."""
        return self.before[1] - self.before[0], self.after[1] - self.after[0]

    @property
    def last_year(self) -> Window:
        """The last 12 months of the baseline."""
        return max(self.before[1] - 12, self.before[0]), self.before[1]


@dataclass(frozen=True, eq=False, slots=True)
class Study:
    """A panel and its programme as matrices: places by months, and who belongs where.

    ``counts``      (places, months). ``group`` by place: 0 treated, 1, 2, ... the rings, -1 the others far
                    away (controls), -2 left out. ``own`` by place: its stack (rings: the nearest treated
                    place's), -1 for controls.
    ``unit``        by place: row among ``units``, what was chosen as a whole; ``unit_group`` its group.
    ``block``       by unit: strata of a randomised trial (zeros otherwise).
    ``asked``       by place: a control that the programme names. ``disagree`` share of treated
                    area-months whose panel flags contradict the start dates (guard G10).
    ``left_out``    by stack: areas not compared with that were chosen for their count inside the windows.
    ``later``       areas of the programme that start after the last month, if any; ``months_after`` as asked.
    """

    counts: Floats
    places: pd.Index
    months: pd.PeriodIndex
    group: Ints
    rings: tuple[str, ...]
    own: Ints
    unit: Ints
    units: tuple[str, ...]
    unit_group: Ints
    block: Ints
    stacks: tuple[Stack, ...]
    households: Floats
    saturation: Floats | None
    broken: NDArray[np.bool_]
    asked: NDArray[np.bool_]
    near: bool
    disagree: float
    randomised: bool
    outcome: str
    left_out: tuple[LeftOut | None, ...]
    later: Later | None
    months_after: int

    @property
    def n_treated(self) -> int:
        """Treated units."""
        return int((self.unit_group == TREATED).sum())

    @property
    def n_control(self) -> int:
        """Control units."""
        return int((self.unit_group == CONTROL).sum())

    def window_sums(self, window: Window) -> Floats:
        """Counts of every place over the months of a window."""
        return self.counts[:, window[0] : window[1]].sum(axis=1)

    def by_unit(self, values: Floats) -> Floats:
        """Sums of place values over units; places left out count nowhere."""
        values = np.where((self.group == OUT).reshape(-1, *[1] * (values.ndim - 1)), 0.0, values)
        out = np.zeros((len(self.units), *values.shape[1:]))
        np.add.at(out, self.unit, values)
        return out

    def months_of(self, window: Window) -> tuple[str, str]:
        """First and last month of a window as text."""
        return str(self.months[window[0]]), str(self.months[window[1] - 1])


def study(
    panel: Panel,
    programme: Programme,
    *,
    places: Places | None = None,
    months_after: int = 12,
    months_before: int | None = None,
    outcome: str = "count",
) -> Study:
    """The panel laid out for comparison: who is treated, near, far or left out, and which months count.

    ``months_after``   months since the start that count as after (fewer where the panel ends).
    ``months_before``  whole months of baseline; None takes the longest of 36, 24 and 12 that keeps clear
                       of the months the areas were chosen on.
    ``places``         used to find the nearest start of each ring area where there are several.

    Areas that start after the last month are left out as not started; one listed as a control until then is
    compared with. Raises ``DataError`` for programme areas that the panel lacks and ``DesignError`` where
    nobody is treated yet, nobody is left to compare with, or under 12 months precede a start.
    """
    import pandas as pd

    frame = panel.frame if panel.frame.index.is_monotonic_increasing else panel.frame.sort_index()
    months = pd.PeriodIndex(frame.index.unique("month"))
    ids = frame.index.unique("place")
    shape = (len(ids), len(months))
    fixed = frame.iloc[:: len(months)].droplevel("month")
    areas, later = later_of(areas_of(programme, fixed, ids), months)
    start = _positions(areas["start"], months)
    treated = (areas["arm"] == "treated").to_numpy()
    check_arms(treated, areas, start, months, later)
    group, rings, near, spare = _groups(fixed, areas, treated)
    starts = np.unique(start[treated])
    stacks = tuple(
        _stack(int(s), areas[treated & (start == s)], months, programme, months_after, months_before)
        for s in starts
    )
    unit, units, unit_group = _units(areas["unit"].to_numpy(object), group)
    counts, chosen_on = (frame[name].to_numpy(float).reshape(shape) for name in (outcome, "count"))
    apart = [
        None if programme.randomised else _left_out(
            s, areas, months, spare | (treated & (start != s.start)), counts, chosen_on, group
        )
        for s in stacks
    ]  # fmt: skip
    return Study(
        counts=counts, places=ids, months=months, group=group,
        rings=rings, own=_own(group, start, starts, ids, places), unit=unit, units=units,
        unit_group=unit_group, block=_blocks(areas, unit, len(units), programme), stacks=stacks,
        households=_column(fixed, "households"), saturation=_wide(frame, "saturation", shape),
        broken=_broken(frame, shape), asked=(areas["listed"] & (areas["arm"] == "control")).to_numpy(bool),
        near=near, disagree=_disagreement(frame, shape, start, treated), randomised=programme.randomised,
        outcome=panel.outcome, left_out=tuple(apart), later=later, months_after=months_after,
    )  # fmt: skip


def _groups(
    fixed: pd.DataFrame, areas: pd.DataFrame, treated: NDArray[np.bool_]
) -> tuple[Ints, tuple[str, ...], bool, NDArray[np.bool_]]:
    """Group of every place, names of the rings, whether they are known; far places that are left out."""
    ring = fixed.get("ring")
    group = np.full(len(areas), CONTROL, np.int64)
    names: tuple[str, ...] = ()
    near = ring is not None and bool(ring.notna().any())
    if ring is not None and near:
        order = list(ring.cat.categories) if hasattr(ring, "cat") else sorted(set(ring.dropna()))
        names = tuple(n for n in order if n not in ("inside", "beyond"))
        for g, name in enumerate(names, start=1):
            group[(ring == name).to_numpy()] = g
    spare = (areas["arm"] == "excluded").to_numpy() & (group == CONTROL)
    group[(areas["arm"] == "excluded").to_numpy()] = OUT
    group[treated] = TREATED
    if not (group == CONTROL).any():
        held = {name: int((group == g).sum()) for g, name in enumerate(names, start=1)}
        raise DesignError(
            f"No area is left to compare with: {int(treated.sum())} treated, {held} near them, "
            f"{int((group == OUT).sum())} left out, none further away. Use narrower rings or a larger "
            "study area."
        )
    return group, names, near, spare


def _stack(
    start: int,
    areas: pd.DataFrame,
    months: pd.PeriodIndex,
    programme: Programme,
    after: int,
    before: int | None,
) -> Stack:
    selection, assumed = _selection(areas, start, months), False
    if programme.randomised:
        selection = None
    elif selection is None or areas["selected_to"].isna().any():
        earlier = selection or (start, start)
        selection, assumed = (min(earlier[0], start - 12), max(earlier[1], start)), True
    window, clean = baseline(start, selection, months_before=before)
    return Stack(start, window, (start, min(start + after, len(months))), clean, selection, assumed)


def _selection(areas: pd.DataFrame, start: int, months: pd.PeriodIndex) -> Window | None:
    chosen = _chosen_on(areas, months)
    return chosen if chosen and chosen[0] < start else None


def _chosen_on(areas: pd.DataFrame, months: pd.PeriodIndex) -> Window | None:
    """The months that these areas say they were chosen on, from the first to the last."""
    first, last = (_positions(areas[name], months) for name in ("selected_from", "selected_to"))
    known = (areas["selected_from"].notna() & areas["selected_to"].notna()).to_numpy()
    return (int(first[known].min()), int(last[known].max()) + 1) if known.any() else None


def _left_out(
    stack: Stack, areas: pd.DataFrame, months: pd.PeriodIndex, others: NDArray[np.bool_], counts: Floats,
    chosen_on: Floats, group: Ints,
) -> LeftOut | None:  # fmt: skip
    """The ``others`` chosen on months inside a stack's windows; where unstated, on the year before."""
    known = (areas["selected_from"].notna() & areas["selected_to"].notna()).to_numpy()
    first, last = (_positions(areas[name], months) for name in ("selected_from", "selected_to"))
    first, last = np.where(known, first, stack.start - 12), np.where(known, last + 1, stack.start)
    inside = others & (last > stack.before[0]) & (first < stack.after[1])
    if not inside.any():
        return None
    choice = max(int(first[inside].min()), 0), int(last[inside].max())
    own = [s for s in _positions(areas["start"], months)[inside] if s >= 0]
    return left_out(
        counts, chosen_on, group == CONTROL, inside, choice, before=stack.before, after=stack.after,
        until=int(min([stack.start, *own])), assumed=not known[inside].all(),
    )  # fmt: skip


def baseline(
    start: int, selection: Window | None, *, months_before: int | None = None
) -> tuple[Window, bool]:
    """The months to compare with, and whether they keep clear of the months of choice.

    Positions count months from the panel's first. Preferred are the 36, 24 or 12 months that end right
    before the start; where the months of choice lie there, the same lengths right before those; else the
    latest 12, which are not clean. ``DesignError`` under 12 months.

    >>> baseline(60, (30, 42))
    ((48, 60), True)
    >>> baseline(60, (48, 60))
    ((12, 48), True)
    >>> baseline(14, (2, 14))
    ((2, 14), False)
    """
    lengths = (months_before,) if months_before else (36, 24, 12)
    ends = [start] if selection is None else [start, selection[0]]
    floors = [0] if selection is None else [max(selection[1], 0), 0]
    for end, floor in zip(ends, floors, strict=True):
        for length in lengths:
            if end - length >= floor:
                return (end - length, end), True
    if start < 12:
        raise DesignError(
            f"Only {start} months precede the start; a comparison needs 12 at least. Load earlier months."
        )
    return (start - 12, start), False


def _own(group: Ints, start: Ints, starts: Ints, ids: pd.Index, places: Places | None) -> Ints:
    own = np.full(len(group), -1, np.int64)
    inside, around = group == TREATED, group > 0
    own[inside] = np.searchsorted(starts, start[inside])
    own[around] = 0
    if len(starts) > 1 and places is not None and around.any():
        shapes = places.geometry.reindex(ids)
        core = shapes[inside]
        nearest, which = core.sindex.nearest(places.points.reindex(ids)[around], return_all=False)
        own[np.flatnonzero(around)[nearest]] = own[np.flatnonzero(inside)[which]]
    return own


def _units(names: NDArray[np.object_], group: Ints) -> tuple[Ints, tuple[str, ...], Ints]:
    import pandas as pd

    # a unit that holds treated and other places is two units: neither stands for the other
    key = [f"{name}\0{g}" for name, g in zip(names, group, strict=True)]
    code, unique = pd.factorize(np.asarray(key, object), sort=True)
    split = [str(k).split("\0") for k in unique]
    return code.astype(np.int64), tuple(s[0] for s in split), np.array([int(s[1]) for s in split], np.int64)


def _blocks(areas: pd.DataFrame, unit: Ints, n: int, programme: Programme) -> Ints:
    blocks = np.zeros(n, np.int64)
    if programme.randomised:
        codes = np.unique(areas["block"].to_numpy(object).astype(str), return_inverse=True)[1]
        blocks[unit] = codes
    return blocks


def _positions(periods: pd.Series, months: pd.PeriodIndex) -> Ints:
    ordinals = np.asarray(periods.array.asi8, np.int64) - months[0].ordinal
    return np.where(periods.isna().to_numpy(), -1, ordinals)


def _column(fixed: pd.DataFrame, name: str) -> Floats:
    return fixed[name].to_numpy(float) if name in fixed else np.full(len(fixed), np.nan)


def _wide(frame: pd.DataFrame, name: str, shape: tuple[int, int]) -> Floats | None:
    if name not in frame or not frame[name].notna().any():
        return None
    return frame[name].to_numpy(float).reshape(shape)


def _broken(frame: pd.DataFrame, shape: tuple[int, int]) -> NDArray[np.bool_]:
    if "recording_break" not in frame:
        return np.zeros(shape[1], bool)
    return frame["recording_break"].to_numpy(bool).reshape(shape).any(axis=0)


def _disagreement(
    frame: pd.DataFrame, shape: tuple[int, int], start: Ints, treated: NDArray[np.bool_]
) -> float:
    if "after" not in frame or "treated" not in frame:
        return 0.0
    flagged = (frame["after"].to_numpy(bool) & frame["treated"].to_numpy(bool)).reshape(shape)
    meant = treated[:, None] & (np.arange(shape[1]) >= start[:, None])
    return float((flagged != meant).sum() / max(meant.sum(), 1))
