"""Fits of what learns nothing from the rows: no block is read for them."""

import warnings
from typing import Any

from sklearn.frozen import FrozenEstimator

from sklearn_dask_auto._base import needs_no_fit
from sklearn_dask_auto.inputs import is_dask
from sklearn_dask_auto.meta.predictions import (
    REFUSALS,
    Outputs,
    known_outputs,
    map_predictions,
)

__all__ = ["fit_stateless", "is_stateless"]


def is_stateless(estimator: Any) -> bool:
    """Tell whether an estimator says in its tags that it transforms without a fit."""
    if isinstance(estimator, FrozenEstimator) or not hasattr(estimator, "transform"):
        return False
    return needs_no_fit(estimator)


def fit_stateless(model: Any, X: Any) -> Outputs:
    """Have an estimator take note of the columns, and check its parameters.

    Parameters
    ----------
    model : estimator
        Fitted in place, on two rows that are made up in the dtypes of dask input.
    X : object
        As for `fit`. Blocks are read, the first that have rows, only for an estimator
        that makes nothing of rows that are made up.

    Returns
    -------
    outputs : dict
        From `known_outputs`.
    """
    if not is_dask(X):
        model.fit(X)
        return {}
    from sklearn_dask_auto.inputs.output import made_up_rows

    with warnings.catch_warnings():
        # Of the values, which are not the user's.
        warnings.simplefilter("ignore")
        try:
            model.fit(made_up_rows(X))
            map_predictions(model, "transform", X, {})
        # What it says of such rows is of no matter.
        except REFUSALS:
            rows = _first_rows(X)
            model.fit(rows)
            return known_outputs(model, rows)
    return {}


def _first_rows(X: Any) -> Any:
    from sklearn_dask_auto.inputs.assemble import row_blocks
    from sklearn_dask_auto.inputs.scheduler import compute

    for block in row_blocks(X):
        (rows,) = compute(block)
        if rows.shape[0]:
            break
    return rows
