"""Spatial files at the door: GDAL opens the kinds that read only themselves, whatever a file is called."""

from __future__ import annotations

import http.server
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import geopandas as gpd
import pytest
from shapely import Point

from peelian.errors import DataError
from peelian.read.drivers import KEPT, SETTINGS, guard

ROOT = Path(__file__).resolve().parents[2]
LINK = "<OGRVRTDataSource><OGRVRTLayer name='a'><SrcDataSource>{}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"


def python(code: str, *arguments: str) -> str:
    """What a new process prints, in which GDAL is not loaded yet."""
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True, text=True, env={"PYTHONPATH": str(ROOT / "src"), "PATH": ""},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


@pytest.fixture
def points() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"id": ["a"]}, geometry=[Point(1, 2)], crs=4326)


def test_only_the_drivers_that_are_kept_are_left() -> None:
    """Fails when a newer GDAL brings a driver that stands in neither list."""
    code = (
        "from peelian.read.drivers import guard; guard('x.gpkg')\n"
        "import pyogrio; print('\\n'.join(sorted(pyogrio.list_drivers())))"
    )
    assert python(code).splitlines() == sorted(KEPT)


def test_a_vrt_called_geojson_asks_the_network_for_nothing(tmp_path: Path) -> None:
    """Even without the look at its first bytes: the driver is not there."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    trap = tmp_path / "areas.geojson"
    trap.write_text(LINK.format(f"/vsicurl/http://127.0.0.1:{server.server_address[1]}/secret.geojson"))
    code = (
        "import sys; from peelian.read.drivers import guard; guard('x.gpkg')\n"
        "import pyogrio\n"
        "try: pyogrio.read_dataframe(sys.argv[1])\n"
        "except pyogrio.errors.DataSourceError: print('refused')"
    )
    assert python(code, str(trap)) == "refused"
    server.shutdown()
    server.server_close()
    assert asked == []


@pytest.mark.parametrize("name", ["areas.geojson", "areas.gpkg", "areas.kml"])
def test_a_vrt_is_refused_by_its_first_bytes(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(LINK.format("/etc/passwd"))
    with pytest.raises(DataError, match="no kind of spatial file that is read here"):
        guard(tmp_path / name)


@pytest.mark.parametrize(
    "name", ["/vsicurl/http://x/a.gpkg", "/vsizip/a.zip", "https://x/a.geojson", "<OGRVRTDataSource>"]
)
def test_an_address_is_no_file(name: str) -> None:
    with pytest.raises(DataError, match="is an address and no file"):
        guard(name)


@pytest.mark.parametrize(
    "inside",
    ['<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]><kml>&x;</kml>', "<kml><NetworkLink/></kml>",
     "<kml>" + " " * 2**20 + "<kml:NetworkLink>"],
)  # fmt: skip
def test_kml_that_reaches_elsewhere_is_refused(tmp_path: Path, inside: str) -> None:
    (tmp_path / "a.kml").write_text('<?xml version="1.0"?>' + inside)
    with pytest.raises(DataError, match="can make a reader fetch other files"):
        guard(tmp_path / "a.kml")


@pytest.mark.parametrize(
    "plant",
    ["CREATE VIEW secret AS SELECT 1", "CREATE VIRTUAL TABLE secret USING fts5(a)",
     "CREATE TRIGGER secret AFTER INSERT ON areas BEGIN SELECT 1; END"],
)  # fmt: skip
def test_a_geopackage_with_more_than_tables_is_refused(
    tmp_path: Path, points: gpd.GeoDataFrame, plant: str
) -> None:
    points.to_file(tmp_path / "a.gpkg", layer="areas")
    base = sqlite3.connect(tmp_path / "a.gpkg")
    base.execute(plant)
    base.commit()
    base.close()
    with pytest.raises(DataError, match=r"views, triggers or virtual tables of its own \(secret"):
        guard(tmp_path / "a.gpkg")


@pytest.mark.parametrize("name", ["a.gpkg", "a.geojson", "a.fgb", "a.shp", "a.kml", "a.geojsonl"])
def test_the_usual_kinds_pass(tmp_path: Path, points: gpd.GeoDataFrame, name: str) -> None:
    points.to_file(tmp_path / name)
    guard(tmp_path / name)


def test_every_spatial_file_of_the_shared_data_passes(shared: Path) -> None:
    found = [p for e in ("gpkg", "geojson", "shp") for p in (shared / "data").rglob(f"*.{e}")]
    for path in found:
        guard(path)
    assert len(found) > 5


def test_settings_name_no_driver_that_is_kept() -> None:
    assert not set(SETTINGS["GDAL_SKIP"].split(",")) & set(KEPT)
