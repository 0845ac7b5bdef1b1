"""The stage's backtests: as asked, with late data, and on other grids where something beat counts."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from peelian.predict.backtest import STEP, Backtest, backtest
from peelian.predict.beside import newer
from peelian.predict.claims import Verdict
from peelian.predict.grids import Elsewhere, on_other_grids
from peelian.predict.measures import SATURATION, measures
from peelian.predict.method import TERRAIN
from peelian.predict.methods import BASELINES, methods_named

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places
    from peelian.predict.beside import Beside
    from peelian.predict.history import Step
    from peelian.predict.patrol import Given
    from peelian.predict.run import Parameters

DAYS = {"month": 31, "week": 7}
LATE = 2  # months by which published data lag


@dataclass(frozen=True, eq=False)
class Tested:
    """``main`` the backtest as asked; ``lagged`` the one with late data (with none late, where ``main`` has
    some), or None; ``seen`` True where a terrain saw tested months; ``remarks`` in sentences: what was found
    on other grids, what is newer than the months that it is tested on.
    """

    main: Backtest
    lagged: Backtest | None
    seen: bool
    remarks: tuple[str, ...]
    elsewhere: tuple[Elsewhere, ...] = ()


def backtests(
    incidents: Incidents,
    cells: Places,
    parameters: Parameters,
    *,
    prior: pd.Series | None,
    prior_last: pd.Period,
    beside: Beside | None = None,
    seed: int,
    crimes: str,
    progress: Callable[[int, int], None] | None,
    given: Given | None = None,
    areas: Places | None = None,
    late: bool = True,
    store: Path | None = None,
) -> Tested:
    """Every method on the same origins, plain counts always among them.

    ``prior_last``  last month that the terrain was fitted on: where it lies in the tested months, methods
                    that use the terrain are shown and never said to beat anything.
    ``given``, ``areas``  streets and homes, for coverage in kilometres, homes and kits.
    ``store``       a folder for finished origins, so that a run that is stopped goes on from there; emptied
                    when all is done.
    """
    import pandas as pd

    step = STEP[parameters.horizon]
    names = asked(parameters, step, prior=prior is not None, given=given)
    tested_from = (
        (incidents.frame["start"].max() - pd.Timedelta(DAYS[parameters.horizon] * parameters.tested_on, "D"))
        .to_period("M")
        .start_time
    )
    saturation = parameters.missions.saturation if parameters.missions is not None else SATURATION
    known = {} if areas is None else measures(cells, areas, given, saturation=saturation)
    lag = parameters.lag_months * (1 if step == "month" else 30)

    def tested(
        places: Places, terrain: pd.Series | None, names: list[str], lag: int,
        ticker: Callable[[int, int], None] | None = None,
    ) -> Backtest:  # fmt: skip
        methods = methods_named(names, step=step, prior=terrain, prior_to=str(prior_last), beside=beside)
        informed = [name for name, method in methods.items() if newer(inputs_of(method), tested_from)]
        return backtest(
            methods, incidents, places, origins=parameters.tested_on, horizon=parameters.horizon,
            areas=parameters.coverage, lag=lag, refit=parameters.refit, seen=informed, crimes=crimes,
            seed=seed, measures=known if places is cells else None, store=store, progress=ticker,
        )  # fmt: skip

    main, elsewhere = tested(cells, prior, names, lag, progress), tuple[Elsewhere, ...]()
    lagged, claims = None, incidents.published and main.verdict.code == "better"
    if step == "month" and (late or claims):  # both are shown; on published data a claim must hold on both
        lagged = tested(cells, prior, names, 0 if lag else LATE)
    if parameters.grids == "three":
        main, elsewhere = on_other_grids(
            main, cells, lambda grid, terrain, beat: tested(grid, terrain, beat, lag), prior=prior
        )
    if incidents.published and lagged is not None and not lag:
        main = replace(main, verdict=claim_when_late(main, lagged))
    if store is not None:
        shutil.rmtree(store, ignore_errors=True)  # nothing is left to go on from
    resting = methods_named(names, step=step, prior=prior, prior_to=str(prior_last), beside=beside)
    every = {what: month for method in resting.values() for what, month in inputs_of(method).items()}
    late_inputs = newer(every, main.by_origin["origin"].min())
    terrain = [what for what in late_inputs if what.startswith(TERRAIN)]
    return Tested(main, lagged, bool(terrain), tuple(_newer_words(late_inputs, terrain)), elsewhere)


def asked(parameters: Parameters, step: Step, *, prior: bool, given: Given | None) -> list[str]:
    """The baselines, the near repeats with the excess that was found, and the methods of the table.

    The blend is left out where there is no risk terrain.
    """
    found = "" if given is None else given.near_repeat
    names = [found if found and name == "near_repeat" else name for name in BASELINES[step]]
    return [*names, *(name for name in parameters.methods if prior or name.split("(")[0] != "blend")]


def claim_when_late(main: Backtest, lagged: Backtest) -> Verdict:
    """The verdict on published data: a claim stands only if it holds with the last months not yet known."""
    verdict = main.verdict
    if verdict.code != "better":
        return verdict
    rows = lagged.pairs.set_index("method")
    unknown = f"the last {lagged.lag} months not yet known, as published data are"
    if verdict.method in rows.index and bool(rows.loc[verdict.method, "beats"]):
        return replace(verdict, words=f"{verdict.words} It held with {unknown}.")
    words = main.words[verdict.method]
    row = rows.loc[verdict.method] if verdict.method in rows.index else None
    found = "it gave no forecast" if row is None else f"log score {row['log_score']:+.4f} against counts"
    return Verdict(
        "not better when late",
        f"{words[0].upper()}{words[1:]} did better than counts where every month was known, but not with "
        f"{unknown} ({found}). Use the count.",
        main.reference,
    )


def inputs_of(method: object) -> Mapping[str, str | None]:
    """What a method says that it rests on besides incidents."""
    inputs: Mapping[str, str | None] = getattr(method, "inputs", {})
    return inputs


def _newer_words(late: list[str], terrain: list[str]) -> list[str]:
    """The inputs other than the terrain that are newer than the first tested month, in a sentence."""
    others = [what for what in late if what not in terrain]
    if not others:
        return []
    return [
        f"Newer than the first tested month, or without a date: {'; '.join(others)}. Methods that use them "
        "are shown and never said to beat anything."
    ]
