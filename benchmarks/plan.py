"""The plan stage on London or at London's size: ``power``, ``allocate``, ``rounds``."""

from __future__ import annotations

from benchmarks import measure


def power(runs: int) -> dict[str, object]:
    """2,000 re-randomisations of 5,000 areas by 24 months of drawn counts, with five planted effects."""
    import numpy as np
    import pandas as pd

    from peelian.plan import power as rehearse

    rng = np.random.default_rng(1)
    months = pd.period_range("2018-01", "2019-12", freq="M", name="month")
    ids = pd.Index([f"p{n:04d}" for n in range(5000)], name="place")
    rate = rng.gamma(2.0, 0.7, (5000, 1))
    counts = pd.DataFrame(rng.poisson(rate, (5000, 24)), ids, months).stack()
    return {"n": 5000, **measure.function(lambda: rehearse(counts, 500, draws=2000, seed=1), runs=runs)}
