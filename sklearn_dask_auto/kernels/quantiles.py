"""Quantiles of every column, exact however the rows are cut, in few passes.

The first pass counts, finds extremes and takes a sample of rows, which brackets every
order statistic that is asked for. The second counts the values below each bracket and
collects those inside. Where these are too many to hold, it counts them in the cells
between the values of the sample instead, and further passes split and count the cells
that hold what is sought, until the rest can be collected. A bracket that misses only
costs a pass. The idea is that of Munro and Paterson (1980), "Selection and sorting with
limited storage"; the bracket from a sample that of Floyd and Rivest (1975).

Passes: one for as many rows as the sample has, two up to about 2,000,000 rows of 20
columns and three quantiles, three beyond. Memory: the sample, `SAMPLE_VALUES` values or
`LEAST_SAMPLE_ROWS` rows, and for each task what `cells` collects and counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numba import njit

from sklearn_dask_auto.kernels.cells import (
    MOST_COLLECTED,
    Cells,
    Tally,
    dense_parts,
    merge_tallies,
    tally,
)
from sklearn_dask_auto.kernels.column_statistics import (
    Extremes,
    extremes_of,
    merge_extremes,
)
from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.kernels.row_numbers import uniform_by_row

__all__ = ["Neighbours", "neighbours"]

SAMPLE_VALUES = 2_000_000
LEAST_SAMPLE_ROWS, MOST_SAMPLE_ROWS = 1_000, 20_000
MOST_BORDERS = 1_000_000
"""Borders that values are counted between, of all columns together."""
MOST_SPLITS = 1024
DEVIATIONS = 4.0
"""Half the width of a bracket, in standard deviations of a rank in the sample."""


@dataclass(frozen=True)
class Neighbours:
    """The order statistics on both sides of each quantile.

    Parameters
    ----------
    lower, upper : ndarray of shape (n_fractions, n_columns)
        In the dtype of the rows; NaN for a column without values.
    share : ndarray of shape (n_fractions, n_columns)
        How far the quantile is from the lower to the upper one, from 0 to 1.
    """

    lower: Any
    upper: Any
    share: Any

    def interpolated(self) -> Any:
        """Return quantiles as `numpy.nanquantile` does, by its arithmetic."""
        gap = self.upper - self.lower
        from_below = self.lower + gap * self.share
        from_above = self.upper - gap * (1 - self.share)
        return np.where(self.share < 0.5, from_below, from_above)

    def midpoints(self) -> Any:
        """Return medians as `numpy.nanmedian` does, for fractions that are 1/2."""
        means = (self.lower + self.upper) / 2
        return np.where(self.share == 0, self.lower, means)


def neighbours(
    blocks: Pass, fractions: Sequence[float], estimator_name: str
) -> Neighbours:
    """Select from every column the values that its quantiles lie between.

    Parameters
    ----------
    blocks : Pass
        Rows, dense or sparse. NaN is left out.
    fractions : sequence of float
        From 0 to 1, in any order.
    estimator_name : str
        For the error.

    Returns
    -------
    neighbours : Neighbours
        Exact.

    Raises
    ------
    ValueError
        scikit-learn's, if a value is infinite.
    """
    rows = blocks.rows
    n_sampled = SAMPLE_VALUES // rows.n_columns
    n_sampled = min(max(n_sampled, LEAST_SAMPLE_ROWS), MOST_SAMPLE_ROWS)
    first = blocks.fold(
        partial(_first_look, estimator_name), _merge_looks, n_sampled / rows.n_rows
    )
    places = np.multiply.outer(np.asarray(fractions, float), first.count - 1.0)
    below = np.floor(places).clip(0).astype(np.int64)
    above = np.minimum(below + 1, first.count - 1).clip(0)
    ranks = [np.unique([below[:, j], above[:, j]]) for j in range(rows.n_columns)]
    search = _Search(first, ranks)
    if rows.n_rows <= n_sampled:
        search.finish()
    while search.is_open.any():
        cells = search.cells()
        search.narrow(cells, blocks.fold(_count, merge_tallies, cells))
    return Neighbours(search.values(below), search.values(above), places - below)


@dataclass(frozen=True)
class _Look:
    """What the first pass learns.

    `count` has the values of each column that are not missing, `sample` arrays of rows.
    """

    count: Any
    extremes: Extremes
    sample: list[Any]


def _first_look(
    name: str, block: Any, beside: dict[str, Any], start: int, share: float
) -> _Look:
    extremes = extremes_of(block, name)
    count = np.zeros(block.shape[1], np.int64)
    for part in dense_parts(block):
        _add_counts(part, count)
    is_drawn = uniform_by_row(np.uint64(0), np.uint64(start), block.shape[0]) < share
    drawn = block[np.flatnonzero(is_drawn)]
    return _Look(count, extremes, list(dense_parts(drawn)))


def _merge_looks(a: _Look, b: _Look) -> _Look:
    extremes = merge_extremes(a.extremes, b.extremes)
    return _Look(a.count + b.count, extremes, a.sample + b.sample)


def _count(block: Any, beside: dict[str, Any], start: int, cells: Cells) -> Tally:
    return tally(block, cells)


class _Search:
    """Order statistics that are sought, each in an interval that holds it.

    Flat arrays, with one entry for each: its `column`, its `rank` among the values of
    that column, the interval ``(low, high]``, `inside`, the number of values there, and
    `value`, once it is not `is_open` any more.
    """

    def __init__(self, first: _Look, ranks: list[Any]) -> None:
        self.sample = _sorted_columns(first.sample)
        self.count = first.count
        self.ends = first.extremes.minimum, first.extremes.maximum
        self.column = np.repeat(np.arange(len(ranks)), [len(r) for r in ranks])
        self.rank = np.concatenate(ranks)
        self.starts = np.cumsum([0, *map(len, ranks)])
        minimum, maximum = (end[self.column] for end in self.ends)
        n_values = self.count[self.column]
        self.low, self.high = np.nextafter(minimum, -np.inf), maximum
        self.inside = n_values.astype(float)
        self.value = np.where(self.rank == n_values - 1, maximum, minimum)
        self.is_open = (self.rank > 0) & (self.rank < n_values - 1)
        self.is_open &= minimum < maximum
        self._is_first = True

    def values(self, ranks: Any) -> Any:
        """Return what was found, for ranks of shape (n_fractions, n_columns)."""
        found = np.empty(ranks.shape, self.value.dtype)
        for j in range(ranks.shape[1]):
            mine = slice(self.starts[j], self.starts[j + 1])
            places = np.searchsorted(self.rank[mine], ranks[:, j])
            found[:, j] = self.value[mine][places]
        return found

    def finish(self) -> None:
        """Take the sample for all rows."""
        for k in np.flatnonzero(self.is_open):
            self.value[k] = self.sample[self.column[k]][self.rank[k]]
        self.is_open[:] = False

    def cells(self) -> Cells:
        """Choose what to count in the next pass."""
        if self._is_first:
            self._is_first = False
            return self._bracketed()
        intervals = {}
        for k in np.flatnonzero(self.is_open):
            intervals[self.column[k], self.low[k]] = self.high[k], self.inside[k]
        collects = sum(n for _, n in intervals.values()) <= MOST_COLLECTED
        n_splits = min(MOST_SPLITS, max(4, MOST_BORDERS // len(intervals)))
        borders: list[list[Any]] = [[] for _ in self.count]
        for (j, low), (high, _) in intervals.items():
            inner = [] if collects else _split(low, high, n_splits)
            borders[j].append(np.asarray([low, *inner, high], self.value.dtype))
        return self._cells(borders, collects)

    def narrow(self, cells: Cells, total: Tally) -> None:
        """Learn from a pass in which cells the order statistics are."""
        up_to = np.cumsum(total.counts, axis=1)
        collected = _by_column(total.parts, len(self.count))
        wanted = np.where(cells.is_wanted, total.counts, 0)
        wanted_up_to = np.cumsum(wanted, axis=1)
        for k in np.flatnonzero(self.is_open):
            j = self.column[k]
            cell = int(np.searchsorted(up_to[j], self.rank[k], side="right"))
            self.low[k], self.high[k] = cells.borders[j, cell - 1 : cell + 1]
            self.inside[k] = total.counts[j, cell]
            if _is_one_value(self.low[k], self.high[k]):
                self.value[k] = self.high[k]
            elif cells.is_wanted[j, cell] and collected is not None:
                place = self.rank[k] - up_to[j, cell] + wanted_up_to[j, cell]
                self.value[k] = collected[j][place]
            else:
                continue
            self.is_open[k] = False

    def _bracketed(self) -> Cells:
        """Bracket each order statistic by values of the sample."""
        near = [np.zeros(len(sample) + 1, np.int64) for sample in self.sample]
        for k in np.flatnonzero(self.is_open):
            j = self.column[k]
            size = len(self.sample[j])
            share = (self.rank[k] + 0.5) / self.count[j]
            margin = DEVIATIONS * np.sqrt(size * share * (1 - share)) + 2
            near[j][max(0, int(size * share - margin))] += 1
            near[j][min(size, int(size * share + margin) + 1)] -= 1
        is_near = [np.cumsum(change)[:-1] > 0 for change in near]
        n_near = sum(int(mask.sum()) for mask in is_near)
        pairs = zip(self.count, is_near, strict=True)
        inside = sum(n * (mask.mean() if len(mask) else 1) for n, mask in pairs)
        collects = inside <= MOST_COLLECTED
        stride = 1 + n_near // MOST_BORDERS
        pairs = zip(self.sample, is_near, strict=True)
        return self._cells(
            [_borders_of(s, mask, collects, stride) for s, mask in pairs], collects
        )

    def _cells(self, borders: list[list[Any]], collects: bool) -> Cells:
        """Put borders side by side; each array of them brackets what is sought."""
        dtype = self.value.dtype
        lows, highs = np.nextafter(self.ends[0], -np.inf), self.ends[1]
        rows = [
            np.unique(np.concatenate([[low, high], *arrays]).astype(dtype))
            for low, high, arrays in zip(lows, highs, borders, strict=True)
        ]
        width = max(map(len, rows))
        padded = np.full((len(rows), width), np.inf, dtype)
        is_wanted = np.zeros((len(rows), width + 1), bool)
        for j, row in enumerate(rows):
            padded[j, : len(row)] = row
            for bracket in borders[j] if collects else []:
                ends = np.searchsorted(row, [bracket[0], bracket[-1]])
                is_wanted[j, ends[0] + 1 : ends[1] + 1] = True
            is_wanted[j, 1 : len(row)] &= ~_is_one_value(row[:-1], row[1:])
        return Cells(padded, is_wanted)


def _sorted_columns(sample: list[Any]) -> list[Any]:
    """Return the values of each column that are not missing, in order."""
    rows = np.concatenate(sample)
    rows.sort(axis=0)
    # NaN comes last.
    counts = (rows == rows).sum(axis=0)
    return [rows[:n, j] for j, n in enumerate(counts)]


def _borders_of(sample: Any, is_near: Any, collects: bool, stride: int) -> list[Any]:
    """Return the borders of each run of the sample that is near what is sought.

    A value that repeats in the sample may fill much of a column, and has a cell of its
    own, so that it need not be collected.
    """
    if not len(sample):
        return [np.array([-np.inf, np.inf])]
    edges = np.flatnonzero(np.diff(np.r_[False, is_near, False].astype(int)))
    found = []
    for start, stop in edges.reshape(-1, 2):
        run = sample[start:stop]
        often = run[1:][run[1:] == run[:-1]]
        inner = [] if collects else run[::stride]
        # The bracket is open where it ends with the sample.
        low = [-np.inf] if start == 0 else run[:1]
        high = [np.inf] if stop == len(sample) else run[-1:]
        alone = np.nextafter(often, -np.inf), often
        found.append(np.unique(np.concatenate([low, inner, *alone, high])))
    return found


def _is_one_value(low: Any, high: Any) -> Any:
    """Tell whether the interval ``(low, high]`` holds but one number."""
    return np.nextafter(low, np.inf, dtype=low.dtype) == high


def _split(low: Any, high: Any, n_splits: int) -> Any:
    """Split an interval, so that each part holds as many numbers of the dtype."""
    first, last = (int(_keys(np.asarray(end))) for end in (low, high))
    step = max(1, (last - first) // n_splits)
    keys = [first + step * i for i in range(1, n_splits) if first + step * i < last]
    return _from_keys(np.asarray(keys, _KEYS[low.dtype.itemsize]), low.dtype)


_KEYS = {4: np.int32, 8: np.int64}


def _keys(values: Any) -> Any:
    """Number floating-point values in their order."""
    bits = values.view(_KEYS[values.dtype.itemsize])
    return np.where(bits < 0, bits ^ np.iinfo(bits.dtype).max, bits)


def _from_keys(keys: Any, dtype: Any) -> Any:
    return np.where(keys < 0, keys ^ np.iinfo(keys.dtype).max, keys).view(dtype)


def _by_column(parts: list[tuple[Any, Any]] | None, n_columns: int) -> Any:
    """Sort what was collected; return an array for each column, or None."""
    if parts is None:
        return None
    ends = np.zeros(n_columns + 1, np.int64)
    for column, _ in parts:
        ends[1:] += np.bincount(column, minlength=n_columns)
    np.cumsum(ends, out=ends)
    grouped = np.empty(ends[-1], parts[0][1].dtype)
    places = ends[:-1].copy()
    for column, value in parts:
        _place(column, value, places, grouped)
    columns = np.split(grouped, ends[1:-1])
    for values in columns:
        values.sort()
    return columns


@njit(nogil=True, cache=True)
def _place(column, value, places, grouped):  # type: ignore[no-untyped-def]
    """Put values where those of their column are; move the places on."""
    for i in range(len(value)):
        j = column[i]
        grouped[places[j]] = value[i]
        places[j] += 1


@njit(nogil=True, cache=True)
def _add_counts(X, count):  # type: ignore[no-untyped-def]
    n_rows, n_columns = X.shape
    for i in range(n_rows):
        for j in range(n_columns):
            count[j] += X[i, j] == X[i, j]
