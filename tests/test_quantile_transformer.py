"""QuantileTransformer on row blocks: scikit-learn's quantiles, to the bit."""

import warnings

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.preprocessing import QuantileTransformer

from sklearn_dask_auto import AutoScaleQuantileTransformer
from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels import quantile_transformer
from tests.cuts import cut, cuts, matrices

X = np.random.default_rng(0).lognormal(size=(300, 4))
X[::7, 0] = np.nan
X[:, 1] = np.round(X[:, 1])
X[:, 3] = 5.0
FEW_OR_ALL = st.sampled_from([None, 17, 60, 10_000])


def pair(**params):
    params = {"n_quantiles": 17, "random_state": 3, **params}
    ours = AutoScaleQuantileTransformer(engine="blockwise", **params)
    return ours, QuantileTransformer(**params)


def assert_same_quantiles(fitted, reference):
    assert fitted.n_quantiles_ == reference.n_quantiles_
    assert_array_equal(fitted.references_, reference.references_)
    assert_array_equal(fitted.quantiles_, reference.quantiles_)
    # Where nothing is stored, scikit-learn's zeros are whole numbers.
    expected = np.result_type(reference.quantiles_, np.float32)
    assert fitted.quantiles_.dtype == expected


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@settings(max_examples=25)
@given(data=st.data())
def test_every_cut_gives_scikit_learns_quantiles_and_methods(distribution, dtype, data):
    rows = data.draw(matrices()).astype(dtype)
    rng = np.random.default_rng(data.draw(st.integers(0, 100)))
    rows[rng.uniform(size=rows.shape) < data.draw(st.sampled_from([0, 0.2]))] = np.nan
    # Of columns together, the first decides numpy's dtype.
    rows[:18] = np.nan_to_num(rows[:18], nan=1.0)
    rows[0, 0] = 0.5
    fitted, reference = pair(
        subsample=data.draw(FEW_OR_ALL), output_distribution=distribution
    )
    blocks = cut(rows, data.draw(cuts(len(rows))), data.draw(st.sampled_from([-1, 1])))
    reference.fit(rows)
    assert_same_quantiles(fitted.fit(blocks), reference)
    mapped = fitted.transform(blocks)
    expected = reference.transform(rows)
    assert mapped.dtype == expected.dtype
    assert_array_equal(mapped.compute(), expected)
    back = fitted.inverse_transform(mapped).compute()
    assert_array_equal(back, reference.inverse_transform(expected))


@pytest.mark.parametrize("ignores", [False, True], ids=["zeros", "stored alone"])
@pytest.mark.parametrize("make", [sp.csr_matrix, sp.csc_matrix])
@settings(max_examples=15)
@given(data=st.data())
def test_every_cut_of_sparse_rows_gives_scikit_learns_quantiles(make, ignores, data):
    rows = np.abs(data.draw(matrices(min_rows=40)))
    rng = np.random.default_rng(data.draw(st.integers(0, 100)))
    rows[rng.uniform(size=rows.shape) < data.draw(st.sampled_from([0, 0.5, 0.9]))] = 0
    rows[rng.uniform(size=rows.shape) < data.draw(st.sampled_from([0, 0.1]))] = np.nan
    # What is stored as NaN alone is a warning of numpy's.
    rows[0], rows[:, -1] = 1.0, data.draw(st.sampled_from([0.0, 1.0]))
    if ignores:
        rows[1:, 0] *= -1
    fitted, reference = pair(
        subsample=data.draw(FEW_OR_ALL), ignore_implicit_zeros=ignores
    )
    chunks = data.draw(cuts(len(rows)))
    blocks = cut(rows, chunks).map_blocks(make, meta=make((0, rows.shape[1])))
    reference.fit(sp.csr_matrix(rows))
    assert_same_quantiles(fitted.fit(blocks), reference)
    mapped = fitted.transform(blocks).compute()
    expected = reference.transform(sp.csr_matrix(rows))
    assert sp.issparse(mapped)
    assert_array_equal(mapped.toarray(), expected.toarray())


def test_columns_that_store_nothing_or_nan_alone_are_as_in_scikit_learn():
    rows = sp.csr_matrix(([np.nan, 2.0], ([0, 1], [0, 2])), shape=(40, 3))
    blocks = da.from_array(rows.toarray(), chunks=(15, 3)).map_blocks(
        sp.csr_matrix, meta=sp.csr_matrix((0, 3))
    )
    for subsample in (None, 100):
        ours, reference = pair(ignore_implicit_zeros=True, subsample=subsample)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "All-NaN", RuntimeWarning)
            reference.fit(rows)
        assert_array_equal(ours.fit(blocks).quantiles_, reference.quantiles_)


@pytest.mark.parametrize("subsample", [None, 50])
def test_frames_are_taken_and_given(subsample):
    pandas = pd.DataFrame(X, columns=list("abcd"))
    frame = dd.from_pandas(pandas, npartitions=4)
    ours, reference = (
        e.set_output(transform="pandas") for e in pair(subsample=subsample)
    )
    expected = reference.fit_transform(pandas)
    found = ours.fit(frame[frame.b > -1]).transform(frame)
    assert isinstance(found, dd.DataFrame)
    pd.testing.assert_frame_equal(found.compute(), expected)
    assert ours.feature_names_in_.tolist() == list("abcd")


def test_a_seed_is_used_up_as_by_scikit_learn():
    mine, theirs = np.random.RandomState(5), np.random.RandomState(5)
    ours, reference = pair(subsample=50)
    ours.set_params(random_state=mine).fit(cut(X, (100, 200)))
    reference.set_params(random_state=theirs).fit(X)
    assert_same_quantiles(ours, reference)
    assert mine.randint(1000) == theirs.randint(1000)


def test_a_sample_that_is_too_dear_to_draw_is_not_drawn():
    estimator, _ = pair(subsample=50)
    _, reference = pair(subsample=None)
    rows = Rows(cut(X, (100, 200)))
    found = quantile_transformer.fit(estimator, rows, 8 * len(X) - 1)
    assert_array_equal(found["quantiles_"], reference.fit(X).quantiles_)


def test_warnings_are_scikit_learns():
    with pytest.warns(UserWarning, match="n_quantiles is set to n_samples"):
        pair(n_quantiles=1000)[0].fit(cut(X, (100, 200)))
    with pytest.warns(UserWarning, match="takes effect only with sparse"):
        pair(ignore_implicit_zeros=True)[0].fit(cut(X, (100, 200)))


def test_more_quantiles_than_rows_are_refused_before_any_pass(no_compute):
    with pytest.raises(ValueError, match="Got 17 quantiles and 5 samples"):
        pair(subsample=5)[0].fit(cut(X, (100, 200)))


def test_negative_sparse_values_are_scikit_learns_error():
    rows = np.where(X > 2, -X, 0)
    blocks = cut(rows, (100, 200)).map_blocks(sp.csr_matrix, meta=sp.csr_matrix((0, 4)))
    for subsample in (None, 50):
        with pytest.raises(ValueError, match="only accepts non-negative sparse"):
            pair(subsample=subsample)[0].fit(blocks)
        pair(subsample=subsample, ignore_implicit_zeros=True)[0].fit(blocks)


@pytest.mark.parametrize("subsample", [None, 50])
def test_infinity_is_an_error_even_outside_of_the_sample(subsample):
    for row in (0, 150, 299):
        rows = X.copy()
        rows[row, 0] = -np.inf
        with pytest.raises(ValueError, match="Input X contains infinity"):
            pair(subsample=subsample)[0].fit(cut(rows, (100, 200)))


def test_all_rows_are_priced_as_several_passes():
    blocks = da.zeros((10_000_000, 20), chunks=(20_000, 20))
    plan = AutoScaleQuantileTransformer().explain(blocks)
    assert (plan.engine, plan.job.passes) == ("blockwise", 1)
    plan = AutoScaleQuantileTransformer(subsample=None).explain(blocks)
    assert (plan.engine, plan.job.passes) == ("blockwise", 3)
