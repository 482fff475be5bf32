"""Principal components: scikit-learn's estimator, for input of any size."""

import time
from collections.abc import Iterable
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.decomposition import PCA

from sklearn_dask_auto._base import AutoScaleMixin
from sklearn_dask_auto._sklearn import fit_context, parameter_constraints
from sklearn_dask_auto.inputs import is_dask
from sklearn_dask_auto.kernels.sizes import (
    LANCZOS_PASSES,
    MOST_LEADING,
    MOST_SQUARE_COLUMNS,
    pca_solver,
    power_iterations,
)
from sklearn_dask_auto.routing import Job, Profile

__all__ = ["AutoScalePCA"]


class AutoScalePCA(AutoScaleMixin, PCA):
    """Principal component analysis for input of any size.

    On in-memory input this is :class:`sklearn.decomposition.PCA`. A dask array or
    DataFrame is decomposed exactly in one pass over its row blocks, or, where it has
    many columns, as by scikit-learn's randomized solver in a few passes.

    Parameters
    ----------
    n_components : int, float or 'mle', default=None
        As in scikit-learn: how many components are kept, what share of the variance
        they must explain, or Minka's choice; all if None.
    copy : bool, default=True
        As in scikit-learn; dask input is never changed.
    whiten : bool, default=False
        Scale what `transform` returns to unit variance.
    svd_solver : {'auto', 'full', 'covariance_eigh', 'arpack', 'randomized'}, \
            default='auto'
        As in scikit-learn. Row blocks are decomposed by ``'covariance_eigh'``, from
        cross products, by ``'full'``, from a triangular factor, by ``'randomized'``,
        or by ``'arpack'``, which is the first up to 5,000 columns and beyond finds the
        same components by block Lanczos. ``'auto'`` takes the first for at least ten
        times as many rows as columns and at most 1,000 columns; ``'randomized'`` where
        scikit-learn does, for more than 1,000 columns, a hundred of them or more for
        each component, or more than 5,000; the first elsewhere for a few components of
        more rows than columns; and else the second.
    tol : float, default=0.0
        For ``svd_solver='arpack'`` in memory; row blocks are decomposed exactly.
    iterated_power : int or 'auto', default='auto'
        For ``svd_solver='randomized'``.
    n_oversamples : int, default=10
        For ``svd_solver='randomized'``.
    power_iteration_normalizer : {'auto', 'QR', 'LU', 'none'}, default='auto'
        For ``svd_solver='randomized'``.
    random_state : int, RandomState instance or None, default=None
        For ``svd_solver='arpack'`` and ``'randomized'``.
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who does the work; see :meth:`explain`.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Principal axes, of most variance first, in the dtype of `X`.
    explained_variance_ : ndarray of shape (n_components,)
        Variance along each axis.
    explained_variance_ratio_ : ndarray of shape (n_components,)
        Share of each in the variance of all columns.
    singular_values_ : ndarray of shape (n_components,)
        Of the centred rows.
    mean_ : ndarray of shape (n_features,)
        Mean of each column.
    n_components_ : int
        Number of components kept.
    n_samples_ : int
        Rows seen during `fit`.
    noise_variance_ : float
        Mean variance along the axes that are not kept.
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
    sklearn.decomposition.PCA : The class mirrored.
    dask_ml.decomposition.PCA : What ``engine='dask-ml'`` runs, by its tsqr.

    Notes
    -----
    Passes over dask input: one. Means and centred cross products are found tile by
    tile and merged [1]_, in float64 whatever the dtype; the triangular factor likewise
    [2]_. Both hold matrices of columns by columns, up to 5,000 columns.

    ``'randomized'`` takes ``iterated_power + 2`` passes, and one more for fewer rows
    than columns: for means and variances, for each power iteration, and to project
    [3]_. They hold matrices of columns by ``n_components + n_oversamples``. The draw
    and the subspace are scikit-learn's for the same `random_state`, and so are the
    components, up to rounding; after each pass the directions are made orthonormal,
    whatever `power_iteration_normalizer` says.

    ``'arpack'`` on more than 5,000 columns takes one pass for means and variances, and
    one for each block of vectors [4]_: about 12, the fewer the more the components
    stand out. It finds up to 500 of them to the last digits, and holds 18 vectors of
    all columns for each, and for ten more.

    Sparse row blocks stay sparse. For them ``'auto'`` is ``'arpack'`` in scikit-learn,
    which finds the same components one by one; all but the last are kept, as there, if
    `n_components` is None.

    References
    ----------
    .. [1] Chan, Golub and LeVeque (1979), "Updating formulae and a pairwise algorithm
       for computing sample variances", Stanford STAN-CS-79-773.
    .. [2] Demmel, Grigori, Hoemmen and Langou (2012), "Communication-optimal parallel
       and sequential QR and LU factorizations", SIAM J. Sci. Comput. 34(1).
    .. [3] Halko, Martinsson and Tropp (2011), "Finding structure with randomness",
       SIAM Review 53(2).
    .. [4] Golub and Underwood (1977), "The block Lanczos method for computing
       eigenvalues", Mathematical Software III.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import AutoScalePCA
    >>> X = np.array([[-1, -1], [-2, -1], [-3, -2], [1, 1], [2, 1], [3, 2]])
    >>> pca = AutoScalePCA(n_components=2).fit(X)
    >>> pca.explained_variance_ratio_.round(4)
    array([0.9924, 0.0076])
    >>> pca.plan_.engine
    'sklearn'

    The same on a dask array; what it transforms is lazy:

    >>> import dask.array as da
    >>> blocks = da.from_array(X, chunks=(2, 2))
    >>> pca = AutoScalePCA(n_components=1, engine="blockwise").fit(blocks)
    >>> pca.singular_values_.round(4)
    array([6.3006])
    >>> pca.transform(blocks)
    dask.array<transform, shape=(6, 1), dtype=float64, chunksize=(2, 1), ...>
    """

    _parameter_constraints = parameter_constraints(PCA)
    _kernel = "pca"
    _dask_ml_adapter = "PCA"

    def __init__(
        self,
        n_components: Any = None,
        *,
        copy: bool = True,
        whiten: bool = False,
        svd_solver: str = "auto",
        tol: float = 0.0,
        iterated_power: Any = "auto",
        n_oversamples: int = 10,
        power_iteration_normalizer: str = "auto",
        random_state: Any = None,
        engine: str = "auto",
    ) -> None:
        super().__init__(
            n_components=n_components,
            copy=copy,
            whiten=whiten,
            svd_solver=svd_solver,
            tol=tol,
            iterated_power=iterated_power,
            n_oversamples=n_oversamples,
            power_iteration_normalizer=power_iteration_normalizer,
            random_state=random_state,
        )
        self.engine = engine

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Any:
        """Find the principal components.

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
        self : AutoScalePCA
            Fitted.
        """
        return self._fit_as_planned(X, None, {})

    def score(self, X: Any, y: Any = None) -> float:
        """Return the average log-likelihood of the rows.

        Parameters
        ----------
        X : {array-like, dask array, dask DataFrame} of shape (n_samples, n_features)
            Rows.
        y : Ignored
            Not used, present here for API consistency by convention.

        Returns
        -------
        score : float
            Computed at once, in one pass, for dask input too.
        """
        if not is_dask(X):
            return float(super().score(X, y))
        from sklearn_dask_auto.inputs.scheduler import compute

        (mean,) = compute(self.score_samples(X).mean(dtype="float64"))
        return float(mean)

    def _fit_transform_in_memory(self, X: Any, y: Any, params: dict[str, Any]) -> Any:
        """Leave a plan: scikit-learn's own method does not call `fit`."""
        plan = self.explain(X)
        if plan.engine != "sklearn":
            return self.fit(X).transform(X)
        started = time.perf_counter()
        transformed = super()._fit_transform_in_memory(X, y, params)
        self._adopt({}, replace(plan, seconds=time.perf_counter() - started))
        return transformed

    def _job(self, profile: Profile, params: dict[str, Any]) -> Job:
        job, n_columns = super()._job(profile, params), profile.n_columns or 1
        solver, n_components = self._solver(profile), self._asked(profile)
        shape = profile.n_rows or np.inf, n_columns
        if solver == "randomized":
            passes = power_iterations(self.iterated_power, n_components, shape) + 2.0
            passes += shape[0] < shape[1]
        elif solver == "arpack" and n_columns > MOST_SQUARE_COLUMNS:
            passes = 1.0 + LANCZOS_PASSES
        else:
            return replace(job, operations=40 + 0.25 * n_columns)
        n_directions = n_components + self.n_oversamples
        return replace(job, passes=passes, operations=4.0 * n_directions)

    def _solver(self, profile: Profile) -> str:
        shape = profile.n_rows or np.inf, profile.n_columns or 1
        is_sparse = profile.is_sparse
        return pca_solver(self.svd_solver, self.n_components, shape, is_sparse)

    def _asked(self, profile: Profile) -> int:
        """Return how many leading components are to be found, for a price."""
        if isinstance(self.n_components, Integral):
            return int(self.n_components)
        return min(profile.n_rows or 1, profile.n_columns or 1)

    def _refusals(
        self, profile: Profile, params: dict[str, Any]
    ) -> Iterable[tuple[str, str]]:
        if self.svd_solver not in ("auto", "full"):
            reason = "dask-ml's PCA is exact by svd_solver='full', its tsqr, alone"
            yield "dask-ml", reason
        if isinstance(self.n_components, str | float):
            reason = "dask-ml's PCA takes a number of components, and no other choice"
            yield "dask-ml", reason
        n_columns, solver = profile.n_columns or 0, self._solver(profile)
        if n_columns <= MOST_SQUARE_COLUMNS:
            return
        wide = (
            f"X has {n_columns:,} columns, and matrices of columns by columns are held "
            f"for up to {MOST_SQUARE_COLUMNS:,}"
        )
        yield "dask-ml", wide
        if solver == "arpack" and self._asked(profile) > MOST_LEADING:
            yield (
                "blockwise",
                f"svd_solver='arpack' finds up to {MOST_LEADING} components of more "
                f"than {MOST_SQUARE_COLUMNS:,} columns; there are {n_columns:,}, "
                f"and n_components={self.n_components} asks for more",
            )
        elif solver not in ("arpack", "randomized"):
            remedy = "arpack" if profile.is_sparse else "randomized"
            remedy = f"svd_solver={remedy!r} finds some of any number"
            yield "blockwise", f"{wide}, as svd_solver={solver!r} needs; {remedy}"
