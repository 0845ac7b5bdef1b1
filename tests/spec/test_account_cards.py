"""Share cards, posts, the feed and open data: what is said of an area, and what is never said."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest

from peelian.account.cards import Card, cards
from peelian.account.feed import ATOM, atom, open_data, posts, public_files
from peelian.account.picture import svg
from peelian.account.run import Parameters, run
from peelian.errors import PrivacyError
from tests.account_scenario import assessment, programme

AREAS = pd.DataFrame(
    {"area": ["w1", "w1", "w2", "w3", "w4"], "name": ["Heath", "Heath", "Mill", "Port & Quay", "Vale"],
     "households": [900, 800, 1500, 2000, 1200]},
    index=list("abcde"),
)  # fmt: skip
# monthly counts by place: w4 has 3 in the last twelve months and 12 before
RATES = {"a": 6, "b": 7, "c": 9, "d": 14, "e": 1}


def counts() -> pd.Series:
    months = pd.period_range("2016-01", "2018-12", freq="M")
    rows = {(p, m): rate for p, rate in RATES.items() for m in months}
    for month in months[-12:]:
        rows["e", month] = int(month.month <= 3)
    return pd.Series(rows).rename_axis(["place", "month"])


def made(**changes: Any) -> list[Card]:
    asked = {"threshold": 5, "least": 10, "fewest_homes": 1000, "crimes": "burglaries"} | changes
    return cards(counts(), AREAS, **asked)


def card(area: str, **changes: Any) -> Card:
    return next(held for held in made(**changes) if held.id == area)


def outcome() -> Any:
    return run(
        assessment(), programme(), Parameters(), counts=counts().rename("burglary"), areas=AREAS,
        crime="burglary", months=("2016-01", "2018-12"), seed=1, published=False,
    )  # fmt: skip


def test_a_card_says_how_many_how_that_changed_and_how_it_compares() -> None:
    assert card("w1").text == (
        "Heath: 156 recorded burglaries in the 12 months to December 2018. 156 in the 12 months before: no clear "
        "change (0.0 %, 95 % interval -25.6 % to +34.3 %). 91.8 per 1,000 homes; all areas 68.0. Bars: 12 months "
        "to December 2016: 156; 12 months to December 2017: 156; 12 months to December 2018: 156. Counts are of "
        "areas of a ward or larger, never of a street or a home."
    )


def test_all_areas_together_come_first_then_by_name() -> None:
    assert [held.name for held in made()] == ["All 4 areas together", "Heath", "Mill", "Port & Quay", "Vale"]


def test_a_small_count_is_withheld_and_no_change_is_given() -> None:
    found = card("w4")
    assert found.now is None
    assert found.text.startswith("Vale: Too few recorded burglaries to publish a number in the 12 months")
    assert "No comparison with the 12 months before is published." in found.text


def test_another_area_keeps_the_small_count_company() -> None:
    last = [held.now for held in made() if held.id != "all areas"]
    assert last.count(None) >= 2


def test_blocks_of_twelve_months_do_not_overlap() -> None:
    assert [end for end, _ in card("w1").blocks] == ["December 2016", "December 2017", "December 2018"]


def test_an_area_smaller_than_a_ward_is_refused() -> None:
    with pytest.raises(PrivacyError, match=r"Area w4 has 1,200 homes; a card is for a ward or larger"):
        made(fewest_homes=1300)


@pytest.mark.parametrize(("column", "longest"), [("post of 280", 280), ("post of 500", 500)])
def test_posts_keep_to_their_length_and_to_whole_sentences(column: str, longest: int) -> None:
    held = posts(made(source="data.police.uk", caution="How crime is recorded changed on 1 April 2017."))
    assert held[column].str.len().max() <= longest
    assert held[column].str.endswith(".").all()


def test_a_name_too_long_for_a_post_is_cut_between_words() -> None:
    from dataclasses import replace

    cut = replace(card("w1"), name="Very " * 80).post(280)
    assert len(cut) <= 280
    assert cut.endswith("…")


def test_everything_on_the_picture_is_in_its_text_alternative() -> None:
    for held in made(source="data.police.uk"):
        drawn = re.findall(r">([^<>]+)</text>", svg(held).split("</title>")[1])
        numbers = re.findall(r"\d[\d,.]*\d|\d", " ".join(drawn))
        assert [n for n in numbers if n not in held.text] == []


def test_the_picture_is_png_of_1200_by_630_and_the_same_again() -> None:
    first, second = (public_files(made(), day="2018-12-31", title="t")["cards/w1.png"] for _ in range(2))
    assert first == second
    assert struct.unpack(">II", first[16:24]) == (1200, 630)


def test_the_feed_is_atom_with_ids_that_stay() -> None:
    text = atom(made(), day="2018-12-31", title="Burglaries")
    assert text == atom(made(), day="2018-12-31", title="Burglaries")
    feed = ElementTree.fromstring(text.split("\n", 1)[1])
    entries = feed.findall(f"{{{ATOM}}}entry")
    ids = [feed.findtext(f"{{{ATOM}}}id"), *(e.findtext(f"{{{ATOM}}}id") for e in entries)]
    assert len(set(ids)) == 6
    for entry in entries:
        assert {child.tag.partition("}")[2] for child in entry} == {
            "id",
            "title",
            "updated",
            "summary",
            "content",
        }


def test_open_data_has_a_row_an_area_and_year_and_hides_what_the_cards_hide() -> None:
    table = open_data(made())
    assert len(table) == 15
    hidden = table[table["count"] == "c"]
    assert len(hidden)
    assert hidden["per 1,000 homes"].isna().all()


def test_no_file_tells_the_small_count_or_points_at_a_place_in_an_area() -> None:
    files = {name: content for name, content in outcome().files.items() if name.startswith("cards/")}
    words = {
        name: content if isinstance(content, str) else content.to_csv()
        for name, content in files.items() if not isinstance(content, bytes)
    }  # fmt: skip
    vale = [line for text in words.values() for line in text.splitlines() if "Vale" in line]
    assert vale
    assert not [line for line in vale if re.search(r"(?<![\d,.])3(?![\d,.]| of )\b", line.replace("w4", ""))]
    assert not any(
        re.search(r"\b5[01]\.\d{3}|-0\.\d{3}|\bnear\b|Street|Road", text) for text in words.values()
    )


def test_the_chapter_lists_the_cards_and_the_table_that_leaves() -> None:
    names = {getattr(block, "name", "") for block in outcome().section.blocks}
    assert {"account_cards", "account_leaving"} <= names


def test_an_area_with_the_programme_says_so_and_all_together_say_the_verdict() -> None:
    files = outcome().files
    assert "The programme began in part of it in April 2016." in files["cards/w1.txt"]
    assert "Evaluation of the programme: Fewer burglaries than expected." in files["cards/all-areas.txt"]


def test_a_table_published_before_stops_the_run_that_would_give_a_count_away(tmp_path: Path) -> None:
    from peelian.account.releases import Release

    last = pd.DataFrame([("e", "2018-01", "2018-12", 40)], columns=["place", "first", "last", "count"])
    old = Release("old", "2019-02-01", "burglary", "places", last)
    with pytest.raises(PrivacyError, match="together with table old of 2019-02-01"):
        run(None, None, Parameters(), counts=counts().rename("burglary"), areas=AREAS, released=[old],
            crime="burglary", months=("2016-01", "2018-12"), seed=1)  # fmt: skip


def test_the_map_has_no_number_where_one_is_withheld_and_says_why(tmp_path: Path) -> None:
    import geopandas as gpd
    from shapely.geometry import box

    from peelian.outputs import write_content

    shaped = gpd.GeoDataFrame(AREAS, geometry=[box(i, 0, i + 1, 1) for i in range(5)], crs=27700)
    shapes = shaped[["area", "geometry"]].dissolve("area")
    content = public_files(made(), day="2018-12-31", title="t", shapes=shapes)["cards/areas.gpkg"]
    write_content(tmp_path / "areas.gpkg", content)
    held = gpd.read_file(tmp_path / "areas.gpkg", layer="areas").set_index("name")
    assert held.crs.to_epsg() == 27700
    assert held["count"].isna()["Vale"]
    assert held["per_1000_homes"].isna()["Vale"]
    assert held.at["Vale", "reason"].startswith("too small to publish")
    assert held.at["Heath", "count"] == 156
    assert not held.at["Heath", "reason"]


def test_a_change_of_recording_among_the_bars_stands_below_them() -> None:
    text = outcome().files["cards/w1.txt"]
    assert text.count("How crime is recorded changed on 1 April 2017.") == 1
    old = card("w1", history="How crime is recorded changed on 1 April 2013.").text
    assert old.endswith("never of a street or a home. How crime is recorded changed on 1 April 2013.")
