import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_dask_auto.kernels.gaussian_nb import class_moments_of, merge_class_moments
from tests.cuts import cuts, matrices


def summary(X, y, weight=None):
    beside = {"y": y} if weight is None else {"y": y, "sample_weight": weight}
    return class_moments_of("GaussianNB", X, beside, 0, None)


def assert_same(found, expected, scale):
    assert_array_equal(found.labels, expected.labels)
    assert_allclose(found.weights, expected.weights, rtol=1e-12)
    assert_allclose(found.means, expected.means, atol=1e-12 * scale)
    assert_allclose(found.squares, expected.squares, rtol=1e-9, atol=1e-20 * scale**2)
    assert found.moments.n_rows == expected.moments.n_rows


@given(st.data())
def test_folding_blocks_equals_the_whole(data):
    X = data.draw(matrices())
    rng = np.random.default_rng(data.draw(st.integers(0, 100)))
    y = rng.integers(0, data.draw(st.integers(1, 8)), size=len(X))
    if data.draw(st.booleans()):
        y = np.sort(y)
    weight = data.draw(st.sampled_from([None, rng.uniform(size=len(X))]))
    borders = np.cumsum(data.draw(cuts(len(X))))[:-1]
    weights = [None] * (len(borders) + 1)
    if weight is not None:
        weights = np.split(weight, borders)
    parts = [
        summary(*block)
        for block in zip(
            np.split(X, borders), np.split(y, borders), weights, strict=True
        )
        if len(block[0])
    ]
    scale = np.abs(X).max()
    assert_same(
        functools.reduce(merge_class_moments, parts), summary(X, y, weight), scale
    )
    backwards = functools.reduce(lambda a, b: merge_class_moments(b, a), parts)
    assert_same(backwards, summary(X, y, weight), scale)


def test_the_statistics_are_those_of_the_rows_of_each_class():
    rng = np.random.default_rng(0)
    X, y, weight = (
        rng.normal(size=(999, 3)),
        rng.integers(0, 3, 999),
        rng.uniform(size=999),
    )
    found = summary(X, y, weight)
    for c in range(3):
        w, rows = weight[y == c], X[y == c]
        mean = np.average(rows, axis=0, weights=w)
        assert_allclose(found.weights[c], w.sum())
        assert_allclose(found.means[c], mean, atol=1e-14)
        assert_allclose(found.squares[c], w @ (rows - mean) ** 2)


def test_more_classes_than_rows_of_a_tile_are_told_apart():
    y = np.arange(3000) % 1000
    X = y[:, None] + np.array([0.0, 1e6])
    found = summary(X, y)
    assert_array_equal(found.weights, np.full(1000, 3))
    assert_array_equal(found.means, X[:1000])
    assert_array_equal(found.squares, np.zeros((1000, 2)))


def test_a_class_without_weight_takes_the_mean_of_the_other_side():
    rows, y = np.array([[1.0], [5.0], [7.0]]), np.array([0, 1, 1])
    without = summary(rows, y, np.array([1.0, 0.0, 0.0]))
    merged = merge_class_moments(without, summary(rows, y))
    assert_array_equal(merged.means[1], [6])
    assert_array_equal(merged.squares[1], [2])
    both = merge_class_moments(without, without)
    assert_array_equal(both.weights, [2, 0])
    assert_array_equal(both.means[1], [0])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_scikit_learns_error(bad):
    X = np.ones((400, 3))
    X[-1, -1] = bad
    with pytest.raises(ValueError, match="Input X contains"):
        summary(X, np.arange(400) % 2)
