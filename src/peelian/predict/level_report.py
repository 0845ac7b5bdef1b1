"""The level in the chapter: what season, calendar and weather did to how many, and the chart with its
breaks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from peelian import charts
from peelian.predict.history import moment_of
from peelian.predict.level import WORDS, Kind, LevelRow, Levels, monthly
from peelian.report import Block, Chart, Table, Text

if TYPE_CHECKING:
    from peelian.predict.backtest import Backtest
    from peelian.predict.history import History
    from peelian.predict.weather import WeatherTest

SHOWN = 96  # months of the chart at most


def level_blocks(
    levels: Levels, rows: Sequence[LevelRow], tested: Backtest, history: History, method: str, asked: Kind, *,
    used: bool, crimes: str, source: str,
) -> list[Block]:  # fmt: skip
    """What season, calendar and weather told of the total and did to the map; and the totals, where
    there is another level or a change of recording.
    """
    words = tested.words[method]
    blocks: list[Block] = []
    if levels.test is not None:
        blocks += [
            Text(levels.test.sentence(crimes)),
            weather_table(levels.test, crimes, source, name="predict_total"),
        ]
    blocks += [Text(level_sentence(row, words, tested, levels)) for row in rows]
    blocks.append(Text(use_sentence(asked, used, rows)))
    blocks += [Text(text, "note") for text in notes(levels)]
    if rows:
        blocks.append(_table(rows, levels, words, tested, source))
    if rows or levels.breaks:
        blocks.append(level_chart(levels, tested, history, method, crimes, source))
    return blocks


def level_sentence(row: LevelRow, words: str, tested: Backtest, levels: Levels) -> str:
    """What a level changed for the map of a method, in a sentence."""
    by = levels.frame["kept_by"].iloc[: tested.origins]
    what = f" ({', '.join(dict.fromkeys(by[by != '']))})" if row.level == "kept" else ""
    few = f" ({row.needed} origins are needed)" if row.origins < row.needed else ""
    verdict = "earned its place" if row.kept else f"did not earn its place{few}"
    return (
        f"Level by {WORDS[row.level]}{what}: the log score of {words} changes by {row.difference:+.4f} (95 % "
        f"interval {row.low:+.4f} to {row.high:+.4f}; one-sided p {row.p:.3f}, in the halves "
        f"{row.p_first:.3f} and {row.p_second:.3f}) on the {row.origins} of {tested.origins} origins with "
        f"such a level. It {verdict}; it moves the citywide level, not where."
    )


def use_sentence(asked: Kind, used: bool, rows: Sequence[LevelRow]) -> str:
    """Which level the map's total has, and how another would be asked for."""
    if used:
        return f'The total of the map is at that level (level = "{asked}" under [predict]).'
    if asked != "year":
        return (
            f'level = "{asked}" was asked for and is not used, because it did not earn its place. The '
            "total of the map is its method's own."
        )
    earned = [row.level for row in rows if row.kept]
    way = f' Write level = "{earned[0]}" under [predict] to scale it.' if earned else ""
    return f"The total of the map is its method's own.{way}"


def notes(levels: Levels) -> list[str]:
    """Why there is no equation, and at which months factors start anew."""
    out = [f"Season, calendar and weather were not tested on the total. {levels.why}"] if levels.why else []
    out += [
        f"Recording changed in {one.month:%B %Y}: {one.what} ({one.source}). Seasonal factors start anew "
        "there."
        for one in levels.breaks
    ]
    return out


def weather_table(found: WeatherTest, crimes: str, source: str, *, name: str = "predict_weather") -> Table:
    """Season, calendar and weather against the equation without each."""
    frame = found.rows.rename(
        columns={
            "adds": "added", "weather": "values", "difference": "change in log score",
            "p_first": "p first half", "p_second": "p second half", "deviance": "change in deviance",
            "log_score": "log score",
        }
    )  # fmt: skip
    frame["kept"] = frame["kept"].map({True: "yes", False: "no"})
    return Table(
        name,
        f"Season, calendar and weather added to forecasts of the number of {crimes} in the whole area, one "
        f"{found.step} ahead",
        frame,
        {"log score": ".4f", "change in log score": "+.4f", "change in deviance": "+.1%"}
        | dict.fromkeys(("p", "p first half", "p second half"), ".3f"),
        source,
        note=f"Season against past counts alone, the rest against both (log score {found.base:.4f}); below 0 "
        "is better; p one-sided (Diebold & Mariano 1995). Kept: p below .05 on all origins and in each half, "
        "and known beforehand.",
    )  # fmt: skip


def _table(rows: Sequence[LevelRow], levels: Levels, words: str, tested: Backtest, source: str) -> Table:
    frame = pd.DataFrame([row.__dict__ for row in rows])
    frame["level"] = frame["level"].map(WORDS)
    frame["kept"] = frame["kept"].map({True: "yes", False: "no"})
    frame = frame.drop(columns="needed").rename(
        columns={
            "difference": "change in log score", "low": "lowest", "high": "highest",
            "p_first": "p first half", "p_second": "p second half",
        }
    )  # fmt: skip
    four = dict.fromkeys(("change in log score", "lowest", "highest"), "+.4f")
    return Table(
        "predict_levels", f"How many in all: other levels for {words}, {tested.origins} {tested.horizon}s",
        frame, four | dict.fromkeys(("p", "p first half", "p second half"), ".3f"), source,
        note="The same map, its total replaced, on the origins with such a level; below 0 is better. 95 % "
        "interval by blocks of 4 origins; p one-sided (Diebold & Mariano 1995). Kept: p below .05 on all of "
        f"them and in each half, and {rows[0].needed} origins or more.",
    )  # fmt: skip


def level_chart(
    levels: Levels, tested: Backtest, history: History, method: str, crimes: str, source: str
) -> Chart:
    """Recorded and expected totals, with the months in which recording changed."""
    frame = totals_frame(levels, tested, history, method)
    first, last = frame["month"].min(), frame["month"].max()
    rules = [
        (one.month.to_timestamp(), "recording changed")
        for one in levels.breaks
        if first <= one.month.to_timestamp() <= last
    ]
    told = frame[frame["series"] == "expected"]["count"].sum()
    held = frame[(frame["series"] == "recorded") & frame["month"].isin(_months(frame))]["count"].sum()
    return Chart(
        "predict_level",
        f"{tested.words[method][0].upper()}{tested.words[method][1:]} expected {told:,.0f} {crimes} in the "
        f"tested months, and {held:,.0f} were recorded",
        charts.lines(
            frame, "month", "count", series="series", x_title="", y_title=f"{crimes} a month", rules=rules
        ),
        f"Lines of recorded {crimes} by month and of the totals expected in the tested months, as forecast "
        "and at other levels. "
        + "; ".join(f"a rule in {one.month:%B %Y}: recording changed" for one in levels.breaks),
        frame, {"count": ",.0f"}, source,
    )  # fmt: skip


def _months(frame: pd.DataFrame) -> Any:
    return frame.loc[frame["series"] == "expected", "month"].unique()


def totals_frame(levels: Levels, tested: Backtest, history: History, method: str) -> pd.DataFrame:
    """Recorded and expected totals by month, long: ``month``, ``series``, ``count``.

    Weeks are added up by the month that they start in, recorded ones too, so that both hold the same weeks.
    """
    starts = pd.DatetimeIndex([moment_of(at, history.step) for at in levels.frame.index[: tested.origins]])
    month = starts.to_period("M").to_timestamp()
    held = monthly(history)
    recorded = pd.Series(held.to_numpy(), held.index.to_timestamp()).dropna()
    within = pd.Series(tested.outcomes.sum(axis=0), month).groupby(level=0).sum()
    recorded = recorded.reindex(recorded.index.union(within.index))
    recorded[within.index] = within
    series = {"recorded": recorded.iloc[-SHOWN:]}
    made = {"expected": tested.forecasts[method].sum(axis=0)}
    for kind, words in (("seasonal", "expected, with the season"), ("kept", "expected, with what was kept")):
        values = levels.frame[kind].iloc[: tested.origins].to_numpy(float)
        if np.isfinite(values).any():
            made[words] = values
    for words, values in made.items():
        series[words] = pd.Series(values, month).groupby(level=0).sum(min_count=1).dropna()
    return pd.concat(
        [
            pd.DataFrame({"month": one.index, "series": words, "count": one.to_numpy(float)})
            for words, one in series.items()
        ],
        ignore_index=True,
    )
