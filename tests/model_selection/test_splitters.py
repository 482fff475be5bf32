"""Every splitter of scikit-learn, for searches on rows that stay where they are.

`cross_validate` over the same splitters is tested in `test_validation`.
"""

import dask.array as da
import dask.dataframe as dd
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.datasets import make_classification
from sklearn.metrics import get_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    LeaveOneGroupOut,
    LeavePGroupsOut,
    LeavePOut,
    PredefinedSplit,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
    check_cv,
    cross_validate,
)
from sklearn.naive_bayes import GaussianNB

import sklearn_dask_auto
from sklearn_dask_auto import AutoScaleGaussianNB, AutoScaleSearchCV, SearchDisplay
from tests.cuts import cut

N = 80
X, Y = make_classification(N, 4, n_informative=3, n_redundant=0, random_state=0)
X[:, 0] = np.arange(N)
LABELS = np.array(["no", "yes"])[Y]
GROUPS = np.random.default_rng(3).integers(5, size=N)
WEIGHTS = np.random.default_rng(2).uniform(0.1, 2, size=N)
GRID = {"var_smoothing": [1e-9, 1e-1]}
SPLITTERS = {
    "none": None,
    "int": 3,
    "KFold": KFold(3, shuffle=True, random_state=0),
    "StratifiedKFold": StratifiedKFold(3, shuffle=True, random_state=0),
    "RepeatedKFold": RepeatedKFold(n_splits=2, n_repeats=2, random_state=0),
    "RepeatedStratifiedKFold": RepeatedStratifiedKFold(
        n_splits=2, n_repeats=2, random_state=0
    ),
    "GroupKFold": GroupKFold(3),
    "GroupShuffleSplit": GroupShuffleSplit(2, random_state=0),
    "LeaveOneGroupOut": LeaveOneGroupOut(),
    "LeavePGroupsOut": LeavePGroupsOut(2),
    "StratifiedGroupKFold": StratifiedGroupKFold(2),
    "TimeSeriesSplit": TimeSeriesSplit(3, gap=2, max_train_size=40),
    "PredefinedSplit": PredefinedSplit(np.r_[[-1] * 20, np.arange(60) % 3]),
    "ShuffleSplit": ShuffleSplit(2, test_size=0.2, random_state=0),
    "StratifiedShuffleSplit": StratifiedShuffleSplit(2, random_state=0),
    "indices": [(np.arange(40), np.arange(40, N)), ([5, 70, 2, 41] * 10, [*range(9)])],
    "masks": [(np.arange(N) % 3 > 0, np.arange(N) % 3 == 0)],
}
EVERY = pytest.mark.parametrize("cv", SPLITTERS.values(), ids=list(SPLITTERS))
FRAME = pd.DataFrame(X, columns=list("abcd"))
ROWS = {
    "cut": lambda: cut(X, (1, 0, 33, 1, 45)),
    "columns": lambda: cut(X, (50, 30), 3),
    "unknown": lambda: dd.from_pandas(FRAME, 3).to_dask_array(),
}


def groups_for(cv):
    """Return groups for splitters that ask for them, as others warn."""
    return {"groups": GROUPS} if "Group" in type(cv).__name__ else {}


def lazy(values):
    return da.from_array(values, chunks=37)


@EVERY
def test_a_search_on_blocks_has_the_results_of_one_in_memory(cv):
    options = {"cv": cv, "scoring": ["accuracy", "roc_auc"], "refit": "accuracy"}
    options["return_train_score"] = True
    expected = GridSearchCV(GaussianNB(), GRID, **options)
    expected.fit(X, LABELS, **groups_for(cv))
    search = AutoScaleSearchCV(
        AutoScaleGaussianNB(), GRID, engine="blockwise", **options
    )
    groups = {name: lazy(values) for name, values in groups_for(cv).items()}
    search.fit(ROWS["cut"](), lazy(LABELS), **groups)
    assert search.plan_.engine == "blockwise"
    assert list(search.cv_results_) == list(expected.cv_results_)
    for name, values in expected.cv_results_.items():
        if "_test_" in name or "_train_" in name:
            np.testing.assert_allclose(search.cv_results_[name], values, rtol=1e-9)
    assert search.n_splits_ == expected.n_splits_
    assert search.best_params_ == expected.best_params_


class Seeing(BaseEstimator):
    """Its score tells which rows it learned from and is scored on, by their numbers."""

    def __init__(self, power=1):
        self.power = power

    def fit(self, X, y=None):
        self.seen_ = 0.0
        return self.partial_fit(X, y)

    def partial_fit(self, X, y=None):
        self.seen_ = getattr(self, "seen_", 0.0) + (X[:, 0] ** self.power).sum()
        return self

    def score(self, X, y=None):
        return self.seen_ + 1e8 * (X[:, 0] ** self.power).sum()


@EVERY
@pytest.mark.parametrize("kind", ["numpy", "columns", "unknown"])
def test_a_search_by_partial_fit_learns_and_scores_on_the_rows_of_each_split(cv, kind):
    options = {"resource": "partial_fit", "max_resources": 1, "refit": False}
    search = AutoScaleSearchCV(
        Seeing(), {"power": [1, 2]}, strategy="halving", cv=cv, **options
    ).fit(X if kind == "numpy" else ROWS[kind](), Y, **groups_for(cv))
    # One batch has all rows, so that one call has seen them.
    expected = GridSearchCV(Seeing(), {"power": [1, 2]}, cv=cv, refit=False)
    expected.fit(X, Y, **groups_for(cv))
    assert search.n_splits_ == expected.n_splits_
    for name, values in expected.cv_results_.items():
        if "_test_" in name:
            assert_array_equal(search.cv_results_[name], values, name)


def test_pairs_of_rows_may_be_left_out():
    found = AutoScaleSearchCV(
        AutoScaleGaussianNB(), {"var_smoothing": [0.1]}, engine="blockwise"
    )
    rows = np.r_[0:4, 76:80]
    found.set_params(cv=LeavePOut(2), refit=False).fit(lazy(X[rows]), Y[rows])
    expected = GridSearchCV(
        GaussianNB(), {"var_smoothing": [0.1]}, cv=LeavePOut(2), refit=False
    ).fit(X[rows], Y[rows])
    assert found.n_splits_ == expected.n_splits_ == 28
    for name in ("mean_test_score", "std_test_score", "split27_test_score"):
        assert_array_equal(found.cv_results_[name], expected.cv_results_[name])


@EVERY
def test_all_that_cross_validate_returns_is_returned(cv):
    options = {
        "cv": cv,
        **groups_for(cv),
        "scoring": {"f1": get_scorer("f1"), "auc": "roc_auc"},
        "return_train_score": True,
        "return_estimator": True,
        "return_indices": True,
    }
    model = AutoScaleGaussianNB(engine="blockwise")
    found = sklearn_dask_auto.cross_validate(model, ROWS["cut"](), lazy(Y), **options)
    expected = cross_validate(GaussianNB(), X, Y, **options)
    assert list(found) == list(expected)
    for name in ("test_f1", "test_auc", "train_f1", "train_auc"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-9)
    for ours, theirs in zip(found["estimator"], expected["estimator"], strict=True):
        np.testing.assert_allclose(ours.theta_, theirs.theta_, rtol=1e-9)
    for half in ("train", "test"):
        ours, theirs = found["indices"][half], expected["indices"][half]
        for rows, numbers in zip(ours, theirs, strict=True):
            numbers = np.asarray(numbers)
            is_mask = numbers.dtype == bool
            assert_array_equal(rows, np.flatnonzero(numbers) if is_mask else numbers)


@pytest.mark.parametrize("strategy", ["grid", "halving"])
def test_metadata_is_routed_to_model_splitter_and_scorer(strategy):
    def routed(model, cls, **options):
        model = model.set_fit_request(sample_weight=True)
        if strategy == "halving":
            model = model.set_partial_fit_request(sample_weight=True)
        scorer = get_scorer("accuracy").set_score_request(sample_weight=True)
        return cls(model, GRID, cv=GroupKFold(3), scoring=scorer, **options)

    options = {"engine": "blockwise"}
    if strategy == "halving":
        options |= {"strategy": "halving", "resource": "partial_fit"}
        options |= {"max_resources": 1, "random_state": 0}
    beside = {"sample_weight": WEIGHTS, "groups": GROUPS}
    with sklearn.config_context(enable_metadata_routing=True):
        expected = routed(GaussianNB(), GridSearchCV).fit(X, LABELS, **beside)
        model = GaussianNB() if strategy == "halving" else AutoScaleGaussianNB()
        search = routed(model, AutoScaleSearchCV, **options)
        beside = {name: lazy(values) for name, values in beside.items()}
        search.fit(ROWS["cut"](), lazy(LABELS), **beside)
    for i in range(3):
        name = f"split{i}_test_score"
        np.testing.assert_allclose(
            search.cv_results_[name], expected.cv_results_[name], rtol=1e-9
        )


def test_the_display_of_a_search_on_blocks_is_that_of_one_in_memory():
    mpl.use("agg")
    shown = []
    for search, rows in [
        (GridSearchCV(GaussianNB(), GRID, cv=3), X),
        (AutoScaleSearchCV(AutoScaleGaussianNB(), GRID, cv=3), ROWS["cut"]()),
    ]:
        display = SearchDisplay.from_estimator(search.fit(rows, Y))
        shown.append(np.array(display.lines, dtype=float))
    np.testing.assert_allclose(*shown, rtol=1e-9)


def test_every_splitter_of_scikit_learn_takes_part():
    from sklearn import model_selection

    public = {n for n in dir(model_selection) if n.endswith(("Fold", "Split", "Out"))}
    tested = {type(check_cv(cv)).__name__ for cv in SPLITTERS.values()}
    assert public - tested <= {"LeaveOneOut", "LeavePOut", "BaseShuffleSplit"}
