"""Areas left out of the comparison for another scheme's sake: what leaving them out does by itself.

Areas of another scheme cannot be compared with. If that scheme took the areas that were worst in months
inside the windows here, those that remain were low by luck in those months and rise afterwards with nothing
done, so that the expected count comes out too high. The same ranks left out in earlier years show by how
much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peelian.arithmetic.comparison import auc
from peelian.effect import Check, Effect
from peelian.evaluate import words
from peelian.evaluate.verdict import DOWN, NONE
from peelian.words import several

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

Window = tuple[int, int]
NEEDED, AUC_LIMIT = 3, 0.65


@dataclass(frozen=True, eq=False, slots=True)
class LeftOut:
    """Areas that one start month is not compared with because they were chosen for many crimes.

    ``members``  by place; ``share`` of the count before, of all areas far away, that they hold; ``choice``
    the months they were chosen on, ``assumed`` where nobody stated them; ``auc`` how well the count in those
    months tells them from the areas that are left.
    ``before``, ``after``  the headline's windows; ``until`` the first month in which any of these areas may
    have been treated itself. ``all`` (months + 1,) running count of all areas far away;
    ``kept`` (years, months + 1) of those that the same ranks leave in earlier years, ``backs`` months back.
    """

    members: Mask
    share: float
    choice: Window
    assumed: bool
    auc: float
    before: Window
    after: Window
    until: int
    all: Floats
    kept: Floats
    backs: tuple[int, ...]

    def shifts(self, before: Window, after: Window) -> Floats:
        """What leaving out alone did to the log of the others' change, in each earlier year that shows it."""
        out = []
        for back, kept in zip(self.backs, self.kept, strict=True):
            b, a = ((w[0] - back, w[1] - back) for w in (before, after))
            if min(b[0], a[0]) < 0 or a[1] > self.until:
                continue
            counts = [s[w[1]] - s[w[0]] for s in (kept, self.all) for w in (a, b)]
            if min(counts) > 0:
                out.append(float(np.log(counts) @ [1, -1, -1, 1]))
        return np.array(out)

    def as_json(self) -> dict[str, object]:
        """How many areas, their share of the count, and what leaving them out does by itself (ratios)."""
        mean, _, years = self.lift(self.before, self.after)
        held = self.shifts(self.before, self.after)
        return {
            "areas": int(self.members.sum()), "share": self.share, "auc": self.auc, "assumed": self.assumed,
            "shift": math.exp(mean) if years else None, "earlier": np.exp(held).tolist(),
        }  # fmt: skip

    def lift(self, before: Window, after: Window) -> tuple[float, float, int]:
        """Mean of the shifts, spread of one more (with the mean's own error), and how many years.

        Windows that too few earlier years hold take the headline's; all is 0 where those are too few too.
        """
        held = self.shifts(before, after)
        if len(held) < NEEDED:
            held = self.shifts(self.before, self.after)
        if len(held) < NEEDED:
            return 0.0, 0.0, 0
        spread = float(held.std(ddof=1)) * math.sqrt(1 + 1 / len(held))
        return float(held.mean()), spread, len(held)


def left_out(
    counts: Floats, chosen_on: Floats, control: Mask, spare: Mask, months: Window, *,
    before: Window, after: Window, until: int, assumed: bool = False,
) -> LeftOut | None:  # fmt: skip
    """The areas left out as ``LeftOut``, or None where leaving them out cannot mislead.

    ``counts``  (places, months) of the outcome; ``chosen_on`` of what areas are chosen on. ``control`` the
    areas compared with; ``spare`` those that would have been, chosen on ``months`` and untouched before the
    month ``until``. None where the count in
    those months hardly tells the two apart.
    """
    far, running = control | spare, _running(chosen_on)
    score = running[:, months[1]] - running[:, months[0]]
    told = auc(score[far], spare[far])
    if not told >= AUC_LIMIT:
        return None
    ranks = np.flatnonzero(spare[_hottest(score, far)])
    backs, kept, sums = [], [], _running(counts)
    for back in range(12, counts.shape[1], 12):
        if min(months[0], before[0]) - back < 0:
            break
        if months[1] - back > until:
            continue
        order = _hottest(running[:, months[1] - back] - running[:, months[0] - back], far)
        backs.append(back)
        kept.append(sums[np.delete(order, ranks)].sum(axis=0))
    total = sums[far].sum(axis=0)
    mine = sums[spare].sum(axis=0)
    share = (mine[before[1]] - mine[before[0]]) / max(total[before[1]] - total[before[0]], 1.0)
    return LeftOut(
        spare, float(share), months, assumed, told, before, after, until, total,
        np.array(kept).reshape(len(backs), sums.shape[1]), tuple(backs),
    )  # fmt: skip


def _running(counts: Floats) -> Floats:
    return np.cumsum(np.pad(counts, ((0, 0), (1, 0))), axis=1)


def _hottest(score: Floats, among: Mask) -> NDArray[np.int64]:
    """Positions of the areas ``among``, the highest score first."""
    held = np.flatnonzero(among)
    return held[np.argsort(-score[held], kind="stable")]


def allowed_for(
    held: Sequence[LeftOut | None], others: Sequence[Effect] = (), *, small: bool = False
) -> Check:
    """S2: whether areas were left out that were chosen for many crimes inside the windows.

    ``others``  the ratio without allowing for it, and with those areas compared with, where it can be had.
    """
    name = "areas left out"
    found = [x for x in held if x is not None]
    if not found:
        text = "No area was left out of the comparison for its count inside the windows."
        return Check("S2", name, False, None, AUC_LIMIT, text, NONE)
    first = max(found, key=lambda x: x.share)
    text = (
        f"{several(int(first.members.sum()), 'area')} that would have been compared with, with "
        f"{100 * first.share:.0f} % of the far areas' count before, are left out for another scheme or a "
        f"later start, and stand out by their count in months inside the windows (AUC {first.auc:.2f})."
    )
    if first.assumed:
        text += " The months of that choice are not stated; the 12 before the start are taken."
    shift, _, years = first.lift(first.before, first.after)
    answer = "The months those areas were chosen on, as selected_on in the programme's file."
    if not years:
        text += (
            " Those that are left rise by themselves, and under three earlier years can show by how much: "
            "the fall is overstated."
        )
        return Check("S2", name, True, first.auc, AUC_LIMIT, text, DOWN, "Earlier years of data.")
    text += (
        f" The same ranks left out in {years} earlier years, with nothing done, moved the others' change by "
        f"{words.percent(math.exp(shift))}; every ratio here allows for that."
    )
    told = [f"{e.name}: {words.ratio(e.estimate, e.low, e.high)}" for e in others]
    text += "" if small or not told else f" The ratio {'; '.join(told)}."
    return Check("S2", name, True, first.auc, AUC_LIMIT, text, NONE, answer if first.assumed else "")
