"""KMeans on row blocks: scikit-learn's algorithm, one pass over the rows a step.

Passes: one for variances, finite values and the sample; one a Lloyd iteration, shared
by all `n_init` runs that have not converged; one where a cluster was left empty; one
for the labels; and, with several runs, one to compare them.
"""

import warnings
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_array, check_random_state

from sklearn_dask_auto._sklearn import openmp_threads
from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.kernels.lloyd import Step, merge_steps, nearest, step
from sklearn_dask_auto.kernels.row_numbers import label_signatures
from sklearn_dask_auto.kernels.seeding import (
    Survey,
    check_center_shape,
    initial_centers,
    parallel_centers,
    squared_distances,
    survey_rows,
)

__all__ = [
    "amid",
    "check",
    "explicit_centers",
    "fit",
    "inertia",
    "label",
    "run_count",
    "score",
    "seed",
    "warn_if_few",
]

LABELS_AT_ONCE = 1_000_000


def check(estimator: Any, rows: Rows) -> None:
    """Raise scikit-learn's error for parameters that do not go with the rows.

    Parameters
    ----------
    estimator : KMeans
        Parameters only.
    rows : Rows
        Nothing of them is computed.
    """
    if rows.n_rows < estimator.n_clusters:
        raise ValueError(
            f"n_samples={rows.n_rows} should be >= n_clusters={estimator.n_clusters}."
        )
    explicit_centers(estimator, rows)


def fit(estimator: Any, rows: Rows, label_bytes: int) -> dict[str, Any]:
    """Fit on row blocks.

    Parameters
    ----------
    estimator : KMeans
        Its parameters are read, and nothing is written to it.
    rows : Rows
        With "sample_weight" beside `X`, or without.
    label_bytes : int
        Labels that take more are not brought here.

    Returns
    -------
    learned : dict
        `cluster_centers_`, `labels_` (or not), `inertia_`, `n_iter_`, and what
        scikit-learn's methods read besides.
    """
    blocks = Pass(rows)
    runs, mean, tolerance = seed(estimator, blocks)
    _lloyd(blocks, runs, mean, tolerance, estimator)
    best = _best(blocks, runs, mean)
    learned = {
        "cluster_centers_": best.centers + mean,
        "n_iter_": best.n_iter,
        "_n_features_out": estimator.n_clusters,
        "_n_threads": openmp_threads(),
    }
    if rows.n_rows * np.dtype(np.int32).itemsize > label_bytes:
        return {**learned, "inertia_": inertia(blocks, mean, best.centers)}
    labels, total = label(blocks, mean, best.centers)
    warn_if_few(labels, estimator)
    return {**learned, "labels_": labels, "inertia_": total}


@dataclass
class Run:
    """One of the `n_init` runs.

    Parameters
    ----------
    centers : ndarray of shape (n_clusters, n_columns)
        Relative to the mean of all rows.
    digest : int or None
        Of the labels in the iteration before.
    n_iter : int
        Iterations so far.
    is_done : bool
        Converged.
    """

    centers: Any
    digest: int | None = None
    n_iter: int = 0
    is_done: bool = False


def seed(estimator: Any, blocks: Pass) -> tuple[list[Run], Any, float]:
    """Make the first pass, and the centers that every run starts from.

    Parameters
    ----------
    estimator : KMeans
        Parameters only.
    blocks : Pass
        The input.

    Returns
    -------
    runs : list of Run
    mean : ndarray of shape (n_columns,)
        What centers are relative to; zero for sparse blocks.
    tolerance : float
        `tol` scaled by the mean variance of the columns.
    """
    rows = blocks.rows
    n_init = run_count(estimator, default=10)
    explicit = explicit_centers(estimator, rows)
    random_state = check_random_state(estimator.random_state)
    survey = survey_rows(
        blocks, type(estimator).__name__, estimator.n_clusters, random_state
    )
    if not survey.has_weight:
        raise ValueError("Sample weights must contain at least one non-zero number.")
    mean = _mean(survey, rows.dtype)
    tolerance = float(survey.moments.variance.mean() * estimator.tol)
    if explicit is not None:
        return [Run(explicit - mean)], mean, tolerance
    if isinstance(estimator.init, str) and estimator.init == "k-means||":
        start = partial(parallel_centers, blocks, survey)
    else:
        start = partial(initial_centers, survey)
    runs = [
        Run(start(estimator, mean, random_state).astype(rows.dtype))
        for _ in range(n_init)
    ]
    return runs, mean, tolerance


def _mean(survey: Survey, dtype: Any) -> Any:
    if sp.issparse(survey.sample):
        return np.zeros(survey.sample.shape[1], dtype)
    if len(survey.sample) == survey.moments.n_rows:
        # To the last bit what scikit-learn subtracts from the same rows.
        return survey.sample.mean(axis=0)
    return survey.moments.mean.astype(dtype)


def run_count(estimator: Any, default: int) -> int:
    """Resolve `n_init`, whose "auto" is 1 for "k-means++" and for given centers."""
    is_explicit = not isinstance(estimator.init, str) and not callable(estimator.init)
    if estimator.n_init != "auto":
        n_init = int(estimator.n_init)
    elif callable(estimator.init) or (
        isinstance(estimator.init, str) and estimator.init == "random"
    ):
        n_init = default
    else:
        n_init = 1
    if is_explicit and n_init != 1:
        warnings.warn(
            "Explicit initial center position passed: performing only one init in "
            f"{type(estimator).__name__} instead of n_init={n_init}.",
            RuntimeWarning,
            stacklevel=2,
        )
        return 1
    return n_init


def explicit_centers(estimator: Any, rows: Rows) -> Any:
    """Return `init` as centers, or None if it says how to find them."""
    if isinstance(estimator.init, str) or callable(estimator.init):
        return None
    centers = check_array(estimator.init, dtype=rows.dtype, copy=True, order="C")
    check_center_shape(centers, estimator.n_clusters, rows.n_columns)
    return centers


def _lloyd(
    blocks: Pass, runs: list[Run], mean: Any, tolerance: float, estimator: Any
) -> None:
    for iteration in range(estimator.max_iter):
        active = [run for run in runs if not run.is_done]
        if not active:
            return
        steps = blocks.fold(
            _step_block, _merge_lists, (mean, [run.centers for run in active])
        )
        for run, total in zip(active, steps, strict=True):
            if estimator.verbose:
                now = inertia(blocks, mean, run.centers)
                # `verbose` prints, as it does in scikit-learn.
                print(f"Iteration {iteration}, inertia {now}.")  # noqa: T201
            _advance(blocks, run, total, mean, tolerance)


def _step_block(block: Any, beside: dict[str, Any], start: int, state: Any) -> Any:
    mean, centers = state
    weight = beside.get("sample_weight")
    return [step(block, weight, start, mean, c) for c in centers]


def _merge_lists(a: list[Step], b: list[Step]) -> list[Step]:
    return [merge_steps(x, y) for x, y in zip(a, b, strict=True)]


def _advance(blocks: Pass, run: Run, total: Step, mean: Any, tolerance: float) -> None:
    """Move a run's centers; it is done if no label changed or they hardly moved."""
    sums, weights = total.sums, total.weights
    if (weights == 0).any():
        sums, weights = _relocated(blocks, run.centers, total, mean)
    filled = np.maximum(weights, 0) > 0
    centers = sums / np.where(filled, weights, 1)[:, None]
    # Where no row is left to take, scikit-learn puts the center on the largest cluster.
    centers[~filled] = centers[weights.argmax()]
    centers = centers.astype(run.centers.dtype)
    shift = ((centers - run.centers) ** 2).sum()
    run.is_done = total.digest == run.digest or bool(shift <= tolerance)
    run.centers, run.digest, run.n_iter = centers, total.digest, run.n_iter + 1


def _relocated(blocks: Pass, centers: Any, total: Step, mean: Any) -> tuple[Any, Any]:
    """Give every empty cluster one of the rows farthest from their centers."""
    sums, weights = total.sums.copy(), total.weights.copy()
    empty = np.flatnonzero(weights == 0)
    far = blocks.fold(
        _far_block, partial(_farthest, len(empty)), (mean, centers, len(empty))
    )
    if far[0][0] == 0:
        # Fewer distinct rows than clusters: there is nothing to gain.
        return sums, weights
    for cluster, (_, _, row, weight, label) in zip(empty, far, strict=False):
        sums[label] -= row * weight
        sums[cluster] = row * weight
        weights[label] -= weight
        weights[cluster] = weight
    return sums, weights


def _far_block(block: Any, beside: dict[str, Any], start: int, state: Any) -> Any:
    mean, centers, n = state
    weight = beside.get("sample_weight")
    squares = squared_distances(block, mean, centers)
    labels, _ = nearest(block, None, mean, centers)
    n = min(n, len(squares))
    rows = np.argpartition(squares, -n)[-n:]
    far = [
        (
            float(squares[i]),
            start + int(i),
            block[[i]].toarray()[0] if sp.issparse(block) else block[i] - mean,
            1.0 if weight is None else float(weight[i]),
            int(labels[i]),
        )
        for i in rows
    ]
    return _farthest(n, far, [])


def _farthest(n: int, a: list[Any], b: list[Any]) -> list[Any]:
    return sorted([*a, *b], key=lambda row: (-row[0], row[1]))[:n]


def _best(blocks: Pass, runs: list[Run], mean: Any) -> Run:
    """Return the run of least inertia; of runs that group rows alike, the first."""
    if len(runs) == 1:
        return runs[0]
    outcomes = blocks.fold(
        _outcome_block, _add_outcomes, (mean, [run.centers for run in runs])
    )
    best = 0
    for i, (total, signatures) in enumerate(outcomes):
        least, kept = outcomes[best]
        if total < least and sorted(signatures) != sorted(kept):
            best = i
    return runs[best]


def _outcome_block(block: Any, beside: dict[str, Any], start: int, state: Any) -> Any:
    mean, runs = state
    outcomes = []
    for centers in runs:
        labels, total = nearest(block, beside.get("sample_weight"), mean, centers)
        outcomes.append((total, label_signatures(labels, start, len(centers))))
    return outcomes


def _add_outcomes(a: Any, b: Any) -> Any:
    return [(x[0] + y[0], x[1] + y[1]) for x, y in zip(a, b, strict=True)]


def score(estimator: Any, blocks: Pass) -> float:
    """Return minus the inertia of rows that need not be those of the fit.

    Raises
    ------
    ValueError
        scikit-learn's, if a value is NaN or infinite.
    """
    centers = estimator.cluster_centers_.astype(blocks.rows.dtype)
    mean = amid(centers, blocks.rows)
    total = inertia(blocks, mean, centers - mean)
    if not np.isfinite(total):
        blocks.fold(partial(_check_block, type(estimator).__name__), bool.__and__)
    return -total


def amid(centers: Any, rows: Rows) -> Any:
    """Return a point amid the centers, about which distances are exact enough.

    Zero for sparse rows, from which nothing can be subtracted.
    """
    mean = centers.mean(axis=0)
    return np.zeros_like(mean) if rows.is_sparse else mean


def _check_block(
    name: str, block: Any, beside: dict[str, Any], start: int, state: Any
) -> bool:
    """Raise scikit-learn's error if a value is NaN or infinite."""
    check_array(block, accept_sparse="csr", input_name="X", estimator=name, copy=False)
    return True


def inertia(blocks: Pass, mean: Any, centers: Any) -> float:
    """Return the weighted sum of squared distances to the nearest center."""
    return blocks.fold(_inertia_block, float.__add__, (mean, centers))


def _inertia_block(block: Any, beside: dict[str, Any], start: int, state: Any) -> float:
    mean, centers = state
    return nearest(block, beside.get("sample_weight"), mean, centers)[1]


def label(blocks: Pass, mean: Any, centers: Any) -> tuple[Any, float]:
    """Return the nearest center of every row, and the inertia.

    Parameters
    ----------
    blocks : Pass
        The input.
    mean : ndarray of shape (n_columns,)
        What `centers` are relative to.
    centers : ndarray of shape (n_clusters, n_columns)

    Returns
    -------
    labels : ndarray of shape (n_rows,), int32
        Concrete.
    inertia : float
    """
    parts, total = blocks.fold(_label_block, _merge_labels, (mean, centers))
    labels = np.empty(blocks.rows.n_rows, dtype=np.int32)
    for start, part in parts:
        labels[start : start + len(part)] = part
    return labels, total


def _label_block(block: Any, beside: dict[str, Any], start: int, state: Any) -> Any:
    mean, centers = state
    labels, total = nearest(block, beside.get("sample_weight"), mean, centers)
    # Narrow for the way here: a byte a row for up to 256 clusters.
    return [(start, labels.astype(np.min_scalar_type(len(centers) - 1)))], total


def _merge_labels(a: Any, b: Any) -> Any:
    return a[0] + b[0], a[1] + b[1]


def warn_if_few(labels: Any, estimator: Any) -> None:
    """Warn as scikit-learn does when some cluster has no row."""
    seen = np.zeros(estimator.n_clusters, bool)
    # An index is converted to 64 bits, which of all labels would be twice their size.
    for start in range(0, len(labels), LABELS_AT_ONCE):
        seen[labels[start : start + LABELS_AT_ONCE]] = True
    distinct = np.count_nonzero(seen)
    if distinct < estimator.n_clusters:
        warnings.warn(
            f"Number of distinct clusters ({distinct}) found smaller than n_clusters "
            f"({estimator.n_clusters}). Possibly due to duplicate points in X.",
            ConvergenceWarning,
            stacklevel=2,
        )
