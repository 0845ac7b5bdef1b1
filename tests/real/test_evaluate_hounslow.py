"""Hounslow's first year on real data: the totals the reference gives, and an answer of "cannot tell".

Data: ../shared/data/uk/flagship_hounslow (data.police.uk burglary 2012-2019; its README has licences). Totals
of treated, later and other wards: ../shared/reference/evaluate/mettrace_claims.json by point; by the
extract's own code they differ by one or two (204 -> 188, 561 -> 600, 1,000 -> 959). Tolerance 2 counts.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from peelian.evaluate import assess
from peelian.evaluate.assess import Assessment
from peelian.panel import Panel
from peelian.places import Places
from peelian.programme import Programme, read_programme, spread


@pytest.fixture(scope="module")
def world(shared: Path, root: Path) -> tuple[Panel, Programme, Places, pd.Series]:
    folder = shared / "data" / "uk" / "flagship_hounslow"
    if not folder.is_dir():
        pytest.skip("../shared/data/uk/flagship_hounslow is not here")
    frame = gpd.read_file(folder / "hounslow_1km_lsoa_2011.gpkg").set_index("LSOA11CD").sort_index()
    frame = frame[frame["in_borough"]].assign(households=lambda f: f["HHOLDS"].astype(float))
    places = Places.of(frame[["households", "WD14CD", "geometry"]])
    wards = frame["WD14CD"]
    areas = spread(read_programme(root / "examples" / "hounslow" / "programme.csv"), wards, places.households)
    programme = Programme("MetTrace in Hounslow", areas=areas)
    rows = []
    with zipfile.ZipFile(folder / "street_burglary_2012_2019_police_uk_layout.zip") as archive:
        for name in archive.namelist():
            reader = csv.DictReader(io.TextIOWrapper(archive.open(name), "utf-8"))
            rows += [(row["LSOA code"], row["Month"]) for row in reader if row["Crime type"] == "Burglary"]
    found = pd.DataFrame(rows, columns=["place", "month"])
    found["month"] = pd.PeriodIndex(found["month"], freq="M")
    full = pd.MultiIndex.from_product(
        [places.index, pd.period_range("2012-01", "2019-12", freq="M")], names=["place", "month"]
    )
    counts = found.groupby(["place", "month"]).size().reindex(full, fill_value=0)
    panel = Panel.build(counts, programme, places, outcome="burglary", by="code", source="data.police.uk")
    return panel, programme, places, wards


@pytest.fixture(scope="module")
def found(world: tuple[Panel, Programme, Places, pd.Series]) -> Assessment:
    panel, programme, places, _ = world
    return assess(panel, programme, seed=1829, places=places, claim=0.5)


def test_totals_of_the_wards(world: tuple[Panel, Programme, Places, pd.Series], shared: Path) -> None:
    row = json.loads((shared / "reference" / "evaluate" / "mettrace_claims.json").read_text())["hounslow"]
    panel = world[0]
    wide, arm = panel.wide(), panel.by_place()["arm"]
    before, after = (
        wide.loc[:, a:b].sum(axis=1) for a, b in (("2014-05", "2015-04"), ("2015-05", "2016-04"))
    )
    totals = [(before[arm == a].sum(), after[arm == a].sum()) for a in ("treated", "excluded", "control")]
    wanted = [row[k] for k in ("wards_before_after", "later_wards_before_after", "other_wards_before_after")]
    assert np.abs(np.array(totals) - np.array(wanted)).max() <= 2


def test_the_verdict_is_cannot_tell(found: Assessment) -> None:
    assert found.verdict.code == "CANNOT_TELL"


def test_two_wards_are_two_units(found: Assessment) -> None:
    assert found.study.n_treated == 2


def test_the_effect_does_not_show_and_the_interval_says_so(found: Assessment) -> None:
    assert found.headline.low < 1 < found.headline.high


def test_every_burglary_of_the_panel_is_accounted_for(
    found: Assessment, world: tuple[Panel, Programme, Places, pd.Series]
) -> None:
    assert found.accounting["incidents"].sum() == world[0].frame["count"].sum()
