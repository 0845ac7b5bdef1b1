"""What each stage is given of a project, and what it hands back. One function a stage, in no order."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from peelian.chapters.context import Context, stage_parameters
from peelian.chapters.held import (
    card_areas,
    deliveries_of,
    kinds_of,
    month_of,
    not_held,
    people_of,
    publisher_of,
)
from peelian.report import Outcome

if TYPE_CHECKING:
    from peelian.places import Places


def read(context: Context) -> Outcome:
    """The sources, read and judged; the nouns are kept as open files."""
    return judged(context)[0]


def judged(context: Context) -> tuple[Outcome, Places]:
    """The chapter on what was read, and the places, without keeping anything."""
    from peelian.places import Places
    from peelian.read import run as stage

    project = context.project
    sources = stage.sources_of(project.tables, project.folder, project.file)
    outcome, incidents, places, layers = stage.run(
        sources,
        stage_parameters(project, "read", stage.Parameters),
        crime=project.project.crime,
        seed=project.seed("read"),
        progress=context.ticker("read"),
    )
    study = places.select(stage.study_area(places, sources.places.where)) if sources.places.where else places
    cells = Places.grid(study.geometry, sources.places.cell)
    files = {"incidents": incidents, "layers": layers, "places.parquet": places, "cells.parquet": cells}
    return replace(outcome, files={**outcome.files, **files}), places


def explain(context: Context) -> Outcome:
    """The incidents, the features and the grid."""
    from peelian.explain import run as stage

    if not len(context.layers):
        return not_held("explain", "the project names no layers of features. Add [[layers]] to peelian.toml.")
    return stage.run(
        context.incidents, context.layers, context.cells,
        stage_parameters(context.project, "explain", stage.Parameters),
        seed=context.project.seed("explain"), crime=context.project.outcome, areas=context.places,
        progress=context.ticker("explain"),
    )  # fmt: skip


def predict(context: Context) -> Outcome:
    """The incidents, the grid and the areas, with the risk terrain as a prior where there is one."""
    import geopandas as gpd

    from peelian.predict import run as stage

    terrain, about = context.made("explain", "cells.parquet"), context.made("explain", "terrain.json")
    prior = prior_to = None
    if terrain is not None and about is not None:
        prior = gpd.read_parquet(terrain)["risk"].fillna(0.0)  # no homes, no risk to anybody's home
        prior_to = month_of(json.loads(about.read_text(encoding="utf-8"))["fitted_on"][1])
    return stage.run(
        context.incidents, context.cells, context.places,
        stage_parameters(context.project, "predict", stage.Parameters),
        prior=prior, prior_to=prior_to, seed=context.project.seed("predict"),
        crime=context.project.outcome, by=context.by,
        progress=context.ticker("predict"),
    )  # fmt: skip


def plan(context: Context) -> Outcome:
    """The risk of each area of the study area, with the dates it was fitted on, and past counts."""
    import pandas as pd

    from peelian.plan import run as stage

    path = context.made("predict", "risk.csv")
    if path is None:
        return not_held("plan", "there is no forecast of risk by area to plan from.")
    risk = pd.read_csv(path, dtype={"place": str}).set_index("place")["risk"]
    about = json.loads((context.folder("predict") / "risk.json").read_text(encoding="utf-8"))
    first, last = (pd.Period(month, "M") for month in about["fitted_on"])
    study = context.study
    return stage.run(
        risk.reindex(study.index), (first, last), study, context.programme, context.monthly(study),
        stage_parameters(context.project, "plan", stage.Parameters),
        seed=context.project.seed("plan"), crime=context.project.outcome, progress=context.ticker("plan"),
    )  # fmt: skip


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
        questions=context.file("account", "questions"),
        benefits=context.file("account", "benefits"),
        governance=context.file("account", "governance"),
        areas=card_areas(context, parameters.cards, parameters.cards_name),
        people=people_of(context, parameters.equality),
        released=releases(context.project.folder / RELEASES),
        source=publisher_of(context.project),
        months=context.incidents.span,
        seed=context.project.seed("account"), crime=context.project.outcome,
        published=context.incidents.published, progress=context.ticker("account"),
    )  # fmt: skip
