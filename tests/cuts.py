"""Hypothesis strategies: data, and every way of cutting its rows into blocks."""

import dask.array as da
import numpy as np
from hypothesis import strategies as st

__all__ = ["cut", "cuts", "matrices"]


def cuts(n_rows):
    """Row counts of blocks that add up to `n_rows`; some are 0 and some are 1."""
    borders = st.lists(st.integers(0, n_rows), max_size=12).map(sorted)
    return borders.map(lambda b: tuple(np.diff([0, *b, n_rows]).tolist()))


@st.composite
def matrices(draw, min_rows=20, max_rows=200, max_columns=6):
    """Continuous data, with clusters, offsets and scales that vary."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_rows = draw(st.integers(min_rows, max_rows))
    n_columns = draw(st.integers(1, max_columns))
    centers = rng.normal(scale=draw(st.sampled_from([0.1, 3, 30])), size=(4, n_columns))
    X = centers[rng.integers(4, size=n_rows)] + rng.normal(size=(n_rows, n_columns))
    scale = draw(st.sampled_from([1e-3, 1.0, 1e3]))
    offset = draw(st.sampled_from([0.0, 1.0, 1e4]))
    return (X + offset) * scale


def cut(array, row_chunks, column_chunks=-1):
    """Cut a numpy array into a dask array of these blocks, empty ones among them."""
    rest = (column_chunks, *(-1 for _ in array.shape[2:]))[: array.ndim - 1]
    return da.from_array(array, (tuple(map(int, row_chunks)), *rest))
