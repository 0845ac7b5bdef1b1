"""Tables, charts and the map of the chapter on delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peelian.deliver.report import Delivered, area_table, map_frame
from peelian.report import Block, Chart, Table
from peelian.words import month, per_cent, percent

if TYPE_CHECKING:
    import pandas as pd

    from peelian.places import Places

BARS = 40  # more areas than this are drawn by class
SHOWN = 60  # rows printed; the files hold all
SOURCE = "deliveries file; households of the places file"


def tables(found: Delivered, areas: Places) -> list[Block]:
    """Areas, streets, recovered items."""
    frame = area_table(found, areas)
    frame = frame[frame["place"].isin(found.treated)].drop(columns="treated")
    frame = frame.sort_values(["saturation", "place"], ascending=[False, True])
    there = int((frame["reached"] != "").sum())
    formats = {
        "delivered": ",.0f", "households": ",.0f", "saturation": ".1%", "needed": ",.0f", "short": ",.0f",
    }  # fmt: skip
    title = f"{there:,} of {len(frame):,} areas reached {per_cent(found.line)} by {month(found.at)}"
    rest = f" {len(frame) - SHOWN:,} more are in areas.csv." if len(frame) > SHOWN else ""
    note = "day, earliest, latest: when the line is reached at the last months' pace, with its 95 % interval."
    blocks: list[Block] = [
        Table(
            "deliver_areas", title, frame.head(SHOWN), formats, source=SOURCE,
            counts=("delivered", "short"), published=False, note=note + rest,
        )
    ]  # fmt: skip
    return blocks + _streets(found) + _recovered(found)


def _streets(found: Delivered) -> list[Block]:
    known = found.streets[found.streets["needed"].notna()]
    if known.empty:
        return []
    there = int((known["reached"] != "").sum())
    frame = known.sort_values(["saturation", "place", "street"], ascending=[True, True, True]).head(SHOWN)
    title = f"{there:,} of {len(known):,} streets reached {per_cent(found.line)}; the least saturated first"
    formats = {"dwellings": ",.0f", "delivered": ",.0f", "needed": ",.0f", "saturation": ".1%"}
    return [
        Table(
            "deliver_streets", title, frame, formats, source="deliveries file, dwellings included",
            counts=("delivered",), published=False, note="All streets are in streets.csv.",
        )
    ]  # fmt: skip


def _recovered(found: Delivered) -> list[Block]:
    if found.recovered is None or found.recovered.empty:
        return []
    frame = found.recovered.assign(month=found.recovered["month"].astype(str))
    counts = ("examined", "marked", "traced", "returned")
    return [
        Table(
            "deliver_recoveries", "Items recovered, by month", frame,
            {**dict.fromkeys(counts, ",.0f"), "value": "£,.2f", "values_missing": ",.0f"},
            source="file of recovered items", counts=counts, published=False,
            note="A blank is not recorded; 0 is recorded as none. Values missing are not estimated.",
        )
    ]  # fmt: skip


# -------------------------------------------------------------------- drawn
def charts(found: Delivered, areas: Places) -> list[Block]:
    """Saturation over time, by area against the line, and on the map."""
    return [_course(found), _by_area(found), _map(found, areas)]


def course(found: Delivered) -> pd.DataFrame:
    """Share of homes in the treated areas that have a kit, by month, in per cent."""
    mine = found.table[found.table["place"].isin(found.treated)]
    sums = mine.groupby("month")[["delivered", "households"]].sum().reset_index()
    sums["share"] = 100 * sums["delivered"] / sums["households"].where(sums["households"] > 0)
    return sums


def _course(found: Delivered) -> Chart:
    from peelian import charts

    frame = course(found)
    end = percent(frame["share"].iloc[-1] / 100)
    spec = charts.lines(frame, "month", "share", x_title="month", y_title="homes with a kit, %")
    alt = (
        f"A line from {percent(frame['share'].iloc[0] / 100)} in {month(frame['month'].iloc[0])} to {end} in "
        f"{month(frame['month'].iloc[-1])}."
    )
    shown = frame.assign(month=frame["month"].astype(str))
    return Chart(
        "deliver_course", f"{end} of homes in these areas had a kit by {month(found.at)}", spec, alt, shown,
        {"delivered": ",.0f", "households": ",.0f", "share": ".1f"}, SOURCE,
        counts=("delivered",), published=False,
    )  # fmt: skip


def _by_area(found: Delivered) -> Chart:
    from peelian import charts

    state = found.state.sort_values("saturation", ascending=False, kind="stable")
    frame = (100 * state["saturation"]).rename("share").rename_axis("area").reset_index()
    short = int((state.index.isin(found.ahead["place"])).sum())
    title = f"{short:,} of {len(state):,} areas are below the line of {per_cent(found.line)}"
    alt = (
        f"Bars of {len(state):,} areas, from {percent(state['saturation'].max())} to "
        f"{percent(state['saturation'].min())}; the line stands at {per_cent(found.line)}."
    )
    if len(frame) <= BARS:
        spec = charts.bars(
            frame, "area", "share", x_title="area", y_title="homes with a kit, %", horizontal=True,
            reference=100 * found.line,
        )  # fmt: skip
        return Chart("deliver_saturation", title, spec, alt, frame, {"share": ".1f"}, SOURCE, published=False)
    classes = _classes(frame["share"])
    spec = charts.bars(classes, "homes", "areas", x_title="homes with a kit, %", y_title="areas")
    return Chart("deliver_saturation", title, spec, alt, classes, {"areas": ",.0f"}, SOURCE, published=False)


def _classes(share: pd.Series) -> pd.DataFrame:
    """How many areas lie in each ten points of saturation."""
    import pandas as pd

    limits = [*range(0, 101, 10), float("inf")]
    names = [f"{low} to {low + 10}" for low in range(0, 100, 10)] + ["100 or more"]
    held = pd.cut(share, limits, labels=names, right=False).value_counts(sort=False)
    return pd.DataFrame({"homes": list(held.index.astype(str)), "areas": held.to_numpy()})


def _map(found: Delivered, areas: Places) -> Chart:
    from peelian import maps

    frame = map_frame(found, areas).assign(share=lambda f: 100 * f["saturation"])
    line = 100 * found.line
    spec = maps.areas_map(
        frame, "share", legend="homes with a kit, %", breaks=(line / 4, line / 2, 3 * line / 4, line),
        outline="treated",
    )  # fmt: skip
    there = int(found.since.reindex(found.treated).notna().sum())
    title = f"Where the line was reached: {there:,} of {len(found.treated):,} areas"
    known = found.last["saturation"].dropna()
    alt = f"Map of {len(frame):,} areas; {len(known):,} have a known share of homes with a kit."
    if len(known):
        alt += f" The highest is {known.idxmax()} with {percent(known.max())}."
    note = "Thick border: treated. Not known: no delivery and not treated."
    return Chart("deliver_map", title, spec, alt, source=SOURCE, note=note, published=False)
