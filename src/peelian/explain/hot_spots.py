"""Hot spots: which places have more crime round them than chance, which of them last, which have changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from peelian.errors import DataError, DesignError

if TYPE_CHECKING:
    import pandas as pd
    from scipy import sparse

    from peelian.explain.gi import Adjust, Sides
    from peelian.incidents import Incidents
    from peelian.places import Places

Array = Any
Every = Literal["month", "quarter", "year"]
PATTERNS = ("persistent", "emerging", "former", "intermittent", "none", "mixed")


@dataclass(frozen=True, eq=False)
class HotSpots:
    """Places with more, or less, crime round them than chance.

    ``frame`` on the places' index: ``count``, ``gi`` (standard deviations), ``p_hot``, ``p_cold``
    (one-sided), ``q`` (adjusted), ``class`` (``hot 99 %`` ... ``cold 90 %``, ``none``). ``hot``, ``cold``:
    places at ``alpha``. ``p`` how p was found; ``isolated`` places without a neighbour; ``accounting``;
    ``include_self`` Gi* rather than Gi; ``rates`` by household rather than counts.
    """

    frame: pd.DataFrame
    alpha: float
    adjust: str
    p: str
    accounting: dict[str, int]
    isolated: int = 0
    warnings: tuple[str, ...] = ()
    crime: str = "crime"
    include_self: bool = True
    rates: bool = False

    @property
    def hot(self) -> pd.Index:
        """Places that are hot at ``alpha``."""
        at = (self.frame["q"] <= self.alpha) & (self.frame["p_hot"] <= self.frame["p_cold"])
        return self.frame.index[at]

    @property
    def cold(self) -> pd.Index:
        """Places that are cold at ``alpha``."""
        at = (self.frame["q"] <= self.alpha) & (self.frame["p_hot"] > self.frame["p_cold"])
        return self.frame.index[at]

    def __str__(self) -> str:
        from peelian.explain.hot_spots_report import sentence

        return sentence(self)


def hotspots(
    incidents: Incidents | pd.Series, places: Places, *, households: pd.Series | None = None,
    period: tuple[str, str] | None = None, alpha: float = 0.05, adjust: Adjust = "fdr",
    p: Literal["auto", "normal", "permutation"] = "auto", sides: Sides = "two",
    neighbours: sparse.csr_array | None = None, include_self: bool = True, seed: int, crime: str = "crime",
) -> HotSpots:  # fmt: skip
    """Which places have more crime in and round them than if the counts were dealt out at random (Gi*).

    ``incidents``  Incidents, or counts by place. ``households``  by place: empirical-Bayes rates in the place
    of counts. ``period``  first and last month, both included. ``adjust``  for asking about every place:
    ``fdr`` (Benjamini & Hochberg 1995), ``bonferroni`` or ``none``. ``p``  ``normal``; ``permutation`` (exact
    for whole counts, see ``chance_p``); ``auto``: permutation where places hold less than one incident on
    average, because the normal form is poor there. ``neighbours``  a 0/1 matrix on the order of the places;
    those that touch by default. ``include_self=False`` gives Gi.

    Raises ``DataError`` for counts that are negative or missing, ``DesignError`` where all counts are equal.
    Source: Getis & Ord (1992), Ord & Getis (1995), Caldas de Castro & Singer (2006).
    """
    import numpy as np
    import pandas as pd

    from peelian.explain import gi

    counts, accounting = counted(incidents, places, period)
    if counts.nunique() < 2:
        raise DesignError(f"Every place holds {counts.iloc[0]:g}: no place stands out.")
    near = places.neighbours() if neighbours is None else neighbours
    near = near.astype(float)
    values, by = counts.to_numpy(float), p
    if households is not None:
        values = gi.empirical_bayes(values, households.reindex(places.index).to_numpy(float))
    if by == "auto":
        by = "permutation" if counts.mean() < 1 else "normal"
    z = gi.g_star(values, _with_self(near) if include_self else near)
    if by == "normal":
        high, low = gi.normal_p(z)
    else:
        high, low = gi.chance_p(values, near, seed=seed)
    q, named = gi.classes(high, low, adjust=adjust, sides=sides)
    frame = pd.DataFrame(
        {"count": counts, "gi": z, "p_hot": high, "p_cold": low, "q": q, "class": named}, index=places.index
    )
    isolated = int((np.asarray(near.sum(axis=1)).ravel() == 0).sum())
    return HotSpots(
        frame, alpha, adjust, by, accounting, isolated, (), crime, include_self, households is not None
    )


def _with_self(near: sparse.csr_array) -> sparse.csr_array:
    from scipy import sparse

    return sparse.csr_array(near + sparse.eye_array(near.shape[0]))


def counted(
    incidents: Incidents | pd.Series, places: Places, period: tuple[str, str] | None = None,
    by: Literal["code", "point"] = "point",
) -> tuple[pd.Series, dict[str, int]]:  # fmt: skip
    """Counts by place, and the account of the rows; by the extract's own ``code`` or by the ``point``."""
    import pandas as pd

    if isinstance(incidents, pd.Series):
        counts = incidents.reindex(places.index)
        wrong = counts.isna() | (counts < 0)
        if wrong.any():
            first = list(counts.index[wrong][:3])
            raise DataError(f"Counts must be 0 or more for every place; not so for {first}.")
        return counts.rename("count"), {"rows read": int(counts.sum()), "used": int(counts.sum())}
    held = incidents
    if period is not None:
        held = incidents.between(pd.Period(period[0], "M"), pd.Period(period[1], "M") + 1)
    counts = held.counts(places, by=by)
    known = held.located if by == "point" else held.frame["place"].notna()
    located = int(known.sum())
    account = {
        "rows read": incidents.rows_read, "refused on reading": len(incidents.rejected),
        "outside the period": len(incidents) - len(held), f"without a {by}": len(held) - located,
        "outside the study area": located - int(counts.sum()), "used": int(counts.sum()),
    }  # fmt: skip
    return counts, account


# -------------------------------------------------------------------- change
@dataclass(frozen=True, eq=False)
class HotSpotChange:
    """Where crime became more or less frequent between two periods.

    ``frame`` on the places' index: ``before``, ``after``, ``difference`` (a month), ``ratio`` (of the rates
    a month; missing where there was none before), ``p`` (e-test), ``q`` (adjusted over places with any),
    ``class`` (``up``, ``down``, ``none``). ``months`` of each period; ``accounting`` every row.
    """

    frame: pd.DataFrame
    alpha: float
    months: tuple[int, int]
    accounting: dict[str, int]
    crime: str = "crime"

    def __str__(self) -> str:
        up, down = (int((self.frame["class"] == name).sum()) for name in ("up", "down"))
        return (
            f"{self.crime[:1].upper()}{self.crime[1:]} became more frequent in {up:,} and less frequent in "
            f"{down:,} of {len(self.frame):,} places (false discoveries at most {100 * self.alpha:g} %)."
        )


def hotspot_change(
    incidents: Incidents, places: Places, before: tuple[str, str], after: tuple[str, str], *,
    alpha: float = 0.05, crime: str = "crime",
) -> HotSpotChange:  # fmt: skip
    """Where crime became more or less frequent from one period to another.

    ``before``, ``after``  first and last month of each. Rates a month; p that two Poisson rates differ by as
    much (Krishnamoorthy & Thomson 2004), adjusted over the places with any incident.
    """
    import numpy as np
    import pandas as pd

    from peelian.arithmetic.comparison import e_test
    from peelian.explain.inference import false_discovery

    spans = [(pd.Period(a, "M"), pd.Period(b, "M")) for a, b in (before, after)]
    lengths = ((spans[0][1] - spans[0][0]).n + 1, (spans[1][1] - spans[1][0]).n + 1)
    if spans[0][0] <= spans[1][1] and spans[1][0] <= spans[0][1]:
        raise DesignError(
            f"The periods {before[0]}..{before[1]} and {after[0]}..{after[1]} share months: an incident "
            "would count in both."
        )
    (one, account), (two, other) = (counted(incidents, places, span) for span in (before, after))
    first, second = one.to_numpy(), two.to_numpy()
    accounting = {name: account[name] + other[name] for name in ("without a point", "outside the study area")}
    accounting |= {"used before": account["used"], "used after": other["used"]}
    held = {name: account[name] for name in ("rows read", "refused on reading")}
    apart = held["rows read"] - held["refused on reading"] - sum(accounting.values())
    accounting = held | {"outside both periods": apart} | accounting
    pairs, back = np.unique(np.column_stack([first, second]), axis=0, return_inverse=True)
    chance = np.array([e_test(a, b, *lengths) if a + b else np.nan for a, b in pairs])[back.ravel()]
    any_ = first + second > 0
    q = np.full(len(first), np.nan)
    q[any_] = false_discovery(chance[any_])
    rate = first / lengths[0], second / lengths[1]
    marked = q <= alpha
    named = np.where(marked & (rate[1] > rate[0]), "up", np.where(marked, "down", "none"))
    ratio = np.divide(rate[1], rate[0], out=np.full(len(first), np.nan), where=first > 0)
    frame = pd.DataFrame(
        {"before": first, "after": second, "difference": rate[1] - rate[0], "ratio": ratio, "p": chance,
         "q": q, "class": named}, index=places.index,
    )  # fmt: skip
    return HotSpotChange(frame, alpha, lengths, accounting, crime)


# -------------------------------------------------------------------- patterns over time
@dataclass(frozen=True, eq=False)
class Patterns:
    """Which hot spots last: ``frame`` on the places' index: ``share_hot``, ``share_cold`` of the periods,
    ``recent_hot``, ``earlier_hot``, ``pattern``. ``periods`` used and those left out because empty;
    ``accounting`` every row."""

    frame: pd.DataFrame
    periods: tuple[str, ...]
    empty: tuple[str, ...]
    recent: int
    accounting: dict[str, int]
    crime: str = "crime"

    def __str__(self) -> str:
        from peelian.explain.hot_spots_report import patterns_sentence

        return patterns_sentence(self)


def hotspot_classify(
    incidents: Incidents, places: Places, *, period: Every = "quarter", hotspot: float = 0.1,
    persistent: float = 0.8, recent: float = 0.2, critical_p: float = 0.05, adjust: Adjust = "fdr",
    households: pd.Series | None = None, include_self: bool = True, seed: int, crime: str = "crime",
) -> Patterns:  # fmt: skip
    """Which hot spots persist, emerge, fade or come and go, over three or more periods.

    Gi* in each period; a period counts where the adjusted p is at most ``critical_p``. ``persistent``: in at
    least that share of the periods; else ``emerging``: in at least ``hotspot`` of the last ``recent`` share
    of periods and in less of those before; ``former`` the reverse; ``intermittent``: in at least ``hotspot``
    of all; ``mixed`` where a place has a pattern both hot and cold. ``households``, ``include_self``  as in
    ``hotspots``. Raises ``DesignError`` below three periods.
    """
    import numpy as np
    import pandas as pd

    step = {"month": "M", "quarter": "Q", "year": "Y"}[period]
    held = incidents.frame.assign(_place=incidents.place_of(places), _at=incidents.months)
    held = held[held["_place"].notna()]
    whole = _whole_periods(incidents, step)
    tables = {p: held.loc[held["_at"].dt.asfreq(step) == p, "_place"].value_counts() for p in whole}
    empty = tuple(str(p) for p in whole if tables[p].empty)
    used = [p for p in whole if not tables[p].empty]
    if len(used) < 3:
        raise DesignError(
            f"{len(used)} whole {period}s with incidents: patterns over time need three or more. Use shorter "
            "periods or a longer extract."
        )
    hot, cold = np.zeros((2, len(places), len(used)), bool)
    near = places.neighbours()
    for k, p in enumerate(used):
        counts = tables[p].reindex(places.index, fill_value=0)
        if counts.nunique() > 1:
            found = hotspots(
                counts, places, neighbours=near, adjust=adjust, households=households,
                include_self=include_self, seed=seed,
            )  # fmt: skip
            marked = (found.frame["q"] <= critical_p).to_numpy()
            up = (found.frame["p_hot"] <= found.frame["p_cold"]).to_numpy()
            hot[:, k], cold[:, k] = marked & up, marked & ~up
    last = max(round(recent * len(used)), 1)
    limits = (hotspot, persistent, last)
    frame = pd.DataFrame(
        {"share_hot": hot.mean(axis=1), "share_cold": cold.mean(axis=1),
         "recent_hot": hot[:, -last:].mean(axis=1), "earlier_hot": hot[:, :-last].mean(axis=1),
         "pattern": _joined(pattern(hot, *limits), pattern(cold, *limits))}, index=places.index,
    )  # fmt: skip
    counted_in = sum(len(held[held["_at"].dt.asfreq(step) == p]) for p in used)
    located = int(incidents.located.sum())
    account = {
        "rows read": incidents.rows_read, "refused on reading": len(incidents.rejected),
        "without a point": len(incidents) - located, "outside the study area": located - len(held),
        f"in a {period} that is not whole": len(held) - counted_in, "used": counted_in,
    }  # fmt: skip
    return Patterns(frame, tuple(map(str, used)), empty, last, account, crime)


def _whole_periods(incidents: Incidents, step: str) -> list[Any]:
    """Periods that lie wholly within the months of the incidents."""
    import pandas as pd

    first, last = incidents.span
    every = pd.period_range(first.asfreq(step), last.asfreq(step), freq=step)
    return [p for p in every if p.asfreq("M", "start") >= first and p.asfreq("M", "end") <= last]


def pattern(marked: Array, hotspot: float, persistent: float, last: int) -> Array:
    """The pattern of each place from marks by period (places x periods), the last ``last`` of them recent.

    >>> import numpy as np
    >>> marks = np.array([[1, 1, 1, 1], [0, 0, 0, 1], [1, 0, 0, 0], [1, 0, 0, 1], [0, 0, 0, 0]]) > 0
    >>> pattern(marks, 0.1, 0.8, 1).tolist()
    ['persistent', 'emerging', 'former', 'intermittent', 'none']
    """
    import numpy as np

    share = marked.mean(axis=1)
    recent, earlier = marked[:, -last:].mean(axis=1), marked[:, :-last].mean(axis=1)
    return np.select(
        [share >= persistent, (recent >= hotspot) & (earlier < hotspot),
         (earlier >= hotspot) & (recent < hotspot), share >= hotspot],
        PATTERNS[:4], "none",
    )  # fmt: skip


def _joined(hot: Array, cold: Array) -> Array:
    import numpy as np

    named = np.where(cold == "none", hot, np.char.add(cold, " cold"))
    return np.where((hot != "none") & (cold != "none"), "mixed", named)
