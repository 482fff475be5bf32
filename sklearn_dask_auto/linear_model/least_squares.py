"""Least squares, with a penalty or without: scikit-learn's, for input of any size."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sklearn.linear_model import LinearRegression, Ridge

from sklearn_dask_auto._sklearn import fit_context, parameter_constraints
from sklearn_dask_auto.linear_model.one_pass import OnePassMixin
from sklearn_dask_auto.routing import Job, Profile

__all__ = ["AutoScaleLinearRegression", "AutoScaleRidge"]


class _LeastSquares(OnePassMixin):
    """What `positive` rules out."""

    positive: bool

    def _refusals(
        self, profile: Profile, params: dict[str, Any]
    ) -> Iterable[tuple[str, str]]:
        if self.positive:
            reason = "positive=True has no solution in one pass over row blocks"
            yield "blockwise", reason
        yield from super()._refusals(profile, params)


class AutoScaleLinearRegression(_LeastSquares, LinearRegression):
    """Ordinary least squares for input of any size.

    On in-memory input this is :class:`sklearn.linear_model.LinearRegression`. A dask
    array or DataFrame is fitted exactly in one pass over its row blocks.

    Parameters
    ----------
    fit_intercept : bool, default=True
        Fit an intercept; else rows are expected to be centred.
    copy_X : bool, default=True
        As in scikit-learn; dask input is never changed.
    tol : float, default=1e-6
        Singular values below this share of the largest count as zero. In-memory
        sparse input is solved to this precision; sparse row blocks are exact.
    n_jobs : int, default=None
        As in scikit-learn, for several targets in memory.
    positive : bool, default=False
        Keep coefficients from being negative; for in-memory input, and dask input
        that can be gathered.
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who does the work; see :meth:`explain`.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients, in the dtype of `X`; one row a target if `y` has two dimensions.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercept; 0.0 if `fit_intercept` is False.
    rank_ : int
        Rank of the centred rows. Only where they are dense.
    singular_ : ndarray of shape (min(n_samples, n_features),)
        Singular values of the centred rows. Only where they are dense.
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

    See Also
    --------
    AutoScaleRidge : With a penalty on the coefficients.
    sklearn.linear_model.LinearRegression : The class mirrored.
    dask_ml.linear_model.LinearRegression : A ridge by default, solved iteratively;
        its `score` fails. No engine here runs it.

    Notes
    -----
    Passes over dask input: one, for the triangular factor of the centred rows beside
    their targets [1]_. It takes two to three times the arithmetic of cross products
    and, other than these, loses no digits where columns are nearly collinear: singular
    values, rank and the solution of least norm are scikit-learn's. Input of more than
    5,000 columns is left to scikit-learn. Sparse row blocks are made dense a tile at
    a time.

    References
    ----------
    .. [1] Demmel, Grigori, Hoemmen and Langou (2012), "Communication-optimal parallel
       and sequential QR and LU factorizations", SIAM J. Sci. Comput. 34(1).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import AutoScaleLinearRegression
    >>> X = np.array([[1, 1], [1, 2], [2, 2], [2, 3]])
    >>> y = X @ [1, 2] + 3
    >>> AutoScaleLinearRegression().fit(X, y).coef_.round(6)
    array([1., 2.])

    The same on a dask array; what it predicts is lazy:

    >>> import dask.array as da
    >>> blocks = da.from_array(X, chunks=(2, 2))
    >>> model = AutoScaleLinearRegression(engine="blockwise").fit(blocks, y)
    >>> model.coef_.round(6)
    array([1., 2.])
    >>> model.predict(blocks)
    dask.array<predict, shape=(4,), dtype=float64, chunksize=(2,), ...>
    """

    _parameter_constraints = parameter_constraints(LinearRegression)
    _kernel = "linear_regression"
    _numbers_only = True

    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        tol: float = 1e-6,
        n_jobs: int | None = None,
        positive: bool = False,
        engine: str = "auto",
    ) -> None:
        super().__init__(
            fit_intercept=fit_intercept,
            copy_X=copy_X,
            tol=tol,
            n_jobs=n_jobs,
            positive=positive,
        )
        self.engine = engine

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Fit the linear model.

        Parameters
        ----------
        X : {array-like, sparse matrix, dask array, dask DataFrame} of shape \
                (n_samples, n_features)
            Rows. Dask input may have unknown row counts, empty blocks, sparse (CSR)
            blocks and several blocks across its columns.
        y : {array-like, dask array, dask Series or DataFrame} of shape \
                (n_samples,) or (n_samples, n_targets)
            Targets.
        sample_weight : float or {array-like, dask array} of shape (n_samples,), \
                default=None
            Weights of the rows; all equal if None.

        Returns
        -------
        self : AutoScaleLinearRegression
            Fitted.
        """
        return self._fit_as_planned(X, y, {"sample_weight": sample_weight})

    def _job(self, profile: Profile, params: dict[str, Any]) -> Job:
        return replace(super()._job(profile, params), copies=3.0)


class AutoScaleRidge(_LeastSquares, Ridge):
    """Least squares with a penalty on the coefficients, for input of any size.

    On in-memory input this is :class:`sklearn.linear_model.Ridge`. A dask array or
    DataFrame is fitted exactly in one pass over its row blocks.

    Parameters
    ----------
    alpha : float or array-like of shape (n_targets,), default=1.0
        Strength of the penalty, for all targets or for each.
    fit_intercept : bool, default=True
        Fit an intercept, without a penalty; else rows are expected to be centred.
    copy_X : bool, default=True
        As in scikit-learn; dask input is never changed.
    max_iter : int, default=None
        For iterative solvers.
    tol : float, default=1e-4
        For iterative solvers.
    solver : {'auto', 'svd', 'cholesky', 'lsqr', 'sparse_cg', 'sag', 'saga', \
            'lbfgs'}, default='auto'
        As in scikit-learn. Row blocks are solved exactly, for ``'auto'``,
        ``'cholesky'`` and ``'svd'``.
    positive : bool, default=False
        Keep coefficients from being negative; for in-memory input, and dask input
        that can be gathered.
    random_state : int, RandomState instance or None, default=None
        For ``solver='sag'`` and ``'saga'``.
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who does the work; see :meth:`explain`.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients, in the dtype of `X`.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercept; 0.0 if `fit_intercept` is False.
    n_iter_ : None or ndarray of shape (n_targets,)
        None on dask input, as for scikit-learn's exact solvers.
    solver_ : str
        The solver that scikit-learn would take on dense rows.
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

    See Also
    --------
    AutoScaleLinearRegression : Without a penalty.
    sklearn.linear_model.Ridge : The class mirrored.
    dask_ml.linear_model.LinearRegression : A ridge by default, on columns it has
        scaled, that penalises the intercept too. No engine here runs it.

    Notes
    -----
    Passes over dask input: one, for the triangular factor of the centred rows beside
    their targets [1]_, under which the penalty stands as further rows. Input of more
    than 5,000 columns is left to scikit-learn. Sparse row blocks are made dense a tile
    at a time, and solved exactly where scikit-learn's ``'sparse_cg'`` stops at `tol`.

    References
    ----------
    .. [1] Demmel, Grigori, Hoemmen and Langou (2012), "Communication-optimal parallel
       and sequential QR and LU factorizations", SIAM J. Sci. Comput. 34(1).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import AutoScaleRidge
    >>> X = np.array([[1, 1], [1, 2], [2, 2], [2, 3]])
    >>> y = X @ [1, 2] + 3
    >>> AutoScaleRidge(alpha=1.0).fit(X, y).coef_.round(6)
    array([0.8, 1.4])

    The same on a dask array; what it predicts is lazy:

    >>> import dask.array as da
    >>> blocks = da.from_array(X, chunks=(2, 2))
    >>> model = AutoScaleRidge(alpha=1.0, engine="blockwise").fit(blocks, y)
    >>> model.coef_.round(6)
    array([0.8, 1.4])
    >>> model.predict(blocks)
    dask.array<predict, shape=(4,), dtype=float64, chunksize=(2,), ...>
    """

    _parameter_constraints = parameter_constraints(Ridge)
    _kernel = "ridge"

    def __init__(
        self,
        alpha: Any = 1.0,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        max_iter: int | None = None,
        tol: float = 1e-4,
        solver: str = "auto",
        positive: bool = False,
        random_state: Any = None,
        engine: str = "auto",
    ) -> None:
        super().__init__(
            alpha=alpha,
            fit_intercept=fit_intercept,
            copy_X=copy_X,
            max_iter=max_iter,
            tol=tol,
            solver=solver,
            positive=positive,
            random_state=random_state,
        )
        self.engine = engine

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Fit the penalised linear model.

        Parameters
        ----------
        X : {array-like, sparse matrix, dask array, dask DataFrame} of shape \
                (n_samples, n_features)
            Rows. Dask input may have unknown row counts, empty blocks, sparse (CSR)
            blocks and several blocks across its columns.
        y : {array-like, dask array, dask Series or DataFrame} of shape \
                (n_samples,) or (n_samples, n_targets)
            Targets.
        sample_weight : float or {array-like, dask array} of shape (n_samples,), \
                default=None
            Weights of the rows; all equal if None.

        Returns
        -------
        self : AutoScaleRidge
            Fitted.
        """
        return self._fit_as_planned(X, y, {"sample_weight": sample_weight})

    def _refusals(
        self, profile: Profile, params: dict[str, Any]
    ) -> Iterable[tuple[str, str]]:
        yield from super()._refusals(profile, params)
        if self.solver not in ("auto", "cholesky", "svd"):
            yield (
                "blockwise",
                f"solver={self.solver!r} is iterative; 'auto', 'cholesky' and 'svd' "
                "are exact in one pass",
            )
