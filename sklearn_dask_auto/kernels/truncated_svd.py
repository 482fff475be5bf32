"""Truncated SVD on row blocks: the right singular vectors of rows as they are.

Up to `MOST_EXACT_COLUMNS` columns they come from the cross products of all columns, in
one pass; in a second from a triangular factor, if singular values so small are asked
for that squares have lost their digits. Wider rows take randomized subspace iteration,
`n_iter` + 2 passes, or, for ``'arpack'`` beyond `MOST_SQUARE_COLUMNS`, `lanczos`.

Products are kept relative to the mean, which is added at the end: variances along the
components would else be small differences of large numbers.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy import linalg
from sklearn.utils import check_random_state
from sklearn.utils.extmath import svd_flip

from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.kernels.gram import Gram, gram_of, merge_grams
from sklearn_dask_auto.kernels.lanczos import check_room, leading_vectors
from sklearn_dask_auto.kernels.moments import Moments, merge_moments, moments_of
from sklearn_dask_auto.kernels.sizes import is_exact_svd
from sklearn_dask_auto.kernels.subspace import find_directions, projected_gram
from sklearn_dask_auto.kernels.tsqr import Triangle, merge_triangles, triangle_of

__all__ = ["check", "fit"]

LEAST_SHARE = 1e-3
"""Of the largest singular value. Smaller ones lose digits to squaring: in float64 their
relative error is about 1e-16 over the square of their share."""


def check(estimator: Any, rows: Rows) -> None:
    """Raise scikit-learn's error for parameters that do not go with the rows.

    Parameters
    ----------
    estimator : TruncatedSVD
        Parameters only.
    rows : Rows
        Nothing of them is computed.
    """
    asked, n_columns = estimator.n_components, rows.n_columns
    if estimator.algorithm == "randomized" and asked > n_columns:
        raise ValueError(f"n_components({asked}) must be <= n_features({n_columns}).")
    if estimator.algorithm == "arpack" and asked >= min(rows.X.shape):
        raise ValueError(
            "`k` must be an integer satisfying `0 < k < min(A.shape)`. k is "
            f"n_components={asked}, and X has shape {rows.X.shape}."
        )


def fit(estimator: Any, rows: Rows, budget: int) -> dict[str, Any]:
    """Fit on row blocks.

    Parameters
    ----------
    estimator : TruncatedSVD
        Its parameters are read, and nothing is written to it.
    rows : Rows
        The input.
    budget : int
        Bytes that the directions of very wide rows may take with ``'arpack'``.

    Returns
    -------
    learned : dict
        `components_`, `singular_values_`, `explained_variance_` and its ratio, in the
        dtype of the rows.
    """
    blocks = Pass(rows)
    if is_exact_svd(rows.n_columns, estimator.algorithm):
        found = _exact(estimator, blocks)
    else:
        found = _along(_directions(estimator, blocks, budget), estimator, blocks)
    _, components = svd_flip(None, found.components, u_based_decision=False)
    learned = {
        "components_": components,
        "singular_values_": found.singular,
        "explained_variance_": found.variance,
        "explained_variance_ratio_": found.variance / found.total_variance,
    }
    return {k: np.array(v, dtype=rows.dtype, order="C") for k, v in learned.items()}


@dataclass(frozen=True)
class _Found:
    """Right singular vectors as rows, and what goes with them."""

    components: Any
    singular: Any
    variance: Any
    total_variance: float


def _exact(estimator: Any, blocks: Pass) -> _Found:
    name, n_rows = type(estimator).__name__, blocks.rows.n_rows
    n_components = min(estimator.n_components, *blocks.rows.X.shape)
    total = blocks.fold(partial(_gram_block, name), merge_grams)
    total_variance = np.trace(total.products) / n_rows
    singular, components = _decomposed(total, n_components)
    if singular[-1] >= LEAST_SHARE * singular[0]:
        variance = np.einsum("ij,ij->i", components @ total.products, components)
        return _Found(components, singular, variance / n_rows, total_variance)
    triangle = blocks.fold(partial(_triangle_block, name), merge_triangles)
    rows = np.vstack([triangle.factor, np.sqrt(n_rows) * triangle.mean])
    _, singular, components = linalg.svd(rows, full_matrices=False)
    singular, components = singular[:n_components], components[:n_components]
    variance = ((triangle.factor @ components.T) ** 2).sum(axis=0)
    return _Found(components, singular, variance / n_rows, total_variance)


def _decomposed(total: Gram, n_components: int) -> tuple[Any, Any]:
    """Return singular values, and vectors as rows, of rows with these statistics."""
    squares = total.products + total.weight * np.outer(total.mean, total.mean)
    n = len(squares)
    values, vectors = linalg.eigh(squares, subset_by_index=[n - n_components, n - 1])
    return np.sqrt(np.maximum(values[::-1], 0.0)), vectors[:, ::-1].T


def _directions(estimator: Any, blocks: Pass, budget: int) -> Any:
    """Find directions that span the leading singular vectors, or nearly so."""
    asked, name = estimator.n_components, type(estimator).__name__
    random_state = check_random_state(estimator.random_state)
    if estimator.algorithm == "arpack":
        check_room(asked, blocks.rows.n_columns, budget)
        return leading_vectors(blocks, asked, random_state, name, None)[1].T
    n_directions = min(asked + estimator.n_oversamples, *blocks.rows.X.shape)
    return find_directions(blocks, n_directions, estimator.n_iter, random_state, name)


def _along(directions: Any, estimator: Any, blocks: Pass) -> _Found:
    """Decompose rows projected on directions, in one pass."""
    name, n_rows = type(estimator).__name__, blocks.rows.n_rows
    least = min(blocks.rows.X.shape)
    total, moments = blocks.fold(partial(_last_block, name), _merge_last, directions)
    singular, along = _decomposed(total, min(estimator.n_components, least))
    variance = np.einsum("ij,ij->i", along @ total.products, along) / n_rows
    total_variance = moments.variance.sum()
    return _Found(along @ directions.T, singular, variance, total_variance)


def _gram_block(
    name: str, block: Any, beside: dict[str, Any], start: int, state: None
) -> Gram:
    return gram_of(block, name)


def _triangle_block(
    name: str, block: Any, beside: dict[str, Any], start: int, state: None
) -> Triangle:
    return triangle_of(block, {}, name)


def _last_block(
    name: str, block: Any, beside: dict[str, Any], start: int, directions: Any
) -> tuple[Gram, Moments]:
    return projected_gram(block, directions, None, name), moments_of(block, "X", name)


def _merge_last(a: Any, b: Any) -> tuple[Gram, Moments]:
    return merge_grams(a[0], b[0]), merge_moments(a[1], b[1])
