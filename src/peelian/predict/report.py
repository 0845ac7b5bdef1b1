"""The chapter of ``predict``: sentences, tables, a chart and a map. It computes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from peelian import charts, maps
from peelian.predict.backtest import MAIN_SHARE, Backtest
from peelian.predict.cautions import on_maps, outside_words
from peelian.predict.forecast import Forecast
from peelian.predict.grids import Elsewhere, grid_tables
from peelian.predict.holdout import NOT_COMPARABLE, Holdout
from peelian.predict.planning import Planning
from peelian.predict.pooling import BEST, fit_dates
from peelian.predict.scores_report import baseline_sentence, score_blocks
from peelian.report import Block, Chart, Section, Table, Text

if TYPE_CHECKING:
    from peelian.incidents import Incidents
    from peelian.places import Places
    from peelian.predict.breaks import Break
    from peelian.predict.sealing import Sealed

TITLE = "Predict"
QUESTION = "Where next, and is that better than last year's map?"


def crimes_of(crime: str) -> str:
    """The plural of a crime in lower case, for sentences.

    >>> crimes_of("Burglary"), crimes_of("vehicle crime"), crimes_of("theft from the person")
    ('burglaries', 'vehicle crimes', 'incidents of theft from the person')
    """
    word = crime.strip().lower()
    if len(word.split()) > 2:
        return f"incidents of {word}"
    if word.endswith("s"):
        return word
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


def share_of(value: float) -> str:
    """A share in words.

    >>> share_of(0.05), share_of(0.005)
    ('5 %', '0.5 %')
    """
    return f"{value * 100:g} %"


def month_of(period: pd.Period) -> str:
    """A month for people."""
    return f"{period:%B %Y}"


# -------------------------------------------------------------------- sentences
def captured_sentence(backtest: Backtest, method: str, crimes: str) -> str:
    """What the map's riskiest share of the area held over all origins, and the best anyone could do."""
    rows = backtest.pooled.set_index("method")
    share = min(backtest.shares, key=lambda value: abs(value - MAIN_SHARE))
    label = f"{share * 100:g}"
    row, best = rows.loc[method], rows.loc[BEST]
    rate, low, high = (row[f"hit_rate_{label}{end}"] * 100 for end in ("", "_low", "_high"))
    return (
        f"Over {backtest.origins} {backtest.horizon}s, each forecast from what was known before it, the "
        f"{share_of(share)} of the area ranked highest by {row['words']} held {rate:.1f} % of {crimes} "
        f"({row[f'hits_{label}']:,.0f} of {row['incidents']:,.0f}; 95 % interval {low:.1f} to {high:.1f} %). "
        f"Whoever had known the outcome would have reached {best[f'hit_rate_{label}'] * 100:.1f} %."
    )


def set_sentence(backtest: Backtest) -> str:
    """Which methods cannot be told from the best by log score, where more than three were tried."""
    if len(backtest.words) <= 3 or len(backtest.best_set) == len(backtest.words):
        return ""
    named = [backtest.words[name] for name in backtest.best_set]
    return (
        f"Of {len(backtest.words)} methods, {len(named)} cannot be told from the best by log score (model "
        f"confidence set at 90 %): {'; '.join(named)}."
    )


def holdout_sentence(test: Holdout, crimes: str, cell: float | None) -> str:
    """The one-year test in words, never without the warning about PAI."""
    held = test.capture
    if not held.total:
        return f"No {crimes} were recorded in the test months, so the one-year test says nothing."
    parts = [f"{pai:.2f} at {share_of(share)}" for share, pai in zip(held.shares, held.pai, strict=True)]
    where = f"{test.places:,} cells of {cell:g} m" if cell else f"{test.places:,} places"
    return (
        f"One-year test: {where} ranked by their {crimes} from {month_of(test.history[0])} to "
        f"{month_of(test.history[1])}, tested on the {held.total:,.0f} of {month_of(test.test[0])} to "
        f"{month_of(test.test[1])}: PAI {', '.join(parts)} of area, ties at their expected value. "
        f"{NOT_COMPARABLE}"
    )


def forecast_sentence(forecast: Forecast, crimes: str, places: int) -> str:
    """How many are expected in the next period."""
    return (
        f"In {forecast.period}, {forecast.total:,.0f} {crimes} are expected in {places:,} cells (90 % "
        f"interval {forecast.low:,.0f} to {forecast.high:,.0f}), by {forecast.words}."
    )


def planning_sentence(planning: Planning, crimes: str) -> str:
    """What the plan's risk is, and which months it has seen."""
    first, last = planning.months
    return (
        f"For planning, {planning.risk.sum():,.0f} {crimes} a year are expected in "
        f"{len(planning.risk):,} areas (90 % interval {planning.low:,.0f} to {planning.high:,.0f}"
        + (f", from {planning.years} earlier years" if planning.years > 1 else ", by chance alone")
        + f"), by {planning.words}, fitted on {month_of(first)} to {month_of(last)} and on nothing later."
    )


# -------------------------------------------------------------------- tables, chart, map
def methods_tables(backtest: Backtest, crimes: str, source: str) -> list[Table]:
    """Every method side by side, the best log score first: what it held, and what it differs by."""
    frame = pd.DataFrame({"method": backtest.pooled["words"]})
    formats = {}
    for share in backtest.shares:
        label = f"{share * 100:g}"
        frame[share_of(share)] = backtest.pooled[f"hit_rate_{label}"]
        formats[share_of(share)] = ".1%"
        if label == f"{MAIN_SHARE * 100:g}":
            for edge in ("low", "high"):
                frame[edge] = backtest.pooled[f"hit_rate_{label}_{edge}"]
                formats[edge] = ".1%"
    lag = f"_lag_{backtest.lag}" if backtest.lag else ""
    late = f", the last {backtest.lag} {_step(backtest)} before each not yet known" if backtest.lag else ""
    over = f"over {backtest.origins} {backtest.horizon}s{late}"
    held = Table(
        f"predict_methods{lag}", f"Share of {crimes} in the area ranked highest, {over}", frame, formats,
        source,
        note="Low and high: 95 % interval of the 5 % column over origins, by blocks of 4. The best log score "
        "stands first.",
    )  # fmt: skip
    return [held, _differences(backtest, f"predict_log_scores{lag}", over, source)]


def _differences(backtest: Backtest, name: str, over: str, source: str) -> Table:
    pooled = backtest.pooled[backtest.pooled["method"] != BEST]
    frame = pd.DataFrame({"method": pooled["words"], "log score": pooled["log_score"]})
    formats = {"log score": ".4f"}
    for pairs, head, ends in (
        (backtest.pairs, "to counts of a year", ("lowest", "highest")),
        (backtest.to_best, "to the best baseline", ("low", "high")),
    ):
        rows = pairs.set_index("method").reindex(pooled["method"])
        for column, word in zip(("", "_low", "_high"), (head, *ends), strict=True):
            frame[word] = rows[f"log_score{column}"].to_numpy()
            formats[word] = "+.4f"
        if head == "to counts of a year":
            frame["p"] = rows["holm"].to_numpy()
            formats["p"] = ".3f"
    frame["fitted"] = fit_dates(pooled)
    return Table(
        name, f"Log score of every method, and its difference to counts and to the best baseline, {over}",
        frame, formats, source,
        note="Lower is better; differences with their 95 % intervals over origins, below 0 better. p: "
        "one-sided (Diebold & Mariano 1995), after Holm's correction for all methods tried. The best "
        f"baseline: {backtest.words[backtest.best_baseline]}. Fitted: the day before which the last fit saw "
        "anything, and how many fits there were; each origin's is in backtest_origins.csv.",
    )  # fmt: skip


def difference_chart(backtest: Backtest, crimes: str, source: str) -> Chart:
    """Hit rate less that of plain counts, method by method, with its interval."""
    frame = backtest.pairs.assign(
        method=backtest.pairs["method"].map(backtest.words),
        points=backtest.pairs["hit_rate"] * 100,
        low=backtest.pairs["hit_rate_low"] * 100,
        high=backtest.pairs["hit_rate_high"] * 100,
    ).sort_values("points", ascending=False, kind="stable")[["method", "points", "low", "high"]]
    above = frame.loc[frame["low"] > 0, "method"].tolist()
    finding = (
        f"{len(above)} of {len(frame)} methods held more {crimes} in the 5 % ranked highest than counts of "
        "a year"
    )
    first, last = frame.iloc[0], frame.iloc[-1]
    return Chart(
        "predict_differences",
        finding,
        charts.intervals(
            frame, "method", "points", "low", "high", reference=0.0,
            x_title="percentage points, less counts of a year",
        ),
        "Difference in hit rate at 5 % of area to counts of a year, one row a method. Highest: "
        f"{first['method']}, {first['points']:+.2f} points; lowest: {last['method']}, "
        f"{last['points']:+.2f} points.",
        frame, {"points": "+.2f", "low": "+.2f", "high": "+.2f"}, source,
    )  # fmt: skip


def forecast_map(forecast: Forecast, cells: Places, crimes: str, source: str, *, published: bool) -> Chart:
    """The next period's forecast by cell."""
    risk = forecast.frame["risk"]
    top = risk.sort_values(ascending=False, kind="stable")
    return Chart(
        "predict_map",
        f"Expected {crimes} by cell, {forecast.period}: the tenth of cells ranked highest holds "
        f"{100 * top.iloc[: max(len(top) // 10, 1)].sum() / max(top.sum(), 1e-12):.0f} % of those expected",
        maps.cells_map(cells, risk, legend=f"expected {crimes}", breaks=map_breaks(risk)),
        f"Map of {len(risk):,} cells shaded by expected {crimes}. Highest: {top.index[0]} with "
        f"{top.iloc[0]:.2f}; lowest: {top.index[-1]} with {top.iloc[-1]:.2f}.",
        None, {}, source,
        note="The darkest class is the 5 % of cells ranked highest, then those to 10, 20 and 50 %. A dark "
        "cell is a place, not a person, and most dark cells see nothing in most months.",
        published=published,
    )  # fmt: skip


def map_blocks(
    forecast: Forecast, backtest: Backtest, cells: Places, crimes: str, source: str, *, published: bool
) -> list[Block]:
    """The map, the cells ranked highest with their reasons, and how the map moved over the last months."""
    from peelian.predict.months import months_map

    return [
        forecast_map(forecast, cells, crimes, source, published=published),
        top_table(forecast, crimes, source, published=published),
        months_map(backtest, forecast, cells, crimes, source),
    ]


def sealed_blocks(sealed: Sealed, source: str) -> list[Block]:
    """What the ledger of sealed forecasts says, and their scores where any has been scored."""
    blocks: list[Block] = [Text(words) for words in sealed.sentences]
    if sealed.scores is not None:
        columns = ["method", "start", "stop", "incidents", "expected", "log_score", "hit_rate_5"]
        blocks.append(
            Table(
                "predict_sealed", "Scores of forecasts sealed before their period", sealed.scores[columns],
                {"incidents": ",.0f", "expected": ",.1f", "log_score": ".4f", "hit_rate_5": ".1%"}, source,
                note="Only forecasts made before what they foretell, apart from the tests on past months.",
            )
        )  # fmt: skip
    return blocks


def map_breaks(risk: pd.Series) -> tuple[float, ...]:
    """Class limits of the map: the risk that 50, 20, 10 and 5 % of cells exceed."""
    return tuple(float(limit) for limit in risk.quantile([0.5, 0.8, 0.9, 0.95]))


def top_table(forecast: Forecast, crimes: str, source: str, *, published: bool, most: int = 15) -> Table:
    """The cells ranked highest, each with why."""
    frame = forecast.frame.sort_values(["risk"], ascending=False, kind="stable").head(most).reset_index()
    frame["else"] = (1 - frame["own_share"] - frame["prior_share"].fillna(0)).clip(lower=0)
    chosen = pd.DataFrame(
        {
            "cell": frame["place"],
            "expected": frame["risk"],
            "low": frame["low"],
            "high": frame["high"],
            f"{crimes} last 12 months": frame["last_year"],
            "next door, mean": frame["next_door"],
            "rank by counts": frame["rank_by_counts"],
        }
    )
    formats = {"expected": ".2f", "low": ",.0f", "high": ",.0f", "rank by counts": ",.0f"}
    formats["next door, mean"] = ".1f"
    for name, column in (
        ("own history", "own_share"),
        ("risk terrain", "prior_share"),
        ("elsewhere", "else"),
    ):
        if column in frame and frame[column].notna().any():
            chosen[f"from {name}"] = frame[column]
            formats[f"from {name}"] = ".0%"
    return Table(
        "predict_top",
        f"The {len(chosen)} cells ranked highest for {forecast.period}, and why",
        chosen, formats | {f"{crimes} last 12 months": ",.0f"}, source,
        counts=(f"{crimes} last 12 months",), published=published,
        note="Low and high: 90 % interval of what may be recorded. From own history: the share of the "
        "forecast that goes when the place's own records are taken out; from risk terrain: what rests on "
        "features of the place; from elsewhere: its neighbours and the mean of all places.",
    )  # fmt: skip


NOTES = (
    "Each forecast used only incidents known before its month; half-lives and bandwidths were chosen again "
    "at each origin on earlier ones. Tied places count at their expected value: no result depends on the "
    "order of rows.",
    "A method is said to do better than counts only if its log score is lower with one-sided p < .05 "
    "(Diebold & Mariano 1995, corrected by Holm for all methods tried) and the interval of its difference in "
    "hit rate at 5 % of area has no part below zero (circular block bootstrap, blocks of 4, 4,000 draws).",
)


def section(
    *,
    backtest: Backtest,
    lagged: Backtest | None,
    test: Holdout | str,
    forecast: Forecast,
    planning: Planning,
    incidents: Incidents,
    cells: Places,
    crimes: str,
    source: str,
    cautions: Sequence[str],
    patrol: Sequence[Block] = (),
    further: Mapping[str, Sequence[Block]] | None = None,
    sealed: Sealed | None = None,
    remarks: Sequence[str] = (),
    records: str = "",
    breaks: Sequence[Break] = (),
    elsewhere: tuple[Elsewhere, ...] = (),
) -> Section:
    """The chapter: findings first, then map, missions, tables and the audit, then what could make it wrong.

    ``patrol`` missions and their dose, ``further`` audit, totals and weather by heading, ``sealed`` what the
    ledger holds.
    """
    findings: Sequence[str] = (
        backtest.verdict.words,
        baseline_sentence(backtest),
        captured_sentence(backtest, forecast.method, crimes),
        test if isinstance(test, str) else holdout_sentence(test, crimes, cells.cell),
        forecast_sentence(forecast, crimes, len(cells)),
        planning_sentence(planning, crimes),
    )
    held = sealed.banners if sealed is not None else ()
    blocks: list[Block] = [Text(findings[0], "finding"), *(Text(words, "warning") for words in held)]
    blocks += [Text(words, "finding") for words in findings[1:]]
    blocks.append(Text(f"The map shown: {forecast.why}"))
    maps_of_it = map_blocks(forecast, backtest, cells, crimes, source, published=incidents.published)
    on_the_map = " ".join([*held, outside_words(forecast, len(incidents)), records])
    blocks.append(Text("Where next", "heading"))
    blocks += on_maps([*maps_of_it, *_headed("Patrols", patrol)], on_the_map)
    blocks.append(Text("Is it better than last year's map?", "heading"))
    if len(backtest.pairs):
        blocks.append(difference_chart(backtest, crimes, source))
    for each in (backtest, *([lagged] if lagged is not None else [])):
        blocks += methods_tables(each, crimes, source)
    blocks += grid_tables(elsewhere, backtest.words, source)
    blocks.append(Text("How good the forecasts are", "heading"))
    blocks += score_blocks(backtest, forecast.method, crimes, source, breaks=breaks)
    for title, part in (further or {}).items():
        blocks += _headed(title, part)
    if sealed is not None:
        blocks += _headed("Forecasts sealed beforehand", sealed_blocks(sealed, source))
    blocks.append(Text("What to bear in mind", "heading"))
    blocks += [Text(words, "warning") for words in (*cautions, records) if words]
    blocks += [
        Text(words, "note") for words in (*NOTES, planning.why, set_sentence(backtest), *remarks) if words
    ]
    return Section("predict", TITLE, QUESTION, tuple(blocks))


def _headed(title: str, blocks: Sequence[Block]) -> list[Block]:
    """The blocks under a heading of their own, or nothing."""
    return [Text(title, "heading"), *blocks] if blocks else []


def _step(backtest: Backtest) -> str:
    return "months" if backtest.horizon == "month" else "days"
