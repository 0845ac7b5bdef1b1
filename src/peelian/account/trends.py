"""Recorded crime in places with the programme and in the others: by year, and against the year before."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from peelian.account.ledger import APRIL, financial_year

if TYPE_CHECKING:
    import pandas as pd

MONTHS_IN_A_YEAR = 12
WITH, WITHOUT, ALL = "areas with the programme", "areas without", "all areas"


QUARTER = 3
TOO_FEW, FELL, ROSE, UNCLEAR = "too few to compare", "fell", "rose", "no clear change"


class Change(NamedTuple):
    """A change as a share (-0.1: a tenth fewer) with its 95 % interval, and in words; blank where too few."""

    share: float | None
    low: float | None
    high: float | None
    words: str


def change(after: float, before: float, *, spread: float = 1.0, least: float) -> Change:
    """How much a count changed, with an interval: the ratio is log-normal with variance spread (1/u + 1/v).

    ``spread``  how much wider than Poisson the counts vary (``spread_of``); ``least`` the smallest count in
                either period that is compared at all.

    The words are "fell" or "rose" where the whole interval lies on one side of no change.

    >>> change(80, 100, least=10).words, change(400, 800, least=10).words, change(3, 12, least=10).words
    ('no clear change', 'fell', 'too few to compare')
    """
    import math

    from scipy.special import ndtri

    if min(after, before) < least:
        return Change(None, None, None, TOO_FEW)
    width = float(ndtri(1 - 0.05 / 2)) * math.sqrt(spread * (1 / after + 1 / before))
    ratio = after / before
    low, high = ratio * math.exp(-width) - 1, ratio * math.exp(width) - 1
    return Change(ratio - 1, low, high, FELL if high < 0 else ROSE if low > 0 else UNCLEAR)


def spread_of(after: pd.Series, before: pd.Series) -> float:
    """How much more the changes of single places differ than chance alone would make them; at least 1.

    ``after`` and ``before``  counts of the same places in two periods. Pearson's statistic of the shares
    after / (after + before) over its degrees of freedom (quasi-binomial; McCullagh & Nelder 1989).
    """
    both = after + before
    kept = both > 0
    u, n = after[kept], both[kept]
    share = u.sum() / n.sum() if len(n) else 0.0
    if len(n) < 2 or not 0 < share < 1:
        return 1.0
    pearson = ((u - share * n) ** 2 / (n * share * (1 - share))).sum()
    return max(1.0, float(pearson / (len(n) - 1)))


def trend_block(
    counts: pd.Series, arms: pd.Series, *, least: float, days: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Recorded crime now against a year before, by period and group, with the interval of each change.

    ``counts``  on (place, month); ``arms`` the arm of each place (``excluded`` ones are left out). A place
    and month without a row counts as nought; a month without any row is not held, and no period holds it.
    ``days``    counts by place of 28 days: ``now``, ``before`` and ``a year ago``, where days are known.

    Periods: the last 12 months and the 12 before; April to the last month and the same months a year ago; the
    last 3 months, and the last one, each with the same a year ago. Columns ``period``, ``places``,
    ``before``, ``after``, ``change``, ``low``, ``high``, ``in words``.
    """
    import pandas as pd

    months = pd.PeriodIndex(counts.index.get_level_values("month").astype(str), freq="M")
    place = counts.index.get_level_values("place")
    wide = pd.DataFrame({"place": place, "month": months, "count": counts.to_numpy()})
    wide = wide.pivot_table("count", "place", "month", aggfunc="sum", fill_value=0, observed=True)
    arm = arms.reindex(wide.index)
    wide, arm = wide[arm != "excluded"], arm[arm != "excluded"]
    last = wide.columns.max()
    since_april = (last.month - APRIL) % MONTHS_IN_A_YEAR + 1
    periods = {
        "last 12 months, and the 12 before": MONTHS_IN_A_YEAR,
        "April to the last month, and a year ago": since_april,
        "last 3 months, and a year ago": QUARTER,
        "last month, and a year ago": 1,
    }
    rows = []
    for name, length in periods.items():
        now = pd.period_range(end=last, periods=length, freq="M")
        then = now - MONTHS_IN_A_YEAR
        if not (now.isin(wide.columns).all() and then.isin(wide.columns).all()):
            continue
        after, before = wide[now].sum(axis=1), wide[then].sum(axis=1)
        rows += _by_group(name, after, before, arm, least)
    if days is not None:
        arm = arms.reindex(days.index)
        held = days[arm != "excluded"]
        for words, then in (("the 28 before", "before"), ("the same days a year ago", "a year ago")):
            name = f"last 28 days, and {words}"
            rows += _by_group(name, held["now"], held[then], arm[arm != "excluded"], least)
    columns = ["period", "places", "before", "after", "change", "low", "high", "in words"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype(dict.fromkeys(("change", "low", "high"), float))


def rolling_index(counts: pd.Series, arms: pd.Series) -> pd.DataFrame:
    """Totals of 12 months, month by month, in places with the programme and without, and as an index.

    Columns ``month`` (the last of twelve), ``places``, ``12 months``, ``index`` (the first total is 100).
    Empty where fewer than 24 months, or no place with or without the programme, is held.
    """
    import pandas as pd

    months = pd.PeriodIndex(counts.index.get_level_values("month").astype(str), freq="M")
    arm = arms.reindex(counts.index.get_level_values("place")).to_numpy()
    frame = pd.DataFrame({"month": months, "n": counts.to_numpy(), "arm": arm})
    frame = frame[frame["arm"] != "excluded"]
    every = pd.period_range(frame["month"].min(), frame["month"].max(), freq="M")
    out = []
    for name, inside in ((WITH, frame["arm"] == "treated"), (WITHOUT, frame["arm"] != "treated")):
        total = frame[inside].groupby("month")["n"].sum().reindex(every)
        rolled = total.rolling(MONTHS_IN_A_YEAR).sum().dropna()
        if len(rolled) <= MONTHS_IN_A_YEAR or not rolled.iloc[0] > 0:
            return pd.DataFrame()
        out.append(pd.DataFrame({
            "month": rolled.index.astype(str), "places": name, "12 months": rolled.to_numpy().astype("int64"),
            "index": 100 * rolled.to_numpy() / rolled.iloc[0],
        }))  # fmt: skip
    return pd.concat(out, ignore_index=True)


def _by_group(
    name: str, after: pd.Series, before: pd.Series, arm: pd.Series, least: float
) -> list[tuple[object, ...]]:
    """One row a group: where the programme is, where it is not, and everywhere."""
    groups = ((WITH, arm == "treated"), (WITHOUT, arm != "treated"), (ALL, arm.isna() | arm.notna()))
    rows: list[tuple[object, ...]] = []
    for group, inside in groups:
        u, v = after[inside], before[inside]
        found = change(u.sum(), v.sum(), spread=spread_of(u, v), least=least)
        rows.append((name, group, int(v.sum()), int(u.sum()), *found))
    return rows


def counts_by_arm(counts: pd.Series, areas: pd.DataFrame) -> pd.DataFrame:
    """Counts by financial year in areas with the programme, without it, and in all; whole years alone.

    ``counts``  incidents on an index of (place, month).
    ``areas``   the programme's areas on place ids, with ``arm``; ``excluded`` ones count in neither column,
                and therefore not in ``all areas``.

    Empty where no whole financial year is held. A month without any row at all is a month that is not held.
    """
    import pandas as pd

    arms = areas["arm"].reindex(counts.index.get_level_values("place")).to_numpy()
    months = pd.PeriodIndex(counts.index.get_level_values("month").astype(str), freq="M")
    years = [financial_year(month.year, month.month) for month in months]
    frame = pd.DataFrame({"year": years, "month": months, "count": counts.to_numpy()})
    frame["arm"] = pd.Series(arms == "treated").map({True: WITH, False: WITHOUT})
    whole = frame.groupby("year")["month"].nunique() == MONTHS_IN_A_YEAR
    frame = frame[frame["year"].map(whole) & (arms != "excluded")]
    table = frame.pivot_table("count", "year", "arm", aggfunc="sum", fill_value=0, observed=True)
    table = table.reindex(columns=[WITH, WITHOUT], fill_value=0).astype("int64")
    table[ALL] = table.sum(axis=1)
    return table.rename_axis(index="financial year", columns=None)
