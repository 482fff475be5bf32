"""First centers for KMeans on row blocks.

Seeding looks at a uniform sample of the rows, drawn by row number in the pass that
also computes the variances: the draw depends on the seed and the number of rows, never
on how the rows are cut. Up to `sample_rows` rows the sample is the whole input, and
the seeds are scikit-learn's own for the same `random_state`. ``init="k-means||"``
passes over all rows instead.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.cluster import KMeans, kmeans_plusplus
from sklearn.utils import check_array
from sklearn.utils.random import sample_without_replacement

from sklearn_dask_auto.inputs.assemble import concatenated
from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.kernels.lloyd import nearest
from sklearn_dask_auto.kernels.moments import Moments, merge_moments, moments_of
from sklearn_dask_auto.kernels.row_numbers import uniform_by_row
from sklearn_dask_auto.kernels.sizes import sample_rows

__all__ = [
    "Survey",
    "check_center_shape",
    "initial_centers",
    "parallel_centers",
    "seed_centers",
    "squared_distances",
    "survey_rows",
]


@dataclass(frozen=True)
class Survey:
    """What the first pass learns.

    Parameters
    ----------
    moments : Moments
        Of all rows.
    sample : ndarray or CSR matrix of shape (n_sampled, n_columns)
        Sampled rows in their order.
    weight : ndarray of shape (n_sampled,) or None
        Their weights.
    has_weight : bool
        Some weight is not zero.
    """

    moments: Moments
    sample: Any
    weight: Any
    has_weight: bool


def survey_rows(
    blocks: Pass, estimator_name: str, n_clusters: int, random_state: Any
) -> Survey:
    """Make the first pass: finite values, moments, and a sample.

    Parameters
    ----------
    blocks : Pass
        The input.
    estimator_name : str
        For errors.
    n_clusters : int
        Centers to be seeded.
    random_state : RandomState
        Advanced only if the sample is not the whole input.
    """
    n_rows, n_sampled = blocks.rows.n_rows, sample_rows(n_clusters)
    chosen = None
    if n_rows > n_sampled:
        chosen = np.sort(
            sample_without_replacement(n_rows, n_sampled, random_state=random_state)
        )
    moments, parts, has_weight = blocks.fold(
        partial(_survey_block, estimator_name), _merge_surveys, chosen
    )
    parts = [part for _, part in sorted(parts, key=lambda part: part[0])]
    samples, weights = zip(*parts, strict=True)
    return Survey(
        moments,
        concatenated(samples),
        None if weights[0] is None else np.concatenate(weights),
        has_weight,
    )


def _survey_block(
    estimator_name: str, block: Any, beside: dict[str, Any], start: int, chosen: Any
) -> Any:
    moments = moments_of(block, "X", estimator_name)
    weight = beside.get("sample_weight")
    if weight is not None:
        check_array(weight, ensure_2d=False, input_name="sample_weight")
    here = slice(None)
    if chosen is not None:
        low, high = np.searchsorted(chosen, [start, start + block.shape[0]])
        here = chosen[low:high] - start
    part = (start, (block[here], None if weight is None else weight[here]))
    return moments, [part], weight is None or bool(np.any(weight))


def _merge_surveys(a: Any, b: Any) -> Any:
    return merge_moments(a[0], b[0]), a[1] + b[1], a[2] or b[2]


def initial_centers(
    survey: Survey, estimator: Any, mean: Any, random_state: Any
) -> Any:
    """Return centers for one run, relative to `mean`, seeded from the sample.

    Parameters
    ----------
    survey : Survey
        Of the first pass.
    estimator : KMeans
        Its `init` is "k-means++", "random" or a callable.
    mean : ndarray of shape (n_columns,)
        Subtracted from the sample, as scikit-learn does before seeding.
    random_state : RandomState
        Advanced as scikit-learn does.

    Returns
    -------
    centers : ndarray of shape (n_clusters, n_columns)

    Notes
    -----
    Where the sample is not the whole input, seeds are tried several times on a part of
    the sample, and the best try is refined on the sample by Lloyd's algorithm. Both
    cost little beside one pass over all rows; the one finds better clusters, the other
    saves most of the passes.
    """
    X = survey.sample if sp.issparse(survey.sample) else survey.sample - mean
    if X.shape[0] == survey.moments.n_rows:
        return seed_centers(X, survey.weight, estimator, random_state)
    part = slice(None, None, TRIAL_STEP if X.shape[0] > TRIAL_ROWS else 1)
    weight = None if survey.weight is None else survey.weight[part]
    tries = KMeans(
        estimator.n_clusters,
        init=estimator.init,
        n_init=TRIALS,
        tol=estimator.tol,
        random_state=random_state,
    ).fit(X[part], sample_weight=weight)
    refined = KMeans(
        estimator.n_clusters, init=tries.cluster_centers_, n_init=1, tol=estimator.tol
    )
    return refined.fit(X, sample_weight=survey.weight).cluster_centers_


TRIALS = 4
TRIAL_STEP = 5
"""Of a large sample, every so-manyth row serves for trials."""
TRIAL_ROWS = 10_000
"""A sample that is no larger serves whole."""


def seed_centers(X: Any, weight: Any, estimator: Any, random_state: Any) -> Any:
    """Return centers as scikit-learn would seed them from these very rows."""
    n_clusters, init = estimator.n_clusters, estimator.init
    if callable(init):
        centers = init(X, n_clusters, random_state=random_state)
        centers = check_array(centers, dtype=X.dtype, copy=False, order="C")
        check_center_shape(centers, n_clusters, X.shape[1])
        return centers
    if init == "random":
        weight = np.ones(X.shape[0], X.dtype) if weight is None else weight
        rows = random_state.choice(
            X.shape[0], size=n_clusters, replace=False, p=weight / weight.sum()
        )
        centers = X[rows]
        return centers.toarray() if sp.issparse(centers) else centers
    centers, _ = kmeans_plusplus(
        X, n_clusters, sample_weight=weight, random_state=random_state
    )
    return centers


def check_center_shape(centers: Any, n_clusters: int, n_columns: int) -> None:
    """Raise scikit-learn's error for centers of the wrong shape."""
    head = f"The shape of the initial centers {centers.shape} does not match the "
    if centers.shape[0] != n_clusters:
        raise ValueError(f"{head}number of clusters {n_clusters}.")
    if centers.shape[1] != n_columns:
        raise ValueError(f"{head}number of features of the data {n_columns}.")


def parallel_centers(
    blocks: Pass, survey: Survey, estimator: Any, mean: Any, random_state: Any
) -> Any:
    """Seed by k-means||, one pass a round.

    Algorithm 2 of Bahmani et al. (2012), "Scalable K-Means++", PVLDB 5(7). Each round
    takes every row as a candidate with probability proportional to its squared
    distance from the candidates so far, `oversampling_factor` rows on average; at the
    end the candidates, weighted by the rows nearest to each, are reduced to
    `n_clusters` by k-means++ and Lloyd's algorithm. Draws go by row number, so that the
    way the rows are cut does not matter.

    Parameters
    ----------
    blocks : Pass
        The input.
    survey, estimator, mean, random_state
        As in `initial_centers`.

    Returns
    -------
    centers : ndarray of shape (n_clusters, n_columns)
    """
    X = survey.sample if sp.issparse(survey.sample) else survey.sample - mean
    first = X[[random_state.randint(X.shape[0])]]
    candidates = first.toarray() if sp.issparse(first) else first
    cost, _ = _cost(blocks, mean, candidates)
    rounds = estimator.init_max_iter or max(1, round(np.log(max(cost, np.e))))
    for _ in range(rounds):
        if cost == 0:
            break
        seed = int(random_state.randint(np.iinfo(np.int32).max))
        rate = estimator.oversampling_factor / cost
        state = (mean, candidates, rate, seed)
        found = blocks.fold(_draw_block, _concatenate, state)
        found = [rows for _, rows in sorted(found, key=lambda part: part[0])]
        candidates = np.vstack([candidates, *found])
        cost, counts = _cost(blocks, mean, candidates)
    if len(candidates) < estimator.n_clusters:
        return _topped_up(candidates, X, estimator.n_clusters, random_state)
    if cost == 0:
        _, counts = _cost(blocks, mean, candidates)
    reduced = KMeans(
        estimator.n_clusters, n_init=1, random_state=random_state, tol=estimator.tol
    )
    return reduced.fit(candidates, sample_weight=counts).cluster_centers_


def _topped_up(candidates: Any, X: Any, n_clusters: int, random_state: Any) -> Any:
    missing = n_clusters - len(candidates)
    more = X[random_state.choice(X.shape[0], size=missing, replace=False)]
    more = more.toarray() if sp.issparse(more) else more
    return np.vstack([candidates, more])


def _cost(blocks: Pass, mean: Any, candidates: Any) -> tuple[float, Any]:
    cost, counts = blocks.fold(_cost_block, _add_pairs, (mean, candidates))
    return float(cost), counts


def _cost_block(block: Any, beside: dict[str, Any], start: int, state: Any) -> Any:
    mean, candidates = state
    weight = beside.get("sample_weight")
    labels, inertia = nearest(block, weight, mean, candidates)
    return inertia, np.bincount(labels, weights=weight, minlength=len(candidates))


def _add_pairs(a: Any, b: Any) -> Any:
    return a[0] + b[0], a[1] + b[1]


def _concatenate(a: Any, b: Any) -> Any:
    return a + b


def _draw_block(block: Any, beside: dict[str, Any], start: int, state: Any) -> Any:
    mean, candidates, rate, seed = state
    squares = squared_distances(block, mean, candidates)
    weight = beside.get("sample_weight")
    if weight is not None:
        squares *= weight
    taken = np.flatnonzero(uniform_by_row(seed, start, len(squares)) < rate * squares)
    rows = block[taken]
    rows = rows.toarray() if sp.issparse(rows) else rows - mean
    return [(start, rows)]


def squared_distances(block: Any, mean: Any, centers: Any) -> Any:
    """Return each row's squared distance to its nearest center, in float64."""
    labels, _ = nearest(block, None, mean, centers)
    if sp.issparse(block):
        squares = np.asarray(block.multiply(block).sum(axis=1)).ravel()
        squares -= 2 * np.asarray(block.multiply(centers[labels]).sum(axis=1)).ravel()
        return squares + np.einsum("ij,ij->i", centers, centers)[labels]
    return ((block - mean - centers[labels]).astype(float) ** 2).sum(axis=1)
