"""Claims made in public, and what arithmetic says about them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from peelian.account.costs import MINUTES_IN_AN_HOUR
from peelian.account.tables import Row, number, read_rows
from peelian.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

NUMBERS = (
    "treated_change_pct", "other_change_pct", "prevented", "treated_fewer", "other_more", "money", "hours",
    "kits", "social_value",
)  # fmt: skip
PERCENT = 100


def read_claims(path: str | Path) -> pd.DataFrame:
    """Claims as they were made, one row each, in order of date.

    Columns ``date`` (text as published), ``source``, and any of: ``treated_change_pct`` and
    ``other_change_pct`` (-27.5 is a fall), ``prevented`` or ``treated_fewer`` (crimes fewer in treated
    places), ``other_more``, ``money`` and ``social_value`` (pounds), ``hours``, ``kits``. Raises
    ``DataError`` naming every bad line.
    """
    import pandas as pd

    rows = read_rows(path, ("date", "source"), _claim)
    return pd.DataFrame(rows, columns=["date", "source", *NUMBERS]).sort_values(
        ["date", "source"], ignore_index=True
    )


def _claim(row: Row) -> dict[str, Any]:
    if not row["source"]:
        raise DataError("source is blank; say who made the claim")
    return {"date": row["date"], "source": row["source"]} | {name: number(row, name) for name in NUMBERS}


def reconcile(claims: pd.DataFrame) -> pd.DataFrame:
    """What each claim implies: its baseline, rate ratio, net number, and money and hours for one crime.

    ``claims``  columns of ``read_claims``; those absent count as not held.

    Columns added: ``fewer`` (as claimed), ``baseline`` (fewer / change), ``other_baseline``, ``ratio`` =
    (1 + treated) / (1 + other change), ``net_prevented`` = treated after x (1 / ratio - 1),
    ``gross_over_net``, ``money_per_crime``, ``hours_per_crime``, ``money_per_hour``, ``social_per_crime``,
    ``kits_per_crime``, ``kits_per_net_crime``, ``minutes_per_kit``, ``missing`` (what a reader would need
    and the claim does not say).

    >>> import pandas as pd
    >>> claim = pd.DataFrame({"treated_change_pct": [-27.5], "other_change_pct": [-5.7]})
    >>> reconcile(claim)["ratio"].round(3).item()
    0.769
    """
    out = claims.reindex(columns=list(dict.fromkeys([*claims.columns, *NUMBERS])))
    out[list(NUMBERS)] = out[list(NUMBERS)].astype(float)
    treated, other = out["treated_change_pct"] / PERCENT, out["other_change_pct"] / PERCENT
    out["fewer"] = out["prevented"].fillna(out["treated_fewer"])
    out["baseline"] = out["fewer"] / -treated
    out["other_baseline"] = out["other_more"] / other
    out["ratio"] = (1 + treated) / (1 + other)
    out["net_prevented"] = out["baseline"] * (1 + treated) * (1 / out["ratio"] - 1)
    out["gross_over_net"] = out["fewer"] / out["net_prevented"]
    out["money_per_crime"] = out["money"] / out["fewer"]
    out["hours_per_crime"] = out["hours"] / out["fewer"]
    out["money_per_hour"] = out["money"] / out["hours"]
    out["social_per_crime"] = out["social_value"] / out["fewer"]
    out["kits_per_crime"] = out["kits"] / out["fewer"]
    out["kits_per_net_crime"] = out["kits"] / out["net_prevented"]
    out["minutes_per_kit"] = out["hours"] * MINUTES_IN_AN_HOUR / out["kits"]
    out["missing"] = [_missing(row) for row in out[list(NUMBERS)].isna().to_dict("records")]
    return out


def movements(reconciled: pd.DataFrame) -> list[str]:
    """A sentence for each ratio that moves from claim to claim, in order of the rows.

    >>> import pandas as pd
    >>> movements(reconcile(pd.DataFrame({"prevented": [10.0, 10.0], "money": [7140.0, 6760.0]})))
    ['Pounds for one crime move from claim to claim: 714, 676.']
    """
    told = {
        "money_per_crime": ("Pounds for one crime", ",.0f"),
        "hours_per_crime": ("Hours for one crime", ",.1f"),
        "treated_change_pct": ("Changes in treated places, in per cent,", "+,.1f"),
        "other_change_pct": ("Changes elsewhere, in per cent,", "+,.1f"),
    }
    out = []
    for name, (words, form) in told.items():
        values = [format(value, form) for value in reconciled[name].dropna()]
        if len(set(values)) > 1:
            out.append(f"{words} move from claim to claim: {', '.join(values)}.")
    return out


def _missing(absent: dict[str, bool]) -> str:
    named = {
        "the change in treated places": absent["treated_change_pct"],
        "the change elsewhere": absent["other_change_pct"],
        "how many fewer": absent["prevented"] and absent["treated_fewer"],
        "kits": absent["kits"],
    }
    return ", ".join(
        [*(name for name, gone in named.items() if gone), "counts by area", "dates", "an interval"]
    )
