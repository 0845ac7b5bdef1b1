"""Areas left out of the comparison: seen where they were taken for their count, and allowed for."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from peelian.evaluate import assess, compare, did, study
from peelian.evaluate.leftout import allowed_for, left_out
from peelian.evaluate.windows import Study
from peelian.panel import Panel
from peelian.programme import Programme
from tests.evaluate_world import counts_of, grid, noisy, programme

START, MANY = 60, 40


def city(
    chosen: str, *, months: int = 84, start: int = START, seed: int = 3
) -> tuple[Panel, Programme, np.ndarray]:
    """400 areas, 40 treated at random from ``start``, nothing done; 40 others left out as ``chosen``."""
    rng, places = np.random.default_rng(seed), grid(20, width=4_000.0)
    matrix = noisy(rng, len(places), months, mean=2.0, sd=0.4)
    order = rng.permutation(len(places))
    treated, rest = order[:MANY], order[MANY:]
    year = matrix[rest, start - 12 : start].sum(axis=1)
    out = rest[np.argsort(-year, kind="stable")[:MANY]] if chosen == "hottest" else rest[:MANY]
    when = str(pd.Period("2012-01", "M") + start)
    plan = programme(
        sorted(places.index[treated]), [when] * MANY, chosen_on=("2012-01", "2012-12"),
        excluded=list(places.index[out]),
    )  # fmt: skip
    return Panel.build(counts_of(matrix, places), plan, places, outcome="burglary"), plan, out


def plain(laid: Study) -> Study:
    return replace(laid, left_out=(None,) * len(laid.stacks))


def test_areas_left_out_at_random_change_nothing() -> None:
    laid = study(*city("at random")[:2])
    assert laid.left_out == (None,)
    check = allowed_for(laid.left_out)
    assert not check.fired
    assert check.sentence == "No area was left out of the comparison for its count inside the windows."


def test_the_hottest_left_out_make_the_others_rise_and_that_is_allowed_for() -> None:
    errors = {"plain": [], "allowed for": []}
    for seed in range(8):
        laid = study(*city("hottest", seed=seed)[:2], months_before=12)
        errors["plain"].append(did(plain(laid), seed=1, draws=1).log.theta)
        errors["allowed for"].append(did(laid, seed=1, draws=1).log.theta)
    assert np.mean(errors["plain"]) < -0.03  # a fall, with nothing done
    assert abs(np.mean(errors["allowed for"])) < abs(np.mean(errors["plain"])) / 2


def test_the_correction_is_the_mean_of_earlier_years_and_its_error_widens_the_interval() -> None:
    laid = study(*city("hottest")[:2], months_before=12)
    (held,) = laid.left_out
    assert held is not None
    assert held.backs == (12, 24, 36, 48)
    shifts = held.shifts(held.before, held.after)
    one, other = (did(s, seed=1, draws=1).log for s in (laid, plain(laid)))
    assert one.theta - other.theta == pytest.approx(shifts.mean())
    drift = shifts.std(ddof=1) * math.sqrt(1 + 1 / 4)
    assert one.se**2 - other.se**2 == pytest.approx(drift**2)


def test_one_shift_by_hand() -> None:
    """The third of four far areas, highest in the third year, is left out: so is the highest a year before."""
    counts = np.zeros((4, 48))
    counts[:, ::12] = [[9, 4, 4, 4], [5, 5, 5, 5], [5, 6, 9, 5], [1, 5, 5, 5]]
    control = np.array([True, True, False, True])
    held = left_out(counts, counts, control, ~control, (24, 36), before=(24, 36), after=(36, 48), until=36)
    assert held is not None
    assert held.backs == (12, 24)
    # a year back the third is highest again (6): the others stay at 14; all four went from 20 to 23
    assert held.shifts((24, 36), (36, 48))[0] == pytest.approx(math.log(14 / 14) - math.log(23 / 20))
    assert held.share == pytest.approx(9 / 23)


def test_with_under_three_earlier_years_the_verdict_goes_one_step_down() -> None:
    panel, plan, _ = city("hottest", months=60, start=36)
    laid = study(panel, plan, months_before=12)
    check = allowed_for(laid.left_out)
    assert (check.fired, check.consequence) == (True, "down")
    assert did(laid, seed=1, draws=1).log.theta == did(plain(laid), seed=1, draws=1).log.theta


def test_areas_of_a_later_start_are_left_out_too() -> None:
    """Phase two took the hottest areas of phase one's baseline: phase one is compared without them."""
    panel, plan, out = city("hottest")
    areas = plan.areas.copy()
    late = areas.index[areas["arm"] == "excluded"]
    areas.loc[late, "arm"] = "treated"
    areas.loc[late, "start"] = pd.Period("2018-01", "M")
    areas.loc[late, ["selected_from", "selected_to"]] = [pd.Period("2016-01", "M"), pd.Period("2016-12", "M")]
    both, places = replace(plan, areas=areas), grid(20, width=4_000.0)
    laid = study(Panel.build(panel.frame["count"], both, places, outcome="burglary"), both, months_before=12)
    first, second = laid.left_out
    assert first is not None
    assert first.members.sum() == len(out)
    assert not first.assumed
    assert second is None  # phase one was chosen four years before phase two's windows


def test_the_chapter_says_both_ratios_and_the_table_still_holds_plain_counts() -> None:
    panel, plan, _ = city("hottest")
    found = assess(panel, plan, seed=1, permutations=99, months_before=12)
    check, names = found.check("S2"), [e.name for e in found.effects]
    assert (check.fired, check.consequence) == (True, "none")
    assert check.sentence.startswith("22 areas that would have been compared with, with 30 % of the far")
    assert "not allowing for areas left out: " in check.sentence
    assert {"not allowing for areas left out", "with the areas left out as controls"} <= set(names)
    row = compare(found.study).set_index("group").loc["other areas"]
    held = panel.by_place()
    far = (held["arm"] == "control") & (held["ring"] == "beyond")
    counts = panel.frame["count"].unstack("month")[far]
    assert row["after"] == counts.iloc[:, START : START + 12].to_numpy().sum()


def test_months_in_which_the_areas_left_out_were_treated_themselves_show_nothing() -> None:
    """The other scheme began a year earlier: the year before the start is no year with nothing done."""
    panel, plan, _ = city("hottest")
    areas = plan.areas.copy()
    other = areas.index[areas["arm"] == "excluded"]
    areas.loc[other, "start"] = pd.Period("2016-01", "M")
    early = study(panel, replace(plan, areas=areas), months_before=12).left_out[0]
    plain_start = study(panel, plan, months_before=12).left_out[0]
    assert early is not None
    assert plain_start is not None
    assert early.until == START - 12
    assert (
        len(early.shifts(early.before, early.after))
        == len(plain_start.shifts(plain_start.before, plain_start.after)) - 1
    )
