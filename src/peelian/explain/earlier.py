"""Runs of this project's terrain, so that a report can say what earlier ones held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from peelian.explain.model import RiskTerrain
    from peelian.explain.tried import Trial

MOST = 20


def run_of(terrain: RiskTerrain, trial: Trial | None) -> dict[str, Any]:
    """What is kept of one run, as plain values: on what it was fitted and tried, and what came out."""
    from peelian.explain.tried import top_of

    held = {} if trial is None else top_of(trial)
    return {
        "fitted": " to ".join(map(str, terrain.fitted_on)) if terrain.fitted_on else "counts without dates",
        "crime": terrain.crime, "mode": terrain.mode, "cells": len(terrain.counts),
        "incidents": float(terrain.counts.sum()), "tried": len(terrain.factors),
        "reported": sorted(terrain.reported["factor"]), "later": "" if trial is None else trial.tried,
        "terrain": round(held["terrain"], 6) if held else None,
        "history": round(held["history"], 6) if held else None, "seed": terrain.seed,
    }  # fmt: skip


def earlier_runs(before: dict[str, Any] | None, present: dict[str, Any]) -> list[dict[str, Any]]:
    """The runs before this one, the last first, each once and the present one not among them.

    ``before``  the last run's ``terrain.json``, or None. A run made again with the same result adds nothing.
    """
    held = [] if before is None or "run" not in before else [before["run"], *before.get("earlier_runs", [])]
    found: list[dict[str, Any]] = []
    for run in held:
        if run != present and run not in found:
            found.append(run)
    return found[:MOST]
