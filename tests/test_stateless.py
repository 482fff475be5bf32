"""Normalizer and PolynomialFeatures: fitted on metadata, applied block by block."""

import warnings

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.preprocessing import Normalizer, PolynomialFeatures

from sklearn_dask_auto import (
    AutoScaleNormalizer,
    AutoScalePolynomialFeatures,
    AutoScaleRidge,
)
from tests.cuts import cut, cuts, matrices

CASES = {
    "l2": (AutoScaleNormalizer, Normalizer, {}),
    "l1": (AutoScaleNormalizer, Normalizer, {"norm": "l1"}),
    "max": (AutoScaleNormalizer, Normalizer, {"norm": "max"}),
    "squares": (AutoScalePolynomialFeatures, PolynomialFeatures, {}),
    "cubes": (
        AutoScalePolynomialFeatures,
        PolynomialFeatures,
        {"degree": (2, 3), "include_bias": False, "order": "F"},
    ),
    "interactions": (
        AutoScalePolynomialFeatures,
        PolynomialFeatures,
        {"interaction_only": True},
    ),
}
X = np.random.default_rng(0).normal(size=(30, 3))
X[4] = 0
PANDAS = pd.DataFrame(X, columns=list("abc"))
FRAME = dd.from_pandas(PANDAS, npartitions=3)


def pair(name):
    ours, original, params = CASES[name]
    return ours(**params), original(**params)


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=20)
@given(st.data())
def test_every_cut_is_transformed_as_by_scikit_learn(name, data):
    rows = data.draw(matrices(max_rows=60, max_columns=4))
    rows = rows.astype(data.draw(st.sampled_from([np.float64, np.float32])))
    chunks, width = data.draw(cuts(len(rows))), data.draw(st.sampled_from([-1, 1]))
    ours, reference = pair(name)
    blocks = cut(rows, chunks, width)
    lazy = ours.fit_transform(blocks)
    expected = reference.fit_transform(rows)
    assert lazy.chunks[0] == blocks.chunks[0]
    assert lazy.shape == expected.shape
    assert lazy.dtype == expected.dtype
    # Sums over a row may be taken in another order where there are fewer rows.
    rtol = 1e-14 if rows.dtype == np.float64 else 1e-6
    assert_allclose(lazy.compute(), expected, rtol=rtol)


@pytest.mark.parametrize("make", [sp.csr_matrix, sp.csc_matrix, sp.csr_array])
@pytest.mark.parametrize("name", CASES)
def test_sparse_blocks_stay_sparse(name, make):
    rows = np.where(X > 0, X, 0)
    ours, reference = pair(name)
    blocks = cut(rows, (10, 0, 20)).map_blocks(make, meta=make((0, 3)))
    found = ours.fit(blocks).transform(blocks)
    expected = reference.fit_transform(make(rows))
    assert sp.issparse(found._meta)
    parts = [
        part for part in dask.compute(*found.to_delayed().ravel()) if part.shape[0]
    ]
    assert {type(part) for part in parts} == {type(expected)}
    assert_allclose(sp.vstack(parts).toarray(), expected.toarray())


@pytest.mark.parametrize("name", CASES)
def test_a_fit_reads_nothing(name, no_compute):
    unknown = da.from_array(X, chunks=(7, 2))
    unknown = unknown[unknown[:, 0] > 0]
    for rows in (unknown, FRAME, FRAME[FRAME.a > 0]):
        ours, reference = pair(name)
        assert ours.explain(rows).engine == "blockwise"
        lazy = ours.fit(rows).transform(rows)
        reference.fit(X)
        assert lazy.shape[1] == reference.transform(X).shape[1]
        assert ours.n_features_in_ == 3


@pytest.mark.parametrize("name", CASES)
def test_frames_have_scikit_learns_names(name):
    ours, reference = (e.set_output(transform="pandas") for e in pair(name))
    found = ours.fit(FRAME).transform(FRAME)
    expected = reference.fit_transform(PANDAS)
    assert isinstance(found, dd.DataFrame)
    assert found.columns.tolist() == expected.columns.tolist()
    pd.testing.assert_frame_equal(found.compute(), expected)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_scikit_learns_error_when_computed(name, bad):
    rows = X.copy()
    rows[-1, -1] = bad
    lazy = pair(name)[0].fit_transform(da.from_array(rows, chunks=(7, 3)))
    with pytest.raises(ValueError, match="Input X contains") as found:
        lazy.compute()
    with pytest.raises(ValueError, match="Input X contains") as expected:
        pair(name)[1].fit_transform(rows)
    assert str(found.value).split(".")[0] == str(expected.value).split(".")[0]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"degree": -1}, "'degree' parameter"),
        ({"degree": (3, 2)}, "min_degree <= max_degree"),
        ({"degree": 0, "include_bias": False}, "an empty output array"),
        ({"degree": 30}, "too large to be indexed"),
    ],
    ids=["negative", "upside down", "nothing", "too many"],
)
def test_bad_degrees_are_scikit_learns_error_at_fit(params, message, no_compute):
    wide = da.zeros((10, 1_000), chunks=(5, 1_000))
    with pytest.raises(ValueError, match=message):
        AutoScalePolynomialFeatures(**params).fit(wide)


def test_a_normalizer_needs_no_fit():
    blocks = cut(X, (10, 20))
    found = AutoScaleNormalizer().transform(blocks)
    assert_array_equal(found.compute(), Normalizer().transform(X))


def test_normalizing_takes_copy_and_leaves_the_callers_blocks():
    rows = X.copy()
    parts = {("rows", 0, 0): rows[:10], ("rows", 1, 0): rows[10:]}
    blocks = da.Array(parts, "rows", ((10, 20), (3,)), dtype=float)
    scaler = AutoScaleNormalizer(copy=False).fit(blocks)
    scaler.transform(blocks, copy=False).compute()
    assert_array_equal(rows, X)
    assert scaler.transform(rows, copy=False) is rows


def test_polynomials_of_blocks_are_fitted_to():
    target = X[:, 0] * X[:, 1]
    blocks = AutoScalePolynomialFeatures(include_bias=False).fit_transform(
        cut(X, (10, 20))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = AutoScaleRidge(1e-12, engine="blockwise").fit(blocks, target)
    assert_allclose(model.coef_, [0, 0, 0, 0, 1, 0, 0, 0, 0], atol=1e-9)
