"""The distinct values of each column and how often they occur: a mergeable summary.

Values are those that scikit-learn's encoders would see: each column of a DataFrame in
its own dtype, objects compared as Python compares them, every NaN the same value and
None another. Columns that pandas keeps in dtypes of its own are counted there, so that
only distinct values are ever turned into Python objects.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from sys import getsizeof
from typing import Any

import numpy as np
from sklearn.utils import check_array

from sklearn_dask_auto.kernels.driver import FAN_IN

__all__ = ["Most", "ValueCounts", "count_columns", "count_values", "merge_columns"]


SAMPLED_VALUES = 100
TABLE_BYTES = 120
"""Of a distinct object, beside the object: its place in a dict, and its count."""


@dataclass(frozen=True)
class ValueCounts:
    """Distinct values of one column.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        In the dtype of the column; missing values are values.
    counts : ndarray of shape (n_values,), int64
        Rows with each.
    """

    values: Any
    counts: Any

    @property
    def n_bytes(self) -> int:
        """Bytes of the values and of the table in which they are found again.

        Objects differ in size: it is that of a few, taken for all.
        """
        if self.values.dtype.kind != "O":
            return int(self.values.nbytes + self.counts.nbytes)
        few = self.values[:: max(1, len(self.values) // SAMPLED_VALUES)]
        size = sum(map(getsizeof, few.tolist())) / max(1, len(few))
        return int(len(self.values) * (size + TABLE_BYTES))

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.counts.sum())

    def count_of(self, categories: Any) -> Any:
        """Return the rows that have each of the categories.

        Parameters
        ----------
        categories : ndarray of shape (n_categories,)
            Any values.

        Returns
        -------
        counts : ndarray of shape (n_categories,), int64
        """
        rows = dict(zip(_keys(self.values), self.counts.tolist(), strict=True))
        found = [rows.get(key, 0) for key in _keys(categories)]
        return np.array(found, np.int64)


def count_columns(block: Any) -> list[ValueCounts] | None:
    """Count the values of each column of a block.

    Parameters
    ----------
    block : ndarray or pandas DataFrame of shape (n_rows, n_columns)
        Values of any dtype.

    Returns
    -------
    columns : list of ValueCounts or None
        None of no rows.

    Raises
    ------
    ValueError or TypeError
        scikit-learn's, for values that are infinite or blocks that are sparse.
    """
    if block.shape[0] == 0:
        return None
    if hasattr(block, "iloc"):
        return [_count_series(block.iloc[:, j]) for j in range(block.shape[1])]
    block = check_array(block, dtype=None, ensure_all_finite="allow-nan")
    return [count_values(block[:, j]) for j in range(block.shape[1])]


@dataclass(frozen=True)
class Most:
    """How much distinct values may take.

    Parameters
    ----------
    names : list or None
        Of the columns, for the error; their numbers if None.
    budget : int
        Bytes. While a tree of counts is merged, as many as it has branches wait for
        each other, so that those of a part of the data may take that share.
    """

    names: list[Any] | None
    budget: int

    def held(self, columns: list[ValueCounts]) -> list[ValueCounts]:
        """Return the counts of a part of the data, if there is room for them.

        Raises
        ------
        MemoryError
            If there are more distinct values than the budget has room for.
        """
        sizes = [column.n_bytes for column in columns]
        if sum(sizes) * FAN_IN <= self.budget:
            return columns
        j = int(np.argmax(sizes))
        raise MemoryError(
            f"Column {(self.names or range(len(sizes)))[j]!r} has more than "
            f"{len(columns[j].values) - 1:,} distinct values. With those of the other "
            f"columns, they take {sum(sizes) / 1e6:,.1f} MB in one part of the data, "
            f"and up to {FAN_IN} parts are merged at a time; the memory budget is "
            f"{self.budget / 1e6:,.1f} MB. Leave the column out, make fewer values of "
            "it (HashingVectorizer needs no fit), or raise "
            "set_config(memory_budget=...)."
        )


def merge_columns(
    most: Most, a: list[ValueCounts], b: list[ValueCounts]
) -> list[ValueCounts]:
    """Merge the counts of two sets of rows, column by column.

    Parameters
    ----------
    most : Most
        How much the counts may take.
    a, b : list of ValueCounts
        In the order of the columns.

    Returns
    -------
    columns : list of ValueCounts

    Raises
    ------
    MemoryError
        If there are more distinct values than the budget has room for.
    """
    return most.held([_merge(one, other) for one, other in zip(a, b, strict=True)])


def count_values(values: Any) -> ValueCounts:
    """Count the values of an array of one dimension."""
    if values.dtype.kind != "O":
        return ValueCounts(*np.unique(values, return_counts=True))
    try:
        return _from_pairs(Counter(values.tolist()).items())
    except TypeError:
        return _without_hash(values)


def _count_series(series: Any) -> ValueCounts:
    if isinstance(series.dtype, np.dtype):
        return count_values(_as_array(series))
    counts = series.value_counts(dropna=False, sort=False)
    # Of categories, those that no row has are counted too.
    counts = counts[counts > 0]
    values = _as_array(counts.index.to_series())
    return _tally(values, counts.to_numpy(np.int64))


def _as_array(series: Any) -> Any:
    """Convert a column as scikit-learn's encoders do."""
    return check_array(
        series, ensure_2d=False, dtype=None, ensure_all_finite="allow-nan"
    )


def _merge(a: ValueCounts, b: ValueCounts) -> ValueCounts:
    values = np.concatenate([a.values, b.values])
    return _tally(values, np.concatenate([a.counts, b.counts]))


def _tally(values: Any, counts: Any) -> ValueCounts:
    """Add up the counts of values that are the same."""
    if values.dtype.kind != "O":
        distinct, places = np.unique(values, return_inverse=True)
        totals = np.zeros(len(distinct), np.int64)
        np.add.at(totals, places, counts)
        return ValueCounts(distinct, totals)
    try:
        return _from_pairs(zip(values.tolist(), counts.tolist(), strict=True))
    except TypeError:
        return _without_hash(values)


def _from_pairs(pairs: Iterable[tuple[Any, int]]) -> ValueCounts:
    totals: dict[Any, int] = {}
    for value, count in pairs:
        key = np.nan if _is_nan(value) else value
        totals[key] = totals.get(key, 0) + count
    return ValueCounts(_objects(totals), np.array([*totals.values()], np.int64))


def _without_hash(values: Any) -> ValueCounts:
    """Keep one value of each type: scikit-learn names them in its error."""
    kept = {type(value): value for value in values}
    return ValueCounts(_objects(kept.values()), np.ones(len(kept), np.int64))


def _keys(values: Any) -> list[Any]:
    return [np.nan if _is_nan(value) else value for value in values.tolist()]


def _is_nan(value: Any) -> bool:
    return isinstance(value, float | np.floating) and value != value


def _objects(values: Iterable[Any]) -> Any:
    """Return an array of objects, each an element even if it is a sequence."""
    values = list(values)
    array = np.empty(len(values), object)
    array[:] = values
    return array
