"""How large samples and square matrices may be: what plans know of kernels.

A module of its own, so that plans need not import the kernels.
"""

from numbers import Integral
from typing import Any

__all__ = [
    "LANCZOS_PASSES",
    "MOST_EXACT_COLUMNS",
    "MOST_L1_COLUMNS",
    "MOST_LEADING",
    "MOST_SQUARE_COLUMNS",
    "is_exact_svd",
    "l1_share",
    "pca_solver",
    "power_iterations",
    "sample_rows",
]

MOST_SQUARE_COLUMNS = 5_000
"""Columns up to which every task may hold a few matrices of columns by columns."""
MOST_LEADING = 500
"""Components of more columns than that which are found to the last digits, at most."""
MOST_EXACT_COLUMNS = 1_000
"""Columns up to which one exact pass is chosen over several that approximate."""
COLUMNS_OF_COMPONENT = 100
"""From so many columns for each component on, passes over products with directions
take less time than one over the products of all columns."""
LANCZOS_PASSES = 12
"""That leading components to the last digits take, as a rule."""

MOST_L1_COLUMNS = 500
"""Columns up to which a Hessian is summed up for an l1 penalty."""

SAMPLE_ROWS = 100_000
"""Least size of a sample; where clusters are many, the sample has more rows."""
ROWS_PER_CLUSTER = 100


def is_exact_svd(n_columns: int, algorithm: str) -> bool:
    """Tell whether rows are narrow enough for all cross products of their columns."""
    return n_columns <= MOST_EXACT_COLUMNS or (
        algorithm == "arpack" and n_columns <= MOST_SQUARE_COLUMNS
    )


def sample_rows(n_clusters: int) -> int:
    """Return the size of the sample from which `n_clusters` centers are seeded."""
    return max(SAMPLE_ROWS, ROWS_PER_CLUSTER * n_clusters)


def pca_solver(
    asked: str, n_components: Any, shape: tuple[float, float], is_sparse: bool
) -> str:
    """Resolve the `svd_solver` of PCA on row blocks.

    Parameters
    ----------
    asked : str
        What is not "auto" is what it is.
    n_components : int, float, str or None
        As PCA takes it.
    shape : tuple of number
        Rows and columns.
    is_sparse : bool
        Of the blocks.

    Returns
    -------
    solver : str
        scikit-learn's choice, except that the leading components of up to
        `MOST_EXACT_COLUMNS` columns, and many of up to `MOST_SQUARE_COLUMNS`, are found
        exactly, in one pass.
    """
    n_rows, n_columns = shape
    if asked != "auto":
        return asked
    is_few = isinstance(n_components, Integral) and max(shape) > 500
    is_few = is_few and 1 <= int(n_components) < 0.8 * min(shape)
    if n_columns > MOST_SQUARE_COLUMNS:
        return "arpack" if is_sparse else "randomized" if is_few else "full"
    is_wide = is_few and n_columns > MOST_EXACT_COLUMNS
    if is_wide and not is_sparse and n_columns >= COLUMNS_OF_COMPONENT * n_components:
        return "randomized"
    is_tall = n_columns <= 1_000 and n_rows >= 10 * n_columns
    if is_tall or is_sparse or (is_few and n_rows >= n_columns):
        return "covariance_eigh"
    return "full"


def power_iterations(asked: Any, n_components: int, shape: tuple[float, float]) -> int:
    """Return the power iterations of a randomized SVD, as scikit-learn chooses them."""
    if asked != "auto":
        return int(asked)
    return 7 if n_components < 0.1 * min(shape) else 4


def l1_share(penalty: str | None, l1_ratio: float | None) -> float:
    """Return the share of the l1 penalty, which LogisticRegression has two names for.

    Parameters
    ----------
    penalty : {"deprecated", "l1", "l2", "elasticnet"} or None
        The older name.
    l1_ratio : float or None
        The newer one, and for "elasticnet".
    """
    if penalty in ("l1", "l2", None):
        return float(penalty == "l1")
    return float(l1_ratio or 0.0)
