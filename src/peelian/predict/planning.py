"""Planning risk: expected incidents a year by area, fitted only on months that the plan may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from peelian.arithmetic.scores import overdispersion
from peelian.errors import DesignError
from peelian.predict.backtest import Backtest, backtest
from peelian.predict.baselines import EWMA, GammaPoisson
from peelian.predict.blend import PriorHistory
from peelian.predict.history import History, moment_of, step_of
from peelian.predict.interval import interval
from peelian.predict.method import Method

if TYPE_CHECKING:
    from peelian.incidents import Incidents
    from peelian.places import Places

WITHIN = 0.01  # of the best log score: near enough that the map which can be explained is taken
HALF_LIFE = 12
HORIZON = 12
MOST_YEARS = 8


@dataclass(frozen=True, eq=False)
class Planning:
    """Expected incidents a year by area, and what they were fitted on.

    ``risk``   Series on the areas' index; ``method`` its name, ``words`` what it is; ``months`` first and
               last month it may have seen; ``prior_share`` the part of each forecast that the risk terrain
               gave, or None; ``tested`` the backtest on the areas that chose the method, or None where
               history is too short; ``why`` the choice in a sentence.
    ``lows``, ``highs``  90 % limits of what may be recorded in a year, by area; ``low``, ``high`` in all;
               from how far ``years`` earlier forecasts of a whole year were off (a Poisson below 2).
    """

    risk: pd.Series
    method: str
    words: str
    months: tuple[pd.Period, pd.Period]
    prior_share: pd.Series | None
    tested: Backtest | None
    why: str
    lows: pd.Series
    highs: pd.Series
    low: float
    high: float
    years: int

    @property
    def table(self) -> pd.DataFrame:
        """Risk by area with its 90 % limits."""
        return pd.DataFrame({"risk": self.risk, "low": self.lows, "high": self.highs})


def planning_risk(
    incidents: Incidents,
    areas: Places,
    *,
    fitted_to: pd.Period,
    prior: pd.Series | None = None,
    by: Literal["code", "point"] = "point",
    crimes: str = "crimes",
    seed: int,
) -> Planning:
    """Expected incidents a year by area from the months up to ``fitted_to``, by the method tested on them.

    ``prior``  relative risk by area, fitted on no later month, or None.

    The blend of risk terrain and own history where its log score is within 1 % of the best of those tried;
    else counts that fade by half every 12 months, whose totals over chosen areas came out as expected
    where raw counts promised 14 % too much (measured on London burglary). Raises ``DesignError`` where no
    incident lies before the end of ``fitted_to``.
    """
    known = incidents.known_at(fitted_to + 1)
    if not len(known):
        raise DesignError(
            f"No incident was known by the end of {fitted_to:%B %Y}, so there is no planning risk."
        )
    methods: dict[str, Method] = {
        f"ewma({HALF_LIFE})": EWMA(HALF_LIFE),
        "gamma_poisson(24)": GammaPoisson(24),
    }
    if prior is not None:
        methods["blend"] = PriorHistory(prior, HALF_LIFE)
    tested = _tested(methods, known, areas, by=by, crimes=crimes, seed=seed)
    name, why = _chosen(tested, prior is not None)
    method = methods[name]
    end = step_of((fitted_to + 1).start_time, "month")
    history = History.of(known, areas, end=(fitted_to + 1).start_time, by=by)
    risk = pd.Series(method.expected(history, end, end + HORIZON), areas.index, name="risk")
    share = None
    if isinstance(method, PriorHistory):
        share = pd.Series(method.prior_share(history, end, end + HORIZON), areas.index, name="prior_share")
    spread, total_spread, years = _spread(method, known, areas, end, by)
    lows, highs = (pd.Series(edge, areas.index) for edge in interval(risk.to_numpy(), spread))
    low, high = (float(edge[0]) for edge in interval(np.array([risk.sum()]), total_spread))
    return Planning(
        risk,
        name,
        method.words,
        (known.span[0], fitted_to),
        share,
        tested,
        why,
        lows,
        highs,
        low,
        high,
        years,
    )


def _spread(
    method: Method, known: Incidents, areas: Places, end: int, by: Literal["code", "point"]
) -> tuple[float, float, int]:
    """Dispersion of a year's counts round its forecast, by area and in all, and how many years that rests on.

    Forecasts of each earlier year from what was known before it; the last ends where the history does.
    """
    history = History.of(known, areas, end=moment_of(end, "month"), by=by)
    starts = range(end - HORIZON, history.first + HORIZON - 1, -HORIZON)[:MOST_YEARS]
    rates: list[np.ndarray] = []
    outcomes: list[np.ndarray] = []
    for at in starts:
        try:
            rates.append(method.expected(history.before(at), at, at + HORIZON))
        except DesignError:
            break
        outcomes.append(history.outcome(at, at + HORIZON))
    if len(rates) < 2:
        return 0.0, 0.0, len(rates)
    rate, outcome = np.column_stack(rates), np.column_stack(outcomes)
    level = outcome.sum(axis=0) / np.maximum(rate.sum(axis=0), 1e-12)
    by_area = overdispersion(outcome.ravel(), (rate * level).ravel())
    return by_area, overdispersion(outcome.sum(axis=0), rate.sum(axis=0)), len(rates)


def _tested(
    methods: dict[str, Method], known: Incidents, areas: Places, *, by: str, crimes: str, seed: int
) -> Backtest | None:
    try:
        return backtest(methods, known, areas, origins=24, by=by, crimes=crimes, seed=seed)  # type: ignore[arg-type]
    except DesignError:
        return None


def _chosen(tested: Backtest | None, prior: bool) -> tuple[str, str]:
    plain = f"ewma({HALF_LIFE})"
    if tested is None:
        return plain, "History is too short to test methods on the areas; fading counts are used."
    scores = tested.pooled.set_index("method")["log_score"].drop("best possible")
    best = scores.idxmin()
    told = (
        f"The planning risk: log score on the areas over {tested.origins} months, best {best} at "
        f"{scores[best]:.4f}"
    )
    if prior and "blend" in scores.index and scores["blend"] <= scores[best] * (1 + WITHIN):
        return "blend", (
            f"{told}, the blend {scores['blend']:.4f}: within 1 %, so the map that can be explained in a "
            "sentence is used."
        )
    own = "" if best == plain else f", {plain} {scores[plain]:.4f}"
    return plain, f"{told}{own}. Counts that fade by half in {HALF_LIFE} months are used."


def prior_by_area(prior: pd.Series, cells: Places, areas: Places) -> pd.Series | None:
    """Relative risk of areas from that of cells: the mean of the cells in an area times its size.

    An area that holds no cell's centre takes the nearest cell, when one lies within a cell's diagonal; where
    some area has none so near (it lies outside the grid), None: areas cannot be compared then.
    """
    import geopandas as gpd

    points = cells.points
    where = areas.locate(points)
    mean = prior.reindex(cells.index).groupby(where.to_numpy(object)).mean().reindex(areas.index)
    empty = mean.index[mean.isna()]
    if len(empty):
        reach = (cells.cell or 0.0) * 2**0.5
        lacking = gpd.GeoDataFrame(geometry=areas.geometry.loc[empty])
        held = gpd.GeoDataFrame(
            {"prior": prior.reindex(cells.index).to_numpy()}, geometry=points.to_numpy(), crs=cells.crs
        )
        near = lacking.sjoin_nearest(held, max_distance=reach)
        mean = mean.fillna(near.groupby(level=0)["prior"].mean())
    if mean.isna().any():
        return None
    return (mean * areas.areas).rename("prior")
