"""The benefits register: each promised benefit with owner, measure, baseline, due date and actual."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peelian.account.tables import Row, day, number, read_rows
from peelian.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

CLASSES = ("cashable", "non-cashable", "quality")
KINDS = ("benefit", "disbenefit")
NUMBERS = ("baseline", "target", "actual", "value")
DAYS = ("due", "last_reviewed")
TEXT = ("owner", "beneficiary", "measure", "baseline_source", "evidence", "confidence")
NOT_CLAIMABLE, STALE, OPEN = "not claimable", "stale", "open"
REACHED, MISSED = "reached", "not reached by its due date"


def read_benefits(path: str | Path) -> pd.DataFrame:
    """The register, one row a benefit, in the order of the file.

    Columns: ``id`` and ``benefit`` (required), ``kind`` (benefit or disbenefit), ``class`` (cashable,
    non-cashable, quality), ``owner`` (a role, no name), ``beneficiary``, ``measure``, ``baseline`` with
    ``baseline_source``, ``target``, ``due`` (day), ``actual``, ``value`` (pounds claimed), ``evidence``,
    ``confidence``, ``last_reviewed`` (day). Blanks are allowed; ``judged`` says what they cost.

    Raises ``DataError`` naming every bad line: an id given twice, a wrong class, kind, day or number.
    """
    import pandas as pd

    rows = read_rows(path, ("id", "benefit", "class"), _benefit)
    ids = [row["id"] for row in rows]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise DataError(f"{path}: the id {', '.join(twice)} stands on more than one row. Give each its own.")
    columns = ["id", "benefit", "kind", "class", *TEXT, *NUMBERS, *DAYS]
    return pd.DataFrame(rows, columns=columns)


def _benefit(row: Row) -> dict[str, Any]:
    if not row["id"] or not row["benefit"]:
        raise DataError("id and benefit must both be given")
    kind = row.get("kind", "").lower() or "benefit"
    for name, value, allowed in (("class", row["class"].lower(), CLASSES), ("kind", kind, KINDS)):
        if value not in allowed:
            raise DataError(f"{name} is {value!r}; expected {', '.join(allowed)}")
    when = {name: day(row, name).isoformat() if row.get(name) else "" for name in DAYS}
    numbers = {name: number(row, name) for name in NUMBERS}
    text = {name: row.get(name, "") for name in TEXT}
    return {"id": row["id"], "benefit": row["benefit"], "kind": kind, "class": row["class"].lower()} | (
        text | numbers | when
    )


def judged(register: pd.DataFrame, *, on: date, review_days: float) -> pd.DataFrame:
    """The register with its ``status`` and what it may ``claim`` in pounds, on a day.

    ``not claimable``  no owner, no measure or no baseline: it is listed and claims nothing.
    ``stale``          not reviewed within ``review_days``. ``reached``, ``not reached by its due date`` and
                       ``open`` compare actual with target, in the direction from the baseline.

    Disbenefits claim a negative sum. ``why`` says what is missing or shared: two benefits on one measure may
    count the same thing twice.
    """
    out = register.copy()
    found = [_status(row, on, review_days) for row in register.to_dict("records")]
    shared = register["measure"].where(register["measure"] != "").duplicated(keep=False)
    shared &= register["measure"] != ""
    out["status"] = [status for status, _ in found]
    out["why"] = [
        "; ".join(filter(None, (why, "shares its measure with another benefit" if both else "")))
        for (_, why), both in zip(found, shared, strict=True)
    ]
    sign = register["kind"].map({"benefit": 1.0, "disbenefit": -1.0})
    value = register["value"].fillna(0.0) * sign
    out["claims"] = value.where(out["status"] != NOT_CLAIMABLE, 0.0)
    return out


def _status(row: dict[str, Any], on: date, review_days: float) -> tuple[str, str]:
    blank = [name for name in ("owner", "measure") if not row[name]]
    blank += ["baseline"] if row["baseline"] != row["baseline"] else []
    if blank:
        return NOT_CLAIMABLE, f"no {', no '.join(blank)}"
    reviewed = row["last_reviewed"]
    if not reviewed or (on - date.fromisoformat(reviewed)).days > review_days:
        return STALE, f"last reviewed {reviewed or 'never'}"
    target, actual, baseline = row["target"], row["actual"], row["baseline"]
    if target == target and actual == actual:
        rising = target >= baseline
        if (actual >= target) if rising else (actual <= target):
            return REACHED, ""
    late = bool(row["due"]) and date.fromisoformat(row["due"]) < on
    return (MISSED, f"due {row['due']}") if late else (OPEN, "")


def overclaimed(register: pd.DataFrame, most: float | None) -> str:
    """A sentence where what is claimed exceeds what the evaluation can bear; empty otherwise.

    ``register`` of ``judged``; ``most`` pounds at the simulated 95 % point, None where none is held.
    """
    claimed = float(register["claims"].sum())
    if claimed <= 0:
        return ""
    if most is None:
        return f"The register claims £{claimed:,.0f}, and no measured effect stands behind it."
    if claimed <= most:
        return ""
    return f"The register claims £{claimed:,.0f}; the evaluation bears £{most:,.0f} at most (95 % point)."
