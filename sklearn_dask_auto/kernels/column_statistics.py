"""What the scalers need to know of every column, in one pass: spread, or extremes.

NaN stands for a value that is missing, and is left out. Infinity is scikit-learn's
error. Both summaries are for folding: merging those of any blocks gives that of all
rows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numba import njit
from sklearn.utils import assert_all_finite, check_array
from sklearn.utils.sparsefuncs import min_max_axis

__all__ = [
    "Extremes",
    "Spread",
    "extremes_of",
    "merge_extremes",
    "merge_spreads",
    "spread_of",
]

TILE_ROWS = 256


@dataclass(frozen=True)
class Spread:
    """Weight, mean and squares of each column, of the values that are not missing.

    Parameters
    ----------
    weight : ndarray of shape (n_columns,)
        Sum of the weights; without weights, the number of values.
    origin, offset : ndarray of shape (n_columns,)
        A value of the column, and the mean less that value: apart, as their sum has
        fewer digits. Zero for a column without weight.
    squares : ndarray of shape (n_columns,)
        Weighted sum of squared deviations from the mean.
    """

    weight: Any
    origin: Any
    offset: Any
    squares: Any

    @property
    def mean(self) -> Any:
        """Weighted mean of every column; NaN without weight."""
        return np.where(self.weight > 0, self.origin + self.offset, np.nan)

    @property
    def variance(self) -> Any:
        """Population variance of every column; NaN without weight."""
        return self.squares / np.where(self.weight > 0, self.weight, np.nan)


def spread_of(block: Any, weight: Any, estimator_name: str) -> Spread:
    """Summarise the spread of a block.

    Parameters
    ----------
    block : ndarray or sparse matrix of shape (n_rows, n_columns)
        At least one row.
    weight : ndarray of shape (n_rows,) or None
        Not negative.
    estimator_name : str
        For the error.

    Returns
    -------
    spread : Spread
        In float64. A mean far from zero costs no digits.

    Raises
    ------
    ValueError
        scikit-learn's, if a value is infinite or a weight is not finite.
    """
    weights = np.ones(1) if weight is None else _valid(weight)
    if sp.issparse(block):
        assert_all_finite(
            block, allow_nan=True, estimator_name=estimator_name, input_name="X"
        )
        block = block.tocsr()
        parts = block.data, block.indices, block.indptr
        return Spread(*_sparse_spread(*parts, block.shape[1], weights))
    spread = Spread(*_dense_spread(np.ascontiguousarray(block), weights, TILE_ROWS))
    if not (np.isfinite(spread.offset).all() and np.isfinite(spread.squares).all()):
        assert_all_finite(
            block, allow_nan=True, estimator_name=estimator_name, input_name="X"
        )
    return spread


def merge_spreads(a: Spread, b: Spread) -> Spread:
    """Merge the spread of two sets of rows, by Chan, Golub and LeVeque's update."""
    weight = a.weight + b.weight
    share = b.weight / np.where(weight > 0, weight, 1)
    origin = np.where(a.weight > 0, a.origin, b.origin)
    delta = (b.origin - origin) + (b.offset - a.offset)
    return Spread(
        weight,
        origin,
        a.offset + delta * share,
        a.squares + b.squares + delta**2 * (a.weight * share),
    )


@dataclass(frozen=True)
class Extremes:
    """Smallest and largest value of each column that is not missing.

    Parameters
    ----------
    minimum, maximum : ndarray of shape (n_columns,)
        In the dtype of the rows; NaN for a column without values.
    """

    minimum: Any
    maximum: Any


def extremes_of(block: Any, estimator_name: str) -> Extremes:
    """Find the extremes of a block.

    Parameters
    ----------
    block : ndarray or sparse matrix of shape (n_rows, n_columns)
        At least one row.
    estimator_name : str
        For the error.

    Returns
    -------
    extremes : Extremes
        Of all values, those that a sparse matrix does not store included.

    Raises
    ------
    ValueError
        scikit-learn's, if a value is infinite.
    """
    if sp.issparse(block):
        extremes = Extremes(*min_max_axis(block.tocsr(), axis=0, ignore_nan=True))
    else:
        extremes = Extremes(*_dense_extremes(np.ascontiguousarray(block)))
    if np.isinf(extremes.minimum).any() or np.isinf(extremes.maximum).any():
        assert_all_finite(
            block, allow_nan=True, estimator_name=estimator_name, input_name="X"
        )
    return extremes


def merge_extremes(a: Extremes, b: Extremes) -> Extremes:
    """Merge the extremes of two sets of rows."""
    return Extremes(np.fmin(a.minimum, b.minimum), np.fmax(a.maximum, b.maximum))


def _valid(weight: Any) -> Any:
    check_array(weight, ensure_2d=False, input_name="sample_weight")
    if (weight < 0).any():
        raise ValueError(
            "Negative sample_weight is not supported on row blocks. Use "
            "engine='sklearn', which gathers the rows."
        )
    return weight.astype(np.float64, copy=False)


@njit(nogil=True, cache=True, fastmath={"contract"})
def _dense_spread(X, weights, tile_rows):  # type: ignore[no-untyped-def]
    """Centre each tile on its own mean, while it is in cache, and merge the tiles.

    Values are taken relative to one of their column. A single weight is that of every
    row.
    """
    n_rows, n_columns = X.shape
    weight, mean, squares = np.zeros((3, n_columns))
    tile_weight, tile_mean, tile_squares = np.empty((3, n_columns))
    stride = 1 if len(weights) > 1 else 0
    origin = _origins(X, weights, stride, tile_rows)
    for start in range(0, n_rows, tile_rows):
        stop = min(start + tile_rows, n_rows)
        tile_weight[:] = 0.0
        tile_mean[:] = 0.0
        tile_squares[:] = 0.0
        for i in range(start, stop):
            w = weights[i * stride]
            for j in range(n_columns):
                value = X[i, j] - origin[j]
                is_there = value == value
                tile_weight[j] += w if is_there else 0.0
                tile_mean[j] += w * value if is_there else 0.0
        _divide(tile_mean, tile_weight)
        for i in range(start, stop):
            w = weights[i * stride]
            for j in range(n_columns):
                deviation = (X[i, j] - origin[j]) - tile_mean[j]
                square = w * deviation * deviation
                tile_squares[j] += square if square == square else 0.0
        for j in range(n_columns):
            weight[j] += tile_weight[j]
            share = tile_weight[j] / weight[j] if weight[j] > 0 else 0.0
            delta = tile_mean[j] - mean[j]
            mean[j] += delta * share
            between = delta * delta * share * (weight[j] - tile_weight[j])
            squares[j] += tile_squares[j] + between
    return weight, np.where(weight > 0, origin, 0.0), mean, squares


@njit(nogil=True, cache=True)
def _origins(X, weights, stride, n_first):  # type: ignore[no-untyped-def]
    """Return the value nearest zero among the first of each column that count.

    Nearest zero, as nothing would be left of small values less an outlier. Zero for a
    column where no value counts.
    """
    n_rows, n_columns = X.shape
    origins = np.zeros(n_columns)
    for j in range(n_columns):
        nearest = np.inf
        for i in range(n_rows):
            if i >= n_first and nearest < np.inf:
                break
            # False for NaN.
            if abs(X[i, j]) < nearest and weights[i * stride] > 0:
                nearest = abs(X[i, j])
                origins[j] = X[i, j]
    return origins


@njit(nogil=True, cache=True)
def _sparse_spread(  # type: ignore[no-untyped-def]
    data, indices, indptr, n_columns, weights
):
    """Pass over what is stored twice; the values that are not stored are zeros."""
    n_rows = len(indptr) - 1
    stride = 1 if len(weights) > 1 else 0
    missing, stored, mean, squares = np.zeros((4, n_columns))
    n_stored = np.zeros(n_columns, np.int64)
    total = 0.0
    for i in range(n_rows):
        w = weights[i * stride]
        total += w
        for k in range(indptr[i], indptr[i + 1]):
            j = indices[k]
            n_stored[j] += 1
            if data[k] == data[k]:
                stored[j] += w
                mean[j] += w * data[k]
            else:
                missing[j] += w
    # Where nothing but what is stored counts, the difference would be rounding errors.
    weight = np.where(n_stored == n_rows, stored, total - missing)
    _divide(mean, weight)
    squares[:] += np.maximum(0.0, weight - stored) * mean * mean
    for i in range(n_rows):
        w = weights[i * stride]
        for k in range(indptr[i], indptr[i + 1]):
            deviation = data[k] - mean[indices[k]]
            if deviation == deviation:
                squares[indices[k]] += w * deviation * deviation
    return weight, np.zeros(n_columns), mean, squares


@njit(nogil=True, cache=True)
def _divide(sums, weight):  # type: ignore[no-untyped-def]
    """Turn sums into means, in place; without weight they stay zero."""
    for j in range(len(sums)):
        sums[j] /= weight[j] if weight[j] > 0 else 1.0


@njit(nogil=True, cache=True)
def _dense_extremes(X):  # type: ignore[no-untyped-def]
    n_rows, n_columns = X.shape
    minimum = X[0].copy()
    maximum = X[0].copy()
    for i in range(1, n_rows):
        for j in range(n_columns):
            value = X[i, j]
            # NaN is neither less nor greater, and gives way to what follows it.
            low = minimum[j]
            minimum[j] = value if value < low or low != low else low
            high = maximum[j]
            maximum[j] = value if value > high or high != high else high
    return minimum, maximum
