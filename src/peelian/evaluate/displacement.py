"""Where did it go: rings round the treated areas against areas far away, all in one joint estimate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from peelian.arithmetic.comparison import LogRatio, t_quantile
from peelian.effect import Effect
from peelian.errors import DesignError
from peelian.evaluate import words
from peelian.evaluate.ratios import Ratios, cells, ratios
from peelian.evaluate.wdd import Quotient, wdq
from peelian.evaluate.windows import CONTROL, TREATED, Study
from peelian.words import plural, whole

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

Word = Literal["displaced", "diffused", "neither found", "cannot tell"]


@dataclass(frozen=True, slots=True)
class Share:
    """The share of the gain that moved to the rings, with Fieller's interval.

    ``low`` and ``high`` are missing (nan) where the interval has no ends; ``smallest`` is the smallest
    share that these data would have shown in 80 of 100 such programmes.
    """

    estimate: float
    low: float
    high: float
    smallest: float


@dataclass(frozen=True, eq=False, slots=True)
class Displacement:
    """What happened near the treated areas, and what is left of the gain.

    ``frame``   one row for the treated areas and each ring: observed, expected, ratio with interval, fewer.
    ``direct``, ``rings``, ``net``  Effects on counts prevented (above 0 = fewer).
    ``share``   displaced share, None unless the direct interval excludes zero.
    ``word``    displaced, diffused, neither found, cannot tell: of the nearest ring.  ``quotient``  WDQ, TNE.
    """

    frame: pd.DataFrame
    direct: Effect
    rings: Effect
    net: Effect
    share: Share | None
    word: Word
    quotient: Quotient | None


def displacement(study: Study, *, level: float = 0.95) -> Displacement | None:
    """Crime in rings round the treated areas against the areas beyond the last ring.

    Each ring has its own ratio; treated areas and rings share one jackknife covariance, because they share
    their controls. Net prevented = sum of (expected - observed); variance e'Se, e the expected counts, S the
    covariance of the log ratios; Satterthwaite t over all strata. None where no ring has any crime.
    """
    groups = [g for g in range(len(study.rings) + 1) if _has_crime(study, g)]
    if len(groups) < 2 or TREATED not in groups:
        return None
    after = [[s.after for s in study.stacks]]
    result = ratios(study, [cells(study, after, group=g) for g in groups])
    direct_only = np.eye(len(groups))[0]
    effects = [
        _prevented(result, contrast, study, name, level)
        for name, contrast in (
            ("prevented in treated areas", direct_only),
            ("prevented in the rings", 1 - direct_only),
            ("net prevented", np.ones(len(groups))),
        )
    ]
    share = _share(result, level)
    shown = share if effects[0].excludes_no_change and effects[0].estimate > 0 else None
    word = _word(result, effects[0], share, level)
    direct, rings, net = effects
    frame = _frame(study, groups, result, level)
    return Displacement(frame, direct, rings, net, shown, word, _quotient(study))


def _has_crime(study: Study, group: int) -> bool:
    before = sum(
        study.window_sums(stack.before)[(study.group == group) & (study.own == s)].sum()
        for s, stack in enumerate(study.stacks)
    )
    return bool(before > 0)


def _prevented(result: Ratios, which: NDArray[np.float64], study: Study, name: str, level: float) -> Effect:
    weight = result.expected * which
    total = float(((result.expected - result.observed) * which).sum())
    half = t_quantile(0.5 + level / 2, result.spread.df(weight)) * result.spread.se(weight)
    return Effect(
        name, total, total - half, total + half, level, "count",
        se_method="joint jackknife, Student's t", n_treated=study.n_treated, n_control=study.n_control,
        extra={"se": result.spread.se(weight), "df": result.spread.df(weight)},
    )  # fmt: skip


def _share(result: Ratios, level: float) -> Share:
    """-(prevented in rings)/(prevented direct) with the interval of Fieller (1954)."""
    e, s = result.expected, result.spread.covariance
    direct, rings = e * np.eye(len(e))[0], e * (1 - np.eye(len(e))[0])
    b = float((result.expected - result.observed)[0])
    a = -float((result.expected - result.observed)[1:].sum())
    vbb, vaa, vab = direct @ s @ direct, rings @ s @ rings, -(rings @ s @ direct)
    t = t_quantile(0.5 + level / 2, result.spread.df(direct))
    power = t + t_quantile(0.8, result.spread.df(rings))
    smallest = power * math.sqrt(max(vaa, 0.0)) / b if b > 0 else math.nan
    lead = b * b - t * t * vbb
    middle, last = a * b - t * t * vab, a * a - t * t * vaa
    inside = middle * middle - lead * last
    if lead <= 0 or inside < 0 or b == 0:
        return Share(a / b if b else math.nan, math.nan, math.nan, smallest)
    root = math.sqrt(inside)
    return Share(a / b, (middle - root) / lead, (middle + root) / lead, smallest)


def _word(result: Ratios, direct: Effect, share: Share, level: float) -> Word:
    """What the first ring says: displacement is looked for next door first, and is nearest there.

    "neither found" is said only where a move of half the gain to the rings would have been seen.
    """
    weight = result.expected * np.eye(len(result.expected))[1]
    fewer = float((result.expected - result.observed)[1])
    first = LogRatio(fewer, result.spread.se(weight), result.spread.df(weight))
    low, high = first.interval(level)
    if high < 0:
        return "displaced"
    if low > 0:
        return "diffused"
    seen = direct.estimate > 0 and direct.excludes_no_change and share.smallest <= 0.5
    return "neither found" if seen else "cannot tell"


def _frame(study: Study, groups: list[int], result: Ratios, level: float) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for j, g in enumerate(groups):
        one = result.one(j)
        low, high = one.interval(level)
        o, e = float(result.observed[j]), float(result.expected[j])
        rows.append(
            {
                "ring": "treated" if g == TREATED else study.rings[g - 1],
                "places": int((study.group == g).sum()),
                "observed": o, "expected": e, "fewer": e - o, "estimate": math.exp(one.theta),
                "low": math.exp(low), "high": math.exp(high),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _quotient(study: Study) -> Quotient | None:
    """WDQ and TNE with all rings as the buffer and the far areas as control; None where undefined."""
    sums = []
    for members in (study.group == TREATED, study.group > 0, study.group == CONTROL):
        pair = [0.0, 0.0]
        for s, stack in enumerate(study.stacks):
            who = members & ((study.own == s) | (study.group == CONTROL))
            months = stack.before[1] - stack.before[0], stack.after[1] - stack.after[0]
            pair[0] += study.window_sums(stack.before)[who].sum() * months[1] / months[0]
            pair[1] += study.window_sums(stack.after)[who].sum()
        sums.append((float(pair[0]), float(pair[1])))
    try:
        return wdq(*sums)
    except DesignError:
        return None


def sentence(found: Displacement, *, crime: str) -> str:
    """What happened nearby, in one or two sentences.

    The words are fixed; see the specification tests.
    """
    net, rings, many = found.net, found.rings, plural(crime)
    text = {
        "displaced": (
            f"The nearest areas had more {many} than the areas further away led to expect: "
            "that goes with displacement."
        ),
        "diffused": (
            f"The nearest areas also had fewer {many} than expected: that goes with a benefit that spread."
        ),
        "neither found": (
            "The nearest areas went with those further away: neither displacement nor "
            f"diffusion of {many} was found."
        ),
        "cannot tell": f"Whether {many} moved to the nearest areas cannot be told from these counts.",
    }[found.word]
    near = found.frame.iloc[1]
    text += (
        f" Nearest ring: {words.counted(near['observed'], crime)} where "
        f"{whole(near['expected'])} were expected."
    )
    text += f" All rings: {words.fewer_interval(rings.estimate, rings.low, rings.high)}."
    text += f" Net of the rings: {words.fewer_interval(net.estimate, net.low, net.high)}."
    if found.share is not None:
        text += " " + _share_sentence(found.share)
    return text


def net_sentence(found: Displacement, *, crime: str) -> str:
    """What is left of the gain once the rings are counted too.

    The words are fixed; see the specification tests.
    """
    fewer = words.fewer_interval(found.net.estimate, found.net.low, found.net.high)
    which = (
        ""
        if found.word != "displaced"
        else " That, and not the treated areas' own figure, is the change overall."
    )
    many = plural(crime).capitalize()
    none = "; the interval includes no change" if found.net.low <= 0 <= found.net.high else ""
    return f"{many} in the treated areas and the areas round them together: {fewer}{none}.{which}"


def _share_sentence(share: Share) -> str:
    estimate, low, high, smallest = (
        f"{100 * x:.0f} %" for x in (share.estimate, share.low, share.high, share.smallest)
    )
    seen = f"a share under {smallest} would be missed in more than 20 of 100 such programmes"
    if not math.isfinite(share.low):
        return f"No interval can be given for the share displaced; {seen}."
    return f"Share displaced: {estimate} (95 % interval {low} to {high}); {seen}."
