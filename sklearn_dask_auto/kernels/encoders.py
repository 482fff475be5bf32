"""OneHotEncoder and OrdinalEncoder on blocks: one pass, over values as they are.

What an encoder learns depends on the distinct values of each column and on how many
rows have them. These are folded over the blocks; scikit-learn's own encoder is then
fitted on the small table of distinct values, with the counts of all rows in place of
those of the table.
"""

from functools import partial
from typing import Any

import numpy as np

from sklearn_dask_auto._sklearn import fit_encoder
from sklearn_dask_auto.inputs.columns import Columns
from sklearn_dask_auto.inputs.table import table_of
from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.kernels.value_counts import (
    Most,
    ValueCounts,
    count_columns,
    merge_columns,
)

__all__ = ["check", "fit"]


def check(estimator: Any, rows: Columns) -> None:
    """Do nothing: scikit-learn's encoder checks its parameters against the table."""


def fit(estimator: Any, rows: Columns, budget: int) -> dict[str, Any]:
    """Fit on blocks.

    Parameters
    ----------
    estimator : OneHotEncoder or OrdinalEncoder
        Its parameters are read, and nothing is written to it.
    rows : Columns
        Values of any dtype.
    budget : int
        Bytes that the distinct values may take while they are counted.

    Returns
    -------
    learned : dict
        `categories_` and all else that scikit-learn's encoder keeps.
    """
    most = Most(rows.names, budget)
    columns = Pass(rows).fold(partial(_summarise, most), partial(merge_columns, most))
    encoder = estimator._plain()
    given = {*encoder.get_params(deep=False)}
    fit_encoder(encoder, _table(rows, columns), columns or [])
    return {name: value for name, value in vars(encoder).items() if name not in given}


def _summarise(
    most: Most, block: Any, beside: dict[str, Any], start: None, state: None
) -> list[ValueCounts] | None:
    columns = count_columns(block)
    return None if columns is None else most.held(columns)


def _table(rows: Columns, columns: list[ValueCounts] | None) -> Any:
    """Return a table of the distinct values; shorter columns repeat theirs."""
    if columns is None:
        if rows.names is not None:
            return rows.X._meta.iloc[:0]
        return np.empty((0, rows.n_columns), rows.X.dtype)
    n_rows = max((len(column.values) for column in columns), default=1)
    arrays = [np.resize(column.values, n_rows) for column in columns]
    return table_of(arrays, rows.names)
