"""What each stage is given of a project, and what it hands back. One function a stage, in no order."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peelian.chapters.context import Context, stage_parameters
from peelian.chapters.forecast import given_to_predict, spatial
from peelian.chapters.held import (
    attribution_of,
    card_areas,
    deliveries_of,
    kinds_of,
    not_held,
    people_of,
    publisher_of,
    recent_days,
)
from peelian.report import Outcome, Text

if TYPE_CHECKING:
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.layers import Layer, Layers
    from peelian.places import Places
    from peelian.project import Project
    from peelian.protocol import Protocol

PLAN_FILES = ("streets", "roads", "teams", "sites")
FROZEN = "protocol.toml"  # beside peelian.toml: the evaluation plan once it is frozen


def read(context: Context) -> Outcome:
    """The sources, read and judged; the nouns and the grid are kept as open files."""
    from peelian.places import Places
    from peelian.read import run as stage

    outcome, incidents, places, layers = _read(context)
    table = stage.sources_of(context.project.tables, context.project.folder, context.project.file).places
    study = places.select(stage.study_area(places, table.where)) if table.where else places
    cells = Places.grid(study.geometry, table.cell)
    files = {"incidents": incidents, "layers": layers, "places.parquet": places, "cells.parquet": cells}
    return replace(outcome, files={**outcome.files, **files})


def judged(context: Context) -> tuple[Outcome, Places]:
    """The chapter on what was read, and the places, without keeping anything."""
    outcome, _, places, _ = _read(context)
    return outcome, places


def _read(context: Context) -> tuple[Outcome, Incidents, Places, Layers]:
    from peelian.read import run as stage

    project = context.project
    sources = stage.sources_of(project.tables, project.folder, project.file)
    return stage.run(
        sources,
        stage_parameters(project, "read", stage.Parameters),
        crime=project.project.crime,
        seed=project.seed("read"),
        progress=context.ticker("read"),
    )


def explain(context: Context) -> Outcome:
    """The incidents, the features and the places that are asked for: a grid, areas, hexagons or streets."""
    from peelian.explain import run as stage
    from peelian.explain.units import units_of
    from peelian.explain.without_layers import run_without_layers

    parameters = stage_parameters(context.project, "explain", stage.Parameters)
    places = units_of(parameters, context.cells, context.study, context.layers)
    if not len(context.layers):
        return run_without_layers(
            context.incidents, places, parameters, seed=context.project.seed("explain"),
            crime=context.project.outcome, areas=context.places, progress=context.ticker("explain"),
        )  # fmt: skip
    outcome = stage.run(
        context.incidents, context.layers, places, parameters,
        seed=context.project.seed("explain"), crime=context.project.outcome, areas=context.places,
        values=rasters(context, parameters.rasters, places), grid=context.cells,
        before=last_terrain(context), changed=changed_layers(context, parameters.what_if),
        progress=context.ticker("explain"),
    )  # fmt: skip
    said = Text(f"Features: {attribution_of(context.layers)}", "note")
    return replace(outcome, section=replace(outcome.section, blocks=(*outcome.section.blocks, said)))


def last_terrain(context: Context) -> dict[str, Any] | None:
    """What the last run said of its terrain; None where there was none."""
    path = context.made("explain", "terrain.json")
    if path is None:
        return None
    held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return held


def changed_layers(context: Context, asked: dict[str, Any]) -> dict[str, Layer]:
    """Layers with features taken away or added, as ``[explain.what_if]`` asks; by name."""
    import pandas as pd

    from peelian.read.features import features

    found = {}
    for name, one in asked.items():
        layer, project = context.layers[name], context.project
        held = layer.features.to_crs(context.cells.crs)
        if one.remove == "all":
            held = held.iloc[:0]
        elif one.remove:
            path = project.existing(one.remove, table=f"explain.what_if.{name}", key="remove")
            ground = spatial(path).to_crs(held.crs).union_all()
            held = held[~held.intersects(ground)]
        if one.add:
            path = project.existing(one.add, table=f"explain.what_if.{name}", key="add")
            more, _ = features(path, name=name, to=context.cells.crs)
            held = pd.concat([held, more[name].features], ignore_index=True)
        found[name] = replace(layer, features=held)
    return found


def rasters(context: Context, asked: dict[str, Any], places: Places) -> pd.DataFrame | None:
    """The value of each raster in each place; None where none is asked for."""
    import pandas as pd

    from peelian.read.rasters import raster_by_place

    if not asked:
        return None
    return pd.DataFrame(
        {
            name: raster_by_place(context.project.folder / one.file, places, statistic=one.statistic)
            for name, one in asked.items()
        }
    )


def plan(context: Context) -> Outcome:
    """The risk of each area of the study area, with the dates it was fitted on, and past counts."""
    import pandas as pd

    from peelian.plan import run as stage
    from peelian.plan.asked import Held

    path = context.made("predict", "risk.csv")
    if path is None:
        return not_held("plan", "there is no forecast of risk by area to plan from.")
    terrain = context.made("explain", "terrain.json")
    if terrain is not None and json.loads(terrain.read_text(encoding="utf-8")).get("quick"):
        return not_held(
            "plan",
            "the risk terrain was made with quick = true, which is not for decisions. Leave quick out of "
            "[explain] and run again.",
        )
    risk = pd.read_csv(path, dtype={"place": str}).set_index("place")["risk"]
    about = json.loads((context.folder("predict") / "risk.json").read_text(encoding="utf-8"))
    first, last = (pd.Period(month, "M") for month in about["fitted_on"])
    study = context.study
    outcome = stage.run(
        risk.reindex(study.index), (first, last), study, context.programme, context.monthly(study),
        stage_parameters(context.project, "plan", stage.Parameters),
        seed=context.project.seed("plan"), crime=context.project.outcome, progress=context.ticker("plan"),
        held=Held(
            {key: file for key in PLAN_FILES if (file := context.file("plan", key)) is not None},
            context.layers, context.project.project.marking, _settled(context, path),
            frozen_plan(context.project),
        ),
    )  # fmt: skip
    return outcome if "patrol.csv" not in outcome.files else _with_missions(context, outcome)


def _with_missions(context: Context, outcome: Outcome) -> Outcome:
    """The plan's visits made into missions by the forecast of ``predict``: chapter and files."""
    import geopandas as gpd

    from peelian.predict import run as stage
    from peelian.predict.extras import missions_part
    from peelian.predict.forecast import kept
    from peelian.predict.report import crimes_of
    from peelian.predict.tables import MissionTable

    asked = stage_parameters(context.project, "predict", stage.Parameters).missions or MissionTable()
    frame = gpd.read_parquet(context.folder("predict") / "cells.parquet")
    about = json.loads((context.folder("predict") / "forecast.json").read_text(encoding="utf-8"))
    part = missions_part(
        kept(frame.drop(columns="geometry"), about), context.incidents, context.cells, context.places,
        replace(asked, boxes=None, kilometres=None, kits=None),
        replace(given_to_predict(context)["given"], visits=outcome.files["patrol.csv"]),
        crime=context.project.outcome, crimes=crimes_of(context.project.outcome),
        source=stage.source_of(context.incidents), seed=context.project.seed("plan"),
    )  # fmt: skip
    blocks = [
        block if isinstance(block, Text) else replace(block, name=block.name.replace("predict_", "plan_"))
        for block in part.blocks
    ]
    section = replace(outcome.section, blocks=(*outcome.section.blocks, *blocks))
    return replace(
        outcome, section=section, files=outcome.files | part.files, summary=outcome.summary | part.summary
    )


def _settled(context: Context, risk: Path) -> dict[str, Any]:
    """What the other tables settle of the evaluation that the plan asks for, and the hash of its risk."""
    from peelian.evaluate.run import Parameters
    from peelian.outputs import sha256

    asked = stage_parameters(context.project, "evaluate", Parameters)
    files = sorted(set(context.incidents.frame["source"].dropna().astype(str)))
    types = ", ".join(context.project.project.crime)
    settled = {
        "months_after": asked.months_after, "permutations": asked.permutations, "rings": asked.rings,
        "negative_controls": context.panel_table.others, "source": "; ".join(files[:3]) or "not stated",
        "definition": f"recorded incidents of the types {types} by month, placed by "
        + ("the area code of the extract" if context.by == "code" else "their point"),
        "hashes": {"risk": sha256(risk)},
    }  # fmt: skip
    return settled | ({"months_before": asked.months_before} if asked.months_before else {})


def frozen_plan(project: Project) -> Protocol | None:
    """The evaluation plan that was frozen in a project's folder, checked; None where there is none."""
    from peelian.protocol import verify

    path = project.folder / FROZEN
    return verify(path.read_text(encoding="utf-8"), where=str(path)) if path.is_file() else None


def deliver(context: Context) -> Outcome:
    """The deliveries: counts by place and month."""
    from peelian.deliver import run as stage

    deliveries = context.file("deliver", "deliveries")
    if deliveries is None:
        return not_held(
            "deliver",
            'the project names no deliveries. Add deliveries = "deliveries.csv" to [deliver]: '
            "place, month, kits, and street where known; counts only.",
        )
    return stage.run(
        deliveries, context.places, context.programme,
        stage_parameters(context.project, "deliver", stage.Parameters),
        months=context.incidents.span, recoveries=context.file("deliver", "recoveries"),
        seed=context.project.seed("deliver"),
        progress=context.ticker("deliver"),
    )  # fmt: skip


def account(context: Context) -> Outcome:
    """The assessment, the deliveries, the ledger and what else is held."""
    from peelian import __version__
    from peelian.account import run as stage
    from peelian.account.releases import FOLDER as RELEASES
    from peelian.account.releases import releases

    path, planned = context.made("evaluate", "assessment.json"), context.made("plan", "plan.json")
    parameters = stage_parameters(context.project, "account", stage.Parameters)
    return stage.run(
        None if path is None else json.loads(path.read_text(encoding="utf-8")),
        context.programme,
        parameters,
        plan=None if planned is None else json.loads(planned.read_text(encoding="utf-8")),
        saturation=deliveries_of(context),
        counts=kinds_of(context),
        ledger=context.file("account", "ledger"),
        recoveries=context.file("deliver", "recoveries"),
        documents=context.file("account", "documents"),
        figures=context.file("account", "figures"),
        claims=context.file("account", "claims"),
        questions=_bank(context),
        request=context.file("account", "request"),
        benefits=context.file("account", "benefits"),
        governance=context.file("account", "governance"),
        areas=card_areas(context, parameters.cards, parameters.cards_name, parameters.similar),
        days=recent_days(context),
        people=people_of(context, parameters.equality),
        released=releases(context.project.folder / RELEASES),
        source=publisher_of(context.project),
        version=f"Made by Peelian {__version__}.",
        months=context.incidents.span,
        seed=context.project.seed("account"), crime=context.project.outcome,
        published=context.incidents.published, progress=context.ticker("account"),
    )  # fmt: skip


def _bank(context: Context) -> Path | str | None:
    """The file of questions, or the name of a bank of ours."""
    from peelian.account.foi import SHIPPED

    name = str(context.project.table("account").get("questions", ""))
    return name if name in SHIPPED else context.file("account", "questions")
