"""Who benefits: thirds of the areas, each compared with areas like it; and the trial's further numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from peelian.evaluate import assess, study
from peelian.evaluate.benefits import THIRDS, Benefits, sentence, who_benefits
from peelian.evaluate.rct import trial_of
from peelian.panel import Panel
from peelian.programme import Programme
from tests.evaluate_world import counts_of, grid, noisy, programme, world


def worlds(seed: int, *, only_hot: bool) -> tuple[Panel, Programme]:
    """60 of 900 far areas treated, -40 % in all of them or only in the third with the highest counts."""
    rng, places = np.random.default_rng(seed), grid(30, width=4_000.0)
    matrix = noisy(rng, len(places), 48, mean=6, sd=0.05)
    treated = np.sort(rng.choice(len(places), 60, replace=False))
    level = matrix[treated, 24:36].sum(axis=1)
    fall = np.where(level > np.quantile(level, 2 / 3), 0.6, 1.0 if only_hot else 0.6)
    matrix[treated, 36:] = rng.binomial(matrix[treated, 36:].astype(int), fall[:, None])
    ids = list(places.index[treated])
    plan = programme(ids, ["2015-01"] * len(ids), chosen_on=("2012-01", "2012-12"))
    return Panel.build(counts_of(matrix, places), plan, places, outcome="burglary"), plan


def test_a_fall_in_the_hottest_third_alone_is_seen_there() -> None:
    laid = study(*worlds(1, only_hot=True), months_before=12)
    found = who_benefits(laid, seed=1)
    assert found is not None
    assert found.frame["third"].tolist() == list(THIRDS)
    low, _, high = found.frame["estimate"]
    assert high < 0.75 < 0.9 < low
    assert found.between["p"].iloc[0] < 0.01


def test_a_fall_everywhere_alike_shows_no_difference_between_thirds() -> None:
    found = [who_benefits(study(*worlds(s, only_hot=False), months_before=12), seed=1) for s in range(6)]
    inside = [f.between["low"].iloc[0] <= 1 <= f.between["high"].iloc[0] for f in found if f is not None]
    assert sum(inside) >= 5


def test_every_treated_area_and_incident_is_in_one_third() -> None:
    laid = study(*worlds(2, only_hot=False), months_before=12)
    found = who_benefits(laid, seed=1)
    assert found is not None
    treated = laid.group == 0
    assert found.frame["areas"].sum() == treated.sum()
    assert found.frame["count"].sum() == laid.window_sums(laid.stacks[0].after)[treated].sum()


def test_few_areas_have_no_thirds() -> None:
    panel, plan, _ = world(1, treated=12)
    assert who_benefits(study(panel, plan), seed=1) is None


def test_the_sentence_says_whether_it_was_registered() -> None:
    between = pd.DataFrame(
        [("count before", 0.8, 0.6, 1.1, 0.2), ("imd_decile", 1.1, 0.8, 1.5, 0.5)],
        columns=["by", "estimate", "low", "high", "p"],
    )
    found = Benefits(pd.DataFrame(), between)
    assert sentence(found) == (
        "Who benefits, exploratory: by count before, the highest third's ratio is 0.800 (0.600 to 1.100) "
        "times the lowest's, p 0.200; by imd decile, the highest third's ratio is 1.100 (0.800 to 1.500) "
        "times the lowest's, p 0.500 (p adjusted for 2 measures)."
    )
    assert sentence(found, registered=True).startswith("Who benefits, as registered: ")


def trial(*, kits: float) -> tuple[Panel, Programme]:
    """Forty far areas, twenty of them drawn to treatment, -40 %; a share of the homes took a kit."""
    panel, plan, places = world(3, side=26, effect=0.6, treated=20, randomised=True, mean=6, months=60)
    rng = np.random.default_rng(1)
    spare = rng.permutation(places.index.difference(plan.treated.index))[:20]
    areas = pd.concat([plan.areas, plan.areas.iloc[:20].assign(arm="control", start=pd.NaT).set_axis(spare)])
    areas = areas.rename_axis("place").sort_index()
    areas["start"] = pd.PeriodIndex(areas["start"], freq="M")
    index = pd.MultiIndex.from_product([plan.treated.index, panel.months[36:]], names=["place", "month"])
    plan = replace(plan, areas=areas)
    built = Panel.build(
        panel.frame["count"], plan, places, outcome="burglary", saturation=pd.Series(kits, index)
    )
    return built, plan


def test_a_trial_gives_the_regression_the_takers_and_the_control_units_nearby() -> None:
    panel, plan = trial(kits=0.5)
    found = trial_of(study(panel, plan), plan, seed=1, draws=199)
    assert found is not None
    assert found.second is not None
    assert found.takers is not None
    assert found.second.estimate == pytest.approx(found.effect.estimate, abs=0.1)
    assert found.takers.estimate == pytest.approx(100 * (found.effect.estimate - 1) / 0.5)
    assert 0 < found.flow["near"] < found.flow["control"]


def test_where_nobody_took_a_kit_there_is_no_change_among_takers() -> None:
    panel, plan = trial(kits=0.01)
    found = trial_of(study(panel, plan), plan, seed=1, draws=99)
    assert found is not None
    assert found.takers is None


def test_the_chapter_of_a_trial_says_them() -> None:
    panel, plan = trial(kits=0.5)
    from peelian.evaluate.second import _trial as blocks

    text = blocks(assess(panel, plan, seed=1, permutations=99))[0].text
    assert "By regression on the count before: 0." in text
    assert "Per home that took a kit the change is -" in text
    assert "lie in the first ring, so the programme may have touched them" in text
