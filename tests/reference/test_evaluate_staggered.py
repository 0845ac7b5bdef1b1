"""Staggered starts: group-time effects against R, two-way fixed effects, its parts, imputation.

Numbers: ../shared/reference/evaluate/mpdta.json (Callaway & Sant'Anna 2021, R package did) and castle.json
(Cheng & Hoekstra 2013); tolerances are the files' own: what R computed to 1e-8, printed digits to half of the
last. Data: ../shared/data/world/eval_mpdta and eval_castle_doctrine, never part of this project.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from peelian.evaluate.staggered import (
    aggregate,
    bacon,
    group_time,
    imputation_ols,
    twfe,
)

HOW = ("simple", "group", "dynamic", "calendar")


def wide(shared: Path, folder: str, file: str, unit: str) -> pd.DataFrame:
    path = shared / "data" / "world" / folder / file
    if not path.is_file():
        pytest.skip(f"{file} is not here")
    return pd.read_csv(path).sort_values([unit, "year"])


@pytest.fixture(scope="module")
def jobs(shared: Path) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    frame = wide(shared, "eval_mpdta", "mpdta.csv.gz", "countyreal")
    y = frame["lemp"].to_numpy().reshape(-1, 5)
    start = frame["first.treat"].to_numpy().reshape(-1, 5)[:, 0]
    numbers = json.loads((shared / "reference" / "evaluate" / "mpdta.json").read_text())
    return numbers, y, np.where(start == 0, -1, start - 2003).astype(int)


@pytest.fixture(scope="module")
def castle(shared: Path) -> tuple[dict[str, Any], dict[str, np.ndarray], np.ndarray]:
    frame = wide(shared, "eval_castle_doctrine", "castle.csv.gz", "sid")
    names = ("l_homicide", "l_pop", "l_income", "effyear", "post")
    columns = {name: frame[name].to_numpy(float).reshape(-1, 11) for name in names}
    start = columns["effyear"][:, 0]
    numbers = json.loads((shared / "reference" / "evaluate" / "castle.json").read_text())
    return numbers, columns, np.where(np.isnan(start), -1, start - 2000).astype(int)


def since(first: np.ndarray, periods: int, *, late: int = 0) -> np.ndarray:
    return (first[:, None] >= 0) & (np.arange(periods) >= first[:, None] + late)


@pytest.mark.parametrize(("controls", "key"), [("never", "mpdta_nev_dr"), ("not_yet", "mpdta_nyt_dr")])
def test_every_cohort_and_period_is_what_r_says(jobs: tuple, controls: Any, key: str) -> None:
    numbers, y, first = jobs
    found = group_time(y, first, controls=controls).frame
    wanted = pd.DataFrame(numbers["r_did"][key]["att_gt"])
    assert found["att"].to_numpy() == pytest.approx(wanted["att"].to_numpy(), abs=1e-8)
    assert found["se"].to_numpy() == pytest.approx(wanted["se"].to_numpy(), abs=1e-8)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(("controls", "key"), [("never", "mpdta_nev_dr"), ("not_yet", "mpdta_nyt_dr")])
def test_every_aggregate_is_what_r_says(jobs: tuple, controls: Any, key: str, how: Any) -> None:
    numbers, y, first = jobs
    found, wanted = (
        aggregate(group_time(y, first, controls=controls), how),
        numbers["r_did"][key]["aggregates"][how],
    )
    assert (found.att, found.se) == pytest.approx((wanted["overall"], wanted["se"]), abs=1e-8)
    if "by" in wanted:
        assert found.by is not None
        by = pd.DataFrame(wanted["by"])
        assert found.by[["att", "se"]].to_numpy() == pytest.approx(by[["att", "se"]].to_numpy(), abs=1e-8)


def test_the_pre_test_is_what_r_says(jobs: tuple) -> None:
    numbers, y, first = jobs
    found, wanted = group_time(y, first), numbers["r_did"]["mpdta_nev_dr"]["pre_test"]
    assert found.pre_test == pytest.approx(wanted["W"], abs=1e-6)
    assert found.pre_p == pytest.approx(wanted["p"], abs=5e-6)


def test_two_way_fixed_effects_of_the_jobs_panel(jobs: tuple) -> None:
    numbers, y, first = jobs
    found = twfe(y, since(first, 5))
    assert found.estimate == pytest.approx(numbers["twfe"]["att"], abs=1e-7)
    assert found.clustered == pytest.approx(numbers["twfe"]["se_cr0"], abs=1e-7)


def test_least_squares_imputation_of_the_jobs_panel(jobs: tuple) -> None:
    numbers, y, first = jobs
    post = since(first, 5)
    assert imputation_ols(y, ~post, post) == pytest.approx(numbers["imputation_ols"]["att"], abs=1e-7)


def test_two_way_fixed_effects_of_castle_by_three_conventions(castle: tuple) -> None:
    numbers, columns, first = castle
    row, found = numbers["twfe_post_from_effyear"], twfe(columns["l_homicide"], since(first, 11))
    assert found.estimate == pytest.approx(row["coef"], abs=1e-7)
    wanted = (row["se_iid"], row["se_cr0"], row["se_cr0_times_sqrt_G/(G-1)"])
    assert (found.iid, found.clustered, found.clustered_g) == pytest.approx(wanted, abs=1e-6)


def test_two_way_fixed_effects_of_castle_with_covariates(castle: tuple) -> None:
    numbers, columns, first = castle
    row = numbers["twfe_post_from_effyear"]["with_l_pop_l_income"]
    found = twfe(columns["l_homicide"], since(first, 11), covariates=(columns["l_pop"], columns["l_income"]))
    assert found.estimate == pytest.approx(row["coef"], abs=1e-7)
    assert found.clustered == pytest.approx(row["se_cr0"], abs=1e-6)


def test_what_the_castle_coefficient_is_made_of(castle: tuple) -> None:
    numbers, columns, first = castle
    found = bacon(columns["l_homicide"], first)
    found["part"] = found["weight"] * found["estimate"]
    parts = found.groupby("kind")[["weight", "part"]].sum()
    for kind in ("treated v never", "earlier v later", "later v earlier"):
        wanted = numbers["bacon"][kind.replace(" ", "_")]
        at = parts.loc[kind]
        assert at["weight"] == pytest.approx(wanted["weight"], abs=5e-5), kind
        assert at["part"] / at["weight"] == pytest.approx(wanted["average"], abs=5e-5), kind


def test_the_parts_add_up_to_the_two_way_coefficient(castle: tuple) -> None:
    _, columns, first = castle
    found = bacon(columns["l_homicide"], first)
    whole = twfe(columns["l_homicide"], since(first, 11)).estimate
    assert (found["weight"] * found["estimate"]).sum() == pytest.approx(whole, abs=1e-10)


def test_group_time_effects_of_castle(castle: tuple) -> None:
    numbers, columns, first = castle
    found, wanted = (
        aggregate(group_time(columns["l_homicide"], first), "simple"),
        numbers["callaway_santanna"],
    )
    assert (found.att, found.se) == pytest.approx((wanted["att"], wanted["se"]), abs=1e-6)


@pytest.mark.parametrize(("late", "key"), [(0, "imputation_effyear"), (1, "imputation_file_post")])
def test_imputation_of_castle_by_both_dates(castle: tuple, late: int, key: str) -> None:
    numbers, columns, first = castle
    post = since(first, 11, late=late)
    row = numbers["timing_trap"][key]
    assert int(post.sum()) == row["rows"]
    assert imputation_ols(columns["l_homicide"], ~post, post) == pytest.approx(row["att"], abs=1e-7)


def test_the_late_copy_disagrees_in_as_many_rows_as_known(castle: tuple) -> None:
    numbers, _, first = castle
    wrong = since(first, 11) != since(first, 11, late=1)
    assert int(wrong.sum()) == numbers["timing_trap"]["rows_that_disagree"]
