"""SimpleImputer on blocks: one pass, and a few more for medians.

scikit-learn's own imputer is fitted on two rows: in each column the statistic of all
rows, and a missing value where one is missing. What it learns of them, indicators and
dtypes included, is what it would learn of all rows.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import Any

import numpy as np
import scipy.sparse as sp

from sklearn_dask_auto._sklearn import imputer_input, missing_mask, smallest
from sklearn_dask_auto.inputs.columns import Columns
from sklearn_dask_auto.inputs.entry import Rows, enter
from sklearn_dask_auto.inputs.table import table_of
from sklearn_dask_auto.kernels.column_statistics import merge_spreads, spread_of
from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.kernels.quantiles import neighbours
from sklearn_dask_auto.kernels.value_counts import Most, count_values, merge_columns

__all__ = ["check", "fit"]


@dataclass(frozen=True)
class _Seen:
    """What was seen of every column.

    Parameters
    ----------
    dtype : dtype
        Of all values, as scikit-learn converts them.
    is_sparse : bool
        The blocks are sparse.
    firsts : list
        A value of each column that is not missing; empty if there is none.
    has_missing : ndarray of shape (n_columns,)
        A value of the column is missing.
    summary : object
        `Spread`, list of `ValueCounts` or None, as the strategy asks.
    """

    dtype: Any
    is_sparse: bool
    firsts: list[list[Any]]
    has_missing: Any
    summary: Any


def check(estimator: Any, rows: Columns) -> None:
    """Do nothing: scikit-learn's imputer checks its parameters against each block."""


def fit(estimator: Any, rows: Columns, budget: int) -> dict[str, Any]:
    """Fit on blocks.

    Parameters
    ----------
    estimator : SimpleImputer
        Its parameters are read, and nothing is written to it.
    rows : Columns
        Values of any dtype that the strategy takes.
    budget : int
        Bytes that distinct values may take while they are counted.

    Returns
    -------
    learned : dict
        `statistics_`, `indicator_` and what scikit-learn's imputer keeps of dtypes.
    """
    imputer = estimator._plain()
    given = {*imputer.get_params(deep=False)}
    most = Most(rows.names, budget)
    merge = partial(_merge, _merge_of_summaries(imputer, most))
    seen = Pass(rows).fold(partial(_summarise, imputer, most), merge)
    imputer.fit(_two_rows(estimator, imputer, rows, seen))
    return {name: value for name, value in vars(imputer).items() if name not in given}


def _summarise(
    imputer: Any,
    most: Most,
    block: Any,
    beside: dict[str, Any],
    start: None,
    state: None,
) -> _Seen | None:
    if block.shape[0] == 0:
        return None
    # It notes what it sees on the imputer, which is that of all blocks.
    values = imputer_input(copy.copy(imputer), block)
    pairs = list(_present(values, imputer.missing_values))
    return _Seen(
        values.dtype,
        sp.issparse(values),
        [present[:1].tolist() for present, _ in pairs],
        np.array([n_missing > 0 for _, n_missing in pairs], bool),
        _summary(imputer, most, values, pairs),
    )


def _present(values: Any, missing: Any) -> Iterator[tuple[Any, int]]:
    """Yield the values of each column that are there, and how many are not."""
    for j in range(values.shape[1]):
        column = values[:, [j]]
        column = column.toarray().ravel() if sp.issparse(column) else column.ravel()
        is_missing = missing_mask(column, missing)
        yield column[~is_missing], int(is_missing.sum())


def _summary(imputer: Any, most: Most, values: Any, pairs: list[Any]) -> Any:
    if imputer.strategy == "most_frequent":
        return most.held([count_values(present) for present, _ in pairs])
    if imputer.strategy != "mean":
        return None
    mask = missing_mask(values, imputer.missing_values)
    # What is compiled knows no smaller floats.
    values = values.astype(np.promote_types(values.dtype, np.float32))
    if sp.issparse(values):
        values.data[mask.data] = np.nan
    else:
        values[mask] = np.nan
    return spread_of(values, None, "SimpleImputer")


def _merge_of_summaries(imputer: Any, most: Most) -> Any:
    """Return how to merge what `_summary` returns."""
    if imputer.strategy == "mean":
        return merge_spreads
    return partial(merge_columns, most)


def _merge(merge: Any, a: _Seen, b: _Seen) -> _Seen:
    return _Seen(
        np.result_type(a.dtype, b.dtype),
        a.is_sparse,
        [one or other for one, other in zip(a.firsts, b.firsts, strict=True)],
        a.has_missing | b.has_missing,
        None if a.summary is None else merge(a.summary, b.summary),
    )


def _two_rows(estimator: Any, imputer: Any, rows: Columns, seen: _Seen | None) -> Any:
    """Return the rows that stand for all."""
    if seen is None:
        if rows.names is not None:
            return rows.X._meta.iloc[:0]
        return np.empty((0, rows.n_columns), rows.X.dtype)
    statistics = _statistics(estimator, imputer, rows, seen)
    missing = imputer.missing_values
    if seen.dtype.kind == "f" and not isinstance(missing, Real):
        # What pandas.NA is made in numbers.
        missing = np.nan
    columns = []
    for j, first in enumerate(seen.firsts):
        value = statistics[j] if first else missing
        other = missing if seen.has_missing[j] else value
        column = np.empty(2, seen.dtype)
        column[:] = [value, other]
        columns.append(column)
    if seen.is_sparse:
        return sp.csc_matrix(np.column_stack(columns))
    return table_of(columns, rows.names)


def _statistics(estimator: Any, imputer: Any, rows: Columns, seen: _Seen) -> Any:
    """Return the statistic of each column that has values."""
    if imputer.strategy == "mean":
        return seen.summary.mean
    if imputer.strategy == "median":
        blocks = _with_nan(enter(estimator, rows.X, {}), imputer.missing_values)
        return neighbours(Pass(blocks), [0.5], "SimpleImputer").midpoints()[0]
    if imputer.strategy == "most_frequent":
        return [_most_frequent(column) for column in seen.summary]
    return [first[0] if first else None for first in seen.firsts]


def _with_nan(rows: Rows, missing: Any) -> Rows:
    """Make missing values NaN, which is what they are in blocks of floating point."""
    if not isinstance(missing, Real) or missing != missing:
        # None and pandas.NA have become NaN on the way there.
        return rows
    return Rows(rows.X.map_blocks(_nan_for, missing, dtype=rows.dtype))


def _nan_for(block: Any, missing: float) -> Any:
    block = block.copy()
    values = block.data if sp.issparse(block) else block
    values[values == missing] = np.nan
    return block


def _most_frequent(column: Any) -> Any:
    """Return the value that most rows have; the smallest of several."""
    if not len(column.values):
        return None
    return smallest(column.values[column.counts == column.counts.max()].tolist())
