"""The words, tables and map of hot spots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peelian.report import Block, Chart, Table, Text

if TYPE_CHECKING:
    import pandas as pd

    from peelian.explain.hot_spots import HotSpots, Patterns
    from peelian.places import Places

ORDER = ("hot 99 %", "hot 95 %", "hot 90 %", "none", "cold 90 %", "cold 95 %", "cold 99 %")
ADJUSTED = {
    "fdr": "of the places marked at 95 %, at most 5 % are expected to be marked by chance",
    "bonferroni": "the chance of marking any place falsely is at most that of the level",
    "none": "not adjusted for asking about every place: one place in twenty is marked by chance",
}


def sentence(found: HotSpots) -> str:
    """The finding in one sentence."""
    hot = found.frame.loc[found.hot, "count"]
    total = found.frame["count"].sum()
    share = 100 * len(hot) / len(found.frame)
    by = " by rates per household" if found.rates else ""
    if not len(hot):
        return (
            f"No place has more {found.crime} in and round it than counts dealt out at random would give "
            f"({len(found.frame):,} places, level {100 * (1 - found.alpha):g} %)."
        )
    return (
        f"{len(hot):,} of {len(found.frame):,} places ({share:.1f} %) are hot spots of {found.crime}{by}; "
        f"they hold {hot.sum():,.0f} of {total:,.0f} incidents ({100 * hot.sum() / total:.1f} %)."
    )


def patterns_sentence(found: Patterns) -> str:
    """Which hot spots last, in one sentence."""
    number = found.frame["pattern"].value_counts()
    parts = [
        f"{number.get(name, 0):,} {name}" for name in ("persistent", "emerging", "former", "intermittent")
    ]
    text = f"Over {len(found.periods)} periods the hot spots of {found.crime} are: {', '.join(parts)}."
    if found.empty:
        text += f" Left out, no incident: {', '.join(found.empty)}."
    return text


def table(found: HotSpots) -> pd.DataFrame:
    """Places and incidents by class."""
    import pandas as pd

    groups = found.frame.groupby("class")["count"].agg(["size", "sum"]).reindex(ORDER, fill_value=0)
    return pd.DataFrame({
        "Class": ORDER, "Places": groups["size"].to_numpy(),
        "Share of places": (groups["size"] / len(found.frame)).to_numpy(),
        "Incidents": groups["sum"].to_numpy(),
        "Share of incidents": (groups["sum"] / max(found.frame["count"].sum(), 1)).to_numpy(),
    })  # fmt: skip


def blocks(found: HotSpots, lasting: Patterns | None, places: Places, *, published: bool) -> list[Block]:
    """What the chapter says of hot spots; the first text is the finding."""
    said: list[Block] = [Text(sentence(found), "finding")]
    if lasting is not None:
        said.append(Text(patterns_sentence(lasting)))
    frame = table(found)
    said += [
        _map(found, places, frame, published),
        Table(
            "hot_spots", f"{len(found.hot):,} places are hot, {len(found.cold):,} cold", frame,
            {"Share of places": ".1%", "Share of incidents": ".1%"}, counts=("Incidents",),
            published=published,
        ),
        Text(_method(found), "note"),
    ]  # fmt: skip
    if lasting is not None:
        said.insert(-1, _patterns_table(lasting))
    return said


def _map(found: HotSpots, places: Places, frame: pd.DataFrame, published: bool) -> Chart:
    from peelian import maps

    shown = found.frame["class"]
    held = tuple(name for name in ORDER if (shown == name).any())
    title = f"Hot spots: {len(found.hot):,} of {len(shown):,} places"
    spec = maps.places_map(places, shown, legend="class", kind="categories", order=held)
    alt = "Map of places by class: " + ", ".join(f"{(shown == name).sum():,} {name}" for name in held) + "."
    return Chart(
        "hot_spots_map", title, spec, alt, frame[["Class", "Places", "Incidents"]], counts=("Incidents",),
        published=published,
    )  # fmt: skip


def _patterns_table(lasting: Patterns) -> Table:
    number = lasting.frame["pattern"].value_counts().rename_axis("Pattern").rename("Places").reset_index()
    number = number.sort_values(["Places", "Pattern"], ascending=[False, True], ignore_index=True)
    return Table(
        "hot_spot_patterns", f"Hot spots over {len(lasting.periods)} periods", number,
        note=f"Recent: the last {lasting.recent} of {lasting.periods[0]} to {lasting.periods[-1]}. "
        f"Incidents: {', '.join(f'{name} {number:,}' for name, number in lasting.accounting.items())}.",
    )  # fmt: skip


def _method(found: HotSpots) -> str:
    how = (
        "p as if the values of all other places were dealt at random, exact for whole counts"
        if found.p == "permutation"
        else "p by the normal distribution"
    )
    if found.rates:
        how = f"rates by household, drawn to the mean where there are few (Assunção & Reis 1999); {how}"
    name, own = ("Gi*", "included") if found.include_self else ("Gi", "left out")
    account = ", ".join(f"{what} {number:,}" for what, number in found.accounting.items())
    lone = f" {found.isolated:,} places have no neighbour." if found.isolated else ""
    return (
        f"{name} (Getis & Ord 1992; Ord & Getis 1995) over places that touch, the place itself {own}; {how}; "
        f"{ADJUSTED[found.adjust]}.{lone} Incidents: {account}."
    )
