import functools

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from sklearn_dask_auto.kernels.moments import merge_moments, moments_of
from tests.cuts import cuts, matrices


@given(st.data())
def test_folding_blocks_equals_the_moments_of_the_whole(data):
    X = data.draw(matrices())
    blocks = np.split(X, np.cumsum(data.draw(cuts(len(X))))[:-1])
    parts = [moments_of(b, "X", "Estimator") for b in blocks if len(b)]
    total = functools.reduce(merge_moments, parts)
    assert total.n_rows == len(X)
    assert_allclose(total.mean, X.mean(axis=0), atol=1e-12 * np.abs(X).max())
    assert_allclose(total.variance, X.var(axis=0), rtol=1e-10)


def test_a_mean_far_from_zero_costs_no_digits():
    X = np.random.default_rng(0).normal(size=(5000, 3)) + 1e8
    expected = (X - X.mean(axis=0)).var(axis=0)
    assert_allclose(moments_of(X, "X", "E").variance, expected, rtol=1e-9)


def test_sparse_blocks_give_the_moments_of_dense_ones():
    X = sp.random(300, 7, density=0.1, random_state=0, format="csr")
    dense, sparse = moments_of(X.toarray(), "X", "E"), moments_of(X, "X", "E")
    assert_allclose(sparse.mean, dense.mean)
    assert_allclose(sparse.squares, dense.squares)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("make", [np.asarray, sp.csr_matrix], ids=["dense", "sparse"])
def test_a_value_that_is_not_finite_is_scikit_learns_error(bad, make):
    X = np.ones((400, 3))
    X[-1, -1] = bad
    with pytest.raises(ValueError, match="Input X contains"):
        moments_of(make(X), "X", "KMeans")


def test_values_whose_squares_overflow_are_no_error():
    X = np.array([[1e200], [-1e200]])
    assert moments_of(X, "X", "E").mean == [0]
