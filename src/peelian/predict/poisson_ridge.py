"""Poisson ridge: weights of standardised logarithms by penalised likelihood, with an exposure where given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from peelian.predict.regression import Rows

OWN = ("own history", "time of year")
LEAST = 0.01  # of a feature's mean: what it is raised by before its logarithm is taken


@dataclass(frozen=True, eq=False)
class Logs:
    """Logarithms of features, standardised: what each is ``raised`` by, their ``middle`` and ``scale``.

    ``exposed``  a mask of the columns: the exposure, which is no feature; ``own`` those that count at the
                 place itself, and with an exposure are taken per unit of it.
    """

    raised: np.ndarray
    middle: np.ndarray
    scale: np.ndarray
    exposed: np.ndarray
    own: np.ndarray

    @classmethod
    def of(cls, rows: Rows) -> Logs:
        """The scaling of what is learned from."""
        exposed = np.array([name == "exposure" for name in rows.groups])
        own = np.array([name in OWN for name in rows.groups])
        values = _per_exposure(rows.values, exposed, own)
        raised = LEAST * values.mean(axis=0) + 1e-9
        logs = np.log(values + raised)
        spread = logs.std(axis=0)  # a column that never varied is worth nothing, and must stay so later
        return cls(raised, logs.mean(axis=0), np.where(spread > 1e-5, spread, 1e9), exposed, own)

    def of_values(self, values: np.ndarray) -> np.ndarray:
        """Rows x features, standardised."""
        values = _per_exposure(values, self.exposed, self.own)
        return np.asarray((np.log(values + self.raised) - self.middle) / self.scale)

    def offset(self, values: np.ndarray) -> np.ndarray | float:
        """Log exposure by row, or 0."""
        return np.log(values[:, self.exposed][:, 0]) if self.exposed.any() else 0.0


def _per_exposure(values: np.ndarray, exposed: np.ndarray, own: np.ndarray) -> np.ndarray:
    """The features; counts of the place itself per unit of exposure, where there is one."""
    if not exposed.any():
        return values
    divided = values.copy()
    divided[:, own] = values[:, own] / values[:, exposed]
    return divided[:, ~exposed]


def rate_of(
    logs: np.ndarray, constant: float, weights: np.ndarray, offset: np.ndarray | float = 0.0
) -> np.ndarray:
    """Expected counts by row."""
    return np.asarray(np.exp(np.clip(logs @ weights + constant + offset, -30, 10)))


def ridge_weights(
    design: np.ndarray, counts: np.ndarray, alpha: float, *, start: tuple[float, np.ndarray] | None = None,
    offset: np.ndarray | float = 0.0,
) -> tuple[float, np.ndarray]:  # fmt: skip
    """Constant and weights of the least mean surprise + alpha / 2 x sum of squared weights (Poisson).

    ``design``  rows x columns, standardised; ``start`` first values; ``offset`` log exposure by row. The
    constant is not shrunk. Newton steps, halved while they do not help; they end when the surprise falls by
    less than 1e-9 of itself.

    >>> constant, weights = ridge_weights(np.array([[-1.0], [1.0]]), np.array([1.0, 3.0]), 1e-9)
    >>> round(float(np.exp(constant + weights[0])), 4)
    3.0
    """
    number = design.shape[1]
    constant, weights = start or (
        float(np.log(max(float(counts.mean()), 1e-12) / np.mean(np.exp(offset)))),
        np.zeros(number, design.dtype),
    )  # fmt: skip

    def cost(constant: float, weights: np.ndarray) -> tuple[float, np.ndarray]:
        log = design @ weights + constant + offset
        mean = np.exp(np.minimum(log, 30))
        return float(np.mean(mean - counts * log) + alpha / 2 * weights @ weights), mean

    now, mean = cost(constant, weights)
    for _ in range(100):
        off = (mean - counts) / len(counts)
        slope = np.append(design.T @ off + alpha * weights, off.sum())
        curve = np.empty((number + 1, number + 1))
        weighed = design * mean[:, None].astype(design.dtype)
        curve[:number, :number] = weighed.T @ design / len(counts) + alpha * np.eye(number)
        curve[:number, number] = curve[number, :number] = weighed.sum(axis=0) / len(counts)
        curve[number, number] = mean.mean()
        step, part = np.linalg.solve(curve + 1e-12 * np.eye(number + 1), slope), 1.0
        while part > 1e-6:
            tried, moved = constant - part * float(step[number]), weights - part * step[:number]
            then, mean = cost(tried, moved)
            if then <= now:
                break
            part /= 2
        settled = now - then <= 1e-9 * abs(now)
        constant, weights, now = tried, moved, then
        if settled:
            break
    return constant, weights
