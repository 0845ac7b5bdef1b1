"""A project whose months use the area codes of 2011, of both editions, and of 2021: one panel, nothing lost."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
from click.testing import CliRunner
from shapely import box

from peelian import cli, tasks
from peelian.chapters import Context
from peelian.errors import DataError
from peelian.loop import run
from peelian.project import Project

HEAD = "Crime ID,Month,Longitude,Latitude,LSOA code,Crime type\n"
# E01000002 was cut in two (west and east), E01000003 and E01000004 became one, E01000001 stayed
LOOKUP = (
    "LSOA11CD,LSOA21CD,homes\nE01000001,E01000001,100\nE01000002,E01033801,75\nE01000002,E01033802,25\n"
    "E01000003,E01033803,50\nE01000004,E01033803,60\n"
)
OLD = ["E01000001", "E01000002", "E01000003", "E01000004"]
NEW = ["E01000001", "E01033801", "E01033802", "E01033803"]
MONTHS = {"2022-05": OLD, "2022-06": [*OLD[:2], *NEW[2:]], "2022-07": NEW}


def shapes(codes: list[str]) -> gpd.GeoDataFrame:
    west, south = 513_000, 175_000
    wide = {
        "E01000001": (0, 1000), "E01000002": (1000, 3000), "E01033801": (1000, 2000), "E01033802": (2000, 3000),
        "E01000003": (3000, 4000), "E01000004": (4000, 5000), "E01033803": (3000, 5000),
    }  # fmt: skip
    boxes = [box(west + wide[c][0], south, west + wide[c][1], south + 1000) for c in codes]
    return gpd.GeoDataFrame({"code": codes, "homes": [100] * len(codes)}, geometry=boxes, crs=27700)


def project(folder: Path, codes: list[str], keys: str = "") -> Path:
    at = shapes(sorted(set(OLD + NEW))).set_index("code").to_crs(4326).centroid
    (folder / "street").mkdir()
    for month, used in MONTHS.items():
        rows = [
            f"{month}{code}{k},{month},{at[code].x:.6f},{at[code].y:.6f},{code},Burglary\n"
            for code in used
            for k in range(25)
        ]
        (folder / "street" / f"{month}-met-street.csv").write_text(HEAD + "".join(rows))
    (folder / "lookup.csv").write_text(LOOKUP)
    shapes(codes).to_file(folder / "areas.gpkg")
    (folder / "peelian.toml").write_text(
        '[project]\nname = "Change"\ncrime = ["Burglary"]\n[places]\nfile = "areas.gpkg"\nid = "code"\n'
        f'households = "homes"\ncell = 500\n{keys}\n[[incidents]]\nfile = "street"\n'
    )
    return folder


@pytest.mark.filterwarnings("ignore:Geometry is in a geographic CRS")
@pytest.mark.parametrize(
    ("codes", "keys", "areas"),
    [
        (NEW, 'lookup = "lookup.csv"', NEW),
        (OLD, 'lookup = "lookup.csv"', OLD),
        (NEW, 'lookup = "lookup.csv"\nlookup_size = "homes"\nedition = "common"', ["E01000001", "E01000002", "E01000003+1"]),
        (OLD, 'lookup = "lookup.csv"\nedition = "common"', ["E01000001", "E01000002", "E01000003+1"]),
    ],
)  # fmt: skip
def test_one_panel_crosses_the_change_and_keeps_its_totals(
    tmp_path: Path, codes: list[str], keys: str, areas: list[str]
) -> None:
    folder = project(tmp_path, codes, keys)
    run(folder, until="read")
    context = Context(Project.load(folder))
    panel = context.monthly(context.places)
    assert context.by == "code"
    assert sorted(panel.index.unique("place")) == areas
    assert panel.groupby(level="month").sum().tolist() == [100, 100, 100]


@pytest.mark.filterwarnings("ignore:Geometry is in a geographic CRS")
def test_a_mixed_month_is_joined_right_and_told(tmp_path: Path) -> None:
    judged = tasks.check(project(tmp_path, NEW, 'lookup = "lookup.csv"'))
    said = {row["check"]: row["sentence"] for row in judged["checks"]}
    assert said["vintage"] == (
        "Edition of the area codes: 2011 in 1 month, 2021 in 1 month, mixed in 1 month; all were brought to one."
    )
    assert said["codes"] == "100.00 % of the 300 rows with an area code name one of the 4 areas."
    # 25 of the cut area in each of two months; 50 of the two that became one, in the first
    assert said["carried"] == (
        "100 of 300 area codes are of another edition and were carried over (50 into one whole area, 50 by their "
        "points)."
    )


@pytest.mark.filterwarnings("ignore:Geometry is in a geographic CRS")
def test_without_a_lookup_the_mixture_is_a_warning(tmp_path: Path) -> None:
    judged = tasks.check(project(tmp_path, NEW))
    level = {row["check"]: row["level"] for row in judged["checks"]}
    assert (level["vintage"], level["codes"]) == ("warning", "warning")


@pytest.mark.filterwarnings("ignore:Geometry is in a geographic CRS")
def test_the_other_editions_shapes_serve_as_a_lookup(tmp_path: Path) -> None:
    folder = project(tmp_path, NEW, 'lookup = "old.gpkg"')
    shapes(OLD).to_file(folder / "old.gpkg")
    said = {row["check"]: row["sentence"] for row in tasks.check(folder)["checks"]}
    assert said["codes"] == "100.00 % of the 300 rows with an area code name one of the 4 areas."


@pytest.mark.filterwarnings("ignore:Geometry is in a geographic CRS")
def test_a_profile_of_the_other_edition_is_carried_over(tmp_path: Path) -> None:
    keys = 'lookup = "lookup.csv"\nlookup_size = "homes"\nprofile = "profile.csv"'
    folder = project(tmp_path, NEW, keys)
    text = (
        (folder / "peelian.toml")
        .read_text()
        .replace('households = "homes"', 'households = "households_2011"')
    )
    (folder / "peelian.toml").write_text(text)
    (folder / "profile.csv").write_text(
        "LSOA11CD,households_2011\n" + "".join(f"{code},{100 * k}\n" for k, code in enumerate(OLD, 1))
    )
    run(folder, until="read")
    homes = Context(Project.load(folder)).places.households
    assert homes.to_dict() == {"E01000001": 100, "E01033801": 150, "E01033802": 50, "E01033803": 700}


def test_common_areas_need_a_lookup(tmp_path: Path) -> None:
    (tmp_path / "peelian.toml").write_text(
        '[project]\nname = "a"\ncrime = ["b"]\n[places]\nfile = "a"\nid = "b"\nedition = "common"\n'
        '[[incidents]]\nfile = "c"\n'
    )
    with pytest.raises(DataError, match='edition = "common" needs the lookup'):
        tasks.check(tmp_path)


@pytest.mark.parametrize(
    ("to", "by", "count"),
    [("new", "shares", [2, 3, 1, 11]), ("new", "best fit", [2, 4, 0, 11]), ("common", "shares", [2, 4, 11])],
)
def test_counts_are_carried_over_by_the_command(tmp_path: Path, to: str, by: str, count: list[int]) -> None:
    (tmp_path / "lookup.csv").write_text(LOOKUP.replace(",homes", ",people"))
    rows = zip(OLD, (2, 4, 5, 6), strict=True)
    (tmp_path / "counts.csv").write_text(
        "LSOA Code,Month,Category,Count\n" + "".join(f"{c},2020-01,Burglary,{n}\n" for c, n in rows)
    )
    asked = [
        "read",
        "carry",
        str(tmp_path / "counts.csv"),
        str(tmp_path / "lookup.csv"),
        "--category",
        "Burglary",
    ]
    out = tmp_path / "out.csv"
    said = CliRunner().invoke(
        cli.main, [*asked, "--to", to, "--by", by, "--size", "people", "--out", str(out)]
    )
    assert said.exit_code == 0, said.output
    assert [float(line.split(",")[2]) for line in out.read_text().splitlines()[1:]] == count
    assert "17 of Burglary in 4 areas are 17 in" in " ".join(said.output.split())


@pytest.mark.filterwarnings("ignore:Geometry is in a geographic CRS")
def test_shares_of_a_profile_stand_beside_its_counts(tmp_path: Path) -> None:
    folder = project(tmp_path, NEW, 'profile = "profile.csv"\nprofile_shares = ["tenure"]')
    rows = "".join(f"{code},100,30,10\n" for code in NEW)
    (folder / "profile.csv").write_text(f"LSOA21CD,homes,ten_owned,ten_rented\n{rows}")
    text = (folder / "peelian.toml").read_text().replace('households = "homes"\n', "")
    (folder / "peelian.toml").write_text(text)
    run(folder, until="read")
    assert Context(Project.load(folder)).places.frame["ten_owned_share"].tolist() == [0.75] * 4
