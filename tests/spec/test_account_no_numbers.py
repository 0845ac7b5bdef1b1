"""No number about cost, hours, discounting or thresholds stands in the code of account: figures hold them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "peelian" / "account"
STRUCTURE = {
    0: "nothing", 1: "one", 2: "a pair, twice", 3: "a table with a sum, columns of a key", 4: "April",
    12: "months in a year", 60: "minutes in an hour", 100: "per cent, pence in a pound", 0.5: "a median",
    0.05: "a percentile", 0.95: "a percentile", 10_000: "draws", 1e-6: "slack of a solver", 0.0101: "a penny",
    0.02: "rounding of a census table", 1000: "a rate per 1,000 homes", 280: "a short post", 500: "a long post",
}  # fmt: skip
LAYOUT = (
    "html.py",
    "pdf.py",
    "word.py",
    "excel.py",
    "ods.py",
    "picture.py",
    "slider.py",
)  # they lay out pages
FILES = sorted(path for path in PACKAGE.glob("*.py") if path.name not in LAYOUT)


def numbers(source: str) -> list[tuple[int, float]]:
    """Line and value of every number in a source."""
    return [
        (node.lineno, node.value)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_policy_number_stands_in_code(path: Path) -> None:
    found = [
        f"line {line}: {value}" for line, value in numbers(path.read_text("utf-8")) if value not in STRUCTURE
    ]
    assert not found, f"{path.name}: {'; '.join(found)}. Put it into figures/*.toml and ask for it by name."


@pytest.mark.parametrize("code", ["cost = 530", "rate = 0.035", "hours = kits * 14.3187", "hide = n < 5"])
def test_the_scan_finds_a_policy_number(code: str) -> None:
    assert [value for _, value in numbers(code) if value not in STRUCTURE]
