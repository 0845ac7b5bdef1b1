"""Nothing is lost in any small borough, whatever its parameters."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from peelian.borough import Borough, BoroughParameters, simulate, write
from peelian.errors import DesignError


def small(seed: int = 1, **changes: object) -> BoroughParameters:
    """One year, thirty areas, one group of four."""
    values: dict[str, object] = {
        "seed": seed,
        "areas": 30,
        "first_month": "2015-01",
        "last_month": "2015-12",
        "burglaries_per_year": 300,
        "selection": ("2015-01", "2015-03"),
        "starts": ("2015-06", "2015-07"),
        "groups": 1,
        "areas_in_group": 4,
        "phase_b_areas": 0,
        "other_crimes_per_year": (("Shoplifting", 40.0), ("Anti-social behaviour", 20.0)),
    }
    return BoroughParameters(**(values | changes))  # type: ignore[arg-type]


boroughs = st.builds(
    small,
    seed=st.integers(0, 2**31),
    areas=st.integers(16, 40),
    burglaries_per_year=st.floats(20, 600),
    offspring=st.floats(0, 0.5),
    effect=st.floats(0, 1),
    displaced=st.floats(0, 1),
    repeated_ids=st.floats(0, 0.1),
    no_location=st.floats(0, 0.3),
).map(simulate)
few = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@few
@given(boroughs)
def test_burglaries_are_conserved(borough: Borough) -> None:
    events, recorded = borough.counterfactual, borough.incidents
    assert len(events) == len(recorded) + (events["fate"] == "prevented").sum()
    assert recorded["ref"].is_unique
    assert set(recorded["ref"]) <= set(events["ref"])
    assert recorded["place"].isin(borough.areas["LSOA11CD"]).all()
    still = recorded["fate"] == "happened"
    assert (recorded["place"] == recorded["place_without"])[still].all()
    parents = events["parent"].to_numpy()
    assert (parents < np.arange(len(events))).all()  # nothing is set off by what comes later


@few
@given(boroughs)
def test_files_hold_every_crime(borough: Borough) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = write(borough, Path(folder))
        with zipfile.ZipFile(paths["street"]) as archive:
            lines = sum(archive.read(name).count(b"\n") - 1 for name in archive.namelist())
        assert lines == len(borough.incidents) + len(borough.other_crimes)
        assert paths["dated"].read_bytes().count(b"\n") - 1 == len(borough.incidents)


@few
@given(boroughs)
def test_households_are_homes(borough: Borough) -> None:
    assert borough.areas["households"].sum() == len(borough.homes)
    assert borough.areas["households"].min() > 0
    assert borough.areas.is_valid.all()
    assert borough.areas.union_all().area == pytest.approx(borough.areas.area.sum(), abs=0.01)


def test_another_seed_is_another_borough() -> None:
    one, two = simulate(small(1)), simulate(small(2))
    assert not one.homes["easting"].head(50).equals(two.homes["easting"].head(50))
    assert len(one.incidents) != len(two.incidents) or not one.incidents["time"].equals(two.incidents["time"])


@pytest.mark.parametrize(
    "changes",
    [
        {"areas": 5},
        {"groups": 9, "areas_in_group": 9},
        {"starts": ("2014-01",)},
        {"offspring": 1.0},
        {"first_month": "2016-01"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_impossible_boroughs_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(DesignError):
        small(**changes)


def test_phase_b_without_room_is_refused() -> None:
    with pytest.raises(DesignError, match="Phase B needs"):
        simulate(small(phase_b_areas=8, group_gap=5_000))


def test_unknown_variant_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DesignError, match="no variant"):
        write(simulate(small()), tmp_path, variant="clean")  # type: ignore[arg-type]


@pytest.mark.parametrize("variant", ["police_uk", "dated", "dated_snapped", "dirty"])
def test_a_variant_writes_only_itself(variant: str, tmp_path: Path) -> None:
    paths = write(simulate(small()), tmp_path, variant=variant)  # type: ignore[arg-type]
    incident_files = {"street", "dated", "dated_snapped", "dirty"} & set(paths)
    assert incident_files == {{"police_uk": "street"}.get(variant, variant)}
