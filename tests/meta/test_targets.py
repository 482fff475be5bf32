"""Several targets: where scikit-learn returns a list of arrays, a list of lazy ones."""

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler
from sklearn.svm import LinearSVR
from sklearn.tree import DecisionTreeClassifier

from sklearn_dask_auto import AutoScaleEstimator, AutoScaleSearchCV, config_context
from tests.cuts import cut, cuts

X = np.random.default_rng(0).normal(size=(80, 4))
TWO = (X[:, :2] > 0).astype(int)
UNEQUAL = np.column_stack([TWO[:, 0], np.digitize(X[:, 1], [-0.5, 0.5])])
WORDS = np.array(["no", "yes", "certainly"], object)[UNEQUAL]
MODELS = {
    "dummy": (DummyClassifier(), UNEQUAL),
    "forest": (RandomForestClassifier(5, random_state=0), WORDS),
    "neighbors": (KNeighborsClassifier(3), UNEQUAL),
    "many": (MultiOutputClassifier(LogisticRegression()), UNEQUAL),
    "tree in a pipeline": (
        make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0)),
        UNEQUAL,
    ),
}
FITTED = {
    name: AutoScaleEstimator(model).fit(cut(X, (30, 50)), cut(target, (80,)))
    for name, (model, target) in MODELS.items()
}


def refuse(graph, keys, **options):
    raise AssertionError("a dask graph was computed")


def assert_lazy_lists_equal(model, method, rows, here):
    with dask.config.set(scheduler=refuse):
        lazy = getattr(model, method)(rows)
    expected = getattr(model.estimator_, method)(here)
    assert type(lazy) is type(expected) is list
    found = dask.compute(*lazy)
    for array, out, right in zip(lazy, found, expected, strict=True):
        assert isinstance(array, da.Array)
        assert array.shape[1:] == right.shape[1:]
        assert array.dtype == out.dtype == right.dtype
        assert_allclose(out, right, rtol=1e-12)
    return lazy


# The logarithm of a probability of 0.
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
@pytest.mark.parametrize("name", FITTED)
@settings(max_examples=8)
@given(st.data())
def test_any_cut_gives_an_array_for_each_target(name, data):
    model, rows = FITTED[name], cut(X, data.draw(cuts(80)), 2)
    for method in ("predict_proba", "predict_log_proba"):
        if hasattr(model, method):
            for array in assert_lazy_lists_equal(model, method, rows, X):
                assert array.chunks[0] == rows.chunks[0]
    assert_array_equal(model.predict(rows).compute(), model.estimator_.predict(X))


def test_frames_and_unknown_sizes_give_the_same():
    model, frame = FITTED["forest"], pd.DataFrame(X)
    table = dd.from_pandas(frame, npartitions=3)
    assert_lazy_lists_equal(model, "predict_proba", table, X)
    rows = cut(X, (30, 50))
    rows = rows[rows[:, 0] > -np.inf]
    for array in assert_lazy_lists_equal(model, "predict_proba", rows, X):
        assert np.isnan(array.shape[0])


def test_blocks_are_predicted_once_for_all_targets():
    calls = []

    class Counted(DummyClassifier):
        def predict_proba(self, X):
            calls.append(len(X))
            return super().predict_proba(X)

    frozen = FrozenEstimator(Counted().fit(X, UNEQUAL))
    lazy = AutoScaleEstimator(frozen).fit(X, UNEQUAL).predict_proba(cut(X, (30, 50)))
    calls.clear()
    with dask.config.set(scheduler="sync"):
        dask.compute(*lazy)
    assert sorted(calls) == [30, 50]


def test_what_refuses_made_up_rows_tells_its_lists_in_fit():
    codes = np.where(X > 0, "high", "low").astype(object)
    model = make_pipeline(OrdinalEncoder(), DecisionTreeClassifier(random_state=0))
    model = AutoScaleEstimator(model).fit(codes, UNEQUAL)
    assert_lazy_lists_equal(model, "predict_proba", cut(codes, (30, 0, 50)), codes)


def test_scores_are_those_of_scikit_learn():
    model = FITTED["many"]
    expected = model.estimator_.score(X, UNEQUAL)
    with config_context(memory_budget="1kB"):
        score = model.score(cut(X, (30, 50), 2), cut(UNEQUAL, (70, 10)))
    assert type(score) is float
    assert score == expected
    chain = AutoScaleEstimator(ClassifierChain(LogisticRegression())).fit(X, TWO)
    blocks = cut(X, (30, 50))
    assert chain.score(blocks, TWO) == chain.estimator_.score(X, TWO)
    assert_allclose(
        chain.predict_proba(blocks).compute(), chain.estimator_.predict_proba(X)
    )
    numbers = AutoScaleEstimator(MultiOutputRegressor(LinearSVR(random_state=0)))
    numbers.fit(X, X[:, :2])
    assert numbers.score(blocks, X[:, :2]) == pytest.approx(numbers.score(X, X[:, :2]))
    with pytest.raises(ValueError, match="y must have at least two dimensions"):
        model.score(blocks, UNEQUAL[:, 0])
    with pytest.raises(ValueError, match="multiclass-multioutput is not supported"):
        FITTED["neighbors"].score(blocks, UNEQUAL)


@pytest.mark.parametrize("wrap", [AutoScaleEstimator, lambda estimator: estimator])
def test_a_search_scores_lists_of_probabilities(wrap):
    scoring = make_scorer(roc_auc_score, response_method="predict_proba")
    forest = RandomForestClassifier(random_state=0)
    grid = {"n_estimators": [2, 5]}
    expected = GridSearchCV(forest, grid, scoring=scoring, cv=3).fit(X, TWO)
    model = wrap(forest)
    if model is not forest:
        grid = {"estimator__n_estimators": [2, 5]}
    search = AutoScaleSearchCV(model, grid, scoring=scoring, cv=3)
    blocks = cut(X, (30, 50))
    search.fit(blocks, TWO)
    assert_array_equal(
        search.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
    )
    assert search.score(blocks, TWO) == pytest.approx(expected.score(X, TWO))
    found = dask.compute(*search.predict_proba(blocks))
    assert_allclose(found, expected.predict_proba(X))


def test_what_is_a_list_of_rows_is_refused():
    words = AutoScaleEstimator(CountVectorizer()).fit(np.array(["a few", "many"]))
    counts = cut(np.eye(2, dtype=int), (1, 1))
    with pytest.raises(ValueError, match="returns a list, which has no lazy form"):
        words.inverse_transform(counts)
