"""Which marks of an incident go with more near by: planted, and the section that says it."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from shapely import box

from peelian.errors import DesignError
from peelian.incidents import Incidents
from peelian.places import Places
from peelian.predict.extras import triggering_part
from peelian.predict.goes_with import GoesWith, goes_with
from peelian.predict.run import Parameters
from peelian.predict.tables import TriggeringTable
from peelian.report import Table, Text

SIDE = 5_000
AREAS = Places.of(
    gpd.GeoDataFrame(
        {"households": [200] * 24 + [800], "decile": np.arange(25) % 10 + 1},
        index=[f"area {k:02d}" for k in range(25)],
        geometry=[
            box(1_000 * i, 1_000 * j, 1_000 * i + 1_000, 1_000 * j + 1_000)
            for i in range(5)
            for j in range(5)
        ],
        crs="EPSG:27700",
    )
)


def planted(seed: int = 3, number: int = 700) -> Incidents:
    """Two years; after a forced entry 0.6 more within 100 m and 20 days, after others 0.1; both alike born."""
    rng = np.random.default_rng(seed)
    homes = AREAS.households.to_numpy()  # type: ignore[union-attr]
    area = rng.choice(25, number, p=homes / homes.sum())
    corner = np.column_stack([area // 5, area % 5]) * 1_000.0
    points, day = corner + rng.uniform(0, 1_000, (number, 2)), rng.integers(0, 730, number)
    everything = []
    while len(points):
        inside = ((points >= 0) & (points < SIDE)).all(axis=1) & (day < 730)
        points, day = points[inside], day[inside]
        forced = rng.random(len(points)) < 0.4
        everything.append(pd.DataFrame({"x": points[:, 0], "y": points[:, 1], "day": day, "forced": forced}))
        more = rng.poisson(np.where(forced, 0.6, 0.1))
        points = np.repeat(points, more, axis=0) + rng.normal(0, 100, (int(more.sum()), 2))
        day = np.repeat(day, more) + rng.integers(1, 21, int(more.sum()))
    frame = pd.concat(everything, ignore_index=True)
    start = pd.Timestamp("2017-01-01") + pd.to_timedelta(frame["day"], unit="D")
    columns = {
        "start": start, "end": start + pd.Timedelta(1, "D"), "source": "simulated",
        "type": np.where(frame["forced"], "forced", "other"), "kilometres": frame["x"] / 1_000,
    }  # fmt: skip
    return Incidents(
        gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(frame["x"], frame["y"]), crs="EPSG:27700")
    )


INCIDENTS = planted()
ASKED = TriggeringTable(marks=("type", "kilometres", "decile"), days=20)


@pytest.fixture(scope="module")
def found() -> GoesWith:
    return goes_with(INCIDENTS, AREAS, ASKED)


def test_a_mark_that_was_planted_is_found_with_its_interval(found: GoesWith) -> None:
    row = found.table.set_index("mark").loc["type forced"]
    assert row["low"] > 1.5
    assert row["low"] < 6 < row["high"]
    assert row["compared with"] == "type other and the rest"


def test_marks_that_were_not_have_an_interval_round_1(found: GoesWith) -> None:
    rows = found.table[~found.table["mark"].str.startswith("type")]
    assert len(rows) == 2
    assert ((rows["low"] < 1) & (rows["high"] > 1)).all()


def test_the_spread_and_the_share_are_those_planted(found: GoesWith) -> None:
    assert found.sigma == pytest.approx(100, rel=0.2)
    assert found.share == pytest.approx(0.25, abs=0.08)
    assert found.brought == pytest.approx(0.1, abs=0.06)


def test_the_sentence_names_what_was_found_and_claims_no_cause(found: GoesWith) -> None:
    said = " ".join(found.sentences("burglaries"))
    assert "type forced" in said
    assert "kilometres" not in said
    assert "need not be what brings it" in said


def test_the_order_of_rows_does_not_matter(found: GoesWith) -> None:
    mixed = Incidents(INCIDENTS.frame.sample(frac=1, random_state=1))
    again = goes_with(mixed, AREAS, ASKED)
    assert again.table["ratio"].tolist() == pytest.approx(found.table["ratio"].tolist(), rel=1e-9)


def test_long_windows_and_places_outside_are_counted() -> None:
    frame = INCIDENTS.frame.copy()
    frame.loc[frame.index[:30], "end"] += pd.Timedelta(9, "D")
    smaller = AREAS.select(AREAS.index[5:])
    said = " ".join(goes_with(Incidents(frame), smaller, ASKED).left_out)
    assert "30 with a window over 72 hours" in said
    assert "with no place" in said


def test_the_latest_are_used_where_there_are_more() -> None:
    found = goes_with(INCIDENTS, AREAS, TriggeringTable(marks=("type",), days=20, most=300))
    assert found.used == 300
    assert "latest 300" in found.left_out[-1]


def test_the_section_has_sentences_a_table_and_a_file() -> None:
    part = triggering_part(INCIDENTS, AREAS, ASKED, "burglaries", "simulated")
    assert [type(block) for block in part.blocks] == [Text, Text, Table]
    assert part.files["triggering.csv"]["mark"].tolist()[0] == "type forced"
    assert part.summary["triggering"]["used"] == len(INCIDENTS)
    assert Parameters(triggering={"marks": ["type"]}).triggering == TriggeringTable(marks=("type",))  # type: ignore[arg-type]
    assert triggering_part(INCIDENTS, AREAS, None, "burglaries", "simulated").blocks == []


REFUSED = [
    ({"marks": ("weapon",)}, "no mark 'weapon'"),
    ({"marks": ("source",)}, "no second kind"),
]


@pytest.mark.parametrize(("table", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_a_mark_that_cannot_be_compared_is_said_in_a_note(
    table: dict[str, tuple[str, ...]], words: str
) -> None:
    (note,) = triggering_part(INCIDENTS, AREAS, TriggeringTable(**table), "burglaries", "s").blocks  # type: ignore[arg-type]
    assert isinstance(note, Text)
    assert words in note.text


def test_months_and_few_incidents_are_refused() -> None:
    with pytest.raises(DesignError, match="needs dates by day"):
        goes_with(Incidents(INCIDENTS.frame, precision="month"), AREAS, ASKED)
    with pytest.raises(DesignError, match="needs 200 incidents"):
        goes_with(Incidents(INCIDENTS.frame.head(100)), AREAS, ASKED)
    with pytest.raises(ValidationError):
        TriggeringTable(marks=())
