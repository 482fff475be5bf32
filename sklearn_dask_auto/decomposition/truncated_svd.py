"""Truncated SVD: scikit-learn's estimator, for input of any size."""

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sklearn.decomposition import TruncatedSVD

from sklearn_dask_auto._base import AutoScaleMixin
from sklearn_dask_auto._sklearn import fit_context, parameter_constraints
from sklearn_dask_auto.kernels.sizes import (
    LANCZOS_PASSES,
    MOST_LEADING,
    MOST_SQUARE_COLUMNS,
    is_exact_svd,
)
from sklearn_dask_auto.routing import Job, Profile

__all__ = ["AutoScaleTruncatedSVD"]


class AutoScaleTruncatedSVD(AutoScaleMixin, TruncatedSVD):
    """Dimensionality reduction by truncated SVD, for input of any size.

    On in-memory input this is :class:`sklearn.decomposition.TruncatedSVD`. A dask
    array or DataFrame of up to 1,000 columns is decomposed exactly, in one pass over
    its row blocks; a wider one by the randomized algorithm, in several.

    Parameters
    ----------
    n_components : int, default=2
        Columns of what `transform` returns.
    algorithm : {'arpack', 'randomized'}, default='randomized'
        As in scikit-learn. Row blocks of up to 1,000 columns are decomposed exactly
        by either name; wider ones exactly by ``'arpack'``, and by subspace iteration
        [1]_ by ``'randomized'``.
    n_iter : int, default=5
        Power iterations of ``'randomized'``: each is a pass over wide dask input.
    n_oversamples : int, default=10
        For ``'randomized'``: directions that are followed beyond `n_components`.
    power_iteration_normalizer : {'auto', 'QR', 'LU', 'none'}, default='auto'
        For ``'randomized'``. Row blocks are always worked on with ``'QR'``, the most
        exact.
    random_state : int, RandomState instance or None, default=None
        Seed. On dask input the answer depends on it and on the rows, not on how they
        are cut or on how many workers there are.
    tol : float, default=0.0
        For ``'arpack'``: on dask input the answer is exact, whatever is tolerated.
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who does the work; see :meth:`explain`.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Right singular vectors, in the dtype of `X`.
    explained_variance_ : ndarray of shape (n_components,)
        Variance of each column of the rows transformed.
    explained_variance_ratio_ : ndarray of shape (n_components,)
        Share of each in the variance of all columns.
    singular_values_ : ndarray of shape (n_components,)
        Of the rows as they are.
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
    AutoScalePCA : Of centred rows.
    sklearn.decomposition.TruncatedSVD : The class mirrored.
    dask_ml.decomposition.TruncatedSVD : Leaves signs as they fall, and takes no sparse
        row blocks.

    Notes
    -----
    Passes over dask input: one for up to 1,000 columns (with ``'arpack'`` 5,000), from
    cross products in float64; two if a singular value below a thousandth of the
    largest is asked for, which squares would round, from a triangular factor. Wider
    input takes `n_iter` + 2; with ``'arpack'``, which finds up to 500 components of any
    number of columns to the last digits [2]_, about 12, the fewer the more the leading
    directions stand out. Lazy input that is passed over several times is computed
    once and kept while the fit lasts if it would fit into memory as a dense array;
    else it is computed in each pass. Sparse (CSR) row blocks stay sparse.

    References
    ----------
    .. [1] Halko, Martinsson and Tropp (2011), "Finding structure with randomness",
       SIAM Review 53(2).
    .. [2] Golub and Underwood (1977), "The block Lanczos method for computing
       eigenvalues", Mathematical Software III.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import AutoScaleTruncatedSVD
    >>> X = np.array([[3, 0, 0], [0, 2, 0], [0, 0, 1], [3, 0, 0]])
    >>> svd = AutoScaleTruncatedSVD(n_components=2, random_state=0).fit(X)
    >>> svd.singular_values_.round(4)
    array([4.2426, 2.    ])

    The same on a dask array; what it transforms is lazy:

    >>> import dask.array as da
    >>> blocks = da.from_array(X, chunks=(2, 3))
    >>> svd = AutoScaleTruncatedSVD(n_components=2, engine="blockwise").fit(blocks)
    >>> svd.singular_values_.round(4)
    array([4.2426, 2.    ])
    >>> svd.transform(blocks)
    dask.array<transform, shape=(4, 2), dtype=float64, chunksize=(2, 2), ...>
    """

    _parameter_constraints = parameter_constraints(TruncatedSVD)
    _kernel = "truncated_svd"
    _numbers_only = True
    _least_columns = 2

    def __init__(
        self,
        n_components: int = 2,
        *,
        algorithm: str = "randomized",
        n_iter: int = 5,
        n_oversamples: int = 10,
        power_iteration_normalizer: str = "auto",
        random_state: Any = None,
        tol: float = 0.0,
        engine: str = "auto",
    ) -> None:
        super().__init__(
            n_components=n_components,
            algorithm=algorithm,
            n_iter=n_iter,
            n_oversamples=n_oversamples,
            power_iteration_normalizer=power_iteration_normalizer,
            random_state=random_state,
            tol=tol,
        )
        self.engine = engine

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Any:
        """Find the leading right singular vectors.

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
        self : AutoScaleTruncatedSVD
            Fitted.
        """
        return self._fit_as_planned(X, None, {})

    def _fit_in_memory(
        self, X: Any, y: Any, params: dict[str, Any], plan: Any
    ) -> dict[str, Any]:
        """Call scikit-learn's `fit_transform`, which its `fit` would look for here."""
        super()._fit_transform_in_memory(X, y, params)
        return {}

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
        if is_exact_svd(n_columns, self.algorithm):
            return replace(job, operations=40 + 0.25 * n_columns)
        n_directions = self.n_components + self.n_oversamples
        is_arpack = self.algorithm == "arpack"
        passes = LANCZOS_PASSES if is_arpack else self.n_iter + 2.0
        return replace(job, passes=passes, operations=4.0 * n_directions)

    def _refusals(
        self, profile: Profile, params: dict[str, Any]
    ) -> Iterable[tuple[str, str]]:
        n_columns = profile.n_columns or 0
        is_leading = self.algorithm == "arpack" and n_columns > MOST_SQUARE_COLUMNS
        if is_leading and self.n_components > MOST_LEADING:
            yield (
                "blockwise",
                f"algorithm='arpack' finds up to {MOST_LEADING} components of more "
                f"than {MOST_SQUARE_COLUMNS:,} columns; there are {n_columns:,}, "
                f"and n_components={self.n_components}. 'randomized' finds any number",
            )
