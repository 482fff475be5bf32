import functools
import itertools
import math

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_dask_auto.kernels.column_statistics import (
    extremes_of,
    merge_extremes,
    merge_spreads,
    spread_of,
)
from tests.cuts import cuts, matrices

MAKE = pytest.mark.parametrize("make", [np.asarray, sp.csr_matrix, sp.csc_matrix])


@st.composite
def cut_rows(draw):
    """Rows with missing values, weights, and the slices of a cutting."""
    X = draw(matrices())
    rng = np.random.default_rng(draw(st.integers(0, 100)))
    X[rng.uniform(size=X.shape) < draw(st.sampled_from([0.0, 0.2, 0.9]))] = np.nan
    weight = draw(st.sampled_from([None, rng.uniform(size=len(X))]))
    borders = np.cumsum([0, *draw(cuts(len(X)))])
    pairs = itertools.pairwise(borders)
    return X, weight, [slice(a, b) for a, b in pairs if b > a]


@MAKE
@given(cut_rows())
def test_folding_blocks_equals_the_spread_of_the_whole(make, drawn):
    X, weight, slices = drawn
    parts = [
        spread_of(make(X[rows]), None if weight is None else weight[rows], "E")
        for rows in slices
    ]
    total = functools.reduce(merge_spreads, parts)
    for j, column in enumerate(X.T):
        there = ~np.isnan(column)
        weights = (np.ones(len(X)) if weight is None else weight)[there]
        assert total.weight[j] == pytest.approx(weights.sum(), abs=1e-13)
        if there.any():
            mean = np.average(column[there], weights=weights)
            variance = np.average((column[there] - mean) ** 2, weights=weights)
            size = np.abs(column[there]).max()
            assert total.mean[j] == pytest.approx(mean, abs=1e-13 * size)
            assert total.variance[j] == pytest.approx(variance, abs=1e-13 * size**2)
        elif make is np.asarray:
            assert np.isnan([total.mean[j], total.variance[j]]).all()


@MAKE
@given(cut_rows())
def test_folding_blocks_equals_the_extremes_of_the_whole(make, drawn):
    X, _, slices = drawn
    parts = [extremes_of(make(X[rows]), "E") for rows in slices]
    total = functools.reduce(merge_extremes, parts)
    assert_array_equal(total.minimum, np.fmin.reduce(X))
    assert_array_equal(total.maximum, np.fmax.reduce(X))


def test_values_that_a_sparse_matrix_does_not_store_are_zeros():
    X = sp.random(300, 7, density=0.1, random_state=0, format="csr")
    dense, sparse = spread_of(X.toarray(), None, "E"), spread_of(X, None, "E")
    assert_allclose(sparse.mean, dense.mean)
    assert_allclose(sparse.squares, dense.squares)
    assert_array_equal(extremes_of(X, "E").minimum, 0)


@pytest.mark.parametrize(
    "summarise", [lambda X: spread_of(X, None, "E"), lambda X: extremes_of(X, "E")]
)
@pytest.mark.parametrize("bad", [np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, -1])
@MAKE
def test_infinity_is_scikit_learns_error(summarise, bad, row, make):
    X = np.ones((400, 3))
    X[row, -1] = bad
    X[5, 0] = np.nan
    with pytest.raises(ValueError, match="Input X contains infinity"):
        summarise(make(X))


def test_values_whose_squares_overflow_are_no_error():
    assert spread_of(np.array([[1e200], [-1e200]]), None, "E").mean == [0]


def test_rows_without_weight_count_for_nothing():
    X = np.array([[1e300], [1.0], [3.0], [np.nan]])
    spread = spread_of(X, np.array([0.0, 1.0, 1.0, 5.0]), "E")
    assert (spread.weight, spread.mean, spread.variance) == (2, 2, 1)


def test_an_outlier_in_front_costs_the_mean_no_digits():
    X = np.random.default_rng(0).normal(size=(100_000, 1))
    X[0] = 1e12
    parts = [spread_of(block, None, "E") for block in np.split(X, 10)]
    mean = functools.reduce(merge_spreads, parts).mean
    assert mean == pytest.approx(math.fsum(X[:, 0]) / len(X), rel=1e-14)
