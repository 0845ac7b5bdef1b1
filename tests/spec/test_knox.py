"""Near repeats, on events that can be read: bands, sentences, and what bad input gets."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from peelian.arithmetic.pairs import close_pairs
from peelian.errors import DataError, DesignError
from peelian.explain.bands import bands_of
from peelian.explain.near_repeat import Knox, knox
from peelian.explain.near_repeat_local import knox_local
from peelian.explain.near_repeat_report import article, blocks, repeats, sentence, shares, table
from peelian.explain.near_repeat_table import ratio_interval
from peelian.incidents import Incidents

DAY = pd.Timestamp("2019-01-01")


def incidents(
    x: np.ndarray, y: np.ndarray, day: np.ndarray, *, hours: float = 24, **about: object
) -> Incidents:
    start = DAY + pd.to_timedelta(np.asarray(day, float), unit="D")
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.Timedelta(hours, "h"), "type": "Burglary", "source": "test"},
        geometry=gpd.points_from_xy(x, y), crs=27700,
    )  # fmt: skip
    return Incidents(frame, **about)  # type: ignore[arg-type]


def contagious(seed: int = 1) -> Incidents:
    """300 burglaries at random over a year and a square of 4 km, and 120 more within 80 m and 5 days of one."""
    rng = np.random.default_rng(seed)
    x, y, day = rng.uniform(0, 4000, 300), rng.uniform(0, 4000, 300), rng.integers(0, 360, 300)
    at = rng.integers(0, 300, 120)
    x = np.concatenate([x, x[at] + rng.uniform(-55, 55, 120)])
    y = np.concatenate([y, y[at] + rng.uniform(-55, 55, 120)])
    return incidents(x, y, np.concatenate([day, day[at] + rng.integers(0, 6, 120)]))


FOUND = knox(contagious(), permutations=199, seed=1, crime="burglary")


# -------------------------------------------------------------------- bands
@pytest.mark.parametrize(
    ("rule", "labels"),
    [
        ("correct", ("0-7 days", "8-14 days")),
        ("left", ("0-6 days", "7-13 days")),
        ("nrc-1.3", ("0 to 7", "8 to 14", "More than 14")),
    ],
)
def test_labels_of_days(rule: str, labels: tuple[str, ...]) -> None:
    assert bands_of((0.01, 100), (7, 14), rule).labels[1] == labels  # type: ignore[arg-type]


def test_within_seven_days_includes_day_seven() -> None:
    spread = incidents(np.arange(30.0) * 1000, np.zeros(30), np.arange(30) * 40)
    pair = spread.frame.iloc[[0]].assign(
        start=DAY + pd.Timedelta(7, "D"),
        end=DAY + pd.Timedelta(8, "D"),
        geometry=gpd.points_from_xy([50], [0]),
    )
    events = Incidents(pd.concat([spread.frame, pair], ignore_index=True))
    found = knox(events, days=(7, 14), permutations=19, seed=1)
    assert found.frame.loc[found.frame["observed"] > 0, ["distance", "time"]].to_numpy().tolist() == [
        ["0-100 m", "0-7 days"]
    ]


@pytest.mark.parametrize("given", [(100, 50), (50, 50), (-1, 50), (50,), ("a", 50)])
def test_bands_that_do_not_rise_are_refused(given: tuple[float, ...]) -> None:
    with pytest.raises(DataError, match=r"distances must .*Write distances = \(0\.01, 100"):
        bands_of(given, (7, 14))


# -------------------------------------------------------------------- sentences
def test_planted_near_repeats_are_found_at_their_distance_and_time() -> None:
    assert FOUND.near is not None
    assert (FOUND.near.distance, FOUND.near.time) == (100, 7)


def test_the_sentence() -> None:
    assert FOUND.near is not None
    found = replace(
        FOUND,
        near=replace(FOUND.near, observed=151, expected=50.0, ratio=3.02, low=2.5, high=3.6, p=0.005),
    )
    assert sentence(found) == (
        "After a burglary, places within 100 m see more than expected for 7 days (ratio 3.02, 95 % interval "
        "2.50 to 3.60, adjusted p 0.005): 151 pairs, 50 expected."
    )


def test_no_sign_and_the_two_nulls_disagreeing() -> None:
    assert sentence(replace(FOUND, near=None)) == (
        "No sign of near repeats of burglary beyond chance. Dates dealt over the whole area would say otherwise "
        "(to 100 m and 7 days): seasons that differ from place to place look like near repeats there."
    )
    assert sentence(replace(FOUND, near=None, near_permute=None)) == (
        "No sign of near repeats of burglary beyond chance."
    )


def test_share_of_events_that_follow_another() -> None:
    assert FOUND.near is not None
    near = replace(FOUND.near, share=0.301, expected_share=0.021)
    assert shares(near, "days") == (
        "30.1 % of events have another within 100 m in the 7 days before, 2.1 % by chance: 28.0 more of every "
        "100."
    )


def test_exact_repeats_on_snapped_points_are_not_called_addresses() -> None:
    found = replace(FOUND, same_place=None, snapped=True)
    assert repeats(found) == (
        "No sign of more burglary than expected at the same snap point (not the same address)."
    )


def test_article() -> None:
    assert [article(c) for c in ("burglary", "assault")] == ["a burglary", "an assault"]


def test_the_chapter_starts_with_the_finding_and_prints_both_nulls() -> None:
    said = blocks(FOUND, published=False)
    assert (said[0].kind, said[0].text) == ("finding", str(FOUND))  # type: ignore[union-attr]
    assert list(table(FOUND).columns) == [
        "Distance", "Time", "Pairs", "Expected", "Ratio", "Adjusted p", "Ratio, all dates dealt",
        "Adjusted p, all",
    ]  # fmt: skip


def test_the_ratio_interval_is_wider_where_pairs_go_together() -> None:
    _, low, high = ratio_interval(100, 50, 50)
    _, wide_low, wide_high = ratio_interval(100, 50, 200)
    assert wide_low < low < high < wide_high


# -------------------------------------------------------------------- what counts as the same place
def test_equal_addresses_are_the_same_place_however_far_apart() -> None:
    x, y = np.array([0.0, 0.0, 5000.0]), np.zeros(3)
    close = close_pairs(x, y, (0.01, 100), same=np.array([-1, 3, 3]))
    assert list(zip(close.first, close.second, close.band, strict=True)) == [(0, 1, 0), (1, 2, 0)]


# -------------------------------------------------------------------- what is refused
def test_month_only_records_are_refused_and_told_what_is_needed() -> None:
    with pytest.raises(DesignError, match=r"carry a month, not a date\. Near repeats need force data"):
        knox(replace(contagious(), precision="month"), seed=1)


def test_month_only_is_seen_in_the_windows_whatever_the_label() -> None:
    rng = np.random.default_rng(1)
    with pytest.raises(DesignError, match="carry a month"):
        knox(incidents(*rng.uniform(0, 900, (2, 50)), np.zeros(50), hours=31 * 24), seed=1)


def test_one_date_is_refused() -> None:
    rng = np.random.default_rng(1)
    with pytest.raises(DesignError, match="All 50 events fall on one date"):
        knox(incidents(*rng.uniform(0, 900, (2, 50)), np.zeros(50)), seed=1)


def test_few_events_are_refused() -> None:
    with pytest.raises(DesignError, match=r"Only 5 crime records .* at least 20"):
        knox(incidents(*np.zeros((2, 5)), np.arange(5)), seed=1)


def test_hours_need_times_of_day() -> None:
    with pytest.raises(DesignError, match="a date, not a time of day"):
        knox(contagious(), days=(6, 12), unit="hours", seed=1)


def test_too_many_pairs_say_what_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("peelian.arithmetic.pairs.MOST_PAIRS", 1000)
    x, y = np.random.default_rng(1).uniform(0, 1000, (2, 100))
    with pytest.raises(DesignError, match=r"4,950 pairs .* The largest distance that fits is 2\d\d m"):
        close_pairs(x, y, (0.01, 5000))


def test_no_pair_near_gives_zeros_and_no_p() -> None:
    found = knox(incidents(np.arange(30.0) * 5000, np.zeros(30), np.arange(30)), permutations=19, seed=1)
    assert found.frame["observed"].sum() == 0
    assert found.frame["p"].isna().all()
    assert found.warnings == ("no pairs within 400 m",)


def test_long_windows_and_rows_without_a_point_are_counted() -> None:
    events = contagious()
    frame = events.frame.copy()
    frame.loc[0, "end"] = frame.loc[0, "start"] + pd.Timedelta(9, "D")
    frame.loc[1, "geometry"] = None
    account = knox(Incidents(frame), permutations=19, seed=1).accounting
    assert (account["window longer than 7 days"], account["without a point"], account["used"]) == (1, 1, 418)
    assert account["rows read"] == sum(v for k, v in account.items() if k != "rows read")


def test_a_point_that_holds_a_fifth_is_named_and_can_be_dropped() -> None:
    events = contagious()
    frame = events.frame.copy()
    frame.loc[:119, "geometry"] = gpd.points_from_xy([500] * 120, [700] * 120)
    found = knox(Incidents(frame), permutations=19, seed=1)
    assert "120 of 420 events (28.6 %) lie on one point" in found.warnings[0]
    dropped = knox(Incidents(frame), drop_points=[(500, 700)], permutations=19, seed=1)
    assert (dropped.accounting["at a dropped point"], dropped.warnings) == (120, ())


# -------------------------------------------------------------------- single events
def test_local_counts_on_three_events() -> None:
    far = np.arange(3, 23) * 10_000.0
    x = np.concatenate([[0, 50, 90], far])
    day = np.concatenate([[0, 3, 3], np.arange(20) * 30 + 100])
    found = knox_local(incidents(x, np.zeros(23), day), 100, days=7, permutations=19, seed=1)
    assert found.frame[["before", "after", "same_day"]].head(3).to_numpy().tolist() == [
        [0, 2, 0], [1, 0, 1], [1, 0, 1],
    ]  # fmt: skip
    # 2 partners in space, 2 in time, of 22 others: (20 choose 0) / (22 choose 2)
    assert found.frame["p"].iloc[0] == pytest.approx(1 / 231, rel=1e-12)


def test_both_results_are_frozen_nouns() -> None:
    assert isinstance(FOUND, Knox)
    assert str(FOUND) == sentence(FOUND)
