"""Synthetic difference in differences of California's Proposition 99.

Numbers: ../shared/reference/evaluate/prop99.json (Arkhangelsky et al. 2021; tolerance 1e-4, what two programs
agree to). Data: ../shared/data/world/eval_prop99, never part of this project.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from peelian.errors import DesignError
from peelian.evaluate.single import sdid


def test_proposition_99(shared: Path) -> None:
    path = shared / "data" / "world" / "eval_prop99" / "california_prop99.csv"
    if not path.is_file():
        pytest.skip(f"{path.name} is not here")
    wide = pd.read_csv(path).pivot(index="State", columns="Year", values="PacksPerCapita")
    wanted = json.loads((shared / "reference" / "evaluate" / "prop99.json").read_text())["sdid"]
    found = sdid(wide.to_numpy(), wide.index == "California", 1989 - 1970)
    assert found.att == pytest.approx(wanted["att"], abs=wanted["tolerance"])


def test_too_few_untreated_units_are_refused() -> None:
    with pytest.raises(DesignError, match="1 untreated"):
        sdid([[1, 2, 3], [1, 2, 3]], [1, 0], 2)
