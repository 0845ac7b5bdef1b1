"""What the self-exciting model refuses, and that it does not see the future."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString, box

from peelian.errors import DesignError
from peelian.incidents import Incidents
from peelian.places import Places
from peelian.predict import Hawkes
from peelian.predict.by_place import PlaceFit, fit_by_place
from peelian.predict.history import History
from peelian.predict.methods import method_named, words_of

STUDY = gpd.GeoSeries([box(0, 0, 2000, 1500)], crs="EPSG:27700")
CELLS = Places.grid(STUDY, 250)


def incidents(number: int = 1_500, seed: int = 6) -> Incidents:
    rng = np.random.default_rng(seed)
    start = pd.Series(pd.Timestamp("2018-01-01") + pd.to_timedelta(rng.integers(0, 730, number), "D"))
    points = gpd.points_from_xy(rng.uniform(0, 2000, number), rng.uniform(0, 1500, number))
    columns = {"start": start, "end": start + pd.Timedelta(1, "D"), "type": "burglary", "source": "t"}
    return Incidents(gpd.GeoDataFrame(columns, geometry=points, crs=STUDY.crs))


TWO_YEARS = incidents()
WEEK = ("2020-01-06", "2020-01-13")


def test_a_week_is_about_a_week_of_what_was() -> None:
    risk = Hawkes()(TWO_YEARS, CELLS, WEEK)
    assert risk.sum() == pytest.approx(1_500 / 730 * 7, rel=0.15)


def test_the_order_of_rows_does_not_matter() -> None:
    mixed = Incidents(TWO_YEARS.frame.sample(frac=1, random_state=1))
    assert Hawkes()(mixed, CELLS, WEEK).tolist() == Hawkes()(TWO_YEARS, CELLS, WEEK).tolist()


def test_the_last_week_counts_for_more_where_it_happened() -> None:
    spot = CELLS.points.loc["x3y3"]
    start = pd.Series([pd.Timestamp("2020-01-04")] * 6)
    columns = {"start": start, "end": start + pd.Timedelta(1, "D"), "type": "burglary", "source": "t"}
    burst = gpd.GeoDataFrame(columns, geometry=[spot] * 6, crs=STUDY.crs)
    after = Incidents(pd.concat([TWO_YEARS.frame, burst], ignore_index=True))
    method = Hawkes(refit=365)
    more = method(after, CELLS, WEEK) - method(TWO_YEARS, CELLS, WEEK)
    assert more.idxmax() == "x3y3"


def moved(by: float) -> pd.Series:
    """The same incidents and cells, so many metres farther east and south."""
    frame = TWO_YEARS.frame.set_geometry(TWO_YEARS.frame.geometry.translate(by, -by))
    cells = Places.grid(STUDY.translate(by, -by), 250)
    return Hawkes(250)(Incidents(frame), cells, WEEK)


def test_a_shift_of_coordinates_changes_nothing() -> None:
    assert moved(25_000.0).tolist() == pytest.approx(moved(0.0).tolist(), rel=1e-6)


def snapped(metres: int) -> Incidents:
    """The same incidents, each moved to a point of a lattice."""
    points = TWO_YEARS.frame.geometry
    x, y = (np.round(value / metres) * metres for value in (points.x, points.y))
    return Incidents(TWO_YEARS.frame.set_geometry(gpd.points_from_xy(x, y, crs=STUDY.crs)))


def test_points_that_many_share_are_a_warning() -> None:
    history = History.of(snapped(200), CELLS, end=pd.Timestamp("2020-01-06"), step="day")
    assert "1,425 incidents lie at 80 points" in Hawkes(250).fitted(history).warnings["shared points"]
    history = History.of(TWO_YEARS, CELLS, end=pd.Timestamp("2020-01-06"), step="day")
    assert "shared points" not in Hawkes(250).fitted(history).warnings


STREETS = Places.of(
    gpd.GeoDataFrame(geometry=[LineString([(0, y), (800, y)]) for y in (90, 310)], crs=CELLS.crs),
    kind="street",
)
REFUSED = [
    (lambda: Hawkes(step="month"), "needs dates by day"),
    (lambda: Hawkes(bandwidth=0), "above 0"),
    (lambda: Hawkes(spread="wide"), 'spread of Hawkes is "gaussian" or "power"'),  # type: ignore[arg-type]
    (lambda: Hawkes(repeat_area="homes"), 'repeat_area of Hawkes is "households"'),  # type: ignore[arg-type]
    (lambda: Hawkes()(snapped(400), CELLS, WEEK), "lie 400 m or more from the next"),
    (lambda: Hawkes(covariates="prior")(TWO_YEARS, CELLS, WEEK), "there is none"),  # type: ignore[arg-type]
    (lambda: Hawkes()(incidents(40), CELLS, WEEK), "too few to learn from"),
    (lambda: Hawkes()(TWO_YEARS, STREETS, WEEK), "these places are streets"),
]


@pytest.mark.parametrize(("ask", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_what_is_refused(ask: object, words: str) -> None:
    with pytest.raises(DesignError, match=words):
        ask()  # type: ignore[operator]


def by_itself(repeats: float) -> PlaceFit:
    """400 places, 15 a year of background each, each incident bringing ``repeats`` at its place after 10 days."""
    rng = np.random.default_rng(6)
    born, everything = (rng.integers(0, 400, 6_000), rng.uniform(0, 360, 6_000)), []
    while len(born[0]):
        everything.append(born)
        number = rng.poisson(repeats, len(born[0]))
        again = np.repeat(born[1], number) + rng.exponential(10, int(number.sum()))
        born = (np.repeat(born[0], number)[again < 360], again[again < 360])
    place, day = (np.concatenate(part) for part in zip(*everything, strict=True))
    order = np.lexsort((day, place))
    return fit_by_place(place[order], np.floor(day[order]).astype(int), 400, 360)


def pair_by_pair(days: list[np.ndarray], as_published: bool) -> tuple[float, float]:
    """Kernel by the definition, every pair written out; the divisor is the child's or that after the parent."""
    omega = theta = 1.0
    mu, hardly = [1.0] * len(days), False
    while not hardly:
        total = late = changed = 0.0
        for at, day in enumerate(days):
            whole = [
                mu[at] + sum(theta * omega * np.exp(-omega * (b - a)) for a in day[:j] if a < b)
                for j, b in enumerate(day)
            ]
            for i, j in itertools.combinations(range(len(day)), 2):
                wait = day[j] - day[i]
                if wait > 0:
                    chance = theta * omega * np.exp(-omega * wait) / whole[i + 1 if as_published else j]
                    total, late = total + chance, late + chance * wait
            changed += abs(sum(mu[at] / one for one in whole) / 60 - mu[at])
            mu[at] = sum(mu[at] / one for one in whole) / 60
        number = sum(len(day) for day in days)
        moved = abs(total / late - omega), abs(total / number - theta)
        hardly = min(moved) <= 1e-5 or changed <= 1e-4
        omega, theta = total / late, total / number
    return float(omega), float(theta)


@pytest.mark.parametrize("as_published", [False, True])
def test_each_place_by_itself_is_the_definition_with_ties_and_all(as_published: bool) -> None:
    days = [np.array(one) for one in ([3, 3, 5, 5, 5, 9, 40], [1, 2, 2, 30], [7], [0, 10, 20, 20, 21, 22])]
    place = np.repeat(np.arange(4), [len(one) for one in days])
    fit = fit_by_place(place, np.concatenate(days), 4, 60, as_published=as_published)
    omega, theta = pair_by_pair(days, as_published)
    assert (fit.omega, fit.theta) == pytest.approx((omega, theta), rel=1e-9)


def test_the_slip_of_the_publication_is_named_where_it_is_asked_for() -> None:
    method = method_named("by_place(as_published=True)", step="day")
    assert words_of("by_place", method).endswith("with the slip of its publication")


def test_each_place_by_itself_tells_repeats_from_none() -> None:
    """It stops early, so it finds fewer than were planted: that is how it was published."""
    planted = by_itself(0.3)
    assert planted.theta > 0.1
    assert 5 < 1 / planted.omega < 15
    assert by_itself(0.0).theta < 0.01
