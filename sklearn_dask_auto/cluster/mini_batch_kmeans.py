"""Mini-batch k-means: scikit-learn's estimator, for input of any size."""

from dataclasses import replace
from typing import Any

from sklearn.cluster import MiniBatchKMeans

from sklearn_dask_auto._sklearn import fit_context, parameter_constraints
from sklearn_dask_auto.cluster.centers import CenterClustering
from sklearn_dask_auto.routing import Job, Profile

__all__ = ["AutoScaleMiniBatchKMeans"]


class AutoScaleMiniBatchKMeans(CenterClustering, MiniBatchKMeans):
    """Mini-batch K-Means clustering for input of any size.

    On in-memory input this is :class:`sklearn.cluster.MiniBatchKMeans`. Of a dask
    array or DataFrame, batches are drawn from all rows, fetched many at a time, and
    worked on here. :class:`AutoScaleKMeans` passes over all rows instead, which finds
    better clusters and on row blocks need not take longer.

    Parameters
    ----------
    n_clusters : int, default=8
        The number of clusters, and of centers.
    init : {'k-means++', 'random'}, callable or array-like of shape \
            (n_clusters, n_features), default='k-means++'
        As in scikit-learn; all but given centers see `init_size` rows.
    max_iter : int, default=100
        Most batches, in multiples of the number of rows.
    batch_size : int, default=1024
        Rows of a batch.
    verbose : int, default=0
        Print the inertia of each batch.
    compute_labels : bool, default=True
        Find the labels, and the inertia, of all rows at the end: one pass.
    random_state : int, RandomState instance or None, default=None
        Seed. On dask input the answer depends on it and on the rows, not on how they
        are cut or on how many workers there are.
    tol : float, default=0.0
        Relative tolerance of the centers' shift, scaled by the mean variance of the
        columns; 0 to leave the stop to `max_no_improvement`.
    max_no_improvement : int, default=10
        Batches without a better smoothed inertia after which to stop; None for never.
    init_size : int, default=None
        Rows that centers are seeded from; three batches if None.
    n_init : 'auto' or int, default='auto'
        Seedings, of which the best on a sample is taken: one pass each on dask input.
    reassignment_ratio : float, default=0.01
        Centers with less than this share of the largest count are moved to some row.
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who does the work; see :meth:`explain`.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        Centers, concrete.
    labels_ : ndarray of shape (n_samples,), int32
        Label of each row, concrete; a lazy dask array, left out of pickles, if it
        would not fit into the memory budget. Not there without `compute_labels`.
    inertia_ : float
        Weighted sum of squared distances to the closest center; without
        `compute_labels` an estimate from the batches.
    n_iter_ : int
        Multiples of the number of rows that were worked on, rounded up.
    n_steps_ : int
        Batches worked on.
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
    AutoScaleKMeans : Lloyd's algorithm on all rows.
    sklearn.cluster.MiniBatchKMeans : The class mirrored.
    dask_ml.cluster.KMeans : There is no mini-batch k-means in dask-ml.

    Notes
    -----
    Passes over dask input: one for finite values, variances and the rows that centers
    are seeded from; one for each further seeding; one for each window of batches, of
    32 MB and then twice as much each time, up to a sixteenth of the memory budget; one
    for the labels. On many rows the rule by which scikit-learn stops asks for batches
    of half of them or more. Once a window is as large as it may be, and has 100,000
    rows or 100 a cluster, it is kept, and further batches are drawn from it: it is a
    random sample of all rows, by weight and in whatever order they are, and the
    clusters are as good. :class:`AutoScaleKMeans` takes about as many passes.
    Weights are passed over alone before the first and before each fetching of batches.
    For the same `random_state` the seeds and the batches are scikit-learn's, up to
    rounding, until the last window is kept, or a center with too few rows is
    reassigned: that draw has a stream of its own, so that it leaves batches as they are
    that were fetched before.
    `partial_fit` goes on from a fit on dask input, with rows in memory.

    References
    ----------
    .. [1] Sculley (2010), "Web-scale k-means clustering", Proceedings of the 19th
       International Conference on World Wide Web.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import AutoScaleMiniBatchKMeans
    >>> X = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
    >>> kmeans = AutoScaleMiniBatchKMeans(n_clusters=2, random_state=0).fit(X)
    >>> kmeans.labels_
    array([1, 1, 1, 0, 0, 0], dtype=int32)

    The same on a dask array; what it predicts is lazy:

    >>> import dask.array as da
    >>> blocks = da.from_array(X, chunks=(2, 2))
    >>> kmeans = AutoScaleMiniBatchKMeans(
    ...     n_clusters=2, random_state=0, engine="blockwise"
    ... )
    >>> kmeans.fit(blocks).labels_
    array([1, 1, 1, 0, 0, 0], dtype=int32)
    >>> kmeans.predict(blocks)
    dask.array<predict, shape=(6,), dtype=int32, chunksize=(2,), ...>
    """

    _parameter_constraints = parameter_constraints(MiniBatchKMeans)
    _kernel = "mini_batch_kmeans"

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means++",
        max_iter: int = 100,
        batch_size: int = 1024,
        verbose: int = 0,
        compute_labels: bool = True,
        random_state: Any = None,
        tol: float = 0.0,
        max_no_improvement: int | None = 10,
        init_size: int | None = None,
        n_init: Any = "auto",
        reassignment_ratio: float = 0.01,
        engine: str = "auto",
    ) -> None:
        super().__init__(
            n_clusters=n_clusters,
            init=init,
            max_iter=max_iter,
            batch_size=batch_size,
            verbose=verbose,
            compute_labels=compute_labels,
            random_state=random_state,
            tol=tol,
            max_no_improvement=max_no_improvement,
            init_size=init_size,
            n_init=n_init,
            reassignment_ratio=reassignment_ratio,
        )
        self.engine = engine

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Compute centers from mini-batches.

        Parameters
        ----------
        X : {array-like, sparse matrix, dask array, dask DataFrame} of shape \
                (n_samples, n_features)
            Rows to cluster. Dask input may have unknown row counts, empty blocks,
            sparse (CSR) blocks and several blocks across its columns.
        y : Ignored
            Not used, present here for API consistency by convention.
        sample_weight : {array-like, dask array} of shape (n_samples,), default=None
            Weights of the rows, by which batches are drawn; all equal if None.

        Returns
        -------
        self : AutoScaleMiniBatchKMeans
            Fitted.
        """
        return self._fit_with_labels(X, sample_weight, wanted=self.compute_labels)

    def _job(self, profile: Profile, params: dict[str, Any]) -> Job:
        n_init = 1 if self.n_init == "auto" else self.n_init
        return replace(
            super()._job(profile, params),
            passes=2.0 + n_init,
            operations=2.0 * self.n_clusters + 8.0,
        )
