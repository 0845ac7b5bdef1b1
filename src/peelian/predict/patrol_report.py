"""What the chapter says of missions and of their dose. It computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from peelian import maps
from peelian.report import Block, Chart, Table, Text

if TYPE_CHECKING:
    import geopandas as gpd

    from peelian.places import Places
    from peelian.predict.dosage import Dosage, Explored
    from peelian.predict.forecast import Forecast
    from peelian.predict.missions import Missions

KINDS = {"planned": "planned", "explore": "drawn at random", "custom": "added by hand"}


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


def dosage_blocks(
    done: Dosage, found: Explored | None, scored: pd.DataFrame | None, source: str
) -> list[Block]:
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
    if scored is not None:
        frame = scored.assign(kind=scored["kind"].map(KINDS))
        blocks.append(
            Table(
                "predict_boxes",
                "Incidents expected and recorded in the boxes on their days, by why each was chosen",
                frame,
                {"expected": ",.1f", "recorded": ",.0f", "low": ",.0f", "high": ",.0f", "box_days": ",.0f"},
                source,
                note="Low and high: 90 % limits of what was expected, as a Poisson. Boxes that somebody "
                "added stand apart. What was recorded where patrols were is not what would have been "
                "without them.",
            )
        )
    return blocks
