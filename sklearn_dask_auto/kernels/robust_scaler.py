"""RobustScaler on row blocks: exact medians and quantiles, in one to three passes."""

from typing import Any

import numpy as np
from scipy.stats import norm

from sklearn_dask_auto._sklearn import without_zeros
from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.kernels.quantiles import neighbours

__all__ = ["check", "fit"]


def check(estimator: Any, rows: Rows) -> None:
    """Raise scikit-learn's error for parameters that do not go with the rows.

    Parameters
    ----------
    estimator : RobustScaler
        Parameters only.
    rows : Rows
        Nothing of them is computed.
    """
    low, high = estimator.quantile_range
    if not 0 <= low <= high <= 100:
        raise ValueError(f"Invalid quantile range: {estimator.quantile_range}")
    if rows.is_sparse and estimator.with_centering:
        raise ValueError(
            "Cannot center sparse matrices: use `with_centering=False` instead. See "
            "docstring for motivation and alternatives."
        )


def fit(estimator: Any, rows: Rows, budget: int) -> dict[str, Any]:
    """Fit on row blocks.

    Parameters
    ----------
    estimator : RobustScaler
        Its parameters are read, and nothing is written to it.
    rows : Rows
        Without anything beside `X`.
    budget : int
        Not needed: what is held is bounded by the kernel.

    Returns
    -------
    learned : dict
        `center_` and `scale_`.
    """
    low, high = np.asarray(estimator.quantile_range) / 100
    # All three even if not all are asked for: a pass has to look for infinity, too.
    found = neighbours(Pass(rows), (low, 0.5, high), type(estimator).__name__)
    learned: dict[str, Any] = {"center_": None, "scale_": None}
    if estimator.with_centering:
        learned["center_"] = found.midpoints()[1]
    if estimator.with_scaling:
        quantiles = found.interpolated()
        scale = without_zeros(quantiles[2] - quantiles[0])
        if estimator.unit_variance:
            scale = scale / (norm.ppf(high) - norm.ppf(low))
        learned["scale_"] = scale
    return learned
