"""A staged programme evaluated halfway: what has not started is neither treated nor compared with."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from peelian.errors import DesignError
from peelian.evaluate import did, study
from peelian.evaluate.arms import progress_sentences, waiting_as_controls
from peelian.evaluate.run import Parameters, run
from peelian.evaluate.windows import CONTROL, OUT, TREATED
from peelian.panel import Panel
from peelian.places import Places
from peelian.programme import Programme
from peelian.report import Table, Text
from tests.evaluate_world import counts_of, grid, noisy, programme

STARTS = {"2016-01": 20, "2016-10": 10, "2018-03": 15, "2019-01": 15}  # the data end in 2016-12
NOT_STARTED = (
    "Not started when the data end (December 2016): 30 areas of the programme, from March 2018 to "
    "January 2019; "
)


def halfway(*, randomised: bool = False) -> tuple[Panel, Programme, Places]:
    """400 areas over five years; those that have started fall by half, the others not at all."""
    rng, places = np.random.default_rng(5), grid(20, width=4_000.0)
    matrix = noisy(rng, len(places), 60, mean=4.0)
    when = [month for month, n in STARTS.items() for _ in range(n)]
    ids = list(places.index[rng.permutation(len(places))[: len(when)]])
    for place, month in zip(ids, when, strict=True):
        start = (pd.Period(month, "M") - pd.Period("2012-01", "M")).n
        matrix[places.index.get_loc(place), start:] *= 0.5
    plan = programme(ids, when, chosen_on=("2012-01", "2012-12"), randomised=randomised)
    return Panel.build(counts_of(matrix, places), plan, places, outcome="burglary"), plan, places


def test_areas_not_started_are_neither_treated_nor_compared_with() -> None:
    panel, plan, places = halfway()
    laid = study(panel, plan, places=places)
    late = laid.places.isin(plan.waiting(pd.Period("2016-12", "M")))
    assert late.sum() == 30
    assert set(laid.group[late]) == {OUT}
    assert int((laid.group == TREATED).sum()) == 30
    assert [s.lengths[1] for s in laid.stacks] == [12, 3]  # a start in October keeps its three months
    assert progress_sentences(laid) == [
        NOT_STARTED + "neither treated nor compared with.",
        "So far under 12 months after the start (3): 10 areas treated since October 2016; those months count.",
    ]
    found = did(laid, seed=1, draws=99).ratio
    assert found.low < 0.5 < found.high


def test_rings_lie_round_areas_that_have_started() -> None:
    panel, plan, places = halfway()
    ring = panel.by_place()["ring"]
    started = plan.treated.index.difference(plan.waiting(pd.Period("2016-12", "M")))
    assert set(ring.index[ring == "inside"]) == set(started)
    assert len(places) == len(ring)


def test_the_not_yet_design_compares_with_them_until_they_start() -> None:
    panel, plan, places = halfway()
    asked = waiting_as_controls(plan, panel.months.max())
    laid, plain = study(panel, asked, places=places), study(panel, plan, places=places)
    assert laid.later is not None
    held = laid.group[laid.later.members]
    assert set(held) == {CONTROL, 1}  # those in the ring of a started area stay there
    assert laid.n_control == plain.n_control + int((held == CONTROL).sum())
    assert progress_sentences(laid)[0] == NOT_STARTED + "compared with until then."


def test_the_chapter_says_how_many_and_accounts_for_every_area_month() -> None:
    panel, plan, places = halfway()
    told = run(panel, places, Parameters(permutations=99), programme=plan, seed=1, crime="burglary")
    texts = [b.text for b in told.section.blocks if isinstance(b, Text)]
    assert NOT_STARTED + "neither treated nor compared with." in texts
    assert told.files["assessment.json"]["not_started"] == {
        "areas": 30, "first": "2018-03", "last": "2019-01", "part": "left out",
    }  # fmt: skip
    table = next(b for b in told.section.blocks if isinstance(b, Table) and b.name == "evaluate_accounting")
    rows = table.frame.set_index("Reason")
    assert rows.loc["not started when the data end", ["Areas", "Area-months"]].tolist() == [30, 30 * 60]
    assert rows["Area-months"].sum() == 400 * 60


def test_asked_for_by_its_key_the_chapter_compares_with_them() -> None:
    panel, plan, places = halfway()
    parameters = Parameters(permutations=99, not_started="compared with")
    told = run(panel, places, parameters, programme=plan, seed=1, crime="burglary")
    assert told.files["assessment.json"]["not_started"]["part"] == "compared with"


def test_a_wedge_is_read_halfway_with_the_units_that_wait() -> None:
    panel, plan, places = halfway(randomised=True)
    parameters = Parameters(permutations=99, not_started="compared with")
    told = run(panel, places, parameters, programme=plan, seed=1, crime="burglary")
    drawn = [e for e in told.files["assessment.json"]["effects"] if e["name"].startswith("trial")]
    assert drawn
    assert drawn[0]["low"] < 0.5 < drawn[0]["high"]


def test_a_programme_of_which_nothing_has_started_is_refused() -> None:
    _, plan, places = halfway()
    late = Programme("Late", areas=plan.areas[plan.areas["start"] > pd.Period("2017-01", "M")])
    rng = np.random.default_rng(5)
    with pytest.raises(DesignError, match="The programme starts after the data"):
        Panel.build(counts_of(noisy(rng, len(places), 60), places), late, places, outcome="burglary")
