"""How often the shifted map rejects idle factors, and finds planted ones, on the areas of a real place.

``python -m benchmarks shift_sizes`` puts simulated crime and features on the LSOAs of Hounslow, with and
without those within 1 km, and on lines like streets: the borders of those LSOAs, in pieces of some 120 m.
Crime is Poisson with the number of homes as its mean, times a field of risk that no feature says anything of.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from benchmarks import measure
from benchmarks.terrains import DATA

if TYPE_CHECKING:
    from peelian.places import Places

Array = Any
PACK = "uk/flagship_hounslow/hounslow_1km_lsoa_2011.gpkg"
EVENTS, SITES, PIECE = 2000, 40, 120.0
FIELDS = {"independent": 0.0, "alike over 800 m": 800.0, "alike over 2 km": 2000.0}
SPREADS = ("anywhere", "where homes are")


@dataclass(frozen=True, eq=False)
class World:
    """Places of one kind with homes, ready for worlds to be simulated on them."""

    name: str
    places: Places
    homes: Array
    at: str

    @cached_property
    def ground(self) -> tuple[Any, float]:
        """The study area with 1.5 km round it, and features a square metre of it."""
        from peelian.explain.measure import study_area

        study = study_area(self.places)
        return study.convex_hull.buffer(1500), SITES / study.area


def shift_sizes(runs: int, tests: int = 200) -> dict[str, object]:
    """Share of ``tests`` rejected at 0.05 by kind of place, of feature and of field; planted: twice the risk
    within 200 m."""
    found: list[dict[str, Any]] = []

    def every() -> None:
        found.clear()
        for world in (areas("in_borough"), areas(), streets()):
            for spread in SPREADS:
                for name, reach in FIELDS.items():
                    found.append(rejected(world, spread, name, reach, tests))
                found.append(rejected(world, spread, "planted, independent", 0.0, tests, times=2.0))

    return {"n": tests, **measure.function(every, runs=runs), "sizes": found}


def rejected(
    world: World, spread: str, name: str, reach: float, tests: int, *, times: float = 1.0, steps: int = 999
) -> dict[str, Any]:
    """One row: how often p is at most 0.05."""
    import numpy as np

    from peelian.explain.shifted import ground_of

    ground = ground_of(world.places, np.ones(len(world.places), bool), 1, steps=steps)
    root = root_of(world.places, reach)
    p = np.array([
        one(world, ground, root, np.random.default_rng([7, seed, int(reach)]), spread, times)
        for seed in range(tests)
    ])  # fmt: skip
    known = np.isfinite(p)
    return {
        "places": world.name, "number": len(world.places), "features": spread, "field": name,
        "tests": int(known.sum()), "steps": ground.steps, "rejected": float((p[known] <= 0.05).mean()),
    }  # fmt: skip


def one(world: World, ground: Any, root: Array, rng: Any, spread: str, times: float) -> float:
    """p of one simulated factor on one simulated crime."""
    import numpy as np

    from peelian.explain import decay
    from peelian.explain.measure import How
    from peelian.layers import Layers

    layers = Layers.of([sites(world, rng, spread)])
    every = np.ones(len(world.places), bool)
    bands = decay.measured(
        layers, world.places, cell=100, reach=1500, operations="both", snapped=True, fitted=every,
        min_cells=10, period=None, how=How(at=world.at),
    ).nested(slice(None))  # fmt: skip
    columns = bands.take(np.arange(bands.size))
    near = columns[:, [bands.starts[1] - 3]]  # within 200 m
    mean = world.homes * np.exp(root @ rng.normal(size=root.shape[1])) * times ** near[:, 0]
    counts = rng.poisson(mean * EVENTS / mean.sum()).astype(float)
    level = world.homes * counts.sum() / world.homes.sum()
    return ground.test(columns, counts, [(level, level)])[0]


def sites(world: World, rng: Any, spread: str) -> Any:
    """Features spread evenly over the study area and 1.5 km round it, or where homes are."""
    import geopandas as gpd
    import numpy as np
    import shapely

    from peelian.layers import Layer

    west, south, east, north = world.places.frame.total_bounds
    points = rng.uniform((west - 1500, south - 1500), (east + 1500, north + 1500), (SITES * 20, 2))
    if spread == "anywhere":
        ground, density = world.ground
        points = points[shapely.contains_xy(ground, points)]
        points = points[: rng.poisson(density * ground.area)]
    else:
        held = rng.choice(len(world.places), SITES * 2, p=world.homes / world.homes.sum())
        middle = world.places.points.iloc[held]
        points = np.column_stack([middle.x, middle.y]) + rng.normal(0, 150, (len(held), 2))
    return Layer("idle", gpd.GeoDataFrame(geometry=gpd.points_from_xy(*points.T), crs=world.places.crs))


def root_of(places: Places, reach: float) -> Array:
    """Places x draws: what makes of normal draws a field with standard deviation 1, alike over ``reach``."""
    import numpy as np
    from scipy.linalg import cholesky

    if not reach:
        return np.zeros((len(places), 1))
    middle = places.points
    apart = np.hypot(
        middle.x.to_numpy()[:, None] - middle.x.to_numpy(), middle.y.to_numpy()[:, None] - middle.y.to_numpy()
    )
    return cholesky(np.exp(-apart / reach) + 1e-9 * np.eye(len(places)), lower=True)


# -------------------------------------------------------------------- the places
def frame_of() -> Any:
    """The LSOAs with their households."""
    import geopandas as gpd

    path = DATA / PACK
    if not path.is_file():
        raise measure.CannotMeasure(f"../shared/data/{PACK} is not beside this checkout.")
    return gpd.read_file(path).rename(columns={"HHOLDS": "households"}).set_index("LSOA11CD")


def areas(where: str = "") -> World:
    """All LSOAs, or those that a true/false column marks."""
    from peelian.places import Places

    frame = frame_of()
    frame = frame[frame[where].astype(bool)] if where else frame
    places = Places.of(frame)
    return World("areas", places, places.households.to_numpy(float), "area")


def streets() -> World:
    """Borders of the LSOAs of the borough as lines like streets, homes by their length."""
    import geopandas as gpd
    import shapely

    from peelian.places import Places

    frame = frame_of()
    lines = shapely.line_merge(frame[frame["in_borough"].astype(bool)].boundary.union_all())
    pieces = []
    for line in shapely.get_parts(lines):
        number = max(1, round(line.length / PIECE))
        ends = [line.length * k / number for k in range(number + 1)]
        pieces += [shapely.ops.substring(line, a, b) for a, b in pairwise(ends)]
    ids = [f"s{k:05d}" for k in range(len(pieces))]
    places = Places.of(gpd.GeoDataFrame(index=ids, geometry=pieces, crs=frame.crs), kind="street")
    return World("streets", places, places.geometry.length.to_numpy(), "centroid")
