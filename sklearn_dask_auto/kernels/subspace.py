"""The leading directions of rows that are too wide for matrices of columns by columns.

Randomized subspace iteration: Halko, Martinsson and Tropp (2011), "Finding structure
with randomness", SIAM Review 53(2), algorithm 4.4, on the side of the columns, where
what a pass adds up is `n_columns` by `n_directions` however many rows there are. The
draw depends on the seed and on the number of columns alone, and so not on how the rows
are cut.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils import assert_all_finite

from sklearn_dask_auto.inputs.threads import bounded_blas
from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.kernels.gram import Gram, gram_of

__all__ = [
    "cross_products",
    "find_directions",
    "iterate",
    "project",
    "projected_gram",
    "transposed_product",
]

TILE_VALUES, LEAST_TILE_ROWS = 256_000, 64
"""Of rows that are centred at a time: few, and products of matrices are slow."""


def find_directions(
    blocks: Pass,
    n_directions: int,
    n_iter: int,
    random_state: Any,
    estimator_name: str,
) -> Any:
    """Find directions that span nearly what the leading singular vectors span.

    Parameters
    ----------
    blocks : Pass
        The input.
    n_directions : int
        How many: those wanted and some more, whose number sets the accuracy.
    n_iter : int
        Power iterations. Each is one pass, and there is one more.
    random_state : RandomState
        Advanced by one draw.
    estimator_name : str
        For errors.

    Returns
    -------
    directions : ndarray of shape (n_columns, n_directions)
        Orthonormal, in float64.

    Raises
    ------
    ValueError
        scikit-learn's, if a value is NaN or infinite.
    """
    draw = random_state.normal(size=(blocks.rows.n_columns, n_directions))
    # Threads of BLAS that were busy between passes would wait in a loop in the next.
    with bounded_blas(1):
        return iterate(blocks, draw, n_iter + 1, estimator_name)


def iterate(
    blocks: Pass, directions: Any, n_iter: int, estimator_name: str, mean: Any = None
) -> Any:
    """Multiply directions by the cross products of all columns, again and again.

    Parameters
    ----------
    blocks : Pass
        The input.
    directions : ndarray of shape (n_columns, n_directions)
        Where to start.
    n_iter : int
        Passes.
    estimator_name : str
        For errors.
    mean : ndarray of shape (n_columns,), default=None
        Subtracted from all rows, sparse ones without making them dense.

    Returns
    -------
    directions : ndarray of shape (n_columns, n_directions)
        Orthonormal, after each pass.
    """
    for _ in range(n_iter):
        products = cross_products(blocks, directions, estimator_name, mean)
        directions, _ = np.linalg.qr(products)
    return directions


def cross_products(
    blocks: Pass, directions: Any, estimator_name: str, mean: Any
) -> Any:
    """Multiply directions by the cross products of all columns, in one pass.

    Parameters
    ----------
    blocks, directions, estimator_name, mean
        As for `iterate`.

    Returns
    -------
    products : ndarray of shape (n_columns, n_directions)
        In float64.
    """
    summarise = partial(_product_block, estimator_name)
    total: Any = blocks.fold(summarise, np.add, (mean, directions))
    return total


def project(block: Any, directions: Any, mean: Any) -> Any:
    """Return the coordinates of rows along directions, relative to `mean`."""
    directions = directions.astype(block.dtype, copy=False)
    if mean is None:
        return np.asarray(block @ directions)
    mean = mean.astype(block.dtype)
    if sp.issparse(block):
        return np.asarray(block @ directions) - mean @ directions
    projected = np.empty((block.shape[0], directions.shape[1]), block.dtype)
    for part, rows in _centred_tiles(block, mean):
        np.matmul(rows, directions, out=projected[part])
    return projected


def transposed_product(block: Any, columns: Any, mean: Any) -> Any:
    """Return the transposed rows, relative to `mean`, times columns as long as these.

    Returns
    -------
    products : ndarray of shape (n_columns, n_directions)
        In float64.
    """
    columns = columns.astype(block.dtype, copy=False)
    if mean is None or sp.issparse(block):
        products = np.asarray(block.T @ columns, dtype=np.float64)
        if mean is not None:
            products -= np.outer(mean.astype(block.dtype), columns.sum(axis=0))
        return products
    products = np.zeros((block.shape[1], columns.shape[1]))
    for part, rows in _centred_tiles(block, mean.astype(block.dtype)):
        products += rows.T @ columns[part]
    return products


def _cross_product(block: Any, directions: Any, mean: Any) -> Any:
    """Return the cross products of all columns, relative to `mean`, times directions.

    Returns
    -------
    products : ndarray of shape (n_columns, n_directions)
        In float64.
    """
    if mean is None or sp.issparse(block):
        return transposed_product(block, project(block, directions, mean), mean)
    directions = directions.astype(block.dtype, copy=False)
    products = np.zeros(directions.shape)
    for _, rows in _centred_tiles(block, mean.astype(block.dtype)):
        products += rows.T @ (rows @ directions)
    return products


def _centred_tiles(block: Any, mean: Any) -> Iterator[tuple[slice, Any]]:
    """Yield rows of a dense block less their mean, while they are in cache.

    Products of rows far from zero, less products of their mean, would lose digits. Of
    sparse rows, that price is paid: they would be dense.
    """
    n_rows, n_columns = block.shape
    step = max(LEAST_TILE_ROWS, TILE_VALUES // n_columns)
    buffer = np.empty((min(step, n_rows), n_columns), block.dtype)
    for start in range(0, n_rows, step):
        part = slice(start, start + step)
        rows = block[part]
        yield part, np.subtract(rows, mean, out=buffer[: len(rows)])


def projected_gram(block: Any, directions: Any, mean: Any, estimator_name: str) -> Gram:
    """Return mean and centred cross products of the coordinates of a block's rows."""
    return gram_of(project(block, directions, mean), estimator_name)


def _product_block(
    estimator_name: str, block: Any, beside: dict[str, Any], start: int, state: Any
) -> Any:
    """Return what the block adds to the cross products, applied to directions."""
    mean, directions = state
    with np.errstate(invalid="ignore", over="ignore"):
        products = _cross_product(block, directions, mean)
    if not np.isfinite(products).all():
        assert_all_finite(block, input_name="X", estimator_name=estimator_name)
    return products
