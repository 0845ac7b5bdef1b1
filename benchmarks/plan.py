"""The plan stage on London or at London's size: ``power``, ``allocate``, ``rounds``."""

from __future__ import annotations

from pathlib import Path

from benchmarks import measure

ROOT = Path(__file__).resolve().parent.parent


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


def allocate(runs: int) -> dict[str, object]:
    """60,000 kits over the 4,835 areas of London with floors by borough and teams of limited capacity."""
    import geopandas as gpd
    import numpy as np
    import pandas as pd

    from peelian.places import Places
    from peelian.plan import Capacity, Floor
    from peelian.plan import allocate as choose

    path = ROOT.parent / "shared" / "data" / "uk" / "boundaries_london" / "london_lsoa_2011.gpkg"
    if not path.exists():
        raise measure.CannotMeasure(f"Nothing to measure: {path.name} is not beside this checkout.")
    frame = gpd.read_file(path).set_index("LSOA11CD").rename(columns={"HHOLDS": "households"})
    places = Places.of(frame[["households", "LAD11NM", "geometry"]])
    rng = np.random.default_rng(1)
    risk = pd.Series(rng.gamma(2.5, 6.3, len(places)), places.index)
    borough = places.frame["LAD11NM"]
    asked = [Capacity(borough, 2500), Floor.by_households(borough, places.households, kits=58_200, norm=0.5)]
    month = pd.Period("2016-01", "M")
    return {
        "n": len(places),
        **measure.function(
            lambda: choose(
                risk, places, kits=60_000, fitted_on=(month - 60, month - 13), start=month, constraints=asked
            ),
            runs=runs,
        ),
    }


def rounds(runs: int) -> dict[str, object]:
    """Walking order, kits and rounds for 100 areas of 30 streets each."""
    import geopandas as gpd
    import numpy as np
    import pandas as pd
    from shapely import box

    from peelian.places import Places
    from peelian.plan import allocate as choose
    from peelian.plan import street_lists

    rng = np.random.default_rng(1)
    ids = [f"p{n:03d}" for n in range(100)]
    shapes = [box(1000 * n, 0, 1000 * n + 1000, 1000) for n in range(100)]
    places = Places.of(
        gpd.GeoDataFrame({"households": [600] * 100}, index=ids, geometry=shapes, crs="EPSG:27700")
    )
    month = pd.Period("2016-01", "M")
    plan = choose(
        pd.Series(10.0, places.index), places, kits=60_000, fitted_on=(month - 60, month - 13), start=month
    )
    streets = pd.DataFrame(
        {
            "street": [f"s{n:04d}" for n in range(3000)],
            "place": np.repeat(ids, 30),
            "dwellings": 20,
            "x": rng.uniform(0, 1000, 3000) + np.repeat(np.arange(100) * 1000, 30),
            "y": rng.uniform(0, 1000, 3000),
        }
    )
    return {"n": 3000, **measure.function(lambda: street_lists(plan, streets), runs=runs)}
