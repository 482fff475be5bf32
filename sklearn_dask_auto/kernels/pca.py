"""PCA on row blocks: one pass, and then scikit-learn's algebra on a small matrix.

Rows that are too wide for that take the passes of `randomized_pca` or `lanczos`.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy import linalg
from sklearn.utils import check_random_state
from sklearn.utils.extmath import svd_flip

from sklearn_dask_auto._sklearn import infer_dimension
from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.kernels.gram import Gram, gram_of, merge_grams
from sklearn_dask_auto.kernels.lanczos import check_room, leading_vectors
from sklearn_dask_auto.kernels.moments import Moments, merge_moments
from sklearn_dask_auto.kernels.randomized_pca import decompose, moments_block
from sklearn_dask_auto.kernels.sizes import MOST_SQUARE_COLUMNS, pca_solver
from sklearn_dask_auto.kernels.tsqr import Triangle, merge_triangles, triangle_of

__all__ = ["check", "fit"]

TRUNCATED = ("arpack", "randomized")
"""Solvers that scikit-learn has for fewer than all components."""
FACTORS = 3
"""In memory at the same time: two that are merged, and what comes of it."""


def check(estimator: Any, rows: Rows) -> None:
    """Raise scikit-learn's error for parameters that do not go with the rows.

    Parameters
    ----------
    estimator : PCA
        Parameters only.
    rows : Rows
        Nothing of them is computed.
    """
    asked, most = estimator.n_components, min(rows.X.shape)
    if rows.is_sparse and estimator.svd_solver in ("full", "randomized"):
        raise TypeError(
            'PCA only support sparse inputs with the "arpack" and "covariance_eigh" '
            f'solvers, while "{estimator.svd_solver}" was passed. See TruncatedSVD for '
            "a possible alternative."
        )
    solver = _solver(estimator, rows)
    if solver in TRUNCATED:
        _check_truncated(_asked(estimator, rows), most, solver)
    elif asked == "mle":
        if rows.n_rows < rows.n_columns:
            raise ValueError(
                "n_components='mle' is only supported if n_samples >= n_features"
            )
    elif asked is not None and not 0 <= asked <= most:
        raise ValueError(
            f"n_components={asked} must be between 0 and min(n_samples, n_features)="
            f"{most} with svd_solver={solver!r}"
        )


def _check_truncated(asked: Any, most: int, solver: str) -> None:
    if isinstance(asked, str):
        raise ValueError(
            f"n_components={asked!r} cannot be a string with svd_solver='{solver}'"
        )
    if not 1 <= asked <= most:
        raise ValueError(
            f"n_components={asked!r} must be between 1 and min(n_samples, n_features)="
            f"{most!r} with svd_solver='{solver}'"
        )
    if solver == "arpack" and asked == most:
        raise ValueError(
            f"n_components={asked!r} must be strictly less than "
            f"min(n_samples, n_features)={most!r} with svd_solver='{solver}'"
        )


def fit(estimator: Any, rows: Rows, budget: int) -> dict[str, Any]:
    """Fit on row blocks.

    Parameters
    ----------
    estimator : PCA
        Its parameters are read, and nothing is written to it.
    rows : Rows
        The input.
    budget : int
        Bytes that the directions or the factor of very wide rows may take.

    Returns
    -------
    learned : dict
        `components_`, `mean_`, `explained_variance_` and the other attributes of PCA,
        in the dtype of the rows.

    Raises
    ------
    MemoryError
        If more than the budget would be taken, before a block is read.
    """
    solver = _solver(estimator, rows)
    is_wide = rows.n_columns > MOST_SQUARE_COLUMNS
    if is_wide and solver != "randomized":
        _check_room(estimator, rows, solver, budget)
    is_leading = solver == "randomized" or (is_wide and solver == "arpack")
    find = _leading if is_leading else _all
    found = find(estimator, rows, solver)
    _, components = svd_flip(None, found.components, u_based_decision=False)
    learned = {
        "mean_": found.mean,
        "components_": components,
        "explained_variance_": found.variance,
        "explained_variance_ratio_": found.variance / found.total_variance,
        "singular_values_": found.singular,
    }
    return {
        **{k: np.array(v, dtype=rows.dtype, order="C") for k, v in learned.items()},
        "noise_variance_": (
            0.0 if found.noise is None else rows.dtype.type(found.noise)
        ),
        "n_samples_": rows.n_rows,
        "n_components_": found.n_components,
        "_fit_svd_solver": solver,
    }


@dataclass(frozen=True)
class _Found:
    """What is kept of a decomposition, and the variance that is not."""

    mean: Any
    singular: Any
    components: Any
    variance: Any
    total_variance: float
    noise: float | None
    n_components: Any


def _all(estimator: Any, rows: Rows, solver: str) -> _Found:
    """Find all components, in one pass."""
    decomposed = _from_factor if solver == "full" else _from_products
    mean, singular, components, variance = decomposed(rows, type(estimator).__name__)
    if estimator.svd_solver != "covariance_eigh":
        # By that name alone, scikit-learn counts directions that few rows cannot have.
        most = slice(None, min(rows.X.shape))
        singular, components = singular[most], components[most]
        variance = variance[most]
    total = variance.sum()
    n_components = _count(estimator, rows, variance, variance / total)
    kept = slice(None, n_components)
    has_rest = n_components < min(rows.X.shape)
    noise = variance[n_components:].mean() if has_rest else None
    return _Found(
        mean,
        singular[kept],
        components[kept],
        variance[kept],
        total,
        noise,
        n_components,
    )


def _leading(estimator: Any, rows: Rows, solver: str) -> _Found:
    """Find the leading components alone, in several passes."""
    n_components, name = _asked(estimator, rows), type(estimator).__name__
    find = decompose if solver == "randomized" else _to_the_last_digits
    moments, singular, components = find(estimator, n_components, Pass(rows), name)
    variance = singular**2 / (rows.n_rows - 1)
    total = moments.squares.sum() / (rows.n_rows - 1)
    n_left = min(rows.X.shape) - n_components
    noise = (total - variance.sum()) / n_left if n_left else None
    return _Found(
        moments.mean, singular, components, variance, total, noise, n_components
    )


def _to_the_last_digits(
    estimator: Any, n_components: int, blocks: Pass, name: str
) -> tuple[Moments, Any, Any]:
    """Do as `decompose` does, and go on until nothing is left to gain."""
    moments = blocks.fold(partial(moments_block, name), merge_moments)
    random_state = check_random_state(estimator.random_state)
    found = leading_vectors(blocks, n_components, random_state, name, moments.mean)
    return moments, *found


def _check_room(estimator: Any, rows: Rows, solver: str, budget: int) -> None:
    """Raise if what very wide rows leave behind takes more than the budget.

    Of fewer rows than columns, a triangular factor is as large as the rows. That there
    are as few may turn out when they are counted.
    """
    if solver == "arpack":
        check_room(_asked(estimator, rows), rows.n_columns, budget)
        return
    n_bytes = FACTORS * min(rows.X.shape) * rows.n_columns * np.dtype(float).itemsize
    if n_bytes > budget:
        raise MemoryError(
            f"All components of {rows.n_rows:,} rows of {rows.n_columns:,} columns "
            f"take {FACTORS} factors of {n_bytes / FACTORS / 1e6:,.2f} MB, over the "
            f"memory budget of {budget / 1e6:,.2f} MB. svd_solver='randomized' takes "
            "any number of columns, or raise set_config(memory_budget=...)."
        )


def _solver(estimator: Any, rows: Rows) -> str:
    asked, shape = estimator.n_components, rows.X.shape
    return pca_solver(estimator.svd_solver, asked, shape, rows.is_sparse)


def _asked(estimator: Any, rows: Rows) -> Any:
    """Return `n_components`, or what None stands for."""
    if estimator.n_components is not None:
        return estimator.n_components
    # scikit-learn decomposes sparse rows by a method that cannot find the last.
    is_arpack = estimator.svd_solver == "arpack"
    is_arpack = is_arpack or (rows.is_sparse and estimator.svd_solver == "auto")
    return min(rows.X.shape) - is_arpack


def _from_products(rows: Rows, name: str) -> tuple[Any, Any, Any, Any]:
    total = Pass(rows).fold(partial(_gram_block, name), merge_grams)
    values, vectors = np.linalg.eigh(total.products)
    squares = np.maximum(values[::-1], 0.0)
    variance = squares / (rows.n_rows - 1)
    return total.mean, np.sqrt(squares), vectors[:, ::-1].T, variance


def _from_factor(rows: Rows, name: str) -> tuple[Any, Any, Any, Any]:
    total = Pass(rows).fold(partial(_triangle_block, name), merge_triangles)
    _, singular, components = linalg.svd(total.factor, full_matrices=False)
    return total.mean, singular, components, singular**2 / (rows.n_rows - 1)


def _gram_block(
    name: str, block: Any, beside: dict[str, Any], start: int, state: None
) -> Gram:
    return gram_of(block, name)


def _triangle_block(
    name: str, block: Any, beside: dict[str, Any], start: int, state: None
) -> Triangle:
    return triangle_of(block, {}, name)


def _count(estimator: Any, rows: Rows, variance: Any, ratio: Any) -> Any:
    """Return how many components are kept."""
    asked = _asked(estimator, rows)
    if asked == "mle":
        return infer_dimension(variance, rows.n_rows)
    if 0 < asked < 1:
        return np.searchsorted(np.cumsum(ratio), asked, side="right") + 1
    return asked
