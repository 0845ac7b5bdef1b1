"""Run the stage: backtest every method, forecast the next period by cell, and the plan's risk by area."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import ConfigDict, Field, field_validator
from pydantic.dataclasses import dataclass

from peelian.errors import DesignError
from peelian.predict.tables import AuditTable, FeatureTable, MissionTable, TriggeringTable
from peelian.report import Outcome, Text

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places
    from peelian.predict.backtest import Backtest
    from peelian.predict.beside import Holdings
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
    ``origins``         how many past months (or weeks) each method is tested on; 24 months or 52 weeks unless
                        given, because fewer than 24 or 50 are too few to rank.
    ``coverage``        shares of the area at which the maps are judged.
    ``first``, ``last`` first and last month of history used (``2016-01``); all of it where not given.
    ``fitted_to``       last month that the risk by area for planning may have seen; the last month where not
                        given. A plan wants a year between it and the start of its baseline.
    ``lag_months``      months that are not yet known when a forecast is made; the tables are printed for it,
                        and beside it for a lag of 2 where it is 0.
    ``allow_police_generated``  a written reason for learning from records that police generated (stops,
                        searches, drugs, weapons); without it they are refused. It is printed in the report.
    ``test_months``, ``history_months``  the one-year test: months tested, and months before them counted.
    ``refit``       learned methods are fitted anew every so many origins; as each does by itself where not
                    given.
    ``level``       of the map's total: ``year``, its method's own (the mean of the last year); ``seasonal``,
                    that with own monthly factors; ``kept``, by season, calendar and weather that earned their
                    place; the last two only where they did.
    ``features``    what learned methods may learn from besides incidents (see ``FeatureTable``).
    ``missions``    patrol boxes for the forecast period (see ``MissionTable``); none without it.
    ``audit``       fairness and feedback (see ``AuditTable``).
    ``triggering``  which marks of an incident go with more near by (see ``TriggeringTable``).
    ``answered``    who answers for a map that did no better than counts in the ledger: ``by`` and ``reason``.
    """

    methods: tuple[str, ...] = ("blend",)
    grids: Literal["three", "one"] = "three"
    horizon: Literal["month", "week"] = "month"
    origins: Annotated[int, Field(ge=1)] | None = None
    coverage: tuple[Share, ...] = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
    first: str | None = None
    last: str | None = None
    fitted_to: str | None = None
    lag_months: Annotated[int, Field(ge=0, le=24)] = 0
    allow_police_generated: str = ""
    test_months: Annotated[int, Field(ge=1)] = 12
    history_months: Annotated[int, Field(ge=1)] = 36
    refit: Annotated[int, Field(ge=1)] | None = None
    level: Literal["year", "seasonal", "kept"] = "year"
    features: FeatureTable = Field(default_factory=FeatureTable)
    missions: MissionTable | None = None
    audit: AuditTable = Field(default_factory=AuditTable)
    triggering: TriggeringTable | None = None
    answered: Answer | None = None

    @property
    def tested_on(self) -> int:
        """How many origins: as asked, else a year of weeks or two years of months."""
        return self.origins or {"month": 24, "week": 52}[self.horizon]

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
    holdings: Holdings | None = None,
    ledger: Path | None = None,
    store: Path | None = None,
    force: str = "",
    progress: Progress | None = None,
) -> Outcome:
    """Where next, and is that better than last year's map?

    ``incidents``  of the project's crime; counted in cells by their point, in areas ``by`` code or point.
    ``prior``      relative risk by cell from ``explain``, or None; ``prior_to`` the last month that it was
                   fitted on (``2018-12``): without it, it is taken to have seen every month.
    ``given``      streets, custom boxes, check-ins and earlier missions, as far as the project has them.
    ``weather``    by day or month with the calendar beside it, or None; ``holdings`` what else the project
                   holds for ``[predict.features]``; ``ledger`` the folder of sealed forecasts; ``store`` one
                   for the origins that a run has finished, should it be stopped;
    ``force``      the police force, for changes of recording that concern one force only.

    Raises ``DesignError`` where history is too short for any forecast.
    """
    import pandas as pd

    from peelian.predict import report, sealing
    from peelian.predict.beside import beside_of
    from peelian.predict.breaks import breaks_of
    from peelian.predict.cautions import warnings_of
    from peelian.predict.checks import refuse_overlapping
    from peelian.predict.files import files_of, summary_of
    from peelian.predict.origin import refuse_police_generated, words_of_origin
    from peelian.predict.planning import planning_risk
    from peelian.predict.shown import shown
    from peelian.predict.tested import backtests
    from peelian.predict.told import told_of

    refuse_overlapping(areas)
    crimes = report.crimes_of(crime)
    used = _cut(incidents, parameters)
    records = refuse_police_generated(used, reason=parameters.allow_police_generated)
    last = used.span[1]
    fitted_to = _fitted_to(parameters, last)
    prior_last = pd.Period(prior_to, "M") if prior_to else last
    beside = beside_of(
        parameters.features, holdings, areas=areas, weather=weather, police=parameters.allow_police_generated
    )
    found = backtests(
        used, cells, parameters, prior=prior, prior_last=prior_last, beside=beside, seed=seed, crimes=crimes,
        given=given, areas=areas, progress=progress, store=store,
    )  # fmt: skip
    tested, lagged = found.main, found.lagged
    source = source_of(used)
    forecast, level = shown(
        used, cells, tested, parameters, prior=prior, beside=beside, weather=weather,
        force=force, crime=crime, crimes=crimes, source=source, seed=seed,
    )  # fmt: skip
    by_area, remark = _area_prior(prior, cells, areas, prior_last=prior_last, fitted_to=fitted_to)
    planning = planning_risk(used, areas, fitted_to=fitted_to, prior=by_area, by=by, crimes=crimes, seed=seed)
    test = _one_year(used, cells, parameters)
    told, seen_by = told_of(used, cells, parameters, tested, prior, prior_to, beside, crimes)
    held = sealing.told(ledger, answered=parameters.answered)
    cautions = warnings_of(used, cells, forecast, tested, crimes, seen=found.seen)
    parts = {"level": level} | _parts(
        used, cells, areas, parameters, tested, forecast, planning, given=given, weather=weather, by=by,
        crime=crime, crimes=crimes, source=source, seed=seed,
        first=(tested.verdict.words, *held.banners, *cautions),
    )  # fmt: skip
    chapter = report.section(
        backtest=tested, lagged=lagged, test=test, forecast=forecast, planning=planning, incidents=used,
        cells=cells, crimes=crimes, source=source, cautions=cautions, patrol=parts["patrol"].blocks,
        further={
            "What goes with more near by": parts["triggering"].blocks,
            "Who is chosen, and who is missed": parts["audit"].blocks,
            "How many in all": [*parts["level"].blocks, *parts["weather"].blocks],
        },
        sealed=held, remarks=(*found.remarks, *told, remark), elsewhere=found.elsewhere,
        records=words_of_origin(records, parameters.allow_police_generated),
        breaks=breaks_of(crime, used.span, force=force),
    )  # fmt: skip
    files = files_of(tested, lagged, forecast, planning, cells, areas, crimes) | seen_by
    for part in parts.values():
        files |= part.files
    about = sealing.about_forecast(
        used, start=forecast.start, stop=forecast.stop, method=forecast.method, reference=tested.reference,
        horizon=parameters.horizon, crime=crime,
    )  # fmt: skip
    files["forecast.json"] = about | forecast.about | {"verdict": tested.verdict.words}
    if held.scores is not None:
        files["sealed.csv"] = held.scores
    summary = summary_of(tested, test, forecast, planning)
    for part in parts.values():
        summary |= part.summary
    return Outcome(chapter, files, summary)


def _parts(
    incidents: Incidents, cells: Places, areas: Places, parameters: Parameters, tested: Backtest,
    forecast: Forecast, planning: Planning, *, given: Given | None, weather: pd.DataFrame | None, by: str,
    crime: str, crimes: str, source: str, seed: int, first: tuple[str, ...],
) -> dict[str, Part]:  # fmt: skip
    """Missions and their dose, the audit, the weather: each where it is asked for."""
    from peelian.predict import extras
    from peelian.predict.patrol import Given

    held = given or Given()
    patrol = extras.dosage_part(held, incidents, cells, source)
    if parameters.missions is not None and not parameters.missions.limited and held.visits is None:
        patrol = replace(patrol, blocks=[Text(extras.LATER, "note"), *patrol.blocks])
    elif parameters.missions is not None:
        made = extras.missions_part(
            forecast, incidents, cells, areas, parameters.missions, held, crime=crime, crimes=crimes,
            source=source, seed=seed, first=first,
        )  # fmt: skip
        patrol = extras.Part(
            [*made.blocks, *patrol.blocks], made.files | patrol.files, made.summary | patrol.summary,
            made.missions,
        )  # fmt: skip
    audit = extras.Part()
    if parameters.audit.on:
        audit = extras.audit_part(
            tested, forecast, planning, incidents, cells, areas, parameters.audit, by=by, crimes=crimes,
            source=source, seed=seed, missions=patrol.missions,
        )  # fmt: skip
    return {
        "patrol": patrol, "audit": audit,
        "triggering": extras.triggering_part(incidents, areas, parameters.triggering, crimes, source),
        "weather": extras.ahead_part(incidents, weather, crimes, source),
    }  # fmt: skip


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


def source_of(incidents: Incidents) -> str:
    """What the numbers rest on, in words: how many incidents, of which months, from which files."""
    first, last = incidents.span
    files = sorted(set(incidents.frame["source"].astype(str)))
    named = files[0] if len(files) == 1 else f"{len(files):,} files"
    return f"{len(incidents):,} recorded incidents, {first:%B %Y} to {last:%B %Y} ({named})"
