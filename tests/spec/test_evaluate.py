"""What the evaluation says, in small cases that an analyst can check by hand."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from peelian.effect import Check
from peelian.errors import DataError, DesignError
from peelian.evaluate import assess, compare, did, displacement, event_study, study, verdict
from peelian.evaluate.run import Parameters, run
from peelian.evaluate.verdict import Reading
from peelian.evaluate.windows import baseline
from peelian.evaluate.words import headline
from peelian.panel import Panel
from peelian.report import Text, section_from_json
from tests.evaluate_world import counts_of, grid, programme, world


def test_the_headline_sentence_word_for_word() -> None:
    text = headline(
        2636.3636, (792.727, 508.417, 1102.742), (0.7688229, 0.7050788, 0.8383300), crime="burglary"
    )
    assert text == (
        "Treated areas had 2,636 burglaries where 3,429 were expected from the other areas' trend: "
        "793 fewer (95 % interval 508 to 1,103), a ratio of 0.769 (0.705 to 0.838)."
    )


def test_the_headline_sentence_where_counts_are_small_gives_no_ratio() -> None:
    text = headline(22, (8.0, -4.0, 25.0), (0.73, 0.5, 1.2), crime="burglary", small=True)
    assert text == (
        "Treated areas had 22 burglaries where 30 were expected from the other areas' trend: "
        "8 fewer (95 % interval 4 more to 25 fewer), too few to give a ratio."
    )


def test_the_headline_sentence_of_an_increase() -> None:
    text = headline(120, (-20.0, -33.0, -4.0), (1.2, 1.03, 1.38), crime="robbery")
    assert text.endswith("20 more (95 % interval 4 to 33), a ratio of 1.200 (1.030 to 1.380).")


# ------------------------------------------------------------------------------------ windows
@pytest.mark.parametrize(
    ("start", "chosen", "window", "clean"),
    [
        (48, None, (12, 48), True),  # drawn at random: the longest baseline
        (48, (24, 36), (36, 48), True),  # a clean year between choice and start
        (48, (12, 20), (24, 48), True),  # two clean years
        (48, (36, 48), (0, 36), True),  # chosen on the last year: the months before those
        (20, (8, 20), (8, 20), False),  # no clean year at all
        (40, (-20, -8), (4, 40), True),  # chosen before the data begin
    ],
)
def test_the_baseline_keeps_clear_of_the_months_of_choice(
    start: int, chosen: tuple[int, int] | None, window: tuple[int, int], clean: bool
) -> None:
    assert baseline(start, chosen) == (window, clean)


def test_under_twelve_months_before_the_start_is_refused() -> None:
    with pytest.raises(DesignError, match="Only 11 months precede the start"):
        baseline(11, None)


def tiny(
    treated_before: int, treated_after: int, control_before: int, control_after: int
) -> tuple[Panel, object]:
    """Four treated and four far areas; the yearly counts given are each area's, put into one month a year."""
    places = grid(8)
    ids = [places.index[i] for i in (0, 1, 8, 9)]
    far = [places.index[i] for i in (54, 55, 62, 63)]
    matrix = np.zeros((64, 24))
    for who, before, after in ((ids, treated_before, treated_after), (far, control_before, control_after)):
        at = places.index.get_indexer(who)
        matrix[at, 0], matrix[at, 12] = before, after
    plan = programme(ids, ["2013-01"] * 4, chosen_on=None)
    return Panel.build(counts_of(matrix, places), plan, places, outcome="burglary"), plan


def test_expected_is_the_count_before_times_the_other_areas_change() -> None:
    panel, plan = tiny(10, 6, 20, 18)
    head = did(study(panel, plan), seed=1)
    assert head.ratio.extra["observed"] == 24
    assert head.ratio.extra["expected"] == pytest.approx(40 * 72 / 80)
    assert head.prevented.estimate == pytest.approx(12)


def test_areas_that_all_change_alike_leave_no_spread() -> None:
    panel, plan = tiny(10, 6, 20, 18)
    assert did(study(panel, plan), seed=1).log.se == pytest.approx(0)


def test_no_burglary_after_among_the_treated_adds_a_half_and_says_so() -> None:
    panel, plan = tiny(10, 0, 20, 18)
    head = did(study(panel, plan), seed=1)
    assert head.ratio.estimate == pytest.approx((0.5 / 40.5) / (72.5 / 80.5))
    assert head.halved


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((0, 5, 20, 18), "before in the treated areas"),
        ((10, 5, 0, 18), "before in the other areas"),
        ((10, 5, 20, 0), "after in the other areas"),
    ],
)
def test_nothing_to_compare_is_a_design_error(counts: tuple[int, int, int, int], words: str) -> None:
    panel, plan = tiny(*counts)
    with pytest.raises(DesignError, match=words):
        did(study(panel, plan), seed=1)


def test_an_area_that_the_panel_lacks_is_named_with_the_nearest_code() -> None:
    panel, plan, _ = world()
    wrong = dataclasses.replace(plan, areas=plan.areas.rename(index={plan.areas.index[0]: "a0168x"}))
    with pytest.raises(DataError, match=r"a0168x.*nearest id there is a0168"):
        study(panel, wrong)


def test_nobody_treated_is_refused() -> None:
    panel, plan, _ = world()
    frame = panel.frame.assign(
        arm="control", treated=False, start=pd.PeriodIndex([None] * len(panel.frame), freq="M")
    )
    with pytest.raises(DesignError, match="None of 400 areas is treated"):
        study(dataclasses.replace(panel, frame=frame), dataclasses.replace(plan, areas=plan.areas.iloc[:0]))


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ("2030-01", r"None of \d+ treated areas has started: the first starts in January 2030"),
        ("2012-01", "start before the panel's second month"),
    ],
)
def test_starts_without_months_on_both_sides_are_refused(when: str, says: str) -> None:
    panel, plan, _ = world()
    moved = plan.areas.assign(start=pd.PeriodIndex([when] * len(plan.areas), freq="M"))
    with pytest.raises(DesignError, match=says):
        study(panel, dataclasses.replace(plan, areas=moved))


def test_no_area_beyond_the_rings_is_refused_with_the_counts() -> None:
    panel, plan, _ = world(side=6, treated=16)
    with pytest.raises(DesignError, match=r"No area is left to compare with: 16 treated, \{'0-250 m': 20"):
        study(panel, plan)


def test_excluded_areas_take_no_part_and_are_accounted_for_with_their_reason() -> None:
    panel, plan, places = world()
    far = places.index[-1]
    out = programme(list(plan.areas.index), [str(s) for s in plan.areas["start"]], excluded=[far])
    again = Panel.build(panel.frame["count"], out, places, outcome="burglary")
    found = assess(again, out, seed=1, permutations=99)
    row = found.accounting[found.accounting["reason"] == "excluded: another scheme"].iloc[0]
    assert row["incidents"] == panel.frame.loc[far, "count"].sum()


def test_the_plain_table_has_one_row_a_group() -> None:
    panel, plan, _ = world()
    assert compare(study(panel, plan))["group"].tolist() == [
        "treated",
        "ring 0-250 m",
        "ring 500-750 m",
        "other areas",
    ]


def test_a_ward_that_was_chosen_whole_is_one_unit() -> None:
    panel, plan, places = world()
    ids = list(plan.areas.index)
    wards = programme(ids, [str(s) for s in plan.areas["start"]], assigned_by=["w1"] * 12 + ["w2"] * 12)
    again = Panel.build(panel.frame["count"], wards, places, outcome="burglary")
    found = assess(again, wards, seed=1, permutations=99)
    assert found.study.n_treated == 2
    assert found.check("G5").consequence == "CANNOT_TELL"
    assert "cannot stand for the treated ones" in found.check("G5").sentence


# ------------------------------------------------------------------------------------ verdict: every row
def fired(id: str, consequence: str) -> Check:
    return Check(id, "test", True, sentence="", consequence=consequence, answer="More.")


BELOW, WEAK, LEVEL = (
    Reading(0.75, 0.6, 0.9, 0.01),
    Reading(0.9, 0.78, 1.04, 0.08),
    Reading(1.0, 0.93, 1.08, 0.9),
)
ABOVE, WIDE = Reading(1.3, 1.1, 1.6, 0.01), Reading(0.95, 0.7, 1.3, 0.6)


@pytest.mark.parametrize(
    ("reading", "checks", "extra", "code"),
    [
        (BELOW, [], {}, "PREVENTED"),
        (WEAK, [], {}, "PROBABLY"),
        (LEVEL, [], {}, "NO_DIFFERENCE"),
        (ABOVE, [], {}, "INCREASED"),
        (WIDE, [], {}, "CANNOT_TELL"),
        (BELOW, [], {"net_includes_zero": True, "share_displaced": 0.6}, "DISPLACED"),
        (BELOW, [], {"net_includes_zero": True, "share_displaced": 0.4}, "PREVENTED"),
        (BELOW, [("G8", "NOT_ASSESSABLE"), ("G4", "CANNOT_TELL")], {}, "NOT_ASSESSABLE"),
        (BELOW, [("G4", "CANNOT_TELL"), ("G1", "SELECTION")], {}, "CANNOT_TELL"),
        (BELOW, [("G2", "SELECTION")], {}, "SELECTION"),
        (BELOW, [("G2", "SELECTION")], {"randomised": True}, "PREVENTED"),
        (BELOW, [("G3", "down")], {}, "PROBABLY"),
        (BELOW, [("G3", "down"), ("G12", "down")], {}, "CANNOT_TELL"),
        (WEAK, [("G3", "down")], {}, "CANNOT_TELL"),
        (LEVEL, [("G12", "down to CANNOT_TELL")], {}, "CANNOT_TELL"),
        (BELOW, [("G12", "down to CANNOT_TELL"), ("G2", "SELECTION")], {}, "SELECTION"),
        (BELOW, [("G7", "at most PROBABLY")], {}, "PROBABLY"),
        (BELOW, [("G7", "at most PROBABLY")], {"randomised": True}, "PREVENTED"),
        (ABOVE, [("G7", "at most PROBABLY")], {}, "INCREASED"),
    ],
)
def test_every_row_of_the_verdict(
    reading: Reading, checks: list[tuple[str, str]], extra: dict[str, object], code: str
) -> None:
    assert verdict(reading, [fired(*c) for c in checks], crime="burglary", **extra).code == code  # type: ignore[arg-type]


def test_the_verdict_says_its_path_and_what_would_change_it() -> None:
    word = verdict(BELOW, [fired("G7", "at most PROBABLY")], crime="burglary", treated_after=90)
    assert word.path == (
        ("ratio 0.750 (0.600 to 0.900), p 0.010: interval below 1 and p "
            "under .05"), "G7 test: at most probably fewer burglaries than expected",
    )  # fmt: skip
    assert word.would_change == "G7: More."


def test_a_verdict_of_no_difference_says_what_is_ruled_out() -> None:
    assert (
        verdict(LEVEL, [], crime="burglary").words
        == "No difference found; a fall of more than 7 % is ruled out"
    )


# ------------------------------------------------------------------------------------ the whole stage
def test_findings_come_first_and_the_section_survives_a_file() -> None:
    panel, plan, places = world(effect=0.7, treated=36, months=84, start=60, chosen_on=("2015-01", "2015-12"))
    outcome = run(panel, places, Parameters(permutations=99), programme=plan, seed=1, crime="burglary")
    kinds = [b.kind for b in outcome.section.blocks if isinstance(b, Text)]
    assert kinds[:3] == ["finding"] * 3
    assert outcome.section.findings[0].startswith("Verdict: ")
    assert section_from_json(outcome.section.as_json()).findings == outcome.section.findings


def test_small_counts_print_no_percentage_of_change() -> None:
    panel, plan, places = world(mean=0.1, treated=9)
    outcome = run(panel, places, Parameters(permutations=99), programme=plan, seed=1, crime="burglary")
    assert outcome.summary["verdict"] == "CANNOT_TELL"
    assert not any("ratio of" in text or "would have said" in text for text in outcome.section.findings)
    assert (
        "Change a month"
        not in next(
            b for b in outcome.section.blocks if getattr(b, "name", "") == "evaluate_comparison"
        ).frame
    )


def test_small_counts_give_no_ratio_in_any_guard() -> None:
    panel, plan, places = world(mean=0.1, treated=9)
    found = assess(panel, plan, seed=1, places=places, permutations=99)
    assert not [c.id for c in found.checks if "ratio" in c.sentence]


def test_kits_that_reach_few_homes_say_how_much_they_could_have_done() -> None:
    panel, plan, places = world()
    listed = dataclasses.replace(plan, areas=plan.areas.assign(kits=17.2427572))
    found = assess(panel, listed, seed=1, places=places, permutations=99, claim=0.5)
    assert found.check("G10").sentence == (
        "Deliveries are not held; the programme lists kits for 17.2 % of homes. "
        "A fall of 50 % in 17.2 % of homes is at most -8.6 % for the whole area."
    )


def test_a_design_that_cannot_answer_is_not_held_and_says_why() -> None:
    panel, plan, places = world(side=6, treated=16)
    outcome = run(panel, places, Parameters(), programme=plan, seed=1, crime="burglary")
    assert outcome.not_held.startswith("No area is left to compare with")
    assert outcome.section.blocks[0].text.startswith("No evaluation can be given")  # type: ignore[union-attr]


def test_totals_of_larger_areas_are_given_both_ways() -> None:
    panel, plan, places = world()
    totals = pd.DataFrame(
        {"group": ["w1", "w2"] * 2, "arm": ["treated", "control"] * 2, "by": ["point"] * 2 + ["code"] * 2,
         "before": [205, 1001, 204, 1000], "after": [188, 961, 188, 959]}
    )  # fmt: skip
    outcome = run(
        panel, places, Parameters(permutations=99), programme=plan, seed=1, crime="burglary", groups="ward",
        group_counts=totals,
    )  # fmt: skip
    table = next(b for b in outcome.section.blocks if getattr(b, "name", "") == "evaluate_groups")
    assert table.frame.columns.tolist() == [
        "Group", "Arm", "Before, by point", "After, by point", "Before, by code", "After, by code",
    ]  # fmt: skip
    assert table.frame.iloc[0].tolist() == ["All 1 treated", "treated", 205, 188, 204, 188]
    assert table.note == "Grouped by ward. The headline uses the point."


def test_further_phases_stand_in_a_table_beside_the_first() -> None:
    panel, plan, places = world()
    told = run(panel, places, Parameters(permutations=99), programme=plan, seed=1, crime="burglary")
    phases = {"Phase B": told.files["assessment.json"], "Phase C": {"not_held": "too early"}}
    outcome = run(
        panel, places, Parameters(permutations=99), programme=plan, seed=1, crime="burglary", phases=phases
    )
    table = next(b for b in outcome.section.blocks if getattr(b, "name", "") == "evaluate_phases")
    assert table.frame["Verdict"].tolist() == [told.summary["words"], "Not held: too early"]


def test_rings_of_other_widths_are_laid_again() -> None:
    panel, plan, places = world()
    outcome = run(
        panel, places, Parameters(permutations=99, rings=(600,)), programme=plan, seed=1, crime="burglary"
    )
    assert [r["ring"] for r in outcome.files["assessment.json"]["rings"]] == ["treated", "0-600 m"]


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValueError, match="unexpected"):
        Parameters(permutation=99)  # type: ignore[call-arg]


def test_a_randomised_programme_is_compared_over_the_longest_baseline() -> None:
    panel, plan, _ = world(randomised=True, side=30)
    laid = study(panel, plan)
    assert laid.stacks[0].before == (0, 36)


def test_the_event_study_marks_the_months_of_choice() -> None:
    panel, plan, _ = world()
    frame = event_study(study(panel, plan), seed=1).frame.set_index("quarter")
    assert frame.index[frame["chosen_on"]].tolist() == [-8, -7, -6, -5]


def test_no_ring_with_crime_gives_no_displacement() -> None:
    panel, plan = tiny(10, 6, 20, 18)
    assert displacement(study(panel, plan)) is None


def test_no_places_means_that_nearness_is_not_known() -> None:
    panel, plan, _ = world()
    bare = dataclasses.replace(panel, frame=panel.frame.drop(columns="ring"))
    found = assess(bare, plan, seed=1, permutations=99)
    assert found.check("G9").sentence.startswith("No shapes of places were given")
    assert found.moved is None


def test_a_single_treated_area_borrows_its_spread_from_the_others() -> None:
    panel, plan, _ = world(treated=1, mean=20)
    head = did(study(panel, plan), seed=1)
    assert math.isfinite(head.ratio.low)
    assert head.log.se > 0


def test_one_comparison_area_alone_still_gives_a_chapter_that_cannot_tell() -> None:
    panel, plan, places = world(0, side=8, treated=4, chosen_on=None)
    far = panel.by_place().query("ring == 'beyond'").index
    rest = programme(list(plan.treated.index), ["2015-01"] * 4, chosen_on=None, excluded=list(far[1:]))
    built = Panel.build(panel.frame["count"], rest, places, outcome="burglary")
    outcome = run(built, places, Parameters(permutations=99), programme=rest, seed=1, crime="burglary")
    assert outcome.section.findings[0] == "Verdict: Cannot tell."
    assert any("One comparison area alone" in b.text for b in outcome.section.blocks if isinstance(b, Text))
