"""MiniBatchKMeans on row blocks: scikit-learn's steps, on batches fetched ahead.

Which rows a batch consists of depends on the seed and the weights alone, and so is
known long before the batch is worked on. One pass fetches the rows of a window of
batches, from wherever they are, and the steps run here. The draws are scikit-learn's
own for the same `random_state`, except those that move a center no row is near to:
these would change the batches to come, and so are drawn from a stream of their own.

On many rows scikit-learn's rule to stop asks for batches of half of them or more, of
which a window holds few. So windows grow, and the last one stays: once it is as large
as memory allows, and as large as a sample that stands for all rows, further batches are
drawn from it. It is a sample of all rows, by weight, whatever their order.

Passes: one for finite values, variances and the rows that centers are seeded from; one
for each further of `n_init` seedings; one for each window; one for the labels. Where
there are weights, one over them alone before the first and before each window.
"""

import copy
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_random_state

from sklearn_dask_auto._sklearn import mini_batch_step, openmp_threads
from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.inputs.threads import bounded_blas, bounded_threads
from sklearn_dask_auto.kernels import kmeans
from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.kernels.lloyd import nearest
from sklearn_dask_auto.kernels.lottery import (
    Lottery,
    fetch,
    fetch_block,
    merge_parts,
    put_together,
)
from sklearn_dask_auto.kernels.moments import merge_moments, moments_of
from sklearn_dask_auto.kernels.seeding import seed_centers
from sklearn_dask_auto.kernels.sizes import sample_rows

__all__ = ["check", "fit"]

WINDOW_BYTES = 32_000_000
"""Rows of batches to come that are held here at first; then twice as many each time."""
WINDOW_SHARE = 16
"""One part in so many of the memory budget they may grow to."""
FEW_OPERATIONS = 10_000_000
"""Of a step that is done before other threads have begun, or, where the machine is
busy, long before they have. Results do not depend on it."""
DEFAULT_SEEDINGS = 3
"""For `init` other than "k-means++", with ``n_init="auto"``."""


def check(estimator: Any, rows: Rows) -> None:
    """Raise scikit-learn's error for parameters that do not go with the rows.

    Parameters
    ----------
    estimator : MiniBatchKMeans
        Parameters only.
    rows : Rows
        Nothing of them is computed.
    """
    kmeans.check(estimator, rows)


def fit(estimator: Any, rows: Rows, label_bytes: int) -> dict[str, Any]:
    """Fit on row blocks.

    Parameters
    ----------
    estimator : MiniBatchKMeans
        Its parameters are read, and nothing is written to it.
    rows : Rows
        With "sample_weight" beside `X`, or without.
    label_bytes : int
        Labels that take more are not brought here.

    Returns
    -------
    learned : dict
        `cluster_centers_`, `labels_` (or not), `inertia_`, `n_iter_`, `n_steps_`, and
        what scikit-learn's methods read besides.
    """
    blocks, lottery = Pass(rows), Lottery(rows)
    random_state = check_random_state(estimator.random_state)
    size = min(estimator.batch_size, rows.n_rows)
    centers, tolerance, row_bytes = _seed(estimator, blocks, random_state, size)
    state = _State(centers, np.zeros(len(centers), rows.dtype))
    monitor = _Monitor(estimator, size, rows.n_rows, tolerance)
    windows = _windows(estimator, size, row_bytes, label_bytes)
    reassigning = check_random_state(
        copy.deepcopy(random_state).randint(np.iinfo(np.int32).max)
    )
    operations = size * rows.n_columns * estimator.n_clusters
    bounded = bounded_threads if operations <= FEW_OPERATIONS else bounded_blas
    with bounded(1):
        for batch in _batches(
            blocks, lottery, random_state, (monitor.n_steps, size), windows
        ):
            if monitor.is_done(*_step(estimator, state, batch, reassigning)):
                break
    learned = {
        "cluster_centers_": state.centers,
        "n_steps_": monitor.step,
        "n_iter_": int(np.ceil(monitor.step * size / rows.n_rows)),
        "_counts": state.counts,
        "_n_since_last_reassign": state.n_since_reassign,
        "_batch_size": size,
        "_n_features_out": estimator.n_clusters,
        "_n_threads": openmp_threads(),
    }
    if not estimator.compute_labels:
        return {**learned, "inertia_": monitor.average * lottery.total}
    return {**learned, **_labelled(blocks, state.centers, label_bytes)}


@dataclass
class _State:
    """What a step changes."""

    centers: Any
    counts: Any
    n_since_reassign: int = 0


def _seed(
    estimator: Any, blocks: Pass, random_state: Any, batch_size: int
) -> tuple[Any, float, int]:
    """Make the first pass, and the centers to start from.

    Returns
    -------
    centers : ndarray of shape (n_clusters, n_columns)
    tolerance : float
        `tol` scaled by the mean variance of the columns.
    row_bytes : int
        Bytes of a row, as it is stored.
    """
    n_rows = blocks.rows.n_rows
    init_size = _init_size(estimator, batch_size, n_rows)
    validation = random_state.randint(0, n_rows, init_size)
    chosen = _seed_rows(random_state, n_rows, init_size)
    wanted, place = np.unique(np.concatenate([validation, chosen]), return_inverse=True)
    moments, parts = blocks.fold(
        partial(_survey_block, type(estimator).__name__), _merge_surveys, wanted
    )
    rows, beside = put_together(parts, place)
    weight = beside.get("sample_weight")
    tolerance = float(moments.variance.mean() * estimator.tol)
    held_out = rows[:init_size], None if weight is None else weight[:init_size]
    seeded_from = rows[init_size:], None if weight is None else weight[init_size:]
    best, least = None, np.inf
    for run in range(kmeans.run_count(estimator, DEFAULT_SEEDINGS)):
        if run:
            seeded_from = fetch(blocks, _seed_rows(random_state, n_rows, init_size))
        centers = _centers(estimator, blocks.rows, *seeded_from, random_state)
        _, inertia = nearest(*held_out, np.zeros_like(centers[0]), centers)
        if best is None or inertia < least:
            best, least = centers, inertia
    return best, tolerance, -(-_bytes_of(rows) // rows.shape[0])


def _init_size(estimator: Any, batch_size: int, n_rows: int) -> int:
    """Return the size of the sample that centers are seeded from, as scikit-learn."""
    asked, n_clusters = estimator.init_size, estimator.n_clusters
    if asked is not None and asked < n_clusters:
        warnings.warn(
            f"init_size={asked} should be larger than n_clusters={n_clusters}. "
            "Setting it to min(3*n_clusters, n_samples)",
            RuntimeWarning,
            stacklevel=2,
        )
    size = 3 * batch_size if asked is None else asked
    return min(size if size >= n_clusters else 3 * n_clusters, n_rows)


def _seed_rows(random_state: Any, n_rows: int, init_size: int) -> Any:
    if init_size < n_rows:
        return random_state.randint(0, n_rows, init_size)
    return np.arange(n_rows)


def _survey_block(
    name: str, block: Any, beside: dict[str, Any], start: int, wanted: Any
) -> Any:
    return moments_of(block, "X", name), fetch_block(block, beside, start, wanted)


def _merge_surveys(a: Any, b: Any) -> Any:
    return merge_moments(a[0], b[0]), a[1] + b[1]


def _centers(
    estimator: Any, rows: Rows, sample: Any, weight: Any, random_state: Any
) -> Any:
    centers = kmeans.explicit_centers(estimator, rows)
    if centers is None:
        centers = seed_centers(sample, weight, estimator, random_state)
    return np.array(centers, dtype=rows.dtype, order="C")


def _bytes_of(rows: Any) -> int:
    if sp.issparse(rows):
        return int(rows.data.nbytes + rows.indices.nbytes + rows.indptr.nbytes)
    return int(rows.nbytes)


@dataclass(frozen=True)
class _Windows:
    """How many batches are fetched at first and at most, and how many rows suffice."""

    first: int
    most: int
    least_rows: int


def _windows(estimator: Any, size: int, row_bytes: int, room: int) -> _Windows:
    first = max(1, WINDOW_BYTES // (size * row_bytes))
    most = max(first, room // (WINDOW_SHARE * size * row_bytes))
    return _Windows(first, most, max(most * size, sample_rows(estimator.n_clusters)))


def _batches(
    blocks: Pass,
    lottery: Lottery,
    random_state: Any,
    steps: tuple[int, int],
    windows: _Windows,
) -> Iterator[Any]:
    """Yield batches of rows, drawn by weight and fetched a window at a time."""
    (n_left, size), window = steps, windows.first
    held: Any = None
    place = np.empty(0, np.int64)
    while n_left:
        n = min(window, n_left)
        if len(place) < windows.least_rows:
            shares = random_state.random_sample(n * size)
            wanted, place = np.unique(lottery.rows(shares), return_inverse=True)
            # The window before need not be there while its rows come.
            held = None
            parts: list[Any] = blocks.fold(fetch_block, merge_parts, wanted)
            # In the order of `wanted`, and so without another copy.
            held, _ = put_together(parts, slice(None))
            drawn = place
        else:
            drawn = place[random_state.randint(len(place), size=n * size)]
        for batch in drawn.reshape(n, size):
            yield held[batch]
        n_left, window = n_left - n, min(2 * window, windows.most)


def _step(
    estimator: Any, state: _State, batch: Any, random_state: Any
) -> tuple[float, float]:
    """Move the centers; return the batch's inertia, and by how much they moved."""
    state.n_since_reassign += batch.shape[0]
    is_due = state.n_since_reassign >= 10 * estimator.n_clusters
    reassigns = bool((state.counts == 0).any() or is_due)
    if reassigns:
        state.n_since_reassign = 0
    moved = np.empty_like(state.centers)
    inertia = mini_batch_step(
        batch, state.centers, moved, state.counts, random_state, reassigns, estimator
    )
    shift = float(((moved - state.centers) ** 2).sum())
    state.centers = moved
    return inertia, shift


class _Monitor:
    """Tell when to stop, as scikit-learn does.

    Parameters
    ----------
    estimator : MiniBatchKMeans
        Parameters only.
    batch_size, n_rows : int
        Rows of a batch, and of the input.
    tolerance : float
        Centers that move by no more are at rest; 0 to let them move.
    """

    def __init__(
        self, estimator: Any, batch_size: int, n_rows: int, tolerance: float
    ) -> None:
        self.n_steps = estimator.max_iter * n_rows // batch_size
        self.step = 0
        self.average = 0.0
        self._estimator = estimator
        self._batch_size = batch_size
        self._share = min(1.0, batch_size * 2.0 / (n_rows + 1))
        self._tolerance = tolerance
        self._least: float | None = None
        self._n_without_gain = 0

    def is_done(self, inertia: float, shift: float) -> bool:
        """Take the inertia of a batch and the shift of the centers; say if to stop."""
        self.step += 1
        inertia /= self._batch_size
        if self.step == 1:
            # It tells of the first centers, not of progress.
            self.average = inertia
            self._report(f"mean batch inertia: {inertia}")
            return False
        if self.step == 2:
            self.average = inertia
        else:
            share = self._share
            self.average = self.average * (1 - share) + inertia * share
        self._report(f"mean batch inertia: {inertia}, ewa inertia: {self.average}")
        if self._tolerance > 0.0 and shift <= self._tolerance:
            return True
        if self._least is None or self.average < self._least:
            self._least, self._n_without_gain = self.average, 0
        else:
            self._n_without_gain += 1
        most = self._estimator.max_no_improvement
        return most is not None and self._n_without_gain >= most

    def _report(self, text: str) -> None:
        if self._estimator.verbose:
            # `verbose` prints, as it does in scikit-learn.
            print(f"Minibatch step {self.step}/{self.n_steps}: {text}")  # noqa: T201


def _labelled(blocks: Pass, centers: Any, label_bytes: int) -> dict[str, Any]:
    mean = kmeans.amid(centers, blocks.rows)
    if blocks.rows.n_rows * np.dtype(np.int32).itemsize > label_bytes:
        return {"inertia_": kmeans.inertia(blocks, mean, centers - mean)}
    labels, total = kmeans.label(blocks, mean, centers - mean)
    return {"labels_": labels, "inertia_": total}
