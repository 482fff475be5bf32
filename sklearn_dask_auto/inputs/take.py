"""Some rows of a dask collection, by number: lazily, block by block, nothing shuffled.

Used for splits, for folds and by the search. Rows come in their order in the
collection, so that every block gives its own and no row moves to another. A block of
which nothing is taken is not computed.

The row numbers of a block travel with its task as a slice, one bit a row, or a list of
numbers, whichever is smallest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph

from sklearn_dask_auto.inputs.entry import keep_counts

__all__ = ["Bits", "take_rows"]


def take_rows(collection: Any, counts: Sequence[int], rows: Any) -> Any:
    """Take rows of a dask array, DataFrame or Series.

    Parameters
    ----------
    collection : dask array of shape (n_rows, ...), dask DataFrame or dask Series
        Not changed.
    counts : sequence of int
        Rows in each of its blocks, as `row_counts` gives them.
    rows : ndarray of int of shape (n_taken,)
        Row numbers, ascending; one may come more than once.

    Returns
    -------
    taken : dask array, DataFrame or Series
        Lazy, of `n_taken` rows in blocks of known sizes, none of them empty; a
        DataFrame keeps its index, and its row counts, for `row_counts` to return.
    """
    starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    borders = np.searchsorted(rows, starts)
    # An empty block stands for no rows at all.
    blocks = np.flatnonzero(np.diff(borders)) if len(rows) else np.array([0])
    sizes = tuple((borders[blocks + 1] - borders[blocks]).tolist())
    picks = [
        _pick(rows[borders[i] : borders[i + 1]] - starts[i], counts[i]) for i in blocks
    ]
    take = _take_array if hasattr(collection, "numblocks") else _take_frame
    return take(collection, blocks.tolist(), picks, sizes)


@dataclass(frozen=True)
class Bits:
    """Which rows of a block, one bit each.

    Parameters
    ----------
    packed : ndarray of uint8
        As `numpy.packbits` packs.
    n_rows : int
        Rows of the block.
    """

    packed: Any
    n_rows: int

    def mask(self) -> Any:
        """Return an array of bool, one for each row of the block."""
        return np.unpackbits(self.packed, count=self.n_rows).view(bool)


def _pick(rows: Any, n_rows: int) -> Any:
    """Say in the fewest bytes which rows of a block to take."""
    if not len(rows):
        return slice(0, 0)
    steps = np.diff(rows)
    if (steps == 1).all():
        return slice(int(rows[0]), int(rows[-1]) + 1)
    if (steps == 0).any() or 4 * len(rows) < n_rows // 8:
        return rows.astype(np.uint32 if n_rows < 2**32 else np.int64)
    mask = np.zeros(n_rows, dtype=bool)
    mask[rows] = True
    return Bits(np.packbits(mask), n_rows)


def _take_array(
    array: Any, blocks: list[int], picks: list[Any], sizes: tuple[int, ...]
) -> Any:
    name = f"take-{tokenize(array.name, blocks, picks)}"
    across = list(np.ndindex(array.numblocks[1:]))
    layer = {
        (name, i, *rest): (_take, (array.name, block, *rest), pick)
        for i, (block, pick) in enumerate(zip(blocks, picks, strict=True))
        for rest in across
    }
    graph = HighLevelGraph.from_collections(name, layer, [array])
    return da.Array(graph, name, (sizes, *array.chunks[1:]), meta=array._meta)


def _take_frame(
    frame: Any, blocks: list[int], picks: list[Any], sizes: tuple[int, ...]
) -> Any:
    import dask.dataframe as dd
    import pandas as pd

    if len(blocks) < frame.npartitions:
        frame = frame.partitions[blocks]
    # A collection whose partitions are the picks: so each goes to its own task alone.
    no_rows = pd.Series(dtype=int)
    beside = dd.from_map(_itself, picks, meta=no_rows, enforce_metadata=False)
    taken = frame.map_partitions(
        _take,
        beside,
        meta=frame._meta,
        align_dataframes=False,
        enforce_metadata=False,
    )
    keep_counts(taken, sizes)
    return taken


def _itself(pick: Any) -> Any:
    return pick


def _take(block: Any, pick: Any) -> Any:
    rows = getattr(block, "iloc", block)
    if not isinstance(pick, slice):
        return rows[pick.mask() if isinstance(pick, Bits) else pick]
    if pick == slice(0, block.shape[0]):
        return block
    # A copy, as a view of a few rows would keep all of them in memory.
    return rows[pick].copy()
