"""Checks: one function a question about an extract, each answered by a sentence, a number and a remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from peelian.errors import some
from peelian.words import per_cent, percent

if TYPE_CHECKING:
    import pandas as pd

    from peelian.incidents import Incidents

WINDOW = 6  # months on either side that a month is compared with
ENOUGH = 20  # incidents a month below which a low month is no news
LONG = 62.0  # days of a window beyond which it tells no month
MOSTLY = 0.9  # share of rows with such windows
SPARSE = 0.05  # share of a usual month below which a month at either end is a few stray dates


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
def by_year_alone(incidents: Incidents) -> bool:
    """True where nearly every window is longer than a month, so that no month can be told."""
    frame = incidents.frame
    days = (frame["end"] - frame["start"]).dt.total_seconds() / 86_400
    return bool(len(frame)) and float((days > LONG).mean()) > MOSTLY


def years_held(incidents: Incidents, table: pd.DataFrame) -> float:
    """Years for which there are rows of the project's types: months that hold any, or the windows themselves.

    ``table``  rows by month (see ``by_month``).
    """
    if not by_year_alone(incidents):
        return max(int((body(table)["chosen"] > 0).sum()), 1) / 12
    windows = incidents.frame[["start", "end"]].drop_duplicates()
    return float((windows["end"] - windows["start"]).dt.total_seconds().sum() / 86_400 / 365.25)


def whole_years(incidents: Incidents) -> Finding:
    """Which years are there, where no month can be told?"""
    years = incidents.frame["start"].dt.year
    first, last = int(years.min()), int(years.max())
    lacking = sorted(set(range(first, last + 1)) - set(years))
    span = f"of {first}" if first == last else f"of {first} to {last}"
    gaps = f"; {some(lacking, 6)} {'is' if len(lacking) == 1 else 'are'} missing" if lacking else ""
    return Finding(
        "months", "warning" if lacking else "note",
        f"The rows are {span} by the year alone: no month can be told{gaps}.", len(lacking),
        "Count by year. Whatever needs months, such as evaluation and forecasts, needs dated rows.",
    )  # fmt: skip


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
        "Look at rejected.csv (of `peelian read`, or of `peelian check --rejected`), mend the rows in a copy "
        "of the file, and read it again.",
    )  # fmt: skip


def body(table: pd.DataFrame) -> pd.DataFrame:
    """The months of an extract without the stray ones at either end, whose few rows are no file's month.

    A window that began years before its crime was noticed, or a mistyped year, puts a row there.
    """
    counts = table["rows"]
    usual = counts[counts > 0].median()
    if usual < ENOUGH:
        return table
    full = (counts >= SPARSE * usual).to_numpy().nonzero()[0]
    return table.iloc[full[0] : full[-1] + 1]


def months(table: pd.DataFrame) -> Finding:
    """Is there a month without a single row?"""
    held = body(table)
    empty = held.index[held["rows"] == 0]
    first, last = word(table.index[0]), word(table.index[-1])
    if len(table) == 1:
        return Finding("months", "fine", f"The rows are of one month, {first}.", 0)
    span = f"The rows span {len(table):,} months, {first} to {last}"
    stray = int(table["rows"].sum() - held["rows"].sum())
    if stray:
        inner = f"{word(held.index[0])} to {word(held.index[-1])}"
        span += f", but all except {stray:,} of the rows lie in {inner}"
    if not len(empty):
        sentence = f"{span}; none of these is missing." if stray else f"{span}; none is missing."
        if not stray:
            return Finding("months", "fine", sentence, 0)
        return Finding(
            "months", "note", sentence, 0,
            "The few outside began long before they were noticed, are of a month only begun, or are dated "
            "wrongly: keep analyses to the months in which nearly all lie.",
        )  # fmt: skip
    lacking = f"{many(len(empty), 'month is', 'months are')} missing: {some(_runs(empty), 6)}"
    return Finding(
        "months", "warning", f"{span}; {lacking}.", len(empty),
        "A month without a row is a gap in the files, not a month without crime: get the missing files, or "
        "keep analyses to the months on one side of the gap.",
    )  # fmt: skip


def low_months(table: pd.DataFrame, limits: Limits) -> Finding | None:
    """Is a month far below those around it, as a file cut short would be?"""
    table = body(table)
    named: dict[pd.Period, str] = {}
    asked = False
    for column, what in (("chosen", ""), ("rows", " rows of all types")):
        used = table.index[table[column] > 0]  # of a type, the months in which its name was in use
        if not len(used):
            continue
        counts = table[column].where(table["rows"] > 0).astype("float64").loc[used[0] : used[-1]]
        if len(counts) < WINDOW or not counts.median() >= ENOUGH:
            continue
        asked = True
        usual = counts.rolling(2 * WINDOW + 1, center=True, min_periods=4).median()
        for month in counts.index[counts < limits.low_month * usual]:
            named.setdefault(
                month, f"{word(month)} ({counts[month]:,.0f} against about {usual[month]:,.0f}{what})"
            )
    if not asked:
        return None
    if not named:
        return Finding("low_months", "fine", "No month lies far below those around it.", 0)
    told = some([named[month] for month in sorted(named)], 4)
    return Finding(
        "low_months", "warning",
        f"{many(len(named), 'month is', 'months are')} below {per_cent(limits.low_month)} of those around: "
        f"{told}.",
        len(named), "Check whether those files are complete; download them again.",
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
        f"({percent(count / len(incidents))} of {len(incidents):,}){tail}.",
        count,
        'They are kept and counted: they may be victims or outcomes of one crime. To leave them out write '
        'repeats = "drop" under [read].',
    )  # fmt: skip


def twins(incidents: Incidents) -> Finding | None:
    """Are rows without an id equal in everything that is known of them?"""
    frame = incidents.frame
    if "counted" in frame:  # counts made into rows: of course they are equal
        return None
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
        f"({percent(count / len(bare))} of {len(bare):,}).",
        count, "They may be separate incidents at one snapped point, so they are kept.",
    )  # fmt: skip


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
    table = body(table)
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
        f"The largest change of level is {signed(change, 1)}: {year.shift(-12)[at]:,.0f} in the 12 months "
        f"from {word(at + 1)} against {year[at]:,.0f} in the 12 before (a description, not a test).",
        change,
        "Ask the force whether recording rules, systems or boundaries changed then." if large else "",
    )  # fmt: skip


# -------------------------------------------------------------------- words
def part(share: float) -> str:
    """A share in per cent; a very small one is not said to be none, nor nearly all to be all.

    >>> part(0.0002), part(0.9999), part(0.172)
    ('under 0.1 %', 'over 99.9 %', '17.2 %')
    """
    if 0 < share < 0.0005:
        return "under 0.1 %"
    return "over 99.9 %" if 0.9995 <= share < 1 else percent(share)


def signed(change: float, decimals: int = 0) -> str:
    """A change in per cent with its sign.

    >>> signed(0.36), signed(-0.199, 1)
    ('+36 %', '-19.9 %')
    """
    return f"{100 * change:+.{decimals}f} %"


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
