"""A project that names the whole class its outcome belongs to: counted beside it, and given to guard G8."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from peelian import loop
from peelian.chapters.context import Context
from peelian.chapters.evaluation import WIDER, evaluate, panel_of
from peelian.project import Project

SIDE = 8
PROJECT = """
[project]
name = "Kits"
crime = ["Residential"]

[places]
file = "areas.gpkg"
id = "code"

[[incidents]]
reader = "table"
file = "crime.csv"
mapping = { start = "date", easting = "x", northing = "y", type = "type" }
crs = 27700
dates = "iso"
precision = "month"

[programme]
areas = "programme.csv"

[evaluate]
permutations = 99
rings = [500]
wider_types = ["Residential", "Business"]
"""


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Context:
    """Burglaries of two types; from January 2016 on, half of the business ones count as residential."""
    folder: Path = tmp_path_factory.mktemp("wider")
    i, j = np.divmod(np.arange(SIDE**2), SIDE)
    shapes = [
        box(500_000 + 1_000 * a, 200_000 + 1_000 * b, 501_000 + 1_000 * a, 201_000 + 1_000 * b)
        for a, b in zip(i, j, strict=True)
    ]
    codes = [f"E{n:04d}" for n in range(SIDE**2)]
    gpd.GeoDataFrame({"code": codes}, geometry=shapes, crs="EPSG:27700").to_file(folder / "areas.gpkg")
    rng, rows = np.random.default_rng(1), []
    for month in pd.period_range("2012-01", "2016-12", freq="M"):
        for kind, mean in (("Residential", 3.0), ("Business", 2.0)):
            area = np.repeat(np.arange(SIDE**2), rng.poisson(mean, SIDE**2))
            moved = (
                (rng.random(len(area)) < 0.5) & (month >= pd.Period("2016-01", "M")) & (kind == "Business")
            )
            rows.append(
                pd.DataFrame(
                    {
                        "date": f"{month}-01", "x": 500_500 + 1_000 * i[area], "y": 200_500 + 1_000 * j[area],
                        "type": np.where(moved, "Residential", kind),
                    }
                )
            )  # fmt: skip
    pd.concat(rows).to_csv(folder / "crime.csv", index=False)
    programme = pd.DataFrame(
        {"place": codes[:12], "arm": "treated", "start": "2016-01", "selected_on": "2012-01..2012-12"}
    )
    programme.to_csv(folder / "programme.csv", index=False)
    (folder / "peelian.toml").write_text(PROJECT, encoding="utf-8")
    loop.run(folder, until="read")
    return Context(Project.load(folder))


def test_the_wider_class_is_counted_beside_the_outcome(context: Context) -> None:
    panel, _ = panel_of(context, context.programme)
    assert panel.frame[WIDER].sum() == len(context.every_incident)
    assert (panel.frame[WIDER] >= panel.frame["count"]).all()


def test_a_move_between_its_types_fires_g8(context: Context) -> None:
    held = evaluate(context).files["assessment.json"]
    (g8,) = [c for c in held["checks"] if c["id"] == "G8"]
    assert g8["fired"]
    assert "in the wider class moves +" in g8["sentence"]
    assert "at January 2016" in g8["sentence"]
    assert not any(c["id"] == "G12" and "wider" in c["sentence"] for c in held["checks"])


def test_crimes_with_harm_weights_are_counted_and_weighed(context: Context) -> None:
    folder = context.project.folder
    (folder / "harm.csv").write_text("type,weight,source\nResidential,20,Index\nBusiness,10,Index\n")
    given = context.project.file.read_text(encoding="utf-8")
    try:
        context.project.file.write_text(f'{given}harm = "harm.csv"\n', encoding="utf-8")
        weighed = Context(Project.load(folder))
        held = evaluate(weighed).files["assessment.json"]
    finally:
        context.project.file.write_text(given, encoding="utf-8")
    rows = {r["type"]: r for r in held["harm"]["rows"]}
    assert set(rows) == {"Residential", "Business"}
    assert rows["Residential"]["treated_after"] == held["headline"]["extra"]["observed"]
    assert not any(c["id"] == "G12" and "harm" in c["sentence"] for c in held["checks"])
