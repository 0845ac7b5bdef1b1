"""What stands on the ground: features along the streets, and the risk that they bring to homes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peelian.borough.ground import CRS, smooth_field

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    import pandas as pd

    from peelian.borough.ground import Ground
    from peelian.borough.parameters import BoroughParameters, Factor


def place_features(parameters: BoroughParameters, ground: Ground) -> gpd.GeoDataFrame:
    """Features along the streets, each category with clusters of its own.

    Columns ``category``, ``subcategory``, ``name``, ``easting``, ``northing``, ``as_of``, ``licence``,
    ``source``.
    """
    import geopandas as gpd
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng([parameters.seed, 2])
    parts = [_features_of(factor, parameters, ground, rng) for factor in parameters.factors]
    frame = pd.concat(parts, ignore_index=True)
    frame["as_of"] = parameters.first_month
    frame["licence"] = "CC0-1.0"
    frame["source"] = "Peelborough, invented"
    return gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(frame["easting"], frame["northing"]), crs=CRS)


def _features_of(
    factor: Factor, parameters: BoroughParameters, ground: Ground, rng: np.random.Generator
) -> pd.DataFrame:
    import numpy as np
    import pandas as pd
    import shapely

    ends = shapely.get_coordinates(ground.streets.geometry.to_numpy()).reshape(-1, 4)
    length = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1])
    density = length * np.exp(factor.clustering * smooth_field((ends[:, :2] + ends[:, 2:]) / 2, 450, rng))
    number = min(max(3, round(factor.per_hundred_areas * parameters.areas / 100)), len(ends))
    segment = rng.choice(len(ends), number, replace=False, p=density / density.sum())
    step = (ends[segment, 2:] - ends[segment, :2]) / length[segment, None]
    offset = np.column_stack([-step[:, 1], step[:, 0]]) * rng.choice([-6.0, 6.0], number)[:, None]
    along = (length[segment] * rng.uniform(0.1, 0.9, number))[:, None]
    point = np.round(ends[segment, :2] + step * along + offset, 1)
    street = ground.streets["street"].to_numpy()[segment]
    label = factor.subcategory.split(" - ")[-1].split("/")[0]
    return pd.DataFrame(
        {
            "category": factor.category,
            "subcategory": factor.subcategory,
            "name": [f"{name} {label.lower()} {i + 1}" for i, name in enumerate(street)],
            "easting": point[:, 0],
            "northing": point[:, 1],
        }
    ).sort_values(["easting", "northing"])


def home_risk(parameters: BoroughParameters, ground: Ground, features: gpd.GeoDataFrame) -> pd.DataFrame:
    """Lasting risk of every home (mean 1), and whether it lies within reach of each planted factor.

    Columns ``risk`` (the product), ``area_factor``, ``field``, and one true/false column a planted category.
    """
    import numpy as np
    import pandas as pd
    import shapely

    rng = np.random.default_rng([parameters.seed, 3])
    point = ground.homes[["easting", "northing"]].to_numpy()
    gamma = rng.gamma(parameters.area_shape, 1 / parameters.area_shape, len(ground.areas))
    frame = pd.DataFrame({"area_factor": gamma[ground.homes["area"]]})
    frame["field"] = np.exp(parameters.field_sd * smooth_field(point, parameters.field_range, rng))
    risk = (frame["area_factor"] * frame["field"]).to_numpy()
    homes = shapely.points(point)
    for factor in parameters.planted:
        here = features.geometry[features["category"] == factor.category].to_numpy()
        pairs = shapely.STRtree(here).query_nearest(homes, max_distance=factor.reach, all_matches=False)
        within = np.zeros(len(homes), dtype=bool)
        within[pairs[0]] = True
        frame[factor.category] = within
        risk = risk * np.where(within, factor.relative_risk, 1)
    frame["risk"] = risk / risk.mean()
    return frame
