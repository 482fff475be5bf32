"""QuantileTransformer for input of any size."""

from dataclasses import replace
from typing import Any

from sklearn.preprocessing import QuantileTransformer

from sklearn_dask_auto._base import AutoScaleMixin
from sklearn_dask_auto._sklearn import fit_context, parameter_constraints
from sklearn_dask_auto.routing import Job, Profile

__all__ = ["AutoScaleQuantileTransformer"]


class AutoScaleQuantileTransformer(AutoScaleMixin, QuantileTransformer):
    """Mapping of each column to a uniform or normal one, for input of any size.

    On in-memory input this is :class:`sklearn.preprocessing.QuantileTransformer`. Of a
    dask array or DataFrame the very rows are sampled that scikit-learn would sample,
    and without a sample the quantiles of all rows are exact, however it is cut; what is
    transformed is lazy.

    Parameters
    ----------
    n_quantiles : int, default=1000
        Quantiles to learn; the number of rows if that is less.
    output_distribution : {'uniform', 'normal'}, default='uniform'
        Of each column, once transformed.
    ignore_implicit_zeros : bool, default=False
        Learn from the values alone that sparse input stores.
    subsample : int or None, default=10_000
        Rows to learn from, drawn at random; None for all.
    random_state : int, RandomState instance or None, default=None
        Seed of the sample.
    copy : bool, default=True
        As in scikit-learn, for in-memory input; blocks are never overwritten.
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who does the work; see :meth:`explain`.

    Attributes
    ----------
    n_quantiles_ : int
        Quantiles that were learned.
    quantiles_ : ndarray of shape (`n_quantiles_`, n_features)
        The quantiles of each column, concrete.
    references_ : ndarray of shape (`n_quantiles_`,)
        Which quantiles these are, from 0 to 1.
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
    sklearn.preprocessing.QuantileTransformer : The class mirrored.
    dask_ml.preprocessing.QuantileTransformer : Its counterpart, whose quantiles are
        approximate.

    Notes
    -----
    Passes over dask input: one with `subsample`, two of sparse blocks. Drawing the
    sample as scikit-learn does takes eight bytes for each row; where that is over the
    memory budget, no sample is drawn and all rows are used. With `subsample=None`, one
    to three passes (and one more of sparse blocks), which hold up to 4,000,000 values
    beside each block; see :mod:`sklearn_dask_auto.kernels.quantiles`. Sparse blocks are
    made dense a part at a time then, and as a whole if `ignore_implicit_zeros`.

    NaN is a value that is missing, as in scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import AutoScaleQuantileTransformer
    >>> X = np.array([[1.0], [2.0], [4.0], [8.0], [16.0]])
    >>> mapping = AutoScaleQuantileTransformer(n_quantiles=3).fit(X)
    >>> mapping.quantiles_.ravel()
    array([ 1.,  4., 16.])
    >>> mapping.transform([[4.0], [10.0]])
    array([[0.5 ],
           [0.75]])

    The same on a dask array; what is transformed is lazy:

    >>> import dask.array as da
    >>> blocks = da.from_array(X, chunks=(2, 1))
    >>> mapping = AutoScaleQuantileTransformer(n_quantiles=3).fit(blocks)
    >>> mapping.quantiles_.ravel()
    array([ 1.,  4., 16.])
    >>> mapping.transform(blocks)
    dask.array<transform, shape=(5, 1), dtype=float64, chunksize=(2, 1), ...>
    """

    _parameter_constraints = parameter_constraints(QuantileTransformer)
    _kernel = "quantile_transformer"
    _operations = 2.0

    def __init__(
        self,
        *,
        n_quantiles: int = 1000,
        output_distribution: str = "uniform",
        ignore_implicit_zeros: bool = False,
        subsample: int | None = 10_000,
        random_state: Any = None,
        copy: bool = True,
        engine: str = "auto",
    ) -> None:
        super().__init__(
            n_quantiles=n_quantiles,
            output_distribution=output_distribution,
            ignore_implicit_zeros=ignore_implicit_zeros,
            subsample=subsample,
            random_state=random_state,
            copy=copy,
        )
        self.engine = engine

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Any:
        """Learn the quantiles of each column.

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
        self : AutoScaleQuantileTransformer
            Fitted.
        """
        return self._fit_as_planned(X, None, {})

    def _job(self, profile: Profile, params: dict[str, Any]) -> Job:
        job = super()._job(profile, params)
        return job if self.subsample is not None else replace(job, passes=3.0)
