"""Pipelines that are streamed, and steps that learn nothing from the rows."""

import dask
import dask.array as da
import dask.bag as db
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import IncrementalPCA
from sklearn.feature_extraction import FeatureHasher
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    MinMaxScaler,
    Normalizer,
    StandardScaler,
)

from sklearn_dask_auto import AutoScaleEstimator, config_context
from tests.cuts import cut, cuts

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 4)) * [1.0, 1000.0, 1.0, 0.01] + [0, 500, 3, 0]
Y = np.where(X[:, 0] + X[:, 3] * 100 > 0, "yes", "no")
ORDER = np.argsort(Y, kind="stable")
X, Y = X[ORDER], Y[ORDER]
WORDS = pd.Series(["red car", "blue car", "red bus", "green bus", ""] * 20)
SGD = SGDClassifier(random_state=0)


def streamed(estimator, rows, *args, **params):
    return AutoScaleEstimator(estimator, engine="blockwise").fit(rows, *args, **params)


@settings(max_examples=10)
@given(cuts(400), cuts(400))
def test_steps_are_fitted_to_all_rows_before_the_last_is_streamed(rows, beside):
    dX, dy = cut(X, rows, 3), cut(Y, beside)
    model = streamed(make_pipeline(StandardScaler(), SGD), dX, dy)
    scaler = StandardScaler().fit(X)
    assert_allclose(model.estimator_[0].mean_, scaler.mean_, rtol=1e-9, atol=1e-12)
    assert type(model.estimator_[0]) is StandardScaler
    alone = streamed(SGD, scaler.transform(X), Y)
    # Scalers of other cuts differ in the last digit.
    assert_allclose(model.estimator_[1].coef_, alone.estimator_.coef_, rtol=1e-4)
    assert model.score(dX, dy) == model.score(X, Y) > 0.9


@pytest.mark.parametrize(
    "steps",
    [
        (StandardScaler(), IncrementalPCA(4), "passthrough", SGD),
        (FunctionTransformer(np.arcsinh), MinMaxScaler(), SGD),
        (Normalizer(), SGD),
        (make_pipeline(Normalizer(), make_pipeline(IncrementalPCA(3))), SGD),
        (make_pipeline(FunctionTransformer(np.arcsinh), StandardScaler()), SGD),
    ],
    ids=["partial", "stateless", "none-learns", "nested", "nested-twice"],
)
def test_other_steps_learn_what_they_learn_in_memory(steps):
    rows = da.from_array(X, (100, 4))
    model = streamed(make_pipeline(*steps), rows, da.from_array(Y, 150))
    plain = make_pipeline(*steps).fit(X, Y)
    for ours, theirs in zip(model.estimator_[:-1], plain[:-1], strict=True):
        assert type(ours) is type(theirs)
        assert getattr(ours, "n_features_in_", 4) == 4
        for name in ("scale_", "mean_", "min_"):
            if hasattr(theirs, name):
                assert_allclose(getattr(ours, name), getattr(theirs, name), 1e-6, 1e-9)
    assert model.score(rows, Y) > plain.score(X, Y) - 0.05
    assert_array_equal(model.predict(rows).compute(), model.to_sklearn().predict(X))


def test_weights_of_the_last_step_are_its_own():
    weight = RNG.uniform(0.5, 2, size=400)
    rows, pipeline = cut(X, (150, 250)), make_pipeline(StandardScaler(), SGD)
    found = streamed(pipeline, rows, Y, sgdclassifier__sample_weight=weight)
    scaled = streamed(StandardScaler(), rows).transform(rows)
    alone = streamed(SGD, scaled, Y, sample_weight=weight)
    assert_allclose(found.estimator_[1].coef_, alone.estimator_.coef_, rtol=1e-4)
    other = AutoScaleEstimator(pipeline, engine="blockwise")
    plan = other.explain(rows, Y, standardscaler__sample_weight=weight)
    assert "without the fit parameter 'standardscaler__sample_weight'" in str(plan)


def test_a_pipeline_that_does_not_fit_is_streamed_by_itself():
    frame = dd.from_pandas(pd.DataFrame(X, columns=list("abcd")), npartitions=4)
    with config_context(memory_budget="5kB"):
        model = AutoScaleEstimator(make_pipeline(StandardScaler(), SGD))
        model.fit(cut(X, (150, 250)), Y)
        assert model.plan_.engine == "blockwise"
    model = streamed(make_pipeline(StandardScaler(), SGD), frame, Y)
    assert list(model.feature_names_in_) == list("abcd")
    assert model.score(frame, Y) > 0.9


@pytest.mark.parametrize("engine", ["auto", "blockwise"])
def test_text_is_hashed_without_a_fit(engine):
    words = dd.from_pandas(WORDS, npartitions=4)
    hashing = HashingVectorizer(n_features=32)
    with dask.config.set(scheduler=lambda *args, **kwargs: pytest.fail("computed")):
        model = AutoScaleEstimator(hashing, engine=engine).fit(words)
        lazy = model.transform(words)
    assert model.plan_.engine == "blockwise"
    assert sp.issparse(lazy._meta)
    assert (lazy.compute() != hashing.transform(WORDS)).nnz == 0
    again = AutoScaleEstimator(hashing, engine=engine).fit_transform(words)
    assert (again.compute() != hashing.transform(WORDS)).nnz == 0
    colour = WORDS.str.split().str[0].fillna("none")
    pipeline = streamed(make_pipeline(hashing, SGD), words, dd.from_pandas(colour, 3))
    assert pipeline.score(words, colour) == 1
    with pytest.raises(TypeError, match="X is a Bag"):
        AutoScaleEstimator(hashing, engine=engine).fit(db.from_sequence(WORDS))


def test_what_makes_nothing_of_made_up_rows_sees_the_first_of_yours():
    rows = pd.Series([{"a": 1.0}, {"b": 2.0}, {"a": 3.0, "c": 1.0}] * 4, dtype=object)
    with dask.config.set({"dataframe.convert-string": False}):
        lazy = dd.from_pandas(rows, npartitions=3)
        model = AutoScaleEstimator(FeatureHasher(8)).fit(lazy)
        found = model.transform(lazy)
    assert model.plan_.engine == "blockwise"
    assert (found.compute() != FeatureHasher(8).transform(rows)).nnz == 0


def test_columns_and_bad_parameters_are_still_checked():
    frame = dd.from_pandas(pd.DataFrame(X, columns=list("abcd")), npartitions=4)
    model = AutoScaleEstimator(Binarizer()).fit(frame)
    assert list(model.feature_names_in_) == list("abcd")
    assert_array_equal(model.transform(frame).compute(), Binarizer().transform(X))
    with pytest.raises(ValueError, match="The 'norm' parameter of Normalizer"):
        AutoScaleEstimator(Normalizer(norm="none")).fit(frame)
