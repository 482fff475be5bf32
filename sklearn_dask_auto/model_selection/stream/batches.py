"""Rows as batches: what one call of `partial_fit` learns from.

Rows are mixed before they are cut into batches, as they may come sorted by label. What
is in memory is mixed as a whole. The blocks of a collection are dealt to buffers, each
with some of low, of middle and of high targets, and the rows of a buffer are mixed. A
collection that fits into one buffer is so cut as the same rows in memory are, however
many blocks it has.

Buffers are those of all splits: one is loaded when the first batch of any split is due,
and let go after the last, and each split takes from it what it trains on.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_dask_auto.inputs import count_rows

__all__ = ["Batches", "Buffer", "batches_here", "batches_of_blocks", "put_together"]

SMALLEST_BATCH = 256
"""Rows of a buffer are cut into as many batches as there are calls, none smaller."""


@dataclass(frozen=True)
class Buffer:
    """Rows that are loaded together.

    Parameters
    ----------
    blocks : list
        Delayed values; or `X` alone, which is in memory, whole.
    bounds : list of (int, int)
        For each block, the number of its first row and of the first after it.
    seed : int
        Decides how the rows that a split takes are mixed.
    """

    blocks: list[Any]
    bounds: list[tuple[int, int]]
    seed: int

    def load(self) -> Any:
        """Return the rows, lazily."""
        from dask.delayed import Delayed, delayed

        if isinstance(self.blocks[0], Delayed):
            return delayed(put_together, pure=False)(*self.blocks)
        return delayed(self.blocks[0], pure=False, traverse=False)

    def taken(self, rows: Any) -> Any:
        """Return those of some rows, given and returned in order, that are here."""
        borders = np.searchsorted(rows, self.bounds)
        return np.concatenate([rows[start:stop] for start, stop in borders])

    def places(self, rows: Any) -> Any:
        """Return where rows are that it has, by their numbers."""
        numbers = np.concatenate([np.arange(*bound) for bound in self.bounds])
        return np.searchsorted(numbers, rows)


@dataclass(frozen=True)
class Batches:
    """The batches of one split, and when each is due.

    How rows are mixed is found out again each time, as it takes space for every row.

    Parameters
    ----------
    buffers : list of Buffer
        All rows, once.
    rows : ndarray of int
        Which of them the split takes, ascending.
    n_batches : list of int
        To cut what is taken of each buffer into.
    order : list of (int, int, int)
        For each call, which turn of a buffer it is in, the number of the buffer, and
        that of the batch in it. All splits have the same turns.
    """

    buffers: list[Buffer]
    rows: Any
    n_batches: list[int]
    order: list[tuple[int, int, int]]

    def cut(self, number: int) -> list[tuple[Any, Any]]:
        """Return the batches of a buffer: places of rows in it, and their numbers."""
        buffer = self.buffers[number]
        rows = buffer.taken(self.rows)
        order = np.random.RandomState(buffer.seed).permutation(len(rows))
        places = buffer.places(rows)
        parts = np.array_split(order, self.n_batches[number])
        return [(places[part], rows[part]) for part in parts]

    def runs(self, done: int, reach: int) -> Iterator[tuple[int, int, list[int]]]:
        """Yield, for calls from `done` to `reach`: turn, buffer, and batches of it."""
        run: list[int] = []
        for call in range(done, reach):
            turn, buffer, batch = self.order[call]
            run.append(batch)
            if call + 1 == reach or self.order[call + 1][0] != turn:
                yield turn, buffer, run
                run = []


def batches_here(X: Any, several: list[Any], most: int, seed: int) -> list[Batches]:
    """Cut, for each of several splits, rows that are in memory.

    Parameters
    ----------
    X : array-like or sparse matrix of shape (n_rows, n_columns)
        Not copied before a batch is due.
    several : list of ndarray of int
        Which rows each split takes, ascending.
    most : int
        Calls of `partial_fit` to come.
    seed : int
        Decides the mixing and the order.
    """
    random = np.random.RandomState(seed)
    buffers = [Buffer([X], [(0, count_rows(X))], _seed(random))]
    return [_batches(buffers, rows, most, random) for rows in several]


def batches_of_blocks(
    X: Any, target: Any, several: list[Any], most: int, seed: int
) -> list[Batches]:
    """Cut, for each of several splits, rows of a dask array.

    Parameters
    ----------
    X : dask array of shape (n_rows, n_columns)
        One block across the columns; nothing of it is computed.
    target : ndarray of shape (n_rows,) or None
        Numbers, by which blocks are dealt to buffers.
    several, most, seed : list of ndarray of int, int, int
        As for `batches_here`.
    """
    from sklearn_dask_auto.inputs.entry import Rows
    from sklearn_dask_auto.kernels.streaming import deal

    random = np.random.RandomState(seed)
    stops = np.cumsum(X.chunks[0]).tolist()
    bounds = list(zip([0, *stops[:-1]], stops, strict=True))
    means = [
        0.0 if target is None else float(target[start:stop].mean())
        for start, stop in bounds
        if start < stop
    ]
    dealt = deal(Rows(X), np.array(means), random)
    blocks = X.to_delayed(optimize_graph=False).ravel()
    buffers = [
        Buffer([blocks[i] for i in few], [bounds[i] for i in few], _seed(random))
        for few in dealt
    ]
    return [_batches(buffers, rows, most, random) for rows in several]


def put_together(*blocks: Any) -> Any:
    """Put blocks of rows one after another; a single one is left as it is."""
    from sklearn_dask_auto.inputs.assemble import concatenated

    return blocks[0] if len(blocks) == 1 else concatenated(blocks)


def _batches(buffers: list[Buffer], rows: Any, most: int, random: Any) -> Batches:
    """Cut the rows of one split; all splits are given the same state of `random`."""
    if len(buffers) == 1 or not len(rows):
        n_batches = [max(1, min(most, len(rows) // SMALLEST_BATCH))] * len(buffers)
    else:
        n_batches = [min(len(b.blocks), len(b.taken(rows))) for b in buffers]
    order = _order(n_batches, most, copy.deepcopy(random))
    return Batches(buffers, rows, n_batches, order)


def _seed(random: Any) -> int:
    return int(random.randint(2**31 - 1))


def _order(n_batches: list[int], most: int, random: Any) -> list[tuple[int, int, int]]:
    """Take every batch once a pass, buffer by buffer, each pass in a new order."""
    order: list[tuple[int, int, int]] = []
    # Of its own: so the turns of buffers do not depend on how many batches they have.
    within = np.random.RandomState(_seed(random))
    turn = 0
    while len(order) < most:
        for number in random.permutation(len(n_batches)).tolist():
            batches = within.permutation(n_batches[number]).tolist()
            order += [(turn, number, batch) for batch in batches]
            turn += 1
    return order[:most]
