"""Where every area-month and every incident went: used, or left out for a reason that is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from peelian.evaluate.windows import CONTROL, OUT, TREATED, Study

if TYPE_CHECKING:
    import pandas as pd

    from peelian.panel import Panel
    from peelian.programme import Programme


def table(study: Study, panel: Panel, programme: Programme) -> pd.DataFrame:
    """One row a fate: ``part`` (used or left out), ``reason``, ``places``, ``area_months``, ``incidents``.

    The rows add up to the panel's area-months and to its incidents, with those outside every place.
    """
    import pandas as pd

    used = np.zeros(study.counts.shape, np.int8)  # 1 before, 2 after, 3 both (of different start months)
    for s, stack in enumerate(study.stacks):
        who = (study.group == CONTROL) | ((study.group >= TREATED) & (study.own == s))
        for bit, (first, last) in ((1, stack.before), (2, stack.after)):
            used[who, first:last] |= np.int8(bit)
    names = {TREATED: "treated areas"} | {g: f"ring {n}" for g, n in enumerate(study.rings, start=1)}
    names[CONTROL] = "other areas"
    rows = []
    for g, name in names.items():
        for code, when in ((1, "before"), (2, "after"), (3, "before one start, after another")):
            rows.append(_row("used", f"{name}, {when}", (study.group == g)[:, None] & (used == code), study))
    idle = (study.group != OUT)[:, None] & (used == 0)
    rows.append(_row("left out", "months outside the windows", idle, study))
    for note, places in _notes(study, programme).items():
        rows.append(_row("left out", note, places[:, None] & np.ones(study.counts.shape, bool), study))
    frame = pd.DataFrame(rows, columns=["part", "reason", "places", "area_months", "incidents"])
    frame = frame[frame["area_months"] > 0]
    if panel.outside:
        outside = ["left out", "in no place of the panel", 0, 0, float(panel.outside)]
        frame = pd.concat([frame, pd.DataFrame([outside], columns=frame.columns)])
    return frame.reset_index(drop=True)


def _row(part: str, reason: str, held: np.ndarray, study: Study) -> list[object]:
    return [part, reason, int(held.any(axis=1).sum()), int(held.sum()), float(study.counts[held].sum())]


def _notes(study: Study, programme: Programme) -> dict[str, np.ndarray]:
    """Places left out, by the reason the programme gives."""
    out = study.group == OUT
    notes = programme.areas["note"].reindex(study.places) if "note" in programme.areas else None
    reasons: dict[str, np.ndarray] = {}
    if study.later is not None and (out & study.later.members).any():
        reasons["not started when the data end"] = out & study.later.members
        out = out & ~study.later.members
    for at in np.flatnonzero(out):
        given = "" if notes is None or notes.isna().iloc[at] else str(notes.iloc[at]).strip()
        key = f"excluded: {given}" if given else "excluded by the programme"
        reasons.setdefault(key, np.zeros(len(out), bool))[at] = True
    return reasons
