"""The leading singular vectors of wide rows to the last digits: block Lanczos.

What ARPACK finds for scikit-learn a vector at a time, each for a sweep over the rows,
is found here for a block of vectors in each pass: the cross products of all columns are
applied to the block, and what is new in the result is the next block. All blocks are
kept and made orthogonal to each other, and the best approximations that their span has
are taken (Rayleigh and Ritz); how good these are follows from the products at hand.
Where the blocks would take too much, the best approximations take their place: Wu and
Simon (2000), "Thick-restart Lanczos method for large symmetric eigenvalue problems",
SIAM J. Matrix Anal. Appl. 22(2); in blocks, Golub and Underwood (1977), "The block
Lanczos method for computing eigenvalues", Mathematical Software III.

Passes: one for each block; the better the leading directions stand out, the fewer.
"""

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sklearn_dask_auto.inputs.threads import bounded_blas
from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.kernels.subspace import cross_products

__all__ = ["check_room", "leading_vectors"]

SPARE = 10
"""Vectors of a block beyond those wanted, so that the last of these stands out too."""
MOST_BLOCKS = 6
"""Blocks that are kept before the best approximations take their place."""
MOST_PASSES = 300
TOLERANCE = 1e-10
"""Residual at which a squared singular value is found, relative to it, ..."""
ROUNDING = 1e-14
"""... or to the largest, which products cannot go below."""


def check_room(n_wanted: int, n_columns: int, budget: int) -> None:
    """Raise if the vectors that are kept would take more than a budget of bytes."""
    # Those of the basis, what the rows make of them, and a copy while both grow.
    n_vectors = 3 * MOST_BLOCKS * (n_wanted + SPARE)
    n_bytes = n_vectors * n_columns * np.dtype(float).itemsize
    if n_bytes > budget:
        raise MemoryError(
            f"{n_wanted:,} components of {n_columns:,} columns, to the last digits, "
            f"take {n_vectors:,} vectors of these, {n_bytes / 1e6:,.0f} MB, over the "
            f"memory budget of {budget / 1e6:,.0f} MB. Ask for fewer, take "
            "TruncatedSVD with algorithm='randomized', or raise "
            "set_config(memory_budget=...)."
        )


@bounded_blas(1)
def leading_vectors(
    blocks: Pass, n_wanted: int, random_state: Any, estimator_name: str, mean: Any
) -> tuple[Any, Any]:
    """Find singular values and right singular vectors.

    Parameters
    ----------
    blocks : Pass
        The input.
    n_wanted : int
        How many.
    random_state : RandomState
        Advanced by one draw, where to start; no result depends on it.
    estimator_name : str
        For errors.
    mean : ndarray of shape (n_columns,) or None
        Subtracted from all rows, sparse ones without making them dense.

    Returns
    -------
    singular : ndarray of shape (n_wanted,)
    vectors : ndarray of shape (n_wanted, n_columns)
        Of any sign, in float64.

    Raises
    ------
    ValueError
        scikit-learn's, if a value is NaN or infinite.

    Warns
    -----
    ConvergenceWarning
        If `MOST_PASSES` were not enough.
    """
    n_columns = blocks.rows.n_columns
    width = min(n_wanted + SPARE, n_columns)
    start = random_state.normal(size=(n_columns, width))
    basis, images = np.empty((n_columns, 0)), np.empty((n_columns, 0))
    block = np.linalg.qr(start)[0]
    for _ in range(MOST_PASSES):
        image = cross_products(blocks, block, estimator_name, mean)
        basis, images = np.hstack([basis, block]), np.hstack([images, image])
        squares, along = _approximated(basis, images)
        kept = along[:, :width]
        residuals = images @ kept - (basis @ kept) * squares[:width]
        block = _new_directions(residuals, basis)
        if not block.shape[1] or _are_found(residuals, squares, n_wanted):
            break
        if basis.shape[1] + block.shape[1] > MOST_BLOCKS * width:
            basis, images = basis @ kept, images @ kept
    else:
        warnings.warn(
            f"{estimator_name} did not find {n_wanted} components in {MOST_PASSES} "
            "passes: the last of them hardly stand out. Ask for fewer.",
            ConvergenceWarning,
            stacklevel=2,
        )
    singular = np.sqrt(np.maximum(squares[:n_wanted], 0.0))
    return singular, (basis @ along[:, :n_wanted]).T


def _approximated(basis: Any, images: Any) -> tuple[Any, Any]:
    """Return the squared singular values of the basis, largest first, and where."""
    products = basis.T @ images
    squares, along = np.linalg.eigh((products + products.T) / 2)
    return squares[::-1], along[:, ::-1]


def _are_found(residuals: Any, squares: Any, n_wanted: int) -> bool:
    sizes = np.linalg.norm(residuals[:, :n_wanted], axis=0)
    wanted = np.maximum(TOLERANCE * squares[:n_wanted], ROUNDING * squares[0])
    return bool((sizes <= wanted).all())


def _new_directions(residuals: Any, basis: Any) -> Any:
    """Return an orthonormal basis of what residuals have beyond the basis so far."""
    sizes = np.linalg.norm(residuals, axis=0)
    if not sizes.any():
        return residuals[:, :0]
    block = residuals[:, sizes > 0] / sizes[sizes > 0]
    for _ in range(2):
        # Once leaves what rounding had: twice is enough.
        block = block - basis @ (basis.T @ block)
        block, triangle = np.linalg.qr(block)
        has_more = np.abs(np.diag(triangle)) > np.finfo(float).eps * len(basis)
        block = block[:, has_more]
    return block[:, : max(0, len(basis) - basis.shape[1])]
