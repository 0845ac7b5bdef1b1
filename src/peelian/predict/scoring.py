"""Scoring: what the forecasts of a backtest say beyond hit rate and log score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from peelian.arithmetic.choices import always, clumpiness, jaccard
from peelian.arithmetic.distributions import (
    brier,
    count_test,
    deciles,
    negative_binomial_log_score,
    probability_transform,
    ranked_probability_score,
)  # fmt: skip
from peelian.arithmetic.scores import capture, curve_area
from peelian.predict.audit import taken
from peelian.predict.claims import interval, ratio_draws

CURVES = (0.05, 0.1)  # of the area, up to which the curve of incidents held is measured
BINS = 10


@dataclass(frozen=True, eq=False)
class Scored:
    """More of what every method scored.

    ``by_origin``  a row an origin and method: ``dispersion`` (from the residuals of earlier origins; the
                   first is a Poisson), ``log_score_nb``, ``brier``, ``crps``, ``count_low`` and
                   ``count_high`` (90 % limits of the total) and ``count_p``, ``jaccard`` with the choice
                   before, ``clumpiness``, ``curve_5`` and ``curve_10`` (mean number held over all cuts).
    ``always``     by method: the part of the choice that was chosen in every period.
    ``deciles``    a row a method and tenth of its forecasts: mean expected and recorded.
    ``pit``        a row a method and tenth: share of outcomes that fell there in their distribution.
    """

    by_origin: pd.DataFrame
    always: dict[str, float]
    deciles: pd.DataFrame
    pit: pd.DataFrame


def scored(
    outcomes: np.ndarray, forecasts: Mapping[str, np.ndarray], origins: Sequence[Any],
    floors: Sequence[float], *, size: np.ndarray, share: float, neighbours: Any, seed: int,
) -> Scored:  # fmt: skip
    """Every method's forecasts (places x origins) scored as distributions and as choices of places.

    ``share`` of the total ``size`` is chosen; ``floors`` what a rate is raised to at each origin.
    """
    rows: list[dict[str, Any]] = []
    kept, tenths, fell = dict[str, float](), [], []
    for name, risk in forecasts.items():
        spread, total_spread = earlier(outcomes, risk), earlier(outcomes.sum(axis=0), risk.sum(axis=0))
        chosen = np.column_stack([taken(column, size, share) for column in risk.T])
        kept[name] = always(chosen)
        rng = np.random.default_rng(seed)
        placed = []
        for at, origin in enumerate(origins):
            y, rate = outcomes[:, at], risk[:, at]
            placed.append(probability_transform(y, np.maximum(rate, floors[at]), spread[at], rng))
            total = count_test(float(y.sum()), float(rate.sum()), total_spread[at])
            rows.append(
                {
                    "origin": origin, "method": name, "dispersion": spread[at],
                    "log_score_nb": negative_binomial_log_score(y, rate, spread[at], floor=floors[at]),
                    "brier": brier(y, rate), "crps": ranked_probability_score(y, rate, spread[at]),
                    "count_low": total.low, "count_high": total.high, "count_p": total.p,
                    "jaccard": jaccard(chosen[:, at], chosen[:, at - 1]) if at else np.nan,
                    "clumpiness": clumpiness(chosen[:, at], neighbours),
                    **{f"curve_{c * 100:g}": curve_area(rate, y, share=c, size=size) for c in CURVES},
                }
            )  # fmt: skip
        by = deciles(outcomes.ravel(), risk.ravel())
        tenths.append(
            pd.DataFrame(
                {
                    "method": name, "tenth": by.tenth, "places": by.places, "expected": by.expected,
                    "recorded": by.recorded,
                }
            )
        )  # fmt: skip
        shares = np.histogram(np.concatenate(placed), BINS, (0, 1))[0] / outcomes.size
        fell.append(pd.DataFrame({"method": name, "tenth": np.arange(1, BINS + 1), "share": shares}))
    return Scored(pd.DataFrame(rows), kept, pd.concat(tenths), pd.concat(fell))


def earlier(outcomes: np.ndarray, rates: np.ndarray) -> list[float]:
    """Dispersion before each origin, by moments on the residuals of the origins before it; 0 at the first."""
    off = np.atleast_2d((outcomes - rates) ** 2 - rates).sum(axis=0)
    square = np.atleast_2d(rates**2).sum(axis=0)
    above, below = np.cumsum(off)[:-1], np.cumsum(square)[:-1]
    return [0.0, *(max(float(a / b), 0.0) if b > 0 else 0.0 for a, b in zip(above, below, strict=True))]


def physical(
    outcomes: np.ndarray, forecasts: Mapping[str, np.ndarray], measures: Mapping[str, np.ndarray],
    shares: Sequence[float], drawn: np.ndarray,
) -> pd.DataFrame:  # fmt: skip
    """What the riskiest parts of the streets, homes or ground held, by method.

    ``measures`` name -> amount by place (``km2``, ``km of street``, ``homes``, ``kits``); places are ranked
    by risk per unit of it, and incidents where there is none of it are held by no choice. A row a method,
    measure and share: ``amount`` chosen a period, ``hits``, ``hit_rate`` with its 95 % interval over origins,
    and ``efficiency``: incidents a period for each unit (each 1,000 homes or kits).
    """
    rows = []
    total = outcomes.sum(axis=0)
    for measure, amount in measures.items():
        held = amount > 0
        if not held.any():
            continue
        per = 1_000 if measure in ("homes", "kits") else 1
        for name, risk in forecasts.items():
            hits = np.array(
                [capture(r, y, shares=shares, size=amount[held]).hits
                 for r, y in zip(risk[held].T, outcomes[held].T, strict=True)]
            )  # fmt: skip
            for at, share in enumerate(shares):
                low, high = interval(ratio_draws(drawn, hits[:, at], total))
                chosen = float(share * amount[held].sum())
                rows.append(
                    {
                        "method": name, "measure": measure, "share": share, "amount": chosen,
                        "hits": float(hits[:, at].sum()),
                        "hit_rate": float(hits[:, at].sum() / total.sum()) if total.sum() else np.nan,
                        "low": low, "high": high, "efficiency": float(hits[:, at].mean() / chosen * per),
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def pooled_columns(
    rows: pd.DataFrame, best: pd.DataFrame, shares: Sequence[float], always_chosen: float
) -> dict[str, float]:
    """One method's row of the pooled table: ratios of sums and means over its origins."""
    incidents = float(rows["incidents"].sum())
    out: dict[str, float] = {}
    for share in shares:
        label = f"{share * 100:g}"
        hits = float(rows[f"hits_{label}"].sum())
        out[f"pei_{label}"] = _over(hits, float(rows[f"best_{label}"].sum()))
        out[f"pei_area_{label}"] = _over(hits, float(best[f"hits_{label}"].sum()))
        out[f"rri_{label}"] = _over(float(rows[f"predicted_{label}"].sum()), hits)
    for share in CURVES:
        label = f"{share * 100:g}"
        out[f"auc_{label}"] = _over(float(rows[f"curve_{label}"].sum()), incidents)
    for name in ("log_score_nb", "brier", "crps", "jaccard", "clumpiness"):
        out[name] = float(rows[name].mean())
    outside = (rows["incidents"] < rows["count_low"]) | (rows["incidents"] > rows["count_high"])
    return out | {"counts_outside": int(outside.sum()), "always": always_chosen}


def _over(above: float, below: float) -> float:
    return above / below if below else float("nan")
