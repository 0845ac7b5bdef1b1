"""Every public claim on MetTrace, reconciled: the derived numbers of mettrace_claims.json.

Provenance: reference/evaluate/mettrace_claims.json (claims are quoted facts; ratios were derived there).
Tolerances as that file gives them: 1e-9 for ratios, 0.5 for counts, 5e-6 for rate ratios.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from peelian.account.claims import movements, reconcile

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "evaluate"
if not FOLDER.is_dir():
    pytest.skip("../shared/reference is not beside this checkout.", allow_module_level=True)
REFERENCE: dict[str, Any] = json.loads((FOLDER / "mettrace_claims.json").read_text("utf-8"))
RATIOS, COUNTS, IRR = (REFERENCE["tolerance"][name] for name in ("ratios", "counts", "irr"))
NAMES = {  # ratio of the file -> column of reconcile
    "money_per_burglary": "money_per_crime",
    "hours_per_burglary": "hours_per_crime",
    "money_per_hour": "money_per_hour",
    "social_per_burglary": "social_per_crime",
    "minutes_saved_per_kit": "minutes_per_kit",
    "kits_per_burglary": "kits_per_crime",
    "kits_per_burglary_gross": "kits_per_crime",
}
ROWS = {"2015 launch": 0, "year 1": 2, "year 2": 3, "Jan 2018": 4, "MQT 2018/1840": 5, "PCD 536": 6}


@pytest.fixture(scope="module")
def claims() -> pd.DataFrame:
    return reconcile(pd.DataFrame(REFERENCE["claims"]))


@pytest.mark.parametrize(
    ("claim", "ratio"),
    [(claim, ratio) for claim, held in REFERENCE["ratios"].items() for ratio in held if ratio in NAMES],
)
def test_a_ratio_of_a_claim(claims: pd.DataFrame, claim: str, ratio: str) -> None:
    found = claims.at[ROWS[claim], NAMES[ratio]]
    assert found == pytest.approx(REFERENCE["ratios"][claim][ratio], rel=RATIOS)


@pytest.mark.parametrize(
    ("column", "claim", "key", "tolerance"),
    [
        ("ratio", "year 1", ("year_1_reconciliation", "irr"), IRR),
        ("net_prevented", "year 1", ("year_1_reconciliation", "prevented_net"), COUNTS),
        ("baseline", "year 1", ("year_1_reconciliation", "treated_before"), COUNTS),
        ("gross_over_net", "year 1", ("year_1_reconciliation", "gross_over_net"), 1e-9),
        ("ratio", "Jan 2018", ("jan_2018", "irr"), IRR),
        ("net_prevented", "Jan 2018", ("jan_2018", "prevented_net"), COUNTS),
        ("ratio", "MQT 2018/1840", ("mqt_2018_1840", "irr"), IRR),
        ("net_prevented", "MQT 2018/1840", ("mqt_2018_1840", "prevented_net"), COUNTS),
        ("baseline", "MQT 2018/1840", ("mqt_2018_1840", "treated_before"), COUNTS),
        ("other_baseline", "MQT 2018/1840", ("mqt_2018_1840", "other_before"), COUNTS),
    ],
)
def test_what_a_claim_implies(
    claims: pd.DataFrame, column: str, claim: str, key: tuple[str, str], tolerance: float
) -> None:
    assert claims.at[ROWS[claim], column] == pytest.approx(REFERENCE[key[0]][key[1]], abs=tolerance)


def test_year_one_is_a_rate_ratio_of_769(claims: pd.DataFrame) -> None:
    assert round(claims.at[ROWS["year 1"], "ratio"], 3) == 0.769


def test_money_per_burglary_moves_as_the_findings_say(claims: pd.DataFrame) -> None:
    assert movements(claims)[0] == "Pounds for one crime move from claim to claim: 714, 676, 667, 1,000."


def test_hours_per_burglary_move_as_the_findings_say(claims: pd.DataFrame) -> None:
    assert (
        movements(claims)[1] == "Hours for one crime move from claim to claim: 20.0, 18.8, 20.3, 20.0, 14.3."
    )
