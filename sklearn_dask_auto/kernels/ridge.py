"""Ridge regression on row blocks: one pass for a factor, then least squares."""

from typing import Any

import numpy as np
from scipy import linalg

from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels.least_squares import Problem, check_target, condense

__all__ = ["check", "fit"]


def check(estimator: Any, rows: Rows) -> None:
    """Raise scikit-learn's error for parameters that do not go with the rows.

    Parameters
    ----------
    estimator : Ridge
        Parameters only.
    rows : Rows
        Nothing of them is computed.
    """
    check_target(estimator, rows)
    if rows.is_sparse and estimator.solver != "auto":
        _refuse_sparse(estimator)
    n_targets, n_alphas = _target_count(rows), np.size(estimator.alpha)
    if n_alphas not in (1, n_targets):
        raise ValueError(
            "Number of targets and number of penalties do not correspond: "
            f"{n_alphas} != {n_targets}"
        )


def _refuse_sparse(estimator: Any) -> None:
    if estimator.fit_intercept:
        raise ValueError(
            f"solver='{estimator.solver}' does not support fitting the intercept on "
            "sparse data. Please set the solver to 'auto' or 'lsqr', 'sparse_cg', "
            "'sag', 'lbfgs' or set `fit_intercept=False`"
        )
    if estimator.solver == "svd":
        raise TypeError("SVD solver does not support sparse inputs currently")


def _target_count(rows: Rows) -> int:
    shape = rows.beside["y"].shape
    return int(shape[1]) if len(shape) > 1 else 1


def fit(estimator: Any, rows: Rows, budget: int) -> dict[str, Any]:
    """Fit on row blocks.

    Parameters
    ----------
    estimator : Ridge
        Its parameters are read, and nothing is written to it.
    rows : Rows
        With "y" beside `X`, and maybe "sample_weight".
    budget : int
        Not used: what is learned is small.

    Returns
    -------
    learned : dict
        `coef_`, `intercept_`, `n_iter_` and `solver_`.
    """
    problem = condense(estimator, rows, is_positive=False)
    alpha = np.ravel(np.asarray(estimator.alpha, dtype=np.float64))
    coef = _solve(problem, alpha)
    is_flat = len(coef) == 1
    return {
        "coef_": (coef[0] if is_flat else coef).astype(rows.dtype),
        "intercept_": problem.intercept(coef, rows, estimator.fit_intercept),
        "n_iter_": None,
        "solver_": "cholesky" if estimator.solver == "auto" else estimator.solver,
    }


def _solve(problem: Problem, alpha: Any) -> Any:
    """Return coefficients of shape (n_targets, n_columns)."""
    if alpha.min() == 0:
        return _shortest(problem, alpha)
    if alpha.size == 1:
        return _penalised(problem.X, problem.y, alpha[0]).T
    pairs = zip(alpha, problem.y.T, strict=True)
    return np.array([_penalised(problem.X, y[:, None], a)[:, 0] for a, y in pairs])


def _penalised(X: Any, y: Any, alpha: float) -> Any:
    """Solve for all columns of `y`, with the penalty as further rows of the problem.

    Columns are brought to one length first, which changes no solution that is the only
    one, and keeps the digits of a small column beside a large one.
    """
    n_columns = X.shape[1]
    rows = np.vstack([X, np.sqrt(alpha) * np.eye(n_columns)])
    scale = np.sqrt((rows**2).sum(axis=0))
    targets = np.vstack([y, np.zeros((n_columns, y.shape[1]))])
    solution, *_ = linalg.lstsq(rows / scale, targets, lapack_driver="gelsy")
    return solution / scale[:, None]


def _shortest(problem: Problem, alpha: Any) -> Any:
    """Return, of the solutions that some target without a penalty has, the shortest."""
    U, s, Vt = linalg.svd(problem.X, full_matrices=False)
    # What is left is rounding, which without a penalty would be divided by.
    is_zero = s <= np.finfo(s.dtype).eps * max(problem.X.shape) * s[0]
    s = np.where(is_zero, 0.0, s)[:, None]
    divisor = np.where(is_zero[:, None], 1.0, s**2 + alpha)
    return (Vt.T @ (s / divisor * (U.T @ problem.y))).T
