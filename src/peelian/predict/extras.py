"""Extras: the parts of the stage beside backtest and map, each as blocks of the chapter, files and
numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from peelian.errors import DesignError
from peelian.predict.holdout import NOT_COMPARABLE
from peelian.report import Block, Table, Text

if TYPE_CHECKING:
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places
    from peelian.predict.backtest import Backtest, Horizon
    from peelian.predict.forecast import Forecast
    from peelian.predict.missions import Missions
    from peelian.predict.patrol import Given
    from peelian.predict.planning import Planning
    from peelian.predict.tables import AuditTable, MissionTable, TriggeringTable

PARTS = ("map", "backtest", "leakage", "missions", "dosage", "weather", "audit")

LATER = (
    "Missions are made with the plan, from its visits ([plan] patrol), because [predict.missions] sets no "
    "limit of its own (boxes, kilometres or kits)."
)


@dataclass(frozen=True, eq=False)
class Part:
    """A part of the chapter: its blocks, its files by name, numbers for ``--json``, and missions if made."""

    blocks: list[Block] = field(default_factory=list)
    files: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    missions: Missions | None = None


def missions_part(
    forecast: Forecast, incidents: Incidents, cells: Places, areas: Places, asked: MissionTable, given: Given,
    *, crime: str, crimes: str, source: str, seed: int, sheet: bool = False, first: tuple[str, ...] = (),
) -> Part:  # fmt: skip
    """The missions of the forecast's period, with their patrol files; ``sheet``: every stop, for print.

    ``first``  the lines that every file opens with: the verdict, and what the map cannot know.
    """
    from peelian.predict.patrol_files import patrol_files
    from peelian.predict.patrol_report import missions_blocks, sheet_blocks
    from peelian.predict.sheets import sheets

    made = missions_of(forecast, incidents, cells, areas, asked, given, crime=crime, crimes=crimes, seed=seed)
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
    files = patrol_files(made, cells, first=" ".join(first))
    told = tuple(words for words in first if words != NOT_COMPARABLE)  # nothing for a patrol to do with
    files["missions.html"] = sheets(made, cells, streets=given.streets, first=told, marking=given.marking)
    return Part(blocks, files, {"missions": summary}, made)


def missions_of(
    forecast: Forecast, incidents: Incidents, cells: Places, areas: Places, asked: MissionTable, given: Given,
    *, crime: str, crimes: str, seed: int,
) -> Missions:  # fmt: skip
    """The missions themselves: kits are counted by the homes of the areas, spread over their cells."""
    from peelian.predict.audit import homes_on
    from peelian.predict.patrol import planned

    homes = None if areas.households is None else homes_on(cells, areas, areas.households)
    return planned(
        forecast, incidents, cells, areas, asked, given, crime=crime, crimes=crimes, homes=homes, seed=seed
    )


def dosage_part(given: Given, incidents: Incidents, cells: Places, source: str) -> Part:
    """What was delivered of earlier missions, or nothing where no check-ins are given."""
    from peelian.predict.patrol import delivered
    from peelian.predict.patrol_report import dosage_blocks

    if given.checkins is None and given.planned is None:
        return Part()
    done, found, scored = delivered(given, incidents, cells)
    summary = {
        "planned_minutes": float(done.boxes["minutes"].sum()), "police_generated": done.found,
        "delivered_minutes": float(done.boxes["delivered"].sum()), "elsewhere": done.elsewhere,
    }  # fmt: skip
    files: dict[str, Any] = {"dosage.csv": done.shifts}
    if scored is not None:
        files["boxes.csv"] = scored
    return Part(dosage_blocks(done, found, scored, source), files, {"dosage": summary})


def audit_part(
    tested: Backtest, forecast: Forecast, planning: Planning, incidents: Incidents, cells: Places,
    areas: Places, asked: AuditTable, *, by: str, crimes: str, source: str, seed: int,
    missions: Missions | None = None,
) -> Part:  # fmt: skip
    """Fairness and feedback, as far as the places name groups of people; ``missions`` for their minutes."""
    from dataclasses import asdict

    from peelian.predict.audit_report import audit_blocks
    from peelian.predict.audited import audited

    found = audited(
        tested, planning, incidents, cells, areas, asked, method=forecast.method, by=by, seed=seed,
        minutes=None if missions is None else missions.frame.groupby("place")["minutes"].sum(),
    )  # fmt: skip
    tables = {
        "audit_exposure.csv": found.exposure, "audit_boxes.csv": found.boxes,
        "audit_parity.csv": found.parity, "audit_minutes.csv": found.minutes,
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
    from peelian.predict.level_report import weather_table
    from peelian.predict.weather import tested

    if weather is None:
        return Part()
    try:
        found = tested(incidents, weather)
    except DesignError as error:
        return Part([Text(f"Weather was not tested. {error}", "note")])
    summary = {"kept": list(found.kept), "origins": found.origins, "log_score": found.base}
    table = weather_table(found, crimes, source)
    return Part([Text(found.sentence(crimes)), table], {"weather.csv": found.rows}, {"weather": summary})


def ahead_part(incidents: Incidents, weather: pd.DataFrame | None, crimes: str, source: str) -> Part:
    """The same one day ahead, where incidents and weather have days; of the period the level's part tells."""
    by_day = weather is not None and str(weather.index.dtype) == "period[D]"
    return weather_part(incidents, weather if by_day else None, crimes, source)


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
    source: str, seed: int,
) -> Part:  # fmt: skip
    """Every method asked whether it sees the future."""
    from peelian.predict.leaks import leaks

    frame = leaks(methods, incidents, cells, origin=origin, horizon=horizon, seed=seed)
    leaking = frame.loc[frame["sees the future"] == "yes", "method"].tolist()
    missed = frame.loc[frame["planted outcome"] == "not caught", "method"].tolist()
    since = f"{origin.day} {origin:%B %Y}"
    said = (
        f"{len(leaking)} of {len(frame)} methods see the future: {', '.join(leaking)}. Their scores are "
        "worth nothing."
        if leaking
        else f"None of the {len(frame)} methods changed its forecast from {since} on with what came after."
    )
    if missed:
        said += f" The outcome planted as a terrain was not caught in {', '.join(missed)}."
    table = Table(
        "predict_leakage",
        "Whether a forecast changes with incidents at or after its origin, and whether it knows too much",
        frame,
        dict.fromkeys(("own period", "next period", "months shuffled"), "+.2f"),
        source,
        note="Later incidents were deleted, doubled and moved, and a tenth of earlier ones recorded late: "
        "the forecast must stay the same to the last byte. Own and next period: nats an incident that "
        "forecasts tell of each (over “equal everywhere”); honest ones tell about as much of both. Months "
        "shuffled: gain over counts of all months once each place's months are dealt out at random, at "
        "most 0.02 without a leak. Planted outcome: the outcome given as a terrain must be caught by its "
        "date.",
    )
    return Part([Text(said, "finding"), table], {"leakage.csv": frame}, {"leakage": {"leaking": leaking}})
