"""What the public of one area is told: a card, a post, a feed and the numbers, after disclosure control.

An area is a ward or larger. Counts stand in blocks of twelve months that do not overlap, so that no two of
them give a month away; small ones are withheld, with whatever would give them back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from peelian.account.disclosure import HIDDEN, suppress
from peelian.account.trends import TOO_FEW, Change, change, spread_of
from peelian.errors import PrivacyError
from peelian.words import day, percent

if TYPE_CHECKING:
    import pandas as pd

MONTHS_IN_A_YEAR, THOUSAND = 12, 1000
ALL = "all areas"
SHORT, LONG = 280, 500


@dataclass(frozen=True)
class Card:
    """What is said of one area.

    ``blocks``  (last month of twelve, count; None where withheld), oldest first. ``rate`` per 1,000 homes in
    the last block and ``whole_rate`` in all areas together. ``change`` of the last block on the one before.
    """

    id: str
    name: str
    homes: int
    blocks: tuple[tuple[str, int | None], ...]
    change: Change
    rate: float | None
    whole_rate: float | None
    crimes: str
    until: str
    source: str = ""
    note: str = ""
    caution: str = ""
    history: str = ""

    @property
    def now(self) -> int | None:
        """The count of the last twelve months."""
        return self.blocks[-1][1]

    @property
    def before(self) -> int | None:
        """The count of the twelve months before those."""
        return self.blocks[-2][1] if len(self.blocks) > 1 else None

    @property
    def count(self) -> str:
        """How many, in words."""
        if self.now is None:
            return f"Too few recorded {self.crimes} to publish a number"
        return f"{self.now:,} recorded {self.crimes}"

    @property
    def moved(self) -> str:
        """How it changed, in a sentence; an interval stands beside every percentage."""
        if self.before is None or self.now is None:
            return "No comparison with the 12 months before is published."
        if self.change.words == TOO_FEW or self.change.share is None:
            return f"{self.before:,} in the 12 months before: too few to compare. {self.caution}".strip()
        low, high = (signed(end or 0.0) for end in (self.change.low, self.change.high))
        return (
            f"{self.before:,} in the 12 months before: {self.change.words} "
            f"({signed(self.change.share)}, 95 % interval {low} to {high}). {self.caution}"
        ).strip()

    @property
    def compared(self) -> str:
        """The rate beside that of all areas."""
        if self.rate is None or self.whole_rate is None:
            return ""
        return f"{self.rate:.1f} per 1,000 homes; all areas {self.whole_rate:.1f}."

    @property
    def text(self) -> str:
        """The text alternative of the card: everything on it."""
        years = "; ".join(
            f"12 months to {end}: {'withheld' if n is None else f'{n:,}'}" for end, n in self.blocks
        )
        said = [
            f"{self.name}: {self.count} in the 12 months to {self.until}.", self.moved, self.compared,
            self.note, f"Bars: {years}.", self.small_print,
        ]  # fmt: skip
        return " ".join(part for part in said if part)

    @property
    def small_print(self) -> str:
        """What the card rests on."""
        source = f" Source: {self.source}." if self.source else ""
        said = f"Counts are of areas of a ward or larger, never of a street or a home.{source}"
        return said if not self.history or self.history == self.caution else f"{said} {self.history}"

    def post(self, longest: int) -> str:
        """A plain post of at most so many characters: whole sentences, the most important first."""
        said = f"{self.name}: {self.count} in the 12 months to {self.until}."
        for part in (self.moved, self.compared, self.note, self.small_print):
            longer = f"{said} {part}" if part else said
            said = longer if len(longer) <= longest else said
        return said if len(said) <= longest else said[: longest - 1].rsplit(" ", 1)[0] + "…"


def signed(share: float) -> str:
    """A change in per cent, with its sign.

    >>> signed(-0.123), signed(0.05), signed(0)
    ('-12.3 %', '+5.0 %', '0.0 %')
    """
    return ("+" if share > 0 else "") + percent(share)


def cards(
    counts: pd.Series,
    areas: pd.DataFrame,
    *,
    threshold: int,
    least: float,
    fewest_homes: float,
    crimes: str,
    source: str = "",
    notes: dict[str, str] | None = None,
    caution: str = "",
    history: str = "",
) -> list[Card]:
    """The card of every area and of all together, in order of name, all areas first.

    ``counts``  on (place, month); ``areas`` on place ids with ``area``, ``name`` and ``households``.
    ``threshold`` smallest count shown; ``least`` smallest count compared; ``fewest_homes`` an area must hold.
    ``notes``  area -> a sentence of its own; ``caution`` one that stands beside every comparison, ``history``
    one that stands below the bars.

    Blocks of twelve months end with the last month held; at most six. Raises ``PrivacyError`` for an area of
    fewer homes than a ward has. Empty without twelve months.
    """
    table = blocks(counts, areas)
    if table.empty:
        return []
    homes = areas.groupby("area")["households"].sum()
    small = homes[homes < fewest_homes]
    if len(small):
        raise PrivacyError(
            f"Area {small.index[0]} has {small.iloc[0]:,.0f} homes; a card is for a ward or larger, with "
            f"{fewest_homes:,.0f} homes at least. Name a larger area under [account] cards."
        )
    shown = suppress(with_totals(table), threshold=threshold, total_row=ALL, total_column="all")
    spread = _spread(table)
    names = areas.groupby("area")["name"].first()
    held = {**{str(area): str(names[area]) for area in table.index}, ALL: f"All {len(table)} areas together"}
    homes = homes.astype(float)
    homes[ALL] = homes.sum()
    whole_rate = _rate(_plain(shown.loc[ALL, table.columns[-1]]), homes[ALL])
    out = []
    for area in [ALL, *sorted(table.index, key=lambda area: held[str(area)])]:
        numbers = [_plain(shown.loc[area, end]) for end in table.columns]
        moved = Change(None, None, None, TOO_FEW)
        if len(numbers) > 1 and numbers[-1] is not None and numbers[-2] is not None:
            moved = change(numbers[-1], numbers[-2], spread=spread, least=least)
        out.append(Card(
            str(area), held[str(area)], int(homes[area]),
            tuple(zip([_month(end) for end in table.columns], numbers, strict=True)), moved,
            _rate(numbers[-1], homes[area]), whole_rate if area != ALL else None, crimes,
            _month(table.columns[-1]), source, (notes or {}).get(str(area), ""), caution,
                history,
        ))  # fmt: skip
    return out


def blocks(counts: pd.Series, areas: pd.DataFrame) -> pd.DataFrame:
    """Counts by area (rows) and twelve months (columns: their last month), oldest first, at most six."""
    import pandas as pd

    months = pd.PeriodIndex(counts.index.get_level_values("month").astype(str), freq="M")
    area = areas["area"].reindex(counts.index.get_level_values("place")).to_numpy()
    frame = pd.DataFrame({"area": area, "month": months, "count": counts.to_numpy()}).dropna()
    if frame.empty:
        return pd.DataFrame()
    first, last = frame["month"].min(), frame["month"].max()
    ago = (last.ordinal - frame["month"].map(lambda month: month.ordinal)) // MONTHS_IN_A_YEAR
    whole = min((last.ordinal - first.ordinal + 1) // MONTHS_IN_A_YEAR, MONTHS_IN_A_YEAR // 2)
    if not whole:
        return pd.DataFrame()
    frame = frame[ago < whole].assign(end=[last - MONTHS_IN_A_YEAR * int(n) for n in ago[ago < whole]])
    table = frame.pivot_table("count", "area", "end", aggfunc="sum", fill_value=0, observed=True)
    return table.reindex(index=sorted(areas["area"].dropna().unique()), fill_value=0).astype("int64")


def with_totals(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its sums, so that they are part of what is protected."""
    whole = table.copy()
    whole.columns = whole.columns.astype(object)
    whole["all"] = whole.sum(axis=1)
    whole.loc[ALL] = whole.sum()
    return whole


def _spread(table: pd.DataFrame) -> float:
    if table.shape[1] < 2:
        return 1.0
    return spread_of(table.iloc[:, -1], table.iloc[:, -2])


def _plain(value: Any) -> int | None:
    return None if value == HIDDEN else int(value)


def _rate(count: int | None, homes: float) -> float | None:
    return None if count is None or not homes > 0 else THOUSAND * count / homes


def _month(end: Any) -> str:
    return day(f"{end.year}-{end.month:02d}-01").partition(" ")[2]
