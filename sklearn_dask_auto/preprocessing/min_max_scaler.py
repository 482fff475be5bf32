"""MinMaxScaler for input of any size."""

from typing import Any

from sklearn.preprocessing import MinMaxScaler

from sklearn_dask_auto._sklearn import fit_context, parameter_constraints
from sklearn_dask_auto.preprocessing.scaling import ScalerMixin

__all__ = ["AutoScaleMinMaxScaler"]


class AutoScaleMinMaxScaler(ScalerMixin, MinMaxScaler):
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
    dask_ml.preprocessing.MinMaxScaler : What ``engine='dask-ml'`` runs, on dense rows
        without missing values.

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
    dask.array<transform, shape=(4, 2), dtype=float64, chunksize=(2, 2), ...>
    """

    _parameter_constraints = parameter_constraints(MinMaxScaler)
    _kernel = "min_max_scaler"
    _dask_ml_adapter = "MinMaxScaler"
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

    def _affine(self) -> dict[str, Any]:
        return {
            "shift": self.min_,
            "scale": self.scale_,
            "subtracts_first": False,
            "limits": self.feature_range if self.clip else None,
        }
