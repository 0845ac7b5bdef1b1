"""The ground of the borough: streets, homes on them, areas, wards, snap points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    import pandas as pd

    from peelian.borough.parameters import BoroughParameters

CRS = "EPSG:27700"
FIRST = (
    "Alder Ash Beech Birch Cedar Cherry Elm Fern Hazel Heath Holly Ivy Larch Laurel Lime Maple "
    "Oak Peel Pine Poplar Rose Rowan Sorrel Thorn Willow Wren"
)
SECOND = (
    "bank bourne bridge brook bury combe cote croft dale den field ford gate ham hill holme hurst "
    "ley mead mere moor over ridge side stead stoke ton wade well wick wold wood worth"
)
KINDS = ["Road", "Street", "Avenue", "Lane", "Close", "Gardens", "Drive", "Way"]


@dataclass(frozen=True, eq=False)
class Ground:
    """Where people live, before anything happens.

    ``areas``, ``wards``  polygons with codes, names and households;
    ``streets``  lines between junctions: ``street`` (name), geometry;
    ``homes``    one row a home: ``easting``, ``northing``, ``area`` (position in ``areas``), ``segment``
                 (position in ``streets``), ``street`` (name), ``snap`` (position in ``snaps``);
    ``snaps``    one row a snap point: ``easting``, ``northing``, ``street``, ``addresses``.
    """

    areas: gpd.GeoDataFrame
    wards: gpd.GeoDataFrame
    streets: gpd.GeoDataFrame
    homes: pd.DataFrame
    snaps: pd.DataFrame


def lay_ground(parameters: BoroughParameters) -> Ground:
    """Streets, homes, areas, wards and snap points of the borough."""
    import numpy as np

    rng = np.random.default_rng([parameters.seed, 1])
    streets = _streets(parameters, rng)
    homes = _homes(parameters, streets, rng)
    areas, homes = _areas(parameters, homes, rng)
    wards = areas[["WD14CD", "WD14NM", "geometry"]].dissolve("WD14CD", method="coverage").reset_index()
    wards = wards[["WD14CD", "WD14NM", "geometry"]]
    homes, snaps = _snap(parameters, streets, homes)
    return Ground(areas, wards, streets, homes, snaps)


def smooth_field(points: np.ndarray, scale: float, rng: np.random.Generator, waves: int = 96) -> np.ndarray:
    """A Gaussian random field of mean 0 and variance 1 at points; covariance exp(-d^2 / (2 scale^2)).

    ``points`` n x 2 in metres, ``scale`` in metres. Random cosine waves (Rahimi & Recht 2007), so that it
    can be read at any point without a grid.
    """
    import numpy as np

    frequency = rng.normal(0, 1 / scale, (2, waves))
    phase = rng.uniform(0, 2 * np.pi, waves)
    return np.sqrt(2 / waves) * np.cos(points @ frequency + phase).sum(axis=1)


def _inside(points: np.ndarray, parameters: BoroughParameters, margin: float = 0.0) -> np.ndarray:
    """Whether points lie in the rounded, slightly wavy outline of the borough, 4 wide and 3 high."""
    import numpy as np

    extent = np.sqrt(parameters.areas * parameters.hectares * 1e4)
    x = (points[:, 0] - parameters.centre[0]) / (0.61 * extent - margin)
    y = (points[:, 1] - parameters.centre[1]) / (0.45 * extent - margin)
    angle = np.arctan2(y, x)
    wave = 1 + 0.05 * np.cos(3 * angle + 1) + 0.04 * np.sin(5 * angle)
    return (np.abs(x) ** 3 + np.abs(y) ** 3) ** (1 / 3) < wave


def _lattice(parameters: BoroughParameters, spacing: float, rng: np.random.Generator) -> np.ndarray:
    """Points of a jittered hexagonal lattice over the borough and a margin around it."""
    import numpy as np

    extent = np.sqrt(parameters.areas * parameters.hectares * 1e4)
    half = np.array([0.68, 0.52]) * extent + 4 * spacing
    columns, rows = np.ceil(2 * half / spacing / [1, np.sqrt(0.75)]).astype(int)
    column, row = (a.ravel() for a in np.meshgrid(np.arange(columns), np.arange(rows)))
    x = (column + 0.5 * (row % 2)) * spacing - half[0]
    y = row * spacing * np.sqrt(0.75) - half[1]
    return np.column_stack([x, y]) + rng.uniform(-0.36, 0.36, (len(x), 2)) * spacing + parameters.centre


def _streets(parameters: BoroughParameters, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """An irregular network: triangulated junctions, without long links and a third of the others."""
    import geopandas as gpd
    import numpy as np
    import shapely

    nodes = np.round(_lattice(parameters, parameters.street_spacing, rng), 1)
    nodes = nodes[_inside(nodes, parameters, margin=25)]
    edges = shapely.get_parts(shapely.delaunay_triangles(shapely.MultiPoint(nodes), only_edges=True))
    ends = shapely.get_coordinates(edges).reshape(-1, 4)
    order = np.lexsort(ends.T)
    edges, ends = edges[order], ends[order]
    length = shapely.length(edges)
    keep = (length < 1.7 * parameters.street_spacing) & (
        rng.random(len(edges)) < np.where(length < parameters.street_spacing, 0.7, 0.4)
    )
    edges, ends = edges[keep], ends[keep]
    return gpd.GeoDataFrame({"street": _street_names(ends, rng)}, geometry=edges, crs=CRS)


def _street_names(ends: np.ndarray, rng: np.random.Generator) -> list[str]:
    """Names: at every junction the two straightest arms are one street."""
    import numpy as np

    _, node = np.unique(np.vstack([ends[:, :2], ends[:, 2:]]), axis=0, return_inverse=True)
    count = len(ends)
    edge = np.tile(np.arange(count), 2)
    way = np.arctan2(ends[:, 3] - ends[:, 1], ends[:, 2] - ends[:, 0])
    angle = np.concatenate([way, way + np.pi])
    root = np.arange(count)

    def find(member: int) -> int:
        while root[member] != member:
            root[member] = root[root[member]]
            member = root[member]
        return int(member)

    for arms in np.split(order := np.argsort(node, kind="stable"), np.flatnonzero(np.diff(node[order])) + 1):
        if len(arms) < 2:
            continue
        turn = np.abs(np.mod(angle[arms][:, None] - angle[arms][None, :], 2 * np.pi) - np.pi)
        first, second = np.unravel_index(np.argmin(turn), turn.shape)
        if turn[first, second] < 0.6:
            root[find(edge[arms[first]])] = find(edge[arms[second]])
    streets = np.array([find(i) for i in range(count)])
    _, street = np.unique(streets, return_inverse=True)
    return np.array(_names(int(street.max()) + 1, rng))[street].tolist()


def _names(count: int, rng: np.random.Generator) -> list[str]:
    import numpy as np

    first_parts, second_parts = FIRST.split(), SECOND.split()
    combinations = len(first_parts) * len(second_parts) * len(KINDS)
    draw = rng.permutation(combinations)[np.arange(count) % combinations]
    first, second, kind = np.unravel_index(draw, (len(first_parts), len(second_parts), len(KINDS)))
    again = np.arange(count) // combinations
    return [
        f"{first_parts[a]}{second_parts[b]} {KINDS[c]}"
        + (f" {['North', 'South', 'East', 'West', 'Upper', 'Lower'][n - 1 if n < 7 else 5]}" if n else "")
        for a, b, c, n in zip(first, second, kind, again, strict=True)
    ]


def _homes(
    parameters: BoroughParameters, streets: gpd.GeoDataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Homes on both sides of the streets: terraces close together, villas apart, some streets with none."""
    import numpy as np
    import pandas as pd
    import shapely

    ends = shapely.get_coordinates(streets.geometry.to_numpy()).reshape(-1, 4)
    middle = (ends[:, :2] + ends[:, 2:]) / 2
    length = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1])
    density = np.exp(0.35 * smooth_field(middle, 900, rng) + 0.45 * rng.normal(size=len(ends)))
    density[rng.random(len(ends)) < 0.15] = 0
    wanted = length * density
    # a few homes lie outside the areas in the end, so slightly more are built
    number = rng.poisson(wanted * parameters.areas * parameters.households_per_area * 1.01 / wanted.sum())
    segment = np.repeat(np.arange(len(ends)), number)
    within = np.arange(len(segment)) - np.repeat(np.cumsum(number) - number, number)
    along = (within + rng.uniform(0.2, 0.8, len(segment))) / number[segment]
    side = np.where(within % 2, 1.0, -1.0) * rng.uniform(9, 15, len(segment))
    step = (ends[segment, 2:] - ends[segment, :2]) / length[segment, None]
    point = (
        ends[segment, :2]
        + step * (length[segment] * along)[:, None]
        + np.column_stack([-step[:, 1], step[:, 0]]) * side[:, None]
    )
    point = np.round(point, 1)
    names = streets["street"].to_numpy()[segment]
    return pd.DataFrame(
        {"easting": point[:, 0], "northing": point[:, 1], "segment": segment, "street": names}
    )


def _areas(
    parameters: BoroughParameters, homes: pd.DataFrame, rng: np.random.Generator
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Areas made of blocks, and the homes that lie in them with their area."""
    import geopandas as gpd
    import numpy as np
    import shapely

    seeds = np.round(_lattice(parameters, np.sqrt(parameters.hectares * 1e4 / 14 / np.sqrt(0.75)), rng), 1)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(seeds), ordered=True))
    inside = _inside(seeds, parameters)
    blocks = shapely.transform(cells[inside], lambda xy: np.round(xy, 1))
    point = homes[["easting", "northing"]].to_numpy()
    count = np.bincount(
        shapely.STRtree(shapely.points(seeds)).nearest(shapely.points(point)), minlength=len(seeds)
    )[inside]
    area = _share_blocks(parameters, seeds[inside], count, rng)
    polygons = np.array([shapely.coverage_union_all(blocks[area == i]) for i in range(parameters.areas)])
    centre = shapely.get_coordinates(shapely.centroid(polygons))
    codes = _codes(parameters, centre, rng)
    order = np.argsort(codes["LSOA11CD"])
    frame = gpd.GeoDataFrame(
        {name: values[order] for name, values in codes.items()}, geometry=polygons[order], crs=CRS
    )
    home, place = shapely.STRtree(frame.geometry.to_numpy()).query(
        shapely.points(point), predicate="intersects"
    )
    home, first = np.unique(home, return_index=True)
    homes = homes.iloc[home].assign(area=place[first]).reset_index(drop=True)
    frame["households"] = np.bincount(homes["area"], minlength=len(frame))
    return frame, homes


def _share_blocks(
    parameters: BoroughParameters, blocks: np.ndarray, count: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Blocks dealt to areas near them, so that households come out about right (a power diagram)."""
    import numpy as np

    target = np.clip(rng.lognormal(0, 0.2, parameters.areas), 0.76, 1.45)
    target *= count.sum() / target.sum()
    centre = blocks[
        rng.choice(len(blocks), parameters.areas, replace=False, p=(count + 1) / (count + 1).sum())
    ]
    pull = np.zeros(parameters.areas)
    best, least = np.zeros(len(blocks), dtype=int), np.inf
    for turn in range(40):
        area = _cost(blocks, centre, pull).argmin(axis=1)
        held = np.bincount(area, count, minlength=parameters.areas)
        size = np.bincount(area, minlength=parameters.areas)
        # the best division so far: every area inhabited, and the households of all near their target
        miss = np.abs(np.log((held + 1) / target)).max() + 10 * (held == 0).sum()
        if miss < least:
            best, least = area, miss
        if turn < 20:
            for axis in (0, 1):
                mean = np.bincount(area, blocks[:, axis], minlength=parameters.areas) / np.maximum(size, 1)
                centre[:, axis] = np.where(size > 0, mean, centre[:, axis])
        step = 0.10 if turn < 20 else 0.05
        pull += parameters.hectares * 1e4 * step * np.clip((target - held) / target, -1, 1)
    return best


def _cost(blocks: np.ndarray, centre: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Squared distance of every block to every area's centre, less the area's pull."""
    import numpy as np

    middle = blocks.mean(axis=0)
    near, far = blocks - middle, centre - middle
    return np.add.outer((near**2).sum(axis=1), (far**2).sum(axis=1) - weight) - 2 * near @ far.T


def _codes(
    parameters: BoroughParameters, centre: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Codes and names in the shape of real ones, in a range not in use: E01900001, E05900001, ..."""
    import numpy as np

    count = max(2, round(parameters.areas / parameters.areas_per_ward))
    ward = _groups(centre, count, rng)
    parts = np.zeros(len(centre), dtype=int)
    for group in range(count):
        members = np.flatnonzero(ward == group)
        parts[members] = _groups(centre[members], max(1, round(len(members) / 5)), rng)
    order = np.lexsort([centre[:, 0], parts, ward])
    rank = np.empty(len(order), dtype=int)
    rank[order] = np.arange(len(order))
    _, msoa = np.unique(ward * 1000 + parts, return_inverse=True)
    first = np.array([rank[msoa == group].min() for group in range(msoa.max() + 1)])
    letter = [chr(65 + r - first[m]) for r, m in zip(rank, msoa, strict=True)]
    name = [f"Peelborough {m + 1:03d}" for m in msoa]
    wards = [f"{w.split()[0]} Ward" for w in _names(count * 40, rng)]
    wards = list(dict.fromkeys(wards))[:count]
    return {
        "LSOA11CD": np.array([f"E0190{r + 1:04d}" for r in rank]),
        "LSOA11NM": np.array([n + part for n, part in zip(name, letter, strict=True)]),
        "MSOA11CD": np.array([f"E0290{m + 1:04d}" for m in msoa]),
        "MSOA11NM": np.array(name),
        "WD14CD": np.array([f"E0590{w + 1:04d}" for w in ward]),
        "WD14NM": np.array([wards[w] for w in ward]),
    }


def _groups(points: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Points in compact groups (k-means), numbered from north-west to south-east."""
    import numpy as np

    centre = points[rng.choice(len(points), min(count, len(points)), replace=False)]
    for _ in range(25):
        group = _cost(points, centre, np.zeros(len(centre))).argmin(axis=1)
        held = np.bincount(group, minlength=len(centre))
        for axis in (0, 1):
            mean = np.bincount(group, points[:, axis], minlength=len(centre)) / np.maximum(held, 1)
            centre[:, axis] = np.where(held > 0, mean, centre[:, axis])
    group = _cost(points, centre, np.zeros(len(centre))).argmin(axis=1)
    used, group = np.unique(group, return_inverse=True)
    order = np.argsort(np.argsort(centre[used, 0] - centre[used, 1], kind="stable"), kind="stable")
    return order[group]


def _snap(
    parameters: BoroughParameters, streets: gpd.GeoDataFrame, homes: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Snap points in the middle of streets; those that too few addresses share are given up."""
    import numpy as np
    import pandas as pd
    import shapely

    segments = np.unique(homes["segment"])
    middle = np.round(
        shapely.get_coordinates(
            shapely.line_interpolate_point(streets.geometry.to_numpy()[segments], 0.5, normalized=True)
        ),
        1,
    )
    point = shapely.points(homes[["easting", "northing"]].to_numpy())
    kept = np.ones(len(segments), dtype=bool)
    nearest = shapely.STRtree(shapely.points(middle)).nearest(point)
    while True:
        addresses = np.bincount(nearest, minlength=len(segments))
        few = kept & (addresses < parameters.least_addresses)
        if not few.any() or few.sum() == kept.sum():
            break
        kept &= ~few
        moved = np.flatnonzero(few[nearest])
        nearest[moved] = np.flatnonzero(kept)[
            shapely.STRtree(shapely.points(middle[kept])).nearest(point[moved])
        ]
    position = np.cumsum(kept) - 1
    snaps = pd.DataFrame(
        {
            "easting": middle[kept, 0],
            "northing": middle[kept, 1],
            "street": streets["street"].to_numpy()[segments[kept]],
            "addresses": addresses[kept],
        }
    )
    return homes.assign(snap=position[nearest]), snaps
