"""Linear models on blocks: rows are read once, and bad ones are found all the same."""

import dask.array as da
import numpy as np
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    ElasticNet,
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.svm import LinearSVC

from sklearn_dask_auto import AutoScaleEstimator, AutoScaleLogisticRegression
from sklearn_dask_auto._base import ROW_WISE
from sklearn_dask_auto.inputs.linear import reading_once

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
TWO, THREE = (X[:, 0] > 0).astype(int), np.digitize(X[:, 1], [-0.5, 0.5])
LINEAR = [
    AutoScaleEstimator(FrozenEstimator(LogisticRegression().fit(X, THREE))),
    AutoScaleEstimator(LinearSVC()),
    AutoScaleEstimator(LogisticRegression()),
    AutoScaleEstimator(Ridge()),
    AutoScaleEstimator(RidgeClassifier()),
    AutoScaleEstimator(SGDClassifier(loss="log_loss", alpha=1, random_state=0)),
    AutoScaleLogisticRegression(engine="sklearn"),
    LinearRegression(),
]
NAMES = [repr(model)[:60] for model in LINEAR]


def wrapped(model):
    is_ours = hasattr(model, "plan_") or hasattr(model, "engine")
    return model if is_ours else AutoScaleEstimator(model)


def methods_of(model):
    return [method for method in ROW_WISE if hasattr(model, method)]


@pytest.mark.parametrize("model", LINEAR, ids=NAMES)
@pytest.mark.parametrize("target", [TWO, THREE], ids=["two", "three"])
def test_bits_and_errors_are_those_of_a_check_of_its_own(model, target):
    model = wrapped(model).fit(X, target)
    plain, blocks = model.to_sklearn(), da.from_array(X, chunks=(60, 3))
    for bad in (np.nan, np.inf, -np.inf):
        spoilt = X.copy()
        spoilt[-1, 1] = bad
        last = da.from_array(spoilt, chunks=(20, 3))
        for method in methods_of(model):
            out = getattr(model, method)(blocks)
            assert_array_equal(out.compute(), getattr(plain, method)(X))
            with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
                getattr(model, method)(last).compute()


@pytest.mark.parametrize(
    "model",
    [ElasticNet(1.0), LogisticRegression(solver="liblinear", l1_ratio=1.0, C=0.05)],
    ids=["regressor", "classifier"],
)
def test_a_column_that_counts_for_nothing_is_checked_too(model):
    rows = np.column_stack([X[:, 0] * 10, X[:, 1] * 1e-6])
    model = AutoScaleEstimator(model).fit(rows, TWO)
    assert (model.coef_ == 0).any()
    rows[3, 1] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        model.predict(da.from_array(rows, chunks=(20, 2))).compute()


def test_scores_too_large_for_their_type_are_those_of_scikit_learn():
    model = Ridge().fit(X, X @ [300.0, 200.0, 100.0])
    large = np.full((4, 3), 1e307)
    with np.errstate(over="ignore"):
        assert_array_equal(
            reading_once(model, large).predict(large), np.full(4, np.inf)
        )


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_rows_are_not_read_for_a_check_alone(method, monkeypatch):
    model, n_checked = LogisticRegression().fit(X, TWO), []

    def note(rows, *_, **__):
        if not sklearn.get_config()["assume_finite"]:
            n_checked.append(rows.size)

    monkeypatch.setattr("sklearn.utils.validation._assert_all_finite", note)
    getattr(model, method)(X)
    assert n_checked == [X.size]
    getattr(reading_once(model, X), method)(X)
    assert n_checked == [X.size]


def test_what_a_subclass_does_to_rows_is_left_to_it():
    class Doubled(Ridge):
        def predict(self, X):
            return super().predict(2 * X)

    model = Doubled().fit(X, X[:, 0])
    assert reading_once(model, X) is model


def test_the_model_is_not_changed():
    model = LogisticRegression().fit(X, TWO)
    before = dict(vars(model))
    assert reading_once(model, X) is not model
    assert vars(model) == before
