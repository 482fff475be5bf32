"""The columns of a table, of which each step takes its own."""

from collections.abc import Iterable
from typing import Any

import numpy as np

__all__ = ["Parts", "head"]


def head(X: Any) -> Any:
    """Return an empty table with the columns of `X`."""
    if hasattr(X, "columns"):
        return X._meta.iloc[:0]
    return np.empty((0, *X.shape[1:]), X.dtype)


class Parts:
    """Some columns of a collection.

    Parameters
    ----------
    X : dask array or dask DataFrame of shape (n_rows, n_columns)
        Its columns are chosen lazily.
    names : ndarray or list or None
        Of the columns as `fit` saw them, by which a DataFrame is asked for them.
    used : iterable of int
        Numbers of the columns that anyone will take. A source such as Parquet reads no
        others.
    """

    def __init__(self, X: Any, names: Any, used: Iterable[int]) -> None:
        used = sorted({*used})
        self.names = names if hasattr(X, "columns") else None
        self._places = {column: place for place, column in enumerate(used)}
        self.X = X if len(used) == X.shape[1] else self._chosen(X, used)

    def take(self, columns: list[int], *, flat: bool = False) -> Any:
        """Return columns by their numbers; a single one without its second dimension.

        Parameters
        ----------
        columns : list of int
            As `fit` numbered them.
        flat : bool, default=False
            There is one, and it was not asked for in a list.

        Returns
        -------
        part : dask array, dask DataFrame or dask Series
        """
        if self.names is None:
            columns = [self._places[column] for column in columns]
        return self._chosen(self.X, columns, flat)

    def _chosen(self, X: Any, columns: list[int], flat: bool = False) -> Any:
        if self.names is None:
            return X[:, columns[0] if flat else columns]
        names = [self.names[column] for column in columns]
        return X[names[0] if flat else names]
