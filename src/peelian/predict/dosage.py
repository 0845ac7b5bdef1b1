"""Dosage: what patrols did of what was planned, by box and shift, and what the drawn boxes tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from peelian.errors import DataError, PrivacyError, some

FEWEST = 5  # officers in any figure that leaves
NAMES = ("name", "officer", "officer_name", "collar", "badge", "warrant", "surname", "forename")
NEEDED = ("day", "shift", "place", "minutes", "crew")


@dataclass(frozen=True, eq=False)
class Dosage:
    """What was delivered of the missions.

    ``boxes``   a row a planned stop: ``visits``, ``delivered`` minutes and ``share`` of the planned ones.
    ``shifts``  by patrol area, shift and kind: stops, planned and delivered minutes, their share, boxes never
                visited, and crews; minutes are missing where fewer than 5 crews made them.
    ``elsewhere``  check-ins at boxes that no mission of that day and shift held.
    ``found``   incidents that patrols recorded, if the file says so: they are police-generated, and no
                forecast learns from them.
    """

    boxes: pd.DataFrame
    shifts: pd.DataFrame
    elsewhere: int
    found: int
    few: int

    @property
    def sentences(self) -> list[str]:
        """The dose in words."""
        planned, delivered = self.boxes["minutes"].sum(), self.boxes["delivered"].sum()
        never = int((self.boxes["visits"] == 0).sum())
        said = [
            f"Of {planned:,.0f} planned minutes in {len(self.boxes):,} stops, {delivered:,.0f} were "
            f"delivered ({(delivered / max(planned, 1e-9)) * 100:.0f} %); {never:,} stops were never "
            f"visited, and {self.elsewhere:,} visits went to boxes that no mission held."
        ]
        if self.few:
            said.append(
                f"In {self.few:,} rows fewer than {FEWEST} crews were at work; their minutes are not shown, "
                "so that no figure speaks of a person."
            )
        if self.found:
            said.append(
                f"Patrols recorded {self.found:,} incidents on these visits. They carry the tag "
                "police_generated: a forecast that learnt from them would send patrols where patrols were."
            )
        return said


def dosage(checkins: pd.DataFrame, planned: pd.DataFrame) -> Dosage:
    """Visits and minutes by box, shift and kind of box, against the missions.

    ``checkins``  a row a visit: ``day``, ``shift``, ``place``, ``minutes``, ``crew`` (a number that tells
                  crews apart, and nothing more), optional ``found`` (incidents recorded on it).
    ``planned``   the ``frame`` of ``Missions``, or missions.csv as read back.

    Raises ``PrivacyError`` for columns that name officers, ``DataError`` for missing columns and times.
    """
    named = [column for column in checkins if str(column).strip().lower() in NAMES]
    if named:
        raise PrivacyError(
            f"The check-ins hold the columns {some(named)}: who was on patrol is no business of this system. "
            "Put a number for the crew into a column `crew`, and leave names out."
        )
    lacking = [column for column in NEEDED if column not in checkins]
    if lacking:
        raise DataError(f"The check-ins lack the columns {some(lacking)}; they need {', '.join(NEEDED)}.")
    minutes = pd.to_numeric(checkins["minutes"], errors="coerce")
    wrong = minutes.isna() | (minutes < 0) | (minutes > 24 * 60)
    if wrong.any():
        raise DataError(
            f"The minutes of {int(wrong.sum())} check-ins are missing, negative or over a day: rows "
            f"{some([number + 1 for number in np.flatnonzero(wrong)])}."
        )
    keys = ["day", "shift", "place"]
    visits = checkins.assign(minutes=minutes, **{key: _text(checkins[key]) for key in keys})
    wanted = planned.assign(**{key: _text(planned[key]) for key in keys})
    held = visits.groupby(keys).agg(
        visits=("minutes", "size"), delivered=("minutes", "sum"), crews=("crew", "nunique")
    )
    boxes = wanted.join(held, on=keys).fillna({"visits": 0, "delivered": 0.0, "crews": 0})
    boxes["share"] = boxes["delivered"] / boxes["minutes"]
    known = pd.MultiIndex.from_frame(wanted[keys])
    elsewhere = int((~pd.MultiIndex.from_frame(visits[keys]).isin(known)).sum())
    shifts, few = _by_shift(boxes, visits, keys)
    found = (
        int(pd.to_numeric(checkins["found"], errors="coerce").fillna(0).sum()) if "found" in checkins else 0
    )
    return Dosage(boxes, shifts, elsewhere, found, few)


def _by_shift(boxes: pd.DataFrame, visits: pd.DataFrame, keys: list[str]) -> tuple[pd.DataFrame, int]:
    groups = ["patrol_area", "shift", "kind"]
    crews = visits.merge(boxes[[*keys, "patrol_area", "kind"]], on=keys).groupby(groups)["crew"].nunique()
    out = boxes.groupby(groups).agg(
        stops=("place", "size"), planned_minutes=("minutes", "sum"), delivered_minutes=("delivered", "sum"),
        never_visited=("visits", lambda number: int((number == 0).sum())),
    )  # fmt: skip
    out["crews"] = crews.reindex(out.index).fillna(0).astype(int)
    out["share"] = out["delivered_minutes"] / out["planned_minutes"]
    few = (out["crews"] < FEWEST) & (out["crews"] > 0)
    out.loc[few, ["delivered_minutes", "share"]] = np.nan
    out["crews"] = out["crews"].astype(float).where(~few)
    return out.reset_index(), int(few.sum())


def _text(column: pd.Series) -> pd.Series:
    return column.fillna("").astype(str).str.strip()


@dataclass(frozen=True)
class Explored:
    """Incidents in the places that were not planned, estimated from those that were drawn: 95 % interval."""

    total: float
    low: float
    high: float
    drawn: int
    places: int

    def __str__(self) -> str:
        return (
            f"{self.drawn:,} boxes drawn at random speak for {self.places:,} that were not planned: "
            f"{self.total:,.1f} incidents there (95 % interval {self.low:,.1f} to {self.high:,.1f})."
        )


def explored(counts: np.ndarray, stratum: np.ndarray, rest: np.ndarray, *, repeats: int = 1) -> Explored:
    """Incidents in unplanned places from a drawn sample of them, each weighted by 1 over its chance.

    ``counts``   incidents in each drawn place; ``stratum`` the draw it belongs to, as a position in
    ``rest``, the number of places each draw was made from (simple random sampling without replacement);
    ``repeats`` how many draws were made of the same places and days (one a shift): their mean is taken.

    Horvitz & Thompson (1952); variance by stratum, (1 - f) R^2 s^2 / m. A stratum with one drawn place takes
    the variance of all drawn places. The lower limit is never below what was seen.

    >>> found = explored(np.array([1.0, 3.0]), np.array([0, 0]), np.array([10]))
    >>> found.total
    20.0
    """
    counts, stratum, rest = np.asarray(counts, float), np.asarray(stratum, int), np.asarray(rest, float)
    if not len(counts):
        return Explored(float("nan"), float("nan"), float("nan"), 0, int(rest.sum() / repeats))
    drawn = np.bincount(stratum, minlength=len(rest)).astype(float)
    held = drawn > 0
    sums = np.bincount(stratum, counts, minlength=len(rest))
    squares = np.bincount(stratum, counts**2, minlength=len(rest))
    total = float((sums[held] * rest[held] / drawn[held]).sum())
    pooled = float(counts.var(ddof=1)) if len(counts) > 1 else float(counts.mean())
    spread = np.full(len(rest), pooled)
    many = drawn > 1
    spread[many] = (squares[many] - sums[many] ** 2 / drawn[many]) / (drawn[many] - 1)
    error = np.sqrt(((1 - drawn[held] / rest[held]) * rest[held] ** 2 * spread[held] / drawn[held]).sum())
    if not counts.sum():  # nothing seen: up to 3 over the number drawn may still be there (rule of three)
        most = 3 / len(counts) * float(rest[held].sum()) / repeats
        return Explored(0.0, 0.0, most, len(counts), int(rest[held].sum() / repeats))
    wide = float(stats.t.ppf(0.975, max(len(counts) - int(held.sum()), 1))) * float(error)
    low = max(total - wide, float(counts.sum()))
    total, low, high = (value / repeats for value in (total, low, total + wide))
    return Explored(total, low, high, len(counts), int(rest[held].sum() / repeats))
