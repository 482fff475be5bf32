"""Gaussian naive Bayes on row blocks: mean and variance of every column in each class.

One pass, which also finds the classes: blocks bring the labels that they hold, and
merging takes the union. Within a block each tile of rows is centred on the means that
its classes have in it; tiles and blocks are merged by the update of Chan, Golub and
LeVeque (1979), eq. 2.1, which is also scikit-learn's.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numba import njit
from sklearn.utils import check_array
from sklearn.utils.multiclass import unique_labels

from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.kernels.moments import (
    TILE_ROWS,
    Moments,
    merge_moments,
    moments_of,
)
from sklearn_dask_auto.kernels.targets import (
    check_target,
    encode,
    labels_of,
)

__all__ = ["ClassMoments", "check", "class_moments_of", "fit", "merge_class_moments"]


@dataclass(frozen=True)
class ClassMoments:
    """Statistics of a set of rows by their label.

    Parameters
    ----------
    labels : ndarray of shape (n_labels,)
        Sorted; those that occur.
    weights : ndarray of shape (n_labels,)
        Sums of the weights of their rows.
    means, squares : ndarray of shape (n_labels, n_columns)
        Weighted means, and weighted sums of squared deviations from them.
    moments : Moments
        Of all rows together, weights aside.
    """

    labels: Any
    weights: Any
    means: Any
    squares: Any
    moments: Moments


def check(estimator: Any, rows: Rows) -> None:
    """Raise scikit-learn's error for input or priors that no pass could make right.

    Parameters
    ----------
    estimator : GaussianNB
        Parameters only.
    rows : Rows
        Nothing of them is computed.
    """
    check_target(rows.beside["y"])
    if rows.is_sparse:
        check_array(rows.X._meta, ensure_min_samples=0, input_name="X")
    _priors(estimator, rows)


def _priors(estimator: Any, rows: Rows) -> Any:
    if estimator.priors is None:
        return None
    priors = np.asarray(estimator.priors, dtype=rows.dtype)
    if not np.isclose(priors.sum(), 1.0):
        raise ValueError("The sum of the priors should be 1.")
    if (priors < 0).any():
        raise ValueError("Priors must be non-negative.")
    return priors


def fit(estimator: Any, rows: Rows, budget: int) -> dict[str, Any]:
    """Fit on row blocks.

    Parameters
    ----------
    estimator : GaussianNB
        Its parameters are read, and nothing is written to it.
    rows : Rows
        With "y" beside `X`, and "sample_weight" or not.
    budget : int
        Not needed.

    Returns
    -------
    learned : dict
        `classes_`, `class_count_`, `class_prior_`, `theta_`, `var_` and `epsilon_`, in
        the dtype of the rows.
    """
    total = Pass(rows).fold(
        partial(class_moments_of, type(estimator).__name__), merge_class_moments
    )
    if not total.weights.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    priors = _priors(estimator, rows)
    if priors is None:
        priors = total.weights / total.weights.sum()
    elif len(priors) != len(total.labels):
        raise ValueError("Number of priors must match number of classes.")
    # scikit-learn leaves a class without weight at zero.
    seen = ~np.isclose(total.weights, 0)[:, None]
    variance = seen * total.squares / _divisor(total.weights)[:, None]
    # The Python number keeps the dtype of the other.
    epsilon = estimator.var_smoothing * rows.dtype.type(total.moments.variance.max())
    return {
        # Text in Python objects becomes text of numpy's, as in scikit-learn.
        "classes_": unique_labels(total.labels),
        "class_count_": total.weights.astype(rows.dtype),
        "class_prior_": priors.astype(rows.dtype),
        "theta_": (seen * total.means).astype(rows.dtype),
        "var_": variance.astype(rows.dtype) + epsilon,
        "epsilon_": epsilon,
    }


def class_moments_of(
    estimator_name: str, block: Any, beside: dict[str, Any], start: int, state: Any
) -> ClassMoments:
    """Summarise a block.

    Parameters
    ----------
    estimator_name : str
        For errors.
    block : ndarray of shape (n_rows, n_columns)
        At least one row.
    beside : dict
        With "y", and "sample_weight" or not.
    start, state
        Not needed.

    Returns
    -------
    moments : ClassMoments
        In float64.

    Raises
    ------
    ValueError
        scikit-learn's, if a value is NaN or infinite or a label is none.
    """
    labels = labels_of(beside["y"])
    moments = moments_of(block, "X", estimator_name)
    weight = beside.get("sample_weight")
    if weight is None:
        weight = np.empty(0)
    else:
        weight = check_array(weight, ensure_2d=False, input_name="sample_weight")
    weights, means, squares = _dense_class_moments(
        np.ascontiguousarray(block),
        encode(labels, beside["y"]),
        weight.astype(float, copy=False),
        len(labels),
        max(TILE_ROWS, len(labels)),
    )
    return ClassMoments(labels, weights, means, squares, moments)


def merge_class_moments(a: ClassMoments, b: ClassMoments) -> ClassMoments:
    """Merge the statistics of two sets of rows."""
    labels = np.union1d(a.labels, b.labels)
    a, b = _spread(a, labels), _spread(b, labels)
    weights = a.weights + b.weights
    share = (b.weights / _divisor(weights))[:, None]
    delta = b.means - a.means
    # A label that one side has not, or has with no weight, has the other's mean.
    delta[(a.weights == 0) | (b.weights == 0)] = 0
    means = np.where((a.weights == 0)[:, None], b.means, a.means + delta * share)
    squares = a.squares + b.squares + delta**2 * (share * a.weights[:, None])
    return ClassMoments(
        labels, weights, means, squares, merge_moments(a.moments, b.moments)
    )


def _divisor(weights: Any) -> Any:
    return np.where(weights == 0, 1, weights)


def _spread(part: ClassMoments, labels: Any) -> ClassMoments:
    """Make room for labels that a set of rows has not."""
    if len(labels) == len(part.labels):
        return part
    places = encode(labels, part.labels)
    weights = np.zeros(len(labels))
    means, squares = np.zeros((2, len(labels), part.means.shape[1]))
    weights[places] = part.weights
    means[places] = part.means
    squares[places] = part.squares
    return ClassMoments(labels, weights, means, squares, part.moments)


COMPILED = {"nogil": True, "cache": True, "error_model": "numpy"}


@njit(**COMPILED, fastmath={"contract"})
def _dense_class_moments(  # type: ignore[no-untyped-def]
    X, codes, weight, n_classes, tile_rows
):
    n_rows, n_columns = X.shape
    weights = np.zeros(n_classes)
    means = np.zeros((n_classes, n_columns))
    squares = np.zeros((n_classes, n_columns))
    tile_weights = np.empty(n_classes)
    tile_means = np.empty((n_classes, n_columns))
    tile_rests = np.empty((n_classes, n_columns))
    tile_squares = np.empty((n_classes, n_columns))
    for start in range(0, n_rows, tile_rows):
        tile = X[start : start + tile_rows]
        labels = codes[start : start + tile_rows]
        w = weight[start : start + tile_rows]
        _tile_means(tile, labels, w, tile_weights, tile_means)
        _tile_squares(tile, labels, w, tile_means, tile_rests, tile_squares)
        for c in range(n_classes):
            if tile_weights[c] == 0:
                continue
            before = weights[c]
            weights[c] += tile_weights[c]
            share = tile_weights[c] / weights[c]
            for j in range(n_columns):
                # What rounding left of the deviations corrects mean and squares.
                rest = tile_rests[c, j] / tile_weights[c]
                delta = tile_means[c, j] + rest - means[c, j]
                means[c, j] += delta * share
                squares[c, j] += tile_squares[c, j] - rest * tile_rests[c, j]
                squares[c, j] += delta * delta * share * before
    return weights, means, squares


@njit(**COMPILED, fastmath={"contract"})
def _tile_means(X, codes, weight, weights, means):  # type: ignore[no-untyped-def]
    weights[:] = 0.0
    means[:] = 0.0
    for i in range(X.shape[0]):
        c = codes[i]
        w = weight[i] if weight.shape[0] else 1.0
        weights[c] += w
        for j in range(X.shape[1]):
            means[c, j] += w * X[i, j]
    for c in range(weights.shape[0]):
        if weights[c] != 0:
            means[c] /= weights[c]


@njit(**COMPILED, fastmath={"contract"})
def _tile_squares(  # type: ignore[no-untyped-def]
    X, codes, weight, means, rests, squares
):
    rests[:] = 0.0
    squares[:] = 0.0
    for i in range(X.shape[0]):
        c = codes[i]
        w = weight[i] if weight.shape[0] else 1.0
        for j in range(X.shape[1]):
            deviation = X[i, j] - means[c, j]
            rests[c, j] += w * deviation
            squares[c, j] += w * deviation * deviation
