"""Peers of the evaluation: difference in differences, interrupted series, synthetic areas."""

from __future__ import annotations

from typing import Any

from benchmarks import evaluate as own
from benchmarks.peers import rscript
from benchmarks.peers.stand import Comparison, Job, Side, imported, ours, python, same, timed, version

DRAWS = 999


# -------------------------------------------------------------------- difference in differences
def _pyfixest() -> tuple[Side, Any]:
    """One fit of 600,000 rows, and the study it was made of."""
    import numpy as np
    import pandas as pd

    from peelian.evaluate.windows import TREATED

    pyfixest = imported("pyfixest")
    laid = own.city(5_000, 120)
    areas, months = laid.counts.shape
    month = np.tile(np.arange(months), areas)
    treated = np.repeat(laid.group == TREATED, months) & (month >= laid.stacks[0].start)
    frame = pd.DataFrame(
        {"y": laid.counts.ravel(), "treated": treated.astype(float),
         "area": np.repeat(np.arange(areas), months), "month": month}
    )  # fmt: skip
    pyfixest.fepois("y ~ treated | area + month", frame.iloc[: 600 * months], vcov={"CRV1": "area"})
    side = timed(lambda: pyfixest.fepois("y ~ treated | area + month", frame, vcov={"CRV1": "area"}))
    return side, laid


def _did() -> Comparison:
    theirs, laid = _pyfixest()
    mine = ours(lambda: own.compared(laid))
    checks = [
        same("log ratio", mine.value.one().theta, theirs.value.coef().iloc[0], 1e-5),
        same(
            "its error (jackknife, clustered)",
            mine.value.one().se,
            theirs.value.se().iloc[0],
            0.03,
            relative=True,
        ),
    ]
    note = "sums by area here, regression on 600,000 rows there"
    return Comparison(mine.seconds, theirs.seconds, version("pyfixest"), checks, note)


def _permuted() -> Comparison:
    from peelian.evaluate.ratios import permutation

    theirs, laid = _pyfixest()
    start, months = laid.stacks[0].start, len(laid.months)
    mine = ours(lambda: permutation(laid, [[(start, months)]], before=[(0, start)], draws=DRAWS, seed=1))
    checks = [same("log ratio", mine.value.observed[0], theirs.value.coef().iloc[0], 1e-5)]
    note = f"the peer's one fit took {theirs.seconds:.2g} s; {DRAWS} fits at that rate"
    return Comparison(mine.seconds, theirs.seconds * DRAWS, version("pyfixest"), checks, note)


DID = (Job("Poisson difference in differences, 600,000 counts", "pyfixest fepois", _did, python("pyfixest")),)
DID_PERMUTATION = (Job("999 permutations of it", "pyfixest fepois", _permuted, python("pyfixest")),)


# -------------------------------------------------------------------- interrupted series
def _its() -> Comparison:
    import numpy as np

    from peelian.evaluate.its import its

    counts, start = own.series()
    mine = ours(lambda: [its(counts, start) for _ in range(20)][-1])
    months = counts.index
    t = np.arange(len(months))
    at = int(months.get_loc(start))
    after = (t >= at).astype(float)
    angle = 2 * np.pi * months.month.to_numpy() / 12
    waves = [f(k * angle) for k in (1, 2) for f in (np.sin, np.cos)]
    design = np.column_stack([np.ones(len(t)), t / 12, after, (t - at) / 12 * after, *waves])
    theirs = rscript.run(
        "its", design=design, y=counts.to_numpy(float), days=months.days_in_month.to_numpy(float), lags=12,
        times=20,
    )  # fmt: skip
    checks = [
        same("coefficients", mine.value.beta, theirs.values["coefficients"], 1e-6),
        same("errors", mine.value.se, theirs.values["errors"], 1e-6),
    ]
    return Comparison(mine.seconds / 20, theirs.seconds / 20, theirs.version, checks, "20 times each")


ITS = (Job("interrupted series of 120 months", "R glm, sandwich NeweyWest", _its, rscript.program),)


# -------------------------------------------------------------------- synthetic areas
def _calibrated() -> Comparison:
    import numpy as np

    from peelian.evaluate.synthetic import balance_weights

    constraints, treated, _ = own.seattle()
    mine = ours(lambda: balance_weights(constraints, treated))
    pool = constraints[~treated]
    theirs = rscript.run(
        "calibrate", pool=pool, total=constraints[treated].sum(axis=0),
        start=np.full(len(pool), treated.sum() / len(pool)),
    )  # fmt: skip
    checks = [same("weights", mine.value.values[~treated], theirs.values["weights"], 0.01, relative=True)]
    return Comparison(
        mine.seconds, theirs.seconds, theirs.version, checks, "truncated linear calibration on both sides"
    )


MICROSYNTH = (
    Job("weights of 9,603 blocks on 58 totals", "R survey calibrate", _calibrated, rscript.program),
)
