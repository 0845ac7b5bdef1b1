"""The documentation builds without a warning and fetches nothing from elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built pages."""
    out = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    run = subprocess.run(
        [*build, "-d", str(out / "doctrees"), str(ROOT / "docs"), str(out / "html")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert run.returncode == 0, run.stderr
    return out / "html"


def test_pages_load_nothing_from_the_network(site: Path) -> None:
    fetched = [
        f"{page.relative_to(site)}: {address}"
        for page in site.rglob("*.html")
        for tag in BeautifulSoup(page.read_text("utf-8"), "html.parser").select("[src], link[href]")
        if (address := str(tag.get("src") or tag.get("href"))).startswith(("http:", "https:", "//"))
    ]
    assert not fetched, "\n".join(fetched)


def test_every_folder_of_the_documentation_is_reached(site: Path) -> None:
    text = (site / "index.html").read_text("utf-8")
    folders = ["tutorials", "how-to", "reference", "explanation", "decisions"]
    assert [folder for folder in folders if f'href="{folder}/' not in text] == []
