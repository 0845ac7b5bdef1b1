"""Reference results of trials and power: ../shared/reference/predict/plan_reference.json, power_london.json.

Provenance: computed outside this project on data.police.uk burglary (OGL v3.0). Draws by hash are exact;
standard deviations to the file's 0.002 (draws); spacing to its 5 % (the set is random).
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from peelian.arithmetic.drawing import key, ordered
from peelian.plan import apart, mde_table, randomise

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
REFERENCE = SHARED / "reference" / "predict" / "plan_reference.json"
pytestmark = pytest.mark.skipif(
    not REFERENCE.exists(), reason=f"{REFERENCE.name} is not beside this checkout."
)


@pytest.fixture(scope="module")
def reference() -> dict:
    return json.loads(REFERENCE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def busiest() -> pd.DataFrame:
    """Yearly counts of the 200 MSOAs of most burglary in 2018."""
    path = SHARED / "reference/evaluate/london_msoa11_burglary_monthly_2011_2019.csv.gz"
    years = pd.read_csv(path, index_col=0).T.groupby(lambda month: month[:4]).sum().T
    return years.loc[years["2018"].sort_values(ascending=False, kind="stable").index[:200]]


def test_ten_units(reference) -> None:
    case = reference["randomisation_by_hash"]
    drawn = ordered(case["units"], seed=case["seed"], attempt=case["attempt"])[:5]
    assert drawn == case["complete_5_of_10_in_order"]


def test_their_keys(reference) -> None:
    case = reference["randomisation_by_hash"]
    keys = [key(case["seed"], case["attempt"], unit)[:12] for unit in case["complete_5_of_10_in_order"]]
    assert keys == case["first_12_hex_of_those"]


def test_their_complete_list(reference) -> None:
    case = reference["randomisation_by_hash"]
    assert randomise(case["units"], seed=case["seed"]).chosen == tuple(
        sorted(case["complete_5_of_10_in_order"])
    )


def test_their_pairs(reference) -> None:
    case = reference["randomisation_by_hash"]
    alike = pd.Series([5, 5, 4, 4, 3, 3, 2, 2, 1, 1], case["units"])
    drawn = randomise(case["units"], design="pairs", pairs_on=alike, seed=case["seed"])
    assert list(drawn.chosen) == case["pairs_1_2_3_4_and_so_on_treated"]


def spreads(busiest: pd.DataFrame, **design) -> list[float]:
    """SD of the log ratio with the baseline of 2018, and after only, over 4,000 redraws."""
    table = busiest.sort_index()
    taken = randomise(table.index, seed="x", **design).redraw(draws=4000, seed=1).astype(float)
    treated, total = taken @ table[["2018", "2019"]].to_numpy(float), table[["2018", "2019"]].sum().to_numpy()
    after = np.log(treated / (total - treated))
    return [(after[:, 1] - after[:, 0]).std(), after[:, 1].std()]


def test_the_spread_of_complete_randomisation(busiest, reference) -> None:
    assert spreads(busiest) == pytest.approx(reference["trial_designs"]["complete"], abs=0.002)


def test_the_gain_of_pairs_on_one_year(busiest, reference) -> None:
    found = spreads(busiest, design="pairs", pairs_on=busiest["2018"])
    assert found == pytest.approx(reference["trial_designs"]["pairs_on_2018"], abs=0.002)


def test_the_gain_of_pairs_on_two_years(busiest, reference) -> None:
    found = spreads(busiest, design="pairs", pairs_on=busiest["2017"] + busiest["2018"])
    assert found == pytest.approx(reference["trial_designs"]["pairs_on_2017_and_2018"], abs=0.002)


def test_the_gain_of_rerandomising(busiest, reference) -> None:
    both = busiest[["2017", "2018"]]
    found = spreads(busiest, design="rerandomised", balance_on=both, acceptance=0.1)
    expected = reference["trial_designs"]["rerandomised_best_10_percent_2017_2018"]
    assert found == pytest.approx(expected, abs=0.002)


@pytest.mark.parametrize("metres", ["0", "250", "500", "1000"])
def test_how_many_units_a_gap_leaves(metres: str, reference) -> None:
    import geopandas as gpd

    from peelian.places import Places

    counts = pd.read_csv(
        SHARED / "reference/evaluate/london_lsoa11_burglary_yearly_2011_2019.csv.gz", index_col=0
    )["2018"]
    busy = counts.sort_values(ascending=False, kind="stable").index[:967]
    areas = gpd.read_file(
        SHARED / "data/uk/boundaries_london/london_lsoa_2011.gpkg", columns=["LSOA11CD"]
    ).set_index("LSOA11CD")
    found = len(apart(Places.of(areas.loc[busy]), float(metres), seed="peelian-example-2026"))
    assert found == pytest.approx(reference["spacing"][metres], rel=0.05)


# ------------------------------------------------------------------- power
ROOM = {"5": 1.5, "10": 1.0, "20": 0.5, "50": 0.5, "100": 0.5, "200": 0.5}
ROOM_CLUSTERED = {"5": 3.0, "10": 1.5, "20": 0.5, "50": 0.5, "100": 0.5, "200": 0.5}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Smallest visible falls on the London MSOAs, 2018 against 2019."""
    path = SHARED / "reference/evaluate/london_msoa11_burglary_monthly_2011_2019.csv.gz"
    wide = pd.read_csv(path, index_col=0).loc[:, "2018-01":"2019-12"]
    wide.columns = pd.PeriodIndex(wide.columns, freq="M", name="month")
    wide.index.name = "place"
    return mde_table(wide.stack(), tuple(map(int, ROOM)), draws=20_000, seed=1).set_index("areas")


@pytest.mark.parametrize("number", list(ROOM))
def test_the_smallest_visible_fall_by_planting(number: str, table, reference) -> None:
    """Against the printed row. For 20 places the file's planted 15.3 % is its 4,000 draws' luck.

    100,000 draws give 15.8 % (spread of the log ratio 0.0613, limit 0.1204; the file has 0.0603 and 0.1168,
    both 1.5 to 2 standard errors of 4,000 draws lower). Answers of 4,000 draws spread by 0.18 points round it.
    """
    expected = reference["mde_by_rerandomising_983_msoa_2018_2019"][number][2]
    assert 100 * table.loc[int(number), "mde"] == pytest.approx(expected, abs=ROOM[number])


@pytest.mark.parametrize("number", list(ROOM))
def test_the_smallest_visible_fall_by_the_spread(number: str, table, reference) -> None:
    expected = reference["mde_by_rerandomising_983_msoa_2018_2019"][number][2]
    assert 100 * table.loc[int(number), "mde_spread"] == pytest.approx(expected, abs=ROOM[number])


@pytest.mark.parametrize("number", list(ROOM))
def test_the_smallest_visible_fall_by_clustered_errors(number: str, table) -> None:
    london = json.loads((SHARED / "reference/evaluate/power_london.json").read_text(encoding="utf-8"))
    expected = london["mde_msoa_12_v_12_months"]["rows"][number]["mde_pct"]
    found = 100 * table.loc[int(number), "mde_clustered"]
    assert found == pytest.approx(expected, abs=ROOM_CLUSTERED[number])


@pytest.mark.parametrize("number", list(ROOM))
def test_nothing_planted_is_seen_one_time_in_twenty(number: str, table) -> None:
    assert 0.03 <= table.loc[int(number), "false_positives"] <= 0.07
