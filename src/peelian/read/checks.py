"""Checks: one function a question about an extract, each answered by a sentence, a number and a remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from peelian.errors import some
from peelian.read.vintage import vintage

if TYPE_CHECKING:
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places

WINDOW = 6  # months on either side that a month is compared with
ENOUGH = 20  # incidents a month below which a low month is no news


@dataclass(frozen=True)
class Limits:
    """Shares at which a check warns: blank locations, codes and points that fit no area, and so on."""

    blank: float = 0.05
    unknown_codes: float = 0.02
    own_area: float = 0.9
    outside: float = 0.1
    low_month: float = 0.5
    midnight: float = 0.2
    shift: float = 0.25
    reconcile: float = 0.05


@dataclass(frozen=True)
class Finding:
    """The answer of one check."""

    check: str
    level: str
    sentence: str
    value: Any
    remedy: str = ""

    COLUMNS: ClassVar[tuple[str, ...]] = ("check", "level", "sentence", "value", "remedy")

    @property
    def row(self) -> tuple[Any, ...]:
        """The answer as a row of the frame of checks."""
        return tuple(getattr(self, name) for name in self.COLUMNS)


# -------------------------------------------------------------------- tables
def by_month(incidents: Incidents, chosen: Incidents) -> pd.DataFrame:
    """Rows of every month: all (``rows``), without a point (``blank``), the project's (``chosen``)."""
    import pandas as pd

    first, last = incidents.span
    months = pd.period_range(first, last, freq="M", name="month")
    return pd.DataFrame(
        {
            "rows": incidents.months.value_counts().reindex(months, fill_value=0),
            "blank": incidents.months[~incidents.located].value_counts().reindex(months, fill_value=0),
            "chosen": chosen.months.value_counts().reindex(months, fill_value=0),
        }
    ).astype("int64")


def by_year(incidents: Incidents) -> pd.DataFrame:
    """Rows of each year, how many lack a point (``blank``), and their ``share``."""
    import pandas as pd

    year = incidents.frame["start"].dt.year.rename("year")
    frame = pd.DataFrame({"rows": 1, "blank": (~incidents.located).astype("int64")}).groupby(year).sum()
    return frame.assign(share=frame["blank"] / frame["rows"])


def by_type(incidents: Incidents) -> pd.DataFrame:
    """Rows of each type, with the first and the last month it stands in, most first."""
    import pandas as pd

    frame = pd.DataFrame({"type": incidents.frame["type"], "month": incidents.months.astype("str")})
    table = frame.groupby("type")["month"].agg(rows="size", first="min", last="max").reset_index()
    return table.sort_values(["rows", "type"], ascending=[False, True]).set_index("type")


# -------------------------------------------------------------------- rows
def rows(incidents: Incidents, reasons: pd.DataFrame) -> Finding:
    """Were rows refused, and why?"""
    refused = len(incidents.rejected)
    sentence = f"{incidents.rows_read:,} rows were read: {len(incidents):,} accepted and {refused:,} refused"
    if not refused:
        return Finding("rows", "fine", f"{sentence}.", 0)
    why = some([f"{why}: {count:,}" for why, count in reasons["rows"].items()], 4)
    level = "warning" if refused > 0.01 * incidents.rows_read else "note"
    return Finding(
        "rows", level, f"{sentence} ({why}).", refused,
        "Look at rejected.csv, mend the rows in a copy of the file, and read it again.",
    )  # fmt: skip


def months(table: pd.DataFrame) -> Finding:
    """Is there a month without a single row?"""
    empty = table.index[table["rows"] == 0]
    first, last = word(table.index[0]), word(table.index[-1])
    if len(table) == 1:
        return Finding("months", "fine", f"The rows are of one month, {first}.", 0)
    span = f"The rows span {len(table):,} months, {first} to {last}"
    if not len(empty):
        return Finding("months", "fine", f"{span}; none is missing.", 0)
    lacking = f"{many(len(empty), 'month is', 'months are')} missing: {some(_runs(empty), 6)}"
    return Finding(
        "months", "warning", f"{span}; {lacking}.", len(empty),
        "A month without a row is a gap in the files, not a month without crime: get the missing files, or "
        "keep analyses to the months on one side of the gap.",
    )  # fmt: skip


def low_months(table: pd.DataFrame, limits: Limits) -> Finding | None:
    """Is a month far below those around it, as a file cut short would be?"""
    counts = table["chosen"].where(table["rows"] > 0).astype("float64")
    if len(counts) < WINDOW or not counts.median() >= ENOUGH:
        return None
    usual = counts.rolling(2 * WINDOW + 1, center=True, min_periods=4).median()
    low = counts.index[counts < limits.low_month * usual]
    if not len(low):
        return Finding("low_months", "fine", "No month lies far below those around it.", 0)
    named = some([f"{word(m)} ({counts[m]:,.0f} against about {usual[m]:,.0f})" for m in low], 4)
    return Finding(
        "low_months", "warning",
        f"{many(len(low), 'month is', 'months are')} below {limits.low_month:.0%} of those around: {named}.",
        len(low), "Check whether those files are complete; download them again.",
    )  # fmt: skip


def repeats(incidents: Incidents) -> Finding | None:
    """Does an id stand on more than one row?"""
    if "repeated" not in incidents.frame:
        return None
    blank = int(incidents.frame["id"].isna().sum())
    count = int(incidents.frame["repeated"].sum())
    tail = f"; {blank:,} rows have no ID to tell by" if blank else ""
    if not count:
        return Finding("repeats", "fine", f"No ID stands on two rows{tail}.", 0)
    return Finding(
        "repeats", "note",
        f"{many(count, 'row repeats', 'rows repeat')} the ID of an earlier row "
        f"({count / len(incidents):.1%} of {len(incidents):,}){tail}.",
        count, 'They are kept and counted. To leave them out write repeats = "drop" under [read].',
    )  # fmt: skip


def twins(incidents: Incidents) -> Finding | None:
    """Are rows without an id equal in everything that is known of them?"""
    frame = incidents.frame
    bare = frame[frame["id"].isna()] if "id" in frame else frame
    if bare.empty:
        return None
    told = [c for c in ("start", "end", "type", "place", "outcome", "address", "recorded") if c in bare]
    same = bare[told].assign(x=bare.geometry.x, y=bare.geometry.y).duplicated()
    count = int(same.sum())
    if not count:
        return Finding("twins", "fine", "No row without an ID equals another.", 0)
    return Finding(
        "twins", "note",
        f"{many(count, 'row without an ID equals', 'rows without an ID equal')} another in every column "
        f"({count / len(bare):.1%} of {len(bare):,}).",
        count, "They may be separate incidents at one snapped point, so they are kept.",
    )  # fmt: skip


# -------------------------------------------------------------------- places
def blanks(incidents: Incidents, years: pd.DataFrame, limits: Limits) -> Finding:
    """How many rows have no point, and in which year most?"""
    count = int(years["blank"].sum())
    share = count / len(incidents)
    if not count:
        return Finding("blanks", "fine", "Every row has a point.", 0.0)
    worst = years["share"].idxmax()
    return Finding(
        "blanks", "warning" if years["share"].max() > limits.blank else "note",
        f"{count:,} of {len(incidents):,} rows ({share:.1%}) have no point; "
        f"most in {worst} ({years['share'][worst]:.1%}).",
        share, "They count in totals and nowhere on a map. Compare years only where the share is alike.",
    )  # fmt: skip


def faults(incidents: Incidents) -> Finding | None:
    """Are there coordinates that cannot be right?"""
    if "fault" not in incidents.frame:
        return None
    counts = incidents.frame["fault"].value_counts()
    if counts.empty:
        return Finding("faults", "fine", "No coordinates are impossible.", 0)
    named = some([f"{why}: {n:,}" for why, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))])
    return Finding(
        "faults", "warning", f"{int(counts.sum()):,} rows have values that cannot be used ({named}).",
        int(counts.sum()), "The rows are kept without a point. Correct the coordinates at their source.",
    )  # fmt: skip


def codes(incidents: Incidents, areas: Places, own: pd.Series, limits: Limits) -> list[Finding | None]:
    """Are the area codes among the areas, and does the point lie in the area of its code?"""
    if "place" not in incidents.frame or not incidents.frame["place"].notna().any():
        return [None]
    code = incidents.frame["place"]
    coded, found = int(code.notna().sum()), code.isin(areas.index)
    share = int(found.sum()) / coded
    lost = coded - int(found.sum())
    sentence = f"{share:.2%} of the {coded:,} rows with an area code name one of the {len(areas):,} areas"
    join = Finding("codes", "fine", f"{sentence}.", share)
    if lost:
        other = code[code.notna() & ~found].nunique()
        join = Finding(
            "codes", "warning" if 1 - share > limits.unknown_codes else "note",
            f"{sentence}; {many(lost, 'row names', 'rows name')} {many(other, 'other', 'others')}.", share,
            "Those areas are not in the places file: it is smaller than the extract, or of another edition.",
        )  # fmt: skip
    both = found & incidents.located
    if not both.any():
        return [join, None]
    agree = float((own[both] == code[both]).mean())
    return [
        join,
        Finding(
            "own_area", "fine" if agree >= limits.own_area else "warning",
            f"The point lies in the area of its own code in {agree:.1%} of {int(both.sum()):,} rows.", agree,
            "Snapped points sit on streets, and streets are borders: count by code, map by point."
            if agree >= limits.own_area
            else "Check the edition and the detail of the boundaries, and the CRS of the points.",
        ),
    ]  # fmt: skip


def outside(incidents: Incidents, own: pd.Series, limits: Limits) -> Finding | None:
    """Do points lie outside every area?"""
    located = incidents.located
    if not located.any():
        return None
    away = int((located & own.isna()).sum())
    share = away / int(located.sum())
    if not away:
        return Finding("outside", "fine", "Every point lies in an area.", 0.0)
    return Finding(
        "outside", "warning" if share > limits.outside else "note",
        f"{away:,} of {int(located.sum()):,} points ({share:.1%}) lie outside every area.", share,
        "They are in no count by point. Use a places file that covers the extract, or leave them out.",
    )  # fmt: skip


def snapping(incidents: Incidents) -> Finding | None:
    """Were points moved to shared places?"""
    import pandas as pd

    shapes = incidents.frame.geometry[incidents.located]
    if shapes.empty:
        return None
    at = pd.DataFrame({"x": shapes.x, "y": shapes.y}).value_counts()
    each, shared = len(shapes) / len(at), float(at[at > 1].sum() / len(shapes))
    sentence = f"{len(shapes):,} points stand on {len(at):,} places, {each:.1f} a place"
    if incidents.snapped or (each >= 2 and shared >= 0.5):
        said = "snapped to shared street points" if incidents.snapped else "probably snapped or rounded"
        apart = _apart(at)
        return Finding(
            "snapping", "note",
            f"{sentence}: they are {said}, {apart:,.0f} m from the next at the median.", each,
            f"Distances below {apart:,.0f} m say nothing; the busiest place holds {int(at.iloc[0]):,} rows.",
        )  # fmt: skip
    return Finding("snapping", "fine", f"{sentence}: no sign of snapping.", each)


def _apart(places: pd.Series) -> float:
    """Metres from a place to the nearest other, at the median: the catchment of a snapped point."""
    import numpy as np
    from scipy.spatial import cKDTree

    if len(places) < 2:
        return 0.0
    points = np.column_stack([places.index.get_level_values(k) for k in ("x", "y")])
    distance, _ = cKDTree(points).query(points, k=2)
    return float(np.median(distance[:, 1]))


# -------------------------------------------------------------------- time, types, levels
def types(table: pd.DataFrame) -> Finding:
    """Which types are there, and do names begin or end within the span?"""
    first, last = table["first"].min(), table["last"].max()
    partial = table.index[(table["first"] > first) | (table["last"] < last)]
    named = some([f"{name} ({n:,})" for name, n in table["rows"].items()], 4)
    sentence = f"{many(len(table), 'crime type', 'crime types')}: {named}"
    if not len(partial):
        return Finding("types", "fine", f"{sentence}.", len(table))
    return Finding(
        "types", "note", f"{sentence}. Not in use from first to last month: {some(sorted(partial), 6)}.",
        len(table), "Type names changed over the years: compare a type only where its name was in use.",
    )  # fmt: skip


def levels(table: pd.DataFrame, limits: Limits) -> Finding | None:
    """Where does the level change most, 12 months against the 12 before?"""
    counts = table["chosen"].where(table["rows"] > 0).astype("float64")
    year = counts.rolling(12).sum()
    ratio = (year.shift(-12) / year).where(year >= 12 * ENOUGH)
    ratio = ratio[ratio > 0]
    if ratio.empty:
        return None
    at = ratio.where(ratio >= 1, 1 / ratio).idxmax()  # a half is as far as a double
    change = float(ratio[at] - 1)
    large = abs(change) > limits.shift
    return Finding(
        "levels", "warning" if large else "fine",
        f"The largest change of level is {change:+.1%}: {year.shift(-12)[at]:,.0f} in the 12 months from "
        f"{word(at + 1)} against {year[at]:,.0f} in the 12 before (a description, not a test).",
        change,
        "Ask the force whether recording rules, systems or boundaries changed then." if large else "",
    )  # fmt: skip


def editions(
    incidents: Incidents,
    areas: Places,
    known_2011: Iterable[str] | None,
    known_2021: Iterable[str] | None,
) -> tuple[Finding | None, pd.DataFrame | None]:
    """Which edition of the LSOA codes does each month use, and do the areas have them?"""
    if "place" not in incidents.frame or not incidents.frame["place"].notna().any():
        return None, None
    code = incidents.frame["place"]
    known = code.notna()
    table = vintage(code, incidents.months, known_2011=known_2011, known_2021=known_2021)
    found = code[known].isin(areas.index).groupby(incidents.months[known]).mean()
    table = table.assign(share_in_areas=found.reindex(table.index))
    counts = table["edition"].value_counts().sort_index()
    named = some([f"{edition} in {many(n, 'month', 'months')}" for edition, n in counts.items()])
    if list(counts.index) == ["none known"]:
        return None, table
    how = "" if known_2011 is not None else ", by their numbers"
    late = [edition for edition in counts.index if edition.startswith(("2021", "mixed"))]
    mixed = bool(late) and (len(counts) > 1 or "mixed" in late[0])
    finding = Finding(
        "vintage", "warning" if mixed else "fine", f"Edition of the area codes{how}: {named}.",
        some(list(counts.index)),
        "Codes of both editions stand side by side: bring them to one with the lookup of the Office for "
        "National Statistics before areas are compared over time." if mixed else "",
    )  # fmt: skip
    return finding, table


# -------------------------------------------------------------------- words
def word(month: pd.Period) -> str:
    """A month in words: January 2014."""
    return str(month.strftime("%B %Y"))


def many(count: int, one: str, more: str) -> str:
    """A number with its noun."""
    return f"{count:,} {one if count == 1 else more}"


def _runs(months: pd.PeriodIndex) -> list[str]:
    """Months that follow one another, said as spans: ``January 2014 to December 2016``."""
    spans: list[list[pd.Period]] = []
    for month in months:
        if spans and (month - spans[-1][-1]).n == 1:
            spans[-1].append(month)
        else:
            spans.append([month])
    return [word(s[0]) if len(s) == 1 else f"{word(s[0])} to {word(s[-1])}" for s in spans]
