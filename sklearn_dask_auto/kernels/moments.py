"""Mean and variance of every column in one pass, and whether all values are finite.

Each tile of rows is centred on its own mean while it is in cache, and tiles are merged
by the update of Chan, Golub and LeVeque (1979), "Updating formulae and a pairwise
algorithm for computing sample variances", eq. 2.1. Values are taken relative to the
block's first row, so that a mean far from zero costs no digits.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numba import njit
from sklearn.utils import assert_all_finite
from sklearn.utils.sparsefuncs import mean_variance_axis

__all__ = ["Moments", "merge_moments", "moments_of"]

TILE_ROWS = 256


@dataclass(frozen=True)
class Moments:
    """Statistics of a set of rows.

    Parameters
    ----------
    n_rows : int
        Number of rows.
    mean, squares : ndarray of shape (n_columns,)
        Mean, and sum of squared deviations from it.
    """

    n_rows: int
    mean: Any
    squares: Any

    @property
    def variance(self) -> Any:
        """Population variance of every column."""
        return self.squares / self.n_rows


def moments_of(block: Any, name: str, estimator_name: str) -> Moments:
    """Summarise a block.

    Parameters
    ----------
    block : ndarray or CSR matrix of shape (n_rows, n_columns)
        At least one row.
    name, estimator_name : str
        For the error.

    Returns
    -------
    moments : Moments
        In float64.

    Raises
    ------
    ValueError
        scikit-learn's, if a value is NaN or infinite.
    """
    if sp.issparse(block):
        assert_all_finite(block, input_name=name, estimator_name=estimator_name)
        mean, variance = mean_variance_axis(block, axis=0)
        return Moments(block.shape[0], mean, variance * block.shape[0])
    mean, squares = _dense_moments(np.ascontiguousarray(block), TILE_ROWS)
    if not (np.isfinite(mean).all() and np.isfinite(squares).all()):
        assert_all_finite(block, input_name=name, estimator_name=estimator_name)
    return Moments(block.shape[0], mean, squares)


def merge_moments(a: Moments, b: Moments) -> Moments:
    """Merge the statistics of two sets of rows."""
    n_rows = a.n_rows + b.n_rows
    delta = b.mean - a.mean
    return Moments(
        n_rows,
        a.mean + delta * (b.n_rows / n_rows),
        a.squares + b.squares + delta**2 * (a.n_rows * b.n_rows / n_rows),
    )


@njit(nogil=True, cache=True, fastmath={"contract"})
def _dense_moments(X, tile_rows):  # type: ignore[no-untyped-def]
    n_rows, n_columns = X.shape
    origin = X[0].astype(np.float64)
    mean = np.zeros(n_columns)
    squares = np.zeros(n_columns)
    tile_mean = np.empty(n_columns)
    tile_squares = np.empty(n_columns)
    for start in range(0, n_rows, tile_rows):
        stop = min(start + tile_rows, n_rows)
        tile_mean[:] = 0.0
        tile_squares[:] = 0.0
        for i in range(start, stop):
            for j in range(n_columns):
                tile_mean[j] += X[i, j] - origin[j]
        for j in range(n_columns):
            tile_mean[j] /= stop - start
        for i in range(start, stop):
            for j in range(n_columns):
                deviation = (X[i, j] - origin[j]) - tile_mean[j]
                tile_squares[j] += deviation * deviation
        share = (stop - start) / stop
        for j in range(n_columns):
            delta = tile_mean[j] - mean[j]
            mean[j] += delta * share
            squares[j] += tile_squares[j] + delta * delta * share * start
    return mean + origin, squares
