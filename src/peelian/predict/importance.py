"""Importance: how much worse a learned method forecasts without one kind of feature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peelian.predict.history import moment_of

if TYPE_CHECKING:
    from peelian.predict.history import History
    from peelian.predict.regression import Learned, Rows

DRAWS = 5


@dataclass(frozen=True)
class Importance:
    """Log score lost without a group of features, on the last quarter of origins, which it has not seen.

    ``shuffled``  when its columns are dealt out anew among the places of each origin (or the
    origins, where places do not differ), together (Breiman
    2001; mean of 5 draws); ``removed`` when it is left out and the rest learned anew. Above 0: it helped.
    """

    group: str
    shuffled: float
    removed: float


def importance(method: Learned, history: History, length: int, lag: int = 0) -> tuple[Importance, ...]:
    """What each group of features is worth to a learned method, the most useful first.

    ``length`` of the horizon and ``lag`` in steps. Learned on the first three quarters of the method's own
    origins. Seeded by the method's ``seed``.
    """
    rows = method.training(history, length, lag)
    number = int(rows.origin[-1]) + 1
    known, later = rows.where(rows.origin < number * 3 // 4), rows.where(rows.origin >= number * 3 // 4)
    setting = method.chosen(rows)
    rate = method.learn(known, setting)
    whole = _score(later, rate(later.values))
    found = []
    for group in dict.fromkeys(rows.groups):
        shuffled = float(
            np.mean([_score(later, rate(values)) for values in _dealt(later, group, method.seed)])
        )
        if len(set(rows.groups)) == 1:
            removed = float("nan")
        else:
            rest = later.without(group)
            removed = _score(rest, method.learn(known.without(group), setting)(rest.values)) - whole
        found.append(Importance(group, shuffled - whole, removed))
    return tuple(sorted(found, key=lambda one: -one.shuffled))


def told(method: Learned, history: History, length: int) -> str:
    """The importance in sentences: what the method was trained on, and what each group is worth."""
    model = method.fitted(history, length)
    until = moment_of(model.until, history.step)
    found = importance(method, history, length)
    parts = [f"{one.group} {one.shuffled:.4f} (left out: {one.removed:+.4f})" for one in found]
    name = f"{method.words[0].upper()}{method.words[1:]}"
    return (
        f"{name}: learned from {model.origins} origins before {until.day} {until:%B %Y}, setting "
        f"{model.chosen:g}. Log score lost when a kind of feature is dealt out at random among places, and "
        f"when it is left out and the rest is learned anew: {', '.join(parts)}."
    )


def _score(rows: Rows, rate: np.ndarray) -> float:
    from peelian.predict.regression import surprise

    return surprise(rows.counts, rate)


def _dealt(rows: Rows, group: str, seed: int) -> Sequence[np.ndarray]:
    """The features with a group's columns dealt out anew among the places of each origin, together.

    A group that is the same in every place (the calendar) is dealt out among the origins instead.
    """
    rng = np.random.default_rng(seed)
    columns = np.array([name == group for name in rows.groups])
    number = len(np.unique(rows.origin))
    by_origin = rows.values[:, columns].reshape(number, -1, columns.sum())
    alike = bool((by_origin == by_origin[:, :1]).all())
    out = []
    for _ in range(DRAWS):
        if alike:
            order = np.arange(len(rows.counts)).reshape(number, -1)[rng.permutation(number)].ravel()
        else:
            order = np.lexsort((rng.random(len(rows.counts)), rows.origin))
        values = rows.values.copy()
        values[:, columns] = rows.values[order][:, columns]
        out.append(values)
    return out
