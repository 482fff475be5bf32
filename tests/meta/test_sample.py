"""`fit_on="sample"`: the wrapped estimator, fitted on rows that only the seed picks."""

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.cluster import KMeans
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.random import sample_without_replacement

from sklearn_dask_auto import (
    AutoScaleEstimator,
    AutoScaleRidge,
    NoEngineError,
    config_context,
)
from tests.cuts import cut, cuts

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 3))
Y = X @ [1.0, -2.0, 0.5] + RNG.normal(size=90)
WEIGHT = RNG.uniform(0.1, 2, size=90)
ROWS = np.sort(sample_without_replacement(90, 40, random_state=3))
EXPECTED = Ridge().fit(X[ROWS], Y[ROWS], sample_weight=WEIGHT[ROWS])


def sampled(estimator, **params):
    settings = {"sample_size": 40, "random_state": 3, **params}
    return AutoScaleEstimator(estimator, fit_on="sample", **settings)


@settings(max_examples=20)
@given(cuts(90), cuts(90), cuts(90), st.booleans())
def test_any_cut_gives_the_estimator_fitted_on_these_rows(rows, beside, other, sizes):
    dX, dy, weight = cut(X, rows), cut(Y, beside), cut(WEIGHT, other)
    if not sizes:
        dX = dX.map_blocks(np.copy, chunks=((np.nan,) * dX.numblocks[0], (3,)))
    model = sampled(Ridge()).fit(dX, dy, sample_weight=weight)
    assert_array_equal(model.estimator_.coef_, EXPECTED.coef_)
    assert_allclose(model.predict(dX).compute(), EXPECTED.predict(X), rtol=1e-12)
    assert model.plan_.engine == "sklearn"


@pytest.mark.parametrize(
    "made",
    [
        lambda: (X, Y, WEIGHT),
        lambda: (cut(X, (30, 60)), Y, WEIGHT),
        lambda: (X.tolist(), cut(Y, (30, 60)), WEIGHT.tolist()),
        lambda: (
            dd.from_pandas(pd.DataFrame(X), npartitions=4),
            dd.from_pandas(pd.Series(Y), npartitions=3),
            cut(WEIGHT, (1, 89)),
        ),
        lambda: (cut(X, (30, 60)).map_blocks(sp.csr_matrix), Y, WEIGHT),
    ],
    ids=["numpy", "mixed", "list", "frame", "sparse"],
)
def test_rows_are_the_same_in_any_container(made):
    rows, y, weight = made()
    model = sampled(Ridge(solver="cholesky", fit_intercept=False))
    model.fit(rows, y, sample_weight=weight)
    expected = Ridge(solver="cholesky", fit_intercept=False)
    expected.fit(X[ROWS], Y[ROWS], sample_weight=WEIGHT[ROWS])
    assert_allclose(model.estimator_.coef_, expected.coef_, rtol=1e-12)


def test_of_few_rows_all_are_fitted():
    model = sampled(Ridge(), sample_size=90).fit(cut(X, (30, 60)), cut(Y, (45, 45)))
    assert_array_equal(model.estimator_.coef_, Ridge().fit(X, Y).coef_)


def test_the_seed_of_the_estimator_is_taken_where_there_is_no_other():
    model = sampled(KMeans(2, n_init=1, random_state=3), random_state=None)
    labels = model.fit_predict(cut(X, (30, 60)))
    expected = KMeans(2, n_init=1, random_state=3).fit(X[ROWS])
    assert_array_equal(model.estimator_.cluster_centers_, expected.cluster_centers_)
    assert_array_equal(labels.compute(), expected.predict(X))


def test_all_rows_are_transformed():
    scaled = sampled(StandardScaler())
    expected = StandardScaler().fit(X[ROWS]).transform(X)
    assert_array_equal(scaled.fit_transform(X), expected)
    assert_array_equal(scaled.fit_transform(cut(X, (30, 60))).compute(), expected)


def test_what_lies_beside_the_rows_must_be_as_long():
    blocks = cut(X, (30, 60))
    for y in (Y[:80], cut(Y[:80], (80,))):
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            sampled(Ridge()).fit(blocks, y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        sampled(Ridge()).fit(blocks, Y, sample_weight=cut(WEIGHT[:80], (80,)))


@pytest.mark.usefixtures("no_compute")
def test_the_plan_says_what_is_fitted():
    lazy, y = da.zeros((1_000_000, 10), chunks=(100_000, 10)), da.zeros(1_000_000)
    plan = sampled(SVC(), sample_size=1000).explain(lazy, y)
    assert "(a random sample, 1,000 of 1,000,000 rows)" in str(plan)
    assert (plan.profile.n_rows, plan.profile.n_bytes) == (1000, 88_000)
    assert not AutoScaleEstimator(SVC()).explain(lazy, y).job.rows


@pytest.mark.usefixtures("no_compute")
def test_a_refusal_says_how_many_rows_would_do():
    lazy, y = da.zeros((1_000_000, 10), chunks=(100_000, 10)), da.zeros(1_000_000)
    offer = "sample_size=56818: random rows, 56,818 of 1,000,000, 5 MB of 88 MB"
    with config_context(memory_budget="10MB"):
        with pytest.raises(NoEngineError, match=offer):
            AutoScaleEstimator(SVC()).fit(lazy, y)
        assert sampled(SVC(), sample_size=56_818).explain(lazy, y).engine == "sklearn"
        assert sampled(SVC(), sample_size=57_000).explain(lazy, y).engine is None


def test_what_takes_any_size_or_is_fitted_is_not_sampled():
    model = sampled(AutoScaleRidge())
    for call in (model.fit, model.explain):
        with pytest.raises(ValueError, match=r"fit_on='sample' is for .* AutoScaleRi"):
            call(X, Y)
    frozen = FrozenEstimator(LogisticRegression().fit(X, Y > 0))
    assert not sampled(frozen).fit(cut(X, (30, 60)), Y > 0).plan_.job.rows


@pytest.mark.usefixtures("client")
def test_a_worker_fits_the_same_rows():
    model = sampled(Ridge(), engine="joblib").fit(cut(X, (30, 60)), cut(Y, (45, 45)))
    assert_array_equal(model.estimator_.coef_, Ridge().fit(X[ROWS], Y[ROWS]).coef_)
    assert model.plan_.engine == "joblib"
    assert "a random sample, 40 of 90 rows" in str(model.plan_)


def test_a_sample_can_be_streamed():
    model = sampled(StandardScaler(), engine="blockwise").fit(cut(X, (30, 60)))
    assert_allclose(model.estimator_.mean_, X[ROWS].mean(axis=0), rtol=1e-12)
    assert model.estimator_.n_samples_seen_ == 40


def test_rows_that_turn_out_too_many_are_refused_with_what_would_do():
    lazy = da.zeros((90, 3), chunks=(30, 3)).map_blocks(
        np.copy, chunks=((np.nan,) * 3, (3,))
    )
    with (
        config_context(memory_budget="2kB"),
        pytest.raises(NoEngineError, match="sample_size=30: random rows, 30 of 90"),
    ):
        AutoScaleEstimator(SVC()).fit(lazy, Y > 0, sample_weight=Y)
