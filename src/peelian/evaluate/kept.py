"""What is kept of an evaluation: its content as plain values, and every file of the chapter."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from peelian.evaluate.assess import Assessment
    from peelian.panel import Panel
    from peelian.places import Places


def assessment(found: Assessment) -> dict[str, Any]:
    """The assessment as plain values: the content of ``assessment.json``."""
    laid, moved = found.study, found.moved
    return _plain(
        {
            "outcome": found.crime,
            "verdict": {
                "code": found.verdict.code, "words": found.verdict.words, "path": list(found.verdict.path),
                "would_change": found.verdict.would_change,
            },
            "headline": found.headline.as_json(),
            "prevented": found.prevented.as_json(),
            "effects": [e.as_json() for e in found.effects],
            "comparison": {
                "rows": found.comparison.to_dict("records"), "expected": found.headline.extra["expected"],
            },
            "event_study": found.event.frame.to_dict("records"),
            "fade": {"word": found.fading.word, "later": found.fading.later, "p": found.fading.p,
                "rows": found.fading.frame.to_dict("records")},
            "rings": [] if moved is None else moved.frame.to_dict("records"),
            "net": None if moved is None else moved.net.as_json(),
            "displaced_share": None
            if moved is None or moved.share is None
            else dataclasses.asdict(moved.share),
            "words_displacement": "cannot tell" if moved is None else moved.word,
            "placebo": _placebo(found),
            "checks": [c.as_json() for c in found.checks],
            "window": _window(found),
            "accounting": found.accounting.to_dict("records"),
            "by": found.by, "n_treated": laid.n_treated, "n_control": laid.n_control,
            "se_log": found.se_log, "phi": found.phi, "maryland": found.maryland, "seed": found.seed,
            **_beside(found),
        }
    )  # fmt: skip


def _placebo(found: Assessment) -> dict[str, Any]:
    """What the choice of areas does with nothing done."""
    held = found.selection
    earlier = () if held is None else held.earlier
    return {
        "rows": found.what_if.to_dict("records"),
        "auc": None if held is None else held.auc,
        "earlier": [{"months_back": b, "clean": math.exp(c), "naive": math.exp(n)} for b, c, n in earlier],
    }


def _window(found: Assessment) -> dict[str, Any]:
    """The months compared, of the first start and of each."""
    laid = found.study
    stack = laid.stacks[0]
    return {
        "before": laid.months_of(stack.before), "after": laid.months_of(stack.after),
        "months": stack.after[1] - stack.after[0],
        "starts": [
            {"start": str(laid.months[s.start]), "before": laid.months_of(s.before),
                "after": laid.months_of(s.after)}
            for s in laid.stacks
        ],
    }  # fmt: skip


def _beside(found: Assessment) -> dict[str, Any]:
    """Second opinions, trends that differ, the plan, and the EMMIE scale."""
    from peelian.evaluate.choices import agreement
    from peelian.evaluate.scales import emmie

    chosen, bent = found.choices, found.bent
    built = chosen.synthetic
    return {
        "agreement": agreement(found.headline, chosen.others).to_dict("records"),
        "choices": {
            "alike": chosen.alike.to_dict("records"),
            "left_out": chosen.left_out,
            "matched": None if built is None else {"what": built.matched, "worst": built.worst},
        },
        "sensitivity": None
        if bent is None
        else {"rows": bent.frame.to_dict("records"), "breakdown": bent.breakdown},
        "left_out": [None if x is None else x.as_json() for x in found.study.left_out],
        "not_started": None if found.study.later is None else found.study.later.as_json(),
        "protocol": None if found.plan is None else found.plan.as_json(),
        "emmie": emmie(found).to_dict("records"),
        "benefits": None
        if found.benefits is None
        else {
            "thirds": found.benefits.frame.to_dict("records"),
            "between": found.benefits.between.to_dict("records"),
        },
        "harm": None if found.harm is None else found.harm.as_json(),
        "staged": None if found.staged is None else found.staged.as_json(),
        "cumulative": found.running.to_dict("records"),
        "switched": [e.as_json() for e in found.switched],
    }


def _plain(value: Any) -> Any:
    """Values that JSON knows: no numpy, no missing number that is not null."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def summary(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the loop prints of it: verdict, ratio, prevented, net, and which guards fired."""
    keys = ("estimate", "low", "high", "p")
    return {
        "verdict": values["verdict"]["code"], "words": values["verdict"]["words"],
        "ratio": {k: values["headline"][k] for k in keys},
        "prevented": {k: values["prevented"][k] for k in keys},
        "net": None if values["net"] is None else {k: values["net"][k] for k in keys[:3]},
        "registered": "no plan" if values["protocol"] is None else values["protocol"]["state"],
        "displacement": values["words_displacement"],
        "fired": [c["id"] for c in values["checks"] if c["fired"]],
        "by": values["by"], "treated": values["n_treated"], "compared_with": values["n_control"],
    }  # fmt: skip


def files(found: Assessment, panel: Panel, places: Places | None, values: dict[str, Any]) -> dict[str, Any]:
    """Every file of the chapter by name."""
    from peelian.evaluate import tidy

    out: dict[str, Any] = {
        "assessment.json": values,
        "comparison.csv": found.comparison, "event_study.csv": found.event.frame,
        "placebo.csv": found.what_if, "accounting.csv": found.accounting,
        "estimates.csv": tidy.estimates(found), "guards.csv": tidy.guards(found),
        "panel.csv": tidy.panel(found, panel), "panel_dictionary.csv": tidy.dictionary(panel),
    }  # fmt: skip
    from peelian.evaluate.choices import agreement
    from peelian.evaluate.parts import parts
    from peelian.evaluate.weighted import by_month

    out["parts.json"] = _plain(parts(found))
    out["cumulative.csv"] = found.running
    out["agreement.csv"] = agreement(found.headline, found.choices.others)
    out["comparison_areas.csv"], out["series.csv"] = found.choices.alike, found.choices.series
    if found.choices.synthetic is not None:
        out["synthetic.csv"] = found.choices.synthetic.balance
    if found.bent is not None:
        out["sensitivity.csv"] = found.bent.frame
    if found.harm is not None:
        out["harm.csv"] = found.harm.frame
    running = by_month(found.study)
    if running is not None:
        out["wdd_by_month.csv"] = running
    if found.staged is not None:
        out["staged.csv"] = found.staged.frame
    if found.benefits is not None:
        out["benefits.csv"] = found.benefits.frame
    if found.moved is not None:
        out["rings.csv"] = found.moved.frame
    if places is not None:
        out["evaluate.gpkg"] = tidy.layers(found, places)
    return out
