"""How large samples and square matrices may be: what plans know of kernels.

A module of its own, so that plans need not import the kernels.
"""

__all__ = ["MOST_EXACT_COLUMNS", "MOST_SQUARE_COLUMNS", "is_exact_svd", "sample_rows"]

MOST_SQUARE_COLUMNS = 5_000
"""Columns up to which every task may hold a few matrices of columns by columns."""
MOST_EXACT_COLUMNS = 1_000
"""Columns up to which one exact pass is chosen over several that approximate."""

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
