"""Under-reporting: how far would the choice of places move if fewer crimes were reported, here or there?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from peelian.errors import DesignError, some

if TYPE_CHECKING:
    import pandas as pd

MISSED = (0.05, 0.1, 0.2, 0.3, 0.5)
FEWER = (0.1, 0.2, 0.3)


def under_reporting(
    counts: pd.Series, *, chosen: int, deprived: pd.Series | None = None, draws: int = 200, seed: int
) -> pd.DataFrame:
    """How many of the chosen places change when some of the crime behind the counts goes unrecorded.

    ``counts``    recorded incidents by place; ``chosen`` how many places ranked highest are acted on.
    ``deprived``  True for the places where people report less (the most deprived third, say).

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
        if deprived is not None:
            row |= {
                "share_deprived": (tops & marked).sum() / (draws * chosen),
                "share_deprived_before": (before & marked).sum() / chosen,
            }
        rows.append(row)
    return pd.DataFrame(rows)


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
        return f"No difference in reporting up to 30 points moves {share:.0%} of the {chosen} chosen places."
    row = moved.sort_values("fewer").iloc[0]
    return (
        f"If people in the marked places reported {row['fewer'] * 100:.0f} points less of what happens, "
        f"{row['changed']:.0f} of the {chosen} chosen places would be others (90 % of draws: "
        f"{row['low']:.0f} to {row['high']:.0f}), and {row['share_deprived']:.0%} of the chosen, not "
        f"{row['share_deprived_before']:.0%}, would lie there."
    )


def _top(counts: np.ndarray, chosen: int) -> np.ndarray:
    """True for the places with most; ties by their order on the index."""
    out = np.zeros(len(counts), bool)
    out[np.argsort(-counts, kind="stable")[:chosen]] = True
    return out
