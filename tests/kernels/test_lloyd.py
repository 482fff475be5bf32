import functools

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics.pairwise import euclidean_distances

from sklearn_dask_auto.kernels.lloyd import merge_steps, nearest, step
from tests.cuts import cuts, matrices


def _reference(X, weight, centers):
    distances = euclidean_distances(X, centers, squared=True)
    labels = distances.argmin(axis=1)
    member = (labels[:, None] == np.arange(len(centers))) * weight[:, None]
    inertia = (((X - centers[labels]) ** 2).sum(axis=1) * weight).sum()
    return labels, member.T @ X, member.sum(axis=0), inertia


@given(st.data())
def test_folding_blocks_equals_the_step_on_the_whole(data):
    X = data.draw(matrices())
    X = X - X.mean(axis=0)
    weight = np.random.default_rng(0).uniform(size=len(X))
    centers, mean = X[: data.draw(st.integers(1, 7))].copy(), np.zeros(X.shape[1])
    _, sums, weights, inertia = _reference(X, weight, centers)

    borders = np.cumsum(data.draw(cuts(len(X))))[:-1]
    starts = [0, *borders]
    parts = [
        step(block, w, int(start), mean, centers)
        for block, w, start in zip(
            np.split(X, borders), np.split(weight, borders), starts, strict=True
        )
        if len(block)
    ]
    total = functools.reduce(merge_steps, parts)
    assert_allclose(total.sums, sums, rtol=1e-9, atol=1e-9 * np.abs(X).max())
    assert_allclose(total.weights, weights, rtol=1e-12)
    assert_allclose(nearest(X, weight, mean, centers)[1], inertia, rtol=1e-9)


@pytest.mark.parametrize("n_rows", [1, 255, 256, 257, 1000])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_every_row_gets_its_nearest_center(n_rows, dtype):
    X = np.random.default_rng(n_rows).normal(size=(n_rows, 3)).astype(dtype)
    centers = np.random.default_rng(1).normal(size=(5, 3)).astype(dtype)
    labels, _ = nearest(X, None, np.zeros(3, dtype), centers)
    assert labels.dtype == np.int32
    assert_array_equal(labels, _reference(X, np.ones(n_rows), centers)[0])


def test_rows_are_compared_relative_to_the_mean():
    X = np.random.default_rng(0).normal(size=(50, 2)) + 1e6
    mean = X.mean(axis=0)
    labels, inertia = nearest(X, None, mean, X[:4] - mean)
    expected, *_, total = _reference(X - mean, np.ones(50), X[:4] - mean)
    assert_array_equal(labels, expected)
    assert inertia == pytest.approx(total, rel=1e-9)


def test_sparse_blocks_step_as_dense_ones():
    X = sp.random(300, 6, density=0.3, random_state=0, format="csr")
    weight = np.random.default_rng(0).uniform(size=300)
    centers, mean = X[:4].toarray(), np.zeros(6)
    sparse, dense = (step(b, weight, 0, mean, centers) for b in (X, X.toarray()))
    assert_allclose(sparse.sums, dense.sums)
    assert_allclose(sparse.weights, dense.weights)
    assert sparse.digest == dense.digest
    assert nearest(X, weight, mean, centers)[1] == pytest.approx(
        nearest(X.toarray(), weight, mean, centers)[1]
    )


def test_the_digest_changes_with_any_label_and_only_then():
    X = np.random.default_rng(0).normal(size=(500, 2))
    mean = np.zeros(2)
    before = step(X, None, 0, mean, X[:3]).digest
    assert step(X, None, 0, mean, X[:3] * (1 + 1e-12)).digest == before
    moved = X.copy()
    moved[123] = X[(nearest(X, None, mean, X[:3])[0][123] + 1) % 3]
    assert step(moved, None, 0, mean, X[:3]).digest != before


def test_swapping_equal_blocks_changes_the_digest():
    a, b = np.zeros((10, 1)), np.ones((10, 1))
    mean, centers = np.zeros(1), np.array([[0.0], [1.0]])

    def digest(first, second):
        parts = (
            step(first, None, 0, mean, centers),
            step(second, None, 10, mean, centers),
        )
        return merge_steps(*parts).digest

    assert digest(a, b) != digest(b, a)
