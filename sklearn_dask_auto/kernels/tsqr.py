"""The triangular factor of all rows in one pass: a QR decomposition, without Q.

Rows stacked on the factor of other rows have the same factor as all of them together,
so that factors fold: Demmel, Grigori, Hoemmen and Langou (2012), "Communication-optimal
parallel and sequential QR and LU factorizations", section 2. Other than cross products,
it keeps singular values down to the rounding error of the largest. A row for the gap
between two means does for centred rows what it does for products; see `tiles.join`.
"""

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from scipy.linalg import lapack

from sklearn_dask_auto.kernels.tiles import join, tiles

__all__ = ["Triangle", "merge_triangles", "triangle_of"]

PANEL_COLUMNS = 64
"""Columns for which LAPACK is given room to work on together."""


@dataclass(frozen=True)
class Triangle:
    """Statistics of a set of rows of `[X y]`.

    Parameters
    ----------
    weight : float
        Sum of the weights; the number of rows without.
    mean : ndarray of shape (n_columns,)
        Weighted mean; zero if rows are not centred.
    factor : ndarray of shape (at most n_columns, n_columns)
        Upper triangular; as long as all columns of the rows, and at the same angles.
    """

    weight: float
    mean: Any
    factor: Any


def triangle_of(
    block: Any,
    beside: dict[str, Any],
    estimator_name: str,
    *,
    is_centred: bool = True,
) -> Triangle:
    """Summarise a block.

    Parameters
    ----------
    block, beside, estimator_name, is_centred
        As for `tiles`; at least one row.

    Returns
    -------
    triangle : Triangle
        In float64.

    Raises
    ------
    ValueError
        scikit-learn's, if a value is NaN or infinite.
    """
    parts = tiles(block, beside, estimator_name, is_centred=is_centred)
    first = next(parts)
    start = Triangle(first.weight, first.mean, _factor(first.deviations))
    return reduce(merge_triangles, parts, start)


def merge_triangles(a: Triangle, b: Any) -> Triangle:
    """Merge a factor with that of other rows, or with a tile of them."""
    weight, mean, gap = join(a, b)
    rows = b.factor if isinstance(b, Triangle) else b.deviations
    return Triangle(weight, mean, _factor(a.factor, gap, rows))


def _factor(*parts: Any) -> Any:
    """Return the triangular factor of parts that are stacked."""
    parts = tuple(np.atleast_2d(part) for part in parts)
    n_rows, n_columns = sum(map(len, parts)), parts[0].shape[1]
    stack = np.empty((n_rows, n_columns), order="F")
    np.concatenate(parts, out=stack)
    # It releases the GIL, which numpy's and scipy's own `qr` do not.
    packed, *_ = lapack.dgeqrf(stack, lwork=PANEL_COLUMNS * n_columns, overwrite_a=1)
    return np.triu(packed[:n_columns])
