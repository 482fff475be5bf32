"""The one driver: a pass over row blocks, on any scheduler.

`fold(rows, summarise, merge, state)` makes one pass. Neighbouring blocks are worked on
together, in one task that goes through them one after another, because a task costs
the scheduler the same whether its block is large or small; blocks that lie on the
workers of a cluster are put together with blocks of the same worker. The totals of the
tasks are merged in a tree.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Generic, TypeVar
from uuid import uuid4

import dask
from dask.delayed import Delayed
from dask.highlevelgraph import HighLevelGraph

from sklearn_dask_auto.inputs.describe import is_stored
from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.inputs.scheduler import block_workers, compute, thread_count
from sklearn_dask_auto.routing.cost import GROUP_BYTES

__all__ = ["Pass"]

T = TypeVar("T")
Summarise = Callable[[Any, dict[str, Any], int, Any], T]
"""(block, what lies beside it by name, index of its first row, state) -> statistics."""

FAN_IN = 8
"""Totals merged by one task of the tree."""


class Pass:
    """Row blocks in groups, ready for any number of passes.

    Parameters
    ----------
    rows : Rows
        The input, after the entry rules.
    """

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self._names = list(rows.beside)
        self._arrays = [_optimized(a) for a in (rows.X, *rows.beside.values())]
        starts = [0, *accumulate(rows.sizes)]
        keys = [_row_keys(array) for array in self._arrays]
        self._groups = [
            ([starts[i] for i in group], [[k[i] for i in group] for k in keys])
            for group in _groups(rows)
        ]

    def fold(
        self, summarise: Summarise[T], merge: Callable[[T, T], T], state: Any = None
    ) -> T:
        """Pass over all rows once.

        Parameters
        ----------
        summarise : callable
            ``summarise(block, beside, start, state)`` returns a block's statistics.
            It must not change its arguments.
        merge : callable
            ``merge(a, b)`` joins the statistics of two sets of rows; associative.
        state : object, default=None
            The same for every block.

        Returns
        -------
        statistics : object
            Of all rows together.
        """
        name = f"fold-{uuid4().hex}"
        work = f"work-{name}"
        layer: dict[Any, Any] = {work: _Work(summarise, merge, state, self._names)}
        level = [(name, 0, i) for i in range(len(self._groups))]
        for key, (starts, blocks) in zip(level, self._groups, strict=True):
            layer[key] = (_group_total, work, starts, blocks)
        while len(level) > 1:
            depth, below = level[0][1] + 1, level
            level = [(name, depth, i) for i in range(-(-len(below) // FAN_IN))]
            for i, key in enumerate(level):
                layer[key] = (_merge_all, work, below[i * FAN_IN : (i + 1) * FAN_IN])
        graph = HighLevelGraph.from_collections(name, layer, self._arrays)
        (total,) = compute(Delayed(level[0], graph, layer=name))
        return total


@dataclass(frozen=True)
class _Work(Generic[T]):
    """What every task of a pass needs, as one node of its graph."""

    summarise: Summarise[T]
    merge: Callable[[T, T], T]
    state: Any
    names: list[str]


def _group_total(work: _Work[T], starts: list[int], arrays: list[list[Any]]) -> T:
    blocks, *beside = arrays
    return _merge_all(
        work,
        (
            work.summarise(
                block,
                {name: b[i] for name, b in zip(work.names, beside, strict=True)},
                start,
                work.state,
            )
            for i, (start, block) in enumerate(zip(starts, blocks, strict=True))
        ),
    )


def _merge_all(work: _Work[T], parts: Iterable[T]) -> T:
    parts = iter(parts)
    total = next(parts)
    for part in parts:
        total = work.merge(total, part)
    return total


def _optimized(array: Any) -> Any:
    """Optimize a lazy array once, rather than in every pass.

    The graph of a stored one must stay: dask's optimizer forgets entries that are
    futures.
    """
    return array if is_stored(array) else dask.optimize(array)[0]


def _row_keys(array: Any) -> list[Any]:
    """Return the key of each row block; there is one block across the columns."""
    keys = array.__dask_keys__()
    return keys if array.ndim == 1 else [row[0] for row in keys]


def _groups(rows: Rows) -> list[list[int]]:
    """Put blocks together up to `GROUP_BYTES`, but enough groups for every thread."""
    threads = thread_count()
    stored = is_stored(rows.X)
    workers = block_workers(rows.X) if stored else [""] * len(rows.sizes)
    row_bytes = rows.n_columns * rows.dtype.itemsize
    limit = max(1, min(GROUP_BYTES, rows.n_rows * row_bytes // threads))
    groups: list[list[int]] = []
    filling: dict[str, tuple[list[int], int]] = {}
    for i, (size, worker) in enumerate(zip(rows.sizes, workers, strict=True)):
        if size == 0:
            continue
        group, held = filling.get(worker, ([], limit))
        if held >= limit:
            group, held = [], 0
            groups.append(group)
        group.append(i)
        filling[worker] = (group, held + size * row_bytes)
    return groups
