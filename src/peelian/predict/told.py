"""Told: what the methods that were asked for say of themselves, and of what they learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peelian.predict.exposure import exposure_words
from peelian.predict.features import features
from peelian.predict.history import STEP, History, moment_of, step_of
from peelian.predict.methods import compact, methods_named
from peelian.predict.regression import Learned

if TYPE_CHECKING:
    import pandas as pd

    from peelian.incidents import Incidents
    from peelian.places import Places
    from peelian.predict.backtest import Backtest
    from peelian.predict.beside import Beside
    from peelian.predict.run import Parameters


def told_of(
    incidents: Incidents, cells: Places, parameters: Parameters, tested: Backtest, prior: pd.Series | None,
    prior_to: str | None, beside: Beside | None, crimes: str,
) -> tuple[list[str], dict[str, pd.DataFrame]]:  # fmt: skip
    """What the methods that were asked for say of themselves after their last fit: weights, parts; and the
    features of learned ones with the day from which each was known, as a file.
    """

    step = STEP[parameters.horizon]
    asked = [name for name in parameters.methods if compact(name) in tested.words]
    speaking = [
        method
        for method in methods_named(asked, step=step, prior=prior, prior_to=prior_to, beside=beside).values()
        if hasattr(method, "told")
    ]
    if not speaking:
        return [], {}
    end = moment_of(step_of(incidents.frame["start"].max(), step) + 1, step)
    history = History.of(incidents, cells, end=end, step=step)
    said = [method.told(history) for method in speaking]
    if not any(isinstance(method, Learned) for method in speaking):
        return said, {}
    seen = features(
        incidents, cells, end, horizon=parameters.horizon, prior=prior, prior_to=prior_to, beside=beside
    )
    return [*said, exposure_words(beside, crimes, end)], {"features.csv": seen.about(step)}
