"""Saturation in whole numbers: how many homes of an area or street have a kit, and since when the line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peelian.errors import DataError, some
from peelian.programme import check_saturation, kits_needed

if TYPE_CHECKING:
    import pandas as pd

RECENT = 3  # months that the forecast's rate rests on
DAYS = 30.436875  # mean length of a month


def saturation(deliveries: pd.DataFrame, households: pd.Series, months: pd.PeriodIndex) -> pd.DataFrame:
    """Kits by place and month, added up, and the share of homes that have one.

    ``deliveries``  ``place``, ``month``, ``kits``; several rows a month are added.
    ``households``  homes by place: which places are reported, those of no delivery included.
    ``months``      first to last; deliveries outside them raise ``DataError``.

    Returns one row a place and month: ``place``, ``month``, ``kits``, ``delivered`` (added up to the end of
    the month), ``households``, ``saturation`` (delivered over households; above 1 where more kits than homes
    are recorded, never clipped; missing where a place has no homes).

    >>> import pandas as pd
    >>> given = pd.DataFrame({"place": ["a", "a"], "month": pd.PeriodIndex(["2016-01", "2016-03"], freq="M"),
    ...     "kits": [30, 21]})
    >>> months = pd.period_range("2016-01", "2016-03", freq="M")
    >>> saturation(given, pd.Series({"a": 60}), months)["delivered"].tolist()
    [30, 30, 51]
    """
    import pandas as pd

    every = pd.period_range(months.min(), months.max(), freq="M", name="month")
    outside = deliveries[~deliveries["month"].isin(every)]
    if len(outside):
        raise DataError(
            f"{len(outside)} deliveries lie outside {every[0]} to {every[-1]}, first "
            f"{outside['month'].min()}."
        )
    strange = sorted(set(deliveries["place"]) - set(households.index))
    if strange:
        raise DataError(f"Deliveries name {len(strange)} places without households: {some(strange)}.")
    full = pd.MultiIndex.from_product([households.index.sort_values(), every], names=["place", "month"])
    kits = deliveries.groupby(["place", "month"])["kits"].sum().reindex(full, fill_value=0).astype("int64")
    frame = kits.rename("kits").reset_index()
    frame["delivered"] = frame.groupby("place")["kits"].cumsum()
    frame["households"] = households.reindex(frame["place"]).to_numpy().astype("int64")
    frame["saturation"] = frame["delivered"] / frame["households"].where(frame["households"] > 0)
    return frame


def needed(households: pd.Series, threshold: float) -> pd.Series:
    """Kits that bring each place to the line, in whole numbers.

    >>> import pandas as pd
    >>> needed(pd.Series({"a": 549}), 0.85).to_dict()
    {'a': 467}
    """
    check_saturation(threshold)
    return households.map(lambda homes: kits_needed(int(homes), threshold)).astype("int64").rename("needed")


def treated_from(saturations: pd.DataFrame, *, threshold: float = 0.85) -> pd.Series:
    """The month in which each place reached the line; missing where it never did.

    ``saturations`` as ``saturation`` returns them. The line is reached when delivered kits are at least the
    needed ones: whole numbers are compared, never rounded shares.
    """
    import pandas as pd

    homes = saturations.groupby("place")["households"].first()
    line = needed(homes, threshold).reindex(saturations["place"]).to_numpy()
    there = saturations[(saturations["delivered"] >= line) & (saturations["households"] > 0)]
    first = there.groupby("place")["month"].min().reindex(homes.index)
    return pd.Series(pd.PeriodIndex(first, freq="M"), homes.index, name="treated_from")


def streets(deliveries: pd.DataFrame, *, threshold: float = 0.85) -> pd.DataFrame:
    """Kits and saturation by street, of the rows that name one.

    Returns one row a street of a place: ``place``, ``street``, ``dwellings`` (missing where none is given
    or rows disagree), ``delivered``, ``needed``, ``saturation``, ``reached`` (month of the line; blank
    where not reached or not known), ``fault`` in words.
    """
    import numpy as np

    named = deliveries[deliveries["street"] != ""]
    keys = ["place", "street"]
    homes = named.groupby(keys)["dwellings"].agg(["nunique", "first"])
    known = (homes["nunique"] == 1) & (homes["first"].fillna(0) > 0)
    frame = named.groupby(keys)["kits"].sum().rename("delivered").to_frame()
    frame.insert(0, "dwellings", homes["first"].where(known).astype("Int64"))
    frame["needed"] = needed(frame["dwellings"].dropna(), threshold).reindex(frame.index).astype("Int64")
    frame["saturation"] = (
        (frame["delivered"] / frame["dwellings"]).astype("Float64").to_numpy("float64", na_value=np.nan)
    )
    running = named.groupby([*keys, "month"])["kits"].sum().groupby(level=keys).cumsum().reset_index()
    line = frame["needed"].reindex(running.set_index(keys).index).fillna(running["kits"].max() + 1)
    there = running[running["kits"].to_numpy() >= line.to_numpy("int64")]
    frame["reached"] = months_as_text(there.groupby(keys)["month"].min().reindex(frame.index))
    several = (homes["nunique"] > 1).to_numpy()
    over = (frame["delivered"] > frame["dwellings"]).fillna(False).to_numpy(bool)
    frame["fault"] = np.select(
        [several, ~known.to_numpy(), over],
        ["rows give different dwellings", "no dwellings given", "more kits than dwellings"], "",
    )  # fmt: skip
    return frame.reset_index()


def months_as_text(months: pd.Series) -> list[str]:
    """Months as ISO text, blank where missing.

    >>> import pandas as pd
    >>> months_as_text(pd.Series(pd.PeriodIndex(["2016-01", None], freq="M")))
    ['2016-01', '']
    """
    return ["" if month != month or month is None else str(month) for month in months]


def faults(saturations: pd.DataFrame) -> pd.DataFrame:
    """Places where more kits than homes are recorded, with both numbers: a fault, never clipped."""
    last = saturations.groupby("place").last()
    wrong = last[last["delivered"] > last["households"]]
    return wrong[["delivered", "households"]].reset_index()


def forecast(
    saturations: pd.DataFrame, at: pd.Period, *, threshold: float = 0.85, recent: int = RECENT
) -> pd.DataFrame:
    """When each place that is short would reach the line at the pace of its last months.

    ``at``      the month after which is forecast; the pace is kits a month over the ``recent`` months to it.

    Returns one row a place below the line: ``place``, ``delivered``, ``needed``, ``short``, ``pace``,
    ``pace_low``, ``pace_high`` (95 % Poisson interval, Garwood 1936), ``day``, ``earliest``, ``latest``
    (dates; missing where the pace is 0). Assumes that the pace goes on.
    """
    import pandas as pd

    until = saturations[saturations["month"] <= at]
    window = until[until["month"] > at - recent]
    state = until.groupby("place")[["delivered", "households"]].last()
    line = needed(state["households"], threshold)
    lately = window.groupby("place")["kits"].sum().reindex(state.index, fill_value=0)
    rows = []
    for place in state.index[(state["delivered"] < line) & (state["households"] > 0)]:
        short = int(line[place] - state.loc[place, "delivered"])
        low, high = poisson_interval(int(lately[place]))
        pace = [kits / recent for kits in (int(lately[place]), low, high)]
        day, latest, earliest = (_day(at, short, one) for one in pace)
        rows.append(
            (place, int(state.loc[place, "delivered"]), int(line[place]), short, *pace, day, earliest, latest)
        )
    names = ["place", "delivered", "needed", "short", "pace", "pace_low", "pace_high"]
    return pd.DataFrame(rows, columns=[*names, "day", "earliest", "latest"])


def poisson_interval(count: int) -> tuple[float, float]:
    """95 % interval of a Poisson mean from one count (Garwood 1936).

    >>> [round(limit, 3) for limit in poisson_interval(10)]
    [4.795, 18.39]
    """
    from scipy.stats import chi2

    low = float(chi2.ppf(0.025, 2 * count) / 2) if count else 0.0
    return low, float(chi2.ppf(0.975, 2 * count + 2) / 2)


def _day(at: pd.Period, short: int, pace: float) -> str:
    """The day on which so many kits are given, ISO, or blank where never or beyond a century."""
    import pandas as pd

    if not pace or short / pace > 1200:
        return ""
    return str((at.end_time.normalize() + pd.Timedelta(days=short / pace * DAYS)).date())
