"""Peers of the forecasts: endemic-epidemic counts and a self-exciting process with covariates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.peers import rscript
from benchmarks.peers.stand import Absent, Comparison, Job, ours, same

Array = Any
SHARED = Path(__file__).resolve().parents[2].parent / "shared"
LAST_MONTH = 84  # of 96: as in the reference
REACH, DAYS, LAST_DAY = 200, 30, 2557.0


def _held(*parts: str) -> Path:
    path = SHARED.joinpath(*parts)
    if not path.exists():
        raise Absent(f"{'/'.join(parts)} is not beside this checkout.")
    return path


# -------------------------------------------------------------------- endemic-epidemic
def _hhh4() -> Comparison:
    import numpy as np

    from peelian.predict.negbin import fit

    counts, touching, share = msoas()
    model = one_lag(counts, touching, share, np.arange(1, LAST_MONTH))
    mine = ours(lambda: fit(model))
    theirs = rscript.run("hhh4", counts=counts.T, touching=touching, share=share, last=LAST_MONTH)
    checks = [same("log likelihood", mine.value.log_likelihood, theirs.values["likelihood"], 0.05)]
    return Comparison(mine.seconds, theirs.seconds, theirs.version, checks)


def one_lag(counts: Array, touching: Array, share: Array, months: Array) -> Any:
    """Last month's count, the neighbours' mean of it, and households with a trend and a season."""
    import numpy as np

    from peelian.predict.negbin import Parts

    near = (touching / touching.sum(axis=1, keepdims=True)).T @ counts
    year = 2 * np.pi * months / 12
    always = np.broadcast_to(share[:, None], (len(share), len(months)))
    return Parts(
        np.stack([counts[:, months - 1], near[:, months - 1], always]), np.array([False, False, True]),
        np.column_stack([months / 12, np.sin(year), np.cos(year)]), counts[:, months],
    )  # fmt: skip


def msoas() -> tuple[Array, Array, Array]:
    """983 areas of London: burglaries by month, who touches whom, households as shares."""
    import numpy as np
    import pandas as pd

    folder = _held("reference", "predict", "msoa_month_counts.csv.gz").parent
    counts = pd.read_csv(folder / "msoa_month_counts.csv.gz", index_col=0)
    pairs = pd.read_csv(folder / "msoa_adjacency.csv.gz")
    households = pd.read_csv(folder / "msoa_households.csv", index_col=0).iloc[:, 0].reindex(counts.index)
    touching = np.zeros((len(counts), len(counts)))
    left, right = (counts.index.get_indexer(pairs[side]) for side in ("a", "b"))
    touching[left, right] = touching[right, left] = 1
    return counts.to_numpy(float), touching, (households / households.sum()).to_numpy()


ENDEMIC = (
    Job("983 areas x 83 months, negative binomial, one lag", "R surveillance hhh4", _hhh4, rscript.program),
)


# -------------------------------------------------------------------- self-exciting, with covariates
def _twinstim() -> Comparison:
    import numpy as np

    from peelian.predict.marked import fit_marked

    process = imdepi()
    background, marks = np.array([-20.0, -0.05, 0.2, 0.2]), np.array([-12.0, 0.0, 0.0, 0.0])
    mine = ours(lambda: fit_marked(process, start=(background, marks, 3.0)))
    theirs = rscript.run("twinstim", start=np.concatenate([background, marks, [3.0]]))
    found = mine.value
    values = np.concatenate([found.background, found.marks, [found.log_sigma]])
    checks = [
        same("log likelihood", found.likelihood.value, theirs.values["likelihood"], 0.05),
        same("coefficients", values, theirs.values["coefficients"], 0.02),
    ]
    return Comparison(mine.seconds, theirs.seconds, theirs.version, checks, "from the same first values")


def imdepi() -> Any:
    """636 cases of meningococcal disease in Germany: the example that the R package brings, as arrays.

    The background is trend and season by population density; type and age group go with triggering, within
    200 km and 30 days.
    """
    import numpy as np
    import pandas as pd

    from peelian.predict.marked import Process

    folder = _held("reference", "predict", "imdepi_events.csv").parent
    grid = pd.read_csv(_held("data", "world", "imdepi_events", "imdepi_stgrid.csv.gz"))
    events = pd.read_csv(folder / "imdepi_events.csv", dtype={"tile": str})
    regions = pd.read_csv(folder / "imdepi_influence_regions.csv.gz")["region"]
    kept = events["agegrp"].notna().to_numpy()
    events, regions = events[kept].reset_index(drop=True), regions[kept]
    time, kind = events["time"].to_numpy(), events["type"].to_numpy()
    at = events[["x", "y"]].to_numpy()
    square = ((at[:, None] - at) ** 2).sum(axis=2)
    gap = time[:, None] - time
    child, parent = np.nonzero((gap > 0) & (gap <= DAYS) & (square <= REACH**2) & (kind[:, None] == kind))
    old = [events["agegrp"] == group for group in ("[3,19)", "[19,Inf)")]
    return Process(
        _seasons(events["start"]), np.log(events["popdensity"].to_numpy()), _seasons(grid["start"]),
        np.log(grid["popdensity"].to_numpy()), 2 * (grid["area"] * (grid["stop"] - grid["start"])).to_numpy(),
        np.column_stack([np.ones(len(events)), kind == "C", *old]).astype(float), child, parent,
        square[child, parent], np.minimum(DAYS, LAST_DAY - time), [_rings(one) for one in regions],
    )  # fmt: skip


def _seasons(start: Any) -> Array:
    import numpy as np

    turn = 2 * np.pi * start / 365
    return np.column_stack([np.ones(len(start)), start / 365 - 3.5, np.sin(turn), np.cos(turn)])


def _rings(text: str) -> list[Array]:
    import numpy as np

    return [np.array([point.split() for point in ring.split(",")], float) for ring in text.split("|")]


HAWKES = (
    Job("636 cases with covariates, by likelihood", "R surveillance twinstim", _twinstim, rscript.program),
)
