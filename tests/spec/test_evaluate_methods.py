"""Methods that are asked for, staged programmes, harm: what stands beside the headline."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from peelian.errors import DataError
from peelian.evaluate import did, study
from peelian.evaluate.methods import by_other_methods
from peelian.evaluate.run import Parameters, run
from peelian.evaluate.staged import staged
from peelian.evaluate.staggered import twfe
from peelian.evaluate.wdd import scan
from peelian.evaluate.weighted import HARM, by_month, difference, fullest_month, harm, read_weights
from peelian.panel import Panel
from peelian.report import Table, Text
from tests.evaluate_world import counts_of, grid, noisy, programme, world

WEIGHTS = "type,weight,source,unit\nBurglary,20,Index of 2020,days\nTheft,2,Index of 2020,days\n"


def two_starts(*, effect: float = 0.6, fades: bool = False) -> tuple[Panel, object]:
    """120 of 400 areas that start in 2014 and as many in 2016, over six years; no shapes, so no rings."""
    rng, places = np.random.default_rng(3), grid(20, width=4_000.0)
    matrix = noisy(rng, len(places), 72, mean=6.0)
    ids = list(places.index[rng.permutation(len(places))[:240]])
    when = ["2014-01"] * 120 + ["2016-01"] * 120
    for place, month in zip(ids, when, strict=True):
        at, start = places.index.get_loc(place), (pd.Period(month, "M") - pd.Period("2012-01", "M")).n
        since = np.arange(72 - start)
        matrix[at, start:] *= np.minimum(effect + since / 24, 1.0) if fades else effect
    plan = programme(ids, when, chosen_on=("2012-01", "2012-12"))
    return Panel.build(counts_of(matrix, places), plan, None, outcome="burglary"), plan


# ------------------------------------------------------------------------------------ asked for by name
@pytest.fixture(scope="module")
def small() -> tuple:
    panel, plan, places = world(2, side=10, treated=9, effect=0.6, mean=4, chosen_on=None)
    return panel, plan, places, study(panel, plan, places=places)


def test_methods_come_only_when_asked_for_and_then_say_much_the_same(small: tuple) -> None:
    laid = small[3]
    assert by_other_methods(laid, (), 1) == ([], [])
    found, refused = by_other_methods(laid, ("imputation_ols", "sdid"), 1)
    assert refused == []
    assert [e.name.split(" (")[0] for e in found] == [
        "imputation by least squares", "synthetic difference in differences",
    ]  # fmt: skip
    headline = did(laid, seed=1, draws=1).ratio
    assert all(e.low < headline.estimate < e.high < 1 for e in found)


def test_one_that_cannot_be_given_is_refused_in_words() -> None:
    panel, plan = two_starts()
    asked = Parameters(permutations=99, methods=("imputation_ols", "sdid"))
    told = run(panel, None, asked, programme=plan, seed=1, crime="burglary")
    texts = [b.text for b in told.section.blocks if isinstance(b, Text)]
    assert any("though asked for (sdid)" in x and "this programme has 2" in x for x in texts)
    assert "imputation by least squares" in " ".join(told.files["agreement.csv"]["what"])


# ------------------------------------------------------------------------------------ several starts
def test_two_way_fixed_effects_are_taken_apart() -> None:
    panel, plan = two_starts(fades=True)
    laid = study(panel, plan)
    found = staged(laid, seed=1)
    assert found is not None
    two, differences = found.frame["estimate"].iloc[:2]
    assert found.against["weight"].sum() == pytest.approx(1)
    assert found.against["weight"] @ found.against["estimate"] == pytest.approx(two)
    assert found.forbidden > 0.1
    assert (found.frame["low"] < found.frame["estimate"]).all()
    assert differences < 0


def test_the_two_way_coefficient_is_that_of_the_quarters() -> None:
    panel, plan = two_starts()
    laid = study(panel, plan)
    found = staged(laid, seed=1)
    frame = panel.frame["count"].unstack("month").to_numpy()
    start = plan.areas["start"].reindex(laid.places)
    begin = min(s.before[0] for s in laid.stacks)
    quarters = np.add.reduceat(frame[:, begin:60], np.arange(0, 60 - begin, 3), axis=1)
    months = laid.months[begin:60:3]
    since = np.array([[False if pd.isna(s) else m >= s for m in months] for s in start])
    keep = (laid.group == 0) | (laid.group == -1)
    assert found is not None
    assert found.frame["estimate"].iloc[0] == pytest.approx(twfe(quarters[keep], since[keep]).estimate)


def test_the_chapter_of_a_staged_programme_has_both_tables() -> None:
    panel, plan = two_starts()
    told = run(panel, None, Parameters(permutations=99), programme=plan, seed=1, crime="burglary")
    titles = {b.name: b.title for b in told.section.blocks if isinstance(b, Table)}
    assert titles["evaluate_staged"].startswith("Two-way fixed effects would have said -")
    assert titles["evaluate_bacon"].endswith("rests on comparing with areas treated already")
    assert len(told.files["staged.csv"]) == len(told.files["assessment.json"]["staged"]["methods"])


def test_one_start_has_nothing_to_take_apart(small: tuple) -> None:
    assert staged(small[3], seed=1) is None


# ------------------------------------------------------------------------------------ month by month, and harm
def test_month_by_month_it_ends_at_the_difference(small: tuple) -> None:
    laid = small[3]
    frame, whole = by_month(laid), difference(laid)
    assert frame is not None
    assert whole is not None
    assert len(frame) == 12
    assert frame["difference"].iloc[-1] == pytest.approx(whole.estimate)


def test_where_counts_are_small_the_fullest_month_is_set_against_chance() -> None:
    places = grid(8)
    matrix = np.zeros((64, 48))
    matrix[:, ::3] = 1.0
    matrix[27, 24:] = 0.0
    matrix[27, [25, 30, 31]] = 1.0, 1.0, 6.0
    plan = programme([places.index[27]], ["2014-01"], chosen_on=None)
    panel = Panel.build(counts_of(matrix, places), plan, places, rings=(50,), outcome="burglary")
    said = fullest_month(study(panel, plan, places=places), "burglary")
    assert said.startswith(
        "The treated areas' fullest month of 12, August 2014, held 6 burglaries at a mean of 0.7: "
    )
    assert f"with p {scan(12, 1, 8 / 12, 6):.3f} (scan" in said
    told = run(panel, places, Parameters(permutations=99), programme=plan, seed=1, crime="burglary")
    assert said in [b.text for b in told.section.blocks if isinstance(b, Text)]
    assert said in told.files["parts.json"]["wdd"]["says"]


def weighed(panel: Panel, **counts: pd.Series) -> Panel:
    return dataclasses.replace(
        panel, frame=panel.frame.assign(**{f"{HARM}{k}": x for k, x in counts.items()})
    )


def test_harm_of_one_crime_is_its_difference_times_its_weight(small: tuple, tmp_path: Path) -> None:
    panel, _, _, laid = small
    (tmp_path / "harm.csv").write_text(WEIGHTS.rsplit("Theft", 1)[0])
    found, plain = (
        harm(laid, weighed(panel, Burglary=panel.frame["count"]), read_weights(tmp_path / "harm.csv")),
        difference(laid),
    )
    assert found is not None
    assert plain is not None
    ours = [
        found.effect.estimate,
        found.effect.low,
        found.poisson.estimate,
        found.by_month["difference"].iloc[-1],
    ]
    assert ours == pytest.approx(
        [20 * x for x in (plain.estimate, plain.low, plain.estimate, plain.estimate)]
    )


def test_harm_of_several_crimes_adds_up(small: tuple, tmp_path: Path) -> None:
    panel, plan, places, _ = small
    (tmp_path / "harm.csv").write_text(WEIGHTS)
    theft = counts_of(noisy(np.random.default_rng(1), len(places), 60), places)
    both = weighed(panel, Burglary=panel.frame["count"], Theft=theft)
    told = run(
        both, places, Parameters(permutations=99, harm="harm.csv"), programme=plan, seed=1, crime="burglary",
        folder=tmp_path,
    )  # fmt: skip
    held = told.files["assessment.json"]["harm"]
    total = held["effect"]["estimate"]
    assert sum(r["harm"] for r in held["rows"]) == pytest.approx(total)
    assert held["poisson"]["estimate"] == pytest.approx(total)
    assert held["months"][-1]["difference"] == pytest.approx(total)
    table = next(b for b in told.section.blocks if isinstance(b, Table) and b.name == "evaluate_harm")
    assert table.title.startswith("Weighed by harm (days), the treated areas' crimes came to ")
    assert not any(HARM in c["sentence"] for c in told.files["assessment.json"]["checks"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("type,weight\nBurglary,20\n", "no column source"),
        ("type,weight,source\nBurglary,none,x\n", "line 2: weight 'none' of Burglary is no number above 0"),
        ("type,weight,source\nBurglary,20,\n", "line 2: the weight of Burglary has no source"),
        ("type,weight,source\nBurglary,20,x\nBurglary,2,x\n", "line 3: crime type 'Burglary' stands twice"),
        ("type,weight,source\n,2,x\n", "line 2: type is blank"),
        ("type,weight,source\n", "holds no weights"),
    ],
)
def test_weights_that_are_wrong_are_refused_with_their_line(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "harm.csv").write_text(text)
    with pytest.raises(DataError, match=said):
        read_weights(tmp_path / "harm.csv")
