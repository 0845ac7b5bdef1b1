"""The chapter on the Risk Terrain: sentences in fixed words, tables, charts, and what could make it wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peelian.report import Block, Chart, Section, Table, Text

if TYPE_CHECKING:
    import pandas as pd

    from peelian.explain.model import RiskTerrain
    from peelian.layers import Layers
    from peelian.places import Places

TITLE = "Explain: features of the place"
QUESTION = "Which features of places go with this crime, how far do they reach, how sure are we?"
WHY_CAUTIOUS = (
    "A search over many distances finds factors that are not there: on simulated maps with eight irrelevant "
    "factors it chose at least one in 22 % of maps with independent cells and in 55 to 80 % of maps where "
    "nearby "
    "cells are alike. So a factor is reported only if it passes four checks that the search cannot make of "
    "itself."
)
WHY_CAUTIOUS_MODERN = (
    "Where nearby cells are alike, features that have nothing to do with the crime fit it by chance: on "
    "simulated maps with eight of them a search by BIC chose at least one nearly always. So a factor is "
    "reported only if it passes four checks that a model cannot make of itself."
)
ASSOCIATION = (
    "These are associations between places. They do not say what makes crime happen there, and say nothing "
    "about people."
)


MOST_FINDINGS = 3  # factors told of before all else; the rest follow
MAP_BREAKS = (0.5, 1.0, 1.5, 2.0)  # times the average


# -------------------------------------------------------------------- sentences
def sentence(terrain: RiskTerrain) -> str:
    """The finding in one sentence."""
    about = f"{capital(terrain.crime)}{when(terrain)}"
    tried = len(terrain.factors)
    if len(terrain.terms) and (terrain.terms["verdict"] == "not judged").all():
        verb = "the model keeps" if terrain.mode == "modern" else "the search chose"
        return f"{about}: {verb} {len(terrain.terms)} of {tried} factors; not every check was run."
    reported = terrain.reported
    if reported.empty:
        return f"{about} goes with none of the {tried} factors tried in a way that passes every check."
    strongest = reported.iloc[0]
    return (
        f"{about} goes with {len(reported)} of {tried} factors tried; strongest: "
        f"{terrain.words[strongest['variable']]}, "
        f"{strongest['times']:.2f} times as frequent "
        f"(95 % interval {strongest['robust_low']:.2f} to {strongest['robust_high']:.2f})."
    )


def narrative(terrain: RiskTerrain, term: pd.Series) -> str:
    """One factor in one sentence: distance, times, interval, verdict and its reason."""
    from peelian.explain.modern_report import reach_sentence

    text = (
        f"{capital(terrain.words[term['variable']])}, {terrain.crime} is {term['times']:.2f} times as "
        "frequent as "
        f"elsewhere, other factors alike (95 % interval {term['robust_low']:.2f} to "
        f"{term['robust_high']:.2f}, "
        f"which allows for {terrain.extent.many} of one tile being alike)."
        f"{reach_sentence(terrain, term)} Reading: {term['verdict']} ({term['reason']})."
    )
    return f"{text} Note: {term['note']}." if term["note"] else text


def not_reported(terrain: RiskTerrain) -> str:
    """What was tried and is not reported, and the part chance plays in it."""
    modern = terrain.mode == "modern"
    chosen = set(terrain.terms["factor"])
    reported = set(terrain.reported["factor"])
    held_back = [label(name) for name in terrain.terms["factor"] if name not in reported]
    never = len(terrain.factors) - len(chosen)
    were = "was" if never == 1 else "were"
    by = "kept by the model" if modern else "chosen by the search"
    text = f"{never} of the {len(terrain.factors)} factors tried {were} not {by}"
    if held_back:
        were, are = ("was", "is") if len(held_back) == 1 else ("were", "are")
        verb = "kept" if modern else "chosen"
        text += f"; {len(held_back)} {were} {verb} but {are} not reported as findings: {listed(held_back)}"
    return f"{text}. {WHY_CAUTIOUS_MODERN if modern else WHY_CAUTIOUS}"


def concentrated(terrain: RiskTerrain, share: float = 0.05) -> str:
    """How much crime the top cells hold, in the fit and in the half that did not choose the model."""
    from peelian.explain.problem import AT_RANDOM
    from peelian.explain.terrain import captured

    held = captured(terrain.times_average, terrain.counts, share, terrain.extent.weights())
    text = (
        f"The {terrain.extent.highest(percent(share))} hold {percent(held)} of the "
        "incidents it was "
        f"fitted on ({held * terrain.counts.sum():,.0f} of {terrain.counts.sum():,}; in-sample)."
    )
    capture = terrain.inference.get("capture") or {}
    if capture:
        fitted, later = "the first half alone", "the second half's"
        if terrain.inference["halves"] == AT_RANDOM:
            fitted, later = "half of the events of all other tiles", "the other half's"
        text += (
            f" Fitted on {fitted}, they hold {percent(capture['terrain'])} of {later}; the "
            f"{terrain.extent.many} with most "
            f"incidents in the first half hold {percent(capture['history'])}. Where there is "
            "history, use the forecast to rank places, not the terrain."
        )
    return text


def when(terrain: RiskTerrain) -> str:
    """Of when the incidents are: `` in January 2016 to December 2018``, or nothing."""
    if terrain.fitted_on is None:
        return ""
    first, last = terrain.fitted_on
    return f" in {first.strftime('%B %Y')} to {last.strftime('%B %Y')}"


def source_of(terrain: RiskTerrain) -> str:
    """Where the numbers of a table or chart come from."""
    return f"Recorded {terrain.crime}{when(terrain)}; features: see the table of layers."


def label(name: str) -> str:
    """A layer's name for people.

    >>> label("bus_stop")
    'bus stop'
    """
    return name.replace("_", " ")


def capital(text: str) -> str:
    """With a capital first letter, the rest as it is."""
    return text[:1].upper() + text[1:]


def listed(names: list[str]) -> str:
    """Names in a sentence.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def percent(share: float) -> str:
    """A share in words.

    >>> percent(0.05), percent(0.1234)
    ('5 %', '12.3 %')
    """
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


# -------------------------------------------------------------------- tables
def factor_table(terrain: RiskTerrain) -> pd.DataFrame:
    """Every factor tried, reported ones first: where, times, interval, checks, reading."""
    import pandas as pd

    by_factor = terrain.terms.set_index("factor")
    rows = []
    for row in terrain.factors.itertuples():
        chosen = row.factor in by_factor.index
        term = by_factor.loc[row.factor] if chosen else {}
        rows.append({
            "Factor": label(row.factor),
            "Where": terrain.words[term["variable"]] if chosen else "not chosen",
            "Times as frequent": term["times"] if chosen else None,
            "Low": term["robust_low"] if chosen else None,
            "High": term["robust_high"] if chosen else None,
            "Chosen in resamples": row.frequency,
            "Shift test p": row.shift_p,
            "Adjusted p": term["shift_p_holm"] if chosen else None,
            "Second half": term["refit_times"] if chosen else None,
            "Reading": row.verdict,
            "Reason": f"{row.reason}; {term['note']}" if chosen and term["note"] else row.reason,
        })  # fmt: skip
    frame = pd.DataFrame(rows)
    rank = frame["Reading"].map({"report": 0, "weak": 1, "not judged": 2}).fillna(3)
    rank = rank + (frame["Where"] == "not chosen")
    frame = frame.assign(_rank=rank, _times=-frame["Times as frequent"].astype(float).fillna(0))
    frame = frame.sort_values(["_rank", "_times", "Factor"], kind="stable", ignore_index=True)
    return frame.drop(columns=["_rank", "_times"])


FACTOR_FORMATS = {
    "Times as frequent": ",.2f", "Low": ",.2f", "High": ",.2f", "Chosen in resamples": ".0%",
    "Shift test p": ".3f", "Adjusted p": ".3f", "Second half": ",.2f",
}  # fmt: skip


# -------------------------------------------------------------------- the chapter
def section(
    terrain: RiskTerrain, places: Places, priority: pd.DataFrame, layers: Layers, features: dict[str, int],
    left_out: dict[str, str], method: list[str], *, published: bool,
) -> Section:  # fmt: skip
    """The chapter: findings, factors, map, priority places, what could make it wrong, method, sources."""
    findings = [sentence(terrain)]
    told = [narrative(terrain, term) for _, term in terrain.reported.iterrows()]
    findings += [*told[:MOST_FINDINGS], concentrated(terrain)]
    blocks: list[Block] = [Text(text, "finding") for text in findings]
    blocks += [Text(text) for text in told[MOST_FINDINGS:]]
    blocks += [Text(not_reported(terrain)), Text(ASSOCIATION)]
    blocks += [Text("Which features go with it", "heading"), _factors_block(terrain)]
    if len(terrain.terms):
        blocks.append(_intervals_block(terrain))
    blocks.append(_map_block(terrain, places))
    blocks += _priority_blocks(terrain, priority, published)
    blocks += [Text(words, "warning") for words in terrain.warnings]
    if terrain.mode == "modern":
        from peelian.explain.modern_report import blocks as modern_blocks

        blocks += modern_blocks(terrain)
    blocks += [Text("How it was made", "heading"), *(Text(words, "note") for words in method)]
    blocks.append(_layers_block(layers, features, left_out))
    return Section("explain", TITLE, QUESTION, tuple(blocks))


def _factors_block(terrain: RiskTerrain) -> Table:
    reported = len(terrain.reported)
    return Table(
        "factors",
        f"{reported} of {len(terrain.factors)} factors tried pass every check",
        factor_table(terrain), FACTOR_FORMATS, source=source_of(terrain),
        note=f"Low and high: 95 % interval that allows for {terrain.extent.many} of one tile being alike. "
        "Chosen in resamples: share "
        "of resamples of tiles in which the factor was chosen again. Shift test: share of positions "
        "of the "
        "whole map, moved over the study area, at which the factor fits as well, other factors alike; "
        "adjusted for asking of several factors (Holm). Second half: "
        "chosen on the first half of the period, times as frequent in the second; empty where the first "
        "half does "
        "not choose it.",
    )  # fmt: skip


def _intervals_block(terrain: RiskTerrain) -> Chart:
    from peelian import charts

    table = factor_table(terrain)
    frame = table[table["Where"] != "not chosen"].reset_index(drop=True)
    frame["Label"] = frame["Factor"] + " (" + frame["Reading"] + ")"
    reported = [label(name) for name in terrain.reported["factor"]]
    title = f"Reported: {listed(reported)}" if reported else "No factor passes every check"
    first, last = frame.iloc[0], frame.iloc[-1]
    return Chart(
        "factor_intervals",
        f"{title}; intervals of all factors in the model",
        charts.intervals(
            frame, "Label", "Times as frequent", "Low", "High", x_title="times as frequent", reference=1,
            log=True,
        ),
        f"Times as frequent with 95 % interval for {len(frame)} factors. First: {first['Label']}, "
        f"{first['Times as frequent']:.2f} ({first['Low']:.2f} to {first['High']:.2f}). Last: "
        f"{last['Label']}, "
        f"{last['Times as frequent']:.2f} ({last['Low']:.2f} to {last['High']:.2f}).",
        frame[["Label", "Times as frequent", "Low", "High"]], FACTOR_FORMATS, source=source_of(terrain),
    )  # fmt: skip


def _map_block(terrain: RiskTerrain, places: Places) -> Chart:
    import pandas as pd

    from peelian import maps
    from peelian.explain.terrain import captured

    values = terrain.times_average
    held = captured(values, terrain.counts, 0.05, terrain.extent.weights())
    numbers = pd.DataFrame(
        {"Times the average": values.describe(percentiles=[0.5, 0.95])[["min", "50%", "95%", "max"]]}
    )
    numbers.insert(0, capital(terrain.extent.many), ["lowest", "median", "highest 5 % from", "highest"])
    return Chart(
        "terrain_map",
        f"The riskiest {terrain.extent.top('5 %')} hold {percent(held)} of the incidents the terrain was "
        "fitted on",
        maps.places_map(places, values, legend="times the average", breaks=MAP_BREAKS),
        f"Map of {len(values):,} {terrain.extent.many} by terrain risk, from {values.min():.2f} to "
        f"{values.max():.2f} times the average; the middle {terrain.extent.one} has {values.median():.2f}.",
        numbers.reset_index(drop=True), {"Times the average": ",.2f"}, source=source_of(terrain),
        note="All factors in the model enter the terrain, reported or not: it is the model as "
        "fitted.",
    )  # fmt: skip


def _priority_blocks(terrain: RiskTerrain, priority: pd.DataFrame, published: bool) -> list[Block]:
    many, extent = capital(terrain.extent.many), terrain.extent
    if priority.empty:
        return [
            Text("No three touching cells lie in the top 5 %, so there is no priority place to name."),
        ]
    frame = priority.head(10).drop(columns=["members", "priority"])
    frame.columns = [many, "Incidents", "Share of incidents", "Times the average", "Why here"]
    frame.insert(0, "Place", [f"Place {number}" for number in priority["priority"].head(10)])
    return [
        Table(
            "priority_places",
            f"{len(priority)} places of three or more touching {extent.many} make up the top 5 %"
            if extent.size is None
            else f"{len(priority)} places of touching {extent.many} are the top {extent.part('5 %')}",
            frame, {"Share of incidents": ".1%", "Times the average": ",.2f"}, counts=("Incidents",),
            published=published,
            note="In order of incidents in the fit (in-sample); at most ten are printed.",
        )
    ]  # fmt: skip


def _layers_block(layers: Layers, features: dict[str, int], left_out: dict[str, str]) -> Table:
    import pandas as pd

    rows = [
        {"Layer": label(name), "Features in the study area": features[name],
         "Used": left_out.get(name, "yes"), "Source": layers[name].source,
         "Date": layers[name].date, "Licence": layers[name].licence}
        for name in layers
    ]  # fmt: skip
    return Table(
        "layers",
        f"{len(layers) - len(left_out)} of {len(layers)} layers were tried as factors",
        pd.DataFrame(rows),
    )


def plain_values(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a frame as plain values for JSON, missing as null."""
    import json

    rows: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", double_precision=15))
    return rows
