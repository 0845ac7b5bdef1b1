"""Only: one part of the stage on its own, for a question that does not wait for the whole chapter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from peelian.errors import DesignError
from peelian.predict import extras, report, sealing
from peelian.predict.breaks import breaks_of
from peelian.predict.cautions import on_maps, outside_words, warnings_of
from peelian.predict.extras import PARTS, Part
from peelian.predict.tables import MissionTable
from peelian.report import Block, Outcome, Section, Text

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places
    from peelian.predict.backtest import Backtest
    from peelian.predict.beside import Beside, Holdings
    from peelian.predict.breaks import Break
    from peelian.predict.forecast import Forecast
    from peelian.predict.patrol import Given
    from peelian.predict.run import Parameters
    from peelian.predict.sealing import Sealed
    from peelian.predict.tested import Tested


def only(
    part: str, incidents: Incidents, cells: Places, areas: Places, parameters: Parameters, *,
    prior: pd.Series | None = None, prior_to: str | None = None, seed: int, crime: str = "crime",
    by: Literal["code", "point"] = "point", given: Given | None = None, weather: pd.DataFrame | None = None,
    holdings: Holdings | None = None, ledger: Path | None = None, force: str = "",
) -> Outcome:  # fmt: skip
    """One part of the chapter: map, backtest, leakage, missions, dosage, weather or audit.

    The arguments are those of ``run``. Map, missions and audit rest on the backtest, which is therefore made
    again; it is deterministic. Raises ``DesignError`` for a part that there is not, or that lacks its input.
    """
    from peelian.predict.beside import beside_of
    from peelian.predict.origin import refuse_police_generated, words_of_origin
    from peelian.predict.patrol import Given
    from peelian.predict.run import _cut, source_of

    if part not in PARTS:
        raise DesignError(f"There is no part {part!r} of predict; there are {', '.join(PARTS)}.")
    used, crimes, held = _cut(incidents, parameters), report.crimes_of(crime), given or Given()
    records = refuse_police_generated(used, reason=parameters.allow_police_generated)
    words = words_of_origin(records, parameters.allow_police_generated)
    source = source_of(used)
    beside = beside_of(
        parameters.features, holdings, areas=areas, weather=weather, police=parameters.allow_police_generated
    )
    if part == "weather":
        if weather is None:
            raise DesignError(
                "The project names no weather. Add a [weather] table with a file to peelian.toml."
            )
        made = extras.weather_part(used, weather, crimes, source)
    elif part == "dosage":
        if held.checkins is None and held.planned is None:
            raise DesignError(
                'There are no check-ins. Name them under [predict]: checkins = "checkins.csv" and planned '
                "= the missions.csv that was handed out."
            )
        made = extras.dosage_part(held, used, cells, source)
    elif part == "leakage":
        made = _leakage(
            used, cells, parameters, prior=prior, prior_to=prior_to, beside=beside, given=held,
            source=source, seed=seed,
        )  # fmt: skip
    else:
        made = _on_the_backtest(
            part, used, cells, areas, parameters, held, prior=prior, prior_to=prior_to,
            beside=beside, weather=weather, seed=seed, crime=crime, crimes=crimes, by=by, source=source,
            records=words, held=sealing.told(ledger, answered=parameters.answered), force=force,
        )  # fmt: skip
    blocks: tuple[Block, ...] = (*made.blocks, Text(words, "note"))
    return Outcome(Section("predict", report.TITLE, report.QUESTION, blocks), made.files, made.summary)


def _leakage(
    incidents: Incidents, cells: Places, parameters: Parameters, *, prior: pd.Series | None,
    prior_to: str | None, beside: Beside | None, given: Given, source: str, seed: int,
) -> Part:  # fmt: skip
    from peelian.predict.backtest import LENGTH, STEP
    from peelian.predict.history import moment_of, step_of
    from peelian.predict.methods import methods_named
    from peelian.predict.tested import asked

    step, length = STEP[parameters.horizon], LENGTH[parameters.horizon]
    names = asked(parameters, step, prior=prior is not None, given=given)
    methods = methods_named(names, step=step, prior=prior, prior_to=prior_to, beside=beside)
    last = step_of(incidents.frame["start"].max(), step)
    return extras.leakage_part(
        methods, incidents, cells, origin=moment_of(last - 5 * length, step), horizon=parameters.horizon,
        source=source, seed=seed,
    )  # fmt: skip


def _on_the_backtest(
    part: str, incidents: Incidents, cells: Places, areas: Places, parameters: Parameters, given: Given, *,
    prior: pd.Series | None, prior_to: str | None, beside: Beside | None, weather: pd.DataFrame | None,
    seed: int, crime: str, crimes: str, by: Literal["code", "point"], source: str, records: str,
    held: Sealed, force: str,
) -> Part:  # fmt: skip
    """Map, backtest, missions or audit; the verdict is their first line, then the stop rule's banners."""
    import pandas as pd

    from peelian.predict.shown import shown
    from peelian.predict.tested import backtests

    prior_last = pd.Period(prior_to, "M") if prior_to else incidents.span[1]
    found = backtests(
        incidents, cells, parameters, prior=prior, prior_last=prior_last, beside=beside, seed=seed,
        crimes=crimes, progress=None, given=given, areas=areas, late=part == "backtest",
    )  # fmt: skip
    tested = found.main
    first: list[Block] = [Text(tested.verdict.words, "finding")]
    first += [Text(banner, "warning") for banner in held.banners]
    if part == "backtest":
        made = _backtest(found, crimes, source, breaks_of(crime, incidents.span, force=force))
        return replace(made, blocks=[*first, *made.blocks])
    forecast, _ = shown(
        incidents, cells, tested, parameters, prior=prior, beside=beside, weather=weather, force=force,
        crime=crime, crimes=crimes, source=source, seed=seed,
    )  # fmt: skip
    on_the_map = " ".join([*held.banners, outside_words(forecast, len(incidents)), records])
    if part == "map":
        said = [*found.remarks, report.forecast_sentence(forecast, crimes, len(cells))]
        blocks = report.map_blocks(forecast, tested, cells, crimes, source, published=incidents.published)
        frame = forecast.frame.reset_index()
        spoken = [Text(words, "finding") for words in said]
        return Part(
            [*first, *spoken, *on_maps(blocks, on_the_map)], {"forecast.csv": frame}, {"map": forecast.method}
        )
    if part == "missions":
        cautions = tuple(warnings_of(incidents, cells, forecast, tested, crimes, seen=False))
        made = extras.missions_part(
            forecast, incidents, cells, areas, _missions_asked(parameters, given), given, crime=crime,
            crimes=crimes, source=source, seed=seed, sheet=True,
            first=(tested.verdict.words, *held.banners, *cautions),
        )  # fmt: skip
        blocks = [*on_maps(made.blocks, on_the_map), Text(cautions[0], "warning")]
        return replace(made, blocks=[*first, *blocks])
    return _audit(
        incidents, cells, areas, parameters, given, tested, forecast, prior=prior, prior_last=prior_last,
        seed=seed, crime=crime, crimes=crimes, by=by, source=source,
    )  # fmt: skip


def _missions_asked(parameters: Parameters, given: Given) -> MissionTable:
    asked = parameters.missions or (None if given.visits is None else MissionTable())
    if asked is None:
        raise DesignError(
            "No missions are asked for. Write [predict.missions] with boxes = 20 or kilometres = 5, or make "
            "a plan with patrol."
        )
    return asked


def _audit(
    incidents: Incidents, cells: Places, areas: Places, parameters: Parameters, given: Given,
    tested: Backtest, forecast: Forecast, *, prior: pd.Series | None, prior_last: pd.Period, seed: int,
    crime: str, crimes: str, by: Literal["code", "point"], source: str,
) -> Part:  # fmt: skip
    from peelian.predict.planning import planning_risk
    from peelian.predict.run import _area_prior, _fitted_to

    fitted_to = _fitted_to(parameters, incidents.span[1])
    by_area, _ = _area_prior(prior, cells, areas, prior_last=prior_last, fitted_to=fitted_to)
    planning = planning_risk(
        incidents, areas, fitted_to=fitted_to, prior=by_area, by=by, crimes=crimes, seed=seed
    )
    made = None
    if parameters.missions is not None and (parameters.missions.limited or given.visits is not None):
        made = extras.missions_of(
            forecast,
            incidents,
            cells,
            areas,
            parameters.missions,
            given,
            crime=crime,
            crimes=crimes,
            seed=seed,
        )
    return extras.audit_part(
        tested, forecast, planning, incidents, cells, areas, parameters.audit, by=by, crimes=crimes,
        source=source, seed=seed, missions=made,
    )  # fmt: skip


def _backtest(found: Tested, crimes: str, source: str, breaks: Sequence[Break]) -> Part:
    from peelian.predict.forecast import chosen_map
    from peelian.predict.grids import grid_tables
    from peelian.predict.scores_report import baseline_sentence, score_blocks, score_files

    tested = found.main
    blocks: list[Block] = [Text(words, "finding") for words in (baseline_sentence(tested), *found.remarks)]
    if len(tested.pairs):
        blocks.append(report.difference_chart(tested, crimes, source))
    both = [tested, *([found.lagged] if found.lagged is not None else [])]
    blocks += [table for each in both for table in report.methods_tables(each, crimes, source)]
    blocks += grid_tables(found.elsewhere, tested.words, source)
    blocks += score_blocks(tested, chosen_map(tested)[0], crimes, source, breaks=breaks)
    files: dict[str, Any] = {
        "backtest.csv": tested.pooled, "backtest_origins.csv": tested.by_origin,
        "backtest_pairs.csv": tested.pairs, **score_files(tested),
    }  # fmt: skip
    return Part(blocks, files, {"verdict": tested.verdict.code, "words": tested.verdict.words})
