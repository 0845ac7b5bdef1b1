"""Area profiles: what each column means, shares, and what happens when areas change."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely import box

from peelian.errors import DataError, DesignError
from peelian.places import Places
from peelian.read.lookups import Crosswalk
from peelian.read.profiles_area import Profile, carried, joined, profile

TABLE = """lsoa11_code,households_2021,pop_mid2020,ten_owned,ten_rented,eth_white,eth_other,imd2019_IMD_score,imd2019_IMD_decile,Tenure|Social rented (%)|2011,colour
a,"1,000",2000,750,250,1500,500,10.0,9,25,red
b,100,250,0,0,250,0,30.0,1,75,blue
"""


def read(folder: Path, text: str = TABLE, **options: object) -> Profile:
    path = folder / "profile.csv"
    path.write_text(text)
    return profile(path, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("households_2021", ["households", "households", "count", "", "2021"]),
        ("pop_mid2020", ["people", "people", "count", "", "2020"]),
        ("ten_owned", ["tenure", "owned", "count", "households", ""]),
        ("eth_white", ["ethnicity", "white", "count", "people", ""]),
        ("imd2019_IMD_score", ["deprivation", "IMD score", "score", "", "2019"]),
        ("imd2019_IMD_decile", ["deprivation", "IMD decile", "decile", "", "2019"]),
        ("Tenure|Social rented (%)|2011", ["tenure", "Social rented", "share", "", "2011"]),
    ],
)
def test_what_a_column_means(tmp_path: Path, column: str, expected: list[str]) -> None:
    assert read(tmp_path).columns.loc[column].tolist() == expected


def test_ages_are_a_theme_of_their_own(tmp_path: Path) -> None:
    held = read(tmp_path, "LSOA11CD,Aged 0-15,Aged 65+,age_16_29\na,1,2,3\n").of("age")
    assert held.loc["a"].tolist() == [1, 2, 3]


def test_other_columns_are_named_and_not_guessed(tmp_path: Path) -> None:
    assert read(tmp_path).others == ("colour",)


def test_thousands_commas_and_percentages(tmp_path: Path) -> None:
    frame = read(tmp_path).frame
    assert (frame.at["a", "households_2021"], frame.at["a", "Tenure|Social rented (%)|2011"]) == (1000, 0.25)


def test_shares_of_a_theme(tmp_path: Path) -> None:
    shares = read(tmp_path).shares("tenure")
    assert shares.loc["a"].tolist() == [0.75, 0.25]
    assert shares.loc["b"].isna().all()  # nobody to have a share of


def test_a_theme_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DesignError, match=r"holds no occupancy ; it holds deprivation 2019, ethnicity"):
        read(tmp_path).of("occupancy")


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("code,households\na,1\n", {}, r"which column holds the area code\? It has code, households"),
        ("LSOA11CD,colour\na,red\n", {}, "no column is recognised as households, people"),
        ("LSOA11CD,households\na,1\na,2\n", {}, "does not tell the areas apart: a"),
        ("LSOA11CD,households\na,-1\n", {}, "column households counts 1 times below 0"),
        ("LSOA11CD,households\na,1\n", {"id": "x"}, "no column 'x'"),
    ],
)
def test_a_wrong_profile_is_told(tmp_path: Path, text: str, options: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, text, **options)


def places(*ids: str) -> Places:
    shapes = [box(k * 1000, 0, (k + 1) * 1000, 1000) for k in range(len(ids))]
    return Places.of(gpd.GeoDataFrame(index=list(ids), geometry=shapes, crs=27700))


def test_places_get_the_columns_and_their_households(tmp_path: Path) -> None:
    found = joined(places("a", "b"), read(tmp_path), households="households_2021")
    assert (found.share, found.places.households.tolist()) == (1.0, [1000, 100])  # type: ignore[union-attr]


def test_places_that_are_not_in_the_profile_are_named(tmp_path: Path) -> None:
    assert joined(places("a", "z"), read(tmp_path)).sentence == (
        "1 of 2 areas (50.0 %) are in the profile. Not in it: z."
    )


def test_a_profile_of_another_edition_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"knows none of the 1 places: theirs look like z, its like a"):
        joined(places("z"), read(tmp_path))


def test_counts_are_divided_scores_averaged_and_deciles_left_out(tmp_path: Path) -> None:
    pieces = pd.DataFrame({"old": ["a", "a", "b"], "new": ["a1", "ab", "ab"], "size": [500, 500, 500]})
    found = carried(read(tmp_path), Crosswalk.of(pieces, how="by people"))
    assert found.frame["households_2021"].to_dict() == {"a1": 500, "ab": 600}
    assert found.frame["imd2019_IMD_score"].to_dict() == {"a1": 10, "ab": 20}
    assert "imd2019_IMD_decile" not in found.frame
