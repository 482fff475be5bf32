"""PolynomialFeatures for input of any size."""

from typing import Any

from sklearn.preprocessing import PolynomialFeatures

from sklearn_dask_auto._base import AutoScaleMixin
from sklearn_dask_auto._sklearn import fit_context, parameter_constraints

__all__ = ["AutoScalePolynomialFeatures"]


class AutoScalePolynomialFeatures(AutoScaleMixin, PolynomialFeatures):
    """Products and powers of the columns, for input of any size.

    On in-memory input this is :class:`sklearn.preprocessing.PolynomialFeatures`. Of a
    dask array or DataFrame, `fit` reads the metadata, and `transform` is lazy, and
    sparse where the blocks are.

    Parameters
    ----------
    degree : int or tuple (min_degree, max_degree), default=2
        Largest, or smallest and largest, degree of the products.
    interaction_only : bool, default=False
        Products of distinct columns only.
    include_bias : bool, default=True
        Put a column of ones in front.
    order : {'C', 'F'}, default='C'
        Layout of what is transformed; of each block, for dask input.
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who does the work; see :meth:`explain`.

    Attributes
    ----------
    powers_ : ndarray of shape (`n_output_features_`, `n_features_in_`)
        Exponent of each input in each output.
    n_output_features_ : int
        Columns of what is transformed.
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
    sklearn.preprocessing.PolynomialFeatures : The class mirrored.
    dask_ml.preprocessing.PolynomialFeatures : Its counterpart.

    Notes
    -----
    Passes over dask input: none. NaN and infinity in dask input are scikit-learn's
    error when what is transformed is computed, not at `fit`. A block that is
    transformed has `n_output_features_` columns: choose blocks of few rows where these
    are many.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import AutoScalePolynomialFeatures
    >>> X = np.arange(6.0).reshape(3, 2)
    >>> products = AutoScalePolynomialFeatures().fit(X)
    >>> products.transform(X)
    array([[ 1.,  0.,  1.,  0.,  0.,  1.],
           [ 1.,  2.,  3.,  4.,  6.,  9.],
           [ 1.,  4.,  5., 16., 20., 25.]])

    The same on a dask array; what is transformed is lazy:

    >>> import dask.array as da
    >>> blocks = da.from_array(X, chunks=(2, 2))
    >>> products = AutoScalePolynomialFeatures().fit(blocks)
    >>> products.get_feature_names_out()
    array(['1', 'x0', 'x1', 'x0^2', 'x0 x1', 'x1^2'], dtype=object)
    >>> products.transform(blocks)
    dask.array<transform, shape=(3, 6), dtype=float64, chunksize=(2, 6), ...>
    """

    _parameter_constraints = parameter_constraints(PolynomialFeatures)
    _kernel = "stateless"
    _passes = 0.0

    def __init__(
        self,
        degree: int | tuple[int, int] = 2,
        *,
        interaction_only: bool = False,
        include_bias: bool = True,
        order: str = "C",
        engine: str = "auto",
    ) -> None:
        super().__init__(
            degree=degree,
            interaction_only=interaction_only,
            include_bias=include_bias,
            order=order,
        )
        self.engine = engine

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Any:
        """Count the columns of what will be transformed.

        Parameters
        ----------
        X : {array-like, sparse matrix, dask array, dask DataFrame} of shape \
                (n_samples, n_features)
            Of dask input nothing is computed.
        y : Ignored
            Not used, present here for API consistency by convention.

        Returns
        -------
        self : AutoScalePolynomialFeatures
            Fitted.
        """
        return self._fit_as_planned(X, None, {})
