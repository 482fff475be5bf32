"""Ordinary least squares on row blocks: one pass for a factor, then LAPACK on it.

The singular values of the factor are those of the rows, so that scikit-learn's cutoff
`tol` finds the same rank, and the same solution of least norm where there are several.
Where there is one, the factor is solved as it is: other than singular vectors, a
triangle gives each coefficient to full precision whatever the scales of the columns.
"""

from typing import Any

from scipy import linalg

from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels.least_squares import check_target, condense

__all__ = ["check", "fit"]

check = check_target


def fit(estimator: Any, rows: Rows, budget: int) -> dict[str, Any]:
    """Fit on row blocks.

    Parameters
    ----------
    estimator : LinearRegression
        Its parameters are read, and nothing is written to it.
    rows : Rows
        With "y" beside `X`, and maybe "sample_weight".
    budget : int
        Not used: what is learned is small.

    Returns
    -------
    learned : dict
        `coef_`, `intercept_`, and for dense rows `rank_` and `singular_`.
    """
    problem = condense(estimator, rows, is_positive=True)
    coef, _, rank, singular = linalg.lstsq(problem.X, problem.y, cond=estimator.tol)
    n = rows.n_columns
    if rank == n:
        coef = linalg.solve_triangular(problem.X[:n], problem.y[:n])
    coef = coef.T
    learned = {
        "coef_": (coef[0] if rows.beside["y"].ndim == 1 else coef).astype(rows.dtype),
        "intercept_": problem.intercept(coef, rows, estimator.fit_intercept),
    }
    if rows.is_sparse:
        return learned
    singular = singular[: min(rows.X.shape)].astype(rows.dtype)
    return {**learned, "rank_": rank, "singular_": singular}
