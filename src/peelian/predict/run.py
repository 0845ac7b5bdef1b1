"""Run the stage: backtest every method, forecast the next period by cell, and the plan's risk by area."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator
from pydantic.dataclasses import dataclass

from peelian.errors import DesignError
from peelian.predict.tables import AuditTable, MissionTable, TriggeringTable
from peelian.report import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places
    from peelian.predict.backtest import Backtest
    from peelian.predict.extras import Part
    from peelian.predict.forecast import Forecast
    from peelian.predict.holdout import Holdout
    from peelian.predict.patrol import Given
    from peelian.predict.planning import Planning

Progress = Callable[[int, int], None]
Share = Annotated[float, Field(gt=0, le=1)]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Answer:
    """Who answers for a map that did no better than counts, and why it is used nevertheless."""

    by: Annotated[str, Field(min_length=2)]
    reason: Annotated[str, Field(min_length=10)]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Parameters:
    """The ``[predict]`` table of peelian.toml.

    ``methods``         methods besides the baselines, which are always run: names with their parameters in
                        brackets (``blend``, ``ewma(24)``, ``kde(500)``), or the dotted path of your own.
    ``grids``           ``three``: a method that beats counts is tested again on the grid moved by half a cell
                        and on cells twice as wide, and must hold on all; ``one``: it is not.
    ``horizon``         what a forecast spans: ``month``, or ``week`` where incidents have dates.
    ``origins``         how many past months (or weeks) each method is tested on.
    ``coverage``        shares of the area at which the maps are judged.
    ``first``, ``last`` first and last month of history used (``2016-01``); all of it where not given.
    ``fitted_to``       last month that the risk by area for planning may have seen; the last month where not
                        given. A plan wants a year between it and the start of its baseline.
    ``lag_months``      months that are not yet known when a forecast is made; the tables are printed for it,
                        and beside it for a lag of 2 where it is 0.
    ``allow_police_generated``  a written reason for learning from records that police generated (stops,
                        searches, drugs, weapons); without it they are refused. It is printed in the report.
    ``test_months``, ``history_months``  the one-year test: months tested, and months before them counted.
    ``missions``    patrol boxes for the forecast period (see ``MissionTable``); none without it.
    ``audit``       fairness and feedback (see ``AuditTable``).
    ``triggering``  which marks of an incident go with more near by (see ``TriggeringTable``).
    ``answered``    who answers for a map that did no better than counts in the ledger: ``by`` and ``reason``.
    """

    methods: tuple[str, ...] = ("blend",)
    grids: Literal["three", "one"] = "three"
    horizon: Literal["month", "week"] = "month"
    origins: Annotated[int, Field(ge=1)] = 24
    coverage: tuple[Share, ...] = (0.01, 0.05, 0.1, 0.2)
    first: str | None = None
    last: str | None = None
    fitted_to: str | None = None
    lag_months: Annotated[int, Field(ge=0, le=24)] = 0
    allow_police_generated: str = ""
    test_months: Annotated[int, Field(ge=1)] = 12
    history_months: Annotated[int, Field(ge=1)] = 36
    missions: MissionTable | None = None
    audit: AuditTable = Field(default_factory=AuditTable)
    triggering: TriggeringTable | None = None
    answered: Answer | None = None

    @field_validator("first", "last", "fitted_to")
    @classmethod
    def _month(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", value):
            raise ValueError("is no month; write it as 2018-12")
        return value


def run(
    incidents: Incidents,
    cells: Places,
    areas: Places,
    parameters: Parameters,
    *,
    prior: pd.Series | None = None,
    prior_to: str | None = None,
    seed: int,
    crime: str = "crime",
    by: Literal["code", "point"] = "point",
    given: Given | None = None,
    weather: pd.DataFrame | None = None,
    ledger: Path | None = None,
    store: Path | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Where next, and is that better than last year's map?

    ``incidents``  of the project's crime; counted in cells by their point, in areas ``by`` code or point.
    ``prior``      relative risk by cell from ``explain``, or None; ``prior_to`` the last month that it was
                   fitted on (``2018-12``): without it, it is taken to have seen every month.
    ``given``      streets, custom boxes, check-ins and earlier missions, as far as the project has them.
    ``weather``    by day or month with the calendar beside it, or None; ``ledger`` the folder of sealed
                   forecasts; ``store`` one for the origins that a run has finished, should it be stopped.

    Raises ``DesignError`` where history is too short for any forecast.
    """
    import pandas as pd

    from peelian.predict import report, sealing
    from peelian.predict.checks import refuse_overlapping
    from peelian.predict.forecast import next_period
    from peelian.predict.origin import refuse_police_generated, words_of_origin
    from peelian.predict.planning import planning_risk
    from peelian.predict.tested import backtests

    refuse_overlapping(areas)
    crimes = report.crimes_of(crime)
    used = _cut(incidents, parameters)
    records = refuse_police_generated(used, reason=parameters.allow_police_generated)
    last = used.span[1]
    fitted_to = _fitted_to(parameters, last)
    prior_last = pd.Period(prior_to, "M") if prior_to else last
    found = backtests(
        used, cells, parameters, prior=prior, prior_last=prior_last, seed=seed, crimes=crimes,
        progress=progress, store=store,
    )  # fmt: skip
    tested, lagged = found.main, found.lagged
    forecast = next_period(used, cells, tested, prior=prior)
    by_area, remark = _area_prior(prior, cells, areas, prior_last=prior_last, fitted_to=fitted_to)
    planning = planning_risk(used, areas, fitted_to=fitted_to, prior=by_area, by=by, crimes=crimes, seed=seed)
    test = _one_year(used, cells, parameters)
    told = _told(used, cells, parameters, tested, prior)
    source = _source(used)
    parts = _parts(
        used, cells, areas, parameters, tested, forecast, planning, given=given, weather=weather, by=by,
        crime=crime, crimes=crimes, source=source, seed=seed,
    )  # fmt: skip
    held = sealing.told(ledger, answered=parameters.answered)
    chapter = report.section(
        backtest=tested, lagged=lagged, test=test, forecast=forecast, planning=planning, incidents=used,
        cells=cells, crimes=crimes, source=source, seen=found.seen, patrol=parts["patrol"].blocks,
        further=[block for name in ("triggering", "audit", "weather") for block in parts[name].blocks],
        sealed=held,
        remarks=(*found.remarks, *told, remark),
        records=words_of_origin(records, parameters.allow_police_generated),
    )  # fmt: skip
    files = _files(tested, lagged, forecast, planning, cells, areas, crimes)
    for part in parts.values():
        files |= part.files
    files["forecast.json"] = sealing.about_forecast(
        used, start=forecast.start, stop=forecast.stop, method=forecast.method, reference=tested.reference,
        horizon=parameters.horizon, crime=crime,
    )  # fmt: skip
    if held.scores is not None:
        files["sealed.csv"] = held.scores
    summary = _summary(tested, test, forecast, planning)
    for part in parts.values():
        summary |= part.summary
    return Outcome(chapter, files, summary)


def _parts(
    incidents: Incidents, cells: Places, areas: Places, parameters: Parameters, tested: Backtest,
    forecast: Forecast, planning: Planning, *, given: Given | None, weather: pd.DataFrame | None, by: str,
    crime: str, crimes: str, source: str, seed: int,
) -> dict[str, Part]:  # fmt: skip
    """Missions and their dose, the audit, the weather: each where it is asked for."""
    from peelian.predict import extras
    from peelian.predict.patrol import Given

    held = given or Given()
    patrol = extras.dosage_part(held, incidents, cells, source)
    if parameters.missions is not None:
        made = extras.missions_part(
            forecast, incidents, cells, areas, parameters.missions, held, crime=crime, crimes=crimes,
            source=source, seed=seed,
        )  # fmt: skip
        patrol = extras.Part(
            [*made.blocks, *patrol.blocks], made.files | patrol.files, made.summary | patrol.summary
        )
    audit = extras.Part()
    if parameters.audit.on:
        audit = extras.audit_part(
            tested, forecast, planning, incidents, cells, areas, parameters.audit, by=by, crimes=crimes,
            source=source, seed=seed,
        )  # fmt: skip
    return {
        "patrol": patrol, "audit": audit,
        "triggering": extras.triggering_part(incidents, areas, parameters.triggering, crimes, source),
        "weather": extras.weather_part(incidents, weather, crimes, source),
    }  # fmt: skip


def _told(
    incidents: Incidents, cells: Places, parameters: Parameters, tested: Backtest, prior: pd.Series | None
) -> list[str]:
    """What the methods that were asked for say of themselves after their last fit: weights, parts."""
    from peelian.predict.backtest import STEP
    from peelian.predict.history import History, moment_of, step_of
    from peelian.predict.methods import methods_named

    step = STEP[parameters.horizon]
    asked = [name for name in parameters.methods if "".join(name.split()) in tested.words]
    speaking = [
        method for method in methods_named(asked, step=step, prior=prior).values() if hasattr(method, "told")
    ]
    if not speaking:
        return []
    end = moment_of(step_of(incidents.frame["start"].max(), step) + 1, step)
    history = History.of(incidents, cells, end=end, step=step)
    return [method.told(history) for method in speaking]


def _fitted_to(parameters: Parameters, last: pd.Period) -> pd.Period:
    """The last month that the planning risk may see."""
    import pandas as pd

    fitted_to = pd.Period(parameters.fitted_to, "M") if parameters.fitted_to else last
    if fitted_to > last:
        raise DesignError(
            f"[predict] fitted_to is {fitted_to}, and incidents end in {last}. Give a month up to {last}."
        )
    return fitted_to


def _area_prior(
    prior: pd.Series | None, cells: Places, areas: Places, *, prior_last: pd.Period, fitted_to: pd.Period
) -> tuple[pd.Series | None, str]:
    """The risk terrain by area, where the planning risk may use it; else why not."""
    from peelian.predict.planning import prior_by_area

    if prior is None:
        return None, ""
    if prior_last > fitted_to:
        return None, (
            f"The risk terrain is not in the planning risk: it was fitted on months to {prior_last:%B %Y}, "
            f"and the plan may see none after {fitted_to:%B %Y}."
        )
    by_area = prior_by_area(prior, cells, areas)
    if by_area is None:
        return None, "The risk terrain is not in the planning risk: some areas lie outside its grid."
    return by_area, ""


def _one_year(incidents: Incidents, cells: Places, parameters: Parameters) -> Holdout | str:
    """The one-year test, or why it was not made."""
    from peelian.predict.holdout import one_year_test

    shares = tuple(share for share in parameters.coverage if share >= 0.05) or parameters.coverage
    try:
        return one_year_test(
            incidents, cells, test_months=parameters.test_months, history_months=parameters.history_months,
            areas=shares,
        )  # fmt: skip
    except DesignError as error:
        return f"The one-year test was not made. {error}"


def _cut(incidents: Incidents, parameters: Parameters) -> Incidents:
    import pandas as pd

    if parameters.first is None and parameters.last is None:
        return incidents
    held = incidents.span
    first = pd.Period(parameters.first, "M") if parameters.first else held[0]
    last = pd.Period(parameters.last, "M") if parameters.last else held[1]
    used = incidents.between(first, last + 1)
    if not len(used):
        raise DesignError(
            f"[predict] asks for {first} to {last}, and the incidents span {held[0]} to {held[1]}: "
            "none is left."
        )
    return used


def _source(incidents: Incidents) -> str:
    first, last = incidents.span
    files = sorted(set(incidents.frame["source"].astype(str)))
    named = files[0] if len(files) == 1 else f"{len(files):,} files"
    return f"{len(incidents):,} recorded incidents, {first:%B %Y} to {last:%B %Y} ({named})"


def _files(
    tested: Backtest, lagged: Backtest | None, forecast: Forecast, planning: Planning, cells: Places,
    areas: Places, crimes: str,
) -> dict[str, Any]:  # fmt: skip
    import geopandas as gpd

    from peelian import maps
    from peelian.predict.report import map_breaks

    by_cell = gpd.GeoDataFrame(forecast.frame.assign(geometry=cells.geometry), crs=cells.crs)
    by_area = gpd.GeoDataFrame(
        {"risk": planning.risk, "geometry": areas.geometry}, crs=areas.crs
    ).rename_axis("place")
    if planning.prior_share is not None:
        by_area["prior_share"] = planning.prior_share
    first, last = planning.months
    files: dict[str, Any] = {
        "risk.csv": planning.risk.rename_axis("place").reset_index(),
        "risk.json": {
            "method": planning.method, "words": planning.words, "fitted_on": [str(first), str(last)],
            "horizon": 12, "total": float(planning.risk.sum()), "unit": f"expected {crimes} a year",
            "why": planning.why,
        },
        "cells.parquet": by_cell,
        "backtest.csv": tested.pooled,
        "backtest_origins.csv": tested.by_origin,
        "backtest_pairs.csv": tested.pairs,
        "predict.gpkg": maps.Layered(
            {"forecast by cell": by_cell.reset_index(), "risk by area": by_area.reset_index()},
            {
                "forecast by cell": maps.Style(
                    "risk",
                    legend=f"expected {crimes}, {forecast.period}",
                    breaks=map_breaks(forecast.frame["risk"]),
                ),
                "risk by area": maps.Style("risk", legend=f"expected {crimes} a year"),
            },
        ),
    }  # fmt: skip
    if lagged is not None:
        files["backtest_lag_2.csv"] = lagged.pooled
    return files


def _summary(tested: Backtest, test: Any, forecast: Forecast, planning: Planning) -> dict[str, Any]:
    row = tested.pooled.set_index("method").loc[forecast.method]
    share = min(tested.shares, key=lambda value: abs(value - 0.05))
    label = f"{share * 100:g}"
    interval = {"low": forecast.low, "high": forecast.high}
    out: dict[str, Any] = {
        "verdict": tested.verdict.code,
        "words": tested.verdict.words,
        "map": forecast.method,
        "origins": tested.origins,
        "log_score": float(row["log_score"]),
        "forecast": {"period": forecast.period, "total": forecast.total} | interval,
        "planning": {
            "method": planning.method,
            "total": float(planning.risk.sum()),
            "fitted_on": [str(month) for month in planning.months],
        },
    }
    out[f"hit_rate_{label}"] = {
        end.strip("_") or "estimate": float(row[f"hit_rate_{label}{end}"]) for end in ("", "_low", "_high")
    }
    if not isinstance(test, str):
        out["one_year_test"] = {
            f"pai_{share * 100:g}": pai
            for share, pai in zip(test.capture.shares, test.capture.pai, strict=True)
        }
    return out
