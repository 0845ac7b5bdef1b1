"""Other comparison areas, other methods: does the answer hang on the one that was taken?

One set of control areas is never enough. Each choice here is a plain rule; all of them are shown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from peelian.effect import Check, Effect
from peelian.errors import DesignError
from peelian.evaluate import words
from peelian.evaluate.did import did
from peelian.evaluate.methods import by_other_methods
from peelian.evaluate.ratios import lifts
from peelian.evaluate.synthetic import Synthetic, synthetic
from peelian.evaluate.verdict import DOWN, NONE
from peelian.evaluate.windows import CONTROL, OUT, TREATED, Study

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from peelian.places import Places

NEAREST = 5


@dataclass(frozen=True, eq=False, slots=True)
class Choices:
    """Second opinions beside the headline.

    ``controls``   one Effect a choice of comparison areas, the headline's own first.
    ``methods``    one Effect a further method (synthetic areas; staggered starts: imputation, differences;
                   and those asked for). ``refused`` why one that was asked for cannot be given.
    ``alike``      one row a choice: areas, and how far apart treated and comparison areas are before the
                   start, in standard deviations (count, trend, homes and what else was asked for).
    ``left_out``   the lowest and highest ratio when one district's controls are left out, and how many
                   districts; None where no districts are known. ``series`` the two arms by quarter.
    """

    controls: tuple[Effect, ...]
    methods: tuple[Effect, ...]
    alike: pd.DataFrame
    left_out: tuple[float, float, int] | None
    series: pd.DataFrame
    synthetic: Synthetic | None
    refused: tuple[str, ...] = ()

    @property
    def others(self) -> tuple[Effect, ...]:
        """Every second opinion: the choices after the first, then the methods."""
        return (*self.controls[1:], *self.methods)


def choices(
    study: Study, headline: Effect, *, places: Places | None = None, district: str = "",
    alike: Sequence[str] = (), seed: int, permutations: int = 0, methods: Sequence[str] = (),
) -> Choices:  # fmt: skip
    """The headline against other comparison areas, and by other methods.

    ``district``      column of ``places`` with the larger area (borough, ward) each belongs to.
    ``alike``         further numeric columns of ``places`` to compare (deprivation).
    ``permutations``  of the synthetic areas' p (0: none; each costs as much as the estimate).
    ``methods``       further ones by name: see ``methods.ASKED``.
    """
    import pandas as pd

    districts = _districts(study, places, district)
    weights: dict[str, NDArray[np.float64] | None] = {
        "all areas further away": (study.group == CONTROL).astype(float),
        f"the {NEAREST} nearest in history": nearest_in_history(study),
        "areas with as high a count": _as_high(study),
        "the nearer half by distance": _nearer(study, places),
        f"the same {district or 'district'}": _same(study, districts),
    }
    built = synthetic(study, permutations=permutations, seed=seed)
    controls: list[Effect] = []
    rows = []
    for name, weight in weights.items():
        if weight is None or (weight > 0).sum() < 2:
            continue
        try:
            effect = headline if not controls else _with(study, weight, name, seed)
        except DesignError:
            continue
        controls.append(replace(effect, name=f"compared with {name}"))
        rows.append(_row(name, study, weight, places, alike))
    if built is not None:
        rows.append(_row("synthetic areas", study, built.weights, places, alike))
    found, refused = by_other_methods(study, methods, seed)
    found = found if built is None else [built.effect, *found]
    return Choices(
        tuple(controls), tuple(found), pd.DataFrame(rows), _left_out(study, districts), two_series(study),
        built, tuple(refused),
    )  # fmt: skip


# ------------------------------------------------------------------------------------ choices of areas
def _with(study: Study, weight: NDArray[np.float64], name: str, seed: int) -> Effect:
    """The headline with other controls: weights say how often each far area counts."""
    out = (study.group == CONTROL) & ~(weight > 0)
    scale = np.where(study.group == CONTROL, weight, 1.0)
    group = np.where(out, OUT, study.group)
    unit_group = study.unit_group.copy()
    empty = np.bincount(study.unit[~out], minlength=len(study.units)) == 0
    unit_group[empty & (unit_group == CONTROL)] = OUT
    other = replace(study, counts=study.counts * scale[:, None], group=group, unit_group=unit_group)
    return replace(did(other, seed=seed, draws=1, name=name).ratio, p=None, p_method="")


def _halves(study: Study, stack: int) -> NDArray[np.float64]:
    first, last = study.stacks[stack].before
    windows = [(at - 6, at) for at in range(last, first + 5, -6)]
    return np.column_stack([study.window_sums(w) for w in windows])


def nearest_in_history(study: Study, *, take: int = NEAREST) -> NDArray[np.float64]:
    """How often each far area is among the nearest of a treated one, by half-year counts before the start.

    Euclidean distance; ties go to the first in order.
    """
    far = np.flatnonzero(study.group == CONTROL)
    weight = np.zeros(len(study.places))
    for s in range(len(study.stacks)):
        halves = _halves(study, s)
        for at in np.flatnonzero((study.group == TREATED) & (study.own == s)):
            apart = ((halves[far] - halves[at]) ** 2).sum(axis=1)
            weight[far[np.argsort(apart, kind="stable")[:take]]] += 1.0
    return weight


def _as_high(study: Study) -> NDArray[np.float64]:
    """Far areas whose baseline count lies in the treated areas' range."""
    before = np.sum([study.window_sums(s.before) for s in study.stacks], axis=0)
    inside = before[study.group == TREATED]
    return ((study.group == CONTROL) & (before >= inside.min()) & (before <= inside.max())).astype(float)


def _nearer(study: Study, places: Places | None) -> NDArray[np.float64] | None:
    if places is None:
        return None
    shapes, points = places.geometry.reindex(study.places), places.points.reindex(study.places)
    apart = points.distance(shapes[study.group == TREATED].union_all()).to_numpy()
    far = study.group == CONTROL
    return (far & (apart <= np.median(apart[far]))).astype(float)


def _districts(study: Study, places: Places | None, column: str) -> NDArray[np.object_] | None:
    if places is None or not column or column not in places.frame:
        return None
    return places.frame[column].reindex(study.places).astype(str).to_numpy(object)


def _same(study: Study, districts: NDArray[np.object_] | None) -> NDArray[np.float64] | None:
    if districts is None:
        return None
    held = set(districts[study.group == TREATED])
    if set(districts[study.group == CONTROL]) <= held:
        return None
    return ((study.group == CONTROL) & np.isin(districts, list(held))).astype(float)


def _left_out(study: Study, districts: NDArray[np.object_] | None) -> tuple[float, float, int] | None:
    """The range of the ratio when one district's control areas at a time are left out."""
    if districts is None:
        return None
    far = study.group == CONTROL
    names = sorted(set(districts[far]))
    treated = [
        [study.window_sums(w)[(study.group == TREATED) & (study.own == s)].sum() for w in (k.before, k.after)]
        for s, k in enumerate(study.stacks)
    ]
    lift = lifts(study, [[x.after for x in study.stacks]], [x.before for x in study.stacks])[0][:, 0]
    found = []
    for name in names:
        keep = far & (districts != name)
        sums = [[study.window_sums(w)[keep].sum() for w in (k.before, k.after)] for k in study.stacks]
        if all(c0 > 0 for c0, _ in sums):
            change = [c1 / c0 * math.exp(-x) for (c0, c1), x in zip(sums, lift, strict=True)]
            expected = sum(t0 * x for (t0, _), x in zip(treated, change, strict=True))
            found.append(sum(t1 for _, t1 in treated) / expected if expected > 0 else math.nan)
    held = [x for x in found if math.isfinite(x)]
    return (float(min(held)), float(max(held)), len(held)) if len(held) > 1 else None


# ------------------------------------------------------------------------------------ how alike
def _row(
    name: str, study: Study, weight: NDArray[np.float64], places: Places | None, alike: Sequence[str]
) -> dict[str, object]:
    inside, n = study.group == TREATED, len(study.places)
    before, slope = np.zeros(n), np.zeros(n)
    for s in range(len(study.stacks)):
        halves = _halves(study, s)
        t = -np.arange(halves.shape[1], dtype=float)
        t -= t.mean()
        before += halves.mean(axis=1) / len(study.stacks)
        slope += 2 * halves @ t / max((t**2).sum(), 1e-9) / len(study.stacks)
    columns = {"count": before, "trend": slope, "homes": study.households}
    if places is not None:
        columns |= {
            c: places.frame[c].reindex(study.places).to_numpy(float) for c in alike if c in places.frame
        }
    row: dict[str, object] = {"choice": name, "areas": int((weight > 0).sum())}
    for what, x in columns.items():
        row[what] = _standardised(x, inside, weight)
    return row


def _standardised(x: NDArray[np.float64], inside: NDArray[np.bool_], weight: NDArray[np.float64]) -> float:
    held = np.isfinite(x) & (inside | (weight > 0))
    a, b = x[held & inside], held & (weight > 0)
    if not len(a) or not b.any():
        return math.nan
    mean = np.average(x[b], weights=weight[b])
    pooled = (a.var() + np.average((x[b] - mean) ** 2, weights=weight[b])) / 2
    return float((a.mean() - mean) / math.sqrt(pooled)) if pooled > 0 else math.nan


def two_series(study: Study) -> pd.DataFrame:
    """Treated and far areas by quarter round the first start: counts as a share of the baseline's mean.

    Columns ``quarter`` (first month), ``arm``, ``count``, ``index`` (100 = the baseline's mean quarter).
    """
    import pandas as pd

    first = study.stacks[0]
    m = study.counts.shape[1]
    starts = range(first.start % 3, m - 2, 3)
    inside = (study.group == TREATED) & (study.own == 0)
    rows = []
    for arm, who in (("treated areas", inside), ("other areas", study.group == CONTROL)):
        mean = study.window_sums(first.before)[who].sum() * 3 / (first.before[1] - first.before[0])
        for at in starts:
            count = float(study.window_sums((at, at + 3))[who].sum())
            rows.append(
                (study.months[at].to_timestamp(), arm, count, 100 * count / mean if mean else math.nan)
            )
    return pd.DataFrame(rows, columns=["quarter", "arm", "count", "index"])


# ------------------------------------------------------------------------------------ agreement
def agreement(headline: Effect, others: Sequence[Effect]) -> pd.DataFrame:
    """One row a second opinion: ratio, interval, same direction, inside the headline's interval, agrees.

    Two disagree where they point in opposite directions, or where neither estimate lies inside the other's
    interval.
    """
    import pandas as pd

    rows = []
    for e in others:
        same = (e.estimate - 1) * (headline.estimate - 1) >= 0
        inside = headline.low <= e.estimate <= headline.high
        around = e.low <= headline.estimate <= e.high
        rows.append((e.name, e.estimate, e.low, e.high, same, inside, bool(same and (inside or around))))
    return pd.DataFrame(rows, columns=["what", "estimate", "low", "high", "same", "inside", "agrees"])


def second_opinions(headline: Effect, found: Choices, *, small: bool = False) -> Check:
    """S1: whether other comparison areas and other methods say the same (``small``: no ratios, guard G4)."""
    table, name = agreement(headline, found.others), "second opinions"
    no = table[~table["agrees"]]
    ratios = [headline.estimate, *(e.estimate for e in found.controls), *(found.left_out or ())[:2]]
    wide = max(ratios) - min(ratios) > headline.high - headline.low
    fired = bool(len(no)) or wide
    text = f"{len(table) - len(no)} of {len(table)} second opinions agree with the headline."
    if not small:
        text += f" Over {len(found.controls)} choices of comparison areas the ratio runs from "
        text += f"{min(ratios):.3f} to {max(ratios):.3f}."
        for row in no.to_dict("records"):
            text += f" Not: {row['what']}, {words.ratio(row['estimate'], row['low'], row['high'])}."
        if wide:
            text += " That is wider than the headline's interval."
    return Check(
        "S1", name, fired, float(len(no)), 0.0, text, DOWN if fired else NONE,
        "Comparison areas that were alike before the start, or random choice.",
    )  # fmt: skip
