"""What the chapter says of the further scores: distributions, totals, calibration, ground and streets. It
computes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from peelian import charts
from peelian.predict.pooling import BEST
from peelian.report import Block, Chart, Table, Text

if TYPE_CHECKING:
    from peelian.predict.backtest import Backtest
    from peelian.predict.breaks import Break

UNITS = {
    "km2": ("the ground", "km²"), "km of street": ("the streets", "km of street"),
    "homes": ("the homes", "1,000 homes"), "kits": ("the kits", "1,000 kits"),
}  # fmt: skip
LONG_PERIODS = {"month": "months", "week": "weeks", "day": "days"}


def score_files(backtest: Backtest) -> dict[str, Any]:
    """The further scores as files."""
    return {
        "backtest_to_best.csv": backtest.to_best, "backtest_deciles.csv": backtest.deciles,
        "backtest_pit.csv": backtest.pit, "backtest_coverage.csv": backtest.physical,
    }  # fmt: skip


def main_share(backtest: Backtest) -> float:
    """The share of the area that was fixed beforehand: 5 %, or the nearest that was asked for."""
    from peelian.predict.backtest import MAIN_SHARE

    return min(backtest.shares, key=lambda value: abs(value - MAIN_SHARE))


def baseline_sentence(backtest: Backtest) -> str:
    """Which baseline is the best, and whether any model beyond the baselines has a lower log score."""
    best = backtest.best_baseline
    score = backtest.pooled.set_index("method")["log_score"]
    said = (
        f"Best of {len(backtest.baselines) or 1} baselines by log score: {backtest.words[best]}, "
        f"{score[best]:.4f}."
    )
    pairs = backtest.to_best[~backtest.to_best["method"].isin([*backtest.baselines, backtest.reference])]
    if pairs.empty:
        return f"{said} No model beyond them was tried."
    lowest = pairs.loc[pairs["log_score"].idxmin()]
    clear = int((pairs["log_score_high"] < 0).sum())
    models = "The one model" if len(pairs) == 1 else f"Of {len(pairs)} models the best"
    below = "none lies" if not clear else "it lies" if clear == 1 else f"{clear} lie"
    verdict = "" if len(pairs) == 1 and not clear else f"; {below} wholly below it"
    return (
        f"{said} {models}, {backtest.words[lowest['method']]}, differs from it by {lowest['log_score']:+.4f} "
        f"(95 % interval {lowest['log_score_low']:+.4f} to {lowest['log_score_high']:+.4f}; below 0 is "
        f"better){verdict}."
    )


def score_blocks(
    backtest: Backtest, method: str, crimes: str, source: str, *, breaks: Sequence[Break] = ()
) -> list[Block]:
    """The further scores of all methods, and for the map shown its totals, calibration and coverage."""
    lacking = not_held(backtest)
    return [
        totals_chart(backtest, method, crimes, source, breaks),
        deciles_chart(backtest, method, crimes, source),
        pit_chart(backtest, method, crimes, source),
        distribution_table(backtest, source),
        choice_table(backtest, source),
        coverage_table(backtest, method, crimes, source),
        *([lacking] if lacking else []),
    ]


def totals_chart(backtest: Backtest, method: str, crimes: str, source: str, breaks: Sequence[Break]) -> Chart:
    """Recorded and expected in all, period by period: the count test."""
    rows = backtest.by_origin[backtest.by_origin["method"] == method].sort_values("origin")
    outside = (rows["incidents"] < rows["count_low"]) | (rows["incidents"] > rows["count_high"])
    every = LONG_PERIODS[backtest.horizon]
    frame = pd.concat(
        [
            pd.DataFrame({backtest.horizon: rows["origin"], "number": rows[column], "series": name,
                          "low": rows["count_low"] if name == "expected" else rows[column],
                          "high": rows["count_high"] if name == "expected" else rows[column]})
            for column, name in (("incidents", "recorded"), ("expected", "expected"))
        ],
        ignore_index=True,
    )  # fmt: skip
    first, last = rows["origin"].iloc[0], rows["origin"].iloc[-1]
    seen = [one for one in breaks if first <= one.month.start_time <= last]
    inside = [(one.month.start_time, f"recording changed, {one.month:%b %Y}") for one in seen]
    table = rows[["origin", "incidents", "expected", "count_low", "count_high", "count_p"]].rename(
        columns={
            "origin": backtest.horizon, "incidents": "recorded", "count_low": "low", "count_high": "high",
            "count_p": "p",
        }
    )  # fmt: skip
    return Chart(
        "predict_totals",
        f"In {int(outside.sum())} of {len(rows)} {every} the number of {crimes} was outside the 90 % limits "
        "of what was forecast beforehand",
        charts.lines(
            frame, backtest.horizon, "number", series="series", low="low", high="high",
            y_title=f"{crimes} in all", rules=inside,
        ),
        f"Two lines over {len(rows)} {every}, recorded and expected {crimes}, with 90 % limits of the "
        f"forecast. First: {rows['incidents'].iloc[0]:,.0f} recorded, {rows['expected'].iloc[0]:,.0f} "
        f"expected; last: {rows['incidents'].iloc[-1]:,.0f} and {rows['expected'].iloc[-1]:,.0f}.",
        table, {"recorded": ",.0f", "expected": ",.1f", "low": ",.0f", "high": ",.0f", "p": ".3f"}, source,
        note=f"The map shown ({backtest.words[method]}). Limits from how far earlier totals were off; p of "
        "the count test, two-sided. About one period in ten lies outside by chance."
        + "".join(f" {one.month:%B %Y}: {one.what} ({one.source})." for one in seen),
    )  # fmt: skip


def deciles_chart(backtest: Backtest, method: str, crimes: str, source: str) -> Chart:
    """Mean expected and recorded by tenth of the forecasts."""
    rows = backtest.deciles[backtest.deciles["method"] == method]
    frame = pd.concat(
        [rows[["tenth"]].assign(number=rows[name], series=name) for name in ("expected", "recorded")],
        ignore_index=True,
    )
    top = rows.iloc[-1]
    return Chart(
        "predict_deciles",
        f"Where most were expected, {top['expected']:.3f} {crimes} a place and {backtest.horizon} were "
        f"forecast and {top['recorded']:.3f} recorded",
        charts.lines(frame, "tenth", "number", series="series",
                     x_title="tenth of the forecasts, from the lowest",
                     y_title=f"{crimes} a place"),
        f"Two lines over tenths of all forecasts: expected and recorded {crimes} a place. Lowest tenth "
        f"{rows['expected'].iloc[0]:.3f} and {rows['recorded'].iloc[0]:.3f}, highest {top['expected']:.3f} "
        f"and {top['recorded']:.3f}.",
        rows[["tenth", "places", "expected", "recorded"]],
        {"tenth": ".0f", "places": ",.0f", "expected": ".4f", "recorded": ".4f"}, source,
        note="Lines that lie on each other: as many came as were expected, where few and where many were. "
        "Places with the same forecast stand in one tenth.",
    )  # fmt: skip


def pit_chart(backtest: Backtest, method: str, crimes: str, source: str) -> Chart:
    """Where outcomes fell in their forecast distributions."""
    rows = backtest.pit[backtest.pit["method"] == method]
    low, high = rows["share"].min(), rows["share"].max()
    frame = rows[["tenth", "share"]].assign(tenth=rows["tenth"].map(lambda n: f"{n * 10 - 10} to {n * 10} %"))
    return Chart(
        "predict_pit",
        f"Outcomes in each tenth of their forecast distributions: {low * 100:.1f} to {high * 100:.1f} % (10 "
        "% in each were the forecasts calibrated)",
        charts.bars(frame, "tenth", "share", x_title="part of the distribution", y_title="share of outcomes",
                    reference=0.1),
        "Ten bars: the share of outcomes in each tenth of their forecast distribution, between "
        f"{low * 100:.1f} and {high * 100:.1f} %.",
        frame, {"share": ".2%"}, source,
        note="Randomised, because counts are whole numbers (randomised PIT, negative binomial with the "
        "dispersion of earlier origins). High at both ends: too narrow; high in the middle: too wide.",
    )  # fmt: skip


def distribution_table(backtest: Backtest, source: str) -> Table:
    """Scores of every method as a distribution."""
    pooled = backtest.pooled[backtest.pooled["method"] != BEST]
    frame = pd.DataFrame(
        {
            "method": pooled["words"], "Poisson": pooled["log_score"],
            "negative binomial": pooled["log_score_nb"],
            "information gain": pooled["information_gain"], "Brier": pooled["brier"],
            "CRPS": pooled["crps"], "slope": pooled["slope"], "totals outside": pooled["counts_outside"],
            "floored": pooled["floored"],
        }
    )  # fmt: skip
    formats = dict.fromkeys(("Poisson", "negative binomial", "Brier", "CRPS"), ".4f")
    formats |= {"information gain": ".3f", "slope": ".2f", "totals outside": ",.0f", "floored": ",.0f"}
    return Table(
        "predict_distributions",
        f"Every method's forecasts as distributions, over {backtest.origins} "
        f"{LONG_PERIODS[backtest.horizon]}",
        frame, formats, source,
        note="Log score as a Poisson, and as a negative binomial with the dispersion of earlier origins; "
        "Brier score of “any at all”; CRPS: lower is better. Information gain: nats an incident over "
        "“equal everywhere”. Slope 1: places forecast twice as high had twice as many. Totals outside: "
        "periods outside the 90 % limits. Floored: forecasts raised to a fiftieth of the mean before the "
        "logarithm.",
    )  # fmt: skip


def choice_table(backtest: Backtest, source: str) -> Table:
    """What every method's choice of places held, how it moves and how it lies."""
    pooled = backtest.pooled[backtest.pooled["method"] != BEST]
    share = main_share(backtest)
    label = f"{share * 100:g}"
    frame = pd.DataFrame(
        {
            "method": pooled["words"], "mean held to 5 %": pooled["auc_5"], "to 10 %": pooled["auc_10"],
            "PEI": pooled[f"pei_{label}"], "PEI*": pooled[f"pei_area_{label}"], "RRI": pooled[f"rri_{label}"],
            "same as the last": pooled["jaccard"], "clumpiness": pooled["clumpiness"],
            "chosen every time": pooled["always"],
        }
    )  # fmt: skip
    two = dict.fromkeys(("PEI", "PEI*", "RRI", "same as the last", "clumpiness"), ".2f")
    return Table(
        "predict_choices",
        f"The {share * 100:g} % of the area ranked highest: how near the best, how it moves from "
        f"{backtest.horizon} to {backtest.horizon}, and how it lies",
        frame, two | {"mean held to 5 %": ".1%", "to 10 %": ".1%", "chosen every time": ".0%"}, source,
        note="Mean held over all cuts to 5 and 10 % of the area: the partial area under the curve, over "
        "its width. PEI: held as a share of the most that as many places could hold; PEI*: of the most in "
        "the same area (equal for equal cells; elsewhere the last place by its part). RRI: predicted over "
        "recorded. Same as the last: places in both choices over places in either (Jaccard). Clumpiness: 1 "
        "in one clump, 0 as if at random, -1 each by itself. Chosen every time: part of the choice that "
        "never left it (Adepeju, Rosser & Cheng 2016). A choice that never moves needs no new map each "
        "time.",
    )  # fmt: skip


def coverage_table(backtest: Backtest, method: str, crimes: str, source: str) -> Table:
    """What the map shown held of the incidents, by share of ground, streets and homes."""
    rows = backtest.physical[backtest.physical["method"] == method]
    counts = backtest.physical[backtest.physical["method"] == backtest.reference].set_index(
        ["measure", "share"]
    )
    keys = list(zip(rows["measure"], rows["share"], strict=True))
    unit = rows["measure"].map(lambda name: UNITS.get(name, (name, name))[0])
    per = rows["measure"].map(lambda name: UNITS.get(name, (name, name))[1])
    frame = pd.DataFrame(
        {
            "the riskiest": [f"{s * 100:g} % of {word}" for s, word in zip(rows["share"], unit, strict=True)],
            "amount": rows["amount"].to_numpy(), "held": rows["hit_rate"].to_numpy(),
            "low": rows["low"].to_numpy(), "high": rows["high"].to_numpy(),
            "counts held": counts["hit_rate"].loc[keys].to_numpy(),
            "found": rows["efficiency"].to_numpy(),
            "for each": per.to_numpy(),
        }
    )  # fmt: skip
    if method == backtest.reference:
        frame = frame.drop(columns="counts held")
    return Table(
        "predict_coverage",
        f"What the map held of {crimes}, by share of the ground, and of streets and homes where they are "
        "known",
        frame,
        dict.fromkeys(("held", "low", "high", "counts held"), ".1%") | {"amount": ",.1f", "found": ",.2f"},
        source,
        note=f"The map shown ({backtest.words[method]}), ranked by risk for each unit, over "
        f"{backtest.origins} {LONG_PERIODS[backtest.horizon]}; 95 % intervals over origins. Found: {crimes} "
        f"a {backtest.horizon} for each km², km of street, or 1,000 homes or kits (search efficiency).",
    )  # fmt: skip


def not_held(backtest: Backtest) -> Text | None:
    """Which measures of coverage are lacking, and what would give them."""
    lacking = {
        "km of street": "streets ([predict] streets)", "homes": "homes ([places] households)",
    }  # fmt: skip
    have = set(backtest.physical["measure"])
    words = [word for name, word in lacking.items() if name not in have]
    return Text(f"Coverage is not shown by {' and '.join(words)}: not held.", "note") if words else None
