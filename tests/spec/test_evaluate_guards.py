"""Every guard fires in one test and stays quiet in another; its numbers stand in its sentence."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from peelian.arithmetic.comparison import LogRatio, selection_placebo
from peelian.effect import Check, Effect
from peelian.evaluate import guards, share_break
from peelian.evaluate.checks import PreTrends, Selection
from peelian.evaluate.recording import dated_rows
from peelian.evaluate.registration import Registration
from peelian.evaluate.sensitivity import Sensitivity
from peelian.protocol import freeze

SURE, UNSURE = LogRatio(-0.3, 0.05, 50.0), LogRatio(-0.05, 0.05, 50.0)
CALM = Effect("on all burglary", 0.8, 0.7, 0.9)


def chosen(theta: LogRatio, placebos: list[float], *, auc: float = 0.9) -> Selection:
    rows = tuple((12 * i, x, x) for i, x in enumerate(placebos, start=1))
    return Selection(
        auc, rows, theta, theta, selection_placebo(theta, placebos), selection_placebo(theta, placebos)
    )


BENT = Sensitivity(pd.DataFrame(), 0.0, 0.7, 1.1, 8)
STRAIGHT = Sensitivity(pd.DataFrame(), 0.012, 0.7, 0.9, 8)


def planned(state: str) -> Registration:
    plan = dict.fromkeys(("question", "outcome", "estimator"), "x") | {
        "months_before": 12,
        "months_after": 12,
    }
    frozen = freeze(
        plan | {"treated": ["a"], "start": "2020-01"}, author="A", at=datetime(2019, 1, 1, tzinfo=UTC)
    )
    return Registration(state, (), "Said.", frozen)  # type: ignore[arg-type]


def trend(p: float | None) -> PreTrends:
    return PreTrends(p, 4, 0.01, 0.02, 0.6, 0.06, 0.08)


def g1(
    *, randomised: bool = False, overlap: bool = False, assumed: bool = False, clean: bool = True
) -> Check:
    return guards.overlaps_baseline(
        randomised=randomised, overlap=overlap, assumed=assumed, clean=clean, clean_log=SURE, naive_log=UNSURE
    )


def g4(before: float = 100, after: float = 80, mde: float = 0.2) -> Check:
    return guards.small_counts(before=before, after=after, detectable=mde, factor=2.0, crime="burglary")


def g5(n: int, smallest: float = 0.001, p: float | None = 0.01) -> Check:
    return guards.few_units(n=n, p=p, smallest=smallest, inverted=None)


def g9(*, dropped: int = 0, left: int = 100, before: float = 500.0, known: bool = True) -> Check:
    return guards.contaminated(
        dropped=dropped,
        near=30,
        left=left,
        n_treated=20,
        control_before=before,
        treated_before=400.0,
        rings_known=known,
    )


@pytest.mark.parametrize(
    ("check", "fired", "consequence"),
    [
        (g1(), False, "none"),
        (g1(overlap=True), True, "none"),
        (g1(assumed=True), True, "none"),
        (g1(overlap=True, clean=False), True, "SELECTION"),
        (g1(overlap=True, randomised=True), False, "none"),
        (guards.chosen_on_outcome(chosen(SURE, [-0.1, -0.11, -0.09]), randomised=False), True, "calibrated"),
        (guards.chosen_on_outcome(chosen(UNSURE, [-0.1, -0.11, -0.09]), randomised=False), True, "SELECTION"),
        (guards.chosen_on_outcome(chosen(SURE, [-0.1, -0.11]), randomised=False), True, "SELECTION"),
        (guards.chosen_on_outcome(chosen(SURE, [-0.1] * 3, auc=0.6), randomised=False), False, "none"),
        (guards.chosen_on_outcome(None, randomised=True), False, "none"),
        (guards.pre_trend(trend(0.05)), True, "down"),
        (guards.pre_trend(trend(0.5)), False, "none"),
        (guards.pre_trend(trend(None)), False, "none"),
        (g4(), False, "none"),
        (g4(before=29), True, "CANNOT_TELL"),
        (g4(after=29), True, "CANNOT_TELL"),
        (g4(mde=0.41), True, "CANNOT_TELL"),
        (g5(10), False, "none"),
        (g5(5), True, "none"),
        (g5(3, smallest=0.1), True, "CANNOT_TELL"),
        (g5(2, smallest=1.0, p=None), True, "CANNOT_TELL"),
        (guards.overdispersed(2.78), True, "none"),
        (guards.overdispersed(1.2), False, "none"),
        (guards.no_plan(outcomes=1), True, "at most PROBABLY"),
        (guards.no_plan(outcomes=1, randomised=True), True, "none"),
        (guards.no_plan(outcomes=1, plan=planned("as registered")), False, "none"),
        (guards.no_plan(outcomes=2, plan=planned("as registered")), True, "none"),
        (guards.no_plan(outcomes=1, plan=planned("with deviations")), True, "at most PROBABLY"),
        (guards.no_plan(outcomes=1, plan=planned("registered late")), True, "at most PROBABLY"),
        (guards.pre_trend(trend(0.5), BENT, excludes=True), True, "down"),
        (guards.pre_trend(trend(0.5), BENT, excludes=False), False, "none"),
        (guards.pre_trend(trend(0.5), STRAIGHT, excludes=True), False, "none"),
        (guards.recording_change(crime="burglary"), False, "none"),
        (guards.recording_change(crime="burglary", broken=["2017-04"]), True, "NOT_ASSESSABLE"),
        (guards.recording_change(crime="burglary", broken=["2017-04"], wider=CALM), True, "none"),
        (
            guards.recording_change(crime="burglary", broken=["2017-04"], wider=Effect("x", 0.9, 0.7, 1.1)),
            True, "CANNOT_TELL",
        ),
        (guards.recording_change(crime="burglary", rows=[("2017-04", "x", "y")], whole=True), True, "none"),
        (g9(), False, "none"),
        (g9(dropped=3), True, "none"),
        (g9(left=9), True, "CANNOT_TELL"),
        (g9(before=199.0), True, "CANNOT_TELL"),
        (g9(known=False), True, "none"),
        (guards.timing(disagree=0.0), False, "none"),
        (guards.timing(disagree=0.04), True, "down"),
        (guards.timing(disagree=0.06), True, "NOT_ASSESSABLE"),
        (guards.dose_delivered(saturation=0.9), False, "none"),
        (guards.dose_delivered(saturation=0.17), True, "none"),
        (guards.dose_delivered(saturation=None), False, "none"),
        (guards.gross_for_net(gross=1000, net=792.7, crime="burglary"), True, "none"),
        (guards.gross_for_net(gross=105, net=100, crime="burglary"), False, "none"),
        (guards.negative_controls(-0.3, [("Shoplifting", -0.01, 0.8)]), False, "none"),
        (guards.negative_controls(-0.3, [("Shoplifting", 0.1, 0.03)]), True, "down"),
        (guards.negative_controls(-0.3, [("Shoplifting", -0.2, 0.09)]), True, "down to CANNOT_TELL"),
        (guards.negative_controls(-0.3, []), False, "none"),
    ],
)  # fmt: skip
def test_fires_exactly_when_it_should(check: Check, fired: bool, consequence: str) -> None:
    assert (check.fired, check.consequence) == (fired, consequence)


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (guards.overdispersed(2.78), "too narrow by a factor of 1.67"),
        (guards.gross_for_net(gross=1000, net=792.7272, crime="burglary"), "Gross overstates by 26 %."),
        (g4(before=22), "Treated areas had 22 burglaries before and 80 after"),
        (guards.no_plan(outcomes=1), "This evaluation was not pre-registered: it is exploratory."),
        (
            guards.dose_delivered(saturation=0.172427572, claim=0.5),
            "A fall of 50 % in 17.2 % of homes is at most -8.6 % for the whole area.",
        ),
        (g9(left=9), "at least 10 areas with half the treated areas' count are needed"),
    ],
)
def test_the_sentence_carries_the_numbers(check: Check, words: str) -> None:
    assert words in check.sentence


CHANGES = pd.DataFrame(
    {
        "from": ["2017-04-01", "2024-02-28"], "force": ["all", "Met"],
        "categories": ["burglary; burglary residential; burglary business and community", "all"],
        "what": ["Sheds moved.", "New system."], "source": ["Counting rules", "Met"],
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("crime", "first", "last", "rows", "whole"),
    [
        ("burglary residential", "2016-01", "2017-12", 1, False),
        ("burglary", "2016-01", "2017-12", 1, True),
        ("robbery", "2016-01", "2017-12", 0, False),
        ("burglary residential", "2017-04", "2018-12", 0, False),
        ("robbery", "2023-01", "2024-12", 1, True),
    ],
)
def test_a_dated_change_counts_where_it_splits_the_outcome_inside_the_windows(
    crime: str, first: str, last: str, rows: int, whole: bool
) -> None:
    found, is_whole = dated_rows(CHANGES, crime=crime, first=first, last=last)
    assert (len(found), is_whole) == (rows, whole)


def test_a_break_in_the_share_is_dated_to_its_month() -> None:
    whole = np.full(48, 1000.0)
    part = np.where(np.arange(48) < 25, 600.0, 730.0)
    found = share_break(part, whole, [str(p) for p in pd.period_range("2015-03", periods=48, freq="M")])
    assert found is not None
    assert (found.month, round(found.points, 1)) == ("2017-04", 13.0)
    assert found.ses > 4


def test_a_season_in_the_share_is_no_break() -> None:
    whole = np.full(48, 1000.0)
    part = 600 + 80 * np.cos(2 * np.pi * np.arange(48) / 12)
    found = share_break(part, whole, [str(i) for i in range(48)])
    assert found is not None
    assert abs(found.points) < 1e-9


def test_calibration_takes_the_placebos_mean_away() -> None:
    c = selection_placebo(SURE, [-0.1, -0.11, -0.09])
    assert math.isclose(c.theta, -0.2)
    assert math.isclose(c.se**2, 0.05**2 + 0.01**2 * (1 + 1 / 3))


def test_windows_of_unlike_length_are_named_beside_their_counts() -> None:
    check = guards.small_counts(
        before=512, after=188, detectable=0.67, factor=25, crime="burglary", months=(24, 12)
    )
    assert check.sentence.startswith(
        "Treated areas had 512 burglaries in 24 months before and 188 in 12 months after; "
    )
    assert g4().sentence.startswith("Treated areas had 100 burglaries before and 80 after; ")
