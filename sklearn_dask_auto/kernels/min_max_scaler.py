"""MinMaxScaler on row blocks: one pass."""

from functools import partial
from typing import Any

import numpy as np

from sklearn_dask_auto._sklearn import without_zeros
from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels.column_statistics import (
    Extremes,
    extremes_of,
    merge_extremes,
)
from sklearn_dask_auto.kernels.driver import Pass

__all__ = ["check", "column_extremes", "fit"]


def check(estimator: Any, rows: Rows) -> None:
    """Raise scikit-learn's error for parameters that do not go with the rows.

    Parameters
    ----------
    estimator : MinMaxScaler
        Parameters only.
    rows : Rows
        Nothing of them is computed.
    """
    low, high = estimator.feature_range
    if low >= high:
        raise ValueError(
            "Minimum of desired feature range must be smaller than maximum. "
            f"Got {estimator.feature_range}."
        )
    if rows.is_sparse:
        raise TypeError(
            "MinMaxScaler does not support sparse input. "
            "Consider using MaxAbsScaler instead."
        )


def fit(estimator: Any, rows: Rows, budget: int) -> dict[str, Any]:
    """Fit on row blocks.

    Parameters
    ----------
    estimator : MinMaxScaler
        Its parameters are read, and nothing is written to it.
    rows : Rows
        Without anything beside `X`.
    budget : int
        Not needed: what is learned is small.

    Returns
    -------
    learned : dict
        `data_min_`, `data_max_`, `data_range_`, `scale_`, `min_`, `n_samples_seen_`.
    """
    found = column_extremes(estimator, rows)
    low, high = (np.asarray(limit, rows.dtype) for limit in estimator.feature_range)
    data_range = found.maximum - found.minimum
    scale = (high - low) / without_zeros(data_range)
    return {
        "data_min_": found.minimum,
        "data_max_": found.maximum,
        "data_range_": data_range,
        "scale_": scale,
        "min_": low - found.minimum * scale,
        "n_samples_seen_": rows.n_rows,
    }


def column_extremes(estimator: Any, rows: Rows) -> Extremes:
    """Pass over the rows for the extremes of every column."""
    summarise = partial(_summarise, type(estimator).__name__)
    return Pass(rows).fold(summarise, merge_extremes)


def _summarise(
    name: str, block: Any, beside: dict[str, Any], start: int, state: None
) -> Extremes:
    return extremes_of(block, name)
