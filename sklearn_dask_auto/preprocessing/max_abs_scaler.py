"""MaxAbsScaler for input of any size."""

from typing import Any

from sklearn.preprocessing import MaxAbsScaler

from sklearn_dask_auto._sklearn import fit_context, parameter_constraints
from sklearn_dask_auto.preprocessing.scaling import ScalerMixin

__all__ = ["AutoScaleMaxAbsScaler"]


class AutoScaleMaxAbsScaler(ScalerMixin, MaxAbsScaler):
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
    dask.array<transform, shape=(3, 2), dtype=float64, chunksize=(2, 2), ...>
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

    def _affine(self) -> dict[str, Any]:
        return {
            "shift": None,
            "scale": self.scale_,
            "subtracts_first": True,
            "limits": (-1.0, 1.0) if self.clip else None,
        }
