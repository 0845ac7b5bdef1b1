"""Concentration over homes: in how few of them lies how much of the crime, places taken by their rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Array = Any


@dataclass(frozen=True, eq=False)
class PerHome:
    """How concentrated crime is over homes.

    ``shares``  by share of crime held: the share of homes that hold it, places with the highest rate first,
                and the share that chance alone would need (mean and 95 % range).
    ``gini``    of the rates, each place counting by its homes; ``by_chance`` its mean by chance.
    ``homes``   in all; ``unplaced`` crimes in places without homes, left out.
    """

    shares: pd.DataFrame
    gini: float
    by_chance: float
    homes: float
    unplaced: int


def per_home(
    counts: Array, homes: Array, held: tuple[float, ...], draws: int, rng: np.random.Generator
) -> PerHome:
    """Concentration of counts by place over the homes of each; chance deals crimes to homes evenly."""
    import pandas as pd

    counts, homes = np.asarray(counts, float), np.asarray(homes, float)
    some = homes > 0
    y, h = counts[some], homes[some]
    drawn = [rng.poisson(y.sum() * h / h.sum()) for _ in range(draws)]
    curves = [curve(d, h) for d in drawn if d.any()]
    by_chance = np.array([[homes_for(c, share) for share in held] for c in curves])
    own = curve(y, h)
    shares = pd.DataFrame(
        {"crime": held, "homes": [homes_for(own, share) for share in held],
         "by_chance": by_chance.mean(axis=0), "chance_low": np.quantile(by_chance, 0.025, axis=0),
         "chance_high": np.quantile(by_chance, 0.975, axis=0)}
    )  # fmt: skip
    expected = float(np.mean([gini_of(c) for c in curves]))
    return PerHome(shares, gini_of(own), expected, float(h.sum()), int(counts[~some].sum()))


def curve(counts: Array, homes: Array) -> tuple[Array, Array]:
    """Cumulative share of homes and of crime, places with the highest rate first, from 0 to 1.

    >>> [part.tolist() for part in curve(np.array([1.0, 3.0]), np.array([3.0, 1.0]))]
    [[0.0, 0.25, 1.0], [0.0, 0.75, 1.0]]
    """
    order = np.argsort(-np.asarray(counts) / homes, kind="stable")
    return tuple(  # type: ignore[return-value]
        np.concatenate([[0.0], np.cumsum(part[order]) / part.sum()]) for part in (homes, counts)
    )


def homes_for(along: tuple[Array, Array], share: float) -> float:
    """Smallest share of homes that holds a share of the crime; within a place its homes are alike.

    >>> homes_for(curve(np.array([1.0, 3.0]), np.array([3.0, 1.0])), 0.375)
    0.125
    """
    homes, crime = along
    last = int(np.argmax(crime >= crime[-1] - 1e-12))  # beyond it no crime is left
    return float(np.interp(share, crime[: last + 1], homes[: last + 1]))


def gini_of(along: tuple[Array, Array]) -> float:
    """Gini coefficient of a curve: 0 where all homes have one rate.

    >>> gini_of(curve(np.array([1.0, 3.0]), np.array([3.0, 1.0])))
    0.5
    """
    homes, crime = along
    return float(2 * np.trapezoid(crime, homes) - 1)
