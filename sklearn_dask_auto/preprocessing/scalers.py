"""Scaling of columns: scikit-learn's transformers, for input of any size."""

from typing import Any

from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, StandardScaler

from sklearn_dask_auto._base import AutoScaleMixin
from sklearn_dask_auto._sklearn import fit_context, parameter_constraints
from sklearn_dask_auto.inputs import is_dask

__all__ = ["AutoScaleMaxAbsScaler", "AutoScaleMinMaxScaler", "AutoScaleStandardScaler"]


class _CopyAtCall(AutoScaleMixin):
    """The mixin for a scaler whose methods take `copy`.

    It is a class of its own because scikit-learn wraps a `transform` that an estimator
    itself defines, and for `set_output` would compute what is lazy.
    """

    def transform(self, X: Any, copy: bool | None = None) -> Any:
        """Scale as scikit-learn does, lazily on dask input.

        Parameters
        ----------
        X : {array-like, sparse matrix, dask array, dask DataFrame} of shape \
                (n_samples, n_features)
            Rows to scale.
        copy : bool, default=None
            For in-memory input, instead of the parameter of that name; blocks are
            never overwritten.

        Returns
        -------
        X_new : {ndarray, sparse matrix, dask array} of shape (n_samples, n_features)
            Lazy for dask input, in the row blocks of `X`.
        """
        return self._call("transform", X, copy)

    def inverse_transform(self, X: Any, copy: bool | None = None) -> Any:
        """Undo the scaling as scikit-learn does, lazily on dask input.

        Parameters
        ----------
        X : {array-like, sparse matrix, dask array, dask DataFrame} of shape \
                (n_samples, n_features)
            Rows that were scaled.
        copy : bool, default=None
            As for :meth:`transform`.

        Returns
        -------
        X_original : {ndarray, sparse matrix, dask array} of shape \
                (n_samples, n_features)
            Lazy for dask input, in the row blocks of `X`.
        """
        return self._call("inverse_transform", X, copy)

    def _call(self, method: str, X: Any, copy: bool | None) -> Any:
        if is_dask(X):
            return self._map_rows(method, X)
        return getattr(super(AutoScaleMixin, self), method)(X, copy=copy)


class AutoScaleStandardScaler(_CopyAtCall, StandardScaler):
    """Removal of the mean and scaling to unit variance, for input of any size.

    On in-memory input this is :class:`sklearn.preprocessing.StandardScaler`. A dask
    array or DataFrame is summarised block by block, in one pass, to the same mean and
    variance however it is cut; what is transformed is lazy.

    Parameters
    ----------
    copy : bool, default=True
        As in scikit-learn, for in-memory input; blocks are never overwritten.
    with_mean : bool, default=True
        Subtract the mean. Sparse input cannot be centered.
    with_std : bool, default=True
        Divide by the standard deviation.
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who does the work; see :meth:`explain`.

    Attributes
    ----------
    scale_ : ndarray of shape (n_features,), float64, or None
        What columns are divided by, concrete; 1 for those that are constant. None if
        `with_std` is False.
    mean_ : ndarray of shape (n_features,), float64, or None
        Mean of each column. None if nothing is subtracted or divided by.
    var_ : ndarray of shape (n_features,), float64, or None
        Variance of each column. None if `with_std` is False.
    n_samples_seen_ : number or ndarray of shape (n_features,)
        Rows, or their weight; one for each column if some have NaN.
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
    sklearn.preprocessing.StandardScaler : The class mirrored.
    dask_ml.preprocessing.StandardScaler : Its counterpart, which takes no weights.

    Notes
    -----
    Passes over dask input: one. NaN is a value that is missing, as in scikit-learn.
    A mean far from zero costs no digits. Negative weights are refused on row blocks.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import AutoScaleStandardScaler
    >>> X = np.array([[0.0, 5.0], [2.0, 5.0], [4.0, 5.0], [6.0, 5.0]])
    >>> scaler = AutoScaleStandardScaler().fit(X)
    >>> scaler.mean_, scaler.var_
    (array([3., 5.]), array([5., 0.]))
    >>> scaler.transform(X[:2])
    array([[-1.34164079,  0.        ],
           [-0.4472136 ,  0.        ]])

    The same on a dask array; what is transformed is lazy:

    >>> import dask.array as da
    >>> blocks = da.from_array(X, chunks=(2, 2))
    >>> scaler = AutoScaleStandardScaler().fit(blocks)
    >>> scaler.mean_, scaler.var_
    (array([3., 5.]), array([5., 0.]))
    >>> scaler.transform(blocks)
    dask.array<_apply, shape=(4, 2), dtype=float64, chunksize=(2, 2), ...>
    """

    _parameter_constraints = parameter_constraints(StandardScaler)
    _kernel = "standard_scaler"

    def __init__(
        self,
        *,
        copy: bool = True,
        with_mean: bool = True,
        with_std: bool = True,
        engine: str = "auto",
    ) -> None:
        super().__init__(copy=copy, with_mean=with_mean, with_std=with_std)
        self.engine = engine

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Compute the mean and the standard deviation of each column.

        Parameters
        ----------
        X : {array-like, sparse matrix, dask array, dask DataFrame} of shape \
                (n_samples, n_features)
            Rows to learn from. Dask input may have unknown row counts, empty blocks,
            sparse (CSR) blocks and several blocks across its columns.
        y : Ignored
            Not used, present here for API consistency by convention.
        sample_weight : {array-like, dask array} of shape (n_samples,), default=None
            Weights of the rows; all equal if None.

        Returns
        -------
        self : AutoScaleStandardScaler
            Fitted.
        """
        return self._fit_as_planned(X, None, {"sample_weight": sample_weight})

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Fit further on rows in memory, as scikit-learn does.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Not a dask collection, of which `fit` takes any size.
        y : Ignored
            Not used, present here for API consistency by convention.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows; all equal if None.

        Returns
        -------
        self : AutoScaleStandardScaler
            Fitted further.

        Raises
        ------
        TypeError
            For dask input.
        """
        return super().partial_fit(X, y, sample_weight)


class AutoScaleMinMaxScaler(AutoScaleMixin, MinMaxScaler):
    """Scaling of each column to a given range, for input of any size.

    On in-memory input this is :class:`sklearn.preprocessing.MinMaxScaler`. The extremes
    of a dask array or DataFrame are found block by block, in one pass; what is
    transformed is lazy.

    Parameters
    ----------
    feature_range : tuple (min, max), default=(0, 1)
        Desired range of transformed data.
    copy : bool, default=True
        As in scikit-learn, for in-memory input; blocks are never overwritten.
    clip : bool, default=False
        Clip what is transformed to `feature_range`.
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who does the work; see :meth:`explain`.

    Attributes
    ----------
    min_ : ndarray of shape (n_features,)
        What is added to each column after scaling, concrete.
    scale_ : ndarray of shape (n_features,)
        What each column is multiplied by.
    data_min_, data_max_ : ndarray of shape (n_features,)
        Extremes of each column.
    data_range_ : ndarray of shape (n_features,)
        Their difference.
    n_samples_seen_ : int
        Rows.
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
    sklearn.preprocessing.MinMaxScaler : The class mirrored.
    dask_ml.preprocessing.MinMaxScaler : Its counterpart, which ignores `clip`.

    Notes
    -----
    Passes over dask input: one. NaN is a value that is missing, as in scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import AutoScaleMinMaxScaler
    >>> X = np.array([[-1.0, 2.0], [-0.5, 6.0], [0.0, 10.0], [1.0, 18.0]])
    >>> AutoScaleMinMaxScaler().fit_transform(X)
    array([[0.  , 0.  ],
           [0.25, 0.25],
           [0.5 , 0.5 ],
           [1.  , 1.  ]])

    The same on a dask array; what is transformed is lazy:

    >>> import dask.array as da
    >>> blocks = da.from_array(X, chunks=(2, 2))
    >>> scaler = AutoScaleMinMaxScaler().fit(blocks)
    >>> scaler.data_min_, scaler.data_max_
    (array([-1.,  2.]), array([ 1., 18.]))
    >>> scaler.transform(blocks)
    dask.array<_apply, shape=(4, 2), dtype=float64, chunksize=(2, 2), ...>
    """

    _parameter_constraints = parameter_constraints(MinMaxScaler)
    _kernel = "min_max_scaler"
    _operations = 2.0

    def __init__(
        self,
        feature_range: tuple[float, float] = (0, 1),
        *,
        copy: bool = True,
        clip: bool = False,
        engine: str = "auto",
    ) -> None:
        super().__init__(feature_range=feature_range, copy=copy, clip=clip)
        self.engine = engine

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Any:
        """Find the smallest and the largest value of each column.

        Parameters
        ----------
        X : {array-like, dask array, dask DataFrame} of shape (n_samples, n_features)
            Rows to learn from. Dask input may have unknown row counts, empty blocks
            and several blocks across its columns.
        y : Ignored
            Not used, present here for API consistency by convention.

        Returns
        -------
        self : AutoScaleMinMaxScaler
            Fitted.
        """
        return self._fit_as_planned(X, None, {})


class AutoScaleMaxAbsScaler(AutoScaleMixin, MaxAbsScaler):
    """Scaling of each column by its largest absolute value, for input of any size.

    On in-memory input this is :class:`sklearn.preprocessing.MaxAbsScaler`. The extremes
    of a dask array or DataFrame are found block by block, in one pass; what is
    transformed is lazy, and sparse where the blocks are.

    Parameters
    ----------
    copy : bool, default=True
        As in scikit-learn, for in-memory input; blocks are never overwritten.
    clip : bool, default=False
        Clip what is transformed to [-1, 1].
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who does the work; see :meth:`explain`.

    Attributes
    ----------
    scale_ : ndarray of shape (n_features,)
        What each column is divided by, concrete; 1 for columns of zeros.
    max_abs_ : ndarray of shape (n_features,)
        Largest absolute value of each column.
    n_samples_seen_ : int
        Rows.
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
    sklearn.preprocessing.MaxAbsScaler : The class mirrored.
    dask_ml.preprocessing.MinMaxScaler : The nearest in dask-ml, which has none such.

    Notes
    -----
    Passes over dask input: one. NaN is a value that is missing, as in scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import AutoScaleMaxAbsScaler
    >>> X = np.array([[1.0, -1.0], [2.0, 0.0], [0.0, 4.0]])
    >>> AutoScaleMaxAbsScaler().fit_transform(X)
    array([[ 0.5 , -0.25],
           [ 1.  ,  0.  ],
           [ 0.  ,  1.  ]])

    The same on a dask array; what is transformed is lazy:

    >>> import dask.array as da
    >>> blocks = da.from_array(X, chunks=(2, 2))
    >>> scaler = AutoScaleMaxAbsScaler().fit(blocks)
    >>> scaler.max_abs_
    array([2., 4.])
    >>> scaler.transform(blocks)
    dask.array<_apply, shape=(3, 2), dtype=float64, chunksize=(2, 2), ...>
    """

    _parameter_constraints = parameter_constraints(MaxAbsScaler)
    _kernel = "max_abs_scaler"
    _operations = 2.0

    def __init__(
        self, *, copy: bool = True, clip: bool = False, engine: str = "auto"
    ) -> None:
        super().__init__(copy=copy, clip=clip)
        self.engine = engine

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Any:
        """Find the largest absolute value of each column.

        Parameters
        ----------
        X : {array-like, sparse matrix, dask array, dask DataFrame} of shape \
                (n_samples, n_features)
            Rows to learn from. Dask input may have unknown row counts, empty blocks,
            sparse (CSR) blocks and several blocks across its columns.
        y : Ignored
            Not used, present here for API consistency by convention.

        Returns
        -------
        self : AutoScaleMaxAbsScaler
            Fitted.
        """
        return self._fit_as_planned(X, None, {})
