"""Means and centred cross products of all columns, in one pass.

A tile's products are one call of BLAS, on deviations from the tile's own mean; tiles
and blocks are merged by the update of Chan, Golub and LeVeque (1979), "Updating
formulae and a pairwise algorithm for computing sample variances", with products in the
place of squares.
"""

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils import assert_all_finite

from sklearn_dask_auto.kernels.tiles import Tile, join, tiles

__all__ = ["Gram", "gram_of", "merge_grams"]


@dataclass(frozen=True)
class Gram:
    """Statistics of a set of rows.

    Parameters
    ----------
    weight : float
        Number of rows.
    mean : ndarray of shape (n_columns,)
    products : ndarray of shape (n_columns, n_columns)
        Sums of products of deviations from the mean.
    """

    weight: float
    mean: Any
    products: Any


def gram_of(block: Any, estimator_name: str) -> Gram:
    """Summarise a block.

    Parameters
    ----------
    block : ndarray or CSR matrix of shape (n_rows, n_columns)
        At least one row.
    estimator_name : str
        For the error.

    Returns
    -------
    gram : Gram
        In float64.

    Raises
    ------
    ValueError
        scikit-learn's, if a value is NaN or infinite.
    """
    if sp.issparse(block):
        return _sparse_gram(block, estimator_name)
    return reduce(merge_grams, map(_tile_gram, tiles(block, {}, estimator_name)))


def merge_grams(a: Gram, b: Gram) -> Gram:
    """Merge the statistics of two sets of rows."""
    weight, mean, gap = join(a, b)
    products = np.outer(gap, gap)
    products += a.products
    products += b.products
    return Gram(weight, mean, products)


def _tile_gram(tile: Tile) -> Gram:
    return Gram(tile.weight, tile.mean, tile.deviations.T @ tile.deviations)


def _sparse_gram(block: Any, estimator_name: str) -> Gram:
    """Subtract means from the products, as rows that are centred are not sparse."""
    assert_all_finite(block, input_name="X", estimator_name=estimator_name)
    block = block.astype(np.float64, copy=False)
    n_rows = block.shape[0]
    mean = np.asarray(block.sum(axis=0)).ravel() / n_rows
    products = (block.T @ block).toarray() - n_rows * np.outer(mean, mean)
    return Gram(float(n_rows), mean, products)
