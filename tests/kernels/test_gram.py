"""Products and factors of blocks: folding them equals summarising the whole."""

import functools

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from sklearn_dask_auto.kernels import tiles
from sklearn_dask_auto.kernels.gram import gram_of, merge_grams
from sklearn_dask_auto.kernels.tsqr import merge_triangles, triangle_of
from tests.cuts import cuts, matrices


def centred_products(X, weight=None):
    weight = np.ones(len(X)) if weight is None else weight
    deviations = X - np.average(X, axis=0, weights=weight)
    return (weight * deviations.T) @ deviations


def parts_of(rows, chunks):
    return [part for part in np.split(rows, np.cumsum(chunks)[:-1]) if len(part)]


@given(st.data())
def test_folding_blocks_equals_the_products_of_the_whole(data):
    X = data.draw(matrices())
    blocks = parts_of(X, data.draw(cuts(len(X))))
    total = functools.reduce(merge_grams, [gram_of(b, "E") for b in blocks])
    expected = centred_products(X)
    assert total.weight == len(X)
    assert_allclose(total.mean, X.mean(axis=0), atol=1e-12 * np.abs(X).max())
    assert_allclose(total.products, expected, atol=1e-10 * expected.max())


@given(st.data())
def test_folding_blocks_equals_the_factor_of_the_whole(data):
    X = data.draw(matrices())
    y = X.sum(axis=1) + np.arange(len(X))
    weight = np.random.default_rng(0).uniform(size=len(X))
    weight[: len(X) // 3] = 0
    chunks = data.draw(cuts(len(X)))
    total = functools.reduce(
        merge_triangles,
        [
            triangle_of(block, {"y": target, "sample_weight": part}, "E")
            for block, target, part in zip(
                *(parts_of(v, chunks) for v in (X, y, weight)), strict=True
            )
        ],
    )
    rows = np.column_stack([X, y])
    expected = centred_products(rows, weight)
    assert total.weight == pytest.approx(weight.sum())
    assert len(total.factor) <= rows.shape[1]
    assert_allclose(np.tril(total.factor, -1), 0)
    found = total.factor.T @ total.factor
    assert_allclose(found, expected, atol=1e-10 * expected.max())


@given(st.data())
def test_merging_is_associative(data):
    X = data.draw(matrices())
    a, b, c = (gram_of(part, "E") for part in np.array_split(X, 3))
    left = merge_grams(merge_grams(a, b), c)
    right = merge_grams(a, merge_grams(b, c))
    atol = 1e-12 * left.products.max()
    assert_allclose(left.products, right.products, atol=atol)
    assert_allclose(left.mean, right.mean, atol=1e-12 * np.abs(X).max())


def test_a_block_of_many_tiles_is_one_of_few(monkeypatch):
    X = np.random.default_rng(0).normal(size=(5000, 3)) + 100
    whole = gram_of(X, "E"), triangle_of(X, {}, "E")
    monkeypatch.setattr(tiles, "MOST_TILE_ROWS", 7)
    gram, triangle = gram_of(X, "E"), triangle_of(X, {}, "E")
    assert_allclose(gram.products, whole[0].products, rtol=1e-10, atol=1e-9)
    assert_allclose(np.abs(triangle.factor), np.abs(whole[1].factor), atol=1e-9)


def test_a_mean_far_from_zero_costs_no_digits():
    X = np.random.default_rng(0).normal(size=(5000, 3)) + 1e8
    expected = centred_products(X - 1e8)
    assert_allclose(gram_of(X, "E").products, expected, rtol=1e-9, atol=1e-6)
    factor = triangle_of(X, {}, "E").factor
    assert_allclose(factor.T @ factor, expected, rtol=1e-9, atol=1e-6)


def test_a_factor_keeps_singular_values_that_products_lose():
    rng = np.random.default_rng(0)
    U, V = (np.linalg.qr(rng.normal(size=(n, 3)))[0] for n in (900, 3))
    expected = np.array([1.0, 1e-6, 1e-12])
    X = (U * expected) @ V.T
    parts = [triangle_of(b, {}, "E", is_centred=False) for b in np.split(X, 9)]
    factor = functools.reduce(merge_triangles, parts).factor
    assert_allclose(np.linalg.svd(factor, compute_uv=False), expected, rtol=1e-3)


def test_rows_that_are_not_to_be_centred_keep_a_mean_of_zero():
    X = np.random.default_rng(0).normal(size=(50, 3)) + 5
    total = triangle_of(X, {}, "E", is_centred=False)
    assert_allclose(total.mean, 0)
    assert_allclose(total.factor.T @ total.factor, X.T @ X)


def test_sparse_blocks_give_the_statistics_of_dense_ones():
    X = sp.random(300, 7, density=0.1, random_state=0, format="csr")
    dense, sparse = gram_of(X.toarray(), "E"), gram_of(X, "E")
    assert_allclose(sparse.mean, dense.mean)
    assert_allclose(sparse.products, dense.products, atol=1e-12)
    dense, sparse = triangle_of(X.toarray(), {}, "E"), triangle_of(X, {}, "E")
    assert_allclose(sparse.factor, dense.factor)


def test_narrow_values_are_summed_in_double_precision():
    X = np.random.default_rng(0).normal(size=(4000, 2)).astype(np.float32) + 100
    expected = centred_products(X.astype(np.float64))
    assert_allclose(gram_of(X, "E").products, expected, rtol=1e-10, atol=1e-9)


def test_rows_of_no_weight_merge_with_anything():
    X = np.random.default_rng(0).normal(size=(20, 2))
    none = triangle_of(X + 99, {"sample_weight": np.zeros(20)}, "E")
    some = triangle_of(X, {}, "E")
    assert merge_triangles(none, none).weight == 0
    merged = merge_triangles(none, some)
    assert_allclose(merged.mean, some.mean)
    assert_allclose(merged.factor.T @ merged.factor, some.factor.T @ some.factor)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("make", [np.asarray, sp.csr_matrix], ids=["dense", "sparse"])
@pytest.mark.parametrize("of", [gram_of, lambda X, name: triangle_of(X, {}, name)])
def test_a_value_that_is_not_finite_is_scikit_learns_error(of, make, bad):
    X = np.random.default_rng(0).normal(size=(30, 3))
    X[-1, -1] = bad
    with pytest.raises(ValueError, match="Input X contains"):
        of(make(X), "E")


# scikit-learn's check adds them up, too.
@pytest.mark.filterwarnings("ignore:invalid value")
def test_opposite_infinities_are_found():
    X = np.zeros((4, 1))
    X[:2, 0] = np.inf, -np.inf
    with pytest.raises(ValueError, match="Input X contains infinity"):
        gram_of(X, "E")
