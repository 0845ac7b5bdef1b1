"""The words, table and chart of when incidents happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peelian.report import Block, Chart, Table, Text

if TYPE_CHECKING:
    import pandas as pd

    from peelian.explain.times import Aoristic

UNITS = {
    "hour": "hour of the day", "hour-of-week": "hour of the week", "day": "day", "month": "month",
    "shift": "shift",
}  # fmt: skip
FORMATS = {
    "Aoristic": ",.1f", "At the start": ",.0f", "At the middle": ",.0f", "At the end": ",.0f",
    "At random": ",.0f",
}  # fmt: skip


def sentence(found: Aoristic) -> str:
    """The finding in one sentence."""
    total = found.frame["aoristic"].sum()
    top = str(found.frame["aoristic"].idxmax())
    held = float(found.frame["aoristic"].max())
    by_start = str(found.frame["start"].idxmax())
    text = (
        f"The busiest {UNITS[found.by]} for {found.crime} is {top}: {held:,.1f} of {total:,.0f} incidents "
        f"({100 * held / total:.1f} %), each spread over the window in which it may have happened."
    )
    if by_start != top:
        text += f" By the start of the window alone it would be {by_start}."
    return text


def table(found: Aoristic) -> pd.DataFrame:
    """By bin: the aoristic sum and what single moments would say."""
    shown = found.frame.reset_index()
    shown.columns = [
        UNITS[found.by].capitalize(), "Aoristic", "At the start", "At the middle", "At the end", "At random",
    ]  # fmt: skip
    return shown


def blocks(found: Aoristic, *, published: bool) -> list[Block]:
    """What the chapter says of times; the first text is the finding."""
    shown = table(found)
    head = shown if len(shown) <= 31 else shown.sort_values(
        ["Aoristic", shown.columns[0]], ascending=[False, True], ignore_index=True
    ).head(14)  # fmt: skip
    return [
        Text(sentence(found), "finding"),
        _chart(found, shown, published),
        Table(
            "times",
            f"When {found.crime} happened, by {UNITS[found.by]}", head, FORMATS,
            counts=tuple(FORMATS), published=published,
            note="" if len(head) == len(shown) else f"The {len(head)} busiest of {len(shown)}.",
        ),
        Text(_method(found), "note"),
    ]  # fmt: skip


def _chart(found: Aoristic, shown: pd.DataFrame, published: bool) -> Chart:
    from peelian import charts

    name = shown.columns[0]
    frame = shown[[name, "Aoristic"]]
    if found.by == "hour-of-week":
        day, hour = shown[name].str[:-3], shown[name].str[-2:].astype(int)
        frame = shown.assign(Day=day, Hour=hour)[["Day", "Hour", "Aoristic"]]
        spec = charts.lines(frame, "Hour", "Aoristic", series="Day", x_title="hour", y_title="incidents")
    else:
        spec = charts.bars(frame, name, "Aoristic", x_title=UNITS[found.by], y_title="incidents")
    top, low = shown.loc[shown["Aoristic"].idxmax()], shown.loc[shown["Aoristic"].idxmin()]
    return Chart(
        "times_chart",
        f"{found.crime[:1].upper()}{found.crime[1:]} peaks at {top[name]}",
        spec,
        f"Incidents by {UNITS[found.by]}, aoristic. Highest {top[name]} ({top['Aoristic']:,.1f}), lowest "
        f"{low[name]} ({low['Aoristic']:,.1f}).",
        frame, FORMATS, counts=("Aoristic",), published=published,
    )  # fmt: skip


def _method(found: Aoristic) -> str:
    account = ", ".join(f"{name} {number:,}" for name, number in found.accounting.items())
    return (
        f"Aoristic weights (Ratcliffe 2000): the part of a window that lies in the bin. Half of the "
        f"windows are shorter than {found.median_hours:,.1f} hours, three quarters shorter than "
        f"{found.upper_hours:,.1f}, the longest is {found.longest_hours:,.0f}; the cap is "
        f"{found.cap:g} hours. Incidents: {account}."
    )
