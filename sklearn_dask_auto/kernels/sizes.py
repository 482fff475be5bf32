"""How large samples are: what plans need to know of kernels, without their imports."""

__all__ = ["sample_rows"]

SAMPLE_ROWS = 100_000
"""Least size of a sample; where clusters are many, the sample has more rows."""
ROWS_PER_CLUSTER = 100


def sample_rows(n_clusters: int) -> int:
    """Return the size of the sample from which `n_clusters` centers are seeded."""
    return max(SAMPLE_ROWS, ROWS_PER_CLUSTER * n_clusters)
