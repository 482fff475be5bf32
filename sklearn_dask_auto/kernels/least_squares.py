"""What linear regressions share: targets, one pass for a factor, the intercept.

The factor R of centred and weighted `[X y]` has all that least squares needs of the
rows: ``|X w - y|`` and ``|R_X w - R_y|`` differ by a constant.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.utils import check_array

from sklearn_dask_auto.inputs.entry import Rows, specimen
from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.kernels.tiles import check_weight
from sklearn_dask_auto.kernels.tsqr import Triangle, merge_triangles, triangle_of

__all__ = ["Problem", "check_target", "condense"]


def check_target(estimator: Any, rows: Rows) -> None:
    """Raise scikit-learn's error for a target of a wrong shape or dtype."""
    target = specimen(rows.beside["y"], 1)
    check_array(
        target, ensure_2d=False, dtype=None, input_name="y", estimator=estimator
    )


@dataclass(frozen=True)
class Problem:
    """A least squares problem of as many rows as `[X y]` has columns, at most.

    Parameters
    ----------
    X : ndarray of shape (at most n_columns + n_targets, n_columns)
    y : ndarray of shape (as many, n_targets)
    X_mean, y_mean : ndarray
        Of all rows; zero without an intercept.
    weight : float
        Sum of the weights of all rows; their number without.
    """

    X: Any
    y: Any
    X_mean: Any
    y_mean: Any
    weight: float

    def intercept(self, coef: Any, rows: Rows, fit_intercept: bool) -> Any:
        """Return `intercept_` for coefficients of shape (n_targets, n_columns)."""
        if not fit_intercept:
            return 0.0
        intercepts = self.y_mean - coef @ self.X_mean
        is_flat = rows.beside["y"].ndim == 1
        return (intercepts[0] if is_flat else intercepts).astype(rows.dtype)


def condense(estimator: Any, rows: Rows, *, is_positive: bool) -> Problem:
    """Pass over all rows, once.

    Parameters
    ----------
    estimator : LinearRegression, Ridge, ElasticNet or Lasso
        Its `fit_intercept` is read.
    rows : Rows
        With "y" beside `X`, and maybe "sample_weight".
    is_positive : bool
        Refuse negative weights.

    Raises
    ------
    ValueError
        scikit-learn's, for values that are not finite and weights that are all zero.
    """
    summarise = partial(
        _summarise, type(estimator).__name__, estimator.fit_intercept, is_positive
    )
    total = Pass(rows).fold(summarise, merge_triangles)
    if total.weight == 0:
        raise ValueError("Sample weights must contain at least one non-zero number.")
    n = rows.n_columns
    factor, mean = np.asarray_chkfinite(total.factor), total.mean
    return Problem(factor[:, :n], factor[:, n:], mean[:n], mean[n:], total.weight)


def _summarise(
    name: str,
    is_centred: bool,
    is_positive: bool,
    block: Any,
    beside: dict[str, Any],
    start: int,
    state: None,
) -> Triangle:
    check_weight(beside, is_positive=is_positive)
    return triangle_of(block, beside, name, is_centred=is_centred)
