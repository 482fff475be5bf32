"""Dask collections that scikit-learn can split into folds, as it splits arrays.

Its cross-validation asks of a container its length, and rows by number. These classes
are dask's own with an answer to both: the rows are taken lazily, block by block. So
its functions and searches run as they are on collections of any size.

Rows are taken in ascending order, whatever the order in which a splitter names them,
of `X` and of all that lies beside it.
"""

import functools
from itertools import accumulate
from typing import Any
from uuid import uuid4

import dask.array as da
import numpy as np
import scipy.sparse as sp

from sklearn_dask_auto.inputs.entry import keep_counts, row_counts
from sklearn_dask_auto.inputs.scheduler import is_at_hand, persist
from sklearn_dask_auto.inputs.take import take_rows

__all__ = ["RowArray", "RowValues", "indexable_rows", "row_values", "values_of"]


class RowArray(da.Array):
    """A dask array of known row blocks whose rows can be taken by number."""

    def __getitem__(self, index: Any) -> Any:
        """Take rows where `index` is row numbers, as scikit-learn gives them."""
        rows = _row_numbers(index)
        return super().__getitem__(index) if rows is None else self._rows(rows)

    def _rows(self, rows: Any) -> Any:
        return _as(RowArray, take_rows(self, self.chunks[0], np.sort(rows)))


class RowValues(RowArray):
    """A target or weights: in blocks for the fits, and here for splits and scores.

    Attributes
    ----------
    here : ndarray or sparse matrix of shape (n_rows, ...)
        The same rows.
    """

    here: Any

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        """Return what is here, without a computation."""
        return np.array(self.here, dtype=dtype, copy=copy)

    def _rows(self, rows: Any) -> Any:
        rows = np.sort(rows)
        taken = _as(RowValues, take_rows(self, self.chunks[0], rows))
        taken.here = self.here[rows]
        return taken


def indexable_rows(collection: Any) -> Any:
    """Return a dask collection as one whose rows can be taken by number.

    Parameters
    ----------
    collection : dask array, DataFrame or Series
        Its rows are counted, if their number is unknown.

    Returns
    -------
    rows : RowArray, or a subclass of dask's DataFrame or Series
        The same blocks.
    """
    (counts,) = row_counts([collection])
    if hasattr(collection, "numblocks"):
        return _as(RowArray, collection, counts)
    return _frame(collection, counts)


def row_values(values: Any, counts: tuple[int, ...]) -> RowValues:
    """Cut values in memory into blocks, and send them to a cluster once.

    Parameters
    ----------
    values : array-like of shape (n_rows, ...)
        One row for each row of a collection.
    counts : tuple of int
        Rows in each block of that collection.

    Returns
    -------
    rows : RowValues
    """
    values = values if sp.issparse(values) else np.asarray(values)
    stops = list(accumulate(counts))
    name, rest = f"values-{uuid4().hex}", (0,) * (values.ndim - 1)
    array = da.Array(
        {
            (name, i, *rest): values[stop - n : stop]
            for i, (stop, n) in enumerate(zip(stops, counts, strict=True))
        },
        name,
        (counts, *((n,) for n in values.shape[1:])),
        meta=values[:0],
    )
    if not is_at_hand(array):
        (array,) = persist(array)
    rows = _as(RowValues, array)
    rows.here = values
    return rows


def values_of(value: Any) -> Any:
    """Return what is here of a target or of weights; anything else as it is."""
    return value.here if isinstance(value, RowValues) else value


def _as(kind: Any, array: Any, counts: Any = None) -> Any:
    chunks = (counts or array.chunks[0], *array.chunks[1:])
    return kind(array.dask, array.name, chunks, meta=array._meta)


def _row_numbers(index: Any) -> Any:
    """Return the row numbers of ``rows`` or ``rows, ...``, and None for all else."""
    if isinstance(index, tuple) and len(index) == 2 and index[1] is Ellipsis:
        index = index[0]
    is_rows = isinstance(index, np.ndarray) and index.ndim == 1
    return index if is_rows and index.dtype.kind in "iu" else None


def _frame(frame: Any, counts: tuple[int, ...]) -> Any:
    kind: Any = type(frame)
    rows = _frame_class(kind)(frame.expr)
    keep_counts(rows, counts)
    return rows


@functools.cache
def _frame_class(kind: Any) -> Any:
    """Return dask's DataFrame or Series as `RowArray` is its array."""

    class RowFrame(kind):
        @property
        def shape(self) -> tuple[int, ...]:
            return (len(self), len(self.columns))[: self.ndim]

        def __len__(self) -> int:
            return sum(row_counts([self])[0])

        def __getitem__(self, index: Any) -> Any:
            rows = _row_numbers(index)
            return super().__getitem__(index) if rows is None else self.take(rows)

        def take(self, rows: Any, axis: int = 0) -> Any:
            taken = take_rows(self, row_counts([self])[0], np.sort(rows))
            return _frame(taken, row_counts([taken])[0])

    return RowFrame
