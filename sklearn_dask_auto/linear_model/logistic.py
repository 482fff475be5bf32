"""Logistic regression for input of any size."""

import warnings
from collections.abc import Iterable
from typing import Any

from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score

from sklearn_dask_auto._score import ScoreMixin
from sklearn_dask_auto._sklearn import fit_context, parameter_constraints
from sklearn_dask_auto.inputs import is_dask
from sklearn_dask_auto.kernels.sizes import MOST_L1_COLUMNS, l1_share
from sklearn_dask_auto.routing import Profile

__all__ = ["AutoScaleLogisticRegression"]

SOLVERS = ("lbfgs", "newton-cholesky", "saga")
"""Solvers that the kernel has; the others are in-memory algorithms."""


class AutoScaleLogisticRegression(ScoreMixin, LogisticRegression):
    """Logistic regression for input of any size.

    On in-memory input this is :class:`sklearn.linear_model.LogisticRegression`. On dask
    input its objective is minimised block by block, to the same tolerance.

    Parameters
    ----------
    penalty : {'l1', 'l2', 'elasticnet', None}, default='deprecated'
        As in scikit-learn, where it is deprecated in favour of `C` and `l1_ratio`.
    C : float, default=1.0
        Inverse of the strength of the penalty; ``np.inf`` for none.
    l1_ratio : float, default=0.0
        Share of the penalty on absolute values: 0 for none, 1 for nothing else. With
        ``solver='saga'``; on dask input of up to 500 columns, and as many classes as
        the memory budget has room for, with the Hessian of all coefficients.
    dual : bool, default=False
        As in scikit-learn. Dask input takes False only.
    tol : float, default=1e-4
        Largest entry of the gradient at which to stop.
    fit_intercept : bool, default=True
        Learn an intercept, on which there is no penalty.
    intercept_scaling : float, default=1
        As in scikit-learn; of no effect on dask input.
    class_weight : dict or 'balanced', default=None
        As in scikit-learn. 'balanced' counts the classes in all blocks.
    random_state : int, RandomState instance or None, default=None
        As in scikit-learn; of no effect on dask input.
    solver : {'lbfgs', 'newton-cholesky', 'liblinear', 'newton-cg', 'sag', 'saga'}, \
            default='lbfgs'
        As in scikit-learn. On dask input ``'lbfgs'``, ``'newton-cholesky'`` and
        ``'saga'`` lead to the same minimum; up to 500 coefficients all are Newton's
        method, which passes over the data less often. The others are refused.
    max_iter : int, default=100
        Most iterations.
    verbose : int, default=0
        As in scikit-learn; of no effect on dask input.
    warm_start : bool, default=False
        Start from the coefficients of the fit before.
    n_jobs : int, default=None
        As in scikit-learn, where it has no effect.
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who does the work; see :meth:`explain`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, of any dtype.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients, concrete.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts.
    n_iter_ : ndarray of shape (1,), int32
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
        If a parameter cannot be honoured on dask input, or the engine asked for by
        name cannot do it.

    See Also
    --------
    sklearn.linear_model.LogisticRegression : The class mirrored.
    dask_ml.linear_model.LogisticRegression : Of this name, but with another objective.

    Notes
    -----
    Passes over dask input: one for the classes, over `y` alone; one for non-finite
    values and weights by class; then one a step, one to begin with and one to confirm
    the last [1]_, and one for each time that a step is halved. Of 200,000 rows or more,
    20,000 are taken on the way, and steps begin at their minimum, which leaves one or
    two of them. With an l1 penalty a step is Newton's for the loss, with coordinate
    descent on the penalty, which sets coefficients to zero exactly [2]_; `tol` holds
    for the subgradient, where scikit-learn's ``'saga'`` stops at small steps. dask-ml's
    estimator of this name minimises another function (it standardises the columns and
    penalises the intercept), so there is no adapter for it.

    References
    ----------
    .. [1] Nocedal and Wright (2006), "Numerical Optimization", 2nd edition, sections
       3.3 and 7.2.
    .. [2] Lee, Sun and Saunders (2014), "Proximal Newton-type methods for minimizing
       composite functions", SIAM J. Optim. 24(3).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_dask_auto import AutoScaleLogisticRegression
    >>> X, y = load_iris(return_X_y=True)
    >>> AutoScaleLogisticRegression(max_iter=200).fit(X, y).score(X, y)
    0.97...

    The same on dask arrays; probabilities are lazy:

    >>> import dask.array as da
    >>> dX, dy = da.from_array(X, chunks=(50, 4)), da.from_array(y, chunks=50)
    >>> model = AutoScaleLogisticRegression(engine="blockwise").fit(dX, dy)
    >>> model.score(dX, dy)
    0.97...
    >>> model.predict_proba(dX)
    dask.array<predict_proba, shape=(150, 3), dtype=float64, chunksize=(50, 3), ...>
    """

    _parameter_constraints = parameter_constraints(LogisticRegression)
    _kernel = "logistic"
    _metric = staticmethod(accuracy_score)
    _passes = 8.0
    _operations = 16.0

    def __init__(
        self,
        penalty: Any = "deprecated",
        *,
        C: float = 1.0,
        l1_ratio: float | None = 0.0,
        dual: bool = False,
        tol: float = 1e-4,
        fit_intercept: bool = True,
        intercept_scaling: float = 1,
        class_weight: Any = None,
        random_state: Any = None,
        solver: str = "lbfgs",
        max_iter: int = 100,
        verbose: int = 0,
        warm_start: bool = False,
        n_jobs: int | None = None,
        engine: str = "auto",
    ) -> None:
        super().__init__(
            penalty=penalty,
            C=C,
            l1_ratio=l1_ratio,
            dual=dual,
            tol=tol,
            fit_intercept=fit_intercept,
            intercept_scaling=intercept_scaling,
            class_weight=class_weight,
            random_state=random_state,
            solver=solver,
            max_iter=max_iter,
            verbose=verbose,
            warm_start=warm_start,
            n_jobs=n_jobs,
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
            Labels of any dtype, in blocks of any size.
        sample_weight : {array-like, dask array} of shape (n_samples,), default=None
            Weights of the rows; all equal if None.

        Returns
        -------
        self : AutoScaleLogisticRegression
            Fitted.
        """
        if is_dask(X):
            _warn_about_deprecated(self)
        return self._fit_as_planned(X, y, {"sample_weight": sample_weight})

    def _refusals(
        self, profile: Profile, params: dict[str, Any]
    ) -> Iterable[tuple[str, str]]:
        if self.solver not in SOLVERS:
            yield (
                "blockwise",
                (
                    f"solver={self.solver!r} needs all rows in memory; 'lbfgs', "
                    "'newton-cholesky' and 'saga' pass over blocks"
                ),
            )
        if l1_share(self.penalty, self.l1_ratio):
            yield from self._l1_refusals(profile)
        if self.dual:
            yield "blockwise", "dual=True is liblinear's, which needs all rows"

    def _l1_refusals(self, profile: Profile) -> Iterable[tuple[str, str]]:
        if self.solver != "saga":
            reason = f"solver={self.solver!r} has no l1 penalty; take 'saga'"
            yield "blockwise", reason
        n_columns = profile.n_columns or 0
        if n_columns > MOST_L1_COLUMNS:
            yield (
                "blockwise",
                f"X has {n_columns:,} columns, and an l1 penalty is minimised with a "
                f"Hessian, of up to {MOST_L1_COLUMNS:,}; take l1_ratio=0",
            )


def _warn_about_deprecated(estimator: AutoScaleLogisticRegression) -> None:
    """Warn as scikit-learn's `fit` does; on in-memory input it does so itself."""
    if estimator.penalty != "deprecated":
        warnings.warn(
            "'penalty' was deprecated in version 1.8 and will be removed in 1.10. Use "
            "'l1_ratio' or 'C' instead: C=np.inf instead of penalty=None.",
            FutureWarning,
            stacklevel=2,
        )
    elif estimator.l1_ratio is None:
        warnings.warn(
            "'l1_ratio=None' was deprecated in version 1.8 and will trigger an error "
            "in 1.10. Use 0<=l1_ratio<=1 instead.",
            FutureWarning,
            stacklevel=2,
        )
    if estimator.n_jobs is not None:
        warnings.warn(
            "'n_jobs' has no effect since 1.8 and will be removed in 1.10.",
            FutureWarning,
            stacklevel=2,
        )
