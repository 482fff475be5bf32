"""`fit_on="blocks"`: parts of whole blocks, each like the whole, that vote."""

import os
from itertools import chain

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
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.datasets import make_classification
from sklearn.ensemble import IsolationForest, VotingClassifier, VotingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeRegressor

from sklearn_dask_auto import (
    AutoScaleEstimator,
    AutoScaleRidge,
    NoEngineError,
    config_context,
)
from sklearn_dask_auto.meta.parts import by_class, by_target
from tests.cuts import cut, cuts

X, CODES = make_classification(
    300, 4, n_informative=3, n_redundant=0, n_classes=3, random_state=0
)
ORDER = np.argsort(CODES, kind="stable")
X, Y = X[ORDER], np.array(["few", "many", "some"])[CODES[ORDER]]
NUMBERS = X @ [1.0, -2.0, 0.5, 0.0] + np.random.default_rng(0).normal(size=300)
WEIGHT = np.random.default_rng(1).uniform(0.1, 2, size=300)
LOGISTIC = LogisticRegression()


def voted(estimator, part_size=50, **params):
    return AutoScaleEstimator(estimator, fit_on="blocks", part_size=part_size, **params)


class Noting(ClassifierMixin, BaseEstimator):
    """Keeps what it was fitted to."""

    def fit(self, X, y, sample_weight=None):
        self.X_, self.y_, self.weight_ = X, y, sample_weight
        self.process_, self.classes_ = os.getpid(), np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X), int)


@settings(max_examples=20)
@given(cuts(300), cuts(300), cuts(300), st.booleans())
def test_one_part_is_the_plain_fit_however_the_rows_are_cut(rows, beside, other, known):
    dX, dy, weight = cut(X, rows, 3), cut(Y, beside), cut(WEIGHT, other)
    if not known:
        dX = dX.rechunk({1: -1}).map_blocks(
            np.copy, chunks=((np.nan,) * dX.numblocks[0], (4,))
        )
    model = voted(LOGISTIC, 300).fit(dX, dy, sample_weight=weight)
    expected = LogisticRegression().fit(X, Y, sample_weight=WEIGHT)
    assert_array_equal(model.predict_proba(X), expected.predict_proba(X))
    assert_array_equal(model.predict(dX).compute(), expected.predict(X))
    assert_array_equal(model.classes_, expected.classes_)
    assert model.classes_.dtype == expected.classes_.dtype
    assert "a vote of 1 part of 300 rows" in str(model.plan_)


@settings(max_examples=20)
@given(cuts(300), cuts(300), st.integers(1, 300))
def test_every_part_has_its_rows_and_all_classes(rows, beside, part_size):
    number = np.column_stack([np.arange(300.0), X[:, 0]])
    model = voted(Noting(), part_size).fit(
        cut(number, rows), cut(Y, beside), sample_weight=cut(WEIGHT, beside)
    )
    parts = model.estimator_.estimators_
    assert 1 <= len(parts) <= max(1, 300 // part_size)
    places = [part.X_[:, 0].astype(int) for part in parts]
    assert_array_equal(np.sort(np.concatenate(places)), np.arange(300))
    for place, part in zip(places, parts, strict=True):
        assert_array_equal(place, np.sort(place))
        assert_array_equal(model.classes_[part.y_], Y[place])
        assert_array_equal(part.weight_, WEIGHT[place])
        assert_array_equal(part.classes_, [0, 1, 2])


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 6))
def test_blocks_are_dealt_once_and_evenly(seed, n_blocks, n_parts):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 4, size=(n_blocks, 3))
    counts[0] += 1
    counts[:, 0] += counts.sum(axis=1) == 0
    parts = by_class(counts, n_parts)
    assert sorted(chain(*parts)) == list(range(n_blocks))
    assert all((counts[part].sum(axis=0) > 0).all() for part in parts)
    n_parts = min(n_parts, n_blocks)
    means, sizes = rng.normal(size=n_blocks), rng.integers(1, 9, size=n_blocks)
    parts = by_target(means, sizes, n_parts)
    assert sorted(chain(*parts)) == list(range(n_blocks))
    assert {len(part) for part in parts} <= {
        n_blocks // n_parts,
        -(-n_blocks // n_parts),
    }


def test_a_part_is_the_plain_fit_of_its_rows():
    rows, y = da.from_array(X, (30, 4)), da.from_array(Y, 30)
    model = voted(make_pipeline(StandardScaler(), LOGISTIC)).fit(rows, y)
    groups = by_class(
        np.array(
            [
                [(Y[i : i + 30] == c).sum() for c in np.unique(Y)]
                for i in range(0, 300, 30)
            ]
        ),
        6,
    )
    assert len(groups) == len(model.estimator_.estimators_) > 2
    for group, part in zip(groups, model.estimator_.estimators_, strict=True):
        taken = np.concatenate([np.arange(30 * i, 30 * i + 30) for i in group])
        plain = make_pipeline(StandardScaler(), LogisticRegression())
        plain.fit(X[taken], Y[taken])
        assert_array_equal(part[-1].coef_, plain[-1].coef_)
    mean = np.mean([p.predict_proba(X) for p in model.estimator_.estimators_], axis=0)
    assert_array_equal(model.predict_proba(rows).compute(), mean)


def test_it_becomes_what_scikit_learns_class_would_be():
    rows = pd.DataFrame(X, columns=list("abcd"))
    for estimator, kind, target in (
        (LOGISTIC, VotingClassifier, Y),
        (LinearSVC(), VotingClassifier, Y),
        (Ridge(), VotingRegressor, NUMBERS),
    ):
        plain = (
            voted(estimator, 300)
            .fit(dd.from_pandas(rows, npartitions=3), target)
            .to_sklearn()
        )
        voting = {} if kind is VotingRegressor else {"voting": plain.voting}
        expected = kind([("part0", estimator)], **voting).fit(rows, target)
        assert type(plain) is kind
        assert {*vars(plain)} == {*vars(expected)}
        found, original = plain.predict(rows), expected.predict(rows)
        if kind is VotingRegressor:
            # How rows lie in memory, and so the last digits, depends on pandas.
            assert_allclose(found, original, rtol=1e-10)
        else:
            assert_array_equal(found, original)
        assert list(plain.feature_names_in_) == list("abcd")
        assert plain.n_features_in_ == 4


def test_sorted_rows_are_learned_as_shuffled_rows_are():
    rows, y = da.from_array(X, (20, 4)), da.from_array(Y, 20)
    shuffled = np.random.default_rng(0).permutation(300)
    for estimator in (LOGISTIC, LinearSVC(), SVC()):
        model = voted(estimator, 60).fit(rows, y)
        reference = voted(estimator, 60)
        reference.fit(da.from_array(X[shuffled], (20, 4)), Y[shuffled])
        assert len(model.estimator_.estimators_) == 5
        assert model.score(rows, y) > reference.score(X, Y) - 0.02
    order = np.argsort(NUMBERS)
    tree = voted(DecisionTreeRegressor(random_state=0), 100)
    tree.fit(da.from_array(X[order], (20, 4)), da.from_array(NUMBERS[order], 30))
    assert len(tree.estimator_.estimators_) == 3
    assert tree.score(X, NUMBERS) > 0.8


def test_weights_of_classes_are_by_label():
    weights = {"few": 5.0, "many": 1.0, "some": 1.0}
    for plain in (
        LogisticRegression(class_weight=weights),
        make_pipeline(StandardScaler(), LogisticRegression(class_weight=weights)),
    ):
        model = voted(plain, 300).fit(cut(X, (100, 200)), cut(Y, (300,)))
        assert_array_equal(model.predict_proba(X), plain.fit(X, Y).predict_proba(X))


def test_any_container_is_taken():
    sparse = da.from_array(X, (30, 4)).map_blocks(
        sp.csr_matrix, meta=sp.csr_matrix((0, 4))
    )
    reference = voted(LOGISTIC).fit(da.from_array(X, (30, 4)), da.from_array(Y, 30))
    expected = reference.predict_proba(X)
    assert_allclose(voted(LOGISTIC).fit(sparse, Y).predict_proba(X), expected, 1e-6)
    plain = LogisticRegression().fit(X, Y).predict_proba(X)
    for rows in (X, pd.DataFrame(X).to_numpy(), X.tolist(), sp.csr_matrix(X)):
        model = voted(LOGISTIC).fit(rows, Y)
        assert model.plan_.job.n_parts == 1
        assert_allclose(model.predict_proba(X), plain, 1e-5)
    words = pd.Series(["red car", "blue car", "red bus", "green bus"] * 20)
    colour = words.str.split().str[0]
    text = voted(make_pipeline(TfidfVectorizer(), LOGISTIC), 40)
    text.fit(dd.from_pandas(words, 4), dd.from_pandas(colour, 4))
    found = text.predict(dd.from_pandas(words, 4))
    assert len(text.estimator_.estimators_) == 2
    assert_array_equal(found.compute(), colour)


def test_a_class_of_few_blocks_makes_few_parts():
    labels = np.where(np.arange(300) % 100 == 7, "rare", "common")
    rows, y = da.from_array(X, (10, 4)), da.from_array(labels, 10)
    model = voted(LOGISTIC, 10).fit(rows, y)
    assert len(model.estimator_.estimators_) == 3
    assert "; class rare lies in 3 of 30 blocks" in str(model.plan_)
    message = r"(?s)class rare lies in 3 of 30.*largest of 3 parts takes .* and its fit"
    with (
        config_context(memory_budget="5kB"),
        pytest.raises(NoEngineError, match=message),
    ):
        voted(LOGISTIC, 10).fit(rows, y)


def test_memory_bounds_how_many_are_fitted_at_once(monkeypatch):
    rows, y = da.from_array(X, (30, 4)), da.from_array(Y, 30)
    free = voted(LOGISTIC, 60).fit(rows, y)
    needed = int(free.plan_.job.copies * free.plan_.job.part_bytes)
    with config_context(memory_budget=needed):
        tight = voted(LOGISTIC, 60).fit(rows, y)
    assert tight.plan_.chosen.cost.n_workers == 1
    assert len(tight.estimator_.estimators_) == len(free.estimator_.estimators_)
    assert_array_equal(tight.predict_proba(X), free.predict_proba(X))


def test_methods_are_those_of_the_vote_and_of_the_estimator():
    model = voted(LOGISTIC)
    for fitted in (model, model.fit(cut(X, (150, 150)), Y)):
        assert hasattr(fitted, "predict_proba")
        for missing in ("decision_function", "transform", "fit_transform"):
            assert not hasattr(fitted, missing)
    assert not hasattr(voted(LinearSVC()), "predict_proba")


@pytest.mark.usefixtures("client")
def test_parts_are_fitted_where_blocks_are_and_alike():
    rows, y = da.from_array(X, (30, 4)), da.from_array(Y, 40)
    found = voted(Noting()).fit(rows.persist(), y)
    assert os.getpid() not in {part.process_ for part in found.estimator_.estimators_}
    again = voted(LOGISTIC).fit(rows, y, sample_weight=WEIGHT)
    with config_context(memory_budget="1kB"):
        # That is of this process; parts are fitted on the workers.
        assert voted(LOGISTIC).explain(rows, y).engine == "blockwise"
    frame = dd.from_pandas(pd.DataFrame(X), npartitions=10)
    assert_array_equal(voted(LOGISTIC, 300).fit(frame, y).classes_, np.unique(Y))
    with dask.config.set(scheduler="threads"):
        here = voted(LOGISTIC).fit(rows, y, sample_weight=WEIGHT)
    assert_array_equal(here.predict_proba(X), again.predict_proba(X))


@pytest.mark.usefixtures("client")
def test_waves_of_parts_go_round_the_workers(monkeypatch):
    rows, y = da.from_array(X, (30, 4)).persist(), da.from_array(Y, 30)
    free = voted(LOGISTIC).fit(rows, y)
    monkeypatch.setattr("sklearn_dask_auto.meta.vote._at_once", lambda plan: 1)
    tight = voted(LOGISTIC).fit(rows, y)
    assert len(tight.estimator_.estimators_) > 2
    assert_array_equal(tight.predict_proba(X), free.predict_proba(X))


def test_parts_and_lazy_answers_are_alike_in_processes():
    rows, y = da.from_array(X, (100, 4)), da.from_array(Y, 100)
    here = voted(LOGISTIC).fit(rows, y)
    with dask.config.set(scheduler="processes", num_workers=2):
        there = voted(LOGISTIC).fit(rows, y)
        assert_array_equal(there.predict_proba(rows), here.predict_proba(X))
    assert len(there.estimator_.estimators_) == len(here.estimator_.estimators_)


def test_an_error_of_a_part_says_which_part_it_is():
    one = np.full(300, "same")
    with pytest.raises(ValueError, match="at least 2 classes") as caught:
        voted(LOGISTIC).fit(cut(X, (150, 150)), cut(one, (300,)))
    (note,) = caught.value.__notes__
    assert "of 2, of 150 rows. A larger part_size" in note
    assert "stand for ['same']" in note
    with pytest.raises(ValueError, match="at least 2 classes") as caught:
        voted(LOGISTIC, 300).fit(cut(X, (150, 150)), cut(one, (300,)))
    (note,) = caught.value.__notes__
    assert "In part 1 of 1, of 300 rows. Every part" in note
    last = X.copy()
    last[-1] = np.nan
    with pytest.raises(ValueError, match="contains NaN"):
        voted(LinearRegression()).fit(cut(last, (290, 10)), NUMBERS)


@pytest.mark.usefixtures("no_compute")
@pytest.mark.parametrize(
    ("estimator", "options", "reason"),
    [
        (StandardScaler(), {}, "StandardScaler is a transformer: only what class"),
        (KMeans(), {}, "KMeans is a clusterer"),
        (IsolationForest(), {}, "IsolationForest is a outlier detector"),
        (LOGISTIC, {"engine": "sklearn"}, "fits parts where their blocks are"),
    ],
)
def test_what_cannot_vote_is_refused_with_its_reason(estimator, options, reason):
    with pytest.raises(NoEngineError, match=reason):
        voted(estimator, **options).fit(cut(X, (150, 150)), Y)


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        (None, ValueError, "requires y to be passed"),
        (Y[:-1], ValueError, "inconsistent numbers of samples"),
        (cut(Y[:-1], (299,)), ValueError, "inconsistent numbers of samples"),
        (NUMBERS, ValueError, "Unknown label type"),
        (np.column_stack([CODES, CODES]), ValueError, "should be a 1d array"),
    ],
    ids=["none", "short", "lazy", "continuous", "wide"],
)
def test_bad_targets_are_scikit_learns_errors(target, error, message):
    with pytest.raises(error, match=message):
        voted(LOGISTIC).fit(cut(X, (150, 150)), target)
    with pytest.raises(ValueError, match="0 sample"):
        voted(LOGISTIC).fit(cut(X[:0], (0,)), Y[:0])


@pytest.mark.usefixtures("no_compute")
def test_the_plan_says_how_many_parts_there_are():
    lazy, y = da.zeros((1_000_000, 10), chunks=(50_000, 10)), da.zeros(1_000_000)
    plan = voted(SVC(), 100_000).explain(lazy, y)
    text = "a vote of 10 parts of about 100,000 rows, up to 8.8 MB each"
    assert text in str(plan)
    with (
        config_context(memory_budget="40MB"),
        pytest.raises(NoEngineError, match=f"(?s)SVC.*fit_on='blocks', .*{text}.*2 at"),
    ):
        AutoScaleEstimator(SVC()).fit(lazy, y)
    with pytest.raises(ValueError, match="fit_on='blocks' is for estimators"):
        voted(AutoScaleRidge()).fit(lazy, y)
