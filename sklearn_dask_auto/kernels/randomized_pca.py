"""Leading principal components of wide rows: scikit-learn's randomized SVD, by passes.

The same draw and the same subspace as `sklearn.utils.extmath.randomized_svd`, and so
its answer up to rounding, found from products that add up over row blocks. With `A` the
centred rows and `D` the draw, scikit-learn projects on the range of ``A (A^T A)^q D``
where there are at least as many rows as columns, and of ``(A^T A)^q A^T D`` where there
are fewer; all that is as long as the rows stays in its block.

Passes: one for means and variances, `q` for the power iterations, and one to project;
one more where there are fewer rows than columns. Halko, Martinsson and Tropp (2011),
"Finding structure with randomness", SIAM Review 53(2), algorithm 4.4.
"""

from functools import partial
from typing import Any

import numpy as np
from scipy import linalg
from sklearn.utils import check_random_state

from sklearn_dask_auto.inputs.threads import bounded_blas
from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.kernels.moments import Moments, merge_moments, moments_of
from sklearn_dask_auto.kernels.sizes import power_iterations
from sklearn_dask_auto.kernels.subspace import (
    iterate,
    project,
    transposed_product,
)
from sklearn_dask_auto.kernels.tsqr import Triangle, merge_triangles, triangle_of

__all__ = ["decompose", "moments_block"]


@bounded_blas(1)  # its threads, busy between passes, would wait in a loop in the next
def decompose(
    estimator: Any, n_components: int, blocks: Pass, name: str
) -> tuple[Moments, Any, Any]:
    """Find the leading singular values and vectors of centred rows.

    Parameters
    ----------
    estimator : PCA
        Parameters only.
    n_components : int
        How many are wanted.
    blocks : Pass
        Dense rows.
    name : str
        Of the estimator, for errors.

    Returns
    -------
    moments : Moments
        Of every column.
    singular : ndarray of shape (n_components,)
    components : ndarray of shape (n_components, n_columns)
        Of any sign, in float64.

    Raises
    ------
    ValueError
        scikit-learn's, if a value is NaN or infinite.
    """
    shape = blocks.rows.X.shape
    draw = check_random_state(estimator.random_state).normal(
        size=(min(shape), n_components + estimator.n_oversamples)
    )
    moments = blocks.fold(partial(moments_block, name), merge_moments)
    n_iter = power_iterations(estimator.iterated_power, n_components, shape)
    if shape[0] < shape[1]:
        draw = blocks.fold(_drawn_block, np.add, (moments.mean, draw))
    directions = iterate(blocks, np.linalg.qr(draw)[0], n_iter, name, moments.mean)
    last = _on_columns if shape[0] < shape[1] else _on_rows
    singular, components = last(blocks, directions, moments.mean, name)
    return moments, singular[:n_components], components[:n_components]


def _on_columns(blocks: Pass, directions: Any, mean: Any, name: str) -> tuple[Any, Any]:
    """Decompose rows projected on directions."""
    state = directions, mean
    total = blocks.fold(partial(_projected_block, name), merge_triangles, state)
    _, singular, along = linalg.svd(total.factor, full_matrices=False)
    return singular, along @ directions.T


def _on_rows(blocks: Pass, directions: Any, mean: Any, name: str) -> tuple[Any, Any]:
    """Decompose rows projected on the range of what they are along directions.

    Of the orthonormal basis of that range, as long as the rows, no more is needed than
    the triangular factor `R`: the projection is ``R^-T (A D)^T A``.
    """
    state = directions, mean
    triangle, products = blocks.fold(partial(_ranged_block, name), _merge_ranged, state)
    _, singular, along = linalg.svd(triangle.factor, full_matrices=False)
    is_there = singular > np.finfo(np.float64).eps * len(products) * singular[:1]
    inverse = np.divide(1.0, singular, where=is_there, out=np.zeros_like(singular))
    projection = inverse[:, None] * (along @ products.T)
    _, singular, components = linalg.svd(projection, full_matrices=False)
    return singular, components


def moments_block(
    name: str, block: Any, beside: dict[str, Any], start: int, state: None
) -> Moments:
    """Return mean and variance of the columns of a block."""
    return moments_of(block, "X", name)


def _drawn_block(block: Any, beside: dict[str, Any], start: int, state: Any) -> Any:
    mean, draw = state
    return transposed_product(block, draw[start : start + block.shape[0]], mean)


def _projected_block(
    name: str, block: Any, beside: dict[str, Any], start: int, state: Any
) -> Triangle:
    return triangle_of(project(block, *state), {}, name, is_centred=False)


def _ranged_block(
    name: str, block: Any, beside: dict[str, Any], start: int, state: Any
) -> tuple[Triangle, Any]:
    directions, mean = state
    projected = project(block, directions, mean)
    triangle = triangle_of(projected, {}, name, is_centred=False)
    return triangle, transposed_product(block, projected, mean)


def _merge_ranged(a: Any, b: Any) -> tuple[Triangle, Any]:
    return merge_triangles(a[0], b[0]), a[1] + b[1]
