"""The 80-20 tables over cells, areas and streets, on places that can be counted by eye."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString, box

from peelian.explain.beside import (
    AoristicParameters,
    Asked,
    Beside,
    ConcentrationParameters,
    HotSpotParameters,
    NearRepeatParameters,
    beside,
)
from peelian.explain.eighty_twenty import study_units
from peelian.incidents import Incidents
from peelian.places import Places

CRS = 27700
CELLS = Places.grid(gpd.GeoSeries([box(0, 0, 1000, 400)], crs=CRS), 100)
AREAS = Places.of(
    gpd.GeoDataFrame(
        {"households": [100, 400, 500, 50]}, index=["a", "b", "c", "outside"], crs=CRS,
        geometry=[box(0, 0, 200, 400), box(200, 0, 600, 400), box(600, 0, 1000, 400), box(5000, 0, 5400, 400)],
    )
)  # fmt: skip
STREETS = gpd.GeoSeries(
    [LineString([(0, y), (1000, y)]) for y in (50, 350)] + [LineString([(9000, 0), (9000, 400)])], crs=CRS
)
# 60 crimes at one point, 20 at another, 20 along the other street
POINTS = np.array([[50.0, 50.0]] * 60 + [[450.0, 50.0]] * 20 + [[25.0 + 50 * k, 350.0] for k in range(20)])


def incidents(**about: object) -> Incidents:
    months = [f"{2017 + k % 2}-{1 + k // 2 % 12:02d}" for k in range(100)]
    start = pd.PeriodIndex(months, freq="M").to_timestamp()
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.offsets.MonthBegin(1), "type": "Burglary", "source": "test"} | about,
        geometry=gpd.points_from_xy(*POINTS.T), crs=CRS,
    )  # fmt: skip
    return Incidents(frame, precision="month")


def chapter(events: Incidents, **given: object) -> Beside:
    off = HotSpotParameters(on=False), NearRepeatParameters(on=False), AoristicParameters(on=False)
    asked = Asked(off[0], ConcentrationParameters(draws=99), off[1], off[2])
    return beside(events, CELLS, asked, seed=1, crime="burglary", **given)  # type: ignore[arg-type]


def table(found: Beside, name: str) -> pd.DataFrame:
    return next(block for block in found.blocks if getattr(block, "name", "") == name).frame  # type: ignore[union-attr]


def test_cells_areas_and_streets_stand_in_one_table() -> None:
    found = chapter(incidents(), areas=AREAS, streets=STREETS)
    whole = table(found, "eighty_twenty").set_index("Unit")
    assert whole["Places"].tolist() == [40, 3, 2]
    # one cell of 40 holds 60 of 100, two hold 80; one area of three holds 68; one street of two 80
    assert whole["50 % in"].tolist() == pytest.approx([1 / 40, 1 / 3, 1 / 2])
    assert whole["80 % in"].tolist() == pytest.approx([2 / 40, 2 / 3, 1 / 2])
    assert (whole["80 % by chance"] > whole["80 % in"]).tolist() == [True, True, True]
    assert set(found.files) >= {f"eighty_twenty_{unit}.csv" for unit in ("cells", "areas", "streets")}


def test_the_ranked_table_has_place_count_share_and_cumulative_share() -> None:
    ranked = chapter(incidents(), areas=AREAS).files["eighty_twenty_areas.csv"]
    assert ranked[["place", "count"]].to_numpy().tolist() == [["a", 64], ["b", 28], ["c", 8]]
    assert ranked["cumulative"].tolist() == pytest.approx([0.64, 0.92, 1.0])


def test_areas_are_counted_by_the_code_of_the_extract_where_it_has_one() -> None:
    found = chapter(incidents(place=["c"] * 90 + ["elsewhere"] * 10), areas=AREAS)
    assert found.files["eighty_twenty_areas.csv"][["place", "count"]].to_numpy().tolist() == [["c", 90]]
    assert found.summary["concentration"]["units"]["areas"]["by"] == "code"
    note = next(block for block in found.blocks if getattr(block, "name", "") == "eighty_twenty").note  # type: ignore[union-attr]
    assert "Areas are counted by the code of the extract, the rest by the point" in note


def test_per_home_too() -> None:
    shares = table(chapter(incidents(), areas=AREAS), "eighty_twenty_homes").set_index("Share of crime")
    # 64 crimes in 100 homes, 28 in 400, 8 in 500: half of the crime in 50/64 of the first 100 of 1,000 homes
    assert shares["Share of homes"][0.5] == pytest.approx(100 / 1000 * 50 / 64)
    assert shares["By chance"][0.5] > 0.3


def test_the_overlap_of_the_top_places_is_printed_by_year() -> None:
    shown = table(chapter(incidents()), "overlap")
    assert shown.columns.tolist() == ["Year", "Top 1 %", "Top 5 %"]
    assert shown["Year"].tolist() == ["2017 to 2018"]
    assert shown["Top 5 %"].iloc[0] == pytest.approx(1.0)


def test_where_areas_are_the_places_they_stand_once() -> None:
    asked = Asked(
        HotSpotParameters(on=False), ConcentrationParameters(draws=99), NearRepeatParameters(on=False),
        AoristicParameters(on=False),
    )  # fmt: skip
    found = beside(incidents(), AREAS, asked, seed=1, crime="burglary", areas=AREAS, streets=STREETS)
    assert table(found, "eighty_twenty")["Unit"].tolist() == ["areas", "street segments"]


def test_only_areas_and_streets_of_the_study_area_count() -> None:
    units = study_units(CELLS, AREAS, STREETS)
    assert units["areas"][0].index.tolist() == ["a", "b", "c"]
    assert units["streets"][0].index.tolist() == ["s1", "s2"]
    assert "streets" not in study_units(CELLS, AREAS, STREETS[2:])


def test_moved_points_are_said_of_streets() -> None:
    events = Incidents(incidents().frame, precision="month", snapped=True)
    assert "Points were moved to shared street points" in str(
        [b for b in chapter(events).blocks if hasattr(b, "kind")]
    )
