"""Counts across a change of areas: one area unchanged, one cut in two, two put together."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely import Point, box

from peelian.errors import DataError
from peelian.incidents import Incidents
from peelian.places import Places
from peelian.read.apportion import (
    apportion,
    best_fit,
    common,
    common_places,
    one_edition,
    recoded,
    recoded_incidents,
)
from peelian.read.lookups import Crosswalk, lookup, overlay

# same stays; cut becomes cut1 and cut2; left and right become both
LOOKUP = """LSOA11CD,LSOA21CD,homes
same,same,90
cut,cut1,30
cut,cut2,10
left,both,50
right,both,150
"""
PARTS = {"same": (0, 1), "cut": (1, 2), "left": (2, 3), "right": (3, 4)}
NEW_PARTS = {"same": (0, 1), "cut1": (1, 1.5), "cut2": (1.5, 2), "both": (2, 4)}


def walk(folder: Path, **options: object) -> Crosswalk:
    path = folder / "lookup.csv"
    path.write_text(LOOKUP)
    return lookup(path, **{"size": "homes"} | options)  # type: ignore[arg-type]


def places(parts: dict[str, tuple[float, float]]) -> Places:
    shapes = [box(w * 1000, 0, e * 1000, 1000) for w, e in parts.values()]
    homes = [round((e - w) * 100) for w, e in parts.values()]
    return Places.of(gpd.GeoDataFrame({"households": homes}, index=list(parts), geometry=shapes, crs=27700))


def counts(rows: dict[tuple[str, str], int]) -> pd.Series:
    months = pd.PeriodIndex([month for _, month in rows], freq="M")
    index = pd.MultiIndex.from_arrays([[code for code, _ in rows], months], names=["place", "month"])
    return pd.Series(list(rows.values()), index, name="count")


def test_the_columns_of_codes_are_found_by_their_official_names(tmp_path: Path) -> None:
    held = walk(tmp_path)
    assert (held.old, held.how) == ({"same", "cut", "left", "right"}, "by homes")


def test_two_editions_of_one_level_are_found_among_larger_areas(tmp_path: Path) -> None:
    (tmp_path / "lookup.csv").write_text("LSOA21CD,LSOA11CD,LAD22CD\nb,a,z\n")
    assert lookup(tmp_path / "lookup.csv").old == {"a"}


@pytest.mark.parametrize(
    ("way", "code", "expected"),
    [
        ("forward", "same", {"same": 1.0}),
        ("forward", "cut", {"cut1": 0.75, "cut2": 0.25}),
        ("forward", "left", {"both": 1.0}),
        ("backward", "cut1", {"cut": 1.0}),
        ("backward", "both", {"left": 0.25, "right": 0.75}),
    ],
)
def test_shares(tmp_path: Path, way: str, code: str, expected: dict[str, float]) -> None:
    shares = getattr(walk(tmp_path), way)
    assert shares[shares["from"] == code].set_index("to")["share"].to_dict() == expected


def test_without_people_a_lookup_of_pairs_halves(tmp_path: Path) -> None:
    held = walk(tmp_path, size=None)
    assert (held.how, held.forward["share"].tolist()[:2]) == ("in equal parts", [0.5, 0.5])


def test_people_may_be_given_by_area(tmp_path: Path) -> None:
    people = pd.Series({"same": 5, "cut1": 1, "cut2": 3, "left": 2, "right": 6})
    held = walk(tmp_path, size=None, people=people)
    assert held.forward.set_index("to").loc["cut2", "share"] == 0.75
    assert held.backward.set_index("to").loc["right", "share"] == 0.75


def test_people_are_asked_for_where_they_are_lacking(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"how many people live in both"):
        walk(tmp_path, size=None, people=pd.Series({"same": 5, "cut1": 1, "cut2": 3}))


def test_an_area_without_anybody_is_divided_in_equal_parts() -> None:
    pieces = pd.DataFrame({"old": ["a", "a"], "new": ["x", "y"], "size": [0, 0]})
    assert Crosswalk.of(pieces, how="by people").forward["share"].tolist() == [0.5, 0.5]


def test_smaller_pieces_are_counted(tmp_path: Path) -> None:
    (tmp_path / "oa.csv").write_text("OA,a,b\n1,x,p\n2,x,p\n3,x,q\n4,,q\n")
    held = lookup(tmp_path / "oa.csv", old="a", new="b")
    assert held.how == "by the count of pieces"
    assert held.forward["share"].tolist() == [2 / 3, 1 / 3]
    assert held.unmatched.values.tolist() == [["q", "new"]]


def test_the_largest_part_is_the_best_fit(tmp_path: Path) -> None:
    assert best_fit(walk(tmp_path).forward).to_dict() == {
        "same": "same", "cut": "cut1", "left": "both", "right": "both",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("new", {"same": [1, 0], "cut1": [3, 2], "cut2": [1, 1], "both": [5, 3]}),
        ("old", {"same": [1, 0], "cut": [4, 3], "left": [2, 0.75], "right": [3, 2.25]}),
        ("common", {"same": [1, 0], "cut": [4, 3], "left+1": [5, 3]}),
    ],
)
def test_one_series_crosses_the_change(tmp_path: Path, to: str, expected: dict[str, list[float]]) -> None:
    given = counts(
        {
            ("same", "2022-05"): 1, ("cut", "2022-05"): 4, ("left", "2022-05"): 2, ("right", "2022-05"): 3,
            ("cut1", "2022-06"): 2, ("cut2", "2022-06"): 1, ("both", "2022-06"): 3, ("strange", "2022-06"): 7,
        }
    )  # fmt: skip
    found = one_edition(given, walk(tmp_path), to=to)  # type: ignore[arg-type]
    wide = found.values.unstack("month")
    assert {code: row.tolist() for code, row in wide.iterrows()} == expected
    assert found.unplaced.to_dict() == {("strange", pd.Period("2022-06", "M")): 7}


def test_the_share_that_rests_on_an_assumption_is_told(tmp_path: Path) -> None:
    given = counts({("same", "2022-05"): 6, ("cut", "2022-05"): 4})
    assert one_edition(given, walk(tmp_path), to="new").split == 0.4
    assert one_edition(given, walk(tmp_path), to="common").split == 0


def test_common_counts_stay_whole(tmp_path: Path) -> None:
    assert one_edition(counts({("cut", "2022-05"): 3}), walk(tmp_path), to="common").values.dtype.kind == "i"


def test_rates_are_averaged_and_not_added(tmp_path: Path) -> None:
    scores = pd.Series({"same": 10.0, "cut": 8.0, "left": 4.0, "right": 12.0})
    found = apportion(scores, walk(tmp_path), of="rates").values
    assert found.to_dict() == {"both": 10.0, "cut1": 8.0, "cut2": 8.0, "same": 10.0}


def test_common_places_hold_the_same_land_and_homes(tmp_path: Path) -> None:
    old, new = (common_places(places(parts), walk(tmp_path)) for parts in (PARTS, NEW_PARTS))
    assert list(old.index) == list(new.index) == ["cut", "left+1", "same"]
    assert old.households.tolist() == new.households.tolist() == [100, 200, 100]  # type: ignore[union-attr]
    assert old.geometry.geom_equals(new.geometry).all()


def test_part_of_a_common_area_is_no_common_area(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"1 areas are missing.*: right"):
        common_places(places(PARTS).select(["cut", "left"]), walk(tmp_path))


def test_common_areas_have_one_name_whichever_code_is_asked(tmp_path: Path) -> None:
    assert common(walk(tmp_path)).to_dict() == {
        "same": "same", "cut": "cut", "cut1": "cut", "cut2": "cut",
        "left": "left+1", "right": "left+1", "both": "left+1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("code", "point", "place", "how"),
    [
        ("same", None, "same", "same code"),
        ("cut2", None, "cut2", "same code"),
        ("left", None, "both", "whole area"),
        ("cut", Point(1600, 500), "cut2", "by its point"),
        ("cut", None, "cut1", "best fit"),
        ("cut", Point(100, 500), "cut1", "best fit"),
        ("strange", Point(100, 500), None, "unknown code"),
        (None, Point(100, 500), None, None),
    ],
)
def test_a_row_of_either_edition_finds_its_area_of_2021(
    tmp_path: Path, code: str | None, point: Point | None, place: str | None, how: str | None
) -> None:
    points = gpd.GeoSeries([point], crs=27700)
    found = recoded(pd.Series([code], dtype="str"), walk(tmp_path), places(NEW_PARTS), points=points)
    row = [None if pd.isna(value) else value for value in found.iloc[0]]
    assert row == [place, how]


def test_a_row_of_2021_finds_its_area_of_2011(tmp_path: Path) -> None:
    found = recoded(pd.Series(["cut2", "both"]), walk(tmp_path), places(PARTS))
    assert found.values.tolist() == [["cut", "whole area"], ["right", "best fit"]]


def incidents(codes: list[str | None]) -> Incidents:
    points = [Point(1600, 500) for _ in codes]
    frame = gpd.GeoDataFrame(
        {
            "start": pd.Timestamp("2022-06-01"), "end": pd.Timestamp("2022-07-01"), "type": "Burglary",
            "source": "a.csv", "place": pd.Series(codes, dtype="str"),
        },
        geometry=points, crs=27700,
    )  # fmt: skip
    return Incidents(frame, precision="month")


def test_a_mixed_extract_takes_the_codes_of_the_places_and_keeps_its_own(tmp_path: Path) -> None:
    found, said = recoded_incidents(
        incidents(["same", "cut", "left", "strange", None]), places(NEW_PARTS), walk(tmp_path)
    )
    assert found.frame["place"].fillna("").tolist() == ["same", "cut2", "both", "strange", ""]
    assert found.frame["place_given"].fillna("").tolist() == ["same", "cut", "left", "strange", ""]
    assert said == (
        "2 of 4 area codes are of another edition and were carried over (1 into one whole area, 1 by their points); "
        "1 is in neither edition."
    )


def test_an_extract_of_one_edition_is_told_so(tmp_path: Path) -> None:
    _, said = recoded_incidents(incidents(["same", "cut1"]), places(NEW_PARTS), walk(tmp_path))
    assert said == "All area codes are those of the project's own edition."


def test_shapes_make_a_crosswalk_by_land() -> None:
    shares = overlay(places(PARTS), places(NEW_PARTS)).forward.set_index(["from", "to"])["share"]
    assert shares.to_dict() == {
        ("cut", "cut1"): 0.5, ("cut", "cut2"): 0.5, ("left", "both"): 1.0, ("right", "both"): 1.0,
        ("same", "same"): 1.0,
    }  # fmt: skip


def test_people_decide_where_there_are_any() -> None:
    points = gpd.GeoSeries([Point(1200, 5), Point(1300, 5), Point(1800, 5)], crs=27700)
    held = overlay(places(PARTS), places(NEW_PARTS), points=points, people=pd.Series([2.0, 4.0, 2.0]))
    shares = held.forward.set_index(["from", "to"])["share"]
    assert (shares["cut", "cut1"], shares["left", "both"]) == (0.75, 1.0)
    assert held.how == "by people (left, right, same by land)"


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("a,b\n1,2\n", {}, r"which columns hold the two codes\? It has a, b"),
        ("a,b\n1,2\n", {"old": "a", "new": "c"}, "no column 'c'; it has a, b"),
        ("a,b\n,2\n1,\n", {"old": "a", "new": "b"}, "holds no row with both"),
        ("a,b\n1,2,3\n", {"old": "a", "new": "b"}, "row 1 cannot be read: 3 fields where the header has 2"),
        (
            "a,b,n\n1,2,-3\n",
            {"old": "a", "new": "b", "size": "n"},
            "negative or no number in 1 rows, first 1 to 2",
        ),
    ],
)
def test_a_wrong_lookup_says_what_to_write(
    tmp_path: Path, text: str, options: dict[str, str], message: str
) -> None:
    (tmp_path / "lookup.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        lookup(tmp_path / "lookup.csv", **options)  # type: ignore[arg-type]
