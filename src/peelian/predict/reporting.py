"""Under-reporting: how far would the choice of places move if fewer crimes were reported, here or there?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peelian.errors import DesignError, some

if TYPE_CHECKING:
    import pandas as pd

MISSED = (0.05, 0.1, 0.2, 0.3, 0.5)
FEWER = (0.1, 0.2, 0.3)
MOST = 60  # points of reporting


def under_reporting(
    counts: pd.Series,
    *,
    chosen: int,
    deprived: pd.Series | None = None,
    outcome: pd.Series | None = None,
    draws: int = 200,
    seed: int,
) -> pd.DataFrame:
    """How many of the chosen places change when some of the crime behind the counts goes unrecorded.

    ``counts``    recorded incidents by place; ``chosen`` how many places ranked highest are acted on.
    ``deprived``  True for the places where people report less (the most deprived third, say).
    ``outcome``   what was recorded afterwards by place: gives ``hit_rate``, the share of it in the choice.

    Each recorded incident is dropped at random: 5 to 50 % everywhere, and, where ``deprived`` is given, 10
    to 30 points more there than elsewhere. A row a case: ``missed`` everywhere, ``fewer`` among the deprived,
    mean ``changed`` places of the chosen with their 5th and 95th percentile over ``draws``, mean ``jaccard``
    with the choice on the counts as recorded, and the ``share_deprived`` of the chosen (as recorded:
    ``share_deprived_before``). Under-reporting alone misplaces hot spots: Akpinar, De-Arteaga & Chouldechova
    (2021).
    """
    import pandas as pd

    if not 0 < chosen < len(counts):
        raise DesignError(f"chosen lies between 0 and the {len(counts)} places; got {chosen}.")
    if deprived is not None and len(counts.index.difference(deprived.index)):
        raise DesignError(
            f"deprived lacks places: {some(counts.index.difference(deprived.index))}. It must name each."
        )
    counts = counts.sort_index()
    recorded = counts.to_numpy(int)
    marked = np.zeros(len(recorded), bool)
    cases = [(missed, 0.0) for missed in MISSED]
    if deprived is not None:
        marked = deprived.reindex(counts.index).to_numpy(bool)
        cases += [(missed, fewer) for missed in (0.0, *MISSED) for fewer in FEWER if missed + fewer < 1]
    before = _top(recorded, chosen)
    rng = np.random.default_rng(seed)
    rows = []
    for missed, fewer in cases:
        kept = np.where(marked, 1 - missed - fewer, 1 - missed)
        tops = np.array([_top(rng.binomial(recorded, kept), chosen) for _ in range(draws)])
        changed = chosen - (tops & before).sum(axis=1)
        low, high = np.quantile(changed, [0.05, 0.95])
        row = {
            "missed": missed, "fewer": fewer, "changed": changed.mean(), "low": low, "high": high,
            "jaccard": ((chosen - changed) / (chosen + changed)).mean(),
        }  # fmt: skip
        if outcome is not None:
            held = outcome.reindex(counts.index).to_numpy(float)
            row["hit_rate"] = float((tops @ held).mean() / held.sum()) if held.sum() else float("nan")
        if deprived is not None:
            row |= {
                "share_deprived": (tops & marked).sum() / (draws * chosen),
                "share_deprived_before": (before & marked).sum() / chosen,
            }
        rows.append(row)
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class Smallest:
    """The smallest gap in reporting that moves a share of the chosen homes: ``points``, or None up to 60.

    ``moved``  share of the chosen homes that lie in other places then, mean of the draws, ``low`` and
    ``high`` its 5th and 95th percentile; of 60 points where ``points`` is None. ``share`` what was asked.
    """

    points: int | None
    moved: float
    low: float
    high: float
    share: float

    def __str__(self) -> str:
        moved, low, high = (f"{part * 100:.0f} %" for part in (self.moved, self.low, self.high))
        range_ = f"(mean of the draws {moved}; 90 % of them {low} to {high})"
        if self.points is None:
            return (
                f"Not even 60 points less reporting among the most deprived moves {self.share * 100:.0f} % "
                f"of the chosen homes {range_}."
            )
        return (
            f"If people in the most deprived places reported {self.points} points less of what happens to "
            f"them, {self.share * 100:.0f} % of the chosen homes would lie in other places {range_}: the "
            "smallest gap that does so."
        )


def smallest_difference(
    counts: pd.Series,
    *,
    chosen: int,
    deprived: pd.Series,
    households: pd.Series,
    share: float = 0.1,
    draws: int = 200,
    seed: int,
) -> Smallest:
    """How far apart may reporting lie before ``share`` of the chosen homes are others? To one point.

    What people reported less of is added back: a place marked ``deprived`` gets its unrecorded crimes, a
    negative binomial number around its records, and places are ranked again. The gap is found by halving,
    with the same seed for every gap.
    """
    counts = counts.sort_index()
    recorded = counts.to_numpy(int)
    marked, homes = (part.reindex(counts.index).to_numpy() for part in (deprived, households))
    marked, homes = marked.astype(bool), homes.astype(float)
    before = _top(recorded, chosen)

    def moved(points: int) -> tuple[float, float, float]:
        rng = np.random.default_rng(seed)
        lost = np.where(marked & (recorded > 0), recorded, 0)
        shares = []
        for _ in range(draws):
            more = np.zeros(len(recorded), np.int64)
            more[lost > 0] = rng.negative_binomial(lost[lost > 0], 1 - points / 100)
            kept = before & _top(recorded + more, chosen)
            shares.append(1 - homes[kept].sum() / homes[before].sum())
        low, high = np.quantile(shares, [0.05, 0.95])
        return float(np.mean(shares)), float(low), float(high)

    low, high = 0, MOST
    found = moved(MOST)
    if found[0] < share:
        return Smallest(None, *found, share)
    while high - low > 1:
        middle = (low + high) // 2
        if moved(middle)[0] >= share:
            high = middle
        else:
            low = middle
    return Smallest(high, *moved(high), share)


def corrected_choice(counts: pd.Series, reported: pd.Series, *, chosen: int) -> int:
    """How many of the chosen places are others once counts are divided by the share that is reported there.

    ``reported``  by place, above 0 and at most 1, as a crime survey gives it for the kind of place.
    """
    rate = reported.reindex(counts.index)
    wrong = rate.isna() | (rate <= 0) | (rate > 1)
    if wrong.any():
        raise DesignError(
            f"The share reported must lie above 0 and at most 1; it does not in {some(counts.index[wrong])}."
        )
    counts = counts.sort_index()
    plain = _top(counts.to_numpy(float), chosen)
    raised = _top((counts / rate).sort_index().to_numpy(float), chosen)
    return int(chosen - (plain & raised).sum())


def under_reporting_sentence(table: pd.DataFrame, *, chosen: int, share: float = 0.1) -> str:
    """The smallest difference in reporting that moves a tenth of the chosen places, in words."""
    moved = table[(table["fewer"] > 0) & (table["missed"] == 0) & (table["changed"] >= share * chosen)]
    if not (table["fewer"] > 0).any():
        row = table[table["missed"] == 0.2].iloc[0]
        return (
            f"If a fifth of the recorded crimes had not been reported, anywhere alike, "
            f"{row['changed']:.0f} of the {chosen} chosen places would be others (90 % of draws: "
            f"{row['low']:.0f} to {row['high']:.0f})."
        )
    if moved.empty:
        part = f"{share * 100:.0f} %"
        return f"No difference in reporting up to 30 points moves {part} of the {chosen} chosen places."
    row = moved.sort_values("fewer").iloc[0]
    return (
        f"If people in the marked places reported {row['fewer'] * 100:.0f} points less of what happens, "
        f"{row['changed']:.0f} of the {chosen} chosen places would be others (90 % of draws: "
        f"{row['low']:.0f} to {row['high']:.0f}), and {row['share_deprived'] * 100:.0f} % of the chosen, not "
        f"{row['share_deprived_before'] * 100:.0f} %, would lie there."
    )


def _top(counts: np.ndarray, chosen: int) -> np.ndarray:
    """True for the places with most; ties by their order on the index."""
    out = np.zeros(len(counts), bool)
    out[np.argsort(-counts, kind="stable")[:chosen]] = True
    return out
