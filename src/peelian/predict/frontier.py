"""Frontier: what a fairer choice of places costs in crime covered, for somebody to decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from peelian.errors import DesignError

if TYPE_CHECKING:
    from peelian.predict.tables import Decision

STEPS = 21


def frontier(
    risk: np.ndarray,
    outcomes: np.ndarray,
    parts: pd.DataFrame,
    *,
    size: np.ndarray,
    share: float,
    norm: pd.Series,
    steps: int = STEPS,
) -> pd.DataFrame:
    """Expected crime covered less gamma times the distance of the groups' shares from a norm, 21 gammas.

    ``risk``      by place; ``outcomes`` what was recorded afterwards, places or places x origins.
    ``parts``     places x groups (see ``Groups``); ``norm`` the share that each group should have of what
                  is handed out (its share of homes, or of recorded crime).
    ``size``      what a place uses up; ``share`` of all of it is handed out.

    A row a gamma from 0 (crime alone) to 1 (a point of distance weighs as much as a point of crime), closer
    together near 0, where most changes: ``expected`` and ``hit_rate`` (expected
    and recorded crime covered, of all), ``distance`` (half the sum of differences to the norm), and the share
    of every group. Chosen by linear programming: a place at the edge may be taken in part. After Mohler,
    Raje, Carter, Valasik & Brantingham (2018). Which row to take is not for arithmetic to say.
    """
    if not 0 < share < 1:
        raise DesignError(f"share lies between 0 and 1; got {share:g}.")
    outcomes = outcomes.reshape(len(risk), -1).sum(axis=1)
    given = size / size.sum() / share  # what of all that is handed out goes to a place taken whole
    spread = (parts.to_numpy() * given[:, None]).T
    rows = []
    for gamma in np.linspace(0, 1, steps) ** 3:
        chosen = _best(risk / risk.sum(), given, spread, norm.reindex(parts.columns).to_numpy(), gamma)
        groups = spread @ chosen
        rows.append(
            {
                "gamma": float(gamma), "expected": float(risk @ chosen / risk.sum()),
                "hit_rate": float(outcomes @ chosen / outcomes.sum()) if outcomes.sum() else float("nan"),
                "distance": float(np.abs(groups - norm.reindex(parts.columns)).sum() / 2),
                **{f"share {name}": float(value) for name, value in zip(parts, groups, strict=True)},
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _best(
    risk: np.ndarray, given: np.ndarray, spread: np.ndarray, norm: np.ndarray, gamma: float
) -> np.ndarray:
    """The part of each place to take: crime less gamma x distance, within what there is."""
    from scipy.optimize import linprog

    places, groups = len(risk), len(spread)
    cost = np.concatenate([-risk, np.full(groups, gamma / 2)])
    above = np.hstack([np.vstack([spread, -spread]), -np.vstack([np.eye(groups), np.eye(groups)])])
    found = linprog(
        cost, A_ub=above, b_ub=np.concatenate([norm, -norm]),
        A_eq=np.concatenate([given, np.zeros(groups)])[None], b_eq=[1.0],
        bounds=[(0, 1)] * places + [(0, None)] * groups, method="highs",
    )  # fmt: skip
    if found.x is None:
        raise DesignError(f"No choice of places meets the limit: {found.message}")
    return np.asarray(found.x[:places])


def decision_sentence(table: pd.DataFrame, decided: Decision, crimes: str) -> str:
    """What was decided, by whom and why, and what it covers: the nearest of the 21 gammas."""
    row = table.iloc[(table["gamma"] - decided.gamma).abs().argmin()]
    return (
        f"Decided by {decided.by}: gamma {row['gamma']:.4f}, which covers {row['hit_rate'] * 100:.1f} % of "
        f"recorded {crimes} at a distance of {row['distance'] * 100:.1f} %. Reason: {decided.reason}"
    )


def frontier_sentence(table: pd.DataFrame, crimes: str, *, norm: str) -> str:
    """The two ends of the curve, and what half the distance costs, in words."""
    first = table.iloc[0]
    row = table.iloc[min((table["distance"] > first["distance"] / 2).sum(), len(table) - 1)]
    return (
        f"Choosing by risk alone covers {first['hit_rate'] * 100:.1f} % of recorded {crimes} and leaves "
        f"{first['distance'] * 100:.1f} % of what is handed out away from the groups' share of {norm}; with "
        f"gamma {row['gamma']:.2f} it is {row['distance'] * 100:.1f} %, and {row['hit_rate'] * 100:.1f} % is "
        "covered. Which of the 21 to take is a decision, to be recorded with its reason."
    )
