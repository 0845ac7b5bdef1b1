"""Only: one part of the stage on its own, for a question that does not wait for the whole chapter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from peelian.errors import DesignError
from peelian.predict import extras, report
from peelian.predict.extras import PARTS, Part
from peelian.predict.tables import MissionTable
from peelian.report import Block, Outcome, Section, Text

if TYPE_CHECKING:
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places
    from peelian.predict.beside import Beside, Holdings
    from peelian.predict.patrol import Given
    from peelian.predict.run import Parameters


def only(
    part: str, incidents: Incidents, cells: Places, areas: Places, parameters: Parameters, *,
    prior: pd.Series | None = None, prior_to: str | None = None, seed: int, crime: str = "crime",
    by: Literal["code", "point"] = "point", given: Given | None = None, weather: pd.DataFrame | None = None,
    holdings: Holdings | None = None, force: str = "",
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
            used, cells, parameters, prior=prior, prior_to=prior_to, beside=beside, source=source, seed=seed
        )
    else:
        made = _on_the_backtest(
            part, used, cells, areas, parameters, held, prior=prior, prior_to=prior_to,
            beside=beside, weather=weather, force=force, seed=seed, crime=crime,
        crimes=crimes, by=by, source=source, records=words, )  # fmt: skip
    blocks: tuple[Block, ...] = (*made.blocks, Text(words, "note"))
    return Outcome(Section("predict", report.TITLE, report.QUESTION, blocks), made.files, made.summary)


def _leakage(
    incidents: Incidents, cells: Places, parameters: Parameters, *, prior: pd.Series | None,
    prior_to: str | None, beside: Beside | None, source: str, seed: int,
) -> Part:  # fmt: skip
    from peelian.predict.backtest import LENGTH, STEP
    from peelian.predict.history import moment_of, step_of
    from peelian.predict.methods import BASELINES, methods_named

    step, length = STEP[parameters.horizon], LENGTH[parameters.horizon]
    names = [name for name in parameters.methods if prior is not None or name.split("(")[0] != "blend"]
    methods = methods_named(
        [*BASELINES[step], *names], step=step, prior=prior, prior_to=prior_to, beside=beside
    )
    last = step_of(incidents.frame["start"].max(), step)
    return extras.leakage_part(
        methods, incidents, cells, origin=moment_of(last - 5 * length, step), horizon=parameters.horizon,
        source=source, seed=seed,
    )  # fmt: skip


def _on_the_backtest(
    part: str, incidents: Incidents, cells: Places, areas: Places, parameters: Parameters, given: Given, *,
    prior: pd.Series | None, prior_to: str | None, beside: Beside | None,
    weather: pd.DataFrame | None, force: str, seed: int, crime: str, crimes: str,
    by: Literal["code", "point"], source: str, records: str,
) -> Part:  # fmt: skip
    import pandas as pd

    from peelian.predict.planning import planning_risk
    from peelian.predict.run import _area_prior, _fitted_to
    from peelian.predict.shown import shown
    from peelian.predict.tested import backtests

    prior_last = pd.Period(prior_to, "M") if prior_to else incidents.span[1]
    found = backtests(
        incidents, cells, parameters, prior=prior, prior_last=prior_last, beside=beside, seed=seed,
        crimes=crimes, progress=None, given=given, areas=areas, late=part == "backtest",
    )  # fmt: skip
    tested, lagged = found.main, found.lagged
    verdict: list[Block] = [Text(tested.verdict.words, "finding")]
    verdict += [Text(words, "finding") for words in found.remarks]
    if part == "backtest":
        return _backtest(verdict, [tested, *([lagged] if lagged else [])], crime, crimes, source)
    forecast, _ = shown(
        incidents, cells, tested, parameters, prior=prior, beside=beside, weather=weather, force=force,
        crime=crime, crimes=crimes, source=source, seed=seed,
    )  # fmt: skip
    if part == "map":
        said = Text(report.forecast_sentence(forecast, crimes, len(cells)), "finding")
        blocks = report.map_blocks(
            forecast, tested, cells, crimes, source, records, published=incidents.published
        )
        frame = forecast.frame.reset_index()
        return Part([*verdict, said, *blocks], {"forecast.csv": frame}, {"map": forecast.method})
    if part == "missions":
        asked = parameters.missions or (None if given.visits is None else MissionTable())
        if asked is None:
            raise DesignError(
                "No missions are asked for. Write [predict.missions] with boxes = 20 or kilometres = 5, or "
                "make a plan with patrol."
            )
        made = extras.missions_part(
            forecast, incidents, cells, areas, asked, given, crime=crime, crimes=crimes,
            source=source, seed=seed, sheet=True,
        )  # fmt: skip
        cannot = report.warnings_of(incidents, cells, forecast, tested, crimes, seen=False)[0]
        return Part([*made.blocks, Text(cannot, "warning")], made.files, made.summary)
    fitted_to = _fitted_to(parameters, incidents.span[1])
    by_area, _ = _area_prior(prior, cells, areas, prior_last=prior_last, fitted_to=fitted_to)
    planning = planning_risk(
        incidents, areas, fitted_to=fitted_to, prior=by_area, by=by, crimes=crimes, seed=seed
    )
    return extras.audit_part(
        tested, forecast, planning, incidents, cells, areas, parameters.audit, by=by, crimes=crimes,
        source=source, seed=seed,
    )  # fmt: skip


def _backtest(verdict: list[Block], tested: list[Any], crime: str, crimes: str, source: str) -> Part:
    from peelian.predict.forecast import chosen_map
    from peelian.predict.measures import recording_breaks
    from peelian.predict.scores_report import baseline_sentence, score_blocks, score_files

    blocks = [*verdict]
    if len(tested[0].pairs):
        blocks.append(report.difference_chart(tested[0], crimes, source))
    blocks += [report.methods_table(each, crimes, source) for each in tested]
    blocks.insert(1, Text(baseline_sentence(tested[0]), "finding"))
    shown = chosen_map(tested[0])[0]
    blocks += score_blocks(tested[0], shown, crimes, source, breaks=recording_breaks(crime))
    files: dict[str, Any] = {
        "backtest.csv": tested[0].pooled, "backtest_origins.csv": tested[0].by_origin,
        "backtest_pairs.csv": tested[0].pairs, **score_files(tested[0]),
    }  # fmt: skip
    return Part(blocks, files, {"verdict": tested[0].verdict.code, "words": tested[0].verdict.words})
