"""Audited: the stage's own forecasts put through the audit, as tables, sentences and numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from peelian.errors import DataError
from peelian.predict.audit import (
    Dose,
    Groups,
    dose,
    error_parity,
    explore,
    exposure,
    groups_of,
    on_cells,
    taken,
)  # fmt: skip
from peelian.predict.feedback import Feedback, feedback
from peelian.predict.feedback_map import MapFeedback, feedback_map
from peelian.predict.frontier import frontier
from peelian.predict.reporting import Smallest, corrected_choice, smallest_difference, under_reporting

if TYPE_CHECKING:
    from peelian.incidents import Incidents
    from peelian.places import Places
    from peelian.predict.backtest import Backtest
    from peelian.predict.dosage import Explored
    from peelian.predict.planning import Planning
    from peelian.predict.tables import AuditTable, Decision

URN = {"rates": (0.369, 0.282), "records": (6.09, 3.79)}  # Ensign and others (2018), scaled as they do
FRONTIER_ORIGINS = 12
SIMULATED = 300  # areas in the feedback simulation at most


@dataclass(frozen=True, eq=False)
class Audit:
    """What the audit found.

    ``dose``      where the map's choices of all origins went.
    ``exposure``  of kits by area, ``boxes`` of patrol boxes by cell, ``minutes`` of the missions made,
    ``parity`` of the areas' errors,
    ``frontier`` over 21 gammas, each None where no group of people is named or history is too short.
    ``thinned``  the choice under thinned records; ``smallest`` gap in reporting that moves a tenth of the
    chosen homes; ``corrected`` places that change once counts are raised by survey reporting rates.
    ``explored`` what random boxes would have said, and ``recorded`` what was.
    ``urns``, ``maps`` the feedback simulations. ``origins`` of the map, ``area_origins`` of the
    risk by area, behind their intervals; ``chosen`` areas.
    """

    share: float
    origins: int
    chosen: int
    areas: int
    area_origins: int
    dose: Dose
    exposure: pd.DataFrame | None = None
    boxes: pd.DataFrame | None = None
    minutes: pd.DataFrame | None = None
    decided: Decision | None = None
    parity: pd.DataFrame | None = None
    frontier: pd.DataFrame | None = None
    norm: str = "homes"
    thinned: pd.DataFrame | None = None
    smallest: Smallest | None = None
    corrected: int | None = None
    explored: Explored | None = None
    recorded: float = 0.0
    urns: tuple[Feedback, ...] = ()
    maps: tuple[MapFeedback, ...] = ()
    lacking: tuple[str, ...] = field(default=())


def audited(
    tested: Backtest, planning: Planning, incidents: Incidents, cells: Places, areas: Places,
    asked: AuditTable, *, method: str, by: str, seed: int, minutes: pd.Series | None = None,
) -> Audit:  # fmt: skip
    """The audit of the map shown and of the planning risk, as far as the places name groups of people.

    ``minutes``  of the missions by cell, where any were made.
    """
    areas = _on_the_map(areas, cells)
    groups = groups_of(areas, deprivation=asked.deprivation, residents=asked.residents, tenure=asked.tenure)
    found: dict[str, Any] = {}
    last_year = _last_year(incidents, areas, by)
    chosen = max(round(asked.share * len(areas)), 1)
    if groups is not None:
        found |= _by_group(
            tested, planning, groups, cells, areas, asked, method=method, minutes=minutes, seed=seed
        )
    deprived = _most_deprived(areas, asked)
    if 0 < chosen < len(areas):
        found |= _reporting(last_year, areas, asked, chosen=chosen, deprived=deprived, seed=seed)
    forecasts = tested.forecasts[method]
    boxes = _columns(forecasts, np.ones(len(forecasts)), asked.share)
    found["dose"] = dose(boxes, tested.outcomes)
    if tested.outcomes.shape[0] > 20:
        found["explored"], found["recorded"] = explore(boxes, tested.outcomes, seed=seed)
    found |= _simulated(last_year, asked, chosen=chosen, seed=seed)
    return Audit(
        asked.share, tested.origins, chosen, len(areas),
        planning.tested.origins if planning.tested is not None else 0, norm=asked.norm, decided=asked.decided,
        lacking=_lacking(areas, asked, planning), **found,
    )  # fmt: skip


def _on_the_map(areas: Places, cells: Places) -> Places:
    """The areas that hold the centre of a cell: those outside the study area are nobody's choice."""
    return areas.select(areas.locate(cells.points).dropna().unique())


def _lacking(areas: Places, asked: AuditTable, planning: Planning) -> tuple[str, ...]:
    out = []
    if not asked.deprivation:
        out.append("deprivation ([predict.audit] deprivation, a column of deciles)")
    if not asked.residents:
        out.append("ethnic groups (residents, columns of shares)")
    if not asked.tenure:
        out.append("tenure (tenure, columns of shares)")
    if areas.households is None:
        out.append("homes (households of the places), so every area counts as one")
    if planning.tested is None:
        out.append("a history long enough to test the risk by area, so nothing is said of kits")
    return tuple(out)


def _columns(forecasts: np.ndarray, size: np.ndarray, share: float) -> np.ndarray:
    """The part of each place chosen at each origin."""
    return np.column_stack([taken(column, size, share) for column in forecasts.T])


def _by_group(
    tested: Backtest, planning: Planning, groups: Groups, cells: Places, areas: Places, asked: AuditTable,
    *, method: str, minutes: pd.Series | None, seed: int,
) -> dict[str, Any]:  # fmt: skip
    on_map = on_cells(groups, cells, areas)
    boxes = _columns(tested.forecasts[method], np.ones(len(cells)), asked.share)
    found: dict[str, Any] = {
        "boxes": exposure(boxes, tested.outcomes, on_map, size=np.ones(len(cells)), seed=seed)
    }
    if minutes is not None:
        spent = np.repeat(minutes.reindex(cells.index).fillna(0).to_numpy()[:, None], boxes.shape[1], axis=1)
        found["minutes"] = exposure(spent, tested.outcomes, on_map, size=np.ones(len(cells)), seed=seed)
    if planning.tested is None:
        return found
    homes = groups.homes.to_numpy()
    here = planning.risk.index.isin(areas.index)
    forecasts, outcomes = planning.tested.forecasts[planning.method][here], planning.tested.outcomes[here]
    chosen = _columns(forecasts, homes, asked.share)
    found["exposure"] = exposure(chosen, outcomes, groups, size=homes, seed=seed)
    found["parity"] = error_parity(chosen, outcomes, groups, seed=seed)
    dividing = [name for name, of in groups.of.items() if of == "deprivation"] or list(groups.parts)
    norm = found["exposure"].set_index("group").loc[dividing, f"share_of_{asked.norm}"]
    recent = min(FRONTIER_ORIGINS, outcomes.shape[1])
    found["frontier"] = frontier(
        forecasts[:, -recent], outcomes[:, -recent:], groups.parts[dividing], size=homes, share=asked.share,
        norm=norm,
    )  # fmt: skip
    return found


def _last_year(incidents: Incidents, areas: Places, by: str) -> pd.Series:
    last = incidents.span[1]
    year = incidents.between(last - 11, last + 1)
    return year.counts(areas, by=by)  # type: ignore[arg-type]


def _most_deprived(areas: Places, asked: AuditTable) -> pd.Series | None:
    """True in the most deprived third of the areas; None where no deprivation is named, or all are alike."""
    if not asked.deprivation:
        return None
    decile = pd.to_numeric(areas.frame[asked.deprivation])
    marked = decile <= decile.quantile(1 / 3)
    return None if marked.all() else marked


def _reporting(
    counts: pd.Series, areas: Places, asked: AuditTable, *, chosen: int, deprived: pd.Series | None, seed: int
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "thinned": under_reporting(counts, chosen=chosen, deprived=deprived, draws=asked.draws, seed=seed)
    }
    homes = areas.households
    if deprived is not None:
        weight = pd.Series(1.0, areas.index) if homes is None else homes.astype(float)
        found["smallest"] = smallest_difference(
            counts, chosen=chosen, deprived=deprived, households=weight, draws=asked.draws, seed=seed
        )
    if asked.reporting:
        if asked.reporting not in areas.frame:
            raise DataError(
                f"[predict.audit] reporting names {asked.reporting!r}, which the places do not have."
            )
        reported = pd.to_numeric(areas.frame[asked.reporting], errors="coerce")
        found["corrected"] = corrected_choice(counts, reported, chosen=chosen)
    return found


def _simulated(counts: pd.Series, asked: AuditTable, *, chosen: int, seed: int) -> dict[str, Any]:
    urns = tuple(
        feedback(URN["rates"], records=URN["records"], corrected=corrected, seed=seed)
        for corrected in (False, True)
    )
    rates = counts.to_numpy(float) / 365
    if len(rates) < 3 or not rates.sum() or chosen >= len(rates):
        return {"urns": urns}
    rates = np.sort(np.maximum(rates, rates.mean() * 0.05))
    if len(rates) > SIMULATED:  # so many of them, from the quietest to the busiest at even steps
        rates = rates[np.linspace(0, len(rates) - 1, SIMULATED).round().astype(int)]
        chosen = round(asked.share * SIMULATED)
    number = min(max(chosen, 1), 50)
    cases = [(asked.reported, asked.discovery), (0.0, 1.0)]
    maps = tuple(
        feedback_map(
            rates, reported=reported, discovery=discovery, deterrence=asked.deterrence, corrected=corrected,
            patrols=number, days=365, runs=40, seed=seed,
        )
        for reported, discovery in cases
        for corrected in (False, True)
    )  # fmt: skip
    return {"urns": urns, "maps": maps}
