"""The `dask-ml` engine: dask-ml's estimators, their contract restored.

The only file that imports dask_ml. Each adapter takes rows after the entry rules and
returns scikit-learn's learned attributes; what dask-ml cannot honour was refused in the
plan. Written against dask-ml 2025.1.0.
"""

from typing import Any

import dask.array as da
import numpy as np
from sklearn.utils.extmath import svd_flip

from sklearn_dask_auto._sklearn import is_constant, openmp_threads, without_zeros
from sklearn_dask_auto.engines.blockwise import room
from sklearn_dask_auto.inputs.entry import Rows, enter, hold
from sklearn_dask_auto.kernels import kmeans, min_max_scaler, pca
from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.routing import Plan

__all__ = ["fit"]


def fit(
    estimator: Any, X: Any, y: Any, params: dict[str, Any], plan: Plan
) -> dict[str, Any]:
    """Fit with dask-ml; see `Engine.fit`."""
    rows = hold(enter(estimator, X, params), room(plan))
    learned: dict[str, Any] = _ADAPTERS[estimator._dask_ml_adapter](estimator, rows)
    return learned


def _kmeans(estimator: Any, rows: Rows) -> dict[str, Any]:
    """Run dask-ml's Lloyd from our seeds, `n_init` times, and keep the best.

    dask-ml's own ``init="k-means++"`` raises, its `n_init` does not restart, its `tol`
    is not scaled, its `labels_` are lazy and its `inertia_` sums plain distances.
    """
    from dask_ml.cluster import KMeans

    kmeans.check(estimator, rows)
    blocks = Pass(rows)
    runs, mean, tolerance = kmeans.seed(estimator, blocks)
    X = _without_empty_blocks(rows.X)
    fits = [
        KMeans(
            estimator.n_clusters,
            init=run.centers + mean,
            max_iter=estimator.max_iter,
            tol=tolerance,
        ).fit(X)
        for run in runs
    ]
    totals = [kmeans.inertia(blocks, mean, f.cluster_centers_ - mean) for f in fits]
    best = fits[int(np.argmin(totals))]
    centers = np.asarray(best.cluster_centers_, dtype=rows.dtype)
    labels, total = kmeans.label(blocks, mean, centers - mean)
    kmeans.warn_if_few(labels, estimator)
    return {
        "cluster_centers_": centers,
        "labels_": labels,
        "inertia_": total,
        "n_iter_": best.n_iter_,
        "_n_features_out": estimator.n_clusters,
        "_n_threads": openmp_threads(),
    }


def _pca(estimator: Any, rows: Rows) -> dict[str, Any]:
    """Run dask-ml's tsqr, which is its ``svd_solver="full"`` too.

    dask-ml's own signs follow the rows, its `mean_` is lazy, and its numbers are not of
    scikit-learn's types.
    """
    from dask_ml.decomposition import PCA

    _require_dense_and_finite(rows)
    pca.check(estimator, rows)
    # It subtracts means in place.
    X = _without_empty_blocks(rows.X) + 0
    found = PCA(estimator.n_components, svd_solver="tsqr").fit(X)
    _, components = svd_flip(None, found.components_, u_based_decision=False)
    learned = {
        "mean_": np.asarray(found.mean_),
        "components_": components,
        "explained_variance_": found.explained_variance_,
        "explained_variance_ratio_": found.explained_variance_ratio_,
        "singular_values_": found.singular_values_,
    }
    keeps_all = found.n_components_ == min(rows.X.shape)
    return {
        **{k: np.array(v, dtype=rows.dtype, order="C") for k, v in learned.items()},
        "noise_variance_": 0.0 if keeps_all else rows.dtype.type(found.noise_variance_),
        "n_samples_": rows.n_rows,
        "n_components_": found.n_components_,
        "_fit_svd_solver": "full",
    }


def _standard_scaler(estimator: Any, rows: Rows) -> dict[str, Any]:
    """Run dask-ml's scaler on float64.

    Where a column is constant but for rounding, dask-ml would divide by what is left;
    it does not tell infinity, nor how many values are missing.
    """
    from dask_ml.preprocessing import StandardScaler

    _require_dense_and_finite(rows)
    found = StandardScaler().fit(_without_empty_blocks(rows.X).astype(np.float64))
    seen = np.float64(rows.n_rows)
    is_flat = is_constant(found.var_, found.mean_, seen)
    return {
        "mean_": found.mean_,
        "var_": found.var_,
        "scale_": without_zeros(np.sqrt(found.var_), constant_mask=is_flat),
        "n_samples_seen_": seen,
    }


def _min_max_scaler(estimator: Any, rows: Rows) -> dict[str, Any]:
    """Run dask-ml's scaler; `clip` is for `transform`, which is not dask-ml's.

    It takes missing values for extremes, and fails on blocks without rows.
    """
    from dask_ml.preprocessing import MinMaxScaler

    _require_dense_and_finite(rows)
    min_max_scaler.check(estimator, rows)
    low, high = estimator.feature_range
    found = MinMaxScaler(feature_range=(low, high)).fit(_without_empty_blocks(rows.X))
    names = ("data_min_", "data_max_", "data_range_", "scale_", "min_")
    learned = {name: np.asarray(getattr(found, name), rows.dtype) for name in names}
    return {**learned, "n_samples_seen_": rows.n_rows}


def _require_dense_and_finite(rows: Rows) -> None:
    """Refuse, in one pass, what dask-ml would not notice."""
    if rows.is_sparse:
        raise TypeError(
            "X has sparse row blocks, which dask-ml does not take here. Use "
            "engine='blockwise'."
        )
    if not Pass(rows).fold(_is_finite_block, bool.__and__):
        raise ValueError(
            "Input X contains NaN or infinity, which dask-ml does not check for. With "
            "engine='blockwise' it is treated as by scikit-learn."
        )


def _is_finite_block(
    block: Any, beside: dict[str, Any], start: int, state: None
) -> bool:
    return bool(np.isfinite(block).all())


def _without_empty_blocks(X: Any) -> Any:
    if 0 not in X.chunks[0]:
        return X
    return da.concatenate([X.blocks[i] for i, n in enumerate(X.chunks[0]) if n])


_ADAPTERS = {
    "KMeans": _kmeans,
    "MinMaxScaler": _min_max_scaler,
    "PCA": _pca,
    "StandardScaler": _standard_scaler,
}
