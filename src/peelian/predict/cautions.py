"""Cautions: what a map of this kind cannot know, and what could make this one wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from peelian.predict.holdout import NOT_COMPARABLE
from peelian.predict.method import ENOUGH
from peelian.report import Block, Chart

if TYPE_CHECKING:
    from peelian.incidents import Incidents
    from peelian.places import Places
    from peelian.predict.backtest import Backtest
    from peelian.predict.forecast import Forecast

MAPS = ("predict_map", "predict_months", "predict_missions_map")
MOST_OUTSIDE = 0.02  # of all incidents, before it is a warning of its own
SMALL_CELL = 250  # metres: finer than the snap points of published data can bear


def warnings_of(
    incidents: Incidents, cells: Places, forecast: Forecast, backtest: Backtest, crimes: str, *, seen: bool
) -> list[str]:
    """What the map cannot know, and what could make it wrong."""
    out = [
        f"What the map cannot know: {crimes} that nobody reported, changes after the last month read, and "
        "who does it. It ranks places by what was recorded there; it says nothing about any person, and "
        "police sent to a place record more there.",
        NOT_COMPARABLE,
    ]
    if len(incidents) < ENOUGH:
        out.append(
            f"Too few to learn from ({len(incidents):,} {crimes}; {ENOUGH} are needed): only plain counts "
            "are shown."
        )
    if incidents.snapped and cells.cell and cells.cell < SMALL_CELL:
        out.append(
            f"Locations are moved to a nearby street point shared by at least 8 addresses, so cells of "
            f"{cells.cell:g} m are finer than the data (250 m or more is honest)."
        )
    if incidents.published and "burglar" in crimes:
        out.append(
            "All burglary, homes and businesses: the published data do not tell them apart, so town centres "
            "look riskier than their homes are."
        )
    if forecast.outside > MOST_OUTSIDE:
        out.append(outside_words(forecast, len(incidents)))
    out += _one_spot(incidents)
    if seen:
        out.append(
            "The risk terrain behind the blend was fitted on months that it is tested on here, so the "
            "blend's row flatters it a little; it is shown and never said to beat anything."
        )
    out += [
        f"{name} gave no forecast and is not in the tables. {why}" for name, why in backtest.refused.items()
    ]
    return out


def on_maps(blocks: Sequence[Block], words: str) -> list[Block]:
    """The blocks with these words in the note of every map: what must not be read past."""
    return [
        replace(block, note=f"{block.note} {words}".strip())
        if isinstance(block, Chart) and block.name in MAPS
        else block
        for block in blocks
    ]


def outside_words(forecast: Forecast, incidents: int) -> str:
    """How many incidents the map leaves out; nothing where every one has its cell."""
    if not forecast.outside:
        return ""
    return (
        f"{forecast.outside * 100:.1f} % of the {incidents:,} incidents lie outside every cell or have no "
        "point; they are not in this forecast."
    )


def _one_spot(incidents: Incidents) -> list[str]:
    """A warning where more than half of the incidents lie on one pair of coordinates."""
    points = incidents.frame.geometry[incidents.located]
    most = int(pd.DataFrame({"x": points.x, "y": points.y}).value_counts().max()) if len(points) else 0
    if most <= 0.5 * len(incidents):
        return []
    return [
        f"{most:,} of the {len(incidents):,} incidents lie at one point (a station's address?). They are "
        "kept, and the map shows that point."
    ]
