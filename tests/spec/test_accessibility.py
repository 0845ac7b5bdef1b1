"""The report passes an automated accessibility check (axe-core, WCAG 2.2 A and AA) in a real browser.

Needs Debian's Chromium, which ``.ci/run`` installs; without a browser the test is skipped, and the checks of
structure in test_report.py still run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


@pytest.mark.parametrize(("name", "width"), [("desktop", 1280), ("phone", 360)])
def test_axe_finds_nothing_wrong(demo: tuple[Path, Any, Any], browser: Any, name: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto((demo[0] / "report" / "report.html").as_uri())
    found = Axe().run(page, options=RULES).response["violations"]
    page.close()
    assert not found, [(v["id"], v["help"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found]


def test_the_page_asks_for_nothing_from_anywhere(demo: tuple[Path, Any, Any], browser: Any) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((demo[0] / "report" / "report.html").as_uri())
    page.wait_for_load_state("networkidle")
    page.close()
    assert [url for url in asked if not url.startswith("file:")] == []


def test_a_phone_need_not_scroll_sideways(demo: tuple[Path, Any, Any], browser: Any) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 800})
    page.goto((demo[0] / "report" / "report.html").as_uri())
    wide = page.evaluate("() => document.documentElement.scrollWidth")
    page.close()
    assert wide <= 360
