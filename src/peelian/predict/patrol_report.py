"""What the chapter says of missions, of their dose, and of how the map has moved. It computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from peelian import maps
from peelian.report import Block, Chart, Table, Text

if TYPE_CHECKING:
    import geopandas as gpd

    from peelian.places import Places
    from peelian.predict.backtest import Backtest
    from peelian.predict.dosage import Dosage, Explored
    from peelian.predict.forecast import Forecast
    from peelian.predict.missions import Missions

CLASSES = ("to 20 %", "to 10 %", "highest 5 %")
LIMITS = (0.8, 0.9, 0.95)
MOST_MONTHS = 12
KINDS = {"planned": "planned", "explore": "drawn at random", "custom": "added by hand"}


def months_map(backtest: Backtest, cells: Places, method: str, crimes: str, source: str) -> Chart:
    """The forecasts of the last origins as small maps: does the map move, or stand still?"""
    origins = sorted(backtest.by_origin["origin"].unique())[-MOST_MONTHS:]
    forecasts = pd.DataFrame(backtest.forecasts[method][:, -len(origins) :], cells.index)
    form = "%b %Y" if backtest.horizon == "month" else "%d %b %Y"
    classes = {}
    for column, origin in zip(forecasts, origins, strict=True):
        rank = forecasts[column].rank(pct=True)
        word = pd.cut(rank, [*LIMITS, 1], labels=CLASSES).astype(object)
        classes[pd.Timestamp(origin).strftime(form)] = word.where(word.notna(), None)
    held = pd.DataFrame(classes)
    top = held == CLASSES[-1]
    stays = int(top.all(axis=1).sum())
    first, last = held.columns[0], held.columns[-1]
    return Chart(
        "predict_months",
        f"{stays:,} of the {int(top[last].sum()):,} cells in the highest 5 % for {last} were so in each of "
        f"the {len(origins)} {backtest.horizon}s from {first}",
        maps.cells_over_time(cells, held, legend=f"cells by expected {crimes}", order=CLASSES),
        f"{len(origins)} small maps, one a {backtest.horizon} from {first} to {last}, of the fifth of cells "
        f"ranked highest by what was known before it. {stays:,} cells are in the highest 5 % in all of them.",
        None, {}, source,
        note=f"Each map was forecast from what was known before its {backtest.horizon}.",
    )  # fmt: skip


def missions_blocks(
    made: Missions, forecast: Forecast, cells: Places, crimes: str, source: str, *,
    streets: gpd.GeoDataFrame | None = None, published: bool,
) -> list[Block]:  # fmt: skip
    """Sentences, the map of boxes and a table of missions."""
    frame, period = made.frame, forecast.period
    planned = frame[frame["kind"] == "planned"]
    length = frame["kilometres"].sum()
    reach = f" over {length:,.1f} km of street" if length > 0 else ""
    distinct = planned.drop_duplicates("place")
    blocks: list[Block] = [
        Text(
            f"Missions for {period}: {frame['mission'].nunique():,} of them with {len(frame):,} "
            f"stops{reach}, of which {int((frame['kind'] == 'explore').sum()):,} were drawn at random with "
            f"known chances and {int((frame['kind'] == 'custom').sum()):,} were added by hand. The "
            f"{len(distinct):,} planned boxes are {(len(distinct) / len(cells)) * 100:.1f} % of all "
            f"{len(cells):,} cells.",
            "finding",
        ),
        _boxes_map(made, cells, period, source, streets),
        _missions_table(made, crimes, source),
        _stops_table(made, forecast, crimes, source, published=published),
    ]
    blocks += [Text(note) for note in made.notes]
    blocks.append(
        Text(
            "The drawn boxes are no waste: what is recorded in them, each weighted by 1 over its chance, is "
            "the only way to learn of places that the map never names."
        )
    )
    return blocks


def _boxes_map(
    made: Missions, cells: Places, period: str, source: str, streets: gpd.GeoDataFrame | None
) -> Chart:
    first = made.frame.assign(rank=made.frame["kind"].map({"custom": 0, "planned": 1, "explore": 2}))
    kind = first.sort_values("rank").drop_duplicates("place").set_index("place")["kind"].map(KINDS)
    words = kind.reindex(cells.index).fillna("none")
    order = [word for word in KINDS.values() if (words == word).any()]
    return Chart(
        "predict_missions_map",
        f"Boxes of the missions for {period}: {int((words == 'planned').sum()):,} planned, "
        f"{int((words == 'drawn at random').sum()):,} drawn at random",
        maps.cells_map(
            cells, words, legend="box", kind="categories", order=[*order, "none"],
            lines=None if streets is None else streets.to_crs(cells.crs).geometry,
        ),
        f"Map of {len(cells):,} cells, of which {int((words != 'none').sum()):,} are boxes of a mission.",
        None, {}, source,
        note="A box is a place to be visible in, not a place where somebody is suspected of anything.",
    )  # fmt: skip


def _missions_table(made: Missions, crimes: str, source: str) -> Table:
    """A row a mission."""
    groups = made.frame.groupby(["day", "shift", "patrol_area", "mission"], sort=True)
    frame = groups.agg(
        boxes=("place", "size"), drawn=("kind", lambda kind: int((kind == "explore").sum())),
        expected=("expected", "sum"), km=("kilometres", "sum"), minutes=("minutes", "sum"),
    )  # fmt: skip
    shown = frame.reset_index()[["mission", *frame.columns]].rename(
        columns={"expected": f"expected {crimes}"}
    )
    if made.frame["kilometres"].isna().all():
        shown = shown.drop(columns="km")
    return Table(
        "predict_missions", f"Missions: boxes, of them drawn at random, and {crimes} expected in them", shown,
        {f"expected {crimes}": ".2f", "km": ".1f", "minutes": ",.0f"}, source,
        note="Stops in visiting order, each with its reason, are in missions.csv, and for devices in "
        "missions.gpx, .kml, .geojson and .gpkg.",
    )  # fmt: skip


def _stops_table(made: Missions, forecast: Forecast, crimes: str, source: str, *, published: bool) -> Table:
    """The stops of the mission with most expected."""
    frame = made.frame
    name = frame.groupby("mission", sort=True)["expected"].sum().idxmax()
    stops = frame[frame["mission"] == name].sort_values("order")
    about = forecast.frame.loc[stops["place"]]
    last = f"{crimes} last 12 months"
    shown = pd.DataFrame(
        {
            "stop": stops["order"].astype(str).to_numpy() + ". " + about.index,
            "why": stops["kind"].map(KINDS).to_numpy(), f"expected {crimes}": stops["expected"].to_numpy(),
            last: about["last_year"].to_numpy(), "next door, mean": about["next_door"].to_numpy(),
            "rank by counts": about["rank_by_counts"].to_numpy(),
        }
    )  # fmt: skip
    formats = {f"expected {crimes}": ".3f", last: ",.0f", "next door, mean": ".1f", "rank by counts": ",.0f"}
    return Table(
        "predict_stops",
        f"The mission with most expected, {name}: its stops in visiting order, and why",
        shown, formats, source, counts=(last,), published=published,
    )  # fmt: skip


def sheet_blocks(made: Missions, crimes: str, source: str) -> list[Block]:
    """A table a mission, for print: its stops in visiting order, each with its reason."""
    out: list[Block] = []
    for number, (name, stops) in enumerate(made.frame.groupby("mission", sort=False), start=1):
        stops = stops.sort_values("order")
        shown = pd.DataFrame(
            {
                "stop": stops["order"].astype(str) + ". " + stops["place"], "why": stops["kind"].map(KINDS),
                f"expected {crimes}": stops["expected"], "km": stops["kilometres"],
                "minutes": stops["minutes"], "reason": stops["reason"],
            }
        )  # fmt: skip
        shown = shown.dropna(axis=1, how="all")
        formats = {f"expected {crimes}": ".3f", "km": ".2f", "minutes": ".0f"}
        out.append(Table(f"predict_mission_{number}", str(name), shown, formats, source))
    return out


def dosage_blocks(done: Dosage, found: Explored | None, source: str) -> list[Block]:
    """What was delivered of earlier missions."""
    blocks: list[Block] = [
        Text(sentence, "finding" if not number else "plain") for number, sentence in enumerate(done.sentences)
    ]
    if found is not None:
        blocks.append(Text(str(found)))
    shifts = done.shifts.assign(kind=done.shifts["kind"].map(KINDS))
    blocks.append(
        Table(
            "predict_dosage",
            "Minutes delivered of those planned, by area, shift and kind of box",
            shifts,
            {"share": ".0%", "planned_minutes": ",.0f", "delivered_minutes": ",.0f", "crews": ",.0f"},
            source,
            note="A dash: fewer than 5 crews, so that no figure speaks of a person.",
        )
    )
    return blocks
