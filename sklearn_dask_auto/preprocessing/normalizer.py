"""Normalizer for input of any size."""

from typing import Any

from sklearn.preprocessing import Normalizer

from sklearn_dask_auto._sklearn import fit_context, parameter_constraints
from sklearn_dask_auto.preprocessing.scaling import CopyAtTransform

__all__ = ["AutoScaleNormalizer"]


class AutoScaleNormalizer(CopyAtTransform, Normalizer):
    """Scaling of each row to unit norm, for input of any size.

    On in-memory input this is :class:`sklearn.preprocessing.Normalizer`. Of a dask
    array or DataFrame, `fit` reads the metadata, and `transform` is lazy.

    Parameters
    ----------
    norm : {'l1', 'l2', 'max'}, default='l2'
        The norm that becomes 1, of rows that have one.
    copy : bool, default=True
        As in scikit-learn, for in-memory input; blocks are never overwritten.
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who does the work; see :meth:`explain`.

    Attributes
    ----------
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
    sklearn.preprocessing.Normalizer : The class mirrored; dask-ml has none such.

    Notes
    -----
    Passes over dask input: none. NaN and infinity in dask input are scikit-learn's
    error when what is transformed is computed, not at `fit`. Like scikit-learn's, the
    class is stateless and may transform without a fit.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import AutoScaleNormalizer
    >>> X = np.array([[4.0, 1.0, 2.0, 2.0], [1.0, 3.0, 9.0, 3.0]])
    >>> AutoScaleNormalizer().fit_transform(X)
    array([[0.8, 0.2, 0.4, 0.4],
           [0.1, 0.3, 0.9, 0.3]])

    The same on a dask array; what is transformed is lazy:

    >>> import dask.array as da
    >>> blocks = da.from_array(X, chunks=(1, 4))
    >>> AutoScaleNormalizer().fit_transform(blocks)
    dask.array<transform, shape=(2, 4), dtype=float64, chunksize=(1, 4), ...>
    """

    _parameter_constraints = parameter_constraints(Normalizer)
    _kernel = "stateless"
    _passes = 0.0
    _numbers_only = True

    def __init__(
        self, norm: str = "l2", *, copy: bool = True, engine: str = "auto"
    ) -> None:
        super().__init__(norm=norm, copy=copy)
        self.engine = engine

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Any:
        """Check the parameters and the columns; there is nothing to learn.

        Parameters
        ----------
        X : {array-like, sparse matrix, dask array, dask DataFrame} of shape \
                (n_samples, n_features)
            Of dask input nothing is computed.
        y : Ignored
            Not used, present here for API consistency by convention.

        Returns
        -------
        self : AutoScaleNormalizer
            Fitted.
        """
        return self._fit_as_planned(X, None, {})
