"""The ledger: sealed before the outcome, scored after it, and any change shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely import box

from peelian.errors import DataError, DesignError, Error
from peelian.incidents import Incidents
from peelian.places import Places
from peelian.predict import sealing
from peelian.predict.ledger import Ledger, data_hash, stopped

CELLS = Places.grid(gpd.GeoSeries([box(0, 0, 200, 100)], crs="EPSG:27700"), 100)
RISK = pd.Series([1.0, 2.0], CELLS.index)
DECEMBER = datetime(2019, 12, 20, 9, tzinfo=UTC)


def incidents(*cells: int, month: str = "2020-01") -> Incidents:
    start = pd.Series([pd.Timestamp(month)] * len(cells))
    columns = {"start": start, "end": start + pd.offsets.MonthBegin(1), "type": "burglary", "source": "t"}
    points = CELLS.points.iloc[list(cells)].to_numpy()
    return Incidents(gpd.GeoDataFrame(columns, geometry=points, crs=CELLS.crs), precision="month")


def sealed(folder: Path, *, months: int = 3, made: datetime = DECEMBER, method: str = "ewma") -> Ledger:
    ledger = Ledger(folder)
    for month in pd.period_range("2020-01", periods=months, freq="M"):
        ledger.append(
            RISK,
            start=month,
            stop=month + 1,
            known_at="2020-01-01",
            method=method,
            chosen=["x1y0"],
            made=made,
        )
    return ledger


def test_a_sealed_forecast_comes_back_as_it_was(tmp_path: Path) -> None:
    ledger = sealed(tmp_path)
    assert ledger.risk(ledger.entries()[0]).tolist() == RISK.tolist()


def test_an_untouched_ledger_verifies(tmp_path: Path) -> None:
    ledger = sealed(tmp_path)
    found = ledger.verify(head=ledger.head)
    assert str(found) == f"3 sealed forecasts, unchanged. Head: {ledger.head}"


def edited(lines: list[str]) -> list[str]:
    return [lines[0].replace('"ewma"', '"mine"'), *lines[1:]]


def removed(lines: list[str]) -> list[str]:
    return [lines[0], *lines[2:]]


def inserted(lines: list[str]) -> list[str]:
    return [lines[0], lines[0], *lines[1:]]


def last_edited(lines: list[str]) -> list[str]:
    return [*lines[:-1], lines[-1].replace('"ewma"', '"mine"')]


TAMPERED = [
    (edited, "Line 1 was edited."),
    (removed, "a line was removed or inserted"),
    (inserted, "does not follow from the line before it"),
    (last_edited, "Line 3 was edited."),
]


@pytest.mark.parametrize(("change", "words"), TAMPERED, ids=[change.__name__ for change, _ in TAMPERED])
def test_a_changed_line_shows(tmp_path: Path, change: Callable[[list[str]], list[str]], words: str) -> None:
    ledger = sealed(tmp_path)
    path = tmp_path / "ledger.jsonl"
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
    assert words in str(ledger.verify())


def test_a_changed_forecast_shows(tmp_path: Path) -> None:
    ledger = sealed(tmp_path)
    (tmp_path / "risk" / "00002.csv").write_text("place,risk\nx0y0,9\nx1y0,0\n")
    assert "00002.csv is not the one that was sealed" in str(ledger.verify())


def test_a_ledger_written_anew_does_not_have_the_head_that_was_kept(tmp_path: Path) -> None:
    kept = sealed(tmp_path / "first").head
    anew = sealed(tmp_path / "anew", method="better")
    assert "lines were removed or rewritten" in str(anew.verify(head=kept))


def test_a_longer_ledger_still_has_the_head_that_was_kept(tmp_path: Path) -> None:
    ledger = sealed(tmp_path)
    kept = ledger.head
    ledger.append(RISK, start="2020-04", stop="2020-05", known_at="2020-04", method="ewma", made=DECEMBER)
    assert not ledger.verify(head=kept).problems


def test_only_periods_that_are_over_are_scored(tmp_path: Path) -> None:
    new = sealed(tmp_path).score(incidents(0, 1, 1), CELLS)
    assert new["id"].tolist() == ["00001"]
    assert new["incidents"].tolist() == [3.0]
    assert new["in_chosen"].tolist() == [2.0]


def test_scoring_leaves_the_sealed_lines_alone(tmp_path: Path) -> None:
    ledger = sealed(tmp_path)
    before = (tmp_path / "ledger.jsonl").read_bytes()
    ledger.score(incidents(0, 1, 1), CELLS)
    assert (tmp_path / "ledger.jsonl").read_bytes() == before


def test_a_forecast_is_scored_once(tmp_path: Path) -> None:
    ledger = sealed(tmp_path)
    ledger.score(incidents(0, 1, 1), CELLS)
    assert ledger.score(incidents(0, 0, 0), CELLS).empty


def test_a_late_forecast_is_kept_and_never_prospective(tmp_path: Path) -> None:
    ledger = sealed(tmp_path, months=1, made=datetime(2020, 1, 1, tzinfo=UTC))
    ledger.score(incidents(0), CELLS)
    assert ledger.entries()[0].late
    assert ledger.scores().empty
    assert len(ledger.scores(prospective=False)) == 1


def test_a_changed_ledger_is_not_scored(tmp_path: Path) -> None:
    ledger = sealed(tmp_path)
    path = tmp_path / "ledger.jsonl"
    path.write_text(path.read_text().replace('"ewma"', '"mine"'))
    with pytest.raises(DataError, match="nothing is scored"):
        ledger.score(incidents(0), CELLS)


REFUSED = [
    ({"known_at": "2020-01-02"}, "it saw what it foretells"),
    ({"stop": "2020-01-01"}, "is empty"),
    ({"chosen": ["elsewhere"]}, "does not name: elsewhere"),
]


@pytest.mark.parametrize(("change", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_what_is_not_sealed(tmp_path: Path, change: dict[str, object], words: str) -> None:
    asked = {"start": "2020-01-01", "stop": "2020-02-01", "known_at": "2020-01-01", "method": "ewma"}
    with pytest.raises(DesignError, match=words):
        Ledger(tmp_path).append(RISK, **(asked | change))  # type: ignore[arg-type]


def test_a_second_writer_is_told(tmp_path: Path) -> None:
    (tmp_path / "ledger.lock").touch()
    with pytest.raises(Error, match="Another process writes this ledger"):
        sealed(tmp_path)


def test_the_hash_of_the_data_does_not_depend_on_the_order_of_rows() -> None:
    assert data_hash(incidents(0, 1)) == data_hash(incidents(1, 0))
    assert data_hash(incidents(0, 1)) != data_hash(incidents(1, 1))


def test_six_months_no_better_than_counts_stop_the_map() -> None:
    months = [f"2020-0{month}" for month in range(1, 7)]
    rows = [
        {"start": m, "method": name, "log_score": s} for m in months for name, s in (("a", 1.0), ("b", 1.0))
    ]
    assert stopped(pd.DataFrame(rows), method="a", reference="b").startswith(
        "Over the last 6 periods a did no better"
    )
    assert stopped(pd.DataFrame(rows[:-2]), method="a", reference="b") == ""


def test_one_lucky_month_does_not_lift_the_stop_rule_and_a_better_half_year_does() -> None:
    months = [f"2020-0{month}" for month in range(1, 7)]
    counts = [{"start": month, "method": "counts", "log_score": 1.0} for month in months]
    for scores, stops in (([1.1] * 5 + [0.9], True), ([1.1] + [0.9] * 5, False)):
        model = [
            {"start": month, "method": "model", "log_score": score}
            for month, score in zip(months, scores, strict=True)
        ]
        said = stopped(pd.DataFrame([*counts, *model]), method="model", reference="counts")
        assert bool(said) is stops


# -------------------------------------------------------------------- from the stage's files
@pytest.fixture
def stage(tmp_path: Path) -> Path:
    folder = tmp_path / "predict"
    folder.mkdir()
    about = sealing.about_forecast(
        incidents(0, month="2019-12"), start="2020-01-01", stop="2020-02-01", method="ewma",
        reference="counts(12)", horizon="month", crime="burglary",
    )  # fmt: skip
    (folder / "forecast.json").write_text(json.dumps(about))
    frame = gpd.GeoDataFrame({"risk": RISK, "counts": RISK[::-1].to_numpy()}, geometry=CELLS.geometry)
    frame.to_parquet(folder / "cells.parquet")
    return folder


def test_the_map_and_the_count_are_sealed_together(tmp_path: Path, stage: Path) -> None:
    made = sealing.seal(tmp_path / "ledger", stage, made=DECEMBER)
    assert [entry.method for entry in made] == ["counts(12)", "ewma"]


def test_the_line_says_what_it_spans_and_one_from_before_that_was_kept_still_verifies(
    tmp_path: Path, stage: Path
) -> None:
    assert {entry.horizon for entry in sealing.seal(tmp_path / "ledger", stage, made=DECEMBER)} == {"month"}
    Ledger(tmp_path / "old").append(
        RISK, start="2020-01-01", stop="2020-02-01", known_at="2020-01-01", method="ewma", made=DECEMBER
    )
    path = tmp_path / "old" / "ledger.jsonl"
    line = json.loads(path.read_text())
    assert line.pop("horizon") == ""
    path.write_text(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n")
    assert Ledger(tmp_path / "old").verify().problems == ()


def test_sealing_twice_adds_nothing(tmp_path: Path, stage: Path) -> None:
    first = sealing.seal(tmp_path / "ledger", stage, made=DECEMBER)
    assert sealing.seal(tmp_path / "ledger", stage) == first


def test_scores_and_verification_as_plain_values(tmp_path: Path, stage: Path) -> None:
    sealing.seal(tmp_path / "ledger", stage, made=DECEMBER)
    told = sealing.score(tmp_path / "ledger", incidents(1, 1, 0), CELLS)
    assert json.loads(json.dumps(told))["scored"] == 2
    assert sealing.verify(tmp_path / "ledger")["problems"] == []


# -------------------------------------------------------------------- what the chapter says
def scored(folder: Path, model: float, months: int = 6) -> Path:
    """A ledger of a model and of counts, sealed beforehand and scored: the model expects ``model`` in one cell."""
    ledger = Ledger(folder)
    for month in pd.period_range("2020-01", periods=months, freq="M"):
        for method, first in (("ewma", model), ("counts(12)", 1.0)):
            risk = pd.Series([first, 1.0], CELLS.index)
            ledger.append(
                risk, start=month, stop=month + 1, known_at="2020-01-01", method=method, made=DECEMBER
            )
    frames = [
        incidents(0, 1, month=str(month)).frame
        for month in pd.period_range("2020-01", periods=months, freq="M")
    ]
    ledger.score(Incidents(pd.concat(frames, ignore_index=True), precision="month"), CELLS)
    return folder


class Answer:
    by, reason = "Dr A. Analyst", "the terrain is being fitted anew this month"


def test_a_map_no_better_than_counts_for_six_months_carries_a_banner(tmp_path: Path) -> None:
    found = sealing.told(scored(tmp_path, 5.0))
    assert found.banners[0].startswith(
        "Over the last 6 periods ewma did no better than counts(12) (log score +"
    )
    assert found.scores is not None
    assert len(found.scores) == 12


def test_the_banner_goes_when_somebody_answers_by_name(tmp_path: Path) -> None:
    found = sealing.told(scored(tmp_path, 5.0), answered=Answer)
    assert found.banners == ()
    assert found.sentences[-1].endswith(
        "Dr A. Analyst answers for it: the terrain is being fitted anew this month"
    )


def test_five_months_are_not_yet_enough(tmp_path: Path) -> None:
    assert sealing.told(scored(tmp_path, 5.0, months=5)).banners == ()


def test_a_ledger_that_was_changed_is_a_warning_and_its_scores_are_not_shown(tmp_path: Path) -> None:
    scored(tmp_path, 5.0)
    path = tmp_path / "ledger.jsonl"
    path.write_text(path.read_text().replace('"ewma"', '"other"', 1))
    found = sealing.told(tmp_path)
    assert "was edited" in found.banners[-1]
    assert found.scores is None


def test_without_a_ledger_nothing_is_said(tmp_path: Path) -> None:
    found = sealing.told(tmp_path)
    assert (found.banners, found.sentences, found.scores) == ((), (), None)
