"""A project folder for each dataset of ../shared/data, as a user would write it: for the tests of ``peelian check``.

Tables are mapped by the profile that ``peelian read map`` saves, with the keys beside it that only a person can say.
Areas are the dataset's own, those of its neighbour, or, where nobody drew any, a box around the city.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from peelian import tasks

Box = tuple[float, float, float, float]
CHICAGO = "world/chicago_layers/community_areas.geojson", "area_numbe", {"name": "community", "crs": 26971}
EDITION: dict[str, object] = {
    "lookup": "{data}/uk/boundaries_london/london_lsoa11_to_lsoa21.csv",
    "profile": "{data}/uk/lsoa_profiles/lsoa21_england_wales.parquet",
    "households": "households_2021",
}
Places = tuple[str, str, dict[str, object]]


@dataclass(frozen=True)
class Case:
    """A dataset, what it is read as, and what must be found.

    ``file``      below ../shared/data; ``crime`` the project's; ``places`` file, id and other keys.
    ``rows``      accepted and refused; ``said`` check -> words that its sentence must hold.
    ``reader``    of the incidents; ``keys`` beside it.
    ``more``      other tables of peelian.toml.
    """

    file: str
    crime: str
    places: Places
    rows: tuple[int, int]
    said: dict[str, str]
    reader: str = "table"
    keys: dict[str, object] = field(default_factory=dict)
    more: str = ""
    box: Box | None = None


def write(case: Case, data: Path, folder: Path) -> Path:
    """The project folder of a case."""
    shapes, id, other = case.places
    if case.box:
        west, south, east, north = case.box
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        shape = {"type": "Polygon", "coordinates": [ring]}
        feature = {"type": "Feature", "properties": {"id": "all"}, "geometry": shape}
        text = json.dumps({"type": "FeatureCollection", "features": [feature]})
        (folder / "box.geojson").write_text(text)
        shapes = "box.geojson"
    else:
        shapes = str(data / shapes)
    keys = dict(case.keys)
    if case.reader == "table":
        tasks.read_map(data / case.file, out=folder / "profile.toml")
        keys["profile"] = "profile.toml"
    tables = [
        table("[project]", {"name": case.file, "crime": [case.crime]}),
        table("[places]", {"file": shapes, "id": id, **other}).replace("{data}", str(data)),
        table("[[incidents]]", {"reader": case.reader, "file": str(data / case.file), **keys}),
        case.more.replace("{data}", str(data)),
    ]
    (folder / "peelian.toml").write_text("\n".join(tables))
    return folder


def table(head: str, keys: dict[str, object]) -> str:
    """A table of TOML."""
    return "\n".join([head, *(f"{key} = {_literal(value)}" for key, value in keys.items()), ""])


def _literal(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_literal(held)}" for key, held in value.items()) + " }"
    return json.dumps(value)


SMALL = [
    Case(
        "uk/nottingham_small/nottingham_burglary.csv.gz",
        "Burglary",
        ("uk/nottingham_small/nottingham_wards.gpkg", "ward_code", {"name": "ward_name", "crs": 27700}),
        (1_795, 0),
        {
            "precision": "Dates are months",
            "codes": "rows are counted by their points",
            "outside": "Every point",
        },
        keys={"type": "Burglary"},
    ),
    Case(
        "uk/nottingham_small/nottingham_robbery.csv.gz",
        "Robbery",
        ("uk/nottingham_small/nottingham_wards.gpkg", "ward_code", {"name": "ward_name", "crs": 27700}),
        (555, 0),
        {"months": "12 months, January 2022 to December 2022; none is missing"},
        keys={"type": "Robbery"},
    ),
    Case(
        "uk/met_street_all_types_2016_2018/raw_sample",
        "Burglary",
        ("uk/boundaries_london/london_ward_2018.gpkg", "WD18CD", {"name": "WD18NM"}),
        (180, 0),
        {"types": "13 crime types", "months": "of one month, June 2017"},
        reader="police_uk",
    ),
    Case(
        "uk/south_yorkshire_street/raw_sample",
        "Burglary",
        (
            "uk/boundaries_south_yorkshire/south-yorkshire_lsoa_2011.gpkg",
            "LSOA11CD",
            {"households": "households_2011"},
        ),
        (15_259, 0),
        {"codes": "99.90 % of the 14,603 rows", "blanks": "656 of 15,259 rows (4.3 %)"},
        reader="police_uk",
    ),
    Case(
        "uk/met_outcomes_partial/2018-01-metropolitan-outcomes.csv.gz",
        "Suspect charged",
        ("uk/boundaries_london/london_lsoa_2021.gpkg", "LSOA21CD", EDITION),
        (926, 0),
        {
            "blanks": "6 of 926 rows (0.6 %)",
            "carried": "of 920 area codes are of another edition and were carried over",
            "vintage": "2011 in 1 month",
            "profile": "4,994 of 4,994 areas (100.0 %)",
            "weather": "923 months, 1948-01 to 2024-11",
        },
        reader="police_uk",
        keys={"kind": "outcomes"},
        more=table("[weather]", {"file": "{data}/uk/weather_london/metoffice_heathrow_monthly.txt"}),
    ),
    Case(
        "uk/mps_recorded_crime_counts/raw_sample/MPS_borough_APR2010-FEB2022.csv.gz",
        "Robbery",
        ("uk/boundaries_london/london_borough_2022.gpkg", "LAD22NM", {}),
        (354_009, 0),
        {
            "counted": "rows of counts by area and month",
            "codes": "(London Heathrow and London City Airports)",
            "empty_areas": "City of London",
        },
        reader="counts",
        keys={"types": ["Robbery"], "published": True},
    ),
    Case(
        "uk/city_of_london_street/raw",
        "Burglary",
        (
            "uk/boundaries_london/london_lsoa_2011.gpkg",
            "LSOA11CD",
            {"name": "LSOA11NM", "households": "HHOLDS"},
        ),
        (42_686, 0),
        {
            "months": "36 months are missing: January 2014 to December 2016",
            "names": "May 2013: Violent crime was renamed Violence and sexual offences",
            "blanks": "2,765 of 42,686 rows (6.5 %)",
        },
        reader="police_uk",
    ),
    Case(
        "world/stlouis_2015_2019/crimes.csv.gz",
        "burglary",
        (
            "world/stlouis_2015_2019/neighbourhoods.geojson",
            "neighborhood_id",
            {"name": "neighborhood_name", "households": "occupied_housing_units", "crs": 26996},
        ),
        (119_214, 0),
        {
            "blanks": "1,033 of 119,214 rows (0.9 %) have no point",
            "areas": "1 row has no shape and is left out (99)",
            "codes": "306 rows name 1 other (0)",
        },
    ),
    Case(
        "world/cincinnati_burglary_2016_2018/burglary.csv.gz",
        "Burglary",
        ("", "id", {"crs": 32616}),
        (8_723, 0),
        {"repeats": "1,774 rows repeat the ID", "blanks": "426 of 8,723 rows (4.9 %)"},
        keys={"type": "Burglary"},
        box=(-84.72, 39.05, -84.36, 39.23),
    ),
    Case(
        "world/memphis_robbery_2019/robberies.csv",
        "Robbery",
        ("world/memphis_robbery_2019/precincts.geojson", "precinct", {"crs": 32616}),
        (2_245, 0),
        {"features": "10,393 features in 1 layer", "outside": "1 point of 2,245 (under 0.1 %) lies outside"},
        keys={"type": "Robbery"},
        more=table(
            "[[layers]]",
            {
                "file": "{data}/world/memphis_robbery_2019/block_population.csv.gz",
                "name": "people",
                "weight": "population",
                "kind": "population",
                "licence": "MIT",
            },
        ),
    ),
    Case(
        "world/vancouver_thefts_2020/thefts.csv.gz",
        "Theft from Vehicle",
        ("world/vancouver_thefts_2020/neighbourhoods.geojson", "name", {"crs": 26910}),
        (21_918, 0),
        {
            "blanks": "Every row has a point",
            "codes": "4 others (Central Business District, Arbutus Ridge, Stanley Park, Musqueam)",
            "empty_areas": "Arbutus-Ridge, Downtown",
        },
    ),
    Case(
        "world/misc_points/san_francisco_personal_robbery_2019.csv",
        "personal robbery",
        ("", "id", {"crs": 26910}),
        (951, 0),
        {"precision": "to the minute"},
        box=(-122.53, 37.69, -122.35, 37.84),
    ),
    Case(
        "world/misc_points/mexico_city_carjacking_2019.csv.gz",
        "Carjacking",
        ("world/misc_points/mexico_city_alcaldias.geojson", "municip", {"name": "nomgeo", "crs": 32614}),
        (2_811, 0),
        {"faults": "coordinates are 0, 0: 152", "areas": "16 areas of 1,"},
        keys={"type": "Carjacking"},
    ),
    Case(
        "world/misc_points/czechia_motorcycle_theft_2020.csv.gz",
        "Motorcycle theft",
        ("", "id", {"crs": 32633, "cell": 1000}),
        (9_463, 1),
        {"rows": "(no start: 1)"},
        keys={"type": "Motorcycle theft"},
        box=(12.0, 48.5, 18.9, 51.1),
    ),
    Case(
        "world/medellin_homicide_2010_2019/homicides.csv.gz",
        "Homicide",
        ("world/medellin_homicide_2010_2019/comunas.geojson", "COMUNA", {"name": "NOMBRE", "crs": 3116}),
        (9_360, 0),
        {
            "twins": "517 rows",
            "blanks": "81 of 9,360 rows",
            "areas": "1 shape crossed itself and was mended",
            "features": "48 features in 2 layers",
        },
        keys={"type": "Homicide"},
        more=table(
            "[[layers]]",
            {"file": "{data}/world/medellin_homicide_2010_2019/metro_stations.csv", "category": "sistema"},
        ),
    ),
    Case(
        "world/nearrepeat_chicago_2016/chicago_be.csv.gz",
        "Burglary",
        CHICAGO,
        (11_700, 1),
        {"twins": "150 rows", "months": "all except 1 of the rows lie in January 2016 to December 2016"},
        keys={"type": "Burglary", "crs": 26971},
    ),
    Case(
        "world/nearrepeat_chicago_2016/chicago_arson.csv",
        "Arson",
        CHICAGO,
        (522, 0),
        {"precision": "Dates are days", "weather": "2,191 days, 2018-01-01 to 2023-12-31"},
        keys={"type": "Arson", "crs": 26971},
        more=table(
            "[weather]",
            {
                "file": "{data}/world/chicago_layers/daily_weather_2018_2023.csv",
            },
        )
        + 'columns = { day = "date", temperature_max = "temp_high", temperature_min = "temp_low" }\n'
        + 'units = { temperature_max = "F", temperature_min = "F" }\n',
    ),
    Case(
        "world/chicago_rtm_burglary_2017/burglaries_2017.csv.gz",
        "Burglary",
        ("world/chicago_rtm_burglary_2017/neighbourhoods.geojson", "name", {"crs": 26971}),
        (6_876, 0),
        {
            "windows": "8,760 hours",
            "areas": "4 shapes crossed themselves and were mended",
            "features": "20,854 of 54,177 graffiti_311",
        },
        keys={"type": "Burglary", "period": "2017"},
        more=table(
            "[[layers]]",
            {"file": "{data}/world/chicago_rtm_burglary_2017/risk_factors.csv.gz", "category": "type"},
        ),
    ),
    Case(
        "world/oakland_predpol_2009_2011/drug_crimes_with_bins.csv.gz",
        "Drug crime",
        ("world/oakland_predpol_2009_2011/oakland_grid.geojson", "bin", {"crs": 26910}),
        (11_545, 0),
        {
            "twins": "3,396 rows",
            "areas": "1 shape crossed itself and was mended (252)",
            "codes": "100.00 % of the 11,517 rows",
        },
        keys={"type": "Drug crime", "dates": "mdy"},
    ),
    Case(
        "world/nyc_vehicle_theft_2014_2017/thefts.csv.gz",
        "Vehicle theft",
        ("", "id", {"crs": 32618}),
        (35_746, 0),
        {"windows": "the longest 61,380", "months": "all except 18 of the rows lie in December 2013"},
        keys={"type": "Vehicle theft"},
        box=(-74.27, 40.49, -73.68, 40.92),
    ),
    Case(
        "world/atlanta_npu_2021_2025/npu_daily_burglary_larceny.csv.gz",
        "Burglary and larceny",
        ("world/atlanta_npu_2021_2025/npu_boundaries.geojson", "NAME", {"crs": 26967}),
        (113_125, 0),
        {
            "counted": "44,325 rows of counts by area and day",
            "codes": "(OUT_OF_NPU_BOUNDS)",
            "breaks": "from July 2021",
            "weather": "1,797 days",
        },
        reader="counts",
        keys={"type": "Burglary and larceny"},
        more=table("[weather]", {"file": "{data}/world/atlanta_npu_2021_2025/daily_weather.csv"})
        + 'columns = { day = "date", temperature_mean = "temp_mean_f", rain = "rain_mm" }\n'
        + 'units = { temperature_mean = "F" }\n',
    ),
    Case(
        "world/imdepi_events/imdepi_events.csv",
        "C",
        ("world/imdepi_events/imdepi_window.gpkg", "name", {"crs": 3035, "cell": 10_000}),
        (636, 0),
        {"outside": "Every point lies in an area", "months": "84 months, January 2002 to December 2008"},
        keys={
            "dates": "days since 2002-01-01",
            "crs": "+proj=laea +lat_0=52 +lon_0=10 +x_0=4321000 +y_0=3210000 +ellps=GRS80 +units=km",
            "mapping": {"start": "time", "type": "type", "easting": "x", "northing": "y", "id": "id"},
        },
    ),
]
