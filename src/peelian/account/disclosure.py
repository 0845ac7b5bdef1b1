"""Statistical disclosure control: small counts become ``c``, and no published total gives them back."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from peelian.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

HIDDEN = "c"
SLACK = 1e-6


def protect(
    frame: pd.DataFrame, counts: Sequence[str], *, audience: str = "public", threshold: int | None = None
) -> pd.DataFrame:
    """A table fit for an audience: small counts are ``c``, and so is what would give them back.

    ``frame``      a table as it is printed; its first column names the row.
    ``counts``     columns of counts of incidents or people: 1 to threshold - 1 are hidden, zeros stay.
    ``audience``   whose threshold holds (figures ``threshold_public`` and so on); ``threshold`` overrules it.

    Sums are found by arithmetic: a row that is the sum of the others, a count column that is the sum of the
    other ones or of two of them. Where there are any, further cells are hidden until no hidden one can be
    computed within a width of the threshold. In a row with a hidden count, columns that could give it back
    are hidden too: numbers with fractions or below 0 (rates, shares, changes), and sums or differences of two
    count columns. Columns with a hidden cell become objects.

    Raises ``DataError`` for an audience without a threshold. Hiding twice is hiding once.

    >>> import pandas as pd
    >>> protect(pd.DataFrame({"area": ["a", "b"], "burglaries": [3, 40]}), ["burglaries"], threshold=5)
      area burglaries
    0    a          c
    1    b         40
    """
    import pandas as pd

    least = threshold_of(audience) if threshold is None else threshold
    whole = [name for name in counts if _is_count(frame[name])]
    if not len(frame) or not whole or least <= 1:
        return frame.copy()
    table = frame[whole].reset_index(drop=True)
    blank = table.isna()
    table = table.mask(blank, 0) if blank.to_numpy().any() else table
    true, known = _numbers(table)
    hidden = _hidden(true, known, _sums(true) if known.all() else [], least) & ~blank.to_numpy()
    out = frame.copy()
    for at, name in enumerate(whole):
        if hidden[:, at].any():
            out[name] = frame[name].astype(object).mask(hidden[:, at], HIDDEN)
    row = hidden.any(axis=1)
    if row.any():
        for name in frame.columns[1:].difference(whole, sort=False):
            if _gives_back(pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float), true):
                out[name] = frame[name].astype(object).mask(row, HIDDEN)
    return out


def threshold_of(audience: str) -> int:
    """The smallest count shown to an audience, from the figures.

    >>> threshold_of("research")
    10
    """
    from peelian.figures import load

    return int(load().at(f"threshold_{audience}").value or 1)


def _is_count(column: pd.Series) -> bool:
    """True where every value is a whole number of 0 or more, blank, or hidden already."""
    import pandas as pd

    values = pd.to_numeric(column.astype(object).mask(column.astype(object) == HIDDEN), errors="coerce")
    read = values.notna() | column.isna() | (column.astype(object) == HIDDEN)
    return bool(read.all() and ((values.dropna() >= 0) & (values.dropna() % 1 == 0)).all())


def _sums(true: np.ndarray) -> list[np.ndarray]:
    """The sums that a table shows, found by arithmetic, as lines of weights (see ``bounds``)."""
    import numpy as np

    out = []
    for axis in (0, 1):
        whole = true.sum(axis=axis)
        for at in range(true.shape[axis]):
            if true.shape[axis] > 2 and np.array_equal(2 * true.take(at, axis=axis), whole):
                out += _weights(true.shape, axis, at, [i for i in range(true.shape[axis]) if i != at])
    used = [at for at in range(true.shape[1]) if true[:, at].any()]
    for total, one, other in itertools.permutations(used, 3) if true.shape[1] > 3 else ():
        if one < other and np.array_equal(true[:, one] + true[:, other], true[:, total]):
            out += _weights(true.shape, 1, total, [one, other])
    return out


def _weights(shape: tuple[int, ...], axis: int, total: int, parts: Sequence[int]) -> list[np.ndarray]:
    """Lines of weights for one sum along an axis, one for each line across it."""
    import numpy as np

    out = []
    for other in range(shape[1 - axis]):
        line = np.zeros(shape)
        across = line[:, other] if axis == 0 else line[other, :]
        across[list(parts)], across[total] = 1.0, -1.0
        out.append(line)
    return out


def _gives_back(values: np.ndarray, true: np.ndarray) -> bool:
    """True for a column of rates or changes, or one that is the sum or difference of two count columns."""
    import numpy as np

    held = ~np.isnan(values)
    if not held.any():
        return False
    if ((values[held] % 1 != 0) | (values[held] < 0)).any():
        return True
    pairs = itertools.permutations(range(true.shape[1]), 2)
    return any(
        np.array_equal(values[held], (true[:, one] + sign * true[:, other])[held])
        for one, other in pairs
        for sign in (1, -1)
        if true[:, other].any()
    )


def suppress(
    table: pd.DataFrame, *, threshold: int, total_row: Any = None, total_column: Any = None
) -> pd.DataFrame:
    """A table of counts with small cells, and whatever would give them back, hidden as ``c``.

    ``table``  counts, rows and columns named by labels; ``total_row`` and ``total_column`` name its margins.

    Counts of 1 to ``threshold`` - 1 are hidden, margins too. Then every line with a total hides its smallest
    shown cell beside a lone one; then each small cell is bounded by linear programming from all that is
    published (a hidden cell is at least 1 while every zero is shown) and cells of its lines are hidden,
    smallest first and margins last, until the width is at least ``threshold``. Zeros go last of all.
    """
    import pandas as pd

    true, known = _numbers(table)
    lines = _lines(table, total_row, total_column)
    _check_totals(table, true, known, lines)
    hidden = _hidden(true, known, lines, threshold)
    if not (hidden & known).any():
        return table.copy()
    values = pd.DataFrame(table.to_numpy(dtype=object), table.index, table.columns)
    return values.mask(hidden, HIDDEN)


def _hidden(true: np.ndarray, known: np.ndarray, lines: Sequence[np.ndarray], threshold: int) -> np.ndarray:
    """Which cells are hidden: the small ones, and what it takes so that none can be computed."""
    import numpy as np

    small = known & (true > 0) & (true < threshold)
    hidden = small | ~known
    if small.any():
        _textbook(true, hidden, lines, threshold)
        for row, column in np.argwhere(small):
            _hide_until_safe((int(row), int(column)), true, hidden, lines, threshold)
    return hidden


def bounds(
    true: np.ndarray, hidden: np.ndarray, lines: Sequence[np.ndarray], cell: tuple[int, int]
) -> tuple[float, float]:
    """The least and the most that a hidden cell can be, given every shown cell and the totals.

    ``lines``  each an array of weights of the table's shape (1 for a cell, -1 for its total) that sums to 0.
    """
    import numpy as np
    from scipy.optimize import linprog

    places = np.flatnonzero(hidden)
    at = int(np.searchsorted(places, cell[0] * hidden.shape[1] + cell[1]))
    weights = [line.ravel() for line in lines if line.ravel()[places].any()]
    least = 0.0 if (hidden & (true == 0)).any() else 1.0
    if not weights:
        return least, np.inf
    shown = np.where(hidden, 0.0, true).ravel()
    equal = np.array([weight[places] for weight in weights])
    right = np.array([-float(weight @ shown) for weight in weights])
    goal = np.zeros(len(places))
    goal[at] = 1.0
    ends = []
    for sign in (1.0, -1.0):
        found = linprog(sign * goal, A_eq=equal, b_eq=right, bounds=(least, None), method="highs")
        ends.append(sign * found.fun if found.status == 0 else sign * -np.inf)
    return ends[0], ends[1]


def _hide_until_safe(
    at: tuple[int, int], true: np.ndarray, hidden: np.ndarray, lines: Sequence[np.ndarray], threshold: int
) -> None:
    """Hide further cells in the lines of a small one until it can't be bounded within the threshold.

    Where all its lines are hidden already, what is left in the lines that cross them goes, at last the table.
    """
    while not _certified(at, true, hidden, lines, threshold):
        low, high = bounds(true, hidden, lines, at)
        if high - low >= threshold - SLACK:
            return
        own = [line for line in lines if line[at] != 0]
        more = _smallest(true, hidden, own) or _smallest(true, hidden, lines)
        if more is None:
            return
        hidden[more] = True


def _certified(
    at: tuple[int, int], true: np.ndarray, hidden: np.ndarray, lines: Sequence[np.ndarray], threshold: int
) -> bool:
    """True where a rectangle of four hidden cells alone shows the width: counts can move round it unseen.

    The cell rises while its two neighbours fall and falls while the corner across falls, each down to the
    least.
    """
    import numpy as np

    total = np.any([line < 0 for line in lines], axis=0) if lines else np.zeros(hidden.shape, bool)
    free = hidden & ~total
    if not free[at]:
        return False
    least = 0.0 if (hidden & (true == 0)).any() else 1.0
    i, j = at
    rows, columns = np.flatnonzero(free[:, j]), np.flatnonzero(free[i])
    rows, columns = rows[rows != i], columns[columns != j]
    across = np.where(free[np.ix_(rows, columns)], true[np.ix_(rows, columns)], -np.inf)
    up = np.minimum(true[i, columns][None, :], true[rows, j][:, None])
    width = up + np.minimum(true[at], across) - 2 * least
    return bool(width.size and width.max() >= threshold)


def _textbook(true: np.ndarray, hidden: np.ndarray, lines: Sequence[np.ndarray], threshold: int) -> None:
    """In every line, a lone hidden cell, or hidden cells that sum to under the threshold, get company."""
    for line in lines:
        inside = hidden & (line != 0)
        if inside.any() and (inside.sum() == 1 or true[inside & (line > 0)].sum() < threshold):
            more = _smallest(true, hidden, [line])
            if more is not None:
                hidden[more] = True


def _smallest(true: np.ndarray, hidden: np.ndarray, lines: Sequence[np.ndarray]) -> tuple[int, int] | None:
    """The cell to hide next: smallest above zero, first among equals; totals after cells, zeros last."""
    import numpy as np

    total = np.any([line < 0 for line in lines], axis=0)
    open_ = np.any([line != 0 for line in lines], axis=0) & ~hidden
    if not open_.any():
        return None
    places = np.argwhere(open_)
    order = np.lexsort((true[open_], total[open_], true[open_] == 0))
    row, column = places[order[0]]
    return int(row), int(column)


def _numbers(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The counts and which of them are known: ``c`` from an earlier pass is not."""
    import numpy as np
    import pandas as pd

    known = (table.astype(object) != HIDDEN).to_numpy()
    values = table.astype(object).where(known, 0).apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)
    bad = np.argwhere(~np.isfinite(values) | (values < 0) | (values % 1 != 0))
    if len(bad):
        row, column = bad[0]
        raise DataError(
            f"Row {table.index[row]!r}, column {table.columns[column]!r} is {table.iat[row, column]}; "
            "disclosure control expects whole counts, 0 or more."
        )
    return values, known


def _lines(table: pd.DataFrame, total_row: Any, total_column: Any) -> list[np.ndarray]:
    """One array of weights for each sum that the table shows."""
    import numpy as np

    out = []
    for axis, (labels, total) in enumerate(((table.index, total_row), (table.columns, total_column))):
        if total is None:
            continue
        where = np.flatnonzero(labels == total)
        if len(where) != 1:
            raise DataError(f"The table has {len(where)} lines called {total!r}; its total must be one.")
        parts = [at for at in range(len(labels)) if at != where[0]]
        out += _weights(table.shape, axis, int(where[0]), parts)
    return out


def _check_totals(
    table: pd.DataFrame, true: np.ndarray, known: np.ndarray, lines: Sequence[np.ndarray]
) -> None:
    import numpy as np

    for line in lines:
        used = line != 0
        if known[used].all() and abs((line * true).sum()) > SLACK:
            row, column = np.argwhere(line < 0)[0]
            raise DataError(
                f"The total in row {table.index[row]!r}, column {table.columns[column]!r} is "
                f"{true[row, column]:,.0f}, "
                f"but its parts add up to {true[line > 0].sum():,.0f}."
            )
