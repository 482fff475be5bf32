"""RobustScaler for input of any size."""

from typing import Any

from sklearn.preprocessing import RobustScaler

from sklearn_dask_auto._sklearn import fit_context, parameter_constraints
from sklearn_dask_auto.preprocessing.scaling import ScalerMixin

__all__ = ["AutoScaleRobustScaler"]


class AutoScaleRobustScaler(ScalerMixin, RobustScaler):
    """Scaling by median and quantile range, for input of any size.

    On in-memory input this is :class:`sklearn.preprocessing.RobustScaler`. The median
    and the quantiles of a dask array or DataFrame are exact, and the same however it is
    cut; what is transformed is lazy.

    Parameters
    ----------
    with_centering : bool, default=True
        Subtract the median. Sparse input cannot be centered.
    with_scaling : bool, default=True
        Divide by the quantile range.
    quantile_range : tuple (q_min, q_max), default=(25.0, 75.0)
        In percent.
    copy : bool, default=True
        As in scikit-learn, for in-memory input; blocks are never overwritten.
    unit_variance : bool, default=False
        Scale so that a normally distributed column has a variance of 1.
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who does the work; see :meth:`explain`.

    Attributes
    ----------
    center_ : ndarray of shape (n_features,), or None
        Median of each column, concrete. None if `with_centering` is False.
    scale_ : ndarray of shape (n_features,), float64, or None
        What each column is divided by; 1 where the quantiles are equal. None if
        `with_scaling` is False.
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
    sklearn.preprocessing.RobustScaler : The class mirrored.
    dask_ml.preprocessing.RobustScaler : Its counterpart, whose quantiles are
        approximate.

    Notes
    -----
    Passes over dask input: one up to a thousand rows at least (20,000 of up to 100
    columns), then two, and three from about 2,000,000 rows of 20 columns on. A task
    holds up to 4,000,000 values beside its block. NaN is a value that is missing, as in
    scikit-learn. Sparse blocks are made dense a part at a time.

    The selection is described in :mod:`sklearn_dask_auto.kernels.quantiles`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import AutoScaleRobustScaler
    >>> X = np.array([[1.0, -2.0], [-2.0, 1.0], [4.0, 1.0], [0.0, 900.0]])
    >>> scaler = AutoScaleRobustScaler().fit(X)
    >>> scaler.center_, scaler.scale_
    (array([0.5, 1. ]), array([  2.25, 225.5 ]))

    The same on a dask array; what is transformed is lazy:

    >>> import dask.array as da
    >>> blocks = da.from_array(X, chunks=(2, 2))
    >>> scaler = AutoScaleRobustScaler().fit(blocks)
    >>> scaler.center_, scaler.scale_
    (array([0.5, 1. ]), array([  2.25, 225.5 ]))
    >>> scaler.transform(blocks)
    dask.array<transform, shape=(4, 2), dtype=float64, chunksize=(2, 2), ...>
    """

    _parameter_constraints = parameter_constraints(RobustScaler)
    _kernel = "robust_scaler"
    _passes = 3.0

    def __init__(
        self,
        *,
        with_centering: bool = True,
        with_scaling: bool = True,
        quantile_range: tuple[float, float] = (25.0, 75.0),
        copy: bool = True,
        unit_variance: bool = False,
        engine: str = "auto",
    ) -> None:
        super().__init__(
            with_centering=with_centering,
            with_scaling=with_scaling,
            quantile_range=quantile_range,
            copy=copy,
            unit_variance=unit_variance,
        )
        self.engine = engine

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Any:
        """Find the median and the quantiles of each column.

        Parameters
        ----------
        X : {array-like, sparse matrix, dask array, dask DataFrame} of shape \
                (n_samples, n_features)
            Rows to learn from. Dask input may have unknown row counts, empty blocks,
            sparse blocks and several blocks across its columns.
        y : Ignored
            Not used, present here for API consistency by convention.

        Returns
        -------
        self : AutoScaleRobustScaler
            Fitted.
        """
        return self._fit_as_planned(X, None, {})

    def _affine(self) -> dict[str, Any]:
        return {
            "shift": self.center_ if self.with_centering else None,
            "scale": self.scale_ if self.with_scaling else None,
            "subtracts_first": True,
        }
