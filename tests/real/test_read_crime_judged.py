"""Each point set of ../shared/data/world, and the small ones of uk, judged: rows, and what is wrong with them.

Data: ../shared/data; licences and faults stand in the READMEs, from which the numbers are (counts exact). The
mapping is the one that is proposed; where no areas are given, a box around the points stands for them.
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
from shapely import box

from peelian.incidents import Incidents
from peelian.places import Places
from peelian.read.mapping import propose
from peelian.read.police_uk import police_uk
from peelian.read.quality import Quality, quality
from peelian.read.table import table

CASES = [  # file, CRS in metres, accepted, refused, check, words of its sentence
    ("uk/nottingham_small/nottingham_burglary.csv.gz", 27700, 1_795, 0, "precision", "Dates are months"),
    ("uk/nottingham_small/nottingham_robbery.csv.gz", 27700, 555, 0, "months", "12 months"),
    ("world/cincinnati_burglary_2016_2018/burglary.csv.gz", 32616, 8_723, 0, "repeats", "1,774 rows repeat the ID"),
    ("world/memphis_robbery_2019/robberies.csv", 32616, 2_245, 0, "months", "none is missing"),
    ("world/vancouver_thefts_2020/thefts.csv.gz", 26910, 21_918, 0, "blanks", "Every row has a point"),
    ("world/misc_points/san_francisco_personal_robbery_2019.csv", 26910, 951, 0, "precision", "to the minute"),
    ("world/misc_points/mexico_city_carjacking_2019.csv.gz", 32614, 2_811, 0, "faults", "coordinates are 0, 0: 152"),
    ("world/misc_points/czechia_motorcycle_theft_2020.csv.gz", 32633, 9_463, 1, "rows", "(no start: 1)"),
    ("world/medellin_homicide_2010_2019/homicides.csv.gz", 32618, 9_360, 0, "twins", "517 rows"),
    ("world/nearrepeat_chicago_2016/chicago_be.csv.gz", 26971, 11_700, 1, "twins", "150 rows"),
    ("world/nearrepeat_chicago_2016/chicago_arson.csv", 26971, 522, 0, "precision", "Dates are days"),
    ("world/oakland_predpol_2009_2011/drug_crimes_with_bins.csv.gz", 26910, 11_545, 0, "twins", "3,396 rows"),
    ("world/chicago_rtm_burglary_2017/burglaries_2017.csv.gz", 26971, 6_876, 0, "windows", "8,760 hours"),
    ("world/nyc_vehicle_theft_2014_2017/thefts.csv.gz", 32618, 35_746, 0, "windows", "the longest 61,380"),
    ("world/stlouis_2015_2019/crimes.csv.gz", 26996, 119_214, 0, "blanks", "1,033 of 119,214 rows (0.9 %) have no point"),
    ("world/chicago_assault_2010_2019/aggravated_assaults.csv.gz", 26971, 148_636, 0, "months", "none is missing"),
]  # fmt: skip


def judged(incidents: Incidents) -> Quality:
    """The judgement, with a box around the points for areas."""
    bounds = incidents.frame.geometry.total_bounds if incidents.located.any() else (0, 0, 1, 1)
    around = gpd.GeoDataFrame(index=["all"], geometry=[box(*bounds)], crs=incidents.crs)
    return quality(incidents, Places.of(around))


@pytest.mark.parametrize(
    ("file", "crs", "accepted", "refused", "check", "said"), CASES, ids=lambda v: str(v)[-28:]
)
def test_a_point_set_is_judged(
    shared: Path, file: str, crs: int, accepted: int, refused: int, check: str, said: str
) -> None:
    path = shared / "data" / file
    found = propose(path)
    settings = dict(found.settings) | ({"crs": 26971} if "nearrepeat" in file else {})
    read = table(path, found.mapping, to=crs, **settings)
    assert (len(read), len(read.rejected), read.rows_read) == (accepted, refused, found.rows)
    assert said in judged(read).checks.set_index("check").loc[check, "sentence"]


def test_answers_of_the_api_are_judged(shared: Path) -> None:
    found = police_uk(shared / "data" / "uk" / "met_street_all_types_2016_2018" / "raw_sample")
    assert (found.rows_read, len(found)) == (180, 180)
    assert judged(found).value("precision") == "month"


def test_outcomes_of_the_met_are_all_read(shared: Path) -> None:
    path = shared / "data" / "uk" / "met_outcomes_partial" / "2018-01-metropolitan-outcomes.csv.gz"
    found = police_uk(path, kind="outcomes")
    assert (found.rows_read, len(found), int((~found.located).sum())) == (926, 926, 6)


def test_the_names_of_2013_are_told_for_the_city_of_london(shared: Path) -> None:
    found = police_uk(shared / "data" / "uk" / "city_of_london_street" / "raw")
    assert found.rows_read == 42_686
    checks = judged(found).checks.set_index("check")["sentence"]
    assert "36 months are missing: January 2014 to December 2016" in checks["months"]
    assert "May 2013: Violent crime was renamed Violence and sexual offences" in checks["names"]
