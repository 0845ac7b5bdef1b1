"""What every test shares: one thread a worker, the hypothesis profiles, and the folder of real data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Two workers share two cores. Nothing above imports numpy, which reads these once.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

ROOT = Path(__file__).resolve().parent.parent

# "house": the same examples on every machine and every run. "search": new examples and many of them, for a
# long look by hand: HYPOTHESIS_PROFILE=search.
settings.register_profile(
    "house",
    derandomize=True,
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("search", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The top folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder ``../shared`` with real data and reference numbers; without it the test is skipped."""
    folder = ROOT.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("../shared/data is not beside this checkout: real data are not part of the project.")
    return folder


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any, Any]:
    """The demo run once: its folder, its run, and the rows of truth against findings.

    Every module that uses it carries ``pytest.mark.xdist_group("demo")``, so that one worker runs them all.
    """
    import pandas as pd

    from peelian import tasks

    folder = tmp_path_factory.mktemp("demo") / "borough"
    done, truth = tasks.demo(folder)
    return folder, done, pd.DataFrame(truth).set_index("what")


@pytest.fixture(scope="session")
def public(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A small project for the public, run once: its folder, and the true counts by area.

    Every module that uses it carries ``pytest.mark.xdist_group("public")``, so that one worker runs them all.
    """
    from peelian.loop import run
    from tests.public_project import write_project

    folder = tmp_path_factory.mktemp("public")
    truth = write_project(folder)
    run(folder)
    return folder, truth
