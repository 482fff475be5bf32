"""The one driver: a pass over row blocks, on any scheduler.

`Pass(rows).fold(summarise, merge, state)` makes one pass. Neighbouring blocks are
worked on together, in one task that goes through them one after another, because a task
costs the scheduler the same whether its block is large or small; blocks that lie on the
workers of a cluster are put together with blocks of the same worker. The totals of the
tasks are merged in a tree. `scan` is for what depends on the order of the rows: it goes
through the groups one after another.

A kernel writes two functions, and keeps to this:

- ``summarise(block, beside, start, state)`` returns the statistics of a block, or None
  if it has nothing to add: no rows, or only something to check.
- ``merge(a, b)`` returns the statistics of both sets of rows together. It changes
  neither, is associative, gives the same in any order but for rounding and the order of
  lists, and is never called with None.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Generic, TypeVar
from uuid import uuid4

import dask
import numpy as np
from dask.delayed import Delayed
from dask.highlevelgraph import HighLevelGraph

from sklearn_dask_auto.inputs.columns import Columns
from sklearn_dask_auto.inputs.describe import is_stored
from sklearn_dask_auto.inputs.entry import Rows, float_block
from sklearn_dask_auto.inputs.scheduler import block_workers, compute, thread_count
from sklearn_dask_auto.routing.cost import GROUP_BYTES

__all__ = ["Pass"]

T = TypeVar("T")
Summarise = Callable[[Any, dict[str, Any], Any, Any], T | None]
"""(block, what lies beside it by name, index of its first row, state) -> statistics."""
Advance = Callable[[Any, dict[str, Any], int, T], T]
"""The same, but for the state, which is that after the rows before."""

FAN_IN = 8
"""Totals merged by one task of the tree."""
TURNS = 4
"""Groups for each thread, unless they would be smaller or larger than the limits."""
LEAST_GROUP_BYTES = 8_000_000


class Pass:
    """Row blocks in groups, ready for any number of passes.

    Parameters
    ----------
    rows : Rows or Columns
        The input, after the entry rules. Of columns, whose sizes are unknown, each
        block is a task, empty ones too, and the index of its first row is None.
    """

    def __init__(self, rows: Rows | Columns) -> None:
        self.rows: Any = rows
        self._names = list(rows.beside)
        dtype = rows.dtype if isinstance(rows, Rows) else None
        self._dtype = dtype if dtype is not None and dtype.kind == "f" else None
        self._arrays = [_optimized(a) for a in (rows.X, *rows.beside.values())]
        if isinstance(rows, Columns):
            groups = [[i] for i in range(rows.X.npartitions)]
        else:
            groups = _groups(rows)
        self._groups = self._with_keys(groups)

    def fold(
        self, summarise: Summarise[T], merge: Callable[[T, T], T], state: Any = None
    ) -> T:
        """Pass over all rows once.

        Parameters
        ----------
        summarise : callable
            ``summarise(block, beside, start, state)`` returns a block's statistics, or
            None. It must not change its arguments.
        merge : callable
            ``merge(a, b)`` joins the statistics of two sets of rows; see above.
        state : object, default=None
            The same for every block.

        Returns
        -------
        statistics : object
            Of all rows together; None if no block has any.
        """
        name = f"fold-{uuid4().hex}"
        work = f"work-{name}"
        layer: dict[Any, Any] = {
            work: _Work(self._names, self._dtype, summarise, merge, state)
        }
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

    def scan(self, advance: Advance[T], state: T) -> T:
        """Pass over all rows once, in their order.

        Only the blocks of one group are in memory at a time, beside the state.

        Parameters
        ----------
        advance : callable
            ``advance(block, beside, start, state)`` returns the state after the rows
            of the block. It must not change its arguments.
        state : object
            Before the first row.

        Returns
        -------
        state : object
            After the last.
        """
        for group in _runs(self.rows):
            state = self.apply(_Advance(advance), group, state)
        return state

    def apply(
        self, function: Callable[[list[Any], Any], Any], group: list[int], state: Any
    ) -> Any:
        """Call a function once, on some blocks together.

        Parameters
        ----------
        function : callable
            ``function(parts, state)``, where each part is a block, what lies beside it
            by name, and the index of its first row. It must not change its arguments.
        group : list of int
            Numbers of the blocks.
        state : object
            Handed on to `function`.

        Returns
        -------
        result : object
        """
        ((starts, blocks),) = self._with_keys([group])
        name = f"apply-{uuid4().hex}"
        work = f"work-{name}"
        layer = {
            work: _Call(self._names, self._dtype, function, state),
            name: (_called, work, starts, blocks),
        }
        graph = HighLevelGraph.from_collections(name, layer, self._arrays)
        (result,) = compute(Delayed(name, graph, layer=name))
        return result

    def _with_keys(self, groups: list[list[int]]) -> list[tuple[list[int], Any]]:
        """Return, for groups of block numbers, first rows and keys of all arrays."""
        keys = [_row_keys(array) for array in self._arrays]
        starts: list[Any] = [None] * len(keys[0])
        if isinstance(self.rows, Rows):
            starts = [0, *accumulate(self.rows.sizes)]
        return [
            ([starts[i] for i in group], [[k[i] for i in group] for k in keys])
            for group in groups
        ]


@dataclass(frozen=True)
class _Reader:
    """What a task needs to know of the blocks that it is given.

    Parameters
    ----------
    names : list of str
        Of what lies beside the rows.
    dtype : dtype or None
        Of rows of numbers; None of labels, and of columns, which are as they are.
    """

    names: list[str]
    dtype: np.dtype[Any] | None

    def parts(
        self, starts: list[int], arrays: list[list[Any]]
    ) -> Iterator[tuple[Any, dict[str, Any], int]]:
        """Yield each block, what lies beside it, and the index of its first row."""
        for start, block, *beside in zip(starts, *arrays, strict=True):
            named = zip(self.names, beside, strict=True)
            yield (
                _read_only(self._as_declared(block)),
                {name: _read_only(value) for name, value in named},
                start,
            )

    def _as_declared(self, block: Any) -> Any:
        """Return a block in the dtype that its array says it has; it may have another.

        Nobody checks what functions, of which arrays are made, return.
        """
        if self.dtype is None or block.dtype == self.dtype:
            return block
        return float_block(block, self.dtype)


@dataclass(frozen=True)
class _Work(_Reader, Generic[T]):
    """What every task of a pass needs, as one node of its graph."""

    summarise: Summarise[T]
    merge: Callable[[T, T], T]
    state: Any


@dataclass(frozen=True)
class _Call(_Reader):
    """What the task of `apply` needs, as one node of its graph."""

    function: Callable[[list[Any], Any], Any]
    state: Any


@dataclass(frozen=True)
class _Advance(Generic[T]):
    """Go through the blocks of a group one after another."""

    advance: Advance[T]

    def __call__(self, parts: list[Any], state: T) -> T:
        for block, beside, start in parts:
            state = self.advance(block, beside, start, state)
        return state


def _group_total(
    work: _Work[T], starts: list[int], arrays: list[list[Any]]
) -> T | None:
    parts = work.parts(starts, arrays)
    return _merge_all(work, (work.summarise(*part, work.state) for part in parts))


def _called(work: _Call, starts: list[int], arrays: list[list[Any]]) -> Any:
    return work.function([*work.parts(starts, arrays)], work.state)


def _read_only(block: Any) -> Any:
    """Return a view that cannot be written to: blocks are the caller's.

    Blocks from a file or another worker are so anyway, and code that is compiled for
    the one kind would be compiled again for the other.
    """
    if isinstance(block, np.ndarray):
        block = block.view()
        block.flags.writeable = False
    return block


def _merge_all(work: _Work[T], parts: Iterable[T | None]) -> T | None:
    total: T | None = None
    for part in parts:
        if total is None or part is None:
            total = part if total is None else total
        else:
            total = work.merge(total, part)
    return total


def _optimized(array: Any) -> Any:
    """Optimize a lazy array once, rather than in every pass.

    The graph of a stored one must stay: dask's optimizer forgets entries that are
    futures.
    """
    if is_stored(array):
        return array
    if not hasattr(array, "numblocks"):
        # A frame has settled; and dask.optimize fails on delayed parts (dask 2026.8).
        return array
    return dask.optimize(array)[0]


def _row_keys(array: Any) -> list[Any]:
    """Return the key of each row block; there is one block across the columns."""
    # The keys of an array are nested in lists, one for each dimension.
    return [k[0] if isinstance(k, list) else k for k in array.__dask_keys__()]


def _groups(rows: Rows) -> list[list[int]]:
    """Put blocks together up to `GROUP_BYTES`, but enough groups for every thread.

    Of large input there are several for each, as the last to end is waited for.
    """
    share = rows.n_rows * _row_bytes(rows) // thread_count()
    limit = min(GROUP_BYTES, max(share // TURNS, min(share, LEAST_GROUP_BYTES)))
    groups: list[list[int]] = []
    filling: dict[str, tuple[list[int], int]] = {}
    for i, size, worker in _placed(rows):
        group, held = filling.get(worker, ([], 0))
        if not group or held + size > limit:
            group, held = [], 0
            groups.append(group)
        group.append(i)
        filling[worker] = (group, held + size)
    return groups


def _runs(rows: Rows) -> list[list[int]]:
    """Put neighbours together up to `GROUP_BYTES`, if one worker holds them."""
    groups: list[list[int]] = []
    held, holder = 0, None
    for i, size, worker in _placed(rows):
        if held >= GROUP_BYTES or worker != holder:
            groups.append([])
            held, holder = 0, worker
        groups[-1].append(i)
        held += size
    return groups


def _placed(rows: Rows) -> Iterator[tuple[int, int, str]]:
    """Yield number, bytes and worker of each block that has rows."""
    stored = is_stored(rows.X)
    workers = block_workers(rows.X) if stored else [""] * len(rows.sizes)
    for i, (size, worker) in enumerate(zip(rows.sizes, workers, strict=True)):
        if size:
            yield i, size * _row_bytes(rows), worker


def _row_bytes(rows: Rows) -> int:
    return rows.n_columns * rows.dtype.itemsize
