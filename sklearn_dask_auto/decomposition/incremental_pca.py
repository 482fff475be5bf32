"""Incremental PCA: scikit-learn's estimator, for input of any size."""

from dataclasses import replace
from typing import Any

from sklearn.decomposition import IncrementalPCA

from sklearn_dask_auto._base import AutoScaleMixin
from sklearn_dask_auto._sklearn import fit_context, parameter_constraints
from sklearn_dask_auto.routing import Job, Profile

__all__ = ["AutoScaleIncrementalPCA"]


class AutoScaleIncrementalPCA(AutoScaleMixin, IncrementalPCA):
    """Incremental principal component analysis, for input of any size.

    On in-memory input this is :class:`sklearn.decomposition.IncrementalPCA`. A dask
    array or DataFrame is taken in the very batches that scikit-learn would take of the
    gathered rows, one block after another. :class:`AutoScalePCA` is exact, and faster
    on row blocks, which it works on side by side; this class is for the numbers of
    scikit-learn's incremental algorithm, and to go on with `partial_fit`.

    Parameters
    ----------
    n_components : int, default=None
        Components kept; if None, as many as the first batch has rows or columns.
    whiten : bool, default=False
        Scale what `transform` returns to unit variance.
    copy : bool, default=True
        As in scikit-learn; dask input is never changed.
    batch_size : int, default=None
        Rows of a batch, which are held in memory together; if None, five times the
        number of columns.
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who does the work; see :meth:`explain`.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Principal axes, of most variance first.
    explained_variance_ : ndarray of shape (n_components,)
        Variance along each axis.
    explained_variance_ratio_ : ndarray of shape (n_components,)
        Share of each in the variance of all columns.
    singular_values_ : ndarray of shape (n_components,)
        Of the centred rows.
    mean_ : ndarray of shape (n_features,)
        Mean of each column.
    var_ : ndarray of shape (n_features,)
        Variance of each column.
    noise_variance_ : float
        Mean variance along the axes that are not kept.
    n_components_ : int
        Number of components kept.
    n_samples_seen_ : int
        Rows seen during `fit` and `partial_fit`.
    batch_size_ : int
        Rows of a batch.
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
    ValueError
        If a batch takes more than the memory budget, and for what else scikit-learn
        refuses.

    See Also
    --------
    AutoScalePCA : Exact, in one pass over blocks side by side.
    sklearn.decomposition.IncrementalPCA : The class mirrored.
    dask_ml.decomposition.IncrementalPCA : Cuts its batches at the borders of blocks.

    Notes
    -----
    Passes over dask input: one, in the order of the rows [1]_. It is not parallel, as
    each batch needs the model after the one before; blocks are loaded as it comes to
    them, up to 64 MB at a time. `partial_fit` takes all its rows as one batch, which
    has to be in memory, and so refuses dask input.

    References
    ----------
    .. [1] Ross, Lim, Lin and Yang (2008), "Incremental Learning for Robust Visual
       Tracking", International Journal of Computer Vision 77.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import AutoScaleIncrementalPCA
    >>> X = np.array([[-1, -1], [-2, -1], [-3, -2], [1, 1], [2, 1], [3, 2]])
    >>> ipca = AutoScaleIncrementalPCA(n_components=1, batch_size=3).fit(X)
    >>> ipca.explained_variance_ratio_.round(4)
    array([0.9924])

    The same on a dask array; what it transforms is lazy:

    >>> import dask.array as da
    >>> blocks = da.from_array(X, chunks=(2, 2))
    >>> ipca = AutoScaleIncrementalPCA(n_components=1, batch_size=3, engine="blockwise")
    >>> ipca.fit(blocks).explained_variance_ratio_.round(4)
    array([0.9924])
    >>> ipca.transform(blocks)
    dask.array<transform, shape=(6, 1), dtype=float64, chunksize=(2, 1), ...>
    """

    _parameter_constraints = parameter_constraints(IncrementalPCA)
    _kernel = "incremental_pca"

    def __init__(
        self,
        n_components: int | None = None,
        *,
        whiten: bool = False,
        copy: bool = True,
        batch_size: int | None = None,
        engine: str = "auto",
    ) -> None:
        super().__init__(
            n_components=n_components, whiten=whiten, copy=copy, batch_size=batch_size
        )
        self.engine = engine

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Any:
        """Find the principal components, batch after batch.

        Parameters
        ----------
        X : {array-like, sparse matrix, dask array, dask DataFrame} of shape \
                (n_samples, n_features)
            Rows. Dask input may have unknown row counts, empty blocks, sparse (CSR)
            blocks and several blocks across its columns.
        y : Ignored
            Not used, present here for API consistency by convention.

        Returns
        -------
        self : AutoScaleIncrementalPCA
            Fitted.
        """
        return self._fit_as_planned(X, None, {})

    def _job(self, profile: Profile, params: dict[str, Any]) -> Job:
        n_columns = profile.n_columns or 1
        batch_size = self.batch_size or 5 * n_columns
        # A decomposition of each batch, and what calling for it costs.
        operations = 8.0 * n_columns + CALL_OPERATIONS / (batch_size * n_columns)
        return replace(super()._job(profile, params), operations=operations)


CALL_OPERATIONS = 4e6
"""What could be computed in the time that one `partial_fit` takes beside its work."""
