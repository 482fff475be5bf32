"""Row blocks in the user's own containers, with what lies beside them cut alike.

For what takes rows as scikit-learn does: frames stay frames, text stays text, and no
dtype is forced. Unknown sizes are counted for all inputs in one computation; `y`,
weights and the like take the row blocks of `X`; empty blocks are left out.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_consistent_length

from sklearn_dask_auto.inputs.assemble import row_blocks
from sklearn_dask_auto.inputs.describe import describe, is_dask
from sklearn_dask_auto.inputs.entry import (
    known_rows,
    row_counts,
    settled,
    with_counts,
)
from sklearn_dask_auto.inputs.gather import row_bytes_of

__all__ = ["RowBlocks", "aligned_blocks", "n_row_blocks"]


@dataclass(frozen=True)
class RowBlocks:
    """Blocks that have rows, as delayed objects; one without, if there is no other.

    Parameters
    ----------
    X : list of Delayed
        Each an array, a sparse matrix, a DataFrame, or all of what is in memory.
    beside : dict of str to list of Delayed
        Arrays of the same rows.
    fixed : dict
        What has no row for each row of `X`.
    sizes : list of int
        Rows of each block.
    n_bytes : int
        Bytes of all rows and of what lies beside them.
    """

    X: list[Any]
    beside: dict[str, list[Any]]
    fixed: dict[str, Any]
    sizes: list[int]
    n_bytes: int

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return sum(self.sizes)


def n_row_blocks(X: Any) -> int:
    """Return how many blocks of rows `aligned_blocks` makes of `X`, at most."""
    if is_dask(X):
        return int(X.numblocks[0] if hasattr(X, "numblocks") else X.npartitions)
    return int(_cut(X).numblocks[0]) if isinstance(X, np.ndarray) else 1


def aligned_blocks(X: Any, beside: dict[str, Any]) -> RowBlocks:
    """Cut `X`, and all beside it that has as many rows, into the same blocks.

    Parameters
    ----------
    X : dask collection, ndarray, or any other rows in memory
        A dask collection keeps its blocks; an array in memory is cut into blocks of
        64 MB, without a copy; anything else is one block.
    beside : dict of str to object
        As for `fit`; None is left out. A dask collection has a row for each row of
        `X`, or that is an error; so has what is in memory and just as long.

    Returns
    -------
    blocks : RowBlocks

    Raises
    ------
    ValueError
        scikit-learn's own, for lengths that differ.
    """
    beside = {k: _in_rows(value) for k, value in beside.items() if value is not None}
    rows = settled(X) if is_dask(X) else _cut(_in_rows(X))
    lazy = {name: settled(value) for name, value in beside.items() if is_dask(value)}
    sizes, *counted = _counts([rows, *lazy.values()])
    for name, counts in zip(lazy, counted, strict=True):
        check_consistent_length(range(sum(sizes)), range(sum(counts)))
        lazy[name] = with_counts(lazy[name], counts)
    if "y" in beside and "y" not in lazy:
        check_consistent_length(range(sum(sizes)), beside["y"])
    here = {
        name: known_rows([value])[0]
        for name, value in beside.items()
        if name not in lazy and _n_rows(value) == sum(sizes)
    }
    arrays = {**lazy, **here}
    # Of no rows at all there is still a block, for scikit-learn to refuse.
    kept = [i for i, n in enumerate(sizes) if n] or [0]
    blocks = row_blocks(rows)
    return RowBlocks(
        [blocks[i] for i in kept],
        {name: _in_blocks(array, sizes, kept) for name, array in arrays.items()},
        {name: value for name, value in beside.items() if name not in arrays},
        [sizes[i] for i in kept],
        _n_bytes(rows, sum(sizes)) + sum(array.nbytes for array in arrays.values()),
    )


def _cut(X: Any) -> Any:
    return known_rows([X])[0] if isinstance(X, np.ndarray) and X.ndim else X


def _in_rows(value: Any) -> Any:
    """Return an array for what only knows how to become one."""
    is_opaque = hasattr(value, "__array__") and not hasattr(value, "shape")
    return np.asarray(value) if is_opaque else value


def _counts(collections: list[Any]) -> list[tuple[int, ...]]:
    lazy = [c for c in collections if is_dask(c)]
    counts = iter(row_counts(lazy))
    return [next(counts) if is_dask(c) else (_n_rows(c) or 0,) for c in collections]


def _n_rows(value: Any) -> int | None:
    if hasattr(value, "shape"):
        return int(value.shape[0]) if len(value.shape) else None
    if isinstance(value, str | dict):
        return None
    return len(value) if hasattr(value, "__len__") else None


def _in_blocks(array: Any, sizes: tuple[int, ...], kept: list[int]) -> list[Any]:
    blocks = row_blocks(array.rechunk((sizes, *(-1 for _ in array.shape[1:]))))
    return [blocks[i] for i in kept]


def _n_bytes(rows: Any, n_rows: int) -> int:
    n_bytes = describe(rows).n_bytes
    return n_rows * row_bytes_of(rows) if n_bytes is None else n_bytes
