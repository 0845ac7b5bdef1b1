"""Programme: what was decided, promised and bought. Plan: arm, kits and dates by place."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError, DesignError, some

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

ARMS = ("treated", "control", "excluded")
COLUMNS = (
    "arm", "start", "end", "kits", "households", "selected_from", "selected_to",
    "assigned_by", "block", "probability", "note",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Programme:
    """A decision to prevent crime at places: money, kits, promises, and which places from when.

    ``areas``       frame on place ids: ``arm`` (``treated``; ``control`` asked for by name; ``excluded``
                    from the comparison, with a ``note`` saying why), ``start`` and ``end`` (months;
                    ``start`` is the first month with delivery), ``kits``, ``households``,
                    ``selected_from`` and ``selected_to`` (the months the choice rested on),
                    ``assigned_by`` (the unit that was chosen, such as a ward), ``block``,
                    ``probability``, ``note``. Places not listed are untreated.
    ``budget`` in pounds, ``kits`` bought, ``unit_cost`` in pounds a kit, ``saturation`` the share of homes
    to reach, ``prevented`` and ``hours`` the promise, ``decision`` its reference, ``randomised``.

    >>> Programme("Kits", budget=5_600_000, kits=440_000).cost_per_kit
    12.727272727272727
    """

    name: str
    areas: pd.DataFrame = None
    budget: float | None = None
    kits: int | None = None
    unit_cost: float | None = None
    saturation: float = 0.85
    prevented: float | None = None
    hours: float | None = None
    decision: str = ""
    randomised: bool = False
    source: str = ""

    def __post_init__(self) -> None:
        import pandas as pd

        check_saturation(self.saturation)
        for name in ("budget", "kits", "unit_cost", "prevented", "hours"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise DataError(f"[programme] {name} is {value}; it must be 0 or more.")
        if self.areas is None:
            empty = pd.DataFrame(columns=list(COLUMNS), index=pd.Index([], name="place", dtype="str"))
            object.__setattr__(self, "areas", empty)

    @property
    def cost_per_kit(self) -> float | None:
        """Pounds a kit: the unit cost where stated, else budget over kits."""
        if self.unit_cost is not None:
            return self.unit_cost
        return self.budget / self.kits if self.budget and self.kits else None

    @property
    def treated(self) -> pd.DataFrame:
        """The rows of the treated arm."""
        return self.areas[self.areas["arm"] == "treated"]

    def waiting(self, last: pd.Period) -> pd.Index:
        """Treated places that start after the month ``last``, such as the last month of data."""
        return self.treated.index[(self.treated["start"] > last).to_numpy(bool)]


def check_saturation(share: float) -> None:
    """Raise ``DataError`` unless the saturation target is a share above 0 and at most 1."""
    if not 0 < share <= 1:
        hint = f" Did you mean {share / 100:g}?" if 1 < share <= 100 else ""
        raise DataError(f"saturation is a share above 0 and at most 1; got {share:g}.{hint}")


def kits_needed(households: int, saturation: float) -> int:
    """Kits that bring so many households to the saturation target, counted in whole numbers.

    The share is taken at its decimal value, so that 0.55 of 20 homes is 11 and not 12.

    >>> kits_needed(549, 0.85)
    467
    >>> kits_needed(20, 0.55)
    11
    """
    share = Fraction(Decimal(str(saturation)))
    return -((-share.numerator * int(households)) // share.denominator)


def read_programme(path: Path) -> pd.DataFrame:
    """The ``areas`` of a Programme from a CSV file, checked row by row.

    Columns: ``place`` and ``arm`` (required), ``start`` (required where treated), ``end``, ``kits``,
    ``households``, ``selected_on`` (``2014-01..2014-12``), ``assigned_by``, ``block``, ``probability``,
    ``note``. Other columns are kept. Dates are months (``2016-05``) or days, of which the month counts.

    Raises ``DataError`` with file, line, column, what stands there and what was expected.
    """
    import pandas as pd

    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle)
            header = reader.fieldnames or []
            rows = list(reader)
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file. [programme] areas names it.") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text ({error.reason}). Save it as CSV UTF-8.") from error
    missing = [name for name in ("place", "arm") if name not in header]
    if missing:
        raise DataError(f"{path}: lacks the column {some(missing)}; it has {some(header)}.")
    records = [_row(row, path.name, line) for line, row in enumerate(rows, start=2)]
    frame = pd.DataFrame(records, columns=["place", *COLUMNS, *[c for c in header if c not in _KNOWN]])
    twice = frame["place"][frame["place"].duplicated()]
    if len(twice):
        raise DataError(f"{path}: {len(twice)} places stand more than once: {some(twice.unique())}.")
    for name in ("start", "end", "selected_from", "selected_to"):
        frame[name] = pd.PeriodIndex(frame[name], freq="M")
    for name in ("kits", "households", "probability"):
        frame[name] = pd.to_numeric(frame[name])
    return frame.set_index("place").sort_index()


def spread(areas: pd.DataFrame, member: pd.Series, households: pd.Series | None) -> pd.DataFrame:
    """Areas of a programme named by a larger unit (a ward), as one row a place inside it.

    ``areas``       as ``read_programme`` gives them, on the larger unit's id.
    ``member``      Series on place ids: the larger unit that each place belongs to.
    ``households``  Series on place ids; the unit's kits are shared out by them (evenly without).

    Each place's ``assigned_by`` is the larger unit, for that is what was chosen: twelve wards are twelve,
    however many places they hold. ``DataError`` names units that no place belongs to.

    >>> import pandas as pd
    >>> wards = pd.DataFrame({"arm": ["treated"], "kits": [30.0], "assigned_by": [""]}, index=["w"])
    >>> ward_of = pd.Series({"a": "w", "b": "w", "c": "x"})
    >>> spread(wards, ward_of, pd.Series({"a": 1, "b": 2, "c": 9}))["kits"].tolist()
    [10.0, 20.0]
    """
    strange = areas.index[~areas.index.isin(member)]
    if len(strange):
        raise DataError(f"The programme names {some(strange)}, to which no place belongs.")
    inside = member[member.isin(areas.index)]
    rows = areas.loc[inside].set_axis(inside.index.rename("place"))
    rows["assigned_by"] = inside
    weight = (
        inside.map(lambda _: 1.0) if households is None else households.reindex(inside.index).astype(float)
    )
    share = weight / weight.groupby(inside).transform("sum")
    rows["kits"] = rows["kits"] * share
    if households is not None:
        rows["households"] = households.reindex(inside.index)
    return rows.sort_index()


_KNOWN = ("place", "selected_on", *COLUMNS)


def _row(row: Mapping[str | None, Any], file: str, line: int) -> dict[str, Any]:
    """One row of programme.csv, or a DataError that names file, line and column."""
    at = f"{file}, line {line}"
    if None in row:
        raise DataError(f"{at}: has more fields than the header. A comma inside a value needs quotes.")
    cell = {str(name): (value or "").strip() for name, value in row.items()}
    if not cell["place"]:
        raise DataError(f"{at}: place is blank. Every row needs the id of its place.")
    if cell["arm"] not in ARMS:
        raise DataError(f"{at}: arm is {cell['arm']!r}; expected {', '.join(ARMS)}.")
    record: dict[str, Any] = cell | {name: _month(cell.get(name, ""), at, name) for name in ("start", "end")}
    first, last = _months(cell.get("selected_on", ""), at)
    record |= {"selected_from": first, "selected_to": last}
    if cell["arm"] == "treated" and record["start"] is None:
        raise DataError(
            f"{at}: start is blank, but {cell['place']} is treated. Give the first month with delivery."
        )
    if record["start"] is not None and record["end"] is not None and record["end"] < record["start"]:
        raise DataError(
            f"{at}: ends ({record['end']}) before it starts ({record['start']}). "
            "Are the two dates the wrong way round?"
        )
    for name in ("kits", "households", "probability"):
        record[name] = _number(cell.get(name, ""), at, name)
    return record | {name: cell.get(name, "") for name in ("assigned_by", "block", "note")}


def _month(text: str, at: str, column: str) -> pd.Period | None:
    import pandas as pd

    if not text:
        return None
    try:
        return pd.Period(text, freq="M")
    except ValueError:
        raise DataError(f"{at}: {column} is {text!r}; expected a month such as 2016-05.") from None


def _months(text: str, at: str) -> tuple[pd.Period | None, pd.Period | None]:
    if not text:
        return None, None
    first, dots, last = text.partition("..")
    if not dots:
        raise DataError(f"{at}: selected_on is {text!r}; expected two months such as 2014-01..2014-12.")
    begin, stop = _month(first, at, "selected_on"), _month(last, at, "selected_on")
    if begin is not None and stop is not None and stop < begin:
        raise DataError(f"{at}: selected_on runs backwards: {text}.")
    return begin, stop


def _number(text: str, at: str, column: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text.replace(",", "").removeprefix("£"))
    except ValueError:
        raise DataError(f"{at}: {column} is {text!r}; expected a number.") from None
    if value < 0:
        raise DataError(f"{at}: {column} is {value:g}; it must be 0 or more.")
    return value


@dataclass(frozen=True, eq=False)
class Plan:
    """Which places get how many kits from when, and what the choice was fitted on.

    ``frame``        on place ids, every place considered: ``arm`` (``treated`` or ``control``), ``kits``,
                     ``households``, ``risk`` (expected incidents a year), ``rank``, ``start`` (month).
    ``fitted_on``    first and last month whose incidents the risk rests on.
    ``start``        first month of delivery.
    ``gap_months``   whole months that must lie between the end of ``fitted_on`` and ``start``, so that a
                     clean baseline year exists. 12 unless asked otherwise; less is said on every page.
    ``protocol``     SHA-256 of the frozen evaluation plan, or empty.
    ``summary``      numbers of the allocation: kits used, objective, bound, gap, greedy's value, ...

    Raises ``DesignError`` for a plan whose risk reaches into its baseline.
    """

    frame: pd.DataFrame
    fitted_on: tuple[pd.Period, pd.Period]
    start: pd.Period
    gap_months: int = 12
    saturation: float = 0.85
    seed: int | None = None
    protocol: str = ""
    summary: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        first, last = self.fitted_on
        if last < first:
            raise DesignError(f"fitted_on runs backwards: {first} to {last}.")
        if self.clean_months < self.gap_months:
            raise DesignError(
                f"Risk was fitted to {last} and the programme starts {self.start}: only "
                f"{max(self.clean_months, 0)} months lie between, so the months chosen on are also compared "
                f"with. Areas chosen like this fall with nothing done. Use risk fitted to "
                f"{self.start - 1 - self.gap_months}, randomise, or pass gap_months="
                f"{max(self.clean_months, 0)} and the report will say so on every page."
            )

    @property
    def clean_months(self) -> int:
        """Whole months between the last one the risk was fitted on and the start."""
        return int((self.start - self.fitted_on[1]).n) - 1

    @property
    def overlaps_baseline(self) -> bool:
        """True where fewer than 12 clean months lie between choice and start."""
        return self.clean_months < 12

    @property
    def chosen(self) -> pd.DataFrame:
        """The treated places, most risk per kit first."""
        return self.frame[self.frame["arm"] == "treated"].sort_values("rank")

    def __str__(self) -> str:
        chosen = self.chosen
        share = chosen["risk"].sum() / self.frame["risk"].sum() if self.frame["risk"].sum() else 0.0
        text = (
            f"{len(chosen):,} of {len(self.frame):,} areas, {int(chosen['kits'].sum()):,} kits, "
            f"{share:.1%} of expected incidents; risk to {self.fitted_on[1]}, start {self.start}"
        )
        return text + (": overlaps the baseline." if self.overlaps_baseline else ".")
