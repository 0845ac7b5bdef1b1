"""Files: what the stage leaves for people and later stages, and its headline numbers. It computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from peelian.places import Places
    from peelian.predict.backtest import Backtest
    from peelian.predict.forecast import Forecast
    from peelian.predict.planning import Planning


def files_of(
    tested: Backtest, lagged: Backtest | None, forecast: Forecast, planning: Planning, cells: Places,
    areas: Places, crimes: str,
) -> dict[str, Any]:  # fmt: skip
    """Every table, map layer and number of the stage, by file name."""
    import geopandas as gpd

    from peelian import maps
    from peelian.predict.report import map_breaks
    from peelian.predict.scores_report import score_files

    by_cell = gpd.GeoDataFrame(forecast.frame.assign(geometry=cells.geometry), crs=cells.crs)
    by_area = gpd.GeoDataFrame(
        {"risk": planning.risk, "low": planning.lows, "high": planning.highs, "geometry": areas.geometry},
        crs=areas.crs,
    ).rename_axis("place")
    if planning.prior_share is not None:
        by_area["prior_share"] = planning.prior_share
    first, last = planning.months
    files: dict[str, Any] = {
        "risk.csv": planning.table.rename_axis("place").reset_index(),
        "risk.json": {
            "method": planning.method, "words": planning.words, "fitted_on": [str(first), str(last)],
            "horizon": 12, "total": float(planning.risk.sum()), "unit": f"expected {crimes} a year",
            "why": planning.why, "verdict": tested.verdict.words,
            "interval": {"level": 0.9, "low": planning.low, "high": planning.high},
        },
        "cells.parquet": by_cell,
        "backtest.csv": tested.pooled,
        "backtest_origins.csv": tested.by_origin,
        "backtest_pairs.csv": tested.pairs,
        **score_files(tested),
        "predict.gpkg": maps.Layered(
            {"forecast by cell": by_cell.reset_index(), "risk by area": by_area.reset_index()},
            {
                "forecast by cell": maps.Style(
                    "risk",
                    legend=f"expected {crimes}, {forecast.period}",
                    breaks=map_breaks(forecast.frame["risk"]),
                ),
                "risk by area": maps.Style("risk", legend=f"expected {crimes} a year"),
            },
            tested.verdict.words,
        ),
    }  # fmt: skip
    if lagged is not None:
        files[f"backtest_lag_{lagged.lag}.csv"] = lagged.pooled
    return files


def summary_of(tested: Backtest, test: Any, forecast: Forecast, planning: Planning) -> dict[str, Any]:
    """The headline numbers, for ``--json`` and the last lines on the screen."""
    row = tested.pooled.set_index("method").loc[forecast.method]
    share = min(tested.shares, key=lambda value: abs(value - 0.05))
    label = f"{share * 100:g}"
    interval = {"low": forecast.low, "high": forecast.high}
    out: dict[str, Any] = {
        "verdict": tested.verdict.code,
        "words": tested.verdict.words,
        "map": forecast.method,
        "origins": tested.origins,
        "log_score": float(row["log_score"]),
        "forecast": {"period": forecast.period, "total": forecast.total} | interval,
        "planning": {
            "method": planning.method,
            "total": float(planning.risk.sum()),
            "low": planning.low,
            "high": planning.high,
            "fitted_on": [str(month) for month in planning.months],
        },
    }
    out[f"hit_rate_{label}"] = {
        end.strip("_") or "estimate": float(row[f"hit_rate_{label}{end}"]) for end in ("", "_low", "_high")
    }
    if not isinstance(test, str):
        out["one_year_test"] = {
            f"pai_{share * 100:g}": pai
            for share, pai in zip(test.capture.shares, test.capture.pai, strict=True)
        }
    return out
