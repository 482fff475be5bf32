"""Entry for what learns from values of any dtype: text, categories, objects, mixtures.

The entry rules for numbers force blocks to floating point and resolve row counts.
Neither is wanted by an encoder, which learns from each column in the dtype that
scikit-learn sees, in one pass that needs no sizes: here blocks stay as they are.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sklearn_dask_auto.inputs.describe import is_dask, is_frame
from sklearn_dask_auto.inputs.entry import (
    check_columns,
    known_rows,
    settled,
    stand_in,
)
from sklearn_dask_auto.inputs.scheduler import thread_count

__all__ = ["Columns", "enter_columns", "plain_text"]


@dataclass(frozen=True)
class Columns:
    """The rows of `X` in blocks that are as the user has them.

    Parameters
    ----------
    X : dask array or dask DataFrame of shape (n_rows, n_columns)
        Sizes may be unknown and blocks empty; one block across the columns.
    beside : dict
        Empty: what learns from columns takes nothing beside them.
    """

    X: Any
    beside: dict[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> list[Any] | None:
        """Names of the columns of a DataFrame."""
        return list(self.X.columns) if hasattr(self.X, "columns") else None

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return int(self.X.shape[1])


def enter_columns(estimator: Any, X: Any) -> Columns:
    """Apply the entry rules, but for those on dtypes and row counts.

    Parameters
    ----------
    estimator : AutoScaleMixin
        Takes the number and names of the columns. Input of another shape is shown to
        the class that it mirrors, whose error it is.
    X : dask array, dask DataFrame or array-like, of shape (n_rows, n_columns)
        Values of any dtype.

    Returns
    -------
    columns : Columns
        The caller's collection is not changed.

    Raises
    ------
    ValueError
        scikit-learn's own, for input that is not of two dimensions.
    """
    X = X if hasattr(X, "ndim") else np.asarray(X, object)
    check_columns(estimator, X, reset=True)
    if X.ndim != 2 or not X.shape[1]:
        estimator._plain().fit(stand_in(X))
    X = plain_text(X) if is_dask(X) else _wrapped(X)
    if hasattr(X, "numblocks") and X.numblocks[1] > 1:
        X = X.rechunk({1: -1})
    return Columns(settled(X))


def plain_text(X: Any) -> Any:
    """Make missing text NaN where it is pandas' NA, which scikit-learn cannot compare.

    dask reads text as a dtype with NA, whatever it was before; the user never chose it.
    """
    if not is_frame(X):
        return X
    import pandas as pd

    names = [
        name
        for name, dtype in zip(X.columns, X.dtypes, strict=True)
        if isinstance(dtype, pd.StringDtype) and dtype.na_value is pd.NA
    ]
    if not names:
        return X
    meta = _with_nan(X._meta, names)
    return X.map_partitions(_with_nan, names, meta=meta)


def _with_nan(frame: Any, names: list[Any]) -> Any:
    text = {name: frame[name].astype(object) for name in names}
    return frame.assign(**{n: v.where(v.notna(), np.nan) for n, v in text.items()})


def _wrapped(X: Any) -> Any:
    if not hasattr(X, "iloc"):
        return known_rows([X])[0]
    import dask.dataframe as dd

    return dd.from_pandas(X, npartitions=thread_count(), sort=False)
