"""The chapter on delivery: sentences first, then areas, streets and what came back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from peelian.errors import some
from peelian.report import Block, Section, Text
from peelian.words import day, month, per_cent, percent, several, whole

if TYPE_CHECKING:
    import pandas as pd

    from peelian.places import Places

TITLE = "Deliver"
QUESTION = "How saturated is each area and street, when is the line reached, and what came back?"


@dataclass(frozen=True, eq=False)
class Delivered:
    """Everything that was counted, for sentences, tables and files.

    ``line`` the share of homes that is the target; ``table`` kits and saturation by place and month;
    ``treated`` ids of the programme's areas (``named`` false: it names none, so all with a delivery);
    ``since`` month of the line by place; ``ahead`` forecast for places below it; ``streets``; ``faults``
    places with more kits than homes; ``rejected`` rows of ``rows``; ``recovered`` items by month, or None
    where no file is held.
    """

    line: float
    table: pd.DataFrame
    treated: pd.Index
    named: bool
    since: pd.Series
    ahead: pd.DataFrame
    streets: pd.DataFrame
    faults: pd.DataFrame
    rejected: pd.DataFrame
    rows: int
    recent: int
    recovered: pd.DataFrame | None

    @property
    def at(self) -> pd.Period:
        """The month at whose end everything is counted."""
        return self.table["month"].max()

    @property
    def last(self) -> pd.DataFrame:
        """The state of each place at the end: delivered, households, saturation."""
        return self.table.groupby("place")[["delivered", "households", "saturation"]].last()

    @property
    def state(self) -> pd.DataFrame:
        """The same of the treated areas alone."""
        return self.last.reindex(self.treated)


def section(found: Delivered, areas: Places) -> Section:
    """The chapter: findings, charts, map, tables, what could make it wrong, method."""
    from peelian.deliver.blocks import charts, tables

    findings = [homes(found), reached(found), *streets(found), *pace(found), returned(found)]
    blocks: list[Block] = [Text(words, "finding") for words in findings if words]
    blocks += [*charts(found, areas), *tables(found, areas)]
    blocks += [Text(words, "warning") for words in warnings(found)]
    blocks += [Text(words, "note") for words in notes(found)]
    return Section("deliver", TITLE, QUESTION, tuple(blocks))


def homes(found: Delivered) -> str:
    """Kits given in the treated areas and the share of their homes that this is."""
    state = found.state
    kits, total = int(state["delivered"].sum()), int(state["households"].sum())
    which = several(len(state), "treated area" if found.named else "area")
    share = kits / total if total else 0.0
    words = (
        f"By the end of {month(found.at)}, {whole(kits)} kits had been given in {which}, "
        f"for {whole(total)} homes: {percent(share)}, against a line of {per_cent(found.line)}."
    )
    elsewhere = found.last[~found.last.index.isin(found.treated)]
    if not elsewhere["delivered"].sum():
        return words
    return words + (
        f" A further {whole(elsewhere['delivered'].sum())} went to {several(len(elsewhere), 'area')} that "
        "the programme does not treat."
    )


def reached(found: Delivered) -> str:
    """How many treated areas reached the line, and by how much the others fell short."""
    since = found.since.reindex(found.treated)
    there = since.dropna()
    short = found.ahead[found.ahead["place"].isin(found.treated)]
    words = f"{len(there):,} of {several(len(since), 'area')} reached {per_cent(found.line)} of their homes"
    if len(there):
        words += f", the first in {month(there.min())}"
        words += f" and the last in {month(there.max())}" if there.max() > there.min() else ""
    if short.empty:
        return words + "."
    worst = short.sort_values(["short", "place"], ascending=[False, True]).iloc[0]
    share = found.last.loc[worst["place"], "saturation"]
    return words + (
        f"; {len(short):,} fell short, by {whole(short['short'].sum())} kits in all. Furthest from it is "
        f"{worst['place']}, with {percent(share)} and {whole(worst['short'])} kits to go."
    )


def streets(found: Delivered) -> list[str]:
    """How many streets reached the line, where their dwellings are known."""
    known = found.streets[found.streets["needed"].notna()]
    if found.streets.empty:
        return []
    if known.empty:
        return [
            f"Kits are recorded for {several(len(found.streets), 'street')}, but dwellings for none: "
            "saturation by street is not known."
        ]
    there = int((known["reached"] != "").sum())
    return [
        f"{there:,} of {several(len(known), 'street')} with known dwellings reached {per_cent(found.line)} "
        f"(dwellings are not known for {several(len(found.streets) - len(known), 'street')})."
    ]


def pace(found: Delivered) -> list[str]:
    """When the line would be reached in the areas that are short, at the last months' pace."""
    short = found.ahead[found.ahead["place"].isin(found.treated)]
    if short.empty:
        return []
    dated = short[short["day"] != ""]
    window = f"the {found.recent} months to {month(found.at)}"
    if dated.empty:
        return [f"No kit was given there in {window}, so no day can be named on which the line is reached."]
    final = dated.sort_values("day").iloc[-1]
    latest = f"or later than {day(final['latest'])}" if final["latest"] else "or not within a century"
    words = (
        f"At the pace of {window}, {len(dated):,} of the {len(short):,} would be there by "
        f"{day(final['day'])} (for the last of them the 95 % interval of its pace gives "
        f"{day(final['earliest'])} to "
    )
    words += f"{day(final['latest'])})" if final["latest"] else f"{latest.removeprefix('or ')})"
    rest = len(short) - len(dated)
    return [words + (f"; {rest:,} had no delivery in those months." if rest else ".")]


def returned(found: Delivered) -> str:
    """Items found, marked, traced and returned: no record and a record of none are different answers."""
    if found.recovered is None:
        return (
            "Recovered items: none recorded, because no file of them is held. That is not a record of none."
        )
    if found.recovered.empty:
        return "Recovered items: the file holds no row, so none are recorded. That is not a record of none."
    parts = [_items(found.recovered, name) for name in ("examined", "marked", "traced", "returned")]
    span = f"{month(found.recovered['month'].min())} to {month(found.recovered['month'].max())}"
    words = f"Recovered items, {span}: {', '.join(parts)}."
    values = found.recovered["value"].dropna()
    if len(values):
        words += f" What was returned was worth £{float(values.sum()):,.2f}"
        lacking = int(found.recovered["values_missing"].sum())
        words += f", with {lacking:,} values not recorded." if lacking else "."
    return words


def _items(frame: pd.DataFrame, name: str) -> str:
    import pandas as pd

    total = frame[name].sum(min_count=1)
    if pd.isna(total):
        return f"{name} not recorded"
    return f"{whole(int(total))} {name}" if total else f"none {name} (recorded as none)"


def warnings(found: Delivered) -> list[str]:
    """What could make this wrong."""
    words = []
    if len(found.faults):
        first = found.faults.iloc[0]
        words.append(
            f"More kits than homes are recorded for {several(len(found.faults), 'area')} "
            f"({some(found.faults['place'])}): {first['place']} has {whole(first['delivered'])} kits for "
            f"{whole(first['households'])} homes. Two kits a home, homes built since the count, or another "
            "area's kits? Nothing was clipped."
        )
    if len(found.rejected):
        reasons = found.rejected.groupby(["column", "reason"]).size().sort_values(ascending=False)
        listed = "; ".join(f"{column}: {reason} ({count:,})" for (column, reason), count in reasons.items())
        words.append(
            f"{len(found.rejected):,} of {found.rows:,} rows were refused and are kept in rejected.csv: "
            f"{listed}."
        )
    unknown = found.rejected[found.rejected["reason"] == "not in the places file"]["value"].unique()
    if len(unknown):
        words.append(f"Places that are not in the places file: {some(sorted(unknown))}.")
    empty = found.state[found.state["delivered"] == 0]
    if len(empty):
        words.append(
            f"No delivery at all is recorded for {several(len(empty), 'treated area')}: {some(empty.index)}."
        )
    return words


def notes(found: Delivered) -> list[str]:
    """Method and sources."""
    return [
        f"An area is at the line when the kits given are at least {per_cent(found.line)} of its households, "
        "rounded up to a whole kit: whole numbers are compared, never rounded shares. Households are those "
        "of the places file; of a street, the dwellings that the deliveries file gives. A kit given is not a "
        "kit used.",
        "Intervals of the pace are exact Poisson intervals (Garwood 1936), and assume that it goes on.",
    ]


# -------------------------------------------------------------------- for files
def area_table(found: Delivered, areas: Places) -> pd.DataFrame:
    """One row an area: kits, homes, share, what is short, month of the line, day forecast."""
    from peelian.deliver.dose import months_as_text, needed

    frame = found.last.copy()
    frame["needed"] = needed(frame["households"], found.line)
    frame["short"] = (frame["needed"] - frame["delivered"]).clip(lower=0)
    frame["reached"] = months_as_text(found.since.reindex(frame.index))
    ahead = found.ahead.set_index("place")
    for name in ("day", "earliest", "latest"):
        frame[name] = ahead[name].reindex(frame.index).fillna("")
    frame.insert(0, "treated", frame.index.isin(found.treated) & found.named)
    if "name" in areas.frame:
        frame.insert(0, "name", areas.frame["name"].reindex(frame.index))
    return frame.reset_index()


def map_frame(found: Delivered, areas: Places) -> pd.DataFrame:
    """The areas' shapes with kits, homes and share; missing where nothing was given and nothing was due."""
    frame = areas.frame[["geometry"]].join(found.last[["delivered", "households", "saturation"]])
    frame["treated"] = frame.index.isin(found.treated)
    return frame[["saturation", "delivered", "households", "treated", "geometry"]]


def doses(found: Delivered) -> dict[str, Any]:
    """What other stages read: the state of each place and since when it is at the line."""
    from peelian.deliver.dose import months_as_text

    last = found.last
    since = dict(zip(found.since.index, months_as_text(found.since), strict=True))
    state = found.state
    kits, total = int(state["delivered"].sum()), int(state["households"].sum())
    return {
        "at": str(found.at),
        "line": found.line,
        "treated": {
            "areas": len(state), "kits": kits, "households": total,
            "saturation": kits / total if total else None,
            "reached": int(found.since.reindex(found.treated).notna().sum()),
        },
        "places": {
            str(place): {
                "delivered": int(row["delivered"]), "households": int(row["households"]),
                "saturation": float(row["saturation"]) if row["households"] else None,
                "reached": since[str(place)] or None,
            }
            for place, row in last.iterrows()
        },
        "rows": {"accepted": found.rows - len(found.rejected), "refused": len(found.rejected)},
    }  # fmt: skip


def summary(found: Delivered) -> dict[str, Any]:
    """The headline numbers."""
    held = doses(found)
    return {"at": held["at"], "line": found.line, **held["treated"], "refused_rows": len(found.rejected)}
