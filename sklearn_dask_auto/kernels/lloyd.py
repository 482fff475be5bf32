"""One step of Lloyd's algorithm on one block: compiled, and free of the GIL.

Rows are centred and compared with all centers tile by tile, through the expansion
|x - c|^2 = |x|^2 - 2 x.c + |c|^2, whose middle term is a matrix product (BLAS) and
whose first does not change which center is nearest: the arithmetic that scikit-learn
uses, on tiles that stay in cache.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numba import njit

from sklearn_dask_auto.kernels.moments import TILE_ROWS

__all__ = ["Step", "merge_steps", "nearest", "step"]


COMPILED = {
    "nogil": True,
    "cache": True,
    "error_model": "numpy",
    # Sums may be reordered, which vectors need; NaN and infinity keep their meaning.
    "fastmath": {"contract", "reassoc", "nsz", "arcp"},
}
FNV_OFFSET = 14695981039346656037
FNV_PRIME = 1099511628211


@dataclass(frozen=True)
class Step:
    """What a set of rows contributes to the next centers.

    Parameters
    ----------
    sums : ndarray of shape (n_clusters, n_columns)
        Weighted sums of the (centred) rows nearest to each center.
    weights : ndarray of shape (n_clusters,)
        Sums of their weights.
    digest : int
        Changes when the nearest center of any row changes.
    """

    sums: Any
    weights: Any
    digest: int


def merge_steps(a: Step, b: Step) -> Step:
    """Merge the contributions of two sets of rows."""
    return Step(
        a.sums + b.sums,
        a.weights + b.weights,
        (a.digest + b.digest) % 2**64,
    )


def step(block: Any, weight: Any, start: int, mean: Any, centers: Any) -> Step:
    """Assign the rows of a block and sum them up by center.

    Parameters
    ----------
    block : ndarray or CSR matrix of shape (n_rows, n_columns)
        Float64 or float32.
    weight : ndarray of shape (n_rows,) or None
        Of the block's dtype.
    start : int
        Index of the block's first row, which makes its digest its own.
    mean : ndarray of shape (n_columns,)
        Subtracted from every row; `centers` are relative to it. Zero for sparse blocks.
    centers : ndarray of shape (n_clusters, n_columns)
        Of the block's dtype.

    Returns
    -------
    contribution : Step
        Sums in float64.
    """
    if sp.issparse(block):
        labels, _ = nearest(block, weight, mean, centers)
        weights = np.ones(len(labels)) if weight is None else weight
        member = sp.csr_matrix(
            (weights, (labels, np.arange(len(labels)))), (len(centers), len(labels))
        )
        sums = (member @ block).toarray().astype(float)
        totals = np.asarray(member.sum(axis=1), dtype=float).ravel()
        digest = _digest(labels)
    else:
        sums = np.zeros(centers.shape)
        totals = np.zeros(len(centers))
        digest, _ = _dense_step(
            np.ascontiguousarray(block),
            _or_empty(weight, block),
            mean,
            centers,
            _NO_LABELS,
            sums,
            totals,
            TILE_ROWS,
        )
    # Odd and large, so that equal labels in two blocks give two digests.
    own = int(digest) * (2 * start + 0x9E3779B97F4A7C15)
    return Step(sums, totals, own % 2**64)


def nearest(block: Any, weight: Any, mean: Any, centers: Any) -> tuple[Any, float]:
    """Return each row's nearest center, and the inertia of the block.

    Parameters
    ----------
    block, weight, mean, centers
        As in `step`.

    Returns
    -------
    labels : ndarray of shape (n_rows,), int32
    inertia : float
    """
    if sp.issparse(block):
        return _sparse_nearest(block, weight, centers)
    labels = np.empty(block.shape[0], dtype=np.int32)
    _, inertia = _dense_step(
        np.ascontiguousarray(block),
        _or_empty(weight, block),
        mean,
        centers,
        labels,
        np.zeros((0, 0)),
        np.zeros(0),
        TILE_ROWS,
    )
    return labels, float(inertia)


_NO_LABELS = np.empty(0, dtype=np.int32)


def _or_empty(weight: Any, block: Any) -> Any:
    return np.empty(0, dtype=block.dtype) if weight is None else weight


def _sparse_nearest(block: Any, weight: Any, centers: Any) -> tuple[Any, float]:
    distances = block @ centers.T
    distances *= -2
    distances += np.einsum("ij,ij->i", centers, centers)
    labels = distances.argmin(axis=1).astype(np.int32)
    squares = distances[np.arange(len(labels)), labels].astype(float)
    squares += np.asarray(block.multiply(block).sum(axis=1)).ravel()
    return labels, float(np.maximum(squares, 0) @ _ones_or(weight, len(labels)))


def _ones_or(weight: Any, n: int) -> Any:
    return np.ones(n) if weight is None else weight


@njit(nogil=True, cache=True)
def _digest(labels):  # type: ignore[no-untyped-def]
    digest = np.uint64(FNV_OFFSET)
    for label in labels:
        digest = (digest ^ np.uint64(label)) * np.uint64(FNV_PRIME)
    return digest


@njit(**COMPILED)
def _dense_step(  # type: ignore[no-untyped-def]
    X, weight, mean, centers, labels, sums, totals, tile_rows
):
    """Do one step on a block.

    `labels`, and `sums` with `totals`, are filled unless they are empty; the inertia is
    summed up together with the labels. The digest is FNV-1a over the labels.
    """
    n_rows, n_columns = X.shape
    products = -2 * centers
    norms = (centers * centers).sum(axis=1)
    tile = np.zeros((tile_rows, n_columns), X.dtype)
    distances = np.empty((centers.shape[0], tile_rows), X.dtype)
    shortest = np.empty(tile_rows, X.dtype)
    # As wide as the distances, so that one vector instruction selects both.
    closest = np.empty(tile_rows, X.dtype)
    digest = np.uint64(FNV_OFFSET)
    inertia = 0.0
    for start in range(0, n_rows, tile_rows):
        n = min(tile_rows, n_rows - start)
        for i in range(n):
            for j in range(n_columns):
                tile[i, j] = X[start + i, j] - mean[j]
        np.dot(products, tile.T, distances)
        _find_closest(distances, norms, shortest, closest)
        for i in range(n):
            digest = (digest ^ np.uint64(closest[i])) * np.uint64(FNV_PRIME)
        if totals.shape[0]:
            _add_tile(tile, n, closest, weight, start, sums, totals)
        if labels.shape[0]:
            inertia += _label_tile(tile, n, closest, weight, start, centers, labels)
    return digest, inertia


@njit(**COMPILED)
def _find_closest(distances, norms, shortest, closest):  # type: ignore[no-untyped-def]
    n_clusters, n_rows = distances.shape
    for i in range(n_rows):
        shortest[i] = distances[0, i] + norms[0]
        closest[i] = 0
    for c in range(1, n_clusters):
        for i in range(n_rows):
            distance = distances[c, i] + norms[c]
            closest[i] = c if distance < shortest[i] else closest[i]
            shortest[i] = min(distance, shortest[i])


@njit(**COMPILED)
def _add_tile(  # type: ignore[no-untyped-def]
    tile, n, closest, weight, start, sums, totals
):
    for i in range(n):
        c = int(closest[i])
        w = weight[start + i] if weight.shape[0] else tile.dtype.type(1)
        totals[c] += w
        for j in range(tile.shape[1]):
            sums[c, j] += tile[i, j] * w


@njit(**COMPILED)
def _label_tile(  # type: ignore[no-untyped-def]
    tile, n, closest, weight, start, centers, labels
):
    inertia = 0.0
    for i in range(n):
        c = int(closest[i])
        labels[start + i] = c
        square = 0.0
        for j in range(tile.shape[1]):
            deviation = tile[i, j] - centers[c, j]
            square += deviation * deviation
        inertia += square * (weight[start + i] if weight.shape[0] else 1.0)
    return inertia
