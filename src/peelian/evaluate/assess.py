"""The whole evaluation in one call, without choices to make: headline, checks, guards, verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from peelian.effect import Check, Effect
from peelian.errors import DesignError
from peelian.evaluate import accounting, guards, words
from peelian.evaluate.checks import (
    Selection, before_after, controls_before, detectable, factor_needed, placebo_date, pre_trends,
    selection_placebo, share_break,
)  # fmt: skip
from peelian.evaluate.did import (
    EventStudy, Fade, Headline, beside, compare, did, dose, event_study, fade, sentence,
)  # fmt: skip
from peelian.evaluate.displacement import Displacement, displacement
from peelian.evaluate.ratios import inversion
from peelian.evaluate.verdict import CALIBRATED, Reading, Verdict, maryland, verdict
from peelian.evaluate.wdd import wdd_of_units
from peelian.evaluate.windows import CONTROL, TREATED, Study, study

if TYPE_CHECKING:
    import pandas as pd

    from peelian.arithmetic.comparison import Calibrated, LogRatio
    from peelian.panel import Panel
    from peelian.places import Places
    from peelian.programme import Programme

STANDARD = {
    "count", "arm", "treated", "start", "after", "unit", "ring", "saturation", "households", "recording_break",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Assessment:
    """An evaluation: what was found, how sure it is, and what was looked for that could make it wrong.

    ``headline``, ``prevented``  the ratio and the count with intervals; ``effects`` every other estimate.
    ``checks``      guards G1 to G12; ``verdict`` the word they allow; ``maryland`` the level computed.
    ``comparison``  the plain table; ``event``, ``fading``, ``moved`` by quarter, by half-year, by ring.
    ``selection``   what the choice of areas does alone; ``what_if`` what a before-and-after figure would
                    have said. ``accounting`` every area-month and incident, used or not, with the reason.
    ``study``       the windows and groups they all rest on.
    """

    headline: Effect
    prevented: Effect
    effects: tuple[Effect, ...]
    checks: tuple[Check, ...]
    verdict: Verdict
    maryland: int
    comparison: pd.DataFrame
    event: EventStudy
    fading: Fade
    moved: Displacement | None
    selection: Selection | None
    what_if: pd.DataFrame
    accounting: pd.DataFrame
    study: Study
    se_log: float
    phi: float
    crime: str
    by: str
    source: str
    seed: int

    def check(self, id: str) -> Check:
        """The guard of that id (``G4``)."""
        return next(c for c in self.checks if c.id == id)

    @property
    def small(self) -> bool:
        """True where guard G4 allows no percentage."""
        return self.check("G4").fired

    @property
    def fired(self) -> tuple[Check, ...]:
        """The guards that fired."""
        return tuple(c for c in self.checks if c.fired)


def assess(
    panel: Panel,
    programme: Programme,
    *,
    seed: int,
    places: Places | None = None,
    months_after: int = 12,
    months_before: int | None = None,
    permutations: int = 999,
    crime: str = "",
    claim: float | None = None,
    wider: str = "",
    negative: Sequence[str] | None = None,
    changes: pd.DataFrame | None = None,
) -> Assessment:
    """Did it prevent crime, where did it go, how sure are we: everything, from a panel and a programme.

    ``places``     shapes, to give ring areas the start of the nearest treated one.
    ``crime``      the outcome's noun (``burglary``); the panel's word unless given.
    ``claim``      the fall promised in a home with a kit (0.5 = half), for the dilution line.
    ``wider``      panel column of the class the outcome is a part of (all burglary), for guard G8.
    ``negative``   panel columns that the programme cannot affect; every further column unless given.
    ``changes``    dated changes of recording (columns from, categories, what, source).

    Raises ``DataError`` and ``DesignError`` as ``study`` does, and ``DesignError`` where there is nothing
    to compare.
    """
    crime = crime or panel.outcome
    laid = study(panel, programme, places=places, months_after=months_after, months_before=months_before)
    head = did(laid, seed=seed, draws=permutations)
    moved, selection = displacement(laid), None if programme.randomised else selection_placebo(laid)
    placebo = placebo_date(laid, seed=seed, draws=permutations)
    near = _near_as_controls(laid, seed)
    further = [c for c in panel.frame.columns if c not in STANDARD | {wider}] if negative is None else negative
    others = _others(panel, programme, places, further, months_after, months_before, permutations, seed)
    checks = _checks(
        laid, head, selection, placebo, near, others, panel, programme,
        crime=crime, claim=claim, changes=changes, wider=_wider(panel, programme, wider, months_after, months_before, seed),
    )  # fmt: skip
    reading = _reading(head, selection, checks)
    gone = moved is not None and moved.share is not None and moved.net.low <= 0
    word = verdict(
        reading, checks, crime=crime, randomised=programme.randomised, net_includes_zero=gone,
        share_displaced=moved.share.estimate if moved is not None and moved.share is not None else 0.0,
        treated_after=head.ratio.extra["observed"],
    )  # fmt: skip
    small = any(c.id == "G4" and c.fired for c in checks)
    said = sentence(head, crime=crime, small=small)
    return Assessment(
        headline=replace(head.ratio, sentence=said, source=panel.source),
        prevented=replace(head.prevented, sentence=said, source=panel.source),
        effects=tuple(_effects(laid, head, selection, placebo, near, moved, seed)),
        checks=tuple(checks), verdict=word,
        maryland=maryland(
            randomised=programme.randomised, clean=all(s.clean for s in laid.stacks),
            fired=[c.id for c in checks if c.fired],
        ),
        comparison=compare(laid), event=event_study(laid, seed=seed),
        fading=fade(laid, seed=seed, draws=permutations), moved=moved, selection=selection,
        what_if=_what_if(laid, head, selection), accounting=accounting.table(laid, panel, programme),
        study=laid, se_log=head.log.se, phi=head.phi, crime=crime, by=panel.by, source=panel.source, seed=seed,
    )  # fmt: skip


# ------------------------------------------------------------------------------------ the further estimates
def _near_as_controls(laid: Study, seed: int) -> Effect | None:
    """The headline with the ring areas as controls."""
    if not (laid.group > 0).any():
        return None
    merged = replace(
        laid, group=np.where(laid.group > 0, CONTROL, laid.group), own=np.where(laid.group > 0, -1, laid.own),
        unit_group=np.where(laid.unit_group > 0, CONTROL, laid.unit_group),
    )  # fmt: skip
    return did(merged, seed=seed, draws=1, name="with the near areas as controls").ratio


def _wider(
    panel: Panel, programme: Programme, wider: str, after: int, before: int | None, seed: int
) -> tuple[Effect | None, Any]:
    """The estimate on the wider class, and the largest move of the outcome's share in it."""
    if not wider or wider not in panel.frame:
        return None, None
    laid = study(panel, programme, months_after=after, months_before=before, outcome=wider)
    part = panel.frame["count"].groupby(level="month").sum()
    whole = panel.frame[wider].groupby(level="month").sum()
    move = share_break(part.to_numpy(float), whole.to_numpy(float), [str(m) for m in part.index])
    return did(laid, seed=seed, draws=1, name=f"on {wider}").ratio, move


def _others(
    panel: Panel, programme: Programme, places: Places | None, names: Sequence[str], after: int,
    before: int | None, draws: int, seed: int,
) -> list[tuple[str, Headline]]:  # fmt: skip
    """The headline's analysis of outcomes that the programme cannot affect."""
    out = []
    for name in names:
        if name not in panel.frame:
            raise DesignError(f"The panel has no column {name!r}; it has {sorted(set(panel.frame.columns) - STANDARD)}.")
        laid = study(panel, programme, places=places, months_after=after, months_before=before, outcome=name)
        try:
            out.append((name, did(replace(laid, outcome=name), seed=seed, draws=draws, name=f"placebo: {name}")))
        except DesignError:  # none of them recorded: there is nothing to compare, and nothing is claimed
            continue
    return out


def _checks(
    laid: Study, head: Headline, selection: Selection | None, placebo: Headline | None, near: Effect | None,
    others: list[tuple[str, Headline]], panel: Panel, programme: Programme, *, crime: str, claim: float | None,
    changes: pd.DataFrame | None, wider: tuple[Effect | None, Any],
) -> list[Check]:  # fmt: skip
    r = head.ratio
    clean = head.log if selection is None else selection.clean
    naive = head.log if selection is None else selection.naive
    control, treated = controls_before(laid)
    perm_p = head.permutation.p()
    dropped = int((laid.asked & (laid.group > 0)).sum())
    placebos = [("one year earlier", placebo)] if placebo else []
    rows, broken, whole = _recording(laid, changes, crime)
    saturation, roll_in = _delivered(laid)
    return [
        guards.overlaps_baseline(
            randomised=programme.randomised, assumed=any(s.assumed for s in laid.stacks),
            overlap=any(s.selection is not None and s.selection[1] > s.start - 12 for s in laid.stacks),
            clean=all(s.clean for s in laid.stacks), clean_log=clean, naive_log=naive,
        ),
        guards.chosen_on_outcome(selection, randomised=programme.randomised),
        guards.pre_trend(pre_trends(laid)),
        guards.small_counts(
            before=r.extra["treated_before"], after=r.extra["observed"], detectable=detectable(head.log),
            factor=factor_needed(head.log), crime=crime,
        ),
        guards.few_units(
            n=laid.n_treated, p=perm_p, smallest=head.permutation.smallest,
            inverted=inversion(laid, head.permutation) if laid.n_treated < guards.FEW_UNITS else None,
        ),
        guards.overdispersed(head.phi),
        guards.no_plan(outcomes=1, randomised=programme.randomised),
        guards.recording_change(crime=crime, rows=rows, broken=broken, move=wider[1], wider=wider[0], whole=whole),
        guards.contaminated(
            dropped=dropped, near=int((laid.group > 0).sum()), left=int((laid.group == CONTROL).sum()),
            n_treated=laid.n_treated, control_before=control, treated_before=treated,
            rings_known=laid.near, with_near=near,
        ),
        guards.timing(disagree=laid.disagree, other=_by_flags(laid, panel, programme, head)),
        guards.dose_delivered(saturation=saturation, target=programme.saturation, roll_in=roll_in, claim=claim),
        guards.gross_for_net(gross=_gross(laid, head), net=head.prevented.estimate, crime=crime),
        guards.negative_controls(
            head.log.theta,
            [(n, h.log.theta, h.permutation.p()) for n, h in [*placebos, *others]],
        ),
    ]  # fmt: skip


def _recording(
    laid: Study, changes: pd.DataFrame | None, crime: str
) -> tuple[list[tuple[str, str, str]], list[str], bool]:
    """Dated changes inside the windows, flagged months no dated change explains, and whether the outcome
    is the whole class that they split."""
    first = min(w[0] for s in laid.stacks for w in (s.before, s.after))
    last = max(w[1] for s in laid.stacks for w in (s.before, s.after))
    begin, end = laid.months_of((first, last))
    rows, whole = guards.dated_rows(changes, crime=crime, first=begin, last=end)
    known = set() if changes is None else {str(d)[:7] for d in changes["from"]}
    broken = [str(laid.months[m]) for m in range(first + 1, last) if laid.broken[m]]
    return rows, [m for m in broken if m not in known], whole


def _delivered(laid: Study) -> tuple[float | None, int]:
    """Mean saturation of treated homes at the end of the after months, and roll-in area-months."""
    if laid.saturation is None:
        return None, 0
    shares, homes, roll_in = [], [], 0
    for s, stack in enumerate(laid.stacks):
        who = (laid.group == TREATED) & (laid.own == s)
        months = laid.saturation[who, stack.after[0] : stack.after[1]]
        shares.append(months[:, -1])
        homes.append(laid.households[who])
        roll_in += int(((months >= 0.01) & (months < 0.85)).sum())
    share, weight = np.concatenate(shares), np.concatenate(homes)
    weight = np.where(np.isfinite(weight) & (weight > 0), weight, 1.0)
    held = np.isfinite(share)
    return (float(np.average(share[held], weights=weight[held])) if held.any() else None), roll_in


def _by_flags(laid: Study, panel: Panel, programme: Programme, head: Headline) -> Effect | None:
    """The headline by the panel's own start months, where they contradict the programme's."""
    if not laid.disagree > 0:
        return None
    try:
        own = study(panel, replace(programme, areas=programme.areas.iloc[:0]), months_after=12)
        return did(own, seed=0, draws=1, name="by the panel's own flags").ratio
    except DesignError:
        return None


def _gross(laid: Study, head: Headline) -> float:
    """How many fewer the treated areas had than before, a month for a month."""
    before = sum(
        laid.window_sums(s.before)[(laid.group == TREATED) & (laid.own == i)].sum()
        * (s.after[1] - s.after[0]) / (s.before[1] - s.before[0])
        for i, s in enumerate(laid.stacks)
    )  # fmt: skip
    return float(before - head.ratio.extra["observed"])


def _reading(head: Headline, selection: Selection | None, checks: list[Check]) -> Reading:
    """What the verdict reads: the calibrated ratio where guard G2 says so, else the headline's."""
    if selection is not None and any(c.fired and c.consequence == CALIBRATED for c in checks):
        c = selection.clean_calibrated
        return Reading(math.exp(c.theta), *(math.exp(x) for x in c.interval()), c.p)
    r = head.ratio
    return Reading(r.estimate, r.low, r.high, 1.0 if r.p is None else r.p)


def _effects(
    laid: Study, head: Headline, selection: Selection | None, placebo: Headline | None, near: Effect | None,
    moved: Displacement | None, seed: int,
) -> list[Effect]:  # fmt: skip
    out = [head.ratio, head.prevented, *beside(head)]
    if selection is not None:
        out.append(_effect("baseline: the months of choice (naive)", selection.naive, laid))
        for name, c in (
            ("headline less the placebos (calibrated)", selection.clean_calibrated),
            ("naive less the placebos (calibrated)", selection.naive_calibrated),
        ):
            if selection.k >= 2:
                out.append(_effect(name, c, laid, f"less the mean of {c.k} placebos, Satterthwaite t"))
    later = [(s.start, len(laid.months)) for s in laid.stacks]
    if any(w != s.after for w, s in zip(later, laid.stacks, strict=True)):
        out.append(did(laid, seed=seed, after=later, draws=1, name="all months since the start").ratio)
    out += [e for e in (near, placebo.ratio if placebo else None, _wdd(laid), dose(laid)) if e is not None]
    if moved is not None:
        out += [moved.direct, moved.rings, moved.net]
    return [e if e.p_method != "" and e in (head.ratio, head.prevented) else _no_p(e) for e in out]


def _no_p(effect: Effect) -> Effect:
    """Estimates beside the headline carry no p of their own (their permutation was not drawn in full)."""
    return effect if "placebo" in effect.name else replace(effect, p=None, p_method="")


def _effect(name: str, log: LogRatio | Calibrated, laid: Study, method: str = "jackknife over units, Student's t") -> Effect:
    low, high = (math.exp(x) for x in log.interval())
    return Effect(
        name, math.exp(log.theta), low, high, se_method=method, n_treated=laid.n_treated, n_control=laid.n_control,
        extra={"theta": log.theta, "se_log": log.se, "df": log.df},
    )  # fmt: skip


def _wdd(laid: Study) -> Effect | None:
    """The weighted displacement difference, for one start month (its windows are one pair)."""
    if len(laid.stacks) > 1:
        return None
    stack = laid.stacks[0]
    v, u = (laid.by_unit(laid.window_sums(w)) for w in (stack.before, stack.after))
    months = (stack.before[1] - stack.before[0]) / (stack.after[1] - stack.after[0])
    t, c = laid.unit_group == TREATED, laid.unit_group == CONTROL
    effect = wdd_of_units((v[t], u[t]), (v[c], u[c]), months=(months, 1.0))
    said = (
        f"Weighted displacement difference: {words.fewer_interval(-effect.estimate, -effect.high, -effect.low)}; "
        f"its Poisson interval alone would be {words.number(effect.extra['poisson_high'] - effect.extra['poisson_low'])} wide."
    )
    return replace(effect, sentence=said)


# ------------------------------------------------------------------------------------ what would have been said
def _what_if(laid: Study, head: Headline, selection: Selection | None) -> pd.DataFrame:
    """What a before-and-after figure would have said, beside the headline and what choice does alone."""
    import pandas as pd

    alone = before_after(laid, [s.naive for s in laid.stacks])
    chosen = "the year before" if selection is None else "the months of choice"
    rows = [(f"Treated areas alone, against {chosen}", alone.theta, *alone.interval())]
    if selection is not None:
        naive = selection.naive
        rows.append((f"Against other areas, baseline {chosen}", naive.theta, *naive.interval()))
    rows.append(("Headline: against other areas, clean baseline", head.log.theta, *head.log.interval()))
    if selection is not None and selection.k:
        for name, at in (("baseline the months of choice", 2), ("clean baseline", 1)):
            held = np.array([row[at] for row in selection.earlier])
            text = f"Nothing done, {selection.k} earlier years, same rule of choice: {name}"
            rows.append((text, float(held.mean()), float(held.min()), float(held.max())))
    frame = pd.DataFrame(rows, columns=["what", "estimate", "low", "high"])
    return frame.assign(**{c: np.exp(frame[c]) for c in ("estimate", "low", "high")})
