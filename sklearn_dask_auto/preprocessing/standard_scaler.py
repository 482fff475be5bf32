"""StandardScaler for input of any size."""

from collections.abc import Iterable
from typing import Any

from sklearn.preprocessing import StandardScaler

from sklearn_dask_auto._sklearn import fit_context, parameter_constraints
from sklearn_dask_auto.preprocessing.scaling import CopyAtCall
from sklearn_dask_auto.routing import Profile

__all__ = ["AutoScaleStandardScaler"]


class AutoScaleStandardScaler(CopyAtCall, StandardScaler):
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
    dask_ml.preprocessing.StandardScaler : What ``engine='dask-ml'`` runs.

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
    dask.array<transform, shape=(4, 2), dtype=float64, chunksize=(2, 2), ...>
    """

    _parameter_constraints = parameter_constraints(StandardScaler)
    _kernel = "standard_scaler"
    _dask_ml_adapter = "StandardScaler"

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

    def _affine(self) -> dict[str, Any]:
        return {
            "shift": self.mean_ if self.with_mean else None,
            "scale": self.scale_ if self.with_std else None,
            "subtracts_first": True,
            "rounds": True,
        }

    def _refusals(
        self, profile: Profile, params: dict[str, Any]
    ) -> Iterable[tuple[str, str]]:
        if params.get("sample_weight") is not None:
            yield "dask-ml", "dask-ml's StandardScaler takes no sample_weight"
        if not (self.with_mean and self.with_std):
            reason = (
                "dask-ml's StandardScaler learns what it divides or shifts by alone"
            )
            yield "dask-ml", reason
