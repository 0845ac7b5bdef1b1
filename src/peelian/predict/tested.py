"""The stage's backtests: as asked, with late data, and on other grids where something beat counts."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from peelian.predict.backtest import STEP, Backtest, backtest
from peelian.predict.grids import Elsewhere, on_other_grids, sentences
from peelian.predict.measures import SATURATION, measures
from peelian.predict.methods import BASELINES, methods_named

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places
    from peelian.predict.patrol import Given
    from peelian.predict.run import Parameters

DAYS = {"month": 31, "week": 7}


@dataclass(frozen=True, eq=False)
class Tested:
    """``main`` the backtest as asked; ``lagged`` the one with late data, or None; ``seen`` True where a
    terrain saw tested months; ``remarks`` in sentences: what was found on other grids.
    """

    main: Backtest
    lagged: Backtest | None
    seen: bool
    remarks: tuple[str, ...]


def backtests(
    incidents: Incidents,
    cells: Places,
    parameters: Parameters,
    *,
    prior: pd.Series | None,
    prior_last: pd.Period,
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
    names = [name for name in parameters.methods if prior is not None or name.split("(")[0] != "blend"]
    names = [*BASELINES[step], *names]
    tested_from = (
        incidents.frame["start"].max() - pd.Timedelta(DAYS[parameters.horizon] * parameters.origins, "D")
    ).to_period("M")
    saturation = parameters.missions.saturation if parameters.missions is not None else SATURATION
    known = {} if areas is None else measures(cells, areas, given, saturation=saturation)
    lag = parameters.lag_months * (1 if step == "month" else 30)

    def tested(
        places: Places, terrain: pd.Series | None, names: list[str], lag: int,
        ticker: Callable[[int, int], None] | None = None,
    ) -> Backtest:  # fmt: skip
        methods = methods_named(names, step=step, prior=terrain, prior_to=str(prior_last))
        after = prior_last >= tested_from
        informed = [name for name, method in methods.items() if getattr(method, "inputs", {})]
        return backtest(
            methods, incidents, places, origins=parameters.origins, horizon=parameters.horizon,
            areas=parameters.coverage, lag=lag, seen=informed if after else (), crimes=crimes, seed=seed,
            measures=known if places is cells else None, store=store, progress=ticker,
        )  # fmt: skip

    lagged = tested(cells, prior, names, 2) if late and not lag and step == "month" else None
    main, elsewhere = tested(cells, prior, names, lag, progress), tuple[Elsewhere, ...]()
    if parameters.grids == "three":
        main, elsewhere = on_other_grids(
            main, cells, lambda grid, terrain, beat: tested(grid, terrain, beat, lag), prior=prior
        )
    if store is not None:
        shutil.rmtree(store, ignore_errors=True)  # nothing is left to go on from
    resting = methods_named(names, step=step, prior=prior).values()
    seen = prior_last >= tested_from and any(getattr(method, "inputs", {}) for method in resting)
    return Tested(main, lagged, seen, tuple(sentences(elsewhere, main.words)))
