"""The audit: who is chosen, whose crime is missed, what fairness costs, and what feedback does."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from peelian.errors import DataError, DesignError
from peelian.places import Places
from peelian.predict.audit import (
    Groups,
    dose,
    error_parity,
    explore,
    exposure,
    groups_of,
    homes_on,
    on_cells,
    taken,
)  # fmt: skip
from peelian.predict.feedback_map import feedback_map
from peelian.predict.frontier import decision_sentence, frontier, frontier_sentence
from peelian.predict.reporting import corrected_choice, smallest_difference, under_reporting
from peelian.predict.tables import Decision

AREAS = Places.of(
    gpd.GeoDataFrame(
        {
            "households": [100, 100, 200, 200], "decile": [1, 1, 10, 10], "rented": [80, 60, 20, 0],
            "text": ["a", "b", "c", "d"],
        },
        index=["a", "b", "c", "d"],
        geometry=[box(500 * n, 0, 500 * n + 500, 500) for n in range(4)],
        crs="EPSG:27700",
    )
)  # fmt: skip
ORIGINS = 12
RNG = np.random.default_rng(1)
OUTCOMES = RNG.poisson([[6], [4], [2], [2]], (4, ORIGINS))


def groups() -> Groups:
    found = groups_of(AREAS, deprivation="decile", tenure={"rented homes": "rented"})
    assert found is not None
    return found


# -------------------------------------------------------------------- groups
def test_groups_are_deciles_and_shares() -> None:
    found = groups()
    assert list(found.parts) == ["decile 1", "decile 10", "rented homes"]
    assert found.parts["rented homes"].tolist() == [0.8, 0.6, 0.2, 0.0]


def test_without_columns_there_are_no_groups() -> None:
    assert groups_of(AREAS) is None


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"deprivation": "nothing"}, "names the columns nothing"),
        ({"deprivation": "households"}, "is no decile from 1"),
        ({"residents": {"people": "text"}}, "is no share"),
    ],
)
def test_columns_that_are_none_are_refused(asked: dict[str, object], says: str) -> None:
    with pytest.raises(DataError, match=says):
        groups_of(AREAS, **asked)  # type: ignore[arg-type]


def test_homes_of_an_area_are_spread_over_its_cells_and_none_is_lost() -> None:
    cells = Places.grid(AREAS.geometry, 100)
    assert AREAS.households is not None
    assert homes_on(cells, AREAS, AREAS.households).sum() == pytest.approx(600)
    assert on_cells(groups(), cells, AREAS).parts["decile 1"].sum() == 50


# -------------------------------------------------------------------- exposure and parity
def test_who_gets_everything_gets_a_share_over_1() -> None:
    chosen = np.repeat([[1.0], [0.0], [0.0], [0.0]], ORIGINS, axis=1)
    found = exposure(chosen, OUTCOMES, groups(), size=np.array([100.0, 100, 200, 200]), seed=1)
    row = found.set_index("group").loc["decile 1"]
    assert (row["share_chosen"], row["share_of_homes"]) == (1.0, pytest.approx(1 / 3))
    assert row["to_homes"] == pytest.approx(3)
    assert row["to_crime_low"] <= row["to_crime"] <= row["to_crime_high"]


def test_an_even_choice_gives_each_group_its_part() -> None:
    chosen = np.full((4, ORIGINS), 0.25)
    found = exposure(chosen, OUTCOMES, groups(), size=np.array([100.0, 100, 200, 200]), seed=1)
    assert found["to_homes"].iloc[:2].tolist() == pytest.approx([1.0, 1.0])


def test_parity_says_whose_crime_lay_in_chosen_places() -> None:
    chosen = np.repeat([[1.0], [0.0], [0.0], [0.0]], ORIGINS, axis=1)
    found = error_parity(chosen, OUTCOMES, groups(), seed=1).set_index("group")
    rate = OUTCOMES[0].sum() / OUTCOMES[:2].sum()
    assert found.loc["decile 1", "hit_rate"] == pytest.approx(rate)
    assert found.loc["decile 1", "hit_rate"] + found.loc["decile 1", "missed"] == pytest.approx(1)
    assert found.loc["decile 10", "hit_rate"] == 0


def test_chosen_parts_fill_the_share_exactly_and_share_ties() -> None:
    part = taken(np.array([5.0, 1.0, 1.0, 1.0, 0.0]), np.array([1.0, 2, 2, 2, 3]), 0.4)
    assert part.tolist() == pytest.approx([1.0, 0.5, 0.5, 0.5, 0.0])
    assert part @ np.array([1.0, 2, 2, 2, 3]) == pytest.approx(4)


def test_the_dose_names_what_is_never_seen() -> None:
    found = dose(np.array([[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]), np.array([[2, 2], [1, 1], [0, 0]]))
    assert (found.ever, found.half, found.unseen) == (1, 1, pytest.approx(1 / 3))


def test_random_boxes_find_what_the_map_left_out() -> None:
    rng = np.random.default_rng(2)
    outcomes = rng.poisson(rng.gamma(1, 1, (500, 1)), (500, 24))
    chosen = np.column_stack([taken(column, np.ones(500), 0.1) for column in rng.gamma(1, 1, (500, 24)).T])
    found = [explore(chosen, outcomes, share=0.3, seed=seed) for seed in range(100)]
    truth = found[0][1]
    assert 0.9 <= np.mean([estimate.low <= truth <= estimate.high for estimate, _ in found]) <= 0.99
    assert np.mean([estimate.total for estimate, _ in found]) == pytest.approx(truth, rel=0.02)


# -------------------------------------------------------------------- frontier
def curve(norm: pd.Series | None = None) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    parts = pd.DataFrame(
        {"poor": (np.arange(80) < 30).astype(float), "rich": (np.arange(80) >= 30).astype(float)}
    )
    risk = rng.gamma(1, 1, 80) + 2 * parts["poor"].to_numpy()
    size = rng.integers(300, 900, 80).astype(float)
    shares = pd.Series({"poor": 30 / 80, "rich": 50 / 80}) if norm is None else norm
    return frontier(risk, rng.poisson(risk), parts, size=size, share=0.2, norm=shares)


def test_the_frontier_trades_crime_for_parity_step_by_step() -> None:
    found = curve()
    assert len(found) == 21
    assert (found["expected"].diff().dropna() <= 1e-9).all()
    assert (found["distance"].diff().dropna() <= 1e-9).all()
    assert found["distance"].iloc[0] > 0.2
    assert found["distance"].iloc[-1] == pytest.approx(0, abs=1e-9)


def test_the_first_point_is_the_choice_by_risk_alone() -> None:
    rng = np.random.default_rng(5)
    risk, size = rng.gamma(1, 1, 50), rng.integers(100, 500, 50).astype(float)
    parts = pd.DataFrame({"all": np.ones(50)})
    found = frontier(risk, risk, parts, size=size, share=0.3, norm=pd.Series({"all": 1.0}))
    assert found["expected"].iloc[0] == pytest.approx(taken(risk, size, 0.3) @ risk / risk.sum())


def test_the_frontier_leaves_the_choice_to_somebody() -> None:
    assert "is a decision, to be recorded with its reason" in frontier_sentence(
        curve(), "burglaries", norm="homes"
    )


def test_the_choice_is_printed_with_who_made_it_and_why() -> None:
    decided = Decision(gamma=0.1, by="Supt B. Example", reason="half the distance for a point of crime")
    said = decision_sentence(curve(), decided, "burglaries")
    assert said.startswith("Decided by Supt B. Example: gamma 0.0911, which covers ")
    assert said.endswith("Reason: half the distance for a point of crime")


# -------------------------------------------------------------------- reporting
COUNTS = pd.Series(
    np.random.default_rng(6).poisson(np.random.default_rng(7).gamma(3, 8, 120)),
    [f"p{n:03d}" for n in range(120)],
)
POOR = pd.Series(np.arange(120) % 3 == 0, COUNTS.index)
HOMES = pd.Series(600.0, COUNTS.index)


def test_the_smallest_gap_moves_a_tenth_and_one_point_less_does_not() -> None:
    about = {"chosen": 12, "deprived": POOR, "households": HOMES, "seed": 1}
    found = smallest_difference(COUNTS, **about)  # type: ignore[arg-type]
    assert found.points is not None
    assert found.moved >= 0.1
    assert 0 < found.points < 60
    assert "the smallest gap that does so" in str(found)


def test_where_no_gap_moves_them_that_is_said() -> None:
    sure = pd.Series([1000] * 12 + [1] * 108, COUNTS.index)
    none = pd.Series([False] * 12 + [True] * 108, COUNTS.index)
    found = smallest_difference(sure, chosen=12, deprived=none, households=HOMES, seed=1)
    assert found.points is None
    assert str(found).startswith("Not even 60 points")


def test_thinning_reports_the_hit_rate_of_the_thinned_choice() -> None:
    table = under_reporting(COUNTS, chosen=12, deprived=POOR, outcome=COUNTS, draws=50, seed=1)
    everywhere = table[table["fewer"] == 0].set_index("missed")["hit_rate"]
    assert everywhere[0.5] < everywhere[0.05]
    assert len(table) == 5 + 18


def test_raising_by_survey_rates_changes_the_choice() -> None:
    reported = pd.Series(np.where(POOR, 0.4, 0.8), COUNTS.index)
    assert corrected_choice(COUNTS, reported, chosen=12) > 0
    assert corrected_choice(COUNTS, reported * 0 + 0.5, chosen=12) == 0
    with pytest.raises(DesignError, match="must lie above 0"):
        corrected_choice(COUNTS, reported * 0, chosen=12)


# -------------------------------------------------------------------- feedback
RATES = np.random.default_rng(8).gamma(0.8, 1, 60) / 10
ABOUT = {"patrols": 6, "days": 300, "runs": 20, "seed": 1}


def test_police_found_crime_runs_away_and_the_correction_lessens_it() -> None:
    plain = feedback_map(RATES, reported=0.0, discovery=1.0, **ABOUT)  # type: ignore[arg-type]
    corrected = feedback_map(RATES, reported=0.0, discovery=1.0, corrected=True, **ABOUT)  # type: ignore[arg-type]
    victims = feedback_map(RATES, reported=1.0, **ABOUT)  # type: ignore[arg-type]
    assert plain.middle > corrected.middle > victims.middle


def test_what_nobody_finds_feeds_nothing_back() -> None:
    without = feedback_map(RATES, discovery=0.0, **ABOUT)  # type: ignore[arg-type]
    again = feedback_map(RATES, discovery=0.0, corrected=True, **ABOUT)  # type: ignore[arg-type]
    assert without.middle == again.middle


def test_deterrence_prevents_some_crime() -> None:
    assert feedback_map(RATES, deterrence=0.5, **ABOUT).prevented > 0.03  # type: ignore[arg-type]
    assert feedback_map(RATES, deterrence=0.0, **ABOUT).prevented == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "says"),
    [({"discovery": 2.0}, "discovery is a share"), ({"patrols": 60}, "patrols lies between 0 and the 60")],
)
def test_feedback_that_cannot_be_is_refused(change: dict[str, object], says: str) -> None:
    with pytest.raises(DesignError, match=says):
        feedback_map(RATES, **{**ABOUT, **change})  # type: ignore[arg-type]
