"""Rows drawn at random from all blocks, by number, and fetched in one pass.

A draw is a share of the total weight, which falls on one row: the rows drawn depend on
the draws and the weights, never on how the rows are cut.
"""

from itertools import accumulate
from typing import Any

import numpy as np
from sklearn.utils import check_array

from sklearn_dask_auto.inputs.assemble import concatenated
from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels.driver import Pass

__all__ = ["Lottery", "fetch", "fetch_block", "merge_parts", "put_together"]


class Lottery:
    """Turn shares of the total weight into numbers of rows.

    Parameters
    ----------
    rows : Rows
        With "sample_weight" beside `X`, or without. Weights are passed over once, to
        add them up; `X` is not looked at.

    Raises
    ------
    ValueError
        If weights are negative, not finite or all zero.
    """

    def __init__(self, rows: Rows) -> None:
        self._n_rows = rows.n_rows
        self._weights: Pass | None = None
        self.total = float(rows.n_rows)
        weight = rows.beside.get("sample_weight")
        if weight is None:
            return
        self._weights = Pass(Rows(weight[:, None]))
        totals: list[Any] = self._weights.fold(_total_block, merge_parts)
        totals.sort(key=_first)
        self._starts = [start for start, _ in totals]
        self._before = [0.0, *accumulate(total for _, total in totals)]
        self.total = self._before[-1]
        if self.total == 0:
            raise ValueError(
                "Sample weights must contain at least one non-zero number."
            )

    def rows(self, shares: Any) -> Any:
        """Return the row that each share falls on.

        Parameters
        ----------
        shares : ndarray of shape (n_draws,)
            In [0, 1).

        Returns
        -------
        numbers : ndarray of shape (n_draws,)
            A row of more weight is the wider target. With weights, in one pass over
            these alone.
        """
        if self._weights is None:
            numbers = (shares * self._n_rows).astype(np.int64)
            # A product may be rounded up.
            return np.minimum(numbers, self._n_rows - 1)
        order = np.argsort(shares, kind="stable")
        targets = np.minimum(shares[order] * self.total, np.nextafter(self.total, 0))
        state = (self._starts, self._before, targets)
        parts: list[Any] = self._weights.fold(_hit_block, merge_parts, state)
        parts.sort(key=_first)
        numbers = np.empty(len(shares), np.int64)
        numbers[order] = np.concatenate([found for _, found in parts])
        return numbers


def _first(part: Any) -> int:
    return int(part[0])


def merge_parts(a: list[Any], b: list[Any]) -> list[Any]:
    """Merge what two sets of blocks had."""
    return a + b


def _total_block(block: Any, beside: dict[str, Any], start: int, state: None) -> Any:
    check_array(block, input_name="sample_weight")
    if (block < 0).any():
        raise ValueError("Probabilities are not non-negative")
    return [(start, float(_sums(block)[-1]))]


def _hit_block(block: Any, beside: dict[str, Any], start: int, state: Any) -> Any:
    starts, before, targets = state
    i = int(np.searchsorted(starts, start))
    low, high = np.searchsorted(targets, before[i : i + 2])
    # The last sum is the next block's `before`, to the last bit.
    sums = before[i] + _sums(block)
    return [(start, start + np.searchsorted(sums, targets[low:high], side="right"))]


def _sums(block: Any) -> Any:
    return np.cumsum(block[:, 0], dtype=np.float64)


def fetch(blocks: Pass, numbers: Any) -> tuple[Any, Any]:
    """Fetch rows, and their weights, in one pass.

    Parameters
    ----------
    blocks : Pass
        The input.
    numbers : ndarray of shape (n_fetched,)
        Of rows, in any order and more than once.

    Returns
    -------
    rows : ndarray or CSR matrix of shape (n_fetched, n_columns)
    weight : ndarray of shape (n_fetched,) or None
    """
    wanted, place = np.unique(numbers, return_inverse=True)
    rows, beside = put_together(blocks.fold(fetch_block, merge_parts, wanted), place)
    return rows, beside.get("sample_weight")


def fetch_block(block: Any, beside: dict[str, Any], start: int, wanted: Any) -> Any:
    """Return what a block has of the rows wanted, whose numbers are sorted."""
    low, high = np.searchsorted(wanted, [start, start + block.shape[0]])
    if low == high:
        return []
    here = wanted[low:high] - start
    return [(start, block[here], {k: v[here] for k, v in beside.items()})]


def put_together(parts: Any, place: Any) -> tuple[Any, dict[str, Any]]:
    """Put what blocks had into order: the row at each place of those wanted."""
    _, rows, besides = zip(*sorted(parts, key=_first), strict=True)
    beside = {
        name: np.concatenate([part[name] for part in besides])[place]
        for name in besides[0]
    }
    return concatenated(rows)[place], beside
