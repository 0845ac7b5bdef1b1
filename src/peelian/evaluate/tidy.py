"""Tables for other evaluators: the panel as it was analysed, estimates, guards, and the map layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from peelian.evaluate.windows import CONTROL, OUT, TREATED

if TYPE_CHECKING:
    import pandas as pd

    from peelian.evaluate.assess import Assessment
    from peelian.maps import Layered
    from peelian.panel import Panel
    from peelian.places import Places

_MEANING = {
    "place": "id of the place", "month": "month (ISO)", "count": "incidents recorded",
    "arm": "treated, control or excluded, as the programme says", "part": ("part in the comparison: "
        "treated, a ring, other areas, left out"),
    "unit": ("what was chosen as a whole (the unit of "
        "inference)"), "start": "first month with delivery, of treated places",
    "ring": "ring round the treated areas", "baseline": ("month lies in the baseline of the place's "
        "comparison"),
    "after": ("month lies in the headline's months after the "
        "start"), "roll_in": "between 1 and 85 % of homes had a kit",
    "saturation": "share of homes with a kit at the end of the month", "households": "homes in the place",
    "recording_break": "recording changed in this month",
}  # fmt: skip


def parts(found: Assessment) -> np.ndarray:
    """The part each place plays, in words."""
    study = found.study
    names = {TREATED: "treated", CONTROL: "other areas", OUT: "left out"}
    names |= dict(enumerate(study.rings, start=1))
    return np.array([names[int(g)] for g in study.group], object)


def panel(found: Assessment, panel: Panel) -> pd.DataFrame:
    """The tidy panel: one row a place and month, with what the analysis made of it."""
    import pandas as pd

    study = found.study
    frame = panel.frame.sort_index()
    shape = study.counts.shape
    baseline, after = np.zeros(shape, bool), np.zeros(shape, bool)
    for s, stack in enumerate(study.stacks):
        who = (study.group == CONTROL) | ((study.group >= TREATED) & (study.own == s))
        baseline[who, stack.before[0] : stack.before[1]] = True
        after[who, stack.after[0] : stack.after[1]] = True
    keep = [c for c in frame.columns if c not in ("treated", "after")]
    out = frame[keep].copy()
    out["part"] = np.repeat(parts(found), shape[1])
    out["baseline"], out["after"] = baseline.ravel(), after.ravel()
    saturation = out["saturation"] if "saturation" in out else pd.Series(np.nan, out.index)
    out["roll_in"] = saturation.between(0.01, 0.85, inclusive="left") & frame["treated"]
    out = out.reset_index()
    for name in ("month", "start"):
        if name in out:
            out[name] = out[name].astype("str").fillna("").replace("NaT", "")
    return out


def dictionary(panel: Panel) -> pd.DataFrame:
    """What each column of ``panel.csv`` means."""
    import pandas as pd

    further = {c: "incidents of a further outcome" for c in panel.frame.columns if c not in _MEANING}
    rows = _MEANING | {"count": f"{panel.outcome}: incidents recorded"} | further
    rows.pop("treated", None)
    return pd.DataFrame(list(rows.items()), columns=["column", "meaning"])


def estimates(found: Assessment) -> pd.DataFrame:
    """Every estimate with its interval, method and units."""
    import pandas as pd

    keys = (
        "name",
        "scale",
        "estimate",
        "low",
        "high",
        "level",
        "p",
        "p_method",
        "se_method",
        "n_treated",
        "n_control",
    )
    return pd.DataFrame([{k: getattr(e, k) for k in keys} for e in found.effects])


def guards(found: Assessment) -> pd.DataFrame:
    """Every guard, those that fired first."""
    import pandas as pd

    rows = sorted((c.as_json() for c in found.checks), key=lambda c: not c["fired"])
    return pd.DataFrame(rows)


def layers(found: Assessment, places: Places) -> Layered:
    """Areas with their part, counts and rates, for a GeoPackage."""
    from peelian.maps import Layered, Style

    return Layered(
        {"evaluate": areas(found, places)},
        {"evaluate": Style("part", "categories", "Part in the comparison")},
    )


def areas(found: Assessment, places: Places) -> object:
    """The places with their part and their counts before and after (a month times 12)."""
    study = found.study
    frame = places.frame[["geometry"]].reindex(study.places)
    frame["part"] = parts(found)
    frame["treated"] = study.group == TREATED
    own = np.maximum(study.own, 0)
    for name in ("before", "after"):
        windows = [getattr(s, name) for s in study.stacks]
        sums = np.column_stack([study.window_sums(w) * 12 / (w[1] - w[0]) for w in windows])
        frame[f"{name}_a_year"] = np.take_along_axis(sums, own[:, None], axis=1)[:, 0]
    return frame
