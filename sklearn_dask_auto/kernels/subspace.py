"""The leading directions of rows that are too wide for matrices of columns by columns.

Randomized subspace iteration: Halko, Martinsson and Tropp (2011), "Finding structure
with randomness", SIAM Review 53(2), algorithm 4.4, on the side of the columns, where
what a pass adds up is `n_columns` by `n_directions` however many rows there are. The
draw depends on the seed and on the number of columns alone, and so not on how the rows
are cut.
"""

from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils import assert_all_finite

from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.kernels.gram import Gram, gram_of

__all__ = [
    "find_directions",
    "iterate",
    "project",
    "projected_gram",
    "transposed_product",
]


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
        products = blocks.fold(
            partial(_product_block, estimator_name), np.add, (mean, directions)
        )
        directions, _ = np.linalg.qr(products)
    return directions


def project(block: Any, directions: Any, mean: Any) -> Any:
    """Return the coordinates of rows along directions, relative to `mean`."""
    rows, offset = _centred(block, mean)
    directions = directions.astype(block.dtype, copy=False)
    projected = np.asarray(rows @ directions)
    if offset is not None:
        projected -= offset @ directions
    return projected


def transposed_product(block: Any, columns: Any, mean: Any) -> Any:
    """Return the transposed rows, relative to `mean`, times columns as long as these.

    Returns
    -------
    products : ndarray of shape (n_columns, n_directions)
        In float64.
    """
    rows, offset = _centred(block, mean)
    columns = columns.astype(block.dtype, copy=False)
    products = np.asarray(rows.T @ columns, dtype=np.float64)
    if offset is not None:
        products -= np.outer(offset, columns.sum(axis=0))
    return products


def _centred(block: Any, mean: Any) -> tuple[Any, Any]:
    """Return rows, and what is still to be subtracted: rows that are sparse stay so.

    Products of rows far from zero, less products of their mean, would lose digits.
    """
    if mean is None:
        return block, None
    mean = mean.astype(block.dtype)
    return (block, mean) if sp.issparse(block) else (block - mean, None)


def projected_gram(block: Any, directions: Any, mean: Any, estimator_name: str) -> Gram:
    """Return mean and centred cross products of the coordinates of a block's rows."""
    return gram_of(project(block, directions, mean), estimator_name)


def _product_block(
    estimator_name: str, block: Any, beside: dict[str, Any], start: int, state: Any
) -> Any:
    """Return what the block adds to the cross products, applied to directions."""
    mean, directions = state
    with np.errstate(invalid="ignore", over="ignore"):
        rows, offset = _centred(block, mean)
        projected = project(rows, directions, offset)
        products = transposed_product(rows, projected, offset)
    if not np.isfinite(products).all():
        assert_all_finite(block, input_name="X", estimator_name=estimator_name)
    return products
