"""The Risk Terrain Model: which features of places go with the crime, at what distance, how surely."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from peelian.errors import DesignError
from peelian.explain.extent import At, Extent

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.explain.change import Basis
    from peelian.explain.inference import Limits
    from peelian.incidents import Incidents
    from peelian.layers import Layers
    from peelian.places import Places

Array = Any
Progress = Callable[[int, int], None]
Mode = Literal["modern", "rtmdx"]
NOT_FOR_DECISIONS = (
    "Quick run, not for decisions: tiles were not resampled and maps not shifted, so no factor is judged."
)


@dataclass(frozen=True, eq=False)
class RiskTerrain:
    """A fitted Risk Terrain Model: the surface, the factors, and how far they can be trusted.

    By place: ``risk`` (expected incidents a year; missing where there is nothing at risk), ``relative_risk``
    (lowest place = 1), ``times_average`` (mean over places, weighted by exposure, = 1), ``expected`` (in the
    period fitted), ``counts`` and ``influences`` (the chosen columns).
    ``terms``      one row a chosen factor: coefficient, times (exp of it), every interval and check, the
                   verdict (report / weak / do not report) and its reason.
    ``factors``    one row a factor tried, chosen or not.
    ``inference``  figures on the whole model: Moran's I of what is left, tiles, replicates, zero counts.
    ``uncertainty`` by place over the resamples: ``low``, ``median``, ``high`` (5th, 50th, 95th percentile of
                   times_average) and ``p_top`` (how often in the top 5 %); empty where none were drawn.
    ``basis``      what it is computed from, for ``what_if``; None where it was fitted to columns.
    ``bands``, ``curves``, ``sensitivity``   of the modern mode: kept bands with their coefficients, relative
                   risk by distance with its band, and times as frequent under other choices.
    ``path``, ``culling``, ``information_criteria``, ``dropped``, ``print_out``   how the choice was made, and
                   every family's model as printed.
    ``second_half``  by place in the fit: the terrain of the first half alone (``terrain``), its counts
                   (``history``) and the second half's (``later``); None where nothing was held back.
    ``extent``     what the places are called and how large each is; ``at``  whether they were measured at one
                   point or over their ground.
    ``accounting`` rows in, rows used and every exclusion; ``warnings`` what to know before using it.
    ``fitted_on``  first and last month, or None where counts carry no dates. ``inputs``  SHA-256 of the
    counts, candidates and exposure that it was fitted to.
    """

    crime: str
    family: str
    risk: pd.Series
    relative_risk: pd.Series
    times_average: pd.Series
    expected: pd.Series
    counts: pd.Series
    influences: pd.DataFrame
    words: dict[str, str]
    terms: pd.DataFrame
    factors: pd.DataFrame
    inference: dict[str, Any]
    path: pd.DataFrame
    culling: pd.DataFrame
    information_criteria: pd.DataFrame
    dropped: pd.DataFrame
    accounting: dict[str, int]
    warnings: tuple[str, ...]
    fitted_on: tuple[Any, Any] | None
    seed: int
    intercept: float = 0.0
    mode: str = "rtmdx"
    uncertainty: Any = None
    basis: Basis | None = None
    bands: Any = None
    curves: Any = None
    sensitivity: Any = None
    second_half: Any = None
    print_out: Any = None
    extent: Extent = field(default_factory=Extent)
    at: str = "centroid"
    inputs: Any = None

    @property
    def coefficients(self) -> dict[str, float]:
        """Of every variable that the risk is computed from, by name."""
        if self.bands is not None:
            return dict(zip(self.bands["band"], self.bands["coefficient"], strict=True))
        return dict(zip(self.terms["variable"], self.terms["coefficient"], strict=True))

    @property
    def reported(self) -> pd.DataFrame:
        """The terms that passed every check, strongest first."""
        found = self.terms[self.terms["verdict"] == "report"]
        return found.sort_values("coefficient", ascending=False, kind="stable")

    def __str__(self) -> str:
        from peelian.explain.report import sentence

        return sentence(self)


def rtm(
    incidents: Incidents | pd.Series, layers: Layers | pd.DataFrame, places: Places, *, seed: int,
    mode: Mode = "modern", factor_of: dict[str, str] | None = None,
    period: tuple[str, str] | None = None, block: float | None = None, blocks: int = 3,
    increment: Literal["half", "whole"] = "half",
    operations: Literal["both", "proximity", "density"] = "both",
    offset: pd.Series | None = None, adjust: pd.DataFrame | None = None,
    family: Literal["auto", "poisson", "nb1", "nb2"] = "auto",
    p_limit: float = 0.05, min_cells: int | None = None, l1_ratio: float | tuple[float, ...] | None = None,
    rule: Literal["min", "1se"] | None = None, folds: int = 5, standardise: bool = True,
    cull_repeats: int = 1, swap: bool = False,
    fold_blocks: pd.Series | Literal["random"] | None = None, tile: float | None = None, buffer: float = 0,
    reach_limit: float = 1500, reach_ratio: float = 1.1, clusters: float | pd.Series = 1500,
    replicates: int = 200, shift: bool = True, refit: Literal["halves", "years", "none"] = "halves",
    permutations: int = 999, limits: Limits | None = None, sensitivity: bool = True, quick: bool = False,
    force: bool = False,
    allow_police_activity: str | None = None, allow_outcome_factor: str | None = None, crime: str = "crime",
    workers: int = 1, density_rule: str = "mean+2sd", edge: Literal["none", "divide"] = "none",
    at: At = "auto", streets: gpd.GeoSeries | None = None,
    exclude: gpd.GeoSeries | None = None, values: pd.DataFrame | None = None,
    cuts: dict[str, tuple[float, ...]] | None = None, signs: dict[str, str] | None = None,
    progress: Progress | None = None,
) -> RiskTerrain:  # fmt: skip
    """Which features of places go with the crime, at what distance, how strongly, and how surely.

    ``mode="modern"``  bands of distance and density whose effect may only fall with distance, an elastic net
    whose penalty is chosen by leaving out whole tiles, and a curve and a reach for each factor.
    ``mode="rtmdx"``   the model of the RTMDx Utility: candidates by proximity and density at half (or whole)
    block steps, an elastic net to cull them, then a stepwise search by BIC with coefficients above zero and
    Wald p at most ``p_limit``, one variable a factor; Poisson and NB1, the lower BIC wins.
    Then, in both, the checks that a search cannot make of itself: cluster-robust intervals, tiles resampled,
    maps shifted, the second half of the period refitted, and what is left over.

    ``incidents``  Incidents, or whole counts by place. ``layers``  Layers, or 0/1 candidate columns on the
    places' index with ``factor_of`` = {column: factor}. ``period``  first and last month, both included.
    ``offset``     what is at risk in each place (homes). ``clusters``   side of the resampled tiles, or a
    Series on the places' index that names them (wards).
    ``replicates``  resamples of tiles (0: none). ``quick``  leaves out resamples and shifts, and says so.
    ``density_rule``, ``edge``, ``streets``   how features are measured: see ``explain.measure.How``.
    ``at``         ``centroid``: at one point of each place; ``area``: the share of its ground (points every
    50 m) that is near; ``auto``: the ground of areas and streets wider than twice the smallest distance.
    ``exclude``    areas (water, airfields): places half covered by them are left out.
    ``values``     a column a factor, by place (a raster's mean): above each of its ``cuts``, or deciles;
    ``signs``      which way each is expected to work (``aggravating``, ``protective``, ``either``).
    ``refit``      ``halves``: of the period; ``years``: parts at a turn of the year, so that each is of whole
    years where the period is; ``none``.
    ``force``      goes on with fewer than 100 events or 30 places with any, and says so.
    *rtmdx*  ``block`` metres, 2 x the cell by default; ``rule`` ``min`` unless given, ``min_cells`` 1,
    ``l1_ratio`` the better of .8 and .95; ``cull_repeats`` with folds drawn anew, of which half must keep a
    candidate; ``swap``  lets the search put another distance of a factor in the place of the chosen one.
    *modern*  ``adjust``  covariates by place, always in and never reported; ``reach_limit`` metres of the
    widest band; ``reach_ratio``  relative risk that counts as reached; ``tile``  side of the tiles left out
    (twice the reach, 3 km at least), ``fold_blocks`` a Series of names instead, or ``"random"``; ``buffer``
    metres around them; ``rule`` ``1se`` unless given, ``min_cells`` 10, ``l1_ratio`` .95.

    Raises ``DataError``, ``DesignError`` or ``PrivacyError`` as the input deserves. Every finding is an
    association. Source: Caplan, Kennedy & Miller (2011); Heffner (2013); Roberts et al. (2017).
    """
    import pandas as pd

    from peelian.explain.extent import measured_at
    from peelian.explain.measure import How
    from peelian.explain.problem import observe
    from peelian.explain.values import Valued

    _refuse_mixtures(mode, adjust, fold_blocks, tile, buffer, l1_ratio)
    if mode == "modern" and (swap or cull_repeats > 1):
        raise DesignError('swap and cull_repeats: only mode = "rtmdx" knows them. Leave them out.')
    _refuse_measures(mode, density_rule)
    valued = None if values is None else Valued(values, cuts or {}, signs or {})
    smallest = _smallest(mode, places, incidents, block, blocks, increment, reach_limit)
    at, said = measured_at(at, places, smallest)
    how = How(density_rule, edge, at, streets)
    observed = observe(incidents, places, period=period, seed=seed, force=force, family=family, refit=refit)
    if not isinstance(layers, pd.DataFrame):
        observed = replace(observed, warnings=(*observed.warnings, *said))
    _refuse_outcomes(incidents, layers, places, crime, allow_outcome_factor)
    if allow_outcome_factor:
        words = f"A layer may be where this crime is recorded. Reason given: {allow_outcome_factor}."
        observed = replace(observed, warnings=(*observed.warnings, words))
    shared: dict[str, Any] = {
        "block": block, "operations": operations, "family": family, "folds": folds, "clusters": clusters,
        "replicates": 0 if quick else replicates, "shift": shift and not quick, "refit": refit,
        "permutations": permutations, "limits": limits, "workers": workers,
    }  # fmt: skip
    if mode == "modern":
        from peelian.explain import modern, modern_trust

        ratio = l1_ratio[0] if isinstance(l1_ratio, tuple) else l1_ratio
        asked = modern.Options(
            **shared, min_cells=min_cells or 10, l1_ratio=ratio or 0.95, rule=rule or "1se", tile=tile,
            buffer=buffer, fold_blocks=fold_blocks, reach_limit=reach_limit, reach_ratio=reach_ratio,
            quick=quick, sensitivity=sensitivity, how=how, valued=valued,
        )  # fmt: skip
        posed = modern.pose(
            observed, layers, places, asked, offset=offset, adjust=adjust, factor_of=factor_of, seed=seed,
            crime=crime, snapped=bool(getattr(incidents, "snapped", False)),
            allow_police_activity=allow_police_activity, exclude=exclude,
        )  # fmt: skip
        return _stamped(modern_trust.judged(posed, asked, progress), quick)
    from peelian.explain import trust
    from peelian.explain.choosing import choose
    from peelian.explain.problem import Options, pose

    ratios = (l1_ratio,) if isinstance(l1_ratio, float) else l1_ratio
    options = Options(
        **shared, blocks=blocks, increment=increment, p_limit=p_limit, min_cells=min_cells or 1,
        l1_ratio=tuple(ratios or (0.8, 0.95)), rule=rule or "min", standardise=standardise,
        cull_repeats=cull_repeats, swap=swap,
        how=how,
    )  # fmt: skip
    problem = pose(
        observed, layers, places, options, offset=offset, factor_of=factor_of, seed=seed,
        allow_police_activity=allow_police_activity, crime=crime, exclude=exclude, valued=valued,
    )  # fmt: skip
    choice = choose(problem, problem.counts, options, seed)
    return _stamped(trust.judged(problem, choice, options, progress), quick)


def _stamped(terrain: RiskTerrain, quick: bool) -> RiskTerrain:
    """The terrain, marked where checks were left out."""
    if not quick:
        return terrain
    return replace(
        terrain,
        warnings=(NOT_FOR_DECISIONS, *terrain.warnings),
        inference=terrain.inference | {"quick": True},
    )


def _refuse_mixtures(
    mode: str, adjust: Any, fold_blocks: Any, tile: float | None, buffer: float, l1_ratio: Any
) -> None:
    """Keys of the one mode do nothing in the other, so they are refused there."""
    asked = {
        "adjust": adjust is not None, "fold_blocks": fold_blocks is not None, "tile": tile is not None,
        "buffer": buffer > 0,
    }  # fmt: skip
    wrong = [name for name, given in asked.items() if given]
    if mode == "rtmdx" and wrong:
        raise DesignError(
            f'{", ".join(wrong)}: only mode = "modern" knows this. Leave it out, or change mode.'
        )
    if mode == "modern" and isinstance(l1_ratio, tuple) and len(l1_ratio) > 1:
        raise DesignError(f'mode = "modern" takes one l1_ratio, not {list(l1_ratio)}.')


def _refuse_measures(mode: str, density_rule: str) -> None:
    """One limit of what is dense belongs to the one mode; the other has seven of its own."""
    if mode == "modern" and density_rule != "mean+2sd":
        raise DesignError(
            'density_rule: only mode = "rtmdx" knows this. The modern bands try seven quantiles of places '
            "and let the data weigh them. Leave it out, or change mode."
        )


def _smallest(
    mode: str, places: Places, incidents: Any, block: float | None, blocks: int,
    increment: Literal["half", "whole"], reach_limit: float,
) -> float:  # fmt: skip
    """Metres of the smallest distance that is tried; infinite where there is no cell to take it from."""
    from peelian.explain.decay import cuts_of
    from peelian.explain.factors import distances_of

    across = places.cell or (block or 0) / 2
    if not across:
        return float("inf")
    if mode == "rtmdx":
        return distances_of(block or 2 * across, blocks, increment)[0]
    cuts = cuts_of(across, reach_limit, snapped=bool(getattr(incidents, "snapped", False)))
    return float(cuts[-1]) if len(cuts) else float("inf")


def _refuse_outcomes(incidents: Any, layers: Any, places: Places, crime: str, reason: str | None) -> None:
    import pandas as pd
    import shapely

    from peelian.explain.doubts import refuse_where_recorded
    from peelian.explain.factors import refuse_outcomes

    if isinstance(layers, pd.DataFrame):
        return
    refuse_where_recorded(layers, crime, reason)
    if isinstance(incidents, pd.Series):
        return
    points = incidents.frame.geometry[incidents.located].to_crs(places.crs)
    refuse_outcomes(layers, shapely.get_coordinates(points.to_numpy()), places, reason)


# -------------------------------------------------------------------- as a predictor
@dataclass(frozen=True)
class RTM:
    """A predictor from the features of places alone: ``RTM(layers=...)(incidents, places, period)``.

    Fits a Risk Terrain Model to the incidents given and spreads their level over the period asked for: it
    ranks places that have no history; where there is history, their own history ranks better.
    """

    layers: Layers
    mode: Mode = "modern"
    block: float | None = None
    blocks: int = 3
    increment: Literal["half", "whole"] = "half"
    operations: Literal["both", "proximity", "density"] = "both"
    offset: Any = None
    reach_limit: float = 1500
    tile: float | None = None
    rule: Literal["min", "1se"] | None = None
    family: Literal["auto", "poisson", "nb1", "nb2"] = "auto"
    seed: int = 0

    def __call__(self, incidents: Incidents, places: Places, period: Any) -> pd.Series:
        """Expected incidents in the period by place: a Series ``risk`` on the places' index."""
        import pandas as pd

        start, stop = _span(period)
        if (incidents.frame["start"] >= start).any():
            raise DesignError(f"An incident lies at or after {start:%Y-%m-%d}, the start of the period.")
        terrain = rtm(
            incidents, self.layers, places, seed=self.seed, mode=self.mode, block=self.block,
            blocks=self.blocks, increment=self.increment, operations=self.operations, offset=self.offset,
            family=self.family, reach_limit=self.reach_limit, tile=self.tile, rule=self.rule,
            replicates=0, shift=False, refit="none", permutations=0, sensitivity=False,
        )  # fmt: skip
        assert terrain.fitted_on is not None
        first, last = (month.to_timestamp() for month in (terrain.fitted_on[0], terrain.fitted_on[1] + 1))
        level = terrain.counts.sum() * ((stop - start) / (last - first))
        shape = terrain.expected.fillna(0.0)
        return pd.Series(shape / shape.sum() * level, places.index, name="risk")


def _span(period: Any) -> tuple[Any, Any]:
    import pandas as pd

    if isinstance(period, pd.Period):
        return period.start_time, (period + 1).start_time
    start, stop = (pd.Timestamp(str(moment)) for moment in period)
    return start, stop
