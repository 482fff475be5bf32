"""How large samples and square matrices may be: what plans know of kernels.

A module of its own, so that plans need not import the kernels.
"""

__all__ = ["MOST_SQUARE_COLUMNS", "sample_rows"]

MOST_SQUARE_COLUMNS = 5_000
"""Columns up to which every task may hold a few matrices of columns by columns."""

SAMPLE_ROWS = 100_000
"""Least size of a sample; where clusters are many, the sample has more rows."""
ROWS_PER_CLUSTER = 100


def sample_rows(n_clusters: int) -> int:
    """Return the size of the sample from which `n_clusters` centers are seeded."""
    return max(SAMPLE_ROWS, ROWS_PER_CLUSTER * n_clusters)
