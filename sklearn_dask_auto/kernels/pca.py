"""PCA on row blocks: one pass, and then scikit-learn's algebra on a small matrix."""

from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
from scipy import linalg
from sklearn.utils.extmath import svd_flip

from sklearn_dask_auto._sklearn import infer_dimension
from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.kernels.gram import Gram, gram_of, merge_grams
from sklearn_dask_auto.kernels.tsqr import Triangle, merge_triangles, triangle_of

__all__ = ["check", "fit"]


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
    if rows.is_sparse and estimator.svd_solver == "full":
        raise TypeError(
            'PCA only support sparse inputs with the "arpack" and "covariance_eigh" '
            f'solvers, while "{estimator.svd_solver}" was passed. See TruncatedSVD for '
            "a possible alternative."
        )
    if asked == "mle":
        if rows.n_rows < rows.n_columns:
            raise ValueError(
                "n_components='mle' is only supported if n_samples >= n_features"
            )
    elif asked is not None and not 0 <= asked <= most:
        raise ValueError(
            f"n_components={asked} must be between 0 and min(n_samples, n_features)="
            f"{most} with svd_solver={_solver(estimator, rows)!r}"
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
        Not used: what is learned is small.

    Returns
    -------
    learned : dict
        `components_`, `mean_`, `explained_variance_` and the other attributes of PCA,
        in the dtype of the rows.
    """
    solver = _solver(estimator, rows)
    decompose = {"covariance_eigh": _from_products, "full": _from_factor}[solver]
    mean, singular, components, variance = decompose(rows, type(estimator).__name__)
    if estimator.svd_solver != "covariance_eigh":
        # By that name alone, scikit-learn counts directions that few rows cannot have.
        most = slice(None, min(rows.X.shape))
        singular, components, variance = (
            singular[most],
            components[most],
            variance[most],
        )
    _, components = svd_flip(None, components, u_based_decision=False)
    ratio = variance / variance.sum()
    n_components = _count(estimator, rows, variance, ratio)
    kept = slice(None, n_components)
    noise: Any = 0.0
    if n_components < min(rows.X.shape):
        noise = rows.dtype.type(variance[n_components:].mean())
    learned = {
        "mean_": mean,
        "components_": components[kept],
        "explained_variance_": variance[kept],
        "explained_variance_ratio_": ratio[kept],
        "singular_values_": singular[kept],
    }
    return {
        **{k: np.array(v, dtype=rows.dtype, order="C") for k, v in learned.items()},
        "noise_variance_": noise,
        "n_samples_": rows.n_rows,
        "n_components_": n_components,
        "_fit_svd_solver": solver,
    }


def _solver(estimator: Any, rows: Rows) -> str:
    """Resolve "auto" as scikit-learn does, between the two that are exact."""
    if estimator.svd_solver != "auto":
        return str(estimator.svd_solver)
    n_rows, n_columns = rows.X.shape
    is_tall = n_columns <= 1_000 and n_rows >= 10 * n_columns
    is_cheap = is_tall or rows.is_sparse or _is_truncated(estimator, rows)
    return "covariance_eigh" if is_cheap else "full"


def _is_truncated(estimator: Any, rows: Rows) -> bool:
    """Tell whether scikit-learn would only approximate the leading components."""
    asked, (n_rows, n_columns) = estimator.n_components, rows.X.shape
    if not isinstance(asked, Integral) or max(n_rows, n_columns) <= 500:
        return False
    return n_rows >= n_columns and 1 <= int(asked) < 0.8 * n_columns


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
    asked = estimator.n_components
    if asked is None:
        # scikit-learn decomposes sparse rows by a method that cannot find the last.
        is_truncated = rows.is_sparse and estimator.svd_solver == "auto"
        return min(rows.X.shape) - is_truncated
    if asked == "mle":
        return infer_dimension(variance, rows.n_rows)
    if 0 < asked < 1:
        return np.searchsorted(np.cumsum(ratio), asked, side="right") + 1
    return asked
