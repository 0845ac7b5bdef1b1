"""Neighbours on a bare grid of columns and rows, for reference cells that come without shapes."""

from __future__ import annotations

import numpy as np
from scipy import sparse


def queen(column: np.ndarray, row: np.ndarray) -> sparse.csr_array:
    """Cells that touch, corners included, as a 0/1 matrix."""
    table = np.full((int(column.max()) + 3, int(row.max()) + 3), -1)
    table[column + 1, row + 1] = np.arange(len(column))
    left, right = [], []
    for across in (-1, 0, 1):
        for up in (-1, 0, 1):
            other = table[column + 1 + across, row + 1 + up]
            held = np.flatnonzero((other >= 0) & ((across != 0) | (up != 0)))
            left.append(held)
            right.append(other[held])
    at = (np.concatenate(left), np.concatenate(right))
    return sparse.csr_array((np.ones(len(at[0])), at), shape=(len(column),) * 2)
