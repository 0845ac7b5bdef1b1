"""The words, table and curve of concentration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peelian.report import Block, Chart, Table, Text

if TYPE_CHECKING:
    import pandas as pd

    from peelian.explain.lorenz import Concentration

FORMATS = {
    "Share of crime": ".0%", "Share of places": ".1%", "Share of places with any": ".1%", "By chance": ".1%",
    "Chance, low": ".1%", "Chance, high": ".1%",
}  # fmt: skip


def sentence(found: Concentration) -> str:
    """The finding in one sentence, beside what chance would give."""
    half = found.shares[found.shares["crime"] == 0.5].iloc[0]
    return (
        f"Half of {found.crime} lies in {100 * half['share_of_places']:.1f} % of {found.unit} "
        f"({half['places']:,.0f} of {found.n:,}); chance alone would need {100 * half['by_chance']:.1f} % "
        f"(95 % range {100 * half['chance_low']:.1f} to {100 * half['chance_high']:.1f} %)."
    )


def overlap_sentence(found: Concentration) -> str:
    """How far the top places stay the same, in one sentence; empty where there is one year only."""
    top = found.overlap[found.overlap["top"] == 0.05] if len(found.overlap) else found.overlap
    if top.empty:
        return ""
    return (
        f"From one year to the next, the top 5 % of {found.unit} overlap by "
        f"{100 * top['overlap'].min():.0f} to "
        f"{100 * top['overlap'].max():.0f} % (Jaccard; 100 % is the same places)."
    )


def alike_sentence(found: Concentration) -> str:
    """How alike the first and the last year are place by place; empty where there is one year only."""
    if found.alike is None:
        return ""
    first, last, alike = found.alike
    return (
        f"Place by place, {100 * alike.robust:.0f} % of the {alike.places_robust:,} {found.unit} with any "
        f"{found.crime} in {first} or {last} hold a share of {first} within the 95 % range of their share of "
        f"{last} (Andresen's S, robust; {100 * alike.s:.0f} % of all {alike.places:,})."
    )


def table(found: Concentration) -> pd.DataFrame:
    """Places that hold a quarter, half and four fifths of the crime."""
    frame = found.shares.copy()
    frame.columns = [
        "Share of crime", "Places", "Share of places", "Share of places with any", "By chance", "Chance, low",
        "Chance, high",
    ]  # fmt: skip
    return frame


def blocks(found: Concentration) -> list[Block]:
    """What the chapter says of concentration; the first text is the finding."""
    more = [Text(words) for words in (overlap_sentence(found), alike_sentence(found)) if words]
    years = [_overlaps(found)] if len(found.overlap) else []
    return [
        Text(sentence(found), "finding"), *more, _curve(found), *years,
        Table(
            "concentration", f"Fewest {found.unit} that hold a share of the crime", table(found), FORMATS,
            note="By chance: the same number of incidents dealt to all places at random; mean and 95 % "
            "range.",
        ),
        Text(_method(found), "note"),
    ]  # fmt: skip


def _overlaps(found: Concentration) -> Table:
    """The overlap of the top places from each year to the next."""
    frame = found.overlap.pivot(index="year", columns="top", values="overlap").reset_index()
    shares = [f"Top {100 * top:g} %" for top in frame.columns[1:]]
    frame.columns = ["Year", *shares]
    years = (frame["Year"] - 1).astype(str) + " to " + frame["Year"].astype(str)
    return Table(
        "overlap", f"How far the top {found.unit} of one year are those of the next",
        frame.assign(Year=years), dict.fromkeys(shares, ".0%"),
        note="Jaccard: places in both years' top over places in either; places that tie at the cut count in "
        "part.",
    )  # fmt: skip


def _curve(found: Concentration) -> Chart:
    from peelian import charts

    curve = found.lorenz
    step = max(len(curve) // 200, 1)
    frame = curve.iloc[sorted({*range(0, len(curve), step), len(curve) - 1})].reset_index(drop=True)
    empty = 1 - found.occupied / found.n
    return Chart(
        "lorenz",
        f"Generalised Gini {found.generalised:.2f} (95 % interval {found.low:.2f} to {found.high:.2f})",
        charts.lines(frame, "places", "crime", x_title="share of places", y_title="share of crime"),
        f"Lorenz curve, places from the emptiest: {100 * empty:.1f} % of places hold no incident; the "
        "curve ends at all places and all crime.",
        frame, {"places": ".3f", "crime": ".3f"},
    )  # fmt: skip


def _method(found: Concentration) -> str:
    account = ", ".join(f"{name} {number:,}" for name, number in found.accounting.items())
    return (
        f"Gini {found.gini:.3f}; generalised, which is 0 when every crime has a place of its own, "
        f"{found.generalised:.3f} (Bernasco & Steenbeek 2017; interval by places drawn again); of the rates "
        f"behind the counts {found.mixed:.3f} (Poisson-gamma, Mohler et al. 2019). {found.occupied:,} of "
        f"{found.n:,} {found.unit} have any. Incidents: {account}."
    )
