"""Burglary in London by area and month: the simple methods on four years, and a fit of the best one."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import measure

if TYPE_CHECKING:
    from peelian.incidents import Incidents
    from peelian.places import Places

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "uk"
SIMPLE = (
    "counts(1)", "counts(3)", "counts(12)", "counts(36)", "counts", "same_month", "same_month(3)", "ewma(12)",
    "ewma(24)", "ewma", "gamma_poisson", "kde(500)",
)  # fmt: skip


def london_months(runs: int) -> dict[str, object]:
    """Twelve simple methods, 48 monthly origins 2016-2019, 4,835 areas: forecasts, scores, pairs."""
    import pandas as pd

    from peelian.predict.backtest import backtest
    from peelian.predict.methods import methods_named

    incidents, places = burglary()
    methods, origins = methods_named(SIMPLE, step="month"), pd.period_range("2016-01", "2019-12", freq="M")
    result = measure.function(
        lambda: backtest(methods, incidents, places, origins=origins, by="code", seed=1),
        runs=runs,
        warm=False,
    )
    return {"n": len(places), "origins": len(origins), "methods": len(methods), **result}


def endemic(runs: int) -> dict[str, object]:
    """One fit of the endemic-epidemic model: 4,835 areas x 48 months."""
    from dataclasses import replace

    import pandas as pd

    from peelian.predict.endemic import EndemicEpidemic
    from peelian.predict.history import History

    incidents, places = burglary()
    history = History.of(incidents, places, end=pd.Timestamp("2020-01-01"), by="code")
    model = EndemicEpidemic()
    result = measure.function(lambda: model.fitted(replace(history, memo={})), runs=runs)
    return {"n": len(places), "months": model.months, **result}


@cache
def burglary() -> tuple[Incidents, Places]:
    """Recorded burglaries of 2010-12 to 2021-12 with the area each was published for, and the areas."""
    import geopandas as gpd
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places

    path = DATA / "met_burglary" / "met_burglary_2010-12_2021-12.parquet"
    if not path.is_file():
        raise measure.CannotMeasure(f"Nothing to measure: {path.name} is not here.")
    rows = pd.read_parquet(path, columns=["month", "lsoa_code", "crime_uid"]).sort_values(
        "month", kind="stable"
    )
    rows = rows[~((rows["crime_uid"] != 0) & rows["crime_uid"].duplicated())]
    areas = gpd.read_file(DATA / "boundaries_london" / "london_lsoa_2011.gpkg").set_index("LSOA11CD")
    start = pd.to_datetime(rows["month"].astype(str))
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.offsets.MonthBegin(1), "type": "burglary", "source": "met",
         "place": rows["lsoa_code"].astype(object)},
        geometry=gpd.GeoSeries([None] * len(rows), index=rows.index, crs="EPSG:27700"),
    )  # fmt: skip
    return Incidents(frame, precision="month"), Places.of(areas[["geometry"]])
