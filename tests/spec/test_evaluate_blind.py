"""A trial read blind: nothing says which arm got the programme until somebody puts his name to it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from peelian.errors import DataError, DesignError
from peelian.evaluate import assess, blind
from peelian.evaluate.run import Parameters, run
from peelian.panel import Panel
from peelian.places import Places
from peelian.programme import Programme
from peelian.protocol import unblind, unblinded
from tests.evaluate_world import world

AT = datetime(2027, 1, 5, 9, 30, tzinfo=UTC)
Trial = tuple[Panel, Programme, Places]


@pytest.fixture(scope="module")
def trial() -> Trial:
    """Forty areas, twenty of them drawn to treatment, -40 %."""
    panel, plan, places = world(3, side=26, effect=0.6, treated=20, randomised=True, mean=6, months=60)
    spare = np.random.default_rng(1).permutation(places.index.difference(plan.treated.index))[:20]
    others = plan.areas.iloc[:20].assign(arm="control", start=pd.NaT).set_axis(spare)
    areas = pd.concat([plan.areas, others]).rename_axis("place").sort_index()
    areas["start"] = pd.PeriodIndex(areas["start"], freq="M")
    plan = replace(plan, areas=areas)
    return Panel.build(panel.frame["count"], plan, places, outcome="burglary"), plan, places


def test_the_blind_chapter_names_neither_arm_nor_area_nor_verdict(trial: Trial) -> None:
    panel, plan, places = trial
    made = run(
        panel, places, Parameters(permutations=99, blind=True), programme=plan, seed=1, crime="burglary"
    )
    text = json.dumps(made.section.as_json())
    assert "arms A and B" in text
    assert "treated" not in text
    assert "Verdict" not in text
    assert not any(area in text for area in plan.areas.index)
    assert made.files == {}
    assert made.not_held.startswith("the trial is read blind")


@pytest.mark.parametrize("seed", [0, 2])  # one seed of either order
def test_a_and_b_hold_the_arms_counts_and_the_ratio_is_that_of_b_to_a(trial: Trial, seed: int) -> None:
    panel, plan, _ = trial
    found = assess(panel, plan, seed=seed, permutations=99)
    frame, turned = blind.arms(found, plan), blind.first_is_control(seed)
    after = panel.frame["count"].unstack("month").loc[plan.treated.index].iloc[:, 36:48].to_numpy().sum()
    assert frame.loc["B" if turned else "A", "after"] == after
    assert frame["units"].tolist() == [20, 20]
    assert found.trial is not None
    shown = found.trial.effect.estimate if turned else 1 / found.trial.effect.estimate
    assert f"a ratio of {shown:.3f}" in blind.section(found, plan, "?").findings[0]


def test_both_orders_come_up() -> None:
    assert {blind.first_is_control(seed) for seed in (0, 2)} == {True, False}


def test_a_programme_that_was_not_drawn_cannot_be_read_blind() -> None:
    panel, plan, places = world(1, treated=24)
    made = run(panel, places, Parameters(permutations=99, blind=True), programme=plan, seed=1)
    assert "blind = true is for areas drawn to two arms" in made.not_held


def test_once_unblinded_the_whole_chapter_says_until_when_it_was_blind(trial: Trial, tmp_path: Path) -> None:
    panel, plan, places = trial
    (tmp_path / "unblinded.toml").write_text(unblind(None, author="A. Analyst", at=AT), encoding="utf-8")
    keys = Parameters(permutations=99, blind=True, unblinded="unblinded.toml")
    made = run(panel, places, keys, programme=plan, seed=1, crime="burglary", folder=tmp_path)
    text = json.dumps(made.section.as_json())
    assert "Read blind until 2027-01-05, when A. Analyst unblinded it (no frozen plan)." in text
    assert made.section.findings[0].startswith("Verdict: ")


def test_a_record_that_was_changed_or_has_no_name_is_refused() -> None:
    text = unblind(None, author="A. Analyst", at=AT)
    assert unblinded(text).startswith("Read blind until 2027-01-05")
    with pytest.raises(DataError, match="was changed since"):
        unblinded(text.replace("2027", "2028"))
    with pytest.raises(DesignError, match="needs a name"):
        unblind(None, author=" ", at=AT)
