"""How many values of each column lie between given borders, and which these are.

What selection of order statistics does to a block: see `quantiles`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numba import njit

__all__ = ["MOST_COLLECTED", "Cells", "Tally", "dense_parts", "merge_tallies", "tally"]

MOST_COLLECTED = 4_000_000
"""Values that the total of any set of rows may hold; 48 MB with their columns."""

PART_VALUES = 1_000_000
LEAST_BUFFER = 1024
FEW_BORDERS = 16


@dataclass(frozen=True)
class Cells:
    """Intervals that the values of each column are counted in.

    Parameters
    ----------
    borders : ndarray of shape (n_columns, n_borders)
        Ascending in each row; filled up with infinity. Cell `i` holds the values over
        border `i - 1`, up to and with border `i`.
    is_wanted : ndarray of shape (n_columns, n_borders + 1), bool
        Cells whose values are collected.
    """

    borders: Any
    is_wanted: Any


@dataclass(frozen=True)
class Tally:
    """What lies in the cells.

    Parameters
    ----------
    counts : ndarray of shape (n_columns, n_borders + 1)
        Values in each cell, NaN left out.
    parts : list of pair of ndarray, or None
        Columns and values of the cells that are wanted, in any order; None if they are
        more than `MOST_COLLECTED`.
    """

    counts: Any
    parts: list[tuple[Any, Any]] | None


def tally(block: Any, cells: Cells) -> Tally:
    """Count a block, sparse or dense, of finite values and NaN."""
    counts = np.zeros(cells.is_wanted.shape, np.int64)
    total = Tally(counts, [])
    for part in dense_parts(block):
        columns, values, is_whole = _tally(
            part, cells.borders, cells.is_wanted, counts, MOST_COLLECTED
        )
        found = Tally(counts, [(columns, values)] if is_whole else None)
        total = replace(total, parts=_joined(total, found))
    return total


def merge_tallies(a: Tally, b: Tally) -> Tally:
    """Merge the counts of two sets of rows, and what was collected of them."""
    return Tally(a.counts + b.counts, _joined(a, b))


def dense_parts(block: Any) -> Iterator[Any]:
    """Cut a block into dense arrays: a dense one is one part, a sparse one several."""
    if not sp.issparse(block):
        yield np.ascontiguousarray(block)
        return
    block = block.tocsr()
    step = max(1, PART_VALUES // block.shape[1])
    for start in range(0, block.shape[0], step):
        yield block[start : start + step].toarray()


def _joined(a: Tally, b: Tally) -> list[tuple[Any, Any]] | None:
    if a.parts is None or b.parts is None:
        return None
    parts = a.parts + b.parts
    return parts if sum(len(v) for _, v in parts) <= MOST_COLLECTED else None


@njit(nogil=True, cache=True)
def _tally(X, borders, is_wanted, counts, most):  # type: ignore[no-untyped-def]
    """Add to counts; return columns and values collected, and whether all were."""
    n_rows, n_columns = X.shape
    columns = np.empty(LEAST_BUFFER, np.int32)
    values = np.empty(LEAST_BUFFER, X.dtype)
    n_collected = 0
    for i in range(n_rows):
        for j in range(n_columns):
            value = X[i, j]
            if value != value:
                continue
            cell = _cell(borders[j], value)
            counts[j, cell] += 1
            if is_wanted[j, cell] and n_collected <= most:
                if n_collected == len(values):
                    columns = np.concatenate((columns, np.empty_like(columns)))
                    values = np.concatenate((values, np.empty_like(values)))
                columns[n_collected] = j
                values[n_collected] = value
                n_collected += 1
    is_whole = n_collected <= most
    n_kept = n_collected if is_whole else 0
    return columns[:n_kept].copy(), values[:n_kept].copy(), is_whole


@njit(nogil=True, cache=True, inline="always")
def _cell(borders, value):  # type: ignore[no-untyped-def]
    """Count the borders below a value."""
    n = len(borders)
    if n <= FEW_BORDERS:
        below = 0
        for k in range(n):
            below += borders[k] < value
        return below
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        if borders[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low
