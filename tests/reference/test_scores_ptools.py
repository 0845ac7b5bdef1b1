"""PAI, PEI and RRI of the unit case of ptools.

Provenance: ptools (R, Andrew Wheeler), in ``reference/rtm/small_cases.json``, case ``pai_pei_rri``. Its
pessimistic rule for ties does not arise: no prediction is tied. Tolerance 1e-12: a few divisions.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from peelian.arithmetic.scores import capture


@pytest.mark.parametrize("score", ["PAI", "PEI", "RRI"])
def test_ptools_unit_case(shared: Path, score: str) -> None:
    text = (shared / "reference" / "rtm" / "small_cases.json").read_text("utf-8")
    case = json.loads(text)["pai_pei_rri"]
    size = np.array(case["area"], float)
    held = capture(
        np.array(case["predicted"], float),
        np.array(case["observed"]),
        shares=np.cumsum(size) / size.sum(),
        size=size,
    )
    assert getattr(held, score.lower()) == pytest.approx(case[score], abs=1e-12)
