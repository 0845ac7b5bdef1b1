"""How long disclosure control takes."""

from __future__ import annotations

from benchmarks.measure import function


def disclosure(runs: int) -> dict[str, object]:
    """5,000 areas x 12 months x 10 types of crime with totals, by ``protect_counts``."""
    import numpy as np
    import pandas as pd

    from peelian.account.large import protect_counts

    rng = np.random.default_rng(1829)
    areas, months, kinds = 5_000, pd.period_range("2018-04", periods=12, freq="M").astype(str), range(10)
    index = pd.MultiIndex.from_product(
        [[f"E{i:08d}" for i in range(areas)], months, [f"type {k}" for k in kinds]],
        names=["place", "month", "kind"],
    )
    rate = rng.gamma(4.0, 2.0, areas).repeat(len(months) * len(kinds))
    counts = pd.Series(rng.poisson(rate), index=index)
    return {"n": len(counts)} | function(lambda: protect_counts(counts, threshold=5), runs=runs)
