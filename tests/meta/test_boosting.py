"""Boosted trees of others in a wrapper: classes of LightGBM and XGBoost."""

import pickle

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.model_selection import GridSearchCV
from sklearn.model_selection import cross_val_score as score_folds
from sklearn.utils import get_tags

from sklearn_dask_auto import AutoScaleEstimator, AutoScaleSearchCV, cross_val_score
from tests.cuts import cut

lightgbm = pytest.importorskip(
    "lightgbm", reason="2026-11: in the extra `test`, with wheels for every platform"
)
xgboost = pytest.importorskip(
    "xgboost", reason="2026-11: the extra `test` has it where its small wheels are"
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 4))
X[-1, 2] = np.nan
# XGBoost wants classes that are numbered.
CODES = (X[:, 0] + 0.5 * RNG.normal(size=200) > 0).astype(int)
NUMBERS = np.nan_to_num(X) @ [1.0, 2.0, 3.0, 4.0]
WEIGHT = RNG.uniform(0.1, 2, size=200)
FRAME = pd.DataFrame(X, columns=list("abcd"))
BLOCKS = cut(X, (60, 0, 139, 1), 3)
CLASSIFIERS = {
    "lightgbm": lightgbm.LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1),
    "xgboost": xgboost.XGBClassifier(n_estimators=5, n_jobs=1),
}
REGRESSORS = {
    "lightgbm": lightgbm.LGBMRegressor(n_estimators=5, n_jobs=1, verbose=-1),
    "xgboost": xgboost.XGBRegressor(n_estimators=5, n_jobs=1),
}
parametrize = pytest.mark.parametrize("name", CLASSIFIERS)


def refuse(graph, keys, **options):
    raise AssertionError("a dask graph was computed")


def assert_lazy_and_equal(model, method, rows, expected):
    with dask.config.set(scheduler=refuse):
        lazy = getattr(model, method)(rows)
    found = lazy.compute()
    assert found.dtype == lazy.dtype == expected.dtype
    assert_array_equal(found, expected)


@parametrize
def test_a_classifier_says_of_blocks_what_it_says_of_the_whole(name):
    plain = CLASSIFIERS[name]
    weights = cut(WEIGHT, (150, 50))
    model = AutoScaleEstimator(plain)
    model.fit(BLOCKS, cut(CODES, (100, 100)), sample_weight=weights)
    expected = clone(plain).fit(X, CODES, sample_weight=WEIGHT)
    for method in ("predict", "predict_proba"):
        assert_lazy_and_equal(model, method, BLOCKS, getattr(expected, method)(X))
    assert model.score(BLOCKS, CODES) == expected.score(X, CODES)
    assert_array_equal(model.classes_, [0, 1])
    assert_array_equal(model.feature_importances_, expected.feature_importances_)
    assert not hasattr(plain, "classes_")


@parametrize
def test_a_regressor_on_frames_knows_its_columns(name):
    plain, table = REGRESSORS[name], dd.from_pandas(FRAME, npartitions=3)
    model = AutoScaleEstimator(plain).fit(table, NUMBERS)
    expected = clone(plain).fit(FRAME, NUMBERS)
    assert_lazy_and_equal(model, "predict", table, expected.predict(FRAME))
    assert list(model.feature_names_in_) == list("abcd")
    score = model.score(table, NUMBERS)
    assert score == pytest.approx(expected.score(FRAME, NUMBERS))
    with pytest.raises(ValueError, match="expect"):
        model.predict(BLOCKS[:, :3]).compute()


@parametrize
def test_tags_and_seeds_are_those_of_what_is_wrapped(name):
    for plain in (CLASSIFIERS[name], REGRESSORS[name]):
        model = AutoScaleEstimator(plain, random_state=3)
        assert get_tags(model) == get_tags(plain)
        assert is_classifier(model) == is_classifier(plain)
        assert is_regressor(model) == is_regressor(plain)
        assert model.fit(X, CODES).estimator_.random_state == 3
        assert plain.random_state is None


@parametrize
def test_to_sklearn_gives_their_own_class(name):
    model = AutoScaleEstimator(CLASSIFIERS[name]).fit(BLOCKS, CODES)
    plain = pickle.loads(pickle.dumps(model.to_sklearn()))
    assert type(plain) is type(CLASSIFIERS[name])
    assert_array_equal(plain.predict(X), model.predict(BLOCKS).compute())


@parametrize
@pytest.mark.parametrize("is_wrapped", [True, False])
def test_a_search_finds_what_scikit_learns_finds(name, is_wrapped):
    plain, values = CLASSIFIERS[name], [1, 5]
    expected = GridSearchCV(plain, {"n_estimators": values}, cv=3).fit(X, CODES)
    model, key = plain, "n_estimators"
    if is_wrapped:
        model, key = AutoScaleEstimator(plain), "estimator__n_estimators"
    search = AutoScaleSearchCV(model, {key: values}, cv=3).fit(BLOCKS, CODES)
    assert search.best_params_ == {key: expected.best_params_["n_estimators"]}
    assert_allclose(
        search.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
    )
    assert_array_equal(search.predict(BLOCKS).compute(), expected.predict(X))


@parametrize
def test_folds_of_blocks_score_as_folds_of_rows(name):
    plain = CLASSIFIERS[name]
    found = cross_val_score(AutoScaleEstimator(plain), BLOCKS, CODES, cv=3)
    assert_array_equal(found, score_folds(plain, X, CODES, cv=3))


def test_categories_of_pandas_are_categories_of_the_trees():
    towns = pd.Categorical([f"town {i % 2}" for i in range(200)])
    frame = FRAME.assign(town=towns)
    table = dd.from_pandas(frame, npartitions=3)
    target = NUMBERS + 50 * towns.codes
    plain = REGRESSORS["lightgbm"]
    model = AutoScaleEstimator(plain).fit(table, target)
    expected = clone(plain).fit(frame, target)
    without = clone(plain).fit(FRAME, target)
    assert expected.score(frame, target) > without.score(FRAME, target)
    assert_lazy_and_equal(model, "predict", table, expected.predict(frame))
