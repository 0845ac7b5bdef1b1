"""A small programme with every record, for the tests of account: two treated areas, one not, one year."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from peelian.programme import Programme

COLUMNS = "date,financial_year,line,quantity,unit,unit_price,planned,committed,actual"
LEDGER = f"""{COLUMNS},funder,inside_budget,decision,document
2016-04-02,2016-17,kits,5000,kit,12.50,60000,62500,62500,Force,yes,D1,I1
2016-05-27,,staff,400,hour,22,9000,,8800,Council,no,D1,I2
2017-06-01,2017/18,kits,1000,kit,12.60,,12600,12600,Force,yes,D2,I3
"""
RECOVERIES = "month,examined,marked,traced,returned\n2016-05,20,7,,\n2016-06,30,8,,\n"
DOCUMENTS = "date,title,kind\n2016-01-04,Decision to buy,decision\n2016-09-01,Review of year one,report\n"
MONTHS = ("2014-04", "2017-03")


def assessment(
    code: str = "PREVENTED", words: str = "Fewer burglaries than expected", **changes: Any
) -> dict:
    """What evaluate leaves: 872 burglaries in treated areas after, 218 fewer than expected."""
    return {
        "outcome": "burglary",
        "verdict": {"code": code, "words": words, "path": [], "would_change": "One more year of data."},
        "headline": {"name": "rate ratio", "estimate": 0.8, "low": 0.7, "high": 0.92,
                     "sentence": "0.80 times the burglaries expected (95 % interval 0.70 to 0.92).",
                     "se_method": "jackknife over areas", "source": "recorded crime"},
        "prevented": {"estimate": 218.0, "low": 79.0, "high": 357.0},
        "comparison": {"rows": [{"group": "treated", "before": 1100, "after": 872}], "expected": 1090.0},
        "rings": [{"ring": "0 to 250 m", "estimate": 1.02, "low": 0.9, "high": 1.15}],
        "words_displacement": "neither found",
        "checks": [{"id": "G6", "name": "overdispersion", "fired": True}],
        "window": {"before": ["2015-04", "2016-03"], "after": ["2016-04", "2017-03"], "months": 12},
        "se_log": 0.069,
    } | changes  # fmt: skip


def programme(**changes: Any) -> Programme:
    """The promise of MOPAC decision PCD 536, on two areas."""
    areas = pd.DataFrame(
        {
            "arm": ["treated", "treated", "control"],
            "start": pd.PeriodIndex(["2016-04", "2016-05", None], freq="M"),
            "households": [3000, 3000, 5000],
        },
        index=pd.Index(["a", "b", "c"], name="place"),
    )
    promise = {"budget": 5.6e6, "kits": 440_000, "prevented": 7652, "hours": 109_567, "decision": "PCD 536"}
    return Programme("Kits", areas, **(promise | changes))


def saturation() -> pd.DataFrame:
    """Kits by place and month as deliver leaves them: 2,400 in a, 2,500 in b."""
    rows = [("a", "2016-04", 1000, 1000), ("a", "2016-06", 1400, 2400), ("b", "2016-06", 2500, 2500)]
    frame = pd.DataFrame(rows, columns=["place", "month", "kits", "delivered"]).assign(households=3000)
    return frame.assign(saturation=frame["delivered"] / frame["households"])


def counts() -> pd.Series:
    """Three financial years of monthly counts in three places."""
    months = pd.period_range(*MONTHS, freq="M")
    index = pd.MultiIndex.from_product([["a", "b", "c"], months], names=["place", "month"])
    return pd.Series([(7 * i) % 11 for i in range(len(index))], index=index)


def records(folder: Path) -> dict[str, Any]:
    """Every input of the stage by name, as ``run`` takes them."""
    for name, text in (("ledger", LEDGER), ("recoveries", RECOVERIES), ("documents", DOCUMENTS)):
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return {
        "assessment": assessment(),
        "programme": programme(),
        "saturation": saturation(),
        "counts": counts(),
        "ledger": folder / "ledger.csv",
        "recoveries": folder / "recoveries.csv",
        "documents": folder / "documents.csv",
    }
