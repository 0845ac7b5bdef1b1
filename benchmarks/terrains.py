"""Risk terrains of both modes on real places, with the hit rate of history beside them.

``python -m benchmarks terrains`` fits burglary in Hounslow, violence in Ealing and burglary in Chicago with
both modes; ``boroughs``, violence in 25 boroughs of London, takes minutes and is asked for by itself.
``python -c "from benchmarks.terrains import rules; print(rules())"`` prints the deviance on tiles left out
for both rules and three tile sides.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import measure

if TYPE_CHECKING:
    import pandas as pd

    from peelian.explain.model import RiskTerrain
    from peelian.incidents import Incidents
    from peelian.layers import Layers
    from peelian.places import Places

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
SHARE = 0.05
FEWEST = 30
CELL = 100
INCOMPLETE = (
    "Bexley", "City of London", "Croydon", "Hackney", "Kensington and Chelsea", "Redbridge", "Southwark",
    "Tower Hamlets",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Town:
    """A place to fit: events of the fit, last year's count and the later count by cell, and features."""

    name: str
    crime: str
    places: Places
    fit: Incidents | pd.Series
    last_year: pd.Series
    later: pd.Series
    layers: Layers
    offset: pd.Series | None = None


def terrains(runs: int) -> dict[str, object]:
    """Every town in both modes: what is reported, and the share of later incidents in the top 5 %."""
    found: list[dict[str, Any]] = []

    def every() -> None:
        found.clear()
        found.extend(
            row(town, fitted(town, mode))
            for town in (hounslow(), ealing(), chicago())
            for mode in ("modern", "rtmdx")
        )

    return {"n": 6, **measure.function(every, runs=runs), "terrains": found}


def off_grid(runs: int) -> dict[str, object]:
    """Burglary in Hounslow over LSOAs and hexagons in both modes, as ``terrains`` has it over cells."""
    found: list[dict[str, Any]] = []

    def every() -> None:
        found.clear()
        for kind in ("areas", "hexagons"):
            town = hounslow(kind)
            found.extend(row(town, fitted(town, mode, block=2 * CELL)) for mode in ("modern", "rtmdx"))

    return {"n": 4, **measure.function(every, runs=runs), "terrains": found}


def fitted(town: Town, mode: str, **more: Any) -> RiskTerrain:
    """The terrain of a town with every check."""
    from peelian.explain import rtm

    return rtm(
        town.fit, town.layers, town.places, seed=1829, mode=mode, offset=town.offset, crime=town.crime,
        replicates=200 if mode == "modern" else 100, workers=2, **more,
    )  # type: ignore[arg-type]  # fmt: skip


def row(town: Town, terrain: RiskTerrain) -> dict[str, Any]:
    """Headlines of one terrain, with the three ways of ranking cells side by side."""
    from peelian.explain.extent import sizes
    from peelian.explain.tried import blended

    risk = terrain.expected.fillna(0.0)
    blend = blended(risk, town.last_year)
    size = None if town.places.cell else sizes(town.places).to_numpy()
    held = {name: top(score, town.later, size) for name, score in
            {"terrain": risk, "last_year": town.last_year, "blend": blend}.items()}  # fmt: skip
    terms = terrain.terms
    return {
        "town": town.name, "mode": terrain.mode, "cells": len(town.places), "tried": len(terrain.factors),
        "events": int(terrain.counts.sum()), "later": int(town.later.sum()), "capture": held,
        "verdicts": {
            word: terms.loc[terms["verdict"] == word, "variable"].tolist()
            for word in ("report", "weak", "do not report")
        },
        "sentence": str(terrain), "moran": terrain.inference["moran"],
    }  # fmt: skip


def top(score: pd.Series, later: pd.Series, size: Any = None) -> float:
    """Share of later incidents in the top 5 % of cells (of the ground, where places are not alike), ties at
    their expected value."""
    from peelian.explain.extent import dense
    from peelian.explain.terrain import captured

    return round(captured(dense(score.to_numpy(float), size), later.to_numpy(float), SHARE, size), 4)


def rules() -> list[dict[str, Any]]:
    """Deviance a cell on tiles left out, by town, side of the tiles and rule, with that of a constant."""
    from peelian.explain import modern
    from peelian.explain.problem import observe

    found = []
    for town, sides in ((chicago(), (1500, 3000, 5000)), (hounslow(), (1500, 2000, 3000))):
        observed = observe(town.fit, town.places, period=None, seed=1829, force=False)
        for side in sides:
            options = modern.Options(tile=side)
            posed = modern.pose(
                observed, town.layers, town.places, options, offset=town.offset, adjust=None, factor_of=None,
                seed=1829, crime=town.crime, snapped=bool(getattr(town.fit, "snapped", False)),
                allow_police_activity=None,
            )  # fmt: skip
            chosen = modern.choose(posed, posed.counts, options)
            found.append({"town": town.name, "tile": side, **chosen.deviances})
    return found


# -------------------------------------------------------------------- the towns
def hounslow(kind: str = "cells") -> Town:
    """Burglary 2016 to 2018, later 2019; points of interest of open government sources and OpenStreetMap.

    ``kind``  ``cells``, ``hexagons`` or ``areas`` (LSOAs).
    """
    import geopandas as gpd
    import pandas as pd

    from peelian.explain.ground import spread_households
    from peelian.places import Places

    pack = _there("uk/flagship_hounslow")
    frame = gpd.read_file(pack / "hounslow_1km_lsoa_2011.gpkg").rename(columns={"HHOLDS": "households"})
    areas = Places.of(frame.set_index("LSOA11CD"))
    borough = areas.select(areas.index[areas.frame["in_borough"].astype(bool)])
    laid = {"cells": Places.grid, "hexagons": Places.hexagons}
    places = laid[kind](borough.geometry, CELL) if kind in laid else borough
    with zipfile.ZipFile(pack / "street_burglary_2012_2019_police_uk_layout.zip") as archive:
        names = [n for n in archive.namelist() if n.endswith(".csv") and Path(n).name[:4] >= "2016"]
        rows = pd.concat([pd.read_csv(archive.open(name)) for name in names], ignore_index=True)
    every = _months(rows["Month"], rows["Longitude"], rows["Latitude"], "Burglary")
    files = ("pois_ogl.csv.gz", "pois_osm_odbl.csv.gz")
    points = pd.concat([pd.read_csv(pack / f, low_memory=False) for f in files], ignore_index=True)
    return _split(
        "Hounslow", "burglary", places, every, ("2016-01", "2018-12"), ("2019-01", "2019-12"),
        _layers(points, places), spread_households(areas, places),
    )  # fmt: skip


def ealing() -> Town:
    """Violence May 2016 to December 2017 (March 2016 is incomplete), later January to June 2018."""
    import geopandas as gpd

    return _london("Ealing", gpd.read_file(_there("uk/boundaries_london") / "london_borough_2022.gpkg"), CELL)


def boroughs() -> Town:
    """Violence in the 25 boroughs whose points are complete, as in ``ealing``; cells of 200 m."""
    import geopandas as gpd

    frame = gpd.read_file(_there("uk/boundaries_london") / "london_borough_2022.gpkg")
    whole = ~frame["LAD22NM"].isin(INCOMPLETE)
    frame.loc[whole, "LAD22NM"] = "25 boroughs"
    return _london("25 boroughs", frame, 200)


def _london(name: str, boroughs: Any, cell: float) -> Town:
    import pandas as pd

    from peelian.places import Places

    places = Places.grid(boroughs[boroughs["LAD22NM"] == name], cell)
    folder = _there("uk/met_street_all_types_2016_2018")
    rows = pd.read_parquet(folder / "met_street_api_2016-01_2018-06.parquet")
    rows = rows[rows["category"] == "violent-crime"]
    west, south, east, north = places.frame.to_crs(4326).total_bounds
    rows = rows[rows["longitude"].between(west, east) & rows["latitude"].between(south, north)]
    every = _months(rows["month"], rows["longitude"], rows["latitude"], "Violent crime")
    folder = _there("uk/pois_london")
    parts = [pd.read_parquet(folder / f"london_pois_{part}.parquet") for part in ("ogl", "osm_odbl")]
    points = pd.concat(parts, ignore_index=True)
    # where violence is recorded: no feature that goes with it
    points = points[~points["category"].isin(["police_front_counter", "hospital"])]
    return _split(
        name, "violence", places, every, ("2016-05", "2017-12"), ("2018-01", "2018-06"),
        _layers(points, places), None,
    )  # fmt: skip


def chicago() -> Town:
    """Burglary 2016 as the fit and last year's count, forcible-entry burglary 2017 as what comes later.

    At risk: residents of the census tracts of 2010, spread over the cells.
    """
    import geopandas as gpd
    import pandas as pd

    from peelian.explain.ground import spread_households
    from peelian.layers import Layer, Layers
    from peelian.places import Places

    folder, earlier = _there("world/chicago_rtm_burglary_2017"), _there("world/nearrepeat_chicago_2016")
    places = Places.grid(gpd.read_file(folder / "boundary.geojson").to_crs(26971), 250, keep="touch")
    features = pd.read_csv(folder / "risk_factors.csv.gz")
    shapes = gpd.GeoDataFrame(
        features, geometry=gpd.points_from_xy(features["lon"], features["lat"]), crs=4326
    ).to_crs(26971)
    layers = Layers.of(
        [Layer(str(name), part[["geometry"]], kind="environment" if name == "liquor_retail"
               else "reported-problem") for name, part in shapes.groupby("type")]
    )  # fmt: skip
    burglary = pd.read_csv(earlier / "chicago_be.csv.gz")
    before = _counted(places, burglary["x"], burglary["y"], 26971)
    now = pd.read_csv(folder / "burglaries_2017.csv.gz")
    tracts = gpd.read_file(_there("world/chicago_layers") / "census_tracts_2010.geojson").to_crs(26971)
    tracts = tracts.rename(columns={"population_2010": "households"}).set_index("geoid")
    return Town("Chicago", "burglary", places, before, before,
                _counted(places, now["lon"], now["lat"], 4326), layers,
                spread_households(Places.of(tracts), places))  # fmt: skip


def _there(name: str) -> Path:
    folder = DATA / name
    if not folder.is_dir():
        raise measure.CannotMeasure(f"../shared/data/{name} is not beside this checkout.")
    return folder


def _counted(places: Places, x: Any, y: Any, crs: int) -> pd.Series:
    import geopandas as gpd

    at = places.locate(gpd.GeoSeries(gpd.points_from_xy(x, y), crs=crs))
    return at.value_counts().reindex(places.index, fill_value=0).rename("count")


def _months(month: Any, x: Any, y: Any, kind: str) -> Incidents:
    import geopandas as gpd
    import pandas as pd

    from peelian.incidents import Incidents

    known = pd.Series(x).notna().to_numpy()
    start = pd.PeriodIndex(month, freq="M")
    points = gpd.GeoSeries(gpd.points_from_xy(x, y), crs=4326).to_crs(27700)
    frame = gpd.GeoDataFrame(
        {"start": start.start_time, "end": (start + 1).start_time, "type": kind, "source": "police.uk"},
        geometry=points.where(known).to_numpy(), crs=27700,
    )  # fmt: skip
    return Incidents(frame, precision="month", snapped=True, published=True)


def _layers(points: pd.DataFrame, places: Places) -> Layers:
    """Categories with enough features in the study area, with those around it."""
    import geopandas as gpd

    from peelian.layers import Layer, Layers

    shapes = gpd.GeoDataFrame(
        points[["category", "source", "as_of", "licence"]],
        geometry=gpd.points_from_xy(points["easting"], points["northing"]), crs=27700,
    )  # fmt: skip
    west, south, east, north = places.frame.total_bounds
    shapes = shapes.cx[west - 2000 : east + 2000, south - 2000 : north + 2000]
    found = []
    for name, part in shapes.groupby("category"):
        if places.locate(part.geometry).notna().sum() >= FEWEST:
            found.append(
                Layer(str(name), part[["geometry"]], source=str(part["source"].iloc[0]),
                      date=str(part["as_of"].max()), licence=str(part["licence"].iloc[0]))
            )  # fmt: skip
    return Layers.of(found)


def _split(
    name: str, crime: str, places: Places, every: Incidents, fit: tuple[str, str], later: tuple[str, str],
    layers: Layers, offset: pd.Series | None,
) -> Town:  # fmt: skip
    import pandas as pd

    first, last = (pd.Period(month, "M") for month in fit)
    begin, end = (pd.Period(month, "M") for month in later)
    return Town(
        name, crime, places, every.between(first, last + 1),
        every.between(last - 11, last + 1).counts(places), every.between(begin, end + 1).counts(places),
        layers, offset,
    )  # fmt: skip
