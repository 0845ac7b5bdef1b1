"""Properties of a chosen set of places over time: does it move, is it scattered, what never leaves it?

After Adepeju, Rosser & Cheng (2016). Choices are parts from 0 to 1 by place, ties in part (see
``predict.audit.taken``). Numbers in, numbers out.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def jaccard(now: np.ndarray, before: np.ndarray) -> float:
    """What two choices have in common over what either holds: 1 the same, 0 nothing in common.

    >>> jaccard(np.array([1.0, 1, 0]), np.array([1.0, 0, 1]))
    0.3333333333333333
    """
    either = float(np.maximum(now, before).sum())
    return float(np.minimum(now, before).sum() / either) if either else float("nan")


def clumpiness(chosen: np.ndarray, neighbours: Any) -> float:
    """How far chosen places lie together: 1 in one clump, 0 as if at random, -1 each by itself.

    ``neighbours``  places x places, sparse, true where two are next to each other.

    The share of the neighbours of chosen places that are chosen as well, against the share that is chosen of
    all (McGarigal, Cushman & Ene 2012). Missing where nothing, or everything, is chosen.
    """
    links = neighbours.astype(float)
    number = np.asarray(links.sum(axis=1)).ravel()
    reach = float(chosen @ number)
    share = float(chosen.mean())
    if not reach or not 0 < share < 1:
        return float("nan")
    like = float(chosen @ (links @ chosen)) / reach
    return (like - share) / (1 - share if like >= share else share)


def always(chosen: np.ndarray) -> float:
    """The part of an average choice that was chosen in every period: places x periods.

    >>> always(np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]))
    0.5
    """
    mean = float(chosen.sum(axis=0).mean())
    return float(chosen.min(axis=1).sum() / mean) if mean else float("nan")
