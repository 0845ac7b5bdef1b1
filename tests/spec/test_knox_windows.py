"""Near repeats of events with windows, in hours, by strata of the areas, and event by event."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from shapely import LineString, box

from peelian.errors import DataError, DesignError, PrivacyError
from peelian.explain.bands import bands_of
from peelian.explain.beside import (
    AoristicParameters,
    Asked,
    Beside,
    ConcentrationParameters,
    HotSpotParameters,
    NearRepeatParameters,
    beside,
)
from peelian.explain.events import Events
from peelian.explain.near_repeat import Asked as Question
from peelian.explain.near_repeat import knox
from peelian.explain.near_repeat_table import Counted
from peelian.incidents import Incidents
from peelian.loop import check_tables
from peelian.places import Places
from peelian.project import Project
from peelian.report import Section

CRS = 27700
HOUR = pd.Timedelta(1, "h")
AREAS = Places.of(
    gpd.GeoDataFrame(
        {"ward": ["north", "north", "south"]}, index=["a", "b", "c"], crs=CRS,
        geometry=[box(0, 2000, 2000, 4000), box(2000, 2000, 4000, 4000), box(0, 0, 4000, 2000)],
    )
)  # fmt: skip
CELLS = Places.grid(gpd.GeoSeries([box(0, 0, 4000, 4000)], crs=CRS), 500)


def incidents(
    x: np.ndarray, y: np.ndarray, start: np.ndarray, hours: np.ndarray, **columns: object
) -> Incidents:
    """Events whose windows begin at hours after 1 January 2019 and last hours."""
    begin = pd.Timestamp("2019-01-01") + pd.to_timedelta(np.asarray(start, float), unit="h")
    frame = gpd.GeoDataFrame(
        {"start": begin, "end": begin + pd.to_timedelta(np.asarray(hours, float), unit="h"),
         "type": "Burglary", "source": "test", **columns},
        geometry=gpd.points_from_xy(x, y), crs=CRS,
    )  # fmt: skip
    return Incidents(frame, precision="minute")


def apart(start: list[float], hours: list[float]) -> Incidents:
    """Two events 50 m apart, and 20 far from everything."""
    x = np.concatenate([[0, 50], np.arange(20) * 5000.0 + 10_000])
    return incidents(
        x, np.zeros(22), np.array([*start, *np.arange(20) * 960.0 + 2000]), np.array([*hours, *[1.0] * 20])
    )


def spread(seed: int, n: int = 150, days: float = 4) -> Incidents:
    """Events at random over a square of 2 km and 100 days, with windows of 0 to so many days."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, 2000, (2, n))
    return incidents(x, y, rng.integers(0, 2400, n), rng.uniform(0, 24 * days, n))


# -------------------------------------------------------------------- drawn from windows
def test_a_pair_counts_in_part_in_each_band_that_its_windows_allow() -> None:
    # the second happened on one of the days 6, 7, 8, 9: two of the four are within seven days
    found = knox(
        apart([0, 6 * 24], [24, 4 * 24]),
        (0.01, 100),
        days=(7, 14),
        permutations=19,
        seed=1,
        windows="draws",
        draws=200,
    )
    counted = found.frame.set_index(["distance", "time"])["observed"]
    assert counted["0-100 m", "0-7 days"] == pytest.approx(0.5, abs=0.1)
    assert counted["0-100 m"].sum() == pytest.approx(1.0, abs=1e-12)


def test_windows_of_a_day_are_what_their_middle_says() -> None:
    rng = np.random.default_rng(3)
    held = incidents(*rng.uniform(0, 1000, (2, 80)), 24 * rng.integers(0, 60, 80), np.full(80, 24.0))
    # the spread is exact for one drawing and simulated for several, and the adjusted p rests on it
    middle, drawn = (
        knox(held, permutations=49, seed=1, windows=windows).frame.drop(columns=["sd", "p_adjusted"])
        for windows in ("midpoint", "draws")
    )  # fmt: skip
    pd.testing.assert_frame_equal(middle, drawn, check_dtype=False)


def test_what_is_expected_of_drawn_times_is_the_mean_under_chance() -> None:
    events = Events.of(*np.random.default_rng(1).uniform(0, 1500, (2, 120)), np.arange(120))
    window = np.column_stack([86_400 * np.arange(120), 86_400 * (1 + np.arange(120) % 5)])
    events = Events(events.x, events.y, events.time, (events.x // 500).astype(int), window=window)
    asked = Question(bands_of((0.01, 200, 400), (7, 14)), permutations=1000, seed=4, windows="draws", draws=5)
    from peelian.arithmetic.pairs import close_pairs

    table = Counted.of(events, close_pairs(events.x, events.y, asked.bands.distances), asked)
    for against in (table.permute(), table.within()):
        error = against.draws.std(axis=0) / np.sqrt(1000)
        assert (np.abs(against.draws.mean(axis=0) - against.expected) <= 3.5 * error + 1e-9).all()


@pytest.mark.parametrize("null", ["permute", "background"])
def test_without_contagion_drawn_times_find_none(null: str) -> None:
    """At a true rate of 1 in 20, more than 6 of 40 happen once in 2,000 times."""
    p = [
        knox(spread(seed), (0.01, 400), days=(14,), permutations=19, seed=seed, windows="draws", draws=3, null=null)  # type: ignore[arg-type]
        .frame[f"p{'_background' if null == 'background' else ''}"].iloc[1]
        for seed in range(40)
    ]  # fmt: skip
    assert sum(value <= 0.05 for value in p) <= 6


def test_row_order_changes_nothing_of_drawn_times() -> None:
    held = spread(5)
    turned = Incidents(held.frame.iloc[np.random.default_rng(2).permutation(len(held))], precision="minute")
    one, two = (knox(events, permutations=19, seed=1, windows="draws", draws=3) for events in (held, turned))
    pd.testing.assert_frame_equal(one.frame, two.frame)
    assert one.near == two.near


def test_the_chapter_says_that_times_were_drawn() -> None:
    found = chapter(spread(1), windows="draws", draws=4, permutations=19)
    assert "was drawn 4 times from its window" in words(found)
    assert found.files["near_repeats.csv"]["observed"].sum() % 1 in (0, 0.25, 0.5, 0.75)


def test_one_drawing_is_no_pool() -> None:
    with pytest.raises(DesignError, match="1 drawing of the times is no pool"):
        knox(spread(1), permutations=19, seed=1, windows="draws", draws=1)


def test_an_event_without_an_end_happened_at_its_start() -> None:
    held = apart([0, 30], [1, 1])
    held.frame.loc[1, "end"] = pd.NaT
    found = knox(
        Incidents(held.frame, precision="minute"), (0.01, 100), days=(7, 14), permutations=19, seed=1
    )
    assert found.frame["observed"].sum() == 1
    assert found.accounting["without a date"] == 0


# -------------------------------------------------------------------- hours
def test_hours_are_elapsed_hours() -> None:
    held = apart([0, 23.5], [0.5, 1.0])  # middles 0:15 and 24:00
    counted = knox(held, (0.01, 100), days=(12, 24, 36), unit="hours", permutations=19, seed=1).frame
    assert counted.loc[counted["observed"] == 1, ["distance", "time"]].to_numpy().tolist() == [
        ["0-100 m", "12-24 hours"]
    ]


def test_hours_over_a_change_of_clocks() -> None:
    night = pd.Timestamp("2019-03-31") - pd.Timestamp("2019-01-01")
    first = night / HOUR + 0.5  # half past midnight and half past two are an hour apart
    counted = knox(
        apart([first, first + 2], [0, 0]), (0.01, 100), days=(1, 2), unit="hours", permutations=19, seed=1
    ).frame
    assert counted.loc[counted["observed"] == 1, "time"].tolist() == ["0-1 hours"]


# -------------------------------------------------------------------- from peelian.toml
OFF = (HotSpotParameters(on=False), ConcentrationParameters(on=False))
TWO_BANKS = gpd.GeoSeries([LineString([(0, y), (4000, y)]) for y in (1000, 1060)], crs=CRS)


def chapter(events: Incidents, **asked: object) -> Beside:
    tables = Asked(*OFF, NearRepeatParameters(**asked), AoristicParameters(on=False))  # type: ignore[arg-type]
    return beside(events, CELLS, tables, seed=1, crime="burglary", streets=TWO_BANKS, areas=AREAS)


def words(found: Beside) -> str:
    return " ".join(block.text for block in found.blocks if hasattr(block, "text"))


def test_hours_strata_and_background_are_asked_for_in_the_project_file() -> None:
    asked = {"days": (12, 24), "unit": "hours", "null": "background", "strata": "ward", "permutations": 19}
    rng = np.random.default_rng(1)
    held = incidents(*rng.uniform(0, 4000, (2, 150)), rng.integers(0, 2400, 150), rng.uniform(0, 10, 150))
    found = chapter(held, **asked)
    assert found.files["near_repeats.csv"]["time"].unique().tolist() == ["0-12 hours", "12-24 hours"]
    assert "dates drawn from the months of areas by ward (2 with events)" in words(found)


def test_along_streets_is_asked_for_in_the_project_file() -> None:
    rng = np.random.default_rng(1)
    bank = np.repeat([1000.0, 1060.0], 40)
    held = incidents(rng.uniform(0, 4000, 80), bank, rng.integers(0, 2000, 80), np.ones(80))
    air, foot = (chapter(held, metric=metric, permutations=19) for metric in ("euclidean", "network"))
    pairs = [found.files["near_repeats.csv"]["observed"].sum() for found in (air, foot)]
    assert pairs[1] < pairs[0]  # the banks are not joined
    assert "Distances go along streets." in words(foot)


def test_events_far_from_every_street_are_counted() -> None:
    rng = np.random.default_rng(1)
    y = np.where(np.arange(60) < 13, 3000.0, 1000.0)
    held = incidents(rng.uniform(0, 4000, 60), y, rng.integers(0, 2000, 60), np.ones(60))
    assert "13 of 60 events have no street within 100 m" in words(
        chapter(held, metric="network", permutations=19)
    )


def test_one_address_is_one_place_along_streets_too() -> None:
    x = np.concatenate([[0.0, 300.0], np.arange(20) * 5000.0 + 10_000])
    key = ["f:1", "f:1", *[f"f:{k}" for k in range(2, 22)]]
    held = incidents(x, np.full(22, 1000.0), np.arange(22) * 24.0, np.ones(22), address=key)
    found = knox(held, (0.01, 100), permutations=19, seed=1, metric="network", streets=TWO_BANKS)
    assert found.frame.loc[found.frame["observed"] > 0, "distance"].tolist() == ["same place"]


def test_bands_that_do_not_rise_are_refused_before_anything_runs() -> None:
    with pytest.raises(ValidationError, match=r"distances must be two or more .*got \[100\.0, 50\.0\]"):
        NearRepeatParameters(distances=(100, 50))


@pytest.mark.parametrize("table", [NearRepeatParameters, AoristicParameters])
def test_a_time_zone_that_there_is_not(table: type) -> None:
    with pytest.raises(ValidationError, match="there is no time zone 'London'"):
        table(timezone="London")


def test_strata_that_the_areas_do_not_have() -> None:
    with pytest.raises(
        DataError, match=r"explain\.near_repeat\.strata: the areas have no column beat; they have ward"
    ):
        chapter(spread(1), strata="beat")


# -------------------------------------------------------------------- single events
def test_single_events_stand_in_files_of_their_own_and_nowhere_else() -> None:
    held = spread(2, days=1)
    held.frame["id"] = [f"CAD{k}" for k in range(len(held))]
    found = chapter(held, local=True, permutations=19)
    table = found.files["local_near_repeats.csv"]
    assert len(table) == 150
    assert {"id", "x", "y", "start", "before", "after", "same_day", "p", "p_permuted", "q"} <= set(table)
    pairs = found.files["near_repeats.csv"]
    near = pairs[pairs["distance"].isin(["same place", "0-100 m"]) & (pairs["time"] == "0-7 days")][
        "observed"
    ].sum()
    assert table[["before", "after", "same_day"]].to_numpy().sum() == 2 * near
    assert (
        found.files["local_near_repeats.gpkg"]
        .layers["events"]
        .geometry.iloc[0]
        .equals(held.frame.geometry.iloc[0])
    )
    assert "never to be published" in words(found)
    assert "CAD" not in str(Section("e", "", "", tuple(found.blocks)).as_json())
    assert "local_near_repeats.csv" not in chapter(held, permutations=19).files


@pytest.mark.parametrize("audience", ["partner", "public", "foi"])
def test_single_events_are_refused_where_others_read_the_project(audience: str, tmp_path: Path) -> None:
    toml = (
        '[project]\nname = "p"\ncrime = ["Burglary"]\naudience = "{}"\n[explain.near_repeat]\nlocal = true\n'
    )
    (tmp_path / "peelian.toml").write_text(toml.format(audience))
    with pytest.raises(
        PrivacyError, match=f'local = true writes single events.*the audience is "{audience}"'
    ):
        check_tables(Project.load(tmp_path))
    (tmp_path / "peelian.toml").write_text(toml.format("internal"))
    check_tables(Project.load(tmp_path))
