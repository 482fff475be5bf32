"""Poisson regression for input of any size."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from sklearn.linear_model import PoissonRegressor
from sklearn.metrics import d2_tweedie_score

from sklearn_dask_auto._score import ScoreMixin
from sklearn_dask_auto._sklearn import fit_context, parameter_constraints
from sklearn_dask_auto.routing import Profile

__all__ = ["AutoScalePoissonRegressor"]


class AutoScalePoissonRegressor(ScoreMixin, PoissonRegressor):
    """Poisson regression, of counts and rates, for input of any size.

    On in-memory input this is :class:`sklearn.linear_model.PoissonRegressor`. On dask
    input its objective is minimised block by block, to the same tolerance.

    Parameters
    ----------
    alpha : float, default=1
        Strength of the penalty on the squares of the coefficients; 0 for none.
    fit_intercept : bool, default=True
        Learn an intercept, on which there is no penalty.
    solver : {'lbfgs', 'newton-cholesky'}, default='lbfgs'
        As in scikit-learn. On dask input both lead to the same minimum; up to 500
        coefficients both are Newton's method, which passes over the data less often.
    max_iter : int, default=100
        Most iterations.
    tol : float, default=1e-4
        Largest entry of the gradient at which to stop.
    warm_start : bool, default=False
        Start from the coefficients of the fit before.
    verbose : int, default=0
        As in scikit-learn; of no effect on dask input.
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who does the work; see :meth:`explain`.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients, concrete.
    intercept_ : float
        Intercept; 0.0 if `fit_intercept` is False.
    n_iter_ : int
        Iterations of the solver that ran.
    n_features_in_ : int
        Columns seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if all are text.
    plan_ : Plan
        Which engine did the work, and why.

    Raises
    ------
    NoEngineError
        If the engine asked for by name cannot do it.
    ValueError
        If a target is negative, and for what else scikit-learn refuses.

    See Also
    --------
    AutoScaleLogisticRegression : Of labels, by the same solvers.
    sklearn.linear_model.PoissonRegressor : The class mirrored.
    dask_ml.linear_model.PoissonRegression : With another objective: it standardises
        the columns and penalises the intercept. No engine here runs it.

    Notes
    -----
    Passes over dask input: one for non-finite values and the mean target; then one a
    step, one to begin with and one to confirm the last, and one for each time that a
    step is halved. Of 200,000 rows or more, 20,000 are taken on the way, and steps
    begin at their minimum. The method is Newton's, with a line search, up to 500
    coefficients, and L-BFGS beyond [1]_. Where the rows do not determine the
    coefficients, without a penalty, Newton's method takes the shortest step that they
    do determine.

    References
    ----------
    .. [1] Nocedal and Wright (2006), "Numerical Optimization", 2nd edition, sections
       3.3 and 7.2.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import AutoScalePoissonRegressor
    >>> X = np.array([[1, 2], [2, 3], [3, 4], [4, 3]])
    >>> y = np.array([12, 17, 22, 21])
    >>> AutoScalePoissonRegressor().fit(X, y).score(X, y)
    0.99...

    The same on a dask array; what it predicts is lazy:

    >>> import dask.array as da
    >>> blocks = da.from_array(X, chunks=(2, 2))
    >>> model = AutoScalePoissonRegressor(engine="blockwise").fit(blocks, y)
    >>> model.coef_.round(3)
    array([0.121, 0.158])
    >>> model.predict(blocks)
    dask.array<predict, shape=(4,), dtype=float64, chunksize=(2,), ...>
    """

    _parameter_constraints = parameter_constraints(PoissonRegressor)
    _kernel = "poisson"
    _metric = staticmethod(partial(d2_tweedie_score, power=1))
    _passes = 8.0
    _operations = 16.0

    def __init__(
        self,
        *,
        alpha: float = 1.0,
        fit_intercept: bool = True,
        solver: Any = "lbfgs",
        max_iter: int = 100,
        tol: float = 1e-4,
        warm_start: bool = False,
        verbose: int = 0,
        engine: str = "auto",
    ) -> None:
        super().__init__(
            alpha=alpha,
            fit_intercept=fit_intercept,
            solver=solver,
            max_iter=max_iter,
            tol=tol,
            warm_start=warm_start,
            verbose=verbose,
        )
        self.engine = engine

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix, dask array, dask DataFrame} of shape \
                (n_samples, n_features)
            Rows. Dask input may have unknown row counts, empty blocks, sparse (CSR)
            blocks and several blocks across its columns.
        y : {array-like, dask array, dask Series} of shape (n_samples,)
            Targets, not negative, in blocks of any size.
        sample_weight : {array-like, dask array} of shape (n_samples,), default=None
            Weights of the rows; all equal if None.

        Returns
        -------
        self : AutoScalePoissonRegressor
            Fitted.
        """
        return self._fit_as_planned(X, y, {"sample_weight": sample_weight})

    def _refusals(
        self, profile: Profile, params: dict[str, Any]
    ) -> Iterable[tuple[str, str]]:
        if not isinstance(self.solver, str):
            yield "blockwise", "a solver that is a class needs all rows in memory"
