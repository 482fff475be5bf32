"""The `dask-ml` engine: dask-ml's estimators, their contract restored.

The only file that imports dask_ml. Each adapter takes rows after the entry rules and
returns scikit-learn's learned attributes; what dask-ml cannot honour was refused in the
plan. Written against dask-ml 2025.1.0.
"""

from typing import Any

import dask.array as da
import numpy as np

from sklearn_dask_auto._sklearn import openmp_threads
from sklearn_dask_auto.engines.blockwise import room
from sklearn_dask_auto.inputs.entry import Rows, enter, hold
from sklearn_dask_auto.kernels import kmeans
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


def _without_empty_blocks(X: Any) -> Any:
    if 0 not in X.chunks[0]:
        return X
    return da.concatenate([X.blocks[i] for i, n in enumerate(X.chunks[0]) if n])


_ADAPTERS = {"KMeans": _kmeans}
