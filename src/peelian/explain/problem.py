"""The question as arrays: counts with every row accounted for, candidates, exposure; and the choice."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from peelian.errors import DataError, DesignError, some
from peelian.explain.doubts import grain_of, incident_warnings
from peelian.incidents import Incidents

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from peelian.explain.factors import Influence
    from peelian.explain.inference import Limits
    from peelian.explain.likelihood import CountFit, Family
    from peelian.explain.measure import How
    from peelian.explain.select import Culling, Search
    from peelian.explain.values import Valued
    from peelian.layers import Layers
    from peelian.places import Places

Array = Any
FEWEST_EVENTS, FEWEST_CELLS = 100, 30
STOPS = "layers stop at the boundary"
AT_RANDOM = "the same events split at random, which is weaker than by time"


@dataclass(frozen=True)
class Options:
    """How the model is chosen and checked; the names are the arguments of ``rtm``."""

    block: float | None = None
    blocks: int = 3
    increment: Literal["half", "whole"] = "half"
    operations: str = "both"
    family: Literal["auto", "poisson", "nb1", "nb2"] = "auto"
    p_limit: float = 0.05
    min_cells: int = 1
    l1_ratio: tuple[float, ...] = (0.8, 0.95)
    rule: Literal["min", "1se"] = "min"
    folds: int = 5
    standardise: bool = True
    cull_repeats: int = 1
    swap: bool = False
    clusters: Any = 1500
    replicates: int = 200
    shift: bool = True
    refit: str = "halves"
    permutations: int = 999
    limits: Limits | None = None
    workers: int = 1
    how: How | None = None


@dataclass(frozen=True, eq=False)
class Observed:
    """Counts by place, whole period and by half, with the account of every row."""

    counts: pd.Series
    halves: tuple[Array, Array]
    halves_are: str
    months: tuple[Any, Any] | None
    accounting: dict[str, int]
    warnings: tuple[str, ...]
    cut: Any = None


@dataclass(frozen=True, eq=False)
class Problem:
    """What is to be explained and by what: arrays over the places in the fit."""

    places: Places
    observed: Observed
    influence: Influence
    fitted: Array
    columns: Array
    factor: Array
    factor_names: list[str]
    counts: Array
    exposure: Array | None
    whole_exposure: pd.Series | None
    seed: int
    crime: str
    warnings: tuple[str, ...]
    notes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Choice:
    """What culling and search chose: the winner, all families tried, the culling."""

    culling: Culling
    searches: dict[Family, Search]
    family: Family

    @property
    def chosen(self) -> tuple[int, ...]:
        """Columns of the winning model."""
        return self.searches[self.family].chosen

    @property
    def fit(self) -> CountFit:
        """The winning fit."""
        return self.searches[self.family].fit


# -------------------------------------------------------------------- observed
def observe(
    incidents: Incidents | pd.Series,
    places: Places,
    *,
    period: tuple[str, str] | None,
    seed: int,
    force: bool,
    family: str = "auto",
    refit: str = "halves",
) -> Observed:
    """Counts by place and half, every row accounted for; too few events are a ``DesignError``."""
    if isinstance(incidents, Incidents):
        observed = _from_incidents(incidents, places, period, seed, refit)
        grain = grain_of(incidents, places, force)
        observed = replace(observed, warnings=(*grain, *observed.warnings))
    elif refit == "years":
        raise DesignError('Counts carry no dates: refit = "years" needs incidents. Use refit = "halves".')
    else:
        observed = _from_counts(incidents, places, seed, family)
    events, held = int(observed.counts.sum()), int((observed.counts > 0).sum())
    if events < FEWEST_EVENTS or held < FEWEST_CELLS:
        words = (
            f"Only {events:,} incidents in {held:,} places with any: a Risk Terrain Model needs at least "
            f"{FEWEST_EVENTS} in {FEWEST_CELLS}."
        )
        if not force:
            raise DesignError(f"{words} Use a longer period or larger area, or force = true.")
        return replace(observed, warnings=(f"{words} Too few events: forced.", *observed.warnings))
    return observed


def _from_incidents(
    incidents: Incidents, places: Places, period: tuple[str, str] | None, seed: int, refit: str
) -> Observed:
    import numpy as np
    import pandas as pd

    everything = len(incidents)
    if period is not None:
        first, last = (pd.Period(month, "M") for month in period)
        incidents = incidents.between(first, last + 1)
    in_period = len(incidents)
    first, last = incidents.span if period is None else (first, last)
    place = incidents.place_of(places)
    inside = place.notna()
    located = incidents.located
    accounting = {
        "rows read": incidents.rows_read - in_period + everything,
        "refused on reading": len(incidents.rejected),
        "outside the period": everything - in_period,
        "without a point": int((~located).sum()),
        "outside the study area": int((located & ~inside).sum()),
        "used": int(inside.sum()),
    }
    code = places.index.get_indexer(place[inside])
    middle = _turn(first, last, refit)
    early = (incidents.months[inside] < middle).to_numpy()
    counts = pd.Series(np.bincount(code, minlength=len(places)), places.index, name="count")
    dated = last > first
    first_half = np.bincount(code[early], minlength=len(places)) if dated else _thinned(counts, seed)
    return Observed(
        counts, (first_half, counts.to_numpy() - first_half),
        f"{first} to {middle - 1} and {middle} to {last}" if dated else AT_RANDOM,
        (first, last), accounting, tuple(incident_warnings(incidents, accounting, in_period, (first, last))),
        middle if dated else None,
    )  # fmt: skip


def _turn(first: pd.Period, last: pd.Period, refit: str) -> pd.Period:
    """The month with which the second part of the period begins: its middle, or with ``years`` the January
    nearest to it (the later of two)."""
    import pandas as pd

    middle = first + ((last - first).n + 1) // 2
    if refit != "years":
        return middle
    turns = [pd.Period(f"{year}-01", "M") for year in range(first.year + 1, last.year + 1)]
    if not turns:
        raise DesignError(
            f'refit = "years" needs a period over a turn of the year; {first} to {last} has none. Use '
            'refit = "halves".'
        )
    return min(turns, key=lambda turn: (abs((turn - middle).n), -turn.year))


def _from_counts(counts: pd.Series, places: Places, seed: int, family: str) -> Observed:
    import numpy as np
    import pandas as pd

    missing = [place for place in places.index if place not in counts.index]
    values = pd.to_numeric(counts.reindex(places.index), errors="coerce")
    wrong = values.isna() | (values < 0)
    if missing or wrong.any():
        first = missing[:3] or list(places.index[wrong][:3])
        raise DataError(
            f"Counts must be numbers of at least 0 for every place; wrong or missing for {first}."
        )
    parts = values != np.floor(values)
    if parts.any() and family != "poisson":
        raise DataError(
            f"Counts are not whole for {int(parts.sum()):,} places ({list(places.index[parts][:3])}): "
            'negative binomial models need whole counts. Round them, or use family = "poisson".'
        )
    values = (values if parts.any() else values.astype("int64")).rename("count")
    early, total = _thinned(values, seed), round(values.sum())
    return Observed(
        values, (early, values.to_numpy() - early), AT_RANDOM,
        None, {"rows read": total, "used": total}, (),
    )  # fmt: skip


def _thinned(counts: pd.Series, seed: int) -> Array:
    """Half of the events of each place, drawn at random; what is not a whole event goes to one side."""
    import numpy as np

    rng = np.random.default_rng([seed, 0, 4])
    whole = np.floor(counts.to_numpy()).astype(np.int64)
    rest = counts.to_numpy() - whole
    early = rng.binomial(whole, 0.5)
    return early if not rest.any() else early + rest * (rng.random(len(rest)) < 0.5)


# -------------------------------------------------------------------- posed
def pose(
    observed: Observed, layers: Layers | pd.DataFrame, places: Places, options: Options, *,
    offset: pd.Series | None, factor_of: dict[str, str] | None, seed: int,
    allow_police_activity: str | None = None, crime: str = "crime", exclude: gpd.GeoSeries | None = None,
    valued: Valued | None = None,
) -> Problem:  # fmt: skip
    """The candidates and arrays over the places in the fit: those with something at risk, on ground that is
    not excluded."""
    import numpy as np
    import pandas as pd

    from peelian.explain import factors

    exposure, fitted, words = exposures(offset, observed.counts)
    if exclude is not None:
        observed, open_ground, more = without(observed, places, exclude)
        fitted, words = fitted & open_ground, [*words, *more]
    warnings = list(observed.warnings) + words
    notes: dict[str, str] = {}
    if isinstance(layers, pd.DataFrame):
        columns = layers.reindex(places.index)
        influence = factors.given_columns(
            columns, factor_of or {}, fitted=fitted, min_cells=options.min_cells
        )
    else:
        factors.refuse_police_activity(layers, allow_police_activity)
        influence, more, notes = _measured(layers, places, observed, options, fitted)
        warnings += more
        if allow_police_activity:
            warnings.append(f"Police activity is used as a factor. Reason given: {allow_police_activity}.")
    if valued is not None:
        influence = factors.joined(influence, factors.by_value(valued, places, fitted))
    if influence.meta.empty:
        raise DesignError("No candidate tells one place from another: every column was dropped.")
    names = influence.factors
    code = np.array([names.index(name) for name in influence.meta["factor"]])
    return Problem(
        places, observed, influence, fitted, influence.columns.to_numpy()[fitted], code, names,
        observed.counts.to_numpy()[fitted], None if exposure is None else exposure.to_numpy()[fitted],
        exposure, seed, crime, tuple(warnings), notes,
    )  # fmt: skip


def without(observed: Observed, places: Places, exclude: gpd.GeoSeries) -> tuple[Observed, Array, list[str]]:
    """Places of which half or more is excluded ground are left out: the account, which stay, what to say."""
    import shapely

    ground = exclude.to_crs(places.crs)
    ground = ground[shapely.area(ground.to_numpy()) > 0]
    if not len(ground):
        raise DataError("exclude holds no area: water, parks and airfields are polygons.")
    covered = places.geometry.intersection(ground.union_all())
    streets = places.kind == "street"
    size = (places.geometry.length if streets else places.areas).to_numpy()
    held = (covered.length if streets else covered.area).to_numpy() >= 0.5 * size
    if held.all():
        raise DesignError("Every place lies on excluded ground: none is left.")
    lost = int(observed.counts.to_numpy()[held].sum())
    account = {**observed.accounting, "in excluded ground": lost}
    account["used"] = account.pop("used") - lost
    words = [
        f"{int(held.sum()):,} of {len(places):,} places lie on excluded ground and are left out, with "
        f"{lost:,} incidents."
    ] * bool(held.any())
    used = account["used"] + lost
    if lost > 0.05 * used:
        words.append(
            f"{lost:,} of {used:,} incidents ({100 * lost / used:.1f} %) are recorded on excluded ground."
        )
    return replace(observed, accounting=account), ~held, words


def exposures(offset: pd.Series | None, counts: pd.Series) -> tuple[pd.Series | None, Array, list[str]]:
    """What is at risk by place, which places are in the fit, and what to say about it."""
    import numpy as np

    if offset is None:
        return None, np.ones(len(counts), bool), []
    values = offset.reindex(counts.index).astype(float)
    if values.isna().any() or (values < 0).any():
        wrong = list(counts.index[values.isna() | (values < 0)][:3])
        raise DataError(f"The offset needs a number of at least 0 for every place; not so for {wrong}.")
    empty = values == 0
    odd = empty & (counts > 0)
    words = []
    if odd.any():
        words.append(
            f"{int(odd.sum()):,} places without anything at risk have incidents: they stay, with exposure 1."
        )
    if (empty & ~odd).any():
        words.append(f"{int((empty & ~odd).sum()):,} places with nothing at risk are left out of the fit.")
    return values.where(~odd, 1.0), (~empty | odd).to_numpy(), words


def _measured(
    layers: Layers, places: Places, observed: Observed, options: Options, fitted: Array
) -> tuple[Influence, list[str], dict[str, str]]:
    """Candidates from layers, with what should be known about the layers."""
    from peelian.explain import factors

    if options.block is None and places.cell is None:
        raise DesignError("Places that are no grid need block = metres: there is no cell to take it from.")
    block = options.block or 2 * float(places.cell or 0)
    steps = factors.distances_of(block, options.blocks, options.increment)
    words, notes = about_layers(layers, places, observed.months, max(steps))
    influence = factors.operationalise(
        layers, places, distances=steps, operations=options.operations, min_cells=options.min_cells,
        fitted=fitted, period=observed.months, how=options.how,
    )  # fmt: skip
    return influence, [*words, *influence.notes], notes


def about_layers(
    layers: Layers, places: Places, months: tuple[Any, Any] | None, reach: float
) -> tuple[list[str], dict[str, str]]:
    """What should be known about the layers: a warning where they stop at the boundary, notes by layer.

    Raises ``DataError`` for a layer without a feature in the study area in the period.
    """
    from peelian.explain import factors

    inside = {}
    for name in layers:
        inside[name] = factors.inside(layers[name], places, period=months)
        if not inside[name]:
            span = " to ".join(map(str, months)) if months else "the period"
            raise DataError(f"Layer {name} has no feature in the study area in {span}.")
    cut = [name.replace("_", " ") for name in factors.edge_gaps(layers, places, reach, inside)]
    words = [
        f"{len(cut)} of {len(layers)} {STOPS}, so risk within {reach:g} m of it is "
        f"understated: {some(cut, 20)}."
    ] * bool(cut)
    notes = {
        name: "reports follow who complains" for name in layers if layers[name].kind == "reported-problem"
    }
    return words, notes
