"""Pooling: the scores of many origins as one table a method, with intervals over origins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from peelian.arithmetic.scores import calibration, overdispersion
from peelian.predict import claims, scoring
from peelian.predict.methods import words_of
from peelian.words import day

if TYPE_CHECKING:
    from peelian.predict.backtest import Backtest

EVERY = {"month": "monthly", "week": "weekly", "day": "daily"}
BEST = "best possible"


def pool(
    by_origin: pd.DataFrame,
    methods: Mapping[str, Callable[..., pd.Series]],
    outcomes: np.ndarray,
    forecasts: dict[str, np.ndarray],
    *,
    floors: Sequence[float],
    size: np.ndarray,
    neighbours: Any,
    measures: Mapping[str, np.ndarray],
    baselines: Sequence[str],
    refused: dict[str, str],
    reference: str,
    enough: int,
    shares: tuple[float, ...],
    horizon: str,
    lag: int,
    crimes: str,
    seen: Sequence[str],
    seed: int,
    main: float,
) -> Backtest:
    """The backtest's answer from its rows: pooled table, pairs, verdict and a sentence a method."""
    from peelian.predict.backtest import Backtest

    main = min(shares, key=lambda share: abs(share - main))
    more = scoring.scored(
        outcomes, forecasts, sorted(by_origin["origin"].unique()), floors, size=size, share=main,
        neighbours=neighbours, seed=seed,
    )  # fmt: skip
    by_origin = by_origin.merge(more.by_origin, on=["origin", "method"], how="left")
    wide = {name: rows.sort_values("origin") for name, rows in by_origin.groupby("method", sort=False)}
    incidents = wide[BEST]["incidents"].to_numpy(float)
    drawn = claims.block_draws(len(incidents), seed=seed)
    words = {name: words_of(name, method) for name, method in methods.items()}
    rows = [_pooled(name, wide[name], drawn, shares) for name in [*methods, BEST]]
    complete = {
        name: scores
        for name in methods
        if np.isfinite(scores := wide[name]["log_score"].to_numpy(float)).all()
        and len(scores) == len(incidents)
    }
    alike = claims.confidence_set(complete, drawn)
    for row in rows[:-1]:
        name = row["method"]
        row |= scoring.pooled_columns(wide[name], wide[BEST], shares, more.always[name])
        row["set_p"] = alike.get(row["method"], float("nan"))
        row |= _calibrated(outcomes, forecasts[row["method"]])
        row["words"] = words[row["method"]]
    pooled = pd.DataFrame(rows).sort_values("log_score", kind="stable", na_position="last", ignore_index=True)
    pooled["words"] = pooled["words"].fillna("best possible: the outcome itself")
    column = f"hits_{main * 100:g}"
    log_scores = {name: wide[name]["log_score"].to_numpy(float) for name in methods}
    hits = {name: wide[name][column].to_numpy(float) for name in methods}
    compared = claims.pairs(log_scores, hits, incidents, reference=reference, drawn=drawn, seen=seen)
    best = min(
        (name for name in baselines if name in complete), key=lambda n: complete[n].mean(), default=reference
    )
    to_best = claims.pairs(log_scores, hits, incidents, reference=best, drawn=drawn, seen=seen)
    window = words[reference].removeprefix("counts of the ")
    verdict = claims.verdict(
        compared, words, origins=len(incidents), enough=enough, crimes=crimes, window=window, share=main,
        every=EVERY[horizon],
    )  # fmt: skip
    return Backtest(
        by_origin, pooled, _table(compared), verdict, _sentences(pooled, main, crimes), refused, words,
        reference, len(incidents), shares, len(outcomes), horizon, lag, outcomes, forecasts, tuple(baselines),
        best, _table(to_best), more.deciles, more.pit,
        scoring.physical(outcomes, forecasts, measures, shares, drawn),
    )  # fmt: skip


def _table(compared: list[claims.Pair]) -> pd.DataFrame:
    return pd.DataFrame([asdict(pair) for pair in compared], columns=list(claims.Pair.__dataclass_fields__))


def _pooled(name: str, rows: pd.DataFrame, drawn: np.ndarray, shares: tuple[float, ...]) -> dict[str, Any]:
    incidents = rows["incidents"].to_numpy(float)
    total = float(incidents.sum())
    out: dict[str, Any] = {
        "method": name,
        "origins": len(rows),
        "incidents": total,
        "expected": float(rows["expected"].sum()),
        "empty_origins": int((incidents == 0).sum()),
    }
    for share in shares:
        hits = rows[f"hits_{share * 100:g}"].to_numpy(float)
        low, high = claims.interval(claims.ratio_draws(drawn, hits, incidents))
        rate = hits.sum() / total if total else float("nan")
        label = f"{share * 100:g}"
        out |= {f"hits_{label}": hits.sum(), f"hit_rate_{label}": rate}
        out |= {f"hit_rate_{label}_low": low, f"hit_rate_{label}_high": high}
        out |= {
            f"pai_{label}": rate / share,
            f"pai_{label}_low": low / share,
            f"pai_{label}_high": high / share,
        }
    if name != BEST:
        scores = rows["log_score"].to_numpy(float)
        low, high = claims.interval(drawn @ scores / len(scores))
        gain = rows["information_gain"].fillna(0).to_numpy(float)
        out |= {"log_score": scores.mean(), "log_score_low": low, "log_score_high": high}
        out["information_gain"] = float(gain @ incidents / total) if total else float("nan")
        out["floored"] = int(rows["floored"].sum())
        out |= {"fitted": rows["fitted"].max(), "fits": rows["fitted"].nunique()}
    return out


def _calibrated(outcomes: np.ndarray, forecast: np.ndarray) -> dict[str, float]:
    floor = 0.02 * max(forecast.mean(), 1e-12)
    fitted = calibration(outcomes.ravel(), np.maximum(forecast, floor).ravel())
    return {
        "slope": fitted.slope,
        "slope_low": fitted.low,
        "slope_high": fitted.high,
        "overdispersion": overdispersion(outcomes.ravel(), forecast.ravel()),
    }


def _sentences(pooled: pd.DataFrame, main: float, crimes: str) -> tuple[str, ...]:
    label = f"{main * 100:g}"
    out = []
    for row in pooled.to_dict("records"):
        rate, low, high = (row[f"hit_rate_{label}{end}"] * 100 for end in ("", "_low", "_high"))
        words = f"{row['words'][0].upper()}{row['words'][1:]}"
        score = "" if row["method"] == BEST else f"; log score {row['log_score']:.4f}"
        held = f"{row[f'hits_{label}']:,.0f} of {row['incidents']:,.0f}"
        out.append(
            f"{words}: {rate:.1f} % of {crimes} ({held}; 95 % interval {low:.1f} to {high:.1f} %) in the "
            f"{main * 100:.0f} % of the area ranked highest{score}."
        )
    return tuple(out)


def fit_dates(pooled: pd.DataFrame) -> pd.Series:
    """When each method was fitted last and how often, in words; a dash where nothing is fitted."""
    return pd.Series(
        [
            "-" if pd.isna(last) else f"{day(f'{last:%Y-%m-%d}')}, {times:.0f} fits"
            for last, times in zip(pooled["fitted"], pooled["fits"], strict=True)
        ],
        pooled.index,
    )
