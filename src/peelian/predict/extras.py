"""Extras: the parts of the stage beside backtest and map, each as blocks of the chapter, files and
numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from peelian.errors import DesignError
from peelian.report import Block, Table, Text

if TYPE_CHECKING:
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places
    from peelian.predict.backtest import Backtest, Horizon
    from peelian.predict.forecast import Forecast
    from peelian.predict.patrol import Given
    from peelian.predict.planning import Planning
    from peelian.predict.tables import AuditTable, MissionTable, TriggeringTable

PARTS = ("map", "backtest", "leakage", "missions", "dosage", "weather", "audit")


@dataclass(frozen=True, eq=False)
class Part:
    """A part of the chapter: its blocks, its files by name, and numbers for ``--json``."""

    blocks: list[Block] = field(default_factory=list)
    files: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)


def missions_part(
    forecast: Forecast, incidents: Incidents, cells: Places, areas: Places, asked: MissionTable, given: Given,
    *, crime: str, crimes: str, source: str, seed: int, sheet: bool = False,
) -> Part:  # fmt: skip
    """The missions of the forecast's period, with their patrol files; ``sheet``: every stop, for print."""
    from peelian.predict.audit import homes_on
    from peelian.predict.patrol import planned
    from peelian.predict.patrol_files import patrol_files
    from peelian.predict.patrol_report import missions_blocks, sheet_blocks

    homes = None if areas.households is None else homes_on(cells, areas, areas.households)
    made = planned(
        forecast, incidents, cells, areas, asked, given, crime=crime, crimes=crimes, homes=homes, seed=seed
    )
    kinds = made.frame["kind"].value_counts()
    summary = {
        "missions": int(made.frame["mission"].nunique()), "stops": len(made.frame),
        **{kind: int(kinds.get(kind, 0)) for kind in ("planned", "explore", "custom")},
        "expected": float(made.frame["expected"].sum()), "notes": list(made.notes),
    }  # fmt: skip
    blocks = missions_blocks(
        made,
        forecast,
        cells,
        crimes,
        source,
        streets=given.streets if sheet else None,
        published=incidents.published,
    )
    if sheet:
        blocks += sheet_blocks(made, crimes, source)
    return Part(blocks, patrol_files(made, cells), {"missions": summary})


def dosage_part(given: Given, incidents: Incidents, cells: Places, source: str) -> Part:
    """What was delivered of earlier missions, or nothing where no check-ins are given."""
    from peelian.predict.patrol import delivered
    from peelian.predict.patrol_report import dosage_blocks

    if given.checkins is None and given.planned is None:
        return Part()
    done, found = delivered(given, incidents, cells)
    summary = {
        "planned_minutes": float(done.boxes["minutes"].sum()), "police_generated": done.found,
        "delivered_minutes": float(done.boxes["delivered"].sum()), "elsewhere": done.elsewhere,
    }  # fmt: skip
    files: dict[str, Any] = {"dosage.csv": done.shifts}
    return Part(dosage_blocks(done, found, source), files, {"dosage": summary})


def audit_part(
    tested: Backtest, forecast: Forecast, planning: Planning, incidents: Incidents, cells: Places,
    areas: Places, asked: AuditTable, *, by: str, crimes: str, source: str, seed: int,
) -> Part:  # fmt: skip
    """Fairness and feedback, as far as the places name groups of people."""
    from dataclasses import asdict

    from peelian.predict.audit_report import audit_blocks
    from peelian.predict.audited import audited

    found = audited(
        tested, planning, incidents, cells, areas, asked, method=forecast.method, by=by, seed=seed
    )
    tables = {
        "audit_exposure.csv": found.exposure, "audit_boxes.csv": found.boxes,
        "audit_parity.csv": found.parity,
        "audit_frontier.csv": found.frontier, "audit_reporting.csv": found.thinned,
    }  # fmt: skip
    summary = {
        "smallest_difference": None if found.smallest is None else asdict(found.smallest),
        "explored": None if found.explored is None else asdict(found.explored) | {"recorded": found.recorded},
        "feedback": [asdict(urn) for urn in found.urns], "feedback_map": [asdict(m) for m in found.maps],
    }  # fmt: skip
    files: dict[str, Any] = {name: table for name, table in tables.items() if table is not None}
    files["audit.json"] = summary | {
        name.removeprefix("audit_").removesuffix(".csv"): table.to_dict("records")
        for name, table in files.items()
    }
    return Part(audit_blocks(found, crimes, source), files, {"audit": summary})


def weather_part(incidents: Incidents, weather: pd.DataFrame | None, crimes: str, source: str) -> Part:
    """Whether weather and calendar earn their place, or nothing where the project names no weather."""
    from peelian.predict.weather import tested

    if weather is None:
        return Part()
    try:
        found = tested(incidents, weather)
    except DesignError as error:
        return Part([Text(f"Weather was not tested. {error}", "note")])
    frame = found.rows.rename(
        columns={
            "adds": "added", "weather": "values", "difference": "change in log score",
            "p_first": "p first half", "p_second": "p second half", "deviance": "change in deviance",
            "log_score": "log score",
        }
    )  # fmt: skip
    frame["kept"] = frame["kept"].map({True: "yes", False: "no"})
    table = Table(
        "predict_weather",
        f"Weather and calendar added to forecasts of the number of {crimes} in the whole area, one "
        f"{found.step} ahead",
        frame,
        {"log score": ".4f", "change in log score": "+.4f", "change in deviance": "+.1%"}
        | dict.fromkeys(("p", "p first half", "p second half"), ".3f"),
        source,
        note=f"Against the equation without them, log score {found.base:.4f}; below 0 is better; p one-sided "
        "(Diebold & Mariano 1995). Kept: p below .05 on all origins and in each half, and known beforehand.",
    )  # fmt: skip
    summary = {"kept": list(found.kept), "origins": found.origins, "log_score": found.base}
    files: dict[str, Any] = {"weather.csv": found.rows}
    return Part([Text(found.sentence(crimes)), table], files, {"weather": summary})


def triggering_part(
    incidents: Incidents, areas: Places, asked: TriggeringTable | None, crimes: str, source: str
) -> Part:
    """Which marks go with more incidents near by, or nothing where it is not asked."""
    from peelian.predict.goes_with import goes_with

    if asked is None:
        return Part()
    try:
        found = goes_with(incidents, areas, asked)
    except DesignError as error:
        return Part([Text(f"What goes with triggering was not asked. {error}", "note")])
    table = Table(
        "predict_triggering",
        f"What goes with triggering: {crimes} within {asked.days} days and {asked.distance:g} m",
        found.table,
        {"incidents": ",.0f", **dict.fromkeys(("ratio", "low", "high"), ".2f")},
        source, counts=("incidents",), published=incidents.published,
        note="Ratio: how many a mark's incidents bring near by to how many those compared with bring; low "
        "and high: 95 % interval (normal, on the log scale; Meyer, Elias & Hoehle 2012); missing where too "
        "few followed to tell.",
    )  # fmt: skip
    summary = {"used": found.used, "share": found.share, "brought": found.brought, "sigma": found.sigma}
    blocks: list[Block] = [Text(words) for words in found.sentences(crimes)]
    files: dict[str, Any] = {"triggering.csv": found.table}
    return Part([*blocks, table], files, {"triggering": summary})


def leakage_part(
    methods: dict[str, Any], incidents: Incidents, cells: Places, *, origin: pd.Timestamp, horizon: Horizon,
    source: str,
) -> Part:  # fmt: skip
    """Every method asked whether it sees the future."""
    import pandas as pd

    from peelian.predict.leakage import leakage

    rows = []
    for name, method in methods.items():
        try:
            check = leakage(method, incidents, cells, origin=origin, horizon=horizon)
            rows.append((name, "yes" if check.fired else "no", check.sentence))
        except DesignError as error:
            rows.append((name, "not tested", str(error)))
    frame = pd.DataFrame(rows, columns=["method", "sees the future", "what was found"])
    leaking = frame.loc[frame["sees the future"] == "yes", "method"].tolist()
    said = (
        f"{len(leaking)} of {len(frame)} methods see the future: {', '.join(leaking)}. Their scores are "
        "worth nothing."
        if leaking
        else f"None of the {len(frame)} methods changed its forecast of {origin:%B %Y} with what came after."
    )
    table = Table(
        "predict_leakage",
        "Whether a forecast changes with incidents at or after its origin",
        frame,
        {},
        source,
    )
    return Part([Text(said, "finding"), table], {"leakage.csv": frame}, {"leakage": {"leaking": leaking}})
