"""A small table in memory, made of columns that keep their dtypes."""

from typing import Any

import numpy as np

__all__ = ["table_of"]


def table_of(columns: list[Any], names: Any) -> Any:
    """Put columns side by side.

    Parameters
    ----------
    columns : list of ndarray of shape (n_rows,)
        Of any dtypes.
    names : list or None
        Names of the columns.

    Returns
    -------
    table : ndarray or pandas DataFrame of shape (n_rows, n_columns)
        A DataFrame if there are names.
    """
    if names is None:
        return np.column_stack(columns)
    import pandas as pd

    # Of objects, pandas would else make text, and NaN of None.
    series = {j: pd.Series(a, dtype=a.dtype) for j, a in enumerate(columns)}
    return pd.DataFrame(series).set_axis(list(names), axis="columns")
