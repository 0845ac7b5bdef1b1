"""Features in the layouts of their publishers. Every row here is invented; the columns are theirs."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import Point, box

from peelian.errors import DataError
from peelian.layers import Layers
from peelian.places import Places
from peelian.project import validated
from peelian.read.features import features
from peelian.read.food_hygiene import food_hygiene
from peelian.read.layers_by_reader import READERS, LayerSource, given, read_layers
from peelian.read.licences import attributions
from peelian.read.naptan import naptan
from peelian.read.os_poi import os_poi
from peelian.read.osm import osm, tag_table
from peelian.read.rasters import raster, raster_by_place
from peelian.read.schools import schools


def sizes(layers: Layers) -> dict[str, int]:
    return {name: len(layer) for name, layer in layers.items()}


def reasons(rejected: pd.DataFrame) -> list[list[object]]:
    return rejected[["row", "reason"]].values.tolist()


def written(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


# -------------------------------------------------------------------- Ordnance Survey points of interest
OS = """ref_no|name|pointx_class|feature_easting|feature_northing|pos_accuracy|uprn|qualifier_data|supply_date
1|The Invented Arms|01020034|513990.0|175750.0|1|100|Pub|2016-09-01
2|Café Nowhere|01020013|513991.0|175751.0|1|101|Cafe|2016-09-01
3|Corner shop|09470699|513992.0|175752.0|1|102||2016-09-01
4|Lost zero|1020034|513993.0|175753.0|1|103||2016-09-01
5|No code||513993.0|175753.0|1|104||2016-09-01
6|Nowhere|01020034|||1|105||2016-09-01
"""


def test_a_class_of_os_points_is_a_layer(tmp_path: Path) -> None:
    layers, rejected = os_poi(written(tmp_path, "poi.csv", OS))
    assert sizes(layers) == {
        "Cafes, snack bars and tea rooms": 1,
        "Pubs, bars and inns": 2,
        "class 09470699": 1,
    }
    assert reasons(rejected) == [[5, "classification is no eight-digit code"], [6, "no coordinates"]]


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("category", {"Eating and drinking": 3, "Food, drink and multi item retail": 1}),
        ("group", {"Accommodation, eating and drinking": 3, "Retail": 1}),
    ],
)
def test_the_tree_of_the_classification(tmp_path: Path, level: str, expected: dict[str, int]) -> None:
    assert sizes(os_poi(written(tmp_path, "poi.txt", OS), level=level)[0]) == expected  # type: ignore[arg-type]


def test_only_the_codes_that_were_asked_for(tmp_path: Path) -> None:
    layers, rejected = os_poi(written(tmp_path, "poi.csv", OS), codes=["0102"], level="group")
    assert sizes(layers) == {"Accommodation, eating and drinking": 3}
    assert "its class was not asked for" in set(rejected["reason"])


@pytest.mark.parametrize(
    "scheme",
    [
        "Class Code|Class Description\n09470699|Convenience stores\n",
        "Group Number|Group Description|Category Number|Category Description|Class Number|Class Description\n"
        "9|Retail|47|Food, drink and multi item retail|699|Convenience stores\n",
    ],
    ids=["eight digits", "three parts"],
)
def test_the_products_own_lookup_gives_the_other_names(tmp_path: Path, scheme: str) -> None:
    classes = written(tmp_path, "classes.txt", scheme)
    assert "Convenience stores" in os_poi(written(tmp_path, "poi.csv", OS), classes=classes)[0]


def test_columns_of_os_points_may_stand_anywhere(tmp_path: Path) -> None:
    text = "FEATURE_NORTHING|POINTX_CLASSIFICATION_CODE|FEATURE_EASTING\n175750|01020034|513990\n"
    layers, _ = os_poi(written(tmp_path, "poi.csv", text))
    assert layers["Pubs, bars and inns"].features.geometry[0] == Point(513990, 175750)


def test_os_points_as_a_geopackage_bring_their_names(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame(
        {"ref_no": [1, 2], "pointx_class": ["09470699", "x"], "classname": ["Convenience", None]},
        geometry=[Point(513990, 175750), Point(1, 1)], crs=27700,
    )  # fmt: skip
    frame.to_file(tmp_path / "poi.gpkg")
    layers, rejected = os_poi(tmp_path / "poi.gpkg")
    assert (sizes(layers), len(rejected)) == ({"Convenience": 1}, 1)


def test_os_points_are_licensed_and_refused_rows_name_no_premises(tmp_path: Path) -> None:
    layers, rejected = os_poi(written(tmp_path, "poi.csv", OS))
    assert "Ordnance Survey" in layers["Pubs, bars and inns"].licence
    assert rejected["text"].tolist() == ["ref_no 5|", "ref_no 6|01020034"]


# -------------------------------------------------------------------- OpenStreetMap
OSM = """<?xml version='1.0' encoding='UTF-8'?>
<osm version="0.6" generator="by hand">
 <node id="1" version="1" lat="51.4705" lon="-0.3605"><tag k="amenity" v="pub"/><tag k="name" v="A &quot;b&quot;"/></node>
 <node id="2" version="1" lat="51.47" lon="-0.361"/>
 <node id="3" version="1" lat="51.471" lon="-0.361"/>
 <node id="4" version="1" lat="51.471" lon="-0.36"/>
 <node id="6" version="1" lat="51.47" lon="-0.36"/>
 <node id="7" version="1" lat="51.48" lon="-0.36"><tag k="disused:amenity" v="pub"/></node>
 <node id="8" version="1" lat="51.48" lon="-0.36"><tag k="amenity" v="bench"/></node>
 <node id="9" version="1" lat="51.48" lon="-0.36"><tag k="amenity" v="atm"/></node>
 <way id="5" version="1"><nd ref="6"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="6"/><tag k="building" v="yes"/><tag k="amenity" v="pub"/></way>
 <way id="10" version="1"><nd ref="2"/><nd ref="3"/><tag k="highway" v="primary"/></way>
</osm>
"""


def test_osm_features_are_in_categories_of_the_table(tmp_path: Path) -> None:
    layers, rejected = osm(written(tmp_path, "x.osm", OSM))
    assert sizes(layers) == {"cash machine": 1, "main road": 1, "pub or bar": 1}
    assert rejected["reason"].tolist() == ["drawn as a point and as an area too"]


@pytest.mark.parametrize(("shapes", "kind"), [("points", "Point"), ("as drawn", "MultiPolygon")])
def test_a_building_is_one_place(tmp_path: Path, shapes: str, kind: str) -> None:
    layers, _ = osm(written(tmp_path, "x.osm", OSM), shapes=shapes)  # type: ignore[arg-type]
    assert layers["pub or bar"].features.geometry.geom_type.tolist() == [kind]


def test_osm_layers_are_share_alike(tmp_path: Path) -> None:
    told = attributions(osm(written(tmp_path, "x.osm", OSM))[0])
    assert told["share_alike"].tolist() == [True]
    assert told["attribution"][0].startswith("© OpenStreetMap contributors")


def test_a_projects_own_tags_take_the_place_of_ours(tmp_path: Path) -> None:
    tags = written(
        tmp_path, "tags.toml", '[category]\nseat = ["amenity=bench"]\n"any road" = ["highway=*"]\n'
    )
    assert sizes(osm(written(tmp_path, "x.osm", OSM), tags=tags)[0]) == {"any road": 1, "seat": 1}


@pytest.mark.parametrize(
    "properties",
    [
        {"amenity": "pub", "name": "A"},
        {"id": "node/1", "tags": {"amenity": "pub"}},
        {"other_tags": '"amenity"=>"pub","name"=>"The \\"Arms\\""'},
    ],
    ids=["columns", "tags", "other_tags"],
)
def test_geojson_of_osm_has_its_tags_in_three_ways(tmp_path: Path, properties: dict[str, object]) -> None:
    features = [
        {"type": "Feature", "properties": p, "geometry": {"type": "Point", "coordinates": [-0.36, 51.47]}}
        for p in (properties, {"amenity": "bench"})
    ]
    path = written(tmp_path, "x.geojson", json.dumps({"type": "FeatureCollection", "features": features}))
    layers, rejected = osm(path)
    assert sizes(layers) == {"pub or bar": 1}
    assert rejected["reason"].tolist() == ["no category of the table"]


def pbf(folder: Path) -> Path:
    """An OSM PBF file with one pub, put together byte by byte (OpenStreetMap wiki, PBF Format)."""

    def number(value: int) -> bytes:
        out = b""
        while value > 127:
            out, value = out + bytes([value & 127 | 128]), value >> 7
        return out + bytes([value])

    def field(key: int, value: bytes | int) -> bytes:
        if isinstance(value, int):
            return number(key << 3) + number(value)
        return number(key << 3 | 2) + number(len(value)) + value

    def zigzag(value: int) -> int:
        return (value << 1) ^ (value >> 63)

    def block(kind: bytes, content: bytes) -> bytes:
        blob = field(2, len(content)) + field(3, zlib.compress(content))
        head = field(1, kind) + field(3, len(blob))
        return struct.pack(">I", len(head)) + head + blob

    header = field(4, b"OsmSchema-V0.6")
    strings = b"".join(field(1, word) for word in (b"", b"amenity", b"pub"))
    lat, lon = zigzag(514_700_000), zigzag(-3_600_000)
    node = number(1 << 3) + number(zigzag(1)) + field(2, number(1)) + field(3, number(2))
    node += number(8 << 3) + number(lat) + number(9 << 3) + number(lon)
    data = field(1, strings) + field(2, field(1, node))
    path = folder / "x.osm.pbf"
    path.write_bytes(block(b"OSMHeader", header) + block(b"OSMData", data))
    return path


def test_pbf_is_read_through_gdal(tmp_path: Path) -> None:
    layers, _ = osm(pbf(tmp_path))
    assert sizes(layers) == {"pub or bar": 1}


def test_every_category_of_ours_has_its_own_tags() -> None:
    pairs = [pair for held in tag_table().values() for pair in held]
    assert len(pairs) == len(set(pairs))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[category]\npub = 'amenity=pub'\n", "expected a list"),
        ("[category]\npub = ['amenity']\n", "pub = amenity; expected a list"),
        ("pub = 1\n", r"needs a \[category\] table"),
        ("[", "cannot be read as TOML"),
    ],
)
def test_a_wrong_table_of_tags_is_told(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        tag_table(written(tmp_path, "tags.toml", text))


def test_a_broken_pbf_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is no kind of spatial file that is read here"):
        osm(written(tmp_path, "x.osm.pbf", "no protocol buffer"))


# -------------------------------------------------------------------- NaPTAN
STOPS = """ATCOCode,NaptanCode,CommonName,Easting,Northing,Longitude,Latitude,StopType,BusStopType,Status
0001,a,High Street,513990,175750,-0.36,51.47,BCT,MKD,active
0002,b,Old Road,513991,175750,-0.36,51.47,BCT,MKD,inactive
0003,c,Somewhere,513992,175750,-0.36,51.47,BCT,HAR,active
0004,d,Station,,,-0.36,51.47,RLY,,active
0005,e,Platform 1,513993,175750,-0.36,51.47,RPL,,active
0006,f,Unknown,513993,175750,-0.36,51.47,ZZZ,,active
0007,g,Nowhere,,,,,TXR,,active
"""


def test_stops_are_counted_once_and_each_other_row_says_why(tmp_path: Path) -> None:
    layers, rejected = naptan(written(tmp_path, "Stops.csv", STOPS))
    assert sizes(layers) == {"bus stop": 1, "railway station": 1}
    assert reasons(rejected) == [
        [2, "the stop is inactive"],
        [3, "hail-and-ride section or flexible zone: no one place"],
        [5, "part of a railway station, counted once"],
        [6, "stop type is not known"],
        [7, "no coordinates"],
    ]


def test_a_stop_with_degrees_alone_is_moved_to_metres(tmp_path: Path) -> None:
    layers, _ = naptan(written(tmp_path, "Stops.csv", STOPS))
    assert layers["railway station"].features.geometry[0].x == pytest.approx(513_980, abs=200)


# -------------------------------------------------------------------- food hygiene
XML = """<?xml version="1.0" encoding="utf-8"?>
<FHRSEstablishment><Header><ExtractDate>2026-03-01</ExtractDate><ItemCount>3</ItemCount></Header>
<EstablishmentCollection>
<EstablishmentDetail><FHRSID>1</FHRSID><BusinessName>Invented Inn</BusinessName><BusinessType>Pub/bar/nightclub</BusinessType>
<RatingValue>5</RatingValue><Geocode><Longitude>-0.36</Longitude><Latitude>51.47</Latitude></Geocode></EstablishmentDetail>
<EstablishmentDetail><FHRSID>2</FHRSID><BusinessName>At home</BusinessName><BusinessType>Takeaway/sandwich shop</BusinessType>
<Geocode /></EstablishmentDetail>
<EstablishmentDetail><FHRSID>3</FHRSID><BusinessName>Van</BusinessName><BusinessType>Mobile caterer</BusinessType>
<Geocode><Longitude>-0.36</Longitude><Latitude>51.47</Latitude></Geocode></EstablishmentDetail>
</EstablishmentCollection></FHRSEstablishment>
"""
ITEMS = [
    {
        "FHRSID": 1,
        "BusinessType": "Pub/bar/nightclub",
        "Geocode": {"Longitude": "-0.36", "Latitude": "51.47"},
    },
    {"FHRSID": 2, "BusinessType": "Takeaway/sandwich shop", "Geocode": None},
    {"FHRSID": 3, "BusinessType": "Mobile caterer", "Geocode": {"Longitude": "-0.36", "Latitude": "51.47"}},
]
FOOD = {
    "f.xml": XML,
    "f.json": json.dumps(
        {"FHRSEstablishment": {"Header": {"ExtractDate": "2026-03-01"}, "EstablishmentCollection": ITEMS}}
    ),
    "old.json": json.dumps(
        {
            "FHRSEstablishment": {
                "Header": {"ExtractDate": "2026-03-01"},
                "EstablishmentCollection": {"EstablishmentDetail": ITEMS},
            }
        }
    ),
    "api.json": json.dumps(
        {"establishments": [{k.replace("Geo", "geo"): v for k, v in item.items()} for item in ITEMS]}
    ),
    "f.csv": "FHRSID,BusinessName,BusinessType,Geocode/Longitude,Geocode/Latitude\n"
    "1,Invented Inn,Pub/bar/nightclub,-0.36,51.47\n2,Home,Takeaway/sandwich shop,,\n3,Van,Mobile caterer,-0.36,51.47\n",
}


@pytest.mark.parametrize("name", list(FOOD))
def test_food_premises_in_each_layout(tmp_path: Path, name: str) -> None:
    layers, rejected = food_hygiene(written(tmp_path, name, FOOD[name]))
    assert sizes(layers) == {"Pub/bar/nightclub": 1}
    assert reasons(rejected) == [[2, "no coordinates"], [3, "a mobile caterer trades elsewhere"]]


def test_the_day_of_the_extract_and_the_licence_are_kept(tmp_path: Path) -> None:
    layer = food_hygiene(written(tmp_path, "f.xml", XML))[0]["Pub/bar/nightclub"]
    assert (layer.date, layer.licence) == ("2026-03-01", "Open Government Licence v3.0")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("f.xml", '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "declares a document type of its own"),
        ("f.xml", "<a><b></a>", "no well-formed XML"),
        ("f.xml", "<a/>", "holds no EstablishmentDetail"),
        ("f.json", "{", "is no JSON"),
        ("f.json", "[1]", "holds no establishments"),
        ("f.csv", "a,b\n1,2\n", "not a list of food hygiene ratings: it has no column businesstype"),
    ],
)
def test_a_wrong_food_file_is_told(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        food_hygiene(written(tmp_path, name, text))


# -------------------------------------------------------------------- schools
GIAS = """URN,EstablishmentName,TypeOfEstablishment (name),EstablishmentStatus (name),OpenDate,CloseDate,PhaseOfEducation (name),NumberOfPupils,Easting,Northing,HeadLastName
100,Écol Primary,Community school,Open,01-09-2015,,Primary,210,513990,175750,Nobody
101,Old Primary,Community school,Closed,,31-08-2016,Primary,,513991,175750,Nobody
102,Special,Community special school,Open,,,Not applicable,40,513992,175750,Nobody
103,Free School,Free schools,Proposed to open,,,Secondary,,513993,175750,Nobody
104,Gone,Community school,Closed,,,Secondary,,513993,175750,Nobody
105,Nowhere,Community school,Open,,,Secondary,,,,Nobody
"""


def test_schools_by_phase_with_their_months(tmp_path: Path) -> None:
    layers, rejected = schools(written(tmp_path, "edubasealldata.csv", GIAS, "cp1252"))
    assert sizes(layers) == {"school: Community special school": 1, "school: Primary": 2}
    held = layers["school: Primary"].features
    assert held[["open_from", "open_to"]].fillna("").values.tolist() == [["2015-09", ""], ["", "2016-08"]]
    assert reasons(rejected) == [
        [4, "proposed to open"], [5, "closed, on a day that is not noted"], [6, "no coordinates"],
    ]  # fmt: skip


def test_pupils_are_a_weight_and_no_head_is_named(tmp_path: Path) -> None:
    layers, rejected = schools(written(tmp_path, "s.csv", GIAS), weight="NumberOfPupils")
    assert layers["school: Primary"].features["weight"].tolist() == [210.0, 1.0]
    assert not rejected["text"].str.contains("Nobody").any()


# -------------------------------------------------------------------- rasters
GRID = "ncols 3\nnrows 2\nxllcorner 513000\nyllcorner 175000\ncellsize 100\nNODATA_value -9999\n1 2 0\n4 -9999 6\n"


def test_a_grid_is_a_layer_of_weighted_points(tmp_path: Path) -> None:
    layers, _ = raster(written(tmp_path, "people.asc", GRID), name="people", licence="OGL")
    held = layers["people"].features
    assert held["weight"].tolist() == [1, 2, 4, 6]
    assert held.geometry[0] == Point(513050, 175150)


def test_cells_are_summed_by_place(tmp_path: Path) -> None:
    shapes = [box(513000, 175000, 513100, 175200), box(513100, 175000, 513300, 175200), box(0, 0, 9, 9)]
    places = Places.of(gpd.GeoDataFrame(index=["a", "b", "c"], geometry=shapes, crs=27700))
    found = raster_by_place(written(tmp_path, "people.asc", GRID), places, statistic="sum")
    assert found.fillna(-1).to_dict() == {"a": 5, "b": 8, "c": -1}


def test_a_geotiff_says_the_same_as_the_grid(tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio", reason="the gis extra is not installed")
    values = np.array([[1, 2, 0], [4, -9999, 6]], "float32")
    with rasterio.open(
        tmp_path / "people.tif", "w", driver="GTiff", width=3, height=2, count=1, dtype="float32",
        crs="EPSG:27700", nodata=-9999, transform=rasterio.Affine(100, 0, 513000, 0, -100, 175200),
    ) as file:  # fmt: skip
        file.write(values, 1)
    one = raster(tmp_path / "people.tif", name="people")[0]["people"].features
    other = raster(written(tmp_path, "people.asc", GRID), name="people")[0]["people"].features
    assert one["weight"].tolist() == other["weight"].tolist()
    assert one.geometry.geom_equals_exact(other.geometry, 1e-6).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GRID.replace("4 -9999", "4"), "no Esri ASCII grid"),
        (GRID.replace("ncols 3\n", ""), "no Esri ASCII grid .'ncols'"),
        (GRID.replace("4", "-4", 1), "1 cells are negative"),
    ],
)
def test_a_wrong_grid_is_told(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        raster(written(tmp_path, "people.asc", text), name="people")


# -------------------------------------------------------------------- licences and dispatch
def test_share_alike_rows_are_a_layer_of_their_own(tmp_path: Path) -> None:
    text = "kind,lon,lat,licence\npub,-0.36,51.47,OGL\npub,-0.361,51.47,ODbL 1.0\nbank,-0.36,51.47,ODbL 1.0\n"
    layers, _ = features(written(tmp_path, "p.csv", text), category="kind", licence="licence")
    assert {name: layer.licence for name, layer in layers.items()} == {
        "bank": "ODbL 1.0", "pub": "OGL", "pub (ODbL)": "ODbL 1.0",
    }  # fmt: skip


def test_each_reader_is_reached_by_its_name(tmp_path: Path) -> None:
    made = {
        "features": (written(tmp_path, "p.csv", "kind,lon,lat\npub,-0.36,51.47\n"), {"category": "kind"}),
        "os_poi": (written(tmp_path, "poi.csv", OS), {"level": "group"}),
        "osm": (written(tmp_path, "x.osm", OSM), {}),
        "naptan": (written(tmp_path, "Stops.csv", STOPS), {}),
        "food_hygiene": (written(tmp_path, "f.xml", XML), {}),
        "schools": (written(tmp_path, "s.csv", GIAS), {"prefix": ""}),
        "raster": (written(tmp_path, "people.asc", GRID), {"name": "people"}),
    }
    assert set(made) == set(READERS)
    for reader, (path, keys) in made.items():
        assert read_layers(reader, path, keys, to=27700, folder=tmp_path)[0].names, reader


def test_only_the_keys_that_were_set_reach_the_reader() -> None:
    source = validated(
        LayerSource, {"file": "x.osm", "reader": "osm", "about": {"pub or bar": {"sign": "either"}}},
        table="layers", file=Path("peelian.toml"),
    )  # fmt: skip
    assert given(source) == {"about": {"pub or bar": {"sign": "either"}}}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"file": "x.csv"}, 'reader = "features" needs category'),
        (
            {"file": "x.pbf", "reader": "osm", "weight": "n"},
            'weight is no key of reader = "osm"; it has tags',
        ),
        ({"file": "x.csv", "reader": "naptan", "level": "group"}, 'level is no key of reader = "naptan"'),
        ({"file": "x.csv", "reader": "os_poi", "level": "clas"}, "level is 'clas'"),
    ],
)
def test_a_wrong_table_of_layers_is_told(keys: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        validated(LayerSource, keys, table="layers", file=Path("peelian.toml"))


@pytest.mark.parametrize(
    ("reader", "keys", "message"),
    [
        ("os", {}, "reader = 'os' is not known; expected features, os_poi, osm"),
        ("naptan", {"category": "StopType"}, 'category is no key of reader = "naptan"'),
        ("features", {}, 'reader = "features" needs category'),
    ],
)
def test_a_wrong_reader_or_key_is_told(
    tmp_path: Path, reader: str, keys: dict[str, object], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_layers(reader, tmp_path / "x.csv", keys, to=27700, folder=tmp_path)


def test_a_raster_becomes_a_column_of_the_areas_and_their_households(tmp_path: Path) -> None:
    from peelian.read.ground import ground
    from peelian.read.sources import PlacesSource

    written(tmp_path, "people.asc", GRID)
    whole = gpd.GeoDataFrame({"code": ["a"]}, geometry=[box(0, 0, 10_000_000, 10_000_000)], crs=27700)
    whole.to_file(tmp_path / "areas.gpkg")
    asked = PlacesSource("areas.gpkg", "code", households="people", rasters={"people": "people.asc"})
    cells = raster(tmp_path / "people.asc", name="people")[0]["people"].features["weight"]
    assert ground(asked, tmp_path).places.households.to_dict() == {"a": cells.sum()}
