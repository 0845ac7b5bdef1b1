"""Further estimates beside the headline: other baselines, other controls, other outcomes, other methods."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from peelian.arithmetic.comparison import holm
from peelian.effect import Effect
from peelian.errors import DesignError
from peelian.evaluate import weighted, words
from peelian.evaluate.checks import Selection, before_after
from peelian.evaluate.choices import Choices
from peelian.evaluate.did import Headline, beside, did
from peelian.evaluate.displacement import Displacement
from peelian.evaluate.dose import dose
from peelian.evaluate.rct import Trial
from peelian.evaluate.recording import ShareBreak, share_break
from peelian.evaluate.windows import CONTROL, OUT, STANDARD, Study, study

if TYPE_CHECKING:
    import pandas as pd

    from peelian.arithmetic.comparison import Calibrated, LogRatio
    from peelian.panel import Panel
    from peelian.places import Places
    from peelian.programme import Programme


def near_as_controls(laid: Study, seed: int) -> Effect | None:
    """The headline with the ring areas as controls."""
    if not (laid.group > 0).any():
        return None
    merged = replace(
        laid, group=np.where(laid.group > 0, CONTROL, laid.group), own=np.where(laid.group > 0, -1, laid.own),
        unit_group=np.where(laid.unit_group > 0, CONTROL, laid.unit_group),
    )  # fmt: skip
    return did(merged, seed=seed, draws=1, name="with the near areas as controls").ratio


def areas_left_out(laid: Study, seed: int) -> tuple[Effect, ...]:
    """The headline without allowing for areas left out, and with those areas as controls."""
    if not any(laid.left_out):
        return ()
    plain = replace(laid, left_out=(None,) * len(laid.stacks))
    members = np.any([x.members for x in laid.left_out if x is not None], axis=0) & (laid.group == OUT)
    found = [did(plain, seed=seed, draws=1, name="not allowing for areas left out").ratio]
    if members.any():
        unit_group = laid.unit_group.copy()
        unit_group[np.unique(laid.unit[members])] = CONTROL
        kept = replace(plain, group=np.where(members, CONTROL, laid.group), unit_group=unit_group)
        found.append(did(kept, seed=seed, draws=1, name="with the areas left out as controls").ratio)
    return tuple(found)


def wider(
    panel: Panel, programme: Programme, wider: str, after: int, before: int | None, seed: int
) -> tuple[Effect | None, ShareBreak | None]:
    """The estimate on the wider class, and the largest move of the outcome's share in it."""
    if not wider or wider not in panel.frame:
        return None, None
    laid = study(panel, programme, months_after=after, months_before=before, outcome=wider)
    part = panel.frame["count"].groupby(level="month").sum()
    whole = panel.frame[wider].groupby(level="month").sum()
    move = share_break(part.to_numpy(float), whole.to_numpy(float), [str(m) for m in part.index])
    return did(laid, seed=seed, draws=1, name=f"on {wider}").ratio, move


def others(
    panel: Panel, programme: Programme, places: Places | None, names: Sequence[str], after: int,
    before: int | None, draws: int, seed: int,
) -> list[tuple[str, Headline]]:  # fmt: skip
    """The headline's analysis of outcomes that the programme cannot affect."""
    out = []
    for name in names:
        if name not in panel.frame:
            raise DesignError(
                f"The panel has no column {name!r}; it has {sorted(set(panel.frame.columns) - STANDARD)}."
            )
        laid = study(panel, programme, places=places, months_after=after, months_before=before, outcome=name)
        try:
            out.append(
                (name, did(replace(laid, outcome=name), seed=seed, draws=draws, name=f"placebo: {name}"))
            )
        except DesignError:  # none of them recorded: there is nothing to compare, and nothing is claimed
            continue
    return out


def offence_switch(
    panel: Panel, programme: Programme, names: Sequence[str], *, places: Places | None = None,
    months_after: int = 12, months_before: int | None = None, draws: int = 999, seed: int,
) -> tuple[Effect, ...]:  # fmt: skip
    """Whether other crimes rose in the treated areas: the headline's analysis of each, exploratory.

    ``names``  panel columns. Each p is multiplied by how many are left to look at (Holm 1979).
    """
    found = others(panel, programme, places, names, months_after, months_before, draws, seed)
    adjusted = holm([1.0 if head.ratio.p is None else head.ratio.p for _, head in found])
    out = []
    for i, (name, head) in enumerate(found):
        r = head.ratio
        text = (
            f"{name} in the treated areas: ratio {words.ratio(r.estimate, r.low, r.high)}, p "
            f"{words.p_text(adjusted[i])} adjusted for {len(found)} crimes (exploratory)."
        )
        method = f"{r.p_method}, Holm over {len(found)}"
        out.append(replace(r, name=f"switch: {name}", p=float(adjusted[i]), p_method=method, sentence=text))
    return tuple(out)


def effects(
    laid: Study, head: Headline, selection: Selection | None, placebo: Headline | None, near: Effect | None,
    moved: Displacement | None, chosen: Choices, trial: Trial | None, apart: Sequence[Effect], seed: int,
) -> list[Effect]:  # fmt: skip
    """Every estimate of the chapter, the headline first."""
    out = [head.ratio, head.prevented, *beside(head), *chosen.others]
    out += [] if trial is None else [trial.effect, trial.beside]
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
    single = near, placebo.ratio if placebo else None, *apart, weighted.difference(laid), dose(laid)
    out += [e for e in single if e is not None]
    if moved is not None:
        out += [moved.direct, moved.rings, moved.net]
    return [e if e.p_method != "" and e in (head.ratio, head.prevented) else _no_p(e) for e in out]


def _no_p(effect: Effect) -> Effect:
    """Estimates beside the headline carry no p of their own (their permutation was not drawn in full)."""
    return (
        effect
        if "placebo" in effect.name or "draws of as many" in effect.p_method or "run again" in effect.p_method
        else replace(effect, p=None, p_method="")
    )


def _effect(
    name: str, log: LogRatio | Calibrated, laid: Study, method: str = "jackknife over units, Student's t"
) -> Effect:
    low, high = (math.exp(x) for x in log.interval())
    return Effect(
        name, math.exp(log.theta), low, high, se_method=method, n_treated=laid.n_treated,
        n_control=laid.n_control,
        extra={"theta": log.theta, "se_log": log.se, "df": log.df},
    )  # fmt: skip


def what_if(laid: Study, head: Headline, selection: Selection | None) -> pd.DataFrame:
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
            text = f"Nothing done, {selection.k} earlier years: {name}"
            rows.append((text, float(held.mean()), float(held.min()), float(held.max())))
    frame = pd.DataFrame(rows, columns=["what", "estimate", "low", "high"])
    return frame.assign(**{c: np.exp(frame[c]) for c in ("estimate", "low", "high")})
