"""A backtest that is stopped goes on from the origins it has finished, with the same result to the last byte."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from shapely import box

from peelian.cli import main
from peelian.incidents import Incidents
from peelian.loop import run
from peelian.places import Places
from peelian.predict import EWMA, Counts, PriorHistory
from peelian.predict.backtest import Backtest, backtest
from peelian.predict.checkpoint import Checkpoints
from peelian.tasks import finished_origins
from tests.public_project import write_project

CELLS = Places.grid(gpd.GeoSeries([box(0, 0, 600, 500)], crs="EPSG:27700"), 100)
RATES = np.random.default_rng(1).gamma(1, 1, len(CELLS))
PRIOR = pd.Series(RATES, CELLS.index)


class Stopped(Exception):
    """What a crash is here."""


class StopsAt:
    """Counts of a year, that crash at one call."""

    words = "counts that crash"

    def __init__(self, call: int | None) -> None:
        self.call, self.calls = call, 0

    def __call__(self, incidents: Incidents, places: Places, period: object) -> pd.Series:
        self.calls += 1
        if self.calls == self.call:
            raise Stopped
        return Counts(12)(incidents, places, period)


class Fitted:
    """Learnt once every three origins: the mean so far."""

    def fit(self, incidents: Incidents, places: Places, before: object) -> Fitted:
        learnt = Fitted()
        learnt.level = len(incidents) / 1000  # type: ignore[attr-defined]
        return learnt

    def __call__(self, incidents: Incidents, places: Places, period: object) -> pd.Series:
        return pd.Series(self.level, places.index)  # type: ignore[attr-defined]


def incidents(drop: int = 0) -> Incidents:
    rng = np.random.default_rng(2)
    months = pd.period_range("2015-01", "2018-12", freq="M").to_timestamp()
    counts = rng.poisson(RATES, (len(months), len(CELLS)))
    month, cell = np.nonzero(counts)
    times = np.repeat(np.arange(len(month)), counts[month, cell])[drop:]
    start = pd.Series(months[month[times]])
    frame = gpd.GeoDataFrame(
        {"start": start, "end": start + pd.offsets.MonthBegin(1), "type": "Burglary", "source": "simulated"},
        geometry=CELLS.points.iloc[cell[times]].to_numpy(), crs=CELLS.crs,
    )  # fmt: skip
    return Incidents(frame, precision="month")


INCIDENTS = incidents()


def walked(
    call: int | None, store: Path | None, refit: int = 1, held: Incidents = INCIDENTS
) -> tuple[Backtest, StopsAt]:
    crashing = StopsAt(call)
    methods = {"ewma": EWMA(), "blend": PriorHistory(PRIOR), "fitted": Fitted(), "crashing": crashing}
    return backtest(methods, held, CELLS, origins=10, refit=refit, seed=1, store=store), crashing


def same(one: Backtest, other: Backtest) -> None:
    pd.testing.assert_frame_equal(one.by_origin, other.by_origin, check_exact=True)
    pd.testing.assert_frame_equal(one.pairs, other.pairs, check_exact=True)
    for name, forecast in one.forecasts.items():
        assert forecast.tobytes() == other.forecasts[name].tobytes()


@pytest.mark.parametrize("refit", [1, 3])
def test_a_crash_in_the_middle_costs_only_what_was_not_finished(tmp_path: Path, refit: int) -> None:
    with pytest.raises(Stopped):
        walked(8, tmp_path, refit)
    assert len(list(tmp_path.rglob("*.npz"))) == 7
    resumed, crashing = walked(None, tmp_path, refit)
    assert crashing.calls == {1: 3, 3: 4}[refit]  # learned methods go back to their last fit
    same(resumed, walked(None, None, refit)[0])


def test_other_incidents_start_anew(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        walked(8, tmp_path)
    fewer = incidents(drop=5)
    other, crashing = walked(None, tmp_path, held=fewer)
    assert crashing.calls == 10
    same(other, walked(None, None, held=fewer)[0])


def test_a_file_of_another_backtest_is_not_taken(tmp_path: Path) -> None:
    Checkpoints(tmp_path, "a" * 64).save(5, {"counts": np.ones(3)}, {})
    assert Checkpoints(tmp_path, "b" * 64).load(5) is None
    held = Checkpoints(tmp_path, "a" * 64).load(5)
    assert held is not None
    assert held[0]["counts"].tolist() == [1.0, 1.0, 1.0]


def test_the_key_depends_on_parameters_and_prior() -> None:
    def key(method: object) -> str:
        return Checkpoints.of(Path(), INCIDENTS, CELLS, {"m": method}).key

    assert key(EWMA(12)) == key(EWMA(12))
    assert len({key(EWMA(12)), key(EWMA(6)), key(PriorHistory(PRIOR)), key(PriorHistory(PRIOR + 1))}) == 4


def test_another_layer_is_another_backtest() -> None:
    """What a learned method learns from besides incidents is part of what its forecasts rest on."""
    import geopandas as gpd
    from shapely import Point

    from peelian.layers import Layer, Layers
    from peelian.predict import PoissonRidge
    from peelian.predict.beside import Beside
    from peelian.predict.checkpoint import _told

    def method(x: float) -> PoissonRidge:
        pubs = gpd.GeoDataFrame(geometry=[Point(x, 0)], crs="EPSG:27700")
        return PoissonRidge(beside=Beside(Layers.of([Layer("pub", pubs)]), used=("layers",)))

    assert _told(method(1)) == _told(method(1))
    assert _told(method(1)) != _told(method(2))


# -------------------------------------------------------------------- from the command line
PREDICT = """
[predict]
methods = []
origins = 6
grids = "one"

[predict.audit]
on = false
"""


def project(folder: Path) -> Path:
    folder.mkdir()
    write_project(folder)
    settings = folder / "peelian.toml"
    settings.write_text(settings.read_text("utf-8").replace("cell = 250", "cell = 500") + PREDICT, "utf-8")
    return folder


def test_the_command_goes_on_from_a_crash_and_ends_the_same(tmp_path: Path) -> None:
    def crash(stage: str, done: int, total: int) -> None:
        if stage == "predict" and done == 4:
            raise Stopped

    stopped, whole = project(tmp_path / "stopped"), project(tmp_path / "whole")
    with pytest.raises(Stopped):
        run(stopped, until="predict", progress=crash)
    resumed = CliRunner().invoke(main, ["predict", str(stopped), "--resume"])
    assert resumed.exit_code == 0, resumed.output
    assert "4 origins of a run that was stopped are taken up." in resumed.stderr
    run(whole, until="predict")
    for name in ("backtest.csv", "backtest_origins.csv", "risk.csv", "cells.parquet"):
        assert (stopped / "predict" / name).read_bytes() == (whole / "predict" / name).read_bytes()
    again = CliRunner().invoke(main, ["predict", str(stopped), "--resume"])
    assert "0 origins of a run" in again.stderr


def test_fresh_without_resume_starts_anew(tmp_path: Path) -> None:
    folder = project(tmp_path / "fresh")
    kept = folder / ".peelian" / "backtest" / "abc" / "1.npz"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"")
    assert finished_origins(folder) == 1
    assert finished_origins(folder, keep=False) == 0
    assert not kept.exists()
