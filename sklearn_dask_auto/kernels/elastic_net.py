"""Elastic net and lasso on row blocks: one pass for a factor, then scikit-learn on it.

Coordinate descent asks of the rows only for products of columns, and of columns with
the residual. Both are kept by the triangular factor of `[X y]`, whose few rows stand
for all: scikit-learn's own solver takes the same steps on them, to the same gap. Other
than cross products, the factor loses no digits where columns are nearly collinear.
"""

import warnings
from typing import Any

import numpy as np
from sklearn.linear_model import enet_path

from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels.least_squares import Problem, check_target, condense

__all__ = ["check", "fit"]


def check(estimator: Any, rows: Rows) -> None:
    """Raise or warn as scikit-learn does, before any pass.

    Parameters
    ----------
    estimator : ElasticNet or Lasso
        Parameters only.
    rows : Rows
        Nothing of them is computed.
    """
    check_target(estimator, rows)
    if estimator.alpha == 0:
        warnings.warn(
            "With alpha=0, this algorithm does not converge well. You are advised to "
            "use the LinearRegression estimator",
            stacklevel=2,
        )


def fit(estimator: Any, rows: Rows, budget: int) -> dict[str, Any]:
    """Fit on row blocks.

    Parameters
    ----------
    estimator : ElasticNet or Lasso
        Its parameters are read, and with `warm_start` its coefficients.
    rows : Rows
        With "y" beside `X`, and maybe "sample_weight".
    budget : int
        Not used: what is learned is small.

    Returns
    -------
    learned : dict
        `coef_`, `intercept_`, `dual_gap_` and `n_iter_`.
    """
    problem = condense(estimator, rows, is_positive=False)
    start = _start(estimator, problem)
    targets = range(problem.y.shape[1])
    paths = [_descend(estimator, problem, rows, k, start[k]) for k in targets]
    coef = np.array([path[0] for path in paths])
    dual_gap = np.array([path[1] for path in paths], dtype=rows.dtype)
    n_iter = [path[2] for path in paths]
    is_one = len(paths) == 1
    return {
        "coef_": (coef[0] if is_one else coef).astype(rows.dtype),
        "intercept_": problem.intercept(coef, rows, estimator.fit_intercept),
        "dual_gap_": dual_gap[0] if is_one else dual_gap,
        "n_iter_": n_iter[0] if is_one else n_iter,
    }


def _start(estimator: Any, problem: Problem) -> Any:
    """Return one row of coefficients a target: zeros, or those of the fit before."""
    if estimator.warm_start and hasattr(estimator, "coef_"):
        return np.atleast_2d(estimator.coef_).astype(float)
    return np.zeros((problem.y.shape[1], problem.X.shape[1]))


def _descend(
    estimator: Any, problem: Problem, rows: Rows, target: int, start: Any
) -> tuple[Any, float, int]:
    """Return coefficients, dual gap and iterations for one target."""
    # scikit-learn scales weights to add up to the number of rows, and its penalty by
    # the rows it sees. The gap that it warns of is then that of all rows.
    scale = np.sqrt(rows.n_rows / problem.weight)
    share = rows.n_rows / len(problem.X)
    _, coef, dual_gap, n_iter = enet_path(
        np.asfortranarray(scale * problem.X),
        scale * problem.y[:, target],
        l1_ratio=estimator.l1_ratio,
        alphas=[estimator.alpha * share],
        precompute=estimator.precompute,
        coef_init=start,
        return_n_iter=True,
        positive=estimator.positive,
        tol=estimator.tol,
        max_iter=estimator.max_iter,
        random_state=estimator.random_state,
        selection=estimator.selection,
    )
    return coef[:, 0], dual_gap[0] / share, n_iter[0]
