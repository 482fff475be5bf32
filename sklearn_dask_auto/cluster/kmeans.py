"""k-means: scikit-learn's estimator, for input of any size."""

from collections.abc import Iterable
from dataclasses import replace
from numbers import Integral, Real
from typing import Any

from sklearn.cluster import KMeans

from sklearn_dask_auto._sklearn import (
    Interval,
    StrOptions,
    fit_context,
    parameter_constraints,
)
from sklearn_dask_auto.cluster.centers import CenterClustering
from sklearn_dask_auto.kernels.sizes import sample_rows
from sklearn_dask_auto.routing import Job, Profile

__all__ = ["AutoScaleKMeans"]

WHOLE_PASSES = 44.0
"""Until centers stay, by `benchmarks/rates.py`: the median of some kinds of rows."""
SAMPLED_PASSES = 10.0


class AutoScaleKMeans(CenterClustering, KMeans):
    """K-Means clustering for input of any size.

    On in-memory input this is :class:`sklearn.cluster.KMeans`. A dask array or
    DataFrame is clustered block by block, by the same algorithm: seeds from a sample,
    then exact Lloyd iterations, each one pass over the rows.

    Parameters
    ----------
    n_clusters : int, default=8
        The number of clusters, and of centers.
    init : {'k-means++', 'random', 'k-means||'}, callable or array-like of shape \
            (n_clusters, n_features), default='k-means++'
        As in scikit-learn. On dask input ``'k-means++'``, ``'random'`` and callables
        see a sample of the rows. ``'k-means||'`` is the method of [1]_, which passes
        over all rows `init_max_iter` times.
    n_init : 'auto' or int, default='auto'
        Runs from different seeds, of which the best is kept. On dask input all runs
        share each pass over the rows.
    max_iter : int, default=300
        Most iterations of one run.
    tol : float, default=1e-4
        Relative tolerance, scaled by the mean variance of the columns.
    verbose : int, default=0
        Print the inertia after each iteration (on dask input one more pass each).
    random_state : int, RandomState instance or None, default=None
        Seed. On dask input the answer depends on it and on the rows, not on how they
        are cut or on how many workers there are.
    copy_x : bool, default=True
        As in scikit-learn; dask input is never changed.
    algorithm : {'lloyd', 'elkan'}, default='lloyd'
        As in scikit-learn. Both give the same clustering; blocks are always worked on
        by Lloyd's.
    oversampling_factor : float, default=2
        For ``init='k-means||'``: rows taken as candidates in each pass, on average.
    init_max_iter : int, default=None
        For ``init='k-means||'``: passes that draw candidates; None for the logarithm
        of the cost of one random center.
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who does the work; see :meth:`explain`.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        Centers, concrete.
    labels_ : ndarray of shape (n_samples,), int32
        Label of each row, concrete; a lazy dask array, left out of pickles, if it
        would not fit into the memory budget.
    inertia_ : float
        Weighted sum of squared distances to the closest center.
    n_iter_ : int
        Iterations run on all rows.
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
    sklearn.cluster.KMeans : The class mirrored.
    dask_ml.cluster.KMeans : What ``engine='dask-ml'`` runs.

    Notes
    -----
    Passes over dask input: one for variances, non-finite values and the sample; for
    'k-means||' two a round and one more; one for each of `n_iter_` iterations, and one
    where it left a cluster empty; with several runs, one to compare them; one for the
    labels. Runs that are not over share their passes, but `verbose` takes one for each
    inertia that it prints. Input that is lazy is computed once and kept while the fit
    lasts if it fits into memory, on the cluster if there is one. Up to 100,000 rows the
    sample is the whole input, and seeds are scikit-learn's own for the same
    `random_state`; beyond, Lloyd's algorithm refines them on the sample first. On dask
    input `n_iter_` does not count iterations on the sample.

    References
    ----------
    .. [1] Bahmani, Moseley, Vattani, Kumar, Vassilvitskii (2012), "Scalable K-Means++",
       Proceedings of the VLDB Endowment 5(7).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import AutoScaleKMeans
    >>> X = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
    >>> kmeans = AutoScaleKMeans(n_clusters=2, random_state=0).fit(X)
    >>> kmeans.labels_
    array([1, 1, 1, 0, 0, 0], dtype=int32)
    >>> kmeans.plan_.engine
    'sklearn'

    The same on a dask array; what it predicts is lazy:

    >>> import dask.array as da
    >>> blocks = da.from_array(X, chunks=(2, 2))
    >>> kmeans = AutoScaleKMeans(n_clusters=2, random_state=0).fit(blocks)
    >>> kmeans.labels_
    array([1, 1, 1, 0, 0, 0], dtype=int32)
    >>> kmeans.predict(blocks)
    dask.array<predict, shape=(6,), dtype=int32, chunksize=(2,), ...>
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **parameter_constraints(KMeans),
        "init": [
            StrOptions({"k-means++", "random", "k-means||"}),
            callable,
            "array-like",
        ],
        "oversampling_factor": [Interval(Real, 0, None, closed="neither")],
        "init_max_iter": [Interval(Integral, 1, None, closed="left"), None],
    }
    _kernel = "kmeans"
    _dask_ml_adapter = "KMeans"

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means++",
        n_init: Any = "auto",
        max_iter: int = 300,
        tol: float = 1e-4,
        verbose: int = 0,
        random_state: Any = None,
        copy_x: bool = True,
        algorithm: str = "lloyd",
        oversampling_factor: float = 2,
        init_max_iter: int | None = None,
        engine: str = "auto",
    ) -> None:
        super().__init__(
            n_clusters=n_clusters,
            init=init,
            n_init=n_init,
            max_iter=max_iter,
            tol=tol,
            verbose=verbose,
            random_state=random_state,
            copy_x=copy_x,
            algorithm=algorithm,
        )
        self.oversampling_factor = oversampling_factor
        self.init_max_iter = init_max_iter
        self.engine = engine

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Compute k-means clustering.

        Parameters
        ----------
        X : {array-like, sparse matrix, dask array, dask DataFrame} of shape \
                (n_samples, n_features)
            Rows to cluster. Dask input may have unknown row counts, empty blocks,
            sparse (CSR) blocks and several blocks across its columns.
        y : Ignored
            Not used, present here for API consistency by convention.
        sample_weight : {array-like, dask array} of shape (n_samples,), default=None
            Weights of the rows; all equal if None.

        Returns
        -------
        self : AutoScaleKMeans
            Fitted.
        """
        return self._fit_with_labels(X, sample_weight)

    def _job(self, profile: Profile, params: dict[str, Any]) -> Job:
        exact_rows = sample_rows(self.n_clusters)
        # Of more rows most passes are over a sample.
        is_whole = profile.n_rows is not None and profile.n_rows <= exact_rows
        passes = WHOLE_PASSES if is_whole else SAMPLED_PASSES
        return replace(
            super()._job(profile, params),
            passes=passes if self.n_init == "auto" else passes * self.n_init,
            operations=2.0 * self.n_clusters + 8.0,
            exact_rows=exact_rows,
        )

    def _refusals(
        self, profile: Profile, params: dict[str, Any]
    ) -> Iterable[tuple[str, str]]:
        if isinstance(self.init, str) and self.init == "k-means||":
            yield "sklearn", "scikit-learn has no init='k-means||'"
        if params.get("sample_weight") is not None:
            yield "dask-ml", "dask-ml's KMeans takes no sample_weight"

    def _plain(self) -> Any:
        plain = super()._plain()
        if isinstance(plain.init, str) and plain.init == "k-means||":
            # What k-means|| approximates; scikit-learn does not know the name.
            plain.init = "k-means++"
        return plain
