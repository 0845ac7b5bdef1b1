"""What the forecast is given of a project: terrain, weather, files of its table, what was found before."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peelian.chapters.context import Context, stage_parameters
from peelian.chapters.held import month_of
from peelian.errors import DataError, some
from peelian.outputs import HIDDEN
from peelian.report import Outcome

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.predict.beside import Holdings
    from peelian.predict.exposure import Split
    from peelian.predict.tables import FeatureTable


def predict(context: Context) -> Outcome:
    """The incidents, the grid and the areas, with the risk terrain as a prior where there is one."""
    from peelian.predict import run as stage

    return stage.run(
        context.incidents, context.cells, context.places,
        stage_parameters(context.project, "predict", stage.Parameters),
        **given_to_predict(context), progress=context.ticker("predict"),
    )  # fmt: skip


def part_of_predict(context: Context, part: str) -> Outcome:
    """One part of the stage on its own, from what the stages before have left."""
    from peelian.predict import run as stage
    from peelian.predict.only import only

    given = given_to_predict(context)
    visits = context.made("plan", "patrol.csv")
    if visits is not None:
        given["given"] = replace(given["given"], visits=_rows(visits))
    given.pop("store")
    return only(
        part, context.incidents, context.cells, context.places,
        stage_parameters(context.project, "predict", stage.Parameters), **given,
    )  # fmt: skip


def given_to_predict(context: Context) -> dict[str, Any]:
    """What the stage takes besides incidents, grid and areas: terrain, files of its table, weather,
    ledger."""
    import geopandas as gpd

    from peelian.predict.patrol import Given

    terrain, about = context.made("explain", "cells.parquet"), context.made("explain", "terrain.json")
    prior = prior_to = None
    if terrain is not None and about is not None:
        prior = gpd.read_parquet(terrain)["risk"].fillna(0.0)  # no homes, no risk to anybody's home
        prior_to = month_of(json.loads(about.read_text(encoding="utf-8"))["fitted_on"][1])
    streets = context.file("predict", "streets")
    tables = {name: context.file("predict", name) for name in ("custom", "checkins", "planned")}
    held = {name: None if path is None else _rows(path) for name, path in tables.items()}
    return {
        "prior": prior, "prior_to": prior_to, "seed": context.project.seed("predict"),
        "crime": context.project.outcome, "by": context.by, "weather": weather_of(context),
        "holdings": holdings_of(context),
        "ledger": context.project.folder / "ledger",
        "store": context.project.folder / HIDDEN / "backtest", "force": context.panel_table.force,
        "given": Given(
            None if streets is None else spatial(streets),
            custom=held["custom"], checkins=held["checkins"], planned=held["planned"],
            near_repeat=near_repeat_of(context, prior_to), marking=context.project.project.marking,
        ),
    }  # fmt: skip


def holdings_of(context: Context) -> Holdings:
    """What learned methods may learn from besides incidents: layers, weather forecasts, a split by homes."""
    from peelian.predict.beside import Holdings
    from peelian.predict.run import Parameters

    project = context.project
    asked = stage_parameters(project, "predict", Parameters).features
    forecasts = split = None
    if asked.forecasts:
        forecasts = _forecasts(project.existing(asked.forecasts, table="predict", key="forecasts"))
    if asked.split:
        split = _split(context, asked, project.existing(asked.split, table="predict", key="split"))
    return Holdings(context.layers, forecasts, split)


def _forecasts(path: Path) -> pd.DataFrame:
    """Forecasts of the weather: when each was ``issued``, for which ``date``, and what it said."""
    import pandas as pd

    frame = pd.read_csv(path)
    lacking = [name for name in ("issued", "date") if name not in frame]
    if lacking or not {"tmean", "rain"} & set(frame):
        raise DataError(
            f"{path}: forecasts of weather need the columns issued, date, and tmean or rain; there are "
            f"{some(frame.columns, 20)}."
        )
    return frame.assign(issued=pd.to_datetime(frame["issued"]), date=pd.to_datetime(frame["date"]))


def _split(context: Context, asked: FeatureTable, path: Path) -> Split:
    """Published counts of all burglary and of homes, by larger area and month."""
    import pandas as pd

    from peelian.predict.breaks import breaks_of
    from peelian.predict.exposure import Split
    from peelian.read.mps import counts

    held = counts(path)
    homes, every = (held.of(name).unstack() for name in (asked.split_homes, asked.split_all))
    for table in (homes, every):
        table.columns = pd.PeriodIndex(table.columns.astype(str), freq="M")
    breaks = breaks_of(context.project.outcome, force=context.panel_table.force)
    return Split(
        homes.reindex(every.index, fill_value=0), every, asked.split_by, path.name,
        tuple(one.month for one in breaks),
    )  # fmt: skip


def near_repeat_of(context: Context, seen_to: str | None) -> str:
    """The method ``near_repeat`` with the excess and the reach that ``explain`` found, or nothing.

    Excess: pairs above what dates dealt within strata give, near and at the same place, over incidents.
    """
    record = context.made("explain", "stage.json")
    found = None if record is None else json.loads(record.read_text("utf-8"))["summary"].get("near_repeats")
    by_hours = context.project.table("explain").get("near_repeat", {}).get("unit") == "hours"
    if not found or not found["near"] or by_hours:
        return ""
    parts = [part for part in (found["near"], found["same_place"]) if part]
    excess = sum(part["observed"] - part["expected"] for part in parts) / found["events"]
    near, seen_to = found["near"], found.get("seen_to", seen_to)
    return (
        f"near_repeat({min(max(excess, 0.0), 0.99):.4f}, distance={near['distance']:g}, "
        f"days={near['time']:.0f}, seen_to={seen_to!r})"
    )


def weather_of(context: Context) -> pd.DataFrame | None:
    """Weather and calendar by day, or by month where incidents or the file know no days; or None."""
    import pandas as pd

    by_day = context.weather is not None and context.incidents.precision != "month"
    held = context.weather if by_day else context.weather_months
    if held is None:
        return None
    return held.set_index(pd.PeriodIndex(held["date"], freq="D" if by_day else "M")).drop(columns="date")


def spatial(path: Path) -> gpd.GeoDataFrame:
    """Any spatial file, as it stands."""
    from peelian.read.areas import spatial

    return spatial(path)


def _rows(path: Path) -> pd.DataFrame:
    """A table as text, for the stage to check."""
    import pandas as pd

    return pd.read_csv(path, dtype=str).pipe(
        lambda frame: frame.assign(
            **{
                name: pd.to_numeric(frame[name])
                for name in ("minutes", "probability", "expected")
                if name in frame
            }
        )
    )
