"""`SearchDisplay`: what is drawn is what the search found."""

import sys

import matplotlib as mpl
import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.svm import LinearSVC

from sklearn_dask_auto import AutoScaleSearchCV, SearchDisplay

X, Y = make_classification(120, 4, random_state=0)
LINEAR = LogisticRegression(solver="liblinear", random_state=0)


@pytest.fixture(autouse=True)
def no_window():
    """Draw to memory, and leave no figure behind."""
    before = mpl.get_backend()
    mpl.use("agg")
    yield
    mpl.pyplot.close("all")
    mpl.use(before)


def drawn(display):
    """Return the points of each line that is on the axes."""
    return [bars.lines[0].get_xydata() for bars in display.ax_.containers]


def test_rounds_are_joined_by_candidate():
    search = AutoScaleSearchCV(
        LINEAR,
        {"C": [0.01, 0.1, 1.0, 10.0]},
        strategy="halving",
        factor=2,
        min_resources=30,
        random_state=0,
        n_jobs=1,
    ).fit(X, Y)
    display = SearchDisplay.from_estimator(search)
    assert display.ax_.get_xlabel() == "n_resources"
    assert display.figure_ is display.ax_.figure
    lines = drawn(display)
    assert sorted(map(len, lines)) == [1, 1, 2, 3]
    found = np.concatenate(lines)
    results = search.cv_results_
    expected = np.c_[results["n_resources"], results["mean_test_score"]]
    np.testing.assert_array_equal(
        found[np.lexsort(found.T)], expected[np.lexsort(expected.T)]
    )


def test_a_resource_that_is_a_parameter_is_no_other_candidate():
    search = AutoScaleSearchCV(
        LinearSVC(dual=True, random_state=0, tol=1e-1),
        {"C": [0.01, 0.1, 1.0]},
        strategy="halving",
        factor=3,
        resource="max_iter",
        min_resources=3_000,
        max_resources=9_000,
        n_jobs=1,
    ).fit(X, Y)
    lines = drawn(SearchDisplay.from_estimator(search))
    assert sorted(map(len, lines)) == [1, 1, 2]


def test_brackets_are_apart():
    search = AutoScaleSearchCV(
        SGDClassifier(random_state=0),
        {"alpha": [0.001, 0.1]},
        strategy="hyperband",
        max_resources=3,
        random_state=0,
    ).fit(X, Y)
    lines = drawn(SearchDisplay.from_estimator(search))
    assert sum(map(len, lines)) == len(search.cv_results_["params"])
    assert len(lines) == 4


@pytest.mark.parametrize("cls", [AutoScaleSearchCV, GridSearchCV])
def test_scores_against_a_parameter(cls):
    grids = [
        {"C": [0.001, 1.0], "class_weight": [None, "balanced"]},
        {"fit_intercept": [True]},
    ]
    scoring = ["accuracy", "roc_auc"]
    search = cls(LINEAR, grids, scoring=scoring, refit="accuracy", n_jobs=1).fit(X, Y)
    _, ax = mpl.pyplot.subplots()
    display = SearchDisplay.from_estimator(
        search, metric="roc_auc", ax=ax, color="black"
    )
    assert display.ax_ is ax
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("C", "roc_auc")
    assert ax.get_xscale() == "log"
    expected = search.cv_results_["mean_test_roc_auc"][:4]
    np.testing.assert_array_equal(np.concatenate(drawn(display))[:, 1], expected)
    display = SearchDisplay.from_estimator(
        search, against="class_weight", metric="roc_auc"
    )
    assert [t.get_text() for t in display.ax_.get_xticklabels()] == ["None", "balanced"]


def test_what_is_not_there_is_refused():
    search = GridSearchCV(LINEAR, {"C": [1.0]}, cv=2)
    with pytest.raises(NotFittedError):
        SearchDisplay.from_estimator(search)
    search.fit(X, Y)
    with pytest.raises(ValueError, match=r"'against' .* one of \['C'\]. Got 'D'"):
        SearchDisplay.from_estimator(search, against="D")
    with pytest.raises(ValueError, match=r"'metric' .* one of \['score'\]"):
        SearchDisplay.from_estimator(search, metric="r2")


def test_without_matplotlib_it_says_what_it_needs(monkeypatch):
    search = GridSearchCV(LINEAR, {"C": [1.0]}, cv=2).fit(X, Y)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match="requires matplotlib"):
        SearchDisplay.from_estimator(search)
