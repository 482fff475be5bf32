"""Accuracy that is counted without checks: scikit-learn's number, or its error."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, check_scoring, get_scorer, make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from sklearn_dask_auto import AutoScaleSearchCV
from sklearn_dask_auto.model_selection import accuracy
from sklearn_dask_auto.model_selection.accuracy import QuickAccuracy, quick_scorer
from tests.model_selection.results import assert_same_search

DTYPES = (np.int64, np.uint8, bool, np.str_, object, float)


class Echo(ClassifierMixin, BaseEstimator):
    """A classifier whose predictions are its rows."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return X


def outcome(score, *args, **kwargs):
    """Return the score, with its type, or the error."""
    try:
        value = score(*args, **kwargs)
    except Exception as error:
        return type(error), str(error)
    return type(value), value


@given(
    labels=st.lists(st.integers(0, 3), max_size=40),
    predicted=st.lists(st.integers(0, 3), max_size=40),
    kinds=st.tuples(st.sampled_from(DTYPES), st.sampled_from(DTYPES)),
    is_named=st.booleans(),
)
def test_scores_and_errors_are_scikit_learns(labels, predicted, kinds, is_named):
    y, X = np.array(labels, dtype=kinds[0]), np.array(predicted, dtype=kinds[1])
    n_rows = min(len(y), len(X))
    y, X = y[:n_rows], X[:n_rows]
    model = Echo().fit(None, [0, 1, 2, 3])
    scorer = get_scorer("accuracy") if is_named else check_scoring(model)
    quick = quick_scorer(scorer)
    assert isinstance(quick, QuickAccuracy)
    assert outcome(quick, model, X, y) == outcome(scorer, model, X, y)


@pytest.mark.parametrize(
    "targets",
    [
        pd.Series([0, 1, 1, 2]),
        [0, 1, 1, 2],
        np.array([[0], [1], [1], [2]]),
        np.array([[0, 1], [1, 1], [0, 0], [1, 0]]),
        np.array([0.5, 1, 1, 2]),
        np.array([b"a", b"b", b"b", b"c"]),
        np.array([0, 1, 1]),
    ],
    ids=["series", "list", "column", "labels", "continuous", "bytes", "short"],
)
def test_other_targets_are_scikit_learns_to_judge(targets):
    model, X = Echo().fit(None, [0, 1]), np.array([0, 1, 2, 2])
    scorer = check_scoring(model)
    quick = quick_scorer(scorer)
    assert outcome(quick, model, X, targets) == outcome(scorer, model, X, targets)


def test_what_is_plain_is_not_checked(monkeypatch):
    asked = []
    monkeypatch.setattr(accuracy, "accuracy_score", lambda *_: asked.append(1))
    X = y = np.array([0, 1, 1])
    for model in (Echo(), make_pipeline("passthrough", Echo())):
        assert quick_scorer(check_scoring(model))(model.fit(X, y), X, y) == 1.0
    assert not asked


def test_scores_of_the_estimators_own_are_asked():
    class Own(Echo):
        def score(self, X, y):
            return -1.0

    changed = Echo()
    changed.score = lambda X, y: -2.0
    X = y = np.array([0, 1, 1])
    found = [quick_scorer(check_scoring(m))(m, X, y) for m in (Own(), changed)]
    assert found == [-1.0, -2.0]


def test_weights_are_passed_on():
    X, y, weights = np.array([0, 1, 1]), np.array([0, 1, 0]), [1.0, 1.0, 3.0]
    for scorer in (check_scoring(Echo()), get_scorer("accuracy")):
        found = quick_scorer(scorer)(Echo().fit(X, y), X, y, sample_weight=weights)
        assert found == accuracy_score(y, X, sample_weight=weights)


@pytest.mark.parametrize(
    "scorer",
    [
        get_scorer("balanced_accuracy"),
        make_scorer(accuracy_score, greater_is_better=False),
        make_scorer(accuracy_score, normalize=False),
        make_scorer(accuracy_score, response_method="decision_function"),
        check_scoring(Echo(), scoring=["accuracy", "f1_macro"]),
        lambda model, X, y: 0.0,
    ],
)
def test_other_scorers_are_left_alone(scorer):
    assert quick_scorer(scorer) is scorer


def test_a_regressor_is_not_counted():
    X, y = np.arange(6.0).reshape(-1, 1), np.arange(6)
    model = LinearRegression().fit(X, y)
    for scorer in (check_scoring(model), get_scorer("accuracy")):
        quick = quick_scorer(scorer)
        assert outcome(quick, model, X, y) == outcome(scorer, model, X, y)


def test_it_travels():
    X = y = np.array([0, 1, 1])
    quick = pickle.loads(pickle.dumps(quick_scorer(check_scoring(DummyClassifier()))))
    assert quick(DummyClassifier().fit(X, y), X, y) == 2 / 3


@pytest.mark.parametrize("scoring", [None, "accuracy"])
@pytest.mark.parametrize(
    ("estimator", "grid"),
    [
        (LogisticRegression(), {"C": [0.1, 1.0]}),
        (
            make_pipeline(StandardScaler(), LogisticRegression()),
            {"logisticregression": [LogisticRegression(), DummyClassifier(), SVR()]},
        ),
    ],
    ids=["estimator", "pipeline"],
)
def test_searches_have_scikit_learns_results(estimator, grid, scoring):
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(60, 3)), generator.integers(0, 3, 60)
    options = {"cv": 3, "scoring": scoring, "return_train_score": True}
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        expected = GridSearchCV(estimator, grid, **options).fit(X, y)
        found = AutoScaleSearchCV(estimator, grid, **options).fit(X, y)
    assert_same_search(found, expected)
    assert type(found.scorer_) is type(expected.scorer_)
