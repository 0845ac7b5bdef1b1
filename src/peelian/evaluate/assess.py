"""The whole evaluation in one call, without choices to make: headline, checks, guards, verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from peelian.effect import Check, Effect
from peelian.errors import DesignError
from peelian.evaluate import accounting, further, guards
from peelian.evaluate.benefits import Benefits, who_benefits
from peelian.evaluate.checks import (
    Selection,
    controls_before,
    detectable,
    factor_needed,
    placebo_date,
    pre_trends,
    selection_placebo,
)  # fmt: skip
from peelian.evaluate.choices import Choices, choices, second_opinions
from peelian.evaluate.did import (
    EventStudy,
    Headline,
    compare,
    cumulative,
    did,
    event_study,
    sentence,
)
from peelian.evaluate.displacement import Displacement, displacement, net_sentence
from peelian.evaluate.fade import Fade, fade
from peelian.evaluate.further import offence_switch
from peelian.evaluate.leftout import allowed_for
from peelian.evaluate.ratios import inversion
from peelian.evaluate.rct import Trial, trial_of
from peelian.evaluate.recording import ShareBreak, dated_rows
from peelian.evaluate.registration import Answer, Registration, answered, done, register
from peelian.evaluate.sensitivity import Sensitivity, sensitivity
from peelian.evaluate.staged import Staged, staged
from peelian.evaluate.verdict import CALIBRATED, Reading, Verdict, maryland, verdict
from peelian.evaluate.weighted import HARM, Harm, harm
from peelian.evaluate.windows import CONTROL, STANDARD, TREATED, Study, study

if TYPE_CHECKING:
    import pandas as pd

    from peelian.panel import Panel
    from peelian.places import Places
    from peelian.programme import Programme
    from peelian.protocol import Protocol


DRAWS = 9_999  # of a trial, run again


@dataclass(frozen=True, eq=False)
class Assessment:
    """An evaluation: what was found, how sure it is, and what was looked for that could make it wrong.

    ``headline``, ``prevented``  the ratio and the count with intervals; ``effects`` every other estimate.
    ``checks``      guards G1 to G12; ``verdict`` the word they allow; ``maryland`` the level computed.
    ``comparison``  the plain table; ``event``, ``fading``, ``moved`` by quarter, by half-year, by ring.
    ``selection``   what the choice of areas does alone; ``what_if`` what a before-and-after figure would
                    have said. ``accounting`` every area-month and incident, used or not, with the reason.
    ``choices``     the headline against other comparison areas and by other methods; ``bent`` under trends
                    that differ. ``plan`` the frozen evaluation plan and what was done otherwise.
    ``running``     prevented so far, month by month; ``switched`` other crimes in the treated areas.
    ``trial``       where areas were drawn at random: the drawn areas alone, by drawing again.
    ``benefits``    the headline in thirds of the areas, by count before and by what ``alike`` names.
    ``harm``        the weighted displacement difference in harm, where crimes were weighed.
    ``staged``      with several start months, what two-way fixed effects would have said.
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
    choices: Choices
    bent: Sensitivity | None
    plan: Registration | None
    running: pd.DataFrame
    switched: tuple[Effect, ...]
    trial: Trial | None
    benefits: Benefits | None
    staged: Staged | None
    harm: Harm | None
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
    def registered_groups(self) -> bool:
        """True where a plan that was kept to names subgroups."""
        plan = self.plan
        if plan is None or plan.state != "as registered":
            return False
        return str(plan.protocol.plan.get("subgroups", "none")).strip().lower() not in ("", "none")

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
    protocol: Protocol | None = None,
    answers: Sequence[Answer] = (),
    rings: Sequence[float] = (),
    district: str = "",
    alike: Sequence[str] = (),
    synthetic_permutations: int = 0,
    methods: Sequence[str] = (),
    switch: Sequence[str] = (),
    weights: pd.DataFrame | None = None,
) -> Assessment:
    """Did it prevent crime, where did it go, how sure are we: everything, from a panel and a programme.

    ``places``     shapes, to give ring areas the start of the nearest treated one.
    ``crime``      the outcome's noun (``burglary``); the panel's word unless given.
    ``claim``      the fall promised in a home with a kit (0.5 = half), for the dilution line.
    ``wider``      panel column of the class the outcome is a part of (all burglary), for guard G8.
    ``negative``   panel columns that the programme cannot affect; every further column unless given.
    ``changes``    dated changes of recording (columns from, categories, what, source).
    ``protocol``   the frozen evaluation plan, and ``answers`` those given to guards.
    ``rings``      the limits the panel's rings were laid by, to set beside the plan's.
    ``district``   column of ``places`` with each place's borough or ward, and ``alike`` further numeric ones
                   to compare the arms by; ``synthetic_permutations`` of the synthetic areas' p.
    ``methods``    further second opinions by name (``imputation_ols``, ``sdid``), which cost time.
    ``weights``    harm by crime type (``weighted.read_weights``); the panel then has a column for each.
    ``switch``     panel columns of crimes that offenders may have turned to, looked at and exploratory.

    Raises ``DataError`` and ``DesignError`` as ``study`` does, and ``DesignError`` where there is nothing
    to compare.
    """
    crime = crime or panel.outcome
    laid = study(panel, programme, places=places, months_after=months_after, months_before=months_before)
    head = did(laid, seed=seed, draws=permutations)
    moved, selection = displacement(laid), None if programme.randomised else selection_placebo(laid)
    placebo, near = placebo_date(laid, seed=seed, draws=permutations), further.near_as_controls(laid, seed)
    plain = STANDARD | {wider, *switch} | {c for c in panel.frame if c.startswith(HARM)}
    named = [c for c in panel.frame.columns if c not in plain] if negative is None else negative
    others = further.others(panel, programme, places, named, months_after, months_before, permutations, seed)
    broad = further.wider(panel, programme, wider, months_after, months_before, seed)
    switched = offence_switch(
        panel, programme, switch, places=places, months_after=months_after, months_before=months_before,
        draws=permutations, seed=seed,
    )  # fmt: skip
    chosen = choices(
        laid, head.ratio, places=places, district=district, alike=alike, seed=seed,
        permutations=synthetic_permutations, methods=methods,
    )  # fmt: skip
    bent, apart = sensitivity(laid), further.areas_left_out(laid, seed)
    plan = None if protocol is None else register(protocol, done(
        laid, crime=crime, months_before=months_before, months_after=months_after, permutations=permutations,
        rings=rings, negative=named,
    ))  # fmt: skip
    checks = answered(_checks(
        laid, head, selection, placebo, near, others, panel, programme, crime=crime, claim=claim,
        changes=changes, wider=broad, chosen=chosen, bent=bent, plan=plan, apart=apart,
    ), answers)  # fmt: skip
    moved = None if moved is None else replace(moved, net=_net(moved, crime, panel.source))
    drawn = trial_of(laid, programme, seed=seed, draws=DRAWS) if programme.randomised else None
    said = sentence(head, crime=crime, small=any(c.id == "G4" and c.fired for c in checks))
    return Assessment(
        headline=replace(head.ratio, sentence=said, source=panel.source),
        prevented=replace(head.prevented, sentence=said, source=panel.source),
        effects=tuple(further.effects(
            laid, head, selection, placebo, near, moved, chosen, drawn, apart, seed,
        )),
        checks=tuple(checks), verdict=_verdict(head, selection, moved, checks, crime, programme.randomised),
        maryland=_level(laid, chosen, checks),
        comparison=compare(laid), event=event_study(laid, seed=seed),
        fading=fade(laid, seed=seed, draws=permutations), moved=moved, selection=selection,
        what_if=further.what_if(laid, head, selection), accounting=accounting.table(laid, panel, programme),
        choices=chosen, bent=bent, plan=plan, running=cumulative(laid), switched=switched, trial=drawn,
        benefits=who_benefits(laid, places=places, by=alike, seed=seed), staged=staged(laid, seed=seed),
        harm=None if weights is None else harm(laid, panel, weights),
        study=laid, se_log=head.log.se, phi=head.phi, crime=crime, by=panel.by, source=panel.source,
        seed=seed,
    )  # fmt: skip


def _level(laid: Study, chosen: Choices, checks: Sequence[Check]) -> int:
    """The Maryland level that the design and the guards allow."""
    return maryland(
        randomised=laid.randomised, clean=all(s.clean for s in laid.stacks),
        fired=[c.id for c in checks if c.fired],
        matched=chosen.synthetic is not None and chosen.synthetic.worst < 0.1,
    )  # fmt: skip


def _net(moved: Displacement, crime: str, source: str) -> Effect:
    """Net prevented with its sentence."""
    return replace(moved.net, sentence=net_sentence(moved, crime=crime), source=source)


def _verdict(
    head: Headline, selection: Selection | None, moved: Displacement | None, checks: list[Check], crime: str,
    randomised: bool,
) -> Verdict:  # fmt: skip
    share = None if moved is None else moved.share
    return verdict(
        _reading(head, selection, checks), checks, crime=crime, randomised=randomised,
        net_includes_zero=moved is not None and share is not None and moved.net.low <= 0,
        share_displaced=0.0 if share is None else share.estimate,
        treated_after=head.ratio.extra["observed"],
    )  # fmt: skip


# ------------------------------------------------------------------------------------ the guards
def _checks(
    laid: Study, head: Headline, selection: Selection | None, placebo: Headline | None, near: Effect | None,
    others: list[tuple[str, Headline]], panel: Panel, programme: Programme, *, crime: str,
    claim: float | None, changes: pd.DataFrame | None, wider: tuple[Effect | None, ShareBreak | None],
    chosen: Choices, bent: Sensitivity | None, plan: Registration | None, apart: Sequence[Effect],
) -> list[Check]:  # fmt: skip
    r = head.ratio
    clean = head.log if selection is None else selection.clean
    naive = head.log if selection is None else selection.naive
    control, treated = controls_before(laid)
    perm_p = head.permutation.p()
    dropped = int((laid.asked & (laid.group > 0)).sum())
    placebos = [("one year earlier", placebo)] if placebo else []
    few = laid.n_treated < guards.FEW_UNITS
    rows, broken, whole = _recording(laid, changes, crime)
    saturation, roll_in = _delivered(laid)
    size = guards.small_counts(
        before=r.extra["treated_before"], after=r.extra["observed"], detectable=detectable(head.log),
        factor=factor_needed(head.log), crime=crime, months=laid.stacks[0].lengths,
    )  # fmt: skip
    return [
        guards.overlaps_baseline(
            randomised=programme.randomised, assumed=any(s.assumed for s in laid.stacks),
            overlap=any(s.selection is not None and s.selection[1] > s.start - 12 for s in laid.stacks),
            clean=all(s.clean for s in laid.stacks), clean_log=clean, naive_log=naive, small=size.fired,
        ),
        guards.chosen_on_outcome(selection, randomised=programme.randomised, small=size.fired),
        guards.pre_trend(
            pre_trends(laid), None if size.fired else bent, excludes=r.excludes_no_change
        ),
        size,
        guards.few_units(
            n=laid.n_treated, p=perm_p, smallest=head.permutation.smallest,
            inverted=inversion(laid, head.permutation) if few and not size.fired else None,
        ),
        guards.overdispersed(head.phi),
        guards.no_plan(outcomes=1, plan=plan, randomised=programme.randomised),
        guards.recording_change(crime=crime, rows=rows, broken=broken, move=wider[1], wider=wider[0],
            whole=whole),
        guards.contaminated(
            dropped=dropped, near=int((laid.group > 0).sum()), left=int((laid.group == CONTROL).sum()),
            n_treated=laid.n_treated, control_before=control, treated_before=treated,
            rings_known=laid.near, with_near=None if size.fired else near,
        ),
        guards.timing(disagree=laid.disagree, other=_by_flags(laid, panel, programme, head)),
        guards.dose_delivered(saturation=saturation, target=programme.saturation, roll_in=roll_in,
            claim=claim, planned=_planned(laid, programme)),
        guards.gross_for_net(gross=_gross(laid, head), net=head.prevented.estimate, crime=crime),
        guards.negative_controls(
            head.log.theta,
            [(n, h.log.theta, h.permutation.p()) for n, h in [*placebos, *others]], small=size.fired,
        ),
        second_opinions(r, chosen, small=size.fired),
        allowed_for(laid.left_out, apart, small=size.fired),
    ]  # fmt: skip


def _recording(
    laid: Study, changes: pd.DataFrame | None, crime: str
) -> tuple[list[tuple[str, str, str]], list[str], bool]:
    """Dated changes inside the windows, flagged months no dated change explains, and whether the outcome
    is the whole class that they split."""
    first = min(w[0] for s in laid.stacks for w in (s.before, s.after))
    last = max(w[1] for s in laid.stacks for w in (s.before, s.after))
    begin, end = laid.months_of((first, last))
    rows, whole = dated_rows(changes, crime=crime, first=begin, last=end)
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


def _planned(laid: Study, programme: Programme) -> float | None:
    """Kits over homes of the treated areas, by the programme's own list."""
    treated = laid.group == TREATED
    if "kits" not in programme.areas:
        return None
    listed = programme.areas["kits"].reindex(laid.places).to_numpy(float)[treated]
    homes = laid.households[treated]
    held = np.isfinite(listed) & np.isfinite(homes) & (homes > 0)
    return float(listed[held].sum() / homes[held].sum()) if held.all() and held.any() else None


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
        low, high = c.interval()
        return Reading(math.exp(c.theta), math.exp(low), math.exp(high), c.p)
    r = head.ratio
    return Reading(r.estimate, r.low, r.high, 1.0 if r.p is None else r.p)
