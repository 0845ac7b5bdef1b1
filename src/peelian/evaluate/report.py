"""The chapter: the verdict first, then what it rests on, then what could make it wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from peelian.evaluate import blocks, second, totals, words
from peelian.evaluate.arms import progress_sentences
from peelian.report import Block, Section, Text

if TYPE_CHECKING:
    import pandas as pd

    from peelian.effect import Effect
    from peelian.evaluate.assess import Assessment
    from peelian.places import Places
    from peelian.programme import Programme

QUESTION = "Did it work, did crime move next door, could it be chance or selection?"


def section(
    found: Assessment,
    places: Places | None,
    *,
    programme: Programme,
    groups: str | None = None,
    group_counts: pd.DataFrame | None = None,
    phases: Mapping[str, Mapping[str, Any]] | None = None,
    published: bool = True,
) -> Section:
    """The whole chapter in reading order."""
    sentences = [*findings(found), *totals.phase_sentences(phases)]
    out: list[Block] = [Text(text, "finding") for text in sentences]
    out += [Text(text, "plain") for text in progress_sentences(found.study)]
    out.append(blocks.comparison_table(found, published))
    out += blocks.what_if(found)
    out += [blocks.area_map(found, places)] if places is not None else []
    out += blocks.by_time(found, published)
    out += second.running(found)
    out += blocks.nearby(found, published)
    out += blocks.forest(found)
    out += blocks.weighed(found, published)
    out += second.opinions(found, places)
    out += [blocks.guard_table(found), *blocks.guard_warnings(found), Text(change_sentence(found), "plain")]
    out += second.plan(found)
    out += totals.phase_table(phases, crime=found.crime)
    out += totals.group_table(
        group_counts, groups=groups, by=found.by, crime=found.crime, published=published
    )
    out += [blocks.accounting_table(found, published), *blocks.method(found, programme)]
    return Section("evaluate", "Evaluate", QUESTION, tuple(out))


def not_held(
    why: str, *, crime: str, groups: str | None = None, group_counts: pd.DataFrame | None = None
) -> Section:
    """The chapter where the design cannot answer."""
    out: list[Block] = [Text(f"No evaluation can be given: {why}", "note")]
    out += totals.group_table(group_counts, groups=groups, by="", crime=crime, published=True)
    return Section("evaluate", "Evaluate", QUESTION, tuple(out))


# ------------------------------------------------------------------------------------ findings
def findings(found: Assessment) -> list[str]:
    """The sentences to read first: verdict, headline, what choice does, where it went, whether it lasts."""
    out = [f"Verdict: {found.verdict.words}.", str(found.headline)]
    out += [c.sentence for c in found.fired if c.consequence == found.verdict.code][:1]
    if not found.small:
        out.append(selection_sentence(found))
    if found.moved is not None:
        from peelian.evaluate.displacement import sentence

        out.append(sentence(found.moved, crime=found.crime))
        if found.moved.word == "displaced":
            out.append(str(found.moved.net))
    out += [check.sentence for check in found.checks if check.id == "G10" and check.fired]
    if not found.small and len(found.fading.frame) > 1:
        out.append(fade_sentence(found.fading.frame.to_dict("records"), found.fading.said))
    return out


def selection_sentence(found: Assessment) -> str:
    """What a before-and-after figure would have said, and what choice gives with nothing done."""
    rows = found.what_if["estimate"].tolist()
    alone, head = words.percent(rows[0]), words.percent(found.headline.estimate)
    text = (
        f"A before-and-after figure of the treated areas alone would have said {alone}; against the "
        f"other areas' trend it is {head}."
    )
    s = found.selection
    if s is not None and s.k:
        placebo = words.percent(math.exp(s.naive_calibrated.mean))
        years = "1 earlier year" if s.k == 1 else f"{s.k} earlier years"
        text += (
            f" Choosing areas in the same way in {years}, with nothing done, gave {placebo} "
            "against the months of choice."
        )
    return text


def fade_sentence(rows: Sequence[Mapping[str, Any]], word: str) -> str:
    """Whether the change lasts.

    >>> fade_sentence([{"months": "months 1-6", "estimate": 0.7, "low": 0.6, "high": 0.8}], "lasting")
    'By time since the start: months 1-6 0.700 (0.600 to 0.800): lasting.'
    """
    parts = ", ".join(f"{r['months']} {words.ratio(r['estimate'], r['low'], r['high'])}" for r in rows)
    return f"By time since the start: {parts}: {word}."


def ratio_sentence(effect: Effect) -> str:
    """One estimate of the ratio, and how sure it is."""
    said = words.ratio(effect.estimate, effect.low, effect.high)
    p = "" if effect.p is None else f", p {words.p_text(effect.p)} ({effect.p_method})"
    return f"{effect.name[:1].upper()}{effect.name[1:]}: ratio {said}{p}."


def change_sentence(found: Assessment) -> str:
    """The path to the verdict and what would change it."""
    path = "; then ".join(found.verdict.path)
    return (
        f"How the verdict was reached: {path}. What would change it: {found.verdict.would_change} "
        f"Maryland scale, computed: level {found.maryland} of 5 (our wording; after Sherman et al. 1997)."
    )
