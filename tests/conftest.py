"""What every test shares: one thread a worker, the hypothesis profiles, and the folder of real data."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Two workers share two cores. Nothing above imports numpy, which reads these once.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
ROOT = Path(__file__).resolve().parent.parent

# modules that share what is dear to make; otherwise a worker takes one module after another
TOGETHER = {
    "tests/recovery/test_demo.py": "demo",
    "tests/recovery/test_demo_parts.py": "demo",
    "tests/recovery/test_dirty_extract.py": "demo",
    "tests/security/test_offline.py": "demo",
    "tests/spec/test_accessibility.py": "demo",
    "tests/spec/test_account_command.py": "public",
    "tests/security/test_small_counts.py": "public",
}

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


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """One worker a module, and one for modules that stand ``TOGETHER``: what they share is made once."""
    from xdist.scheduler import LoadScopeScheduling

    class ByModule(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            module = nodeid.split("::")[0]
            return TOGETHER.get(module, module)

    return ByModule(config, log)


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

    ``TOGETHER`` names every module that uses it, so that one worker runs them all.
    """
    import pandas as pd

    from peelian import tasks

    folder = tmp_path_factory.mktemp("demo") / "borough"
    done, truth = tasks.demo(folder)
    return folder, done, pd.DataFrame(truth).set_index("what")


@pytest.fixture(scope="session")
def public(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A small project for the public, run once: its folder, and the true counts by area.

    ``TOGETHER`` names every module that uses it, so that one worker runs them all.
    """
    from peelian.loop import run
    from tests.public_project import write_project

    folder = tmp_path_factory.mktemp("public")
    truth = write_project(folder)
    run(folder)
    return folder, truth


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real browser; ``.ci/run`` installs it."""
    if BROWSER is None:
        pytest.skip("No Chromium on this machine, so nobody can look at the page or press its keys.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield opened
        opened.close()
