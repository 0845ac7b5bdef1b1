"""An area beside the areas most like it, and its place among all, now and a quarter ago."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from peelian.account.cards import MONTHS_IN_A_YEAR, THOUSAND

if TYPE_CHECKING:
    import pandas as pd

QUARTER = 3
RATE = "earlier rate"


def profile(places: pd.DataFrame, features: Sequence[str], earlier: pd.Series) -> pd.DataFrame:
    """What makes areas alike: each feature averaged over homes, and the earlier rate.

    ``places``  by place: ``area``, ``households`` and the features (numbers). ``earlier`` rate by area, of a
    year that is not compared.
    """
    import pandas as pd

    weights = places["households"].clip(lower=0)
    out = {
        name: (places[name] * weights).groupby(places["area"]).sum() / weights.groupby(places["area"]).sum()
        for name in features
    }
    return pd.DataFrame(out | {RATE: earlier})


def nearest(profiles: pd.DataFrame, number: int) -> dict[str, list[str]]:
    """For every area the most similar ones, nearest first: Euclidean distance of z-scores, ties by name.

    A feature that is the same everywhere plays no part; an area with a blank has no similar ones and is none.

    >>> import pandas as pd
    >>> nearest(pd.DataFrame({"x": [0.0, 1.0, 5.0]}, index=list("abc")), 1)
    {'a': ['b'], 'b': ['a'], 'c': ['b']}
    """
    import numpy as np

    held = profiles.dropna()
    spread = held.std(ddof=0)
    scores = ((held - held.mean()) / spread.where(spread > 0)).dropna(axis=1, how="all").to_numpy(float)
    names = [str(name) for name in held.index]
    out = {}
    for at, name in enumerate(names):
        away = np.sqrt(((scores - scores[at]) ** 2).sum(axis=1))
        order = sorted((i for i in range(len(names)) if i != at), key=lambda i: (away[i], names[i]))
        out[name] = [names[i] for i in order[:number]]
    return out


def beside_similar(
    counts: pd.Series,
    places: pd.DataFrame,
    features: Sequence[str],
    *,
    number: int,
    threshold: int = 1,
) -> pd.DataFrame:
    """Each area's rate of the last 12 months beside its most similar areas and all, and its rank.

    ``counts`` on (place, month); ``places`` by place with ``area``, ``name``, ``households`` and the
    features. The rate that makes areas alike is that of the 12 months before the last 24, so that neither
    year compared chooses its own yardstick. An area whose count lies between 0 and ``threshold`` is left out
    everywhere: the lowest of its neighbours would give it away.

    Columns ``area``, ``count`` (of the 12 months), ``rate`` per 1,000 homes, ``median``, ``lowest`` and
    ``highest`` of the similar areas, ``rank among similar`` (1 is the highest rate), ``of``, ``rank of all``,
    ``a quarter ago``, ``most similar`` (three names). Empty without 36 months.
    """
    import pandas as pd

    months = pd.PeriodIndex(counts.index.get_level_values("month").astype(str), freq="M")
    last, first = months.max(), months.min()
    if (last - first).n + 1 < QUARTER * MONTHS_IN_A_YEAR:
        return pd.DataFrame()
    area = places["area"].reindex(counts.index.get_level_values("place")).to_numpy()
    table = pd.DataFrame({"area": area, "month": months, "n": counts.to_numpy()}).dropna()
    homes = places.groupby("area")["households"].sum().astype(float)

    def rate(end: pd.Period) -> tuple[pd.Series, pd.Series]:
        inside = table[(table["month"] <= end) & (table["month"] > end - MONTHS_IN_A_YEAR)]
        number = inside.groupby("area")["n"].sum().reindex(homes.index, fill_value=0)
        return number, (THOUSAND * number / homes.where(homes > 0))

    number_now, now = rate(last)
    kept = (homes > 0) & ~((number_now > 0) & (number_now < threshold))
    homes = homes[kept]
    places = places[places["area"].isin(homes.index)]
    number_now, now = rate(last)
    before = rate(last - QUARTER)[1].rank(ascending=False, method="min")
    ranks = now.rank(ascending=False, method="min")
    alike = nearest(profile(places, features, rate(last - 2 * MONTHS_IN_A_YEAR)[1]), number)
    names = places.groupby("area")["name"].first()
    rows = []
    for name, others in alike.items():
        peers = now.reindex(others)
        rows.append((
            names[name], int(number_now[name]), now[name], peers.median(), peers.min(), peers.max(),
            int((peers > now[name]).sum()) + 1, len(peers) + 1, int(ranks[name]), int(before[name]),
            ", ".join(str(names[other]) for other in others[:QUARTER]),
        ))  # fmt: skip
    columns = ["area", "count", "rate", "median", "lowest", "highest", "rank among similar", "of",
               "rank of all", "a quarter ago", "most similar"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns).sort_values("rank of all", ignore_index=True)
