"""Elastic net and lasso: scikit-learn's, for input of any size."""

from collections.abc import Iterable
from typing import Any

from sklearn.linear_model import ElasticNet, Lasso

from sklearn_dask_auto._sklearn import fit_context, parameter_constraints
from sklearn_dask_auto.inputs import is_dask
from sklearn_dask_auto.linear_model.one_pass import OnePassMixin
from sklearn_dask_auto.routing import Profile

__all__ = ["AutoScaleElasticNet", "AutoScaleLasso"]


class _CoordinateDescent(OnePassMixin):
    """What coordinate descent on a triangular factor rules out."""

    precompute: Any

    def _refusals(
        self, profile: Profile, params: dict[str, Any]
    ) -> Iterable[tuple[str, str]]:
        if not isinstance(self.precompute, bool):
            yield (
                "blockwise",
                "precompute is a matrix, which one pass finds out by itself; "
                "leave it False",
            )
        if "check_input" in params:
            yield "blockwise", "check_input=False is for arrays in memory"
        yield from super()._refusals(profile, params)


class AutoScaleElasticNet(_CoordinateDescent, ElasticNet):
    """Least squares with l1 and l2 penalties, for input of any size.

    On in-memory input this is :class:`sklearn.linear_model.ElasticNet`. A dask array or
    DataFrame is condensed in one pass over its row blocks, and scikit-learn's
    coordinate descent runs on what is left, which is as small as its columns are few.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalties.
    l1_ratio : float, default=0.5
        Share of the l1 penalty: 0 is a ridge, 1 the lasso.
    fit_intercept : bool, default=True
        Fit an intercept, without a penalty; else rows are expected to be centred.
    precompute : bool or array-like of shape (n_features, n_features), default=False
        As in scikit-learn. Dask input takes True or False.
    max_iter : int, default=1000
        Most iterations.
    copy_X : bool, default=True
        As in scikit-learn; dask input is never changed.
    tol : float, default=1e-4
        As in scikit-learn: of the coefficients' changes, and then of the dual gap.
    warm_start : bool, default=False
        Start from the coefficients of the fit before.
    positive : bool, default=False
        Keep coefficients from being negative.
    random_state : int, RandomState instance or None, default=None
        For ``selection='random'``.
    selection : {'cyclic', 'random'}, default='cyclic'
        Order in which coefficients are updated.
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who does the work; see :meth:`explain`.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients, in the dtype of `X`.
    sparse_coef_ : sparse matrix of shape (1, n_features) or (n_targets, n_features)
        The same, sparse.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercept; 0.0 if `fit_intercept` is False.
    n_iter_ : int or list of int
        Iterations, for each target if there are several.
    dual_gap_ : float or ndarray of shape (n_targets,)
        How far the objective is from its minimum, at most.
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
    AutoScaleLasso : With an l1 penalty alone.
    AutoScaleRidge : With an l2 penalty alone.
    sklearn.linear_model.ElasticNet : The class mirrored.
    dask_ml.linear_model.LinearRegression : With ``penalty='elastic_net'``, on columns
        it has scaled, and a penalty on the intercept too. No engine here runs it.

    Notes
    -----
    Passes over dask input: one, for the triangular factor of the centred rows beside
    their targets [1]_. It has the products of columns that coordinate descent asks
    for, so that this takes the steps on it that it would take on all rows: the same
    coefficients, iterations and dual gap, up to rounding. Input of more than 5,000
    columns is left to scikit-learn. Sparse row blocks are made dense a tile at a time.

    References
    ----------
    .. [1] Demmel, Grigori, Hoemmen and Langou (2012), "Communication-optimal parallel
       and sequential QR and LU factorizations", SIAM J. Sci. Comput. 34(1).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import AutoScaleElasticNet
    >>> X = np.array([[1, 1], [1, 2], [2, 2], [2, 3]])
    >>> y = X @ [1, 2] + 3
    >>> AutoScaleElasticNet(alpha=0.1).fit(X, y).coef_.round(2)
    array([0.83, 1.8 ])

    The same on a dask array; what it predicts is lazy:

    >>> import dask.array as da
    >>> blocks = da.from_array(X, chunks=(2, 2))
    >>> model = AutoScaleElasticNet(alpha=0.1, engine="blockwise").fit(blocks, y)
    >>> model.coef_.round(2)
    array([0.83, 1.8 ])
    >>> model.predict(blocks)
    dask.array<predict, shape=(4,), dtype=float64, chunksize=(2,), ...>
    """

    _parameter_constraints = parameter_constraints(ElasticNet)
    _kernel = "elastic_net"

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 0.5,
        fit_intercept: bool = True,
        precompute: Any = False,
        max_iter: int = 1000,
        copy_X: bool = True,
        tol: float = 1e-4,
        warm_start: bool = False,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
        engine: str = "auto",
    ) -> None:
        super().__init__(
            alpha=alpha,
            l1_ratio=l1_ratio,
            fit_intercept=fit_intercept,
            precompute=precompute,
            max_iter=max_iter,
            copy_X=copy_X,
            tol=tol,
            warm_start=warm_start,
            positive=positive,
            random_state=random_state,
            selection=selection,
        )
        self.engine = engine

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, check_input: bool = True
    ) -> Any:
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
        check_input : bool, default=True
            As in scikit-learn, for arrays in memory; dask input is always checked.

        Returns
        -------
        self : AutoScaleElasticNet
            Fitted.
        """
        return self._fit_as_planned(X, y, _fit_params(X, sample_weight, check_input))


class AutoScaleLasso(_CoordinateDescent, Lasso):
    """Least squares with an l1 penalty, for input of any size.

    On in-memory input this is :class:`sklearn.linear_model.Lasso`. A dask array or
    DataFrame is condensed in one pass over its row blocks, and scikit-learn's
    coordinate descent runs on what is left, which is as small as its columns are few.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty.
    fit_intercept : bool, default=True
        Fit an intercept, without a penalty; else rows are expected to be centred.
    precompute : bool or array-like of shape (n_features, n_features), default=False
        As in scikit-learn. Dask input takes True or False.
    copy_X : bool, default=True
        As in scikit-learn; dask input is never changed.
    max_iter : int, default=1000
        Most iterations.
    tol : float, default=1e-4
        As in scikit-learn: of the coefficients' changes, and then of the dual gap.
    warm_start : bool, default=False
        Start from the coefficients of the fit before.
    positive : bool, default=False
        Keep coefficients from being negative.
    random_state : int, RandomState instance or None, default=None
        For ``selection='random'``.
    selection : {'cyclic', 'random'}, default='cyclic'
        Order in which coefficients are updated.
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who does the work; see :meth:`explain`.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients, in the dtype of `X`.
    sparse_coef_ : sparse matrix of shape (1, n_features) or (n_targets, n_features)
        The same, sparse.
    intercept_ : float or ndarray of shape (n_targets,)
        Intercept; 0.0 if `fit_intercept` is False.
    n_iter_ : int or list of int
        Iterations, for each target if there are several.
    dual_gap_ : float or ndarray of shape (n_targets,)
        How far the objective is from its minimum, at most.
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
    AutoScaleElasticNet : With an l2 penalty beside it.
    sklearn.linear_model.Lasso : The class mirrored.
    dask_ml.linear_model.LinearRegression : With ``penalty='l1'``, on columns it has
        scaled, and a penalty on the intercept too. No engine here runs it.

    Notes
    -----
    Passes over dask input: one, for the triangular factor of the centred rows beside
    their targets [1]_; see :class:`AutoScaleElasticNet`. Input of more than 5,000
    columns is left to scikit-learn. Sparse row blocks are made dense a tile at a time.

    References
    ----------
    .. [1] Demmel, Grigori, Hoemmen and Langou (2012), "Communication-optimal parallel
       and sequential QR and LU factorizations", SIAM J. Sci. Comput. 34(1).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import AutoScaleLasso
    >>> X = np.array([[1, 1], [1, 2], [2, 2], [2, 3]])
    >>> y = X @ [1, 2] + 3
    >>> AutoScaleLasso(alpha=0.1).fit(X, y).coef_.round(2)
    array([0.6, 2. ])

    The same on a dask array; what it predicts is lazy:

    >>> import dask.array as da
    >>> blocks = da.from_array(X, chunks=(2, 2))
    >>> model = AutoScaleLasso(alpha=0.1, engine="blockwise").fit(blocks, y)
    >>> model.coef_.round(2)
    array([0.6, 2. ])
    >>> model.predict(blocks)
    dask.array<predict, shape=(4,), dtype=float64, chunksize=(2,), ...>
    """

    _parameter_constraints = parameter_constraints(Lasso)
    _kernel = "elastic_net"

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        fit_intercept: bool = True,
        precompute: Any = False,
        copy_X: bool = True,
        max_iter: int = 1000,
        tol: float = 1e-4,
        warm_start: bool = False,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
        engine: str = "auto",
    ) -> None:
        super().__init__(
            alpha=alpha,
            fit_intercept=fit_intercept,
            precompute=precompute,
            copy_X=copy_X,
            max_iter=max_iter,
            tol=tol,
            warm_start=warm_start,
            positive=positive,
            random_state=random_state,
            selection=selection,
        )
        self.engine = engine

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, check_input: bool = True
    ) -> Any:
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
        check_input : bool, default=True
            As in scikit-learn, for arrays in memory; dask input is always checked.

        Returns
        -------
        self : AutoScaleLasso
            Fitted.
        """
        return self._fit_as_planned(X, y, _fit_params(X, sample_weight, check_input))


def _fit_params(X: Any, sample_weight: Any, check_input: bool) -> dict[str, Any]:
    """Return what `fit` takes beside the target; dask input is always checked."""
    params: dict[str, Any] = {"sample_weight": sample_weight}
    if not check_input and not is_dask(X):
        params["check_input"] = False
    return params
