"""Rows as batches: what one call of `partial_fit` learns from.

Rows are mixed before they are cut into batches, as they may come sorted by label. What
is in memory is mixed as a whole. The blocks of a collection are dealt to buffers, each
with some of low, of middle and of high targets, and the rows of a buffer are mixed. A
collection that fits into one buffer is so cut as the same rows in memory are, however
many blocks it has.

A buffer is loaded when the first of its batches is due, and let go after the last.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_dask_auto._sklearn import safe_indexing

__all__ = ["Batches", "Buffer", "batches_here", "batches_of_blocks", "put_together"]

SMALLEST_BATCH = 256
"""Rows of a buffer are cut into as many batches as there are calls, none smaller."""


@dataclass(frozen=True)
class Buffer:
    """Rows that are loaded and mixed together.

    How they are mixed is found out again each time, as it takes space for every row.

    Parameters
    ----------
    blocks : list
        Delayed values; or `X` alone, which is in memory, whole.
    rows : list of ndarray of int
        For each block, the row numbers of what it holds, or what is taken of `X`.
    n_batches : int
        To cut the rows into.
    seed : int
        Decides the mixing.
    """

    blocks: list[Any]
    rows: list[Any]
    n_batches: int
    seed: int

    def load(self) -> tuple[list[Any], list[Any]]:
        """Return batches, lazily, and their row numbers."""
        from dask.delayed import Delayed, delayed

        rows = np.concatenate(self.rows)
        order = np.random.RandomState(self.seed).permutation(len(rows))
        places = np.array_split(order, self.n_batches)
        if not isinstance(self.blocks[0], Delayed):
            (X,) = self.blocks
            batches = [
                delayed(safe_indexing(X, rows[place]), pure=False, traverse=False)
                for place in places
            ]
        else:
            mixed = delayed(put_together, pure=False)(*self.blocks)
            take = delayed(safe_indexing, pure=False)
            batches = [take(mixed, place) for place in places]
        return batches, [rows[place] for place in places]


@dataclass(frozen=True)
class Batches:
    """The batches of all buffers, and when each is due.

    Parameters
    ----------
    buffers : list of Buffer
        All rows, once.
    order : list of (int, int)
        For each call, the number of the buffer and that of the batch in it.
    """

    buffers: list[Buffer]
    order: list[tuple[int, int]]

    def runs(self, done: int, reach: int) -> Iterator[tuple[int, list[int]]]:
        """Yield, for calls from `done` to `reach`, a buffer and batches due of it."""
        run: list[int] = []
        for call in range(done, reach):
            buffer, batch = self.order[call]
            run.append(batch)
            if call + 1 == reach or self.order[call + 1][0] != buffer:
                yield buffer, run
                run = []


def batches_here(X: Any, rows: Any, most: int, random: Any) -> Batches:
    """Mix and cut rows that are in memory.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_rows, n_columns)
        Not copied before a batch is due.
    rows : ndarray of int
        Which rows, ascending.
    most : int
        Calls of `partial_fit` to come.
    random : RandomState
        Decides the mixing and the order.
    """
    buffer = Buffer([X], [rows], _n_batches(len(rows), most), _seed(random))
    return Batches([buffer], _order([buffer], most, random))


def batches_of_blocks(
    X: Any, rows: Any, target: Any, most: int, random: Any
) -> Batches:
    """Mix and cut rows of a dask array.

    Parameters
    ----------
    X : dask array of shape (n_rows, n_columns)
        One block across the columns; nothing of it is computed.
    rows : ndarray of int
        Which rows, ascending.
    target : ndarray of shape (n_rows,) or None
        Numbers, by which blocks are dealt to buffers.
    most, random : int, RandomState
        As for `batches_here`.
    """
    from sklearn_dask_auto.inputs.entry import Rows
    from sklearn_dask_auto.inputs.take import take_rows
    from sklearn_dask_auto.kernels.streaming import deal

    taken = take_rows(X, X.chunks[0], rows)
    stops = np.cumsum(taken.chunks[0])
    parts = np.split(rows, stops[:-1])
    means = [0.0 if target is None else float(target[p].mean()) for p in parts]
    dealt = deal(Rows(taken), np.array(means), random)
    blocks = taken.to_delayed().ravel()
    one = _n_batches(len(rows), most) if len(dealt) == 1 else None
    buffers = [
        Buffer(
            [blocks[i] for i in numbers],
            [parts[i] for i in numbers],
            one or len(numbers),
            _seed(random),
        )
        for numbers in dealt
    ]
    return Batches(buffers, _order(buffers, most, random))


def put_together(*blocks: Any) -> Any:
    """Put blocks of rows one after another; a single one is left as it is."""
    from sklearn_dask_auto.inputs.assemble import concatenated

    return blocks[0] if len(blocks) == 1 else concatenated(blocks)


def _n_batches(n_rows: int, most: int) -> int:
    return max(1, min(most, n_rows // SMALLEST_BATCH))


def _seed(random: Any) -> int:
    return int(random.randint(2**31 - 1))


def _order(buffers: list[Buffer], most: int, random: Any) -> list[tuple[int, int]]:
    """Take every batch once a pass, buffer by buffer, each pass in a new order."""
    order: list[tuple[int, int]] = []
    while len(order) < most:
        for number in random.permutation(len(buffers)).tolist():
            batches = random.permutation(buffers[number].n_batches).tolist()
            order += [(number, batch) for batch in batches]
    return order[:most]
