"""The mixed-integer solver, with its own remarks kept off standard output."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any


def milp(cost: Any, **keywords: Any) -> Any:
    """``scipy.optimize.milp`` (HiGHS), whose few remarks on standard output go to standard error.

    A command that prints one JSON object must print nothing else.
    """
    from scipy import optimize

    with _to_error():
        return optimize.milp(cost, **keywords)


@contextlib.contextmanager
def _to_error() -> Iterator[None]:
    """What compiled code writes to standard output goes to standard error meanwhile."""
    sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:  # there is no standard output to keep clean
        yield
        return
    try:
        os.dup2(2, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
