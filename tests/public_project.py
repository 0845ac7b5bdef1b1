"""A small project with a force's own counts, for the public: 120 areas in 2 wards, most of their counts small."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry import box

AREAS = 120
SETTINGS = """
[project]
name = "Kits in two wards"
crime = ["Burglary"]
outcome = "burglary"
audience = "public"
formats = ["docx", "xlsx", "ods"]

[places]
file = "areas.gpkg"
id = "code"
name = "area"
households = "homes"
cell = 250

[[incidents]]
reader = "table"
file = "crimes.csv"
mapping = { start = "date", type = "kind", easting = "x", northing = "y", place = "code" }
dates = "iso"

[programme]
areas = "programme.csv"
unit_cost = 12.5

[deliver]
deliveries = "deliveries.csv"

[account]
cards = "ward"
"""


def write_project(folder: Path) -> pd.Series:
    """Write the project's files, and return the true counts by area."""
    rng = np.random.default_rng(1829)
    side, origin = 500, (520_000, 180_000)
    corners = [(origin[0] + side * (at % 8), origin[1] + side * (at // 8)) for at in range(AREAS)]
    codes = [f"E0{at:07d}" for at in range(AREAS)]
    areas = gpd.GeoDataFrame(
        {"code": codes, "area": [f"Square {at}" for at in range(AREAS)], "homes": rng.integers(60, 90, AREAS),
         "ward": ["West Ward" if at % 8 < 4 else "East Ward" for at in range(AREAS)]},
        geometry=[box(x, y, x + side, y + side) for x, y in corners], crs=27700,
    )  # fmt: skip
    areas.to_file(folder / "areas.gpkg")
    rate = rng.gamma(0.7, 0.25, AREAS) + 0.1
    months = pd.period_range("2015-01", "2018-12", freq="M")
    rows = []
    for at, code in enumerate(codes):
        for month in months:
            for _ in range(rng.poisson(rate[at])):
                x, y = (c + rng.integers(5, side - 5) for c in corners[at])
                rows.append((f"{month}-{rng.integers(1, 28):02d}", "Burglary", x, y, code))
    crimes = pd.DataFrame(rows, columns=["date", "kind", "x", "y", "code"])
    crimes.to_csv(folder / "crimes.csv", index=False)
    treated = codes[:24]
    pd.DataFrame(
        {"place": treated, "arm": "treated", "start": "2017-01", "selected_on": "2015-01..2015-12"}
    ).to_csv(folder / "programme.csv", index=False)
    kits = [(place, month, int(rng.integers(1, 30))) for place in treated for month in ("2017-01", "2017-02")]
    pd.DataFrame(kits, columns=["place", "month", "kits"]).to_csv(folder / "deliveries.csv", index=False)
    (folder / "peelian.toml").write_text(SETTINGS, encoding="utf-8")
    return crimes["code"].value_counts().reindex(codes, fill_value=0)
