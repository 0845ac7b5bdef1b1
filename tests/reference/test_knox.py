"""Near repeats against other people's numbers.

Provenance: reference/near_repeat of the shared folder: R 4.2.2 (``dist`` and ``cut``; R surveillance 1.20.3),
the Near Repeat Calculator 1.3's own output, the vignette of R NearRepeat, pointpats 2.5.5. Counts are exact.
Moments agree to 1e-9 of their value; where a band is open R's own rounding in a difference of numbers of 1e19
leaves 1e-6 of the variance (ours is exact in fractions). Permutation p within 0.03, ratios of 999 permutations
within 1 % of observed over expected (spec/explain.md 13).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from peelian.arithmetic.pairs import close_pairs, moments, observed_pairs, time_partners
from peelian.explain.bands import bands_of
from peelian.explain.events import Events
from peelian.explain.near_repeat import Asked, Knox, knox, knox_of
from peelian.explain.near_repeat_local import local
from peelian.incidents import Incidents

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
FOLDER = SHARED / "reference" / "near_repeat"
DATA = SHARED / "data" / "world" / "nearrepeat_chicago_2016"
if not FOLDER.is_dir() or not DATA.is_dir():
    pytest.skip("../shared/reference/near_repeat is not beside this checkout.", allow_module_level=True)

EXPECTED = json.loads((FOLDER / "expected_tables.json").read_text())
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


def dated(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path)
    return frame.assign(date=pd.to_datetime(frame["date"]))


def chicago(name: str) -> pd.DataFrame:
    if name == "chicago_arson":
        return dated(DATA / "chicago_arson.csv")
    frame = dated(DATA / "chicago_be.csv.gz")
    return frame[frame["date"] < "2016-02-01"]


def arrays(name: str) -> Arrays:
    if name == "toy_60":
        toy = pd.read_csv(FOLDER / "toy_60.csv")
        return toy["x"].to_numpy(float), toy["y"].to_numpy(float), toy["day"].to_numpy()
    frame = chicago(name)
    days = (frame["date"] - pd.Timestamp("2016-01-01")).dt.days.to_numpy()
    return frame["x"].to_numpy(), frame["y"].to_numpy(), days


CASES = [
    (name, k) for name in ("toy_60", "chicago_be_month1", "chicago_arson") for k in range(len(EXPECTED[name]))
]


# -------------------------------------------------------------------- R5
@pytest.mark.parametrize(("name", "at"), CASES)
def test_tables_of_r(name: str, at: int) -> None:
    case = EXPECTED[name][at]
    x, y, day = arrays(name)
    space = [float(b) for b in case["distance_breaks"]][1:]
    time = [float(b) for b in case["day_breaks"]][1:]
    opened = np.isinf(space[-1])
    close = close_pairs(x, y, space[:-1] if opened else space, closed=case["closed"], metric=case["metric"])
    counts = observed_pairs(close, day, time, case["closed"])
    in_space, in_time = close.partners(len(x)), time_partners(day, time, case["closed"])
    if opened:
        in_space = np.column_stack([in_space, len(x) - 1 - in_space.sum(axis=1)])
        counts = np.vstack([counts, in_time.sum(axis=0) // 2 - counts.sum(axis=0)])
    assert counts.tolist() == case["observed"]
    assert (in_space.sum(axis=0) // 2).tolist() == case["distance_pairs"]
    assert (in_time.sum(axis=0) // 2).tolist() == case["day_pairs"]
    mean, variance = moments(in_space, in_time)
    assert mean == pytest.approx(np.array(case["expected"]), rel=1e-9)
    assert variance == pytest.approx(np.array(case["variance"]), rel=1e-6 if opened else 1e-9)


# -------------------------------------------------------------------- R6
def nrc(name: str) -> tuple[dict[str, Any], Knox]:
    case = EXPECTED["nrc_1.3"][name]
    x, y, day = arrays(name)
    step, days = case["spatial_bandwidth_m"], case["temporal_bandwidth_days"]
    bands = bands_of((0.01, *(step * k for k in (1, 2, 3))), [days * k for k in (1, 2, 3)], "nrc-1.3")
    return case, knox_of(Events.of(x, y, day), Asked(bands, "manhattan", "permute", 99, seed=1))


@pytest.mark.parametrize("name", ["chicago_be_month1", "chicago_arson"])
def test_the_near_repeat_calculator(name: str) -> None:
    case, found = nrc(name)
    assert found.frame["observed"].to_numpy().reshape(5, 4).tolist() == case["observed"]
    assert found.labels == (tuple(case["printed_distance_labels"]), tuple(case["printed_day_labels"]))
    assert found.intervals == (tuple(case["actual_distance_intervals"]), tuple(case["actual_day_intervals"]))


@pytest.mark.parametrize("metres", [200, 100])
def test_the_pair_that_the_calculator_puts_elsewhere(metres: int) -> None:
    case = EXPECTED["nrc_1.3"]["pathological_pair"]
    printed = case[f"nrc_{metres}m_3d"]["printed_cell"]
    correct = case[f"correct_{metres}m_3d"]
    x, y, day = np.zeros(2), np.array([0.0, case["distance_m"]]), np.array([0, case["days"]])
    for rule, cell in (("nrc-1.3", printed), ("correct", correct)):
        bands = bands_of((0.01, metres, 2 * metres), (3, 6), rule)  # type: ignore[arg-type]
        close = close_pairs(x, y, bands.distances, closed=bands.closed)
        counts = observed_pairs(close, day, bands.times, bands.closed)
        row, column = np.argwhere(counts)[0]
        names = bands.labels if rule == "nrc-1.3" else bands.intervals
        assert [names[0][row], names[1][column]] == cell


# -------------------------------------------------------------------- R7
def test_the_vignette_of_near_repeat() -> None:
    case = EXPECTED["nearrepeat_vignette"]
    bands = bands_of(case["distance_breaks"][1:], case["day_breaks"][1:], "left")
    found = knox_of(
        Events.of(*arrays("chicago_be_month1")), Asked(bands, "manhattan", "permute", 999, seed=1)
    )
    frame = found.frame
    assert frame["observed"].to_numpy().reshape(4, 3).tolist() == case["observed"]
    assert frame["ratio"].to_numpy() == pytest.approx(np.ravel(case["ratio_to_mean"]), rel=0.01)
    assert frame["ratio_median"].to_numpy() == pytest.approx(np.ravel(case["ratio_to_median"]), rel=0.03)
    assert (frame["p"][np.ravel(case["p"]) == 0.001] == 0.001).all()


def test_p_of_the_vignette() -> None:
    # 9,999 permutations, so that the difference is the vignette's own error of 999
    case = EXPECTED["nearrepeat_vignette"]
    bands = bands_of(case["distance_breaks"][1:], case["day_breaks"][1:], "left")
    events = Events.of(*arrays("chicago_be_month1"))
    found = knox_of(events, Asked(bands, "manhattan", "permute", 9999, seed=1))
    assert found.frame["p"].to_numpy() == pytest.approx(np.ravel(case["p"]), abs=0.03)


# -------------------------------------------------------------------- R8
def test_surveillance() -> None:
    for case in EXPECTED["surveillance_knox"]:
        if case["data"].startswith("imdepi"):
            path = SHARED / "reference" / "predict" / "imdepi_events.csv"
            frame = pd.read_csv(path)
            x, y, day = frame["x"].to_numpy(), frame["y"].to_numpy(), frame["time"].to_numpy()
        else:
            x, y, day = arrays(case["data"])
        close = close_pairs(x, y, (case["eps_distance"],))
        gap = np.abs(day[close.first] - day[close.second])
        in_time = time_partners(day, (case["eps_days"],), "right")
        mean, _ = moments(close.partners(len(x)), in_time)
        assert int((gap <= case["eps_days"]).sum()) == case["close_pairs"]
        assert float(mean[0, 0]) == pytest.approx(case["expected"], abs=1e-4)


def test_pointpats_counts_of_single_events() -> None:
    case = EXPECTED["pointpats_2.5.5"]
    found = local(Events.of(*arrays(case["data"])), case["delta_m"], case["tau_days"], 9, 1)
    partners = found[["before", "after", "same_day"]].to_numpy().sum()
    assert partners == case["sum_of_local_counts"]
    assert partners == 2 * case["pairs"]


# -------------------------------------------------------------------- through the door
def test_chicago_as_incidents_keeps_the_account() -> None:
    frame = dated(DATA / "chicago_be.csv.gz")
    frame = frame[~(frame["date"] >= "2016-02-01")]  # the row without a date stays
    shapes = gpd.GeoDataFrame(
        {"start": frame["date"], "end": frame["date"] + pd.Timedelta(1, "D"), "type": "Burglary", "source": "t"},
        geometry=gpd.points_from_xy(frame["x"], frame["y"]), crs=26971,
    )  # fmt: skip
    found = knox(Incidents(shapes), (0.1, 200, 400, 600), days=(7, 14, 21), permutations=99, seed=1)
    assert (found.n, found.accounting["without a date"], found.accounting["rows read"]) == (970, 1, 971)
    case = EXPECTED["chicago_be_month1"][1]
    assert found.frame["observed"].to_numpy().reshape(4, 3).tolist() == case["observed"]
