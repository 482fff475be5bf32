"""MaxAbsScaler on row blocks: one pass."""

from typing import Any

import numpy as np

from sklearn_dask_auto._sklearn import without_zeros
from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels.min_max_scaler import column_extremes

__all__ = ["check", "fit"]


def check(estimator: Any, rows: Rows) -> None:
    """Accept any rows: no parameter is at odds with them.

    Parameters
    ----------
    estimator : MaxAbsScaler
        Parameters only.
    rows : Rows
        Nothing of them is computed.
    """


def fit(estimator: Any, rows: Rows, budget: int) -> dict[str, Any]:
    """Fit on row blocks.

    Parameters
    ----------
    estimator : MaxAbsScaler
        Its parameters are read, and nothing is written to it.
    rows : Rows
        Without anything beside `X`.
    budget : int
        Not needed: what is learned is small.

    Returns
    -------
    learned : dict
        `max_abs_`, `scale_` and `n_samples_seen_`.
    """
    found = column_extremes(estimator, rows)
    max_abs = np.maximum(np.abs(found.minimum), np.abs(found.maximum))
    return {
        "max_abs_": max_abs,
        "scale_": without_zeros(max_abs),
        "n_samples_seen_": rows.n_rows,
    }
