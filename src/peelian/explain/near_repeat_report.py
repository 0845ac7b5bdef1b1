"""The words, tables and chart of near repeats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peelian.report import Block, Chart, Table, Text

if TYPE_CHECKING:
    import pandas as pd

    from peelian.explain.near_repeat import Knox, Reach

NOT_FOR_PLACES = (
    "Near repeats are an association in space and time between recorded events. They do not say that one led "
    "to the next: the same people, the same season or the same reporting can bring both."
)


MEANS = {
    "permute": "dates are dealt at random among all events, exact",
    "within": "dates are dealt at random among the events of one stratum, exact",
    "background": "dates are drawn from a trend by stratum and month, simulated",
}
METRICS = {
    "euclidean": "",
    "manhattan": "Distances are those east and north added up (Manhattan). ",
    "network": "Distances go along streets. ",
}


def sentence(found: Knox) -> str:
    """The finding in one sentence, by the null that allows for local seasons where it was computed."""
    after = f"After {article(found.crime)}"
    if found.near is None:
        text = f"No sign of near repeats of {found.crime} beyond chance."
    else:
        reach, how_long = found.near, lasting(found.near.time, found.bands.unit)
        text = (
            f"{after}, places within {reach.distance:g} m see more than expected for {how_long} "
            f"(ratio {reach.ratio:.2f}, 95 % interval {reach.low:.2f} to "
            f"{reach.high:.2f}, adjusted p {in_words(reach.p)}): {reach.observed:,.0f} pairs, "
            f"{reach.expected:,.0f} expected."
        )
    return f"{text}{_disagreement(found)}"


def _disagreement(found: Knox) -> str:
    """Where dates dealt over the whole area say something else, in a sentence; else nothing."""
    if found.null != "both":
        return ""
    near, other = found.near, found.near_permute
    if other is None:
        return "" if near is None else " Dates dealt over the whole area show no such sign: the two disagree."
    to = f"to {other.distance:g} m and {lasting(other.time, found.bands.unit)}"
    alike = "seasons that differ from place to place look like near repeats there."
    if near is None:
        return f" Dates dealt over the whole area would say otherwise ({to}): {alike}"
    if (near.distance, near.time) == (other.distance, other.time):
        return ""
    return f" Dates dealt over the whole area would show it {to}: {alike}"


def repeats(found: Knox) -> str:
    """Exact repeats in one sentence."""
    place = "the same snap point (not the same address)" if found.snapped else "the same place"
    if found.same_place is None:
        return f"No sign of more {found.crime} than expected at {place}."
    reach = found.same_place
    return (
        f"At {place} there is more than expected for {lasting(reach.time, found.bands.unit)}: "
        f"{reach.observed:,.0f} pairs, {reach.expected:,.1f} expected (ratio {reach.ratio:.2f}, 95 % "
        f"interval {reach.low:.2f} to {reach.high:.2f}, adjusted p {in_words(reach.p)})."
    )


def shares(reach: Reach, unit: str) -> str:
    """How many events follow another, in one sentence."""
    extra = 100 * (reach.share - reach.expected_share)
    return (
        f"{reach.share:.1%} of events have another within {reach.distance:g} m in the "
        f"{lasting(reach.time, unit)} before, {reach.expected_share:.1%} by chance: {extra:.1f} more of "
        "every 100."
    ).replace("% ", " % ")


def article(crime: str) -> str:
    """The crime with its article.

    >>> article("burglary"), article("arson")
    ('a burglary', 'an arson')
    """
    return f"{'an' if crime[:1].lower() in 'aeio' else 'a'} {crime}"


def lasting(time: float, unit: str) -> str:
    """A time with its unit.

    >>> lasting(1, "days"), lasting(7, "days")
    ('1 day', '7 days')
    """
    return f"{time:g} {unit.removesuffix('s') if time == 1 else unit}"


def in_words(p: float) -> str:
    """A p value.

    >>> in_words(0.001), in_words(0.2)
    ('0.001', '0.200')
    """
    return f"{p:.3f}"


def table(found: Knox) -> pd.DataFrame:
    """One row a pair of bands, with the columns of the null that the sentence uses."""
    import pandas as pd

    end = {"permute": "", "background": "_background"}.get(found.null, "_within")
    frame = found.frame
    columns = {
        "Distance": frame["distance"], "Time": frame["time"], "Pairs": frame["observed"].round().astype(int),
        "Expected": frame[f"expected{end}"], "Ratio": frame[f"ratio{end}"],
        "Adjusted p": frame[f"p{end}_adjusted"],
    }  # fmt: skip
    if found.null == "both":
        columns |= {"Ratio, all dates dealt": frame["ratio"], "Adjusted p, all": frame["p_adjusted"]}
    shown = pd.DataFrame(columns)
    if found.bands.rule == "nrc-1.3":
        space, time = found.intervals
        shown.insert(2, "True interval", [f"{a} m, {b}" for a in space for b in time])
    return shown


FORMATS = {
    "Expected": ",.1f", "Ratio": ",.2f", "Adjusted p": ".3f", "Ratio, all dates dealt": ",.2f",
    "Adjusted p, all": ".3f",
}  # fmt: skip


def blocks(found: Knox, *, published: bool) -> list[Block]:
    """Everything the chapter says of near repeats; the first text is the finding."""
    said: list[Block] = [Text(sentence(found), "finding"), Text(repeats(found))]
    if found.near is not None:
        said.append(Text(shares(found.near, found.bands.unit)))
    return [
        *said, _chart(found, published), _table_block(found, published), Text(NOT_FOR_PLACES),
        *(Text(words, "warning") for words in found.warnings), Text(_method(found), "note"),
    ]  # fmt: skip


def _table_block(found: Knox, published: bool) -> Table:
    return Table(
        "near_repeats",
        f"Pairs of events by distance and time: {found.frame['observed'].sum():,.0f} in all bands",
        table(found), FORMATS, counts=("Pairs",), published=published,
        note=f"Expected: mean when {MEANS.get(found.null, MEANS['within'])}. Adjusted p: for all bands "
        f"together.{' Pairs: mean of the drawings, rounded.' if found.drawings > 1 else ''}",
    )  # fmt: skip


def _chart(found: Knox, published: bool) -> Chart:
    from peelian import charts

    shown = table(found)[["Distance", "Time", "Pairs", "Expected", "Ratio"]]
    shown = shown[shown["Ratio"].notna()].reset_index(drop=True)
    title = "No band near the origin shows more pairs than expected"
    if found.near:
        to = f"{found.near.distance:g} m and {lasting(found.near.time, found.bands.unit)}"
        title = f"More pairs than expected within {to}"
    if len(shown):
        top, low = shown.loc[shown["Ratio"].idxmax()], shown.loc[shown["Ratio"].idxmin()]
        alt = (
            f"Ratio of observed to expected pairs by band of time, one line a band of distance. Highest "
            f"{top['Ratio']:.2f} ({top['Distance']}, {top['Time']}); lowest {low['Ratio']:.2f} "
            f"({low['Distance']}, {low['Time']})."
        )
    else:
        alt = "There is no pair to draw."
    spec = charts.points(
        shown, "Time", "Ratio", series="Distance", x_title="time between", y_title="observed / expected",
        reference=1,
    )  # fmt: skip
    return Chart(
        "near_repeat_ratios", title, spec, alt, shown, FORMATS, counts=("Pairs",), published=published
    )


def _method(found: Knox) -> str:
    account = ", ".join(f"{name} {number:,}" for name, number in found.accounting.items())
    dates = {
        "permute": "dates dealt over all events",
        "background": f"dates drawn from the months of {found.strata}, each drawn towards those of all",
    }.get(found.null, f"dates dealt within {found.strata}")
    return (
        f"Knox test (Knox 1964), {found.permutations:,} permutations, seed {found.seed}; {dates}. "
        f"{METRICS[found.metric]}{_timed(found)} A sign: adjusted p at most {found.level:g} and ratio at "
        f"least {found.least_ratio:g} in every band from the nearest out. Incidents: {account}."
    )


def _timed(found: Knox) -> str:
    if found.drawings == 1:
        return "An event has the middle of its window as its time."
    return (
        f"The time of an event was drawn {found.drawings} times from its window, and counts are the mean; "
        "under chance windows are dealt whole."
    )
