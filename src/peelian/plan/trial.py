"""Who is treated is drawn, so that the others are a fair comparison."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from peelian.arithmetic.drawing import Assignment, Design, draw, draw_steps, ordered, paired
from peelian.errors import DataError, DesignError, some

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from peelian.places import Places

Kind = Literal["complete", "blocked", "pairs", "rerandomised"]


def randomise(
    pool: Iterable[str],
    *,
    design: Kind = "complete",
    seed: str,
    share: float = 0.5,
    blocks: pd.Series | None = None,
    pairs_on: pd.Series | None = None,
    balance_on: pd.DataFrame | None = None,
    acceptance: float = 0.1,
    attempt: int = 0,
) -> Assignment:
    """Which units of the pool are treated, drawn by hash from a seed in words.

    ``pool``        ids of the units, in any order.
    ``design``      ``complete`` (a share of the pool), ``blocked`` (the same share within each of
                    ``blocks``), ``pairs`` (one of each two that are alike by ``pairs_on``, within
                    ``blocks`` where given), ``rerandomised`` (complete or blocked, drawn again until the
                    means of ``balance_on`` agree as well as the best ``acceptance`` of draws).
    ``seed``        text chosen after the pool is frozen: a lottery number, or one drawn before a witness.
    ``share``       of the pool to treat; pairs treat one of two.
    ``attempt``     the number in the keys; a second draw must take another and stays in the record.

    Raises ``DesignError`` for a missing seed, a design without what it needs, an acceptance below 0.01;
    ``DataError`` for units that a Series lacks. An odd unit of the pairs is left out and named.

    Source: Morgan and Rubin (2012) for re-randomisation, with the chi-square bound on Mahalanobis distance.

    >>> ten = [f"E010000{n:02d}" for n in range(1, 11)]
    >>> drawn = randomise(ten, seed="peelian-example-2026")
    >>> [unit[-2:] for unit in drawn.chosen]
    ['02', '03', '05', '07', '08']
    """
    units = sorted(str(unit) for unit in pool)
    if design == "pairs":
        return _pairs(units, seed, share, blocks, pairs_on, attempt)
    if design == "blocked" and blocks is None:
        raise DesignError("A blocked draw needs blocks: a name of its block for every unit.")
    block = ["all"] * len(units) if blocks is None or design == "complete" else _on(blocks, units, "blocks")
    rule = Design(tuple(units), tuple(map(str, block)), _attainable(share, len(units), block))
    if design == "rerandomised":
        if balance_on is None or not balance_on.shape[1]:
            raise DesignError("A re-randomised draw needs balance_on: the covariates whose means must agree.")
        rule = _balanced(rule, balance_on, acceptance)
        about = {"acceptance": str(acceptance), "balance_on": [str(name) for name in balance_on.columns]}
        return replace(draw(rule, kind=design, seed=seed, attempt=attempt), about=about)
    return draw(rule, kind=design, seed=seed, attempt=attempt)


def stepped_wedge(pool: Iterable[str], *, seed: str, steps: int, attempt: int = 0) -> Assignment:
    """The order in which all units are treated: groups of equal size, drawn by hash.

    The effect is mixed with calendar time and with fading: the analysis needs effects of period and of time
    since the start, and the last group has no concurrent comparison. A parallel trial of the same kits sees
    more wherever the effect fades; use this one where everybody must be treated.
    """
    units = tuple(sorted(str(unit) for unit in pool))
    return draw_steps(Design(units, ("all",) * len(units)), seed=seed, steps=steps, attempt=attempt)


def apart(
    places: Places, metres: float, *, seed: str, weight: pd.Series | None = None, time_limit: float = 30.0
) -> pd.Index:
    """Units of the pool with more than so many metres between any two, so that none spoils another.

    ``weight``  what a unit is worth (its expected incidents): the set that holds the most is found by
                mixed-integer programming. Without it units are taken in the order of their hashes, each that
                is far enough from all those taken before; no unit that would still fit is left.

    0 metres keeps touching units apart. Returns ids in rising order.
    """
    import numpy as np
    import pandas as pd

    left, right = _near(places, metres)
    if weight is None:
        taken = _drawn_apart(places, left, right, seed)
    else:
        taken = _heaviest_apart(_values(weight, places, "weight"), left, right, time_limit)
    return pd.Index(np.asarray(places.index)[taken], name="place")


def balance(assignment: Assignment, covariates: pd.DataFrame) -> pd.DataFrame:
    """How alike the arms are: means of each, and the difference in standard deviations.

    No p-values: arms were drawn, so any difference is chance. One row a covariate: ``covariate``,
    ``treated``, ``control`` (means) and ``difference`` (over the pooled SD; within 0.1 is close).
    """
    import numpy as np
    import pandas as pd

    table = covariates.reindex(list(assignment.units)).astype(float)
    rows = []
    for name in table.columns:
        one, other = table[name][assignment.treated], table[name][~assignment.treated]
        pooled = float(np.sqrt((one.var() + other.var()) / 2))
        gap = float(one.mean() - other.mean())
        rows.append((str(name), float(one.mean()), float(other.mean()), gap / pooled if pooled > 0 else 0.0))
    return pd.DataFrame(rows, columns=["covariate", "treated", "control", "difference"])


def assignment_list(assignment: Assignment) -> pd.DataFrame:
    """The list to print and keep: one row a unit with its key, arm, block, step and probability."""
    import pandas as pd

    from peelian.arithmetic.drawing import key

    return pd.DataFrame(
        {
            "place": list(assignment.units),
            "arm": ["treated" if taken else "control" for taken in assignment.treated],
            "block": list(assignment.design.block),
            "step": assignment.step,
            "probability": assignment.probability,
            "key": [key(assignment.seed, assignment.attempt, unit) for unit in assignment.units],
        }
    )


# -------------------------------------------------------------------- parts
def _pairs(
    units: list[str],
    seed: str,
    share: float,
    blocks: pd.Series | None,
    pairs_on: pd.Series | None,
    attempt: int,
) -> Assignment:
    if pairs_on is None:
        raise DesignError("Pairs need pairs_on: for every unit the count by which two are alike.")
    if share != 0.5:
        raise DesignError(f"Pairs treat one of two, so share is 0.5; got {share:g}. Use blocked for others.")
    values = dict(zip(units, _on(pairs_on, units, "pairs_on"), strict=True))
    stratum = dict.fromkeys(units, "") if blocks is None else dict(
        zip(units, map(str, _on(blocks, units, "blocks")), strict=True)
    )  # fmt: skip
    held: dict[str, str] = {}
    odd: list[str] = []
    for name in sorted(set(stratum.values())):
        members = [unit for unit in units if stratum[unit] == name]
        order, pair, left = paired(members, [float(values[unit]) for unit in members])
        held |= {unit: f"{name} {number}".strip() for unit, number in zip(order, pair, strict=True)}
        odd += left
    drawn = tuple(sorted(held))
    rule = Design(drawn, tuple(held[unit] for unit in drawn))
    return replace(draw(rule, kind="pairs", seed=seed, attempt=attempt), left_out=tuple(odd))


def _attainable(share: float, size: int, block: list[str]) -> float:
    """The share as it comes out in whole units where there are no blocks."""
    if len(set(block)) > 1 or not 0 < share < 1 or size < 2:
        return share
    return min(max(int(share * size + 0.5), 1), size - 1) / size


def _balanced(rule: Design, balance_on: pd.DataFrame, acceptance: float) -> Design:
    import numpy as np
    from scipy import stats

    if not 0.01 <= acceptance <= 1:
        raise DesignError(
            f"acceptance is {acceptance:g}; it must be from 0.01 to 1. Below 0.01 so few draws are left that "
            "a permutation test has little to stand on."
        )
    lacking = [unit for unit in rule.units if unit not in balance_on.index]
    if lacking:
        raise DataError(f"balance_on lacks {len(lacking)} units of the pool: {some(lacking)}.")
    scores = balance_on.reindex(list(rule.units)).to_numpy(float)
    spread = scores.std(axis=0)
    if not np.isfinite(scores).all() or not (spread > 0).all():
        raise DataError("balance_on must hold a number for every unit, and not the same one for all.")
    threshold = float(stats.chi2.ppf(acceptance, scores.shape[1]))
    return replace(rule, scores=(scores - scores.mean(axis=0)) / spread, threshold=threshold)


def _on(values: pd.Series, units: list[str], name: str) -> list[str]:
    table = values.copy()
    table.index = table.index.astype(str)
    if table.index.has_duplicates:
        twice = table.index[table.index.duplicated()].unique()
        raise DesignError(f"{name} names {len(twice)} units more than once: {some(twice)}.")
    lacking = [unit for unit in units if unit not in table.index]
    found = table.reindex(units)
    lacking = lacking or [str(unit) for unit in found.index[found.isna()]]
    if lacking:
        raise DataError(f"{name} lacks {len(lacking)} units of the pool: {some(lacking)}.")
    return list(found)


def _values(weight: pd.Series, places: Places, name: str) -> NDArray[np.float64]:
    import numpy as np

    return np.array(_on(weight, list(places.index), name), float)


def _near(places: Places, metres: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of units, the earlier first, that lie no further apart than this."""
    if metres < 0:
        raise DesignError(f"apart is a distance in metres, 0 or more; got {metres:g}.")
    left, right = places.frame.sindex.query(places.frame.geometry, predicate="dwithin", distance=metres)
    first = left < right
    return left[first], right[first]


def _drawn_apart(
    places: Places, left: NDArray[np.int64], right: NDArray[np.int64], seed: str
) -> NDArray[np.bool_]:
    import numpy as np

    position = {unit: at for at, unit in enumerate(places.index)}
    near: list[list[int]] = [[] for _ in position]
    for one, other in zip(left.tolist(), right.tolist(), strict=True):
        near[one].append(other)
        near[other].append(one)
    taken, blocked = np.zeros(len(position), bool), np.zeros(len(position), bool)
    for unit in ordered(position, seed=seed):
        at = position[unit]
        if not blocked[at]:
            taken[at] = True
            blocked[near[at]] = True
    return taken


def _heaviest_apart(
    weight: NDArray[np.float64], left: NDArray[np.int64], right: NDArray[np.int64], time_limit: float
) -> NDArray[np.bool_]:
    import numpy as np
    from scipy import sparse
    from scipy.optimize import Bounds, LinearConstraint

    from peelian.plan.solver import milp

    size, edges = len(weight), len(left)
    if not edges:
        return np.ones(size, bool)
    rows = np.r_[np.arange(edges), np.arange(edges)]
    either = sparse.csr_array((np.ones(2 * edges), (rows, np.r_[left, right])), shape=(edges, size))
    answer = milp(
        -weight, constraints=LinearConstraint(either, -np.inf, 1), integrality=np.ones(size),
        bounds=Bounds(0, 1), options={"time_limit": time_limit, "mip_rel_gap": 1e-3},
    )  # fmt: skip
    if answer.x is None:
        raise DesignError(f"No spaced pool was found within {time_limit:g} seconds. Allow more.")
    return np.round(answer.x).astype(bool)
