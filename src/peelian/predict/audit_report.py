"""What the chapter says of fairness and feedback. It computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from peelian import charts
from peelian.predict.audit import widest
from peelian.predict.frontier import decision_sentence, frontier_sentence
from peelian.predict.reporting import under_reporting_sentence
from peelian.report import Block, Chart, Table, Text

if TYPE_CHECKING:
    from peelian.predict.audited import Audit
    from peelian.predict.feedback_map import MapFeedback

PERCENT = ".1%"
NAMED_FROM = 0.02  # of all homes: smaller groups stand in the tables and not in the sentences
OAKLAND = (
    "What records that police generate do to a map: in Oakland a published forecast from recorded drug "
    "offences chose 20 of 661 boxes a day for 368 days. 12 boxes took half of all choices, 52 were ever "
    "chosen, and 43 % of the offences recorded in those days lay in boxes never chosen (Lum & Isaac 2016, "
    "recomputed). Such records are refused here unless somebody writes a reason."
)


def audit_blocks(audit: Audit, crimes: str, source: str) -> list[Block]:
    """Findings, tables and charts of the audit, in the order of its parts."""
    blocks: list[Block] = [
        Text(
            f"Where the {audit.share * 100:.0f} % of cells ranked highest lay over {audit.origins} origins: "
            f"{audit.dose}"
        )
    ]
    if audit.exposure is not None:
        blocks += _exposure(audit, crimes, source)
    elif audit.boxes is not None:
        blocks.append(_exposure_table(audit.boxes, "predict_exposure_boxes", "patrol boxes", crimes, source))
    if audit.parity is not None:
        blocks += _parity(audit, crimes, source)
    if audit.frontier is not None:
        blocks += _frontier(audit, crimes, source)
    blocks += _reporting(audit, source)
    if audit.explored is not None:
        blocks.append(
            Text(
                f"Had 10 % as many cells as were chosen been drawn at random at each of {audit.origins} "
                f"origins: {audit.explored} Recorded there were {audit.recorded:,.0f}."
            )
        )
    blocks += _feedback(audit, source)
    if audit.lacking:
        blocks.append(Text(f"Not held for the audit: {'; '.join(audit.lacking)}.", "note"))
    return blocks


def _exposure(audit: Audit, crimes: str, source: str) -> list[Block]:
    assert audit.exposure is not None
    kits, named = audit.exposure, _named(audit.exposure)
    large = kits.loc[kits["share_of_homes"] >= NAMED_FROM, "group"].tolist()
    apart, burden = (widest(kits, column, named, large) for column in ("to_homes", "to_crime"))
    to_homes = f"against their share of homes: {apart}" if apart else "no group's interval leaves 1 out"
    to_crime = (
        f"Against recorded {crimes}: {burden}."
        if burden
        else (f"Against recorded {crimes} no group's interval leaves 1 out.")
    )
    frame = kits.assign(group=[named[g] for g in kits["group"]])
    chart = Chart(
        "predict_exposure",
        f"Share of chosen homes over share of all homes: {apart or 'no interval leaves 1 out'}",
        charts.intervals(
            frame[["group", "to_homes", "to_homes_low", "to_homes_high"]],
            "group", "to_homes", "to_homes_low", "to_homes_high", reference=1.0,
            x_title="share of chosen homes / share of all homes",
        ),
        "One row a group: its share of the chosen homes over its share of all homes, with a 95 % interval "
        f"over {audit.area_origins} origins. Highest: {frame.loc[frame['to_homes'].idxmax(), 'group']}, "
        f"{frame['to_homes'].max():.2f}; lowest: {frame.loc[frame['to_homes'].idxmin(), 'group']}, "
        f"{frame['to_homes'].min():.2f}.",
        None, {}, source,
    )  # fmt: skip
    out: list[Block] = [
        Text(
            f"Who is chosen: of the {audit.share * 100:.0f} % of homes ranked highest, by group over "
            f"{audit.area_origins} origins, {to_homes}. {to_crime}",
            "finding",
        ),
        chart,
        _exposure_table(kits, "predict_exposure_kits", "homes (kits)", crimes, source),
    ]
    if audit.boxes is not None:
        out.append(_exposure_table(audit.boxes, "predict_exposure_boxes", "patrol boxes", crimes, source))
    if audit.minutes is not None:
        out.append(
            _exposure_table(audit.minutes, "predict_exposure_minutes", "minutes of patrol", crimes, source)
        )
    return out


def _exposure_table(table: pd.DataFrame, name: str, what: str, crimes: str, source: str) -> Table:
    named = _named(table)
    frame = pd.DataFrame(
        {
            "group": [named[group] for group in table["group"]], "share of homes": table["share_of_homes"],
            f"share of recorded {crimes}": table["share_of_crime"], f"share of {what}": table["share_chosen"],
            "for 1,000 homes": table["each_1000"],
            "to homes": table["to_homes"], "low": table["to_homes_low"], "high": table["to_homes_high"],
            f"to {crimes}": table["to_crime"],
            "lowest": table["to_crime_low"], "highest": table["to_crime_high"],
        }
    )  # fmt: skip
    shares = [column for column in frame if column.startswith("share")]
    ratios = [column for column in frame if column not in ("group", *shares)]
    return Table(
        name, f"Who gets the {what}: each group's share against its homes and its recorded {crimes}", frame,
        dict.fromkeys(shares, PERCENT) | dict.fromkeys(ratios, ".2f"), source,
        note="For 1,000 homes: handed out at an origin, on average. Ratios with 95 % intervals over origins "
        "(low, high; lowest, highest); above 1 more than its part. Shares of an area's people are taken to "
        "hold for its homes and its crime too."
        + (" Minutes are of the coming period alone; only records vary." if "minutes" in name else ""),
    )  # fmt: skip


def _parity(audit: Audit, crimes: str, source: str) -> list[Block]:
    table = audit.parity
    assert table is not None
    named = _named(table)
    large = table.loc[table["incidents"] >= NAMED_FROM * table["incidents"].max(), "group"].tolist()
    apart = widest(table, "ratio", named, large)
    said = apart if apart else "no group's interval leaves 1 out"
    frame = pd.DataFrame(
        {
            "group": [named[group] for group in table["group"]], crimes: table["incidents"],
            "found": table["hit_rate"], "missed": table["missed"], "nothing": table["nothing"],
            "ratio": table["ratio"], "low": table["ratio_low"], "high": table["ratio_high"],
        }
    )  # fmt: skip
    return [
        Text(
            f"Whose {crimes} the map finds, as hit rate of a group over that of everybody else: {said} "
            f"(95 % intervals over {audit.area_origins} origins).",
            "finding",
        ),
        Table(
            "predict_error_parity", f"Recorded {crimes} in chosen areas and outside them, by group", frame,
            {crimes: ",.0f"} | dict.fromkeys(("found", "missed", "nothing"), PERCENT)
            | dict.fromkeys(("ratio", "low", "high"), ".2f"),
            source,
            note="Found: in chosen areas; missed: the rest; nothing: chosen areas without any in the period. "
            "Ratio: hit rate over that of all others, with its 95 % interval.",
        ),
    ]  # fmt: skip


def _frontier(audit: Audit, crimes: str, source: str) -> list[Block]:
    table = audit.frontier
    assert table is not None
    both = {"expected": "expected", "hit_rate": "recorded afterwards"}
    points = [
        table[["gamma"]].assign(distance=table["distance"] * 100, covered=table[column] * 100, series=name)
        for column, name in both.items()
    ]
    frame, first, last = pd.concat(points, ignore_index=True), table.iloc[0], table.iloc[-1]
    near = table.iloc[min((table["distance"] > first["distance"] / 2).sum(), len(table) - 1)]
    return [
        Text(frontier_sentence(table, crimes, norm=audit.norm)),
        *([Text(decision_sentence(table, audit.decided, crimes))] if audit.decided is not None else []),
        Chart(
            "predict_frontier",
            f"Halving the distance to the groups' share of {audit.norm} costs "
            f"{(first['expected'] - near['expected']) * 100:.1f} points of expected {crimes} covered",
            charts.points(
                frame, "distance", "covered", series="series", y_title=f"{crimes} covered, %",
                x_title="distance from the norm, percentage points",
            ),
            f"{len(table)} choices. Risk alone covers {first['expected'] * 100:.1f} % of expected {crimes} "
            f"at a distance of {first['distance'] * 100:.1f} %; the last gamma {last['expected'] * 100:.1f} "
            f"% at {last['distance'] * 100:.1f} %.",
            frame, {"gamma": ".4f", "covered": ".1f", "distance": ".1f"}, source,
            note="One choice of areas a gamma, on the forecasts of the first of the last 12 origins, scored "
            "on what was recorded after it (Mohler and others 2018).",
        ),
    ]  # fmt: skip


def _reporting(audit: Audit, source: str) -> list[Block]:
    out: list[Block] = []
    if audit.smallest is not None:
        out.append(Text(f"Under-reporting: {audit.smallest}", "finding"))
    if audit.thinned is not None:
        out.append(Text(under_reporting_sentence(audit.thinned, chosen=audit.chosen)))
        frame = pd.DataFrame({"case": _cases(audit.thinned), "areas that change": audit.thinned["changed"]})
        frame[["low", "high", "jaccard"]] = audit.thinned[["low", "high", "jaccard"]]
        formats = {"areas that change": ".1f", "low": ".0f", "high": ".0f", "jaccard": ".2f"}
        if "share_deprived" in audit.thinned:
            frame["in deprived areas"] = audit.thinned["share_deprived"]
            formats["in deprived areas"] = ".0%"
        out.append(
            Table(
                "predict_under_reporting",
                f"How many of the {audit.chosen} chosen areas change when records are dropped at random",
                frame, formats, source,
                note="Means of the draws (200 unless set otherwise); low and high hold 90 % of them. "
                "Akpinar, De-Arteaga & Chouldechova (2021).",
            )
        )  # fmt: skip
    if audit.corrected is not None:
        out.append(
            Text(
                f"Raised by the share that a survey says is reported in such places, {audit.corrected} of "
                f"the {audit.chosen} chosen areas would be others."
            )
        )
    return out


def _cases(table: pd.DataFrame) -> list[str]:
    """What is dropped in each row, in words."""
    out = []
    for missed, fewer in zip(table["missed"], table["fewer"], strict=True):
        words = [f"{missed * 100:.0f} % everywhere"] if missed else []
        words += [f"{fewer * 100:.0f} points more in deprived areas"] if fewer else []
        out.append(", ".join(words))
    return out


def _feedback(audit: Audit, source: str) -> list[Block]:
    if not audit.urns:
        return []
    out: list[Block] = [
        Text(
            "Feedback, in the simplest form there is (two areas, one patrol a day, only what patrols find is "
            f"recorded; Ensign and others 2018): {' '.join(str(urn) for urn in audit.urns)}"
        )
    ]
    if audit.maps:
        frame = pd.DataFrame(
            {
                "records": [_recording(found) for found in audit.maps],
                "corrected": ["yes" if found.corrected else "no" for found in audit.maps],
                "misplaced": [found.middle for found in audit.maps],
                "low": [found.low for found in audit.maps], "high": [found.high for found in audit.maps],
                "prevented": [found.prevented for found in audit.maps],
            }
        )  # fmt: skip
        out.append(
            Table(
                "predict_feedback",
                "Patrol time beyond places' share of crime after a year in which the map learns from its "
                "patrols",
                frame, dict.fromkeys(("misplaced", "low", "high", "prevented"), ".0%"), source,
                note="Simulated: the areas of this project (300 at most) at last year's counts as if they "
                "were true, 40 runs; low and high hold 90 % of them. Corrected: what patrols find counts in "
                "inverse proportion to how often its place is watched. Some is misplaced without any "
                "feedback, because counts vary.",
            )
        )  # fmt: skip
    out.append(Text(OAKLAND, "note"))
    return out


def _recording(found: MapFeedback) -> str:
    """What gets into the records of one simulated case, in words."""
    deterred = f", {found.deterrence * 100:.0f} % deterred" if found.deterrence else ""
    reported, found_too = (f"{part * 100:.0f} %" for part in (found.reported, found.discovery))
    return f"victims report {reported}, patrols find {found_too} of the rest{deterred}"


def _named(table: pd.DataFrame) -> dict[str, str]:
    """Groups as they are printed: the most and the least deprived decile say so."""
    ends = {"decile 1": "decile 1 (most deprived)", "decile 10": "decile 10 (least deprived)"}
    return {group: ends.get(group, str(group).replace("_", " ")) for group in table["group"]}
