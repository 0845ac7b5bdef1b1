"""Checks of time: precision, breaks in the level, changes of recording and of names, published totals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peelian.errors import some
from peelian.figures import recording_changes
from peelian.read.categories import changes_between
from peelian.read.checks import Finding, Limits, body, many, part, signed, word
from peelian.read.levels import shifts
from peelian.read.mps import reconcile
from peelian.words import per_cent

if TYPE_CHECKING:
    import pandas as pd

    from peelian.incidents import Incidents

MOST = 40  # series that are tested
BRITISH = 27700


def precision(incidents: Incidents, *, yearly: bool = False) -> Finding:
    """How precise are the dates, and what does that forbid?"""
    snapped = " and points are snapped to streets" if incidents.snapped else ""
    if yearly:
        return Finding(
            "precision", "note", "Dates are years: nothing by month or day is supported by this extract.",
            "year", "Ask the force for dated records.",
        )  # fmt: skip
    if incidents.precision == "month":
        return Finding(
            "precision", "note",
            f"Dates are months{snapped}: near-repeat and daily forecasts are not supported by this extract.",
            "month",
            "Ask the force for dated records if days matter.",
        )  # fmt: skip
    if incidents.precision == "day":
        return Finding(
            "precision", "note", "Dates are days: patterns by hour are not supported by this extract.", "day",
            "Ask for times, or the earliest and latest time, if hours matter.",
        )  # fmt: skip
    return Finding("precision", "fine", "Dates are to the minute.", "minute")


def midnight(incidents: Incidents, limits: Limits) -> Finding | None:
    """Do times at midnight stand for unknown times?"""
    if incidents.precision != "minute":
        return None
    start = incidents.frame["start"]
    share = float(((start.dt.hour == 0) & (start.dt.minute == 0)).mean())
    if share <= limits.midnight:
        return Finding("midnight", "fine", f"{part(share)} of times are exactly midnight.", share)
    return Finding(
        "midnight", "warning", f"{part(share)} of times are exactly midnight.", share,
        'Midnight probably stands for an unknown time: state precision = "day" for this file.',
    )  # fmt: skip


def windows(incidents: Incidents) -> Finding | None:
    """How long are the windows in which the crimes happened?"""
    frame = incidents.frame
    hours = (frame["end"] - frame["start"]).dt.total_seconds() / 3600
    step = {"month": 24 * 31.0, "day": 24.0, "minute": 1 / 60}[incidents.precision]
    wide = hours > step * 1.01
    if not wide.any():
        return None
    share, half, most = float(wide.mean()), hours[wide].median(), hours[wide].quantile(0.9)
    return Finding(
        "windows", "note",
        f"{part(share)} of rows carry a window: {half:,.0f} hours at the median, nine in ten within "
        f"{most:,.0f}, the longest {hours.max():,.0f}.",
        share, "Times within a window are shared over it; leave out windows too long for the question.",
    )  # fmt: skip


def monthly(chosen: Incidents, table: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    """Counts by type, and by type and force where there are several; and the force of each series.

    Months without a row of any type are missing; those of a name that ended or had not begun too.
    """
    import pandas as pd

    frame = pd.DataFrame({"month": chosen.months, "type": chosen.frame["type"].astype("str")})
    forces: dict[str, str] = {}
    names = frame["type"]
    if "reported_by" in chosen.frame and chosen.frame["reported_by"].nunique() > 1:
        force = chosen.frame["reported_by"].fillna("unknown")
        names = names + ", " + force
        forces = dict(zip(names, force, strict=True))
    elif "reported_by" in chosen.frame and chosen.frame["reported_by"].notna().any():
        forces = dict.fromkeys(names.unique(), str(chosen.frame["reported_by"].dropna().iloc[0]))
    counts = frame.groupby(["month", names]).size().unstack(fill_value=0)
    counts = counts.reindex(table.index).where(table["rows"] > 0)
    counts = counts.loc[:, counts.sum() > 0]
    counts = counts[counts.sum().sort_values(ascending=False, kind="stable").index[:MOST]]
    for name in counts:
        used = counts.index[counts[name] > 0]
        counts.loc[(counts.index < used[0]) | (counts.index > used[-1]), name] = float("nan")
    return counts.astype("float64"), forces


def breaks(chosen: Incidents, table: pd.DataFrame, limits: Limits) -> tuple[Finding | None, pd.DataFrame]:
    """Does the level of a type jump, beyond season, drift and noise, and did recording change there?"""
    table = body(table)
    counts, forces = monthly(chosen, table)
    changes = recording_changes() if _british(chosen) else None
    found = shifts(counts, changes=changes, forces=forces)
    if len(table) < 24:
        return None, found
    tested = f"of {many(len(counts.columns), 'series', 'series')} by type and force"
    if found.empty:
        return Finding("breaks", "fine", f"No sudden change of level passes the test ({tested}).", 0), found
    large = found[(found["change"].abs() >= limits.shift) | (found["known"] != "")]
    shown = (large if len(large) else found).head(3)
    named = "; ".join(
        f"{row.series} {signed(row.change)} from {word(row.month)} (95 % interval {signed(row.low)} to "
        f"{signed(row.high)}{', where recording changed' if row.known else ''})"
        for row in shown.itertuples()
    )
    passes = many(len(found), "sudden change of level passes", "sudden changes of level pass")
    sentence = f"{passes} the test ({tested})"
    return (
        Finding(
            "breaks", "warning" if len(large) else "note", f"{sentence}: {named}.", len(found),
            "A jump may be recording, a lockdown or crime: the file cannot say. Take no percentage across "
            "one before the force has said which.",
        ),
        found,
    )  # fmt: skip


def recording(chosen: Incidents) -> Finding | None:
    """Did recording rules or systems change within these months, for these types?"""
    if not _british(chosen):
        return None
    first, last = chosen.span
    held = {str(name).casefold() for name in chosen.frame["type"].unique()}
    forces = (
        {str(name) for name in chosen.frame.get("reported_by", [])} if "reported_by" in chosen.frame else {}
    )
    told = []
    for row in recording_changes().itertuples():
        named = [name.strip() for name in str(row.categories).split(";")]
        of_force = row.force == "all" or row.force in forces
        if of_force and (named == ["all"] or held & set(named)) and first < row._1.to_period("M") <= last:
            told.append(f"{row._1.strftime('%-d %B %Y')}: {row.what}")
    if not told:
        return Finding("recording", "fine", "No known change of recording lies within these months.", 0)
    return Finding(
        "recording", "note", f"Recording changed within these months. {' '.join(told)}", len(told),
        "Compare before with after only by what did not change, such as all burglary together.",
    )  # fmt: skip


def names(incidents: Incidents) -> Finding | None:
    """Did the names of types on data.police.uk change within these months?"""
    if not incidents.published or not _british(incidents):
        return None
    held = [str(name) for name in incidents.frame["type"].unique()]
    told = [
        row for row in changes_between(*incidents.span, held) if {*row["before"], *row["after"]} & set(held)
    ]
    if not told:
        return None
    import pandas as pd

    said = " ".join(f"{word(pd.Period(row['from']))}: {row['what']}" for row in told)
    return Finding(
        "names", "note", f"Names of types changed within these months. {said}", len(told),
        'To put such types under one name write types = "comparable" under [read].',
    )  # fmt: skip


def agreement(
    chosen: Incidents, published: pd.Series, limits: Limits, *, yearly: bool = False
) -> tuple[Finding, pd.DataFrame]:
    """Do the rows agree with published totals, year by year?"""
    own = chosen.months.value_counts().sort_index()
    if yearly:  # rows stand in January: whole years of the published months are held against them
        whole = published.groupby(published.index.year).agg(["sum", "size"])
        published = whole.loc[whole["size"] == 12, "sum"]
        published.index = published.index.astype(str) + "-01"
        published.index = published.index.astype("period[M]")
    table = reconcile(own, published)
    low, high = table["ratio"].min(), table["ratio"].max()
    away = table[(table["ratio"] - 1).abs() > limits.reconcile]
    sentence = (
        f"Against published totals the rows of a year are {low:.3f} to {high:.3f} of the published count "
        f"({many(len(table), 'year', 'years')}, {table.index[0]} to {table.index[-1]})"
    )
    if away.empty:
        return Finding("published", "fine", f"{sentence}.", float(high)), table
    named = some([f"{year} ({row.own:,.0f} against {row.published:,.0f})" for year, row in away.iterrows()])
    return (
        Finding(
            "published", "warning", f"{sentence}; beyond {per_cent(limits.reconcile)}: {named}.", float(high),
            "Rows are missing or counted twice in those years, or the two count different things: ask which.",
        ),
        table,
    )  # fmt: skip


def _british(incidents: Incidents) -> bool:
    import pyproj

    return bool(pyproj.CRS.from_user_input(incidents.crs).to_epsg() == BRITISH)
