"""Candidates of a search share fitted steps, and no result is another for it."""

import time
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_dask_auto.engines.shared_steps import SharedSteps, forget, share_steps

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = X @ [1.0, 2.0, 3.0]
FITS = []


class Slow(TransformerMixin, BaseEstimator):
    """Take long enough to be kept, and tell of every fit and transform."""

    def __init__(self, factor=2.0, seed=None, draws=False):
        self.factor = factor
        self.seed = seed
        self.draws = draws

    def fit(self, X, y=None):
        FITS.append(("fit", self.factor))
        time.sleep(0.003)
        if self.draws:
            np.random.normal()
        self.n_rows_ = len(X)
        return self

    def transform(self, X):
        FITS.append(("transform", self.factor))
        return self.factor * X


class OfAnyRows(Slow):
    """Take rows of any kind."""

    def fit(self, X, y=None):
        FITS.append(("fit", 0))
        time.sleep(0.003)
        return self

    def transform(self, X):
        return np.ones((60, 1))


@pytest.fixture(autouse=True)
def _no_fits():
    FITS.clear()
    yield
    forget("search")


def fitted(parameters, rows=X, target=Y, steps=None, search="search"):
    """Fit a pipeline as one fit of a search does."""
    pipeline = Pipeline(steps or [("slow", Slow()), ("ridge", Ridge())])
    share_steps((None, (pipeline,), {"parameters": parameters}), search)
    return pipeline.set_params(**parameters).fit(rows, target)


def n_fits():
    return sum(what == "fit" for what, _ in FITS)


def test_equal_steps_on_equal_rows_are_fitted_once():
    first = fitted({"ridge__alpha": 1.0})
    second = fitted({"ridge__alpha": 9.0}, rows=X.copy())
    assert n_fits() == 1
    reference = Pipeline([("slow", Slow()), ("ridge", Ridge(9.0))]).fit(X, Y)
    np.testing.assert_array_equal(second.predict(X), reference.predict(X))
    assert not np.array_equal(first.predict(X), second.predict(X))


def test_what_is_predicted_twice_is_transformed_once():
    models = [fitted({"ridge__alpha": alpha}) for alpha in (1.0, 2.0, 3.0)]
    FITS.clear()
    test = RNG.normal(size=(5, 3))
    expected = [m["ridge"].predict(2 * test) for m in models]
    for model, values in zip(models, expected, strict=True):
        np.testing.assert_array_equal(model.predict(test.copy()), values)
    assert FITS == [("transform", 2.0)]


@pytest.mark.parametrize(
    ("rows", "target"),
    [(X + 1, Y), (X[:-1], Y[:-1]), (X.astype(np.float32), Y), (X, Y + 1)],
    ids=["other values", "fewer rows", "another dtype", "another target"],
)
def test_other_rows_are_fitted_anew(rows, target):
    fitted({"ridge__alpha": 1.0})
    fitted({"ridge__alpha": 1.0}, rows, target)
    assert n_fits() == 2


def test_other_parameters_are_fitted_anew():
    for factor in (1.0, 2.0):
        for alpha in (1.0, 2.0):
            fitted({"slow__factor": factor, "ridge__alpha": alpha})
    assert n_fits() == 2


def test_steps_from_the_last_that_varies_on_are_not_kept():
    steps = [("slow", Slow()), ("other", Slow()), ("ridge", Ridge())]
    for factor in (3.0, 4.0, 3.0):
        fitted({"other__factor": factor}, steps=clone_steps(steps))
    assert [f for what, f in FITS if what == "fit"] == [2.0, 3.0, 4.0, 3.0]


def clone_steps(steps):
    return [(name, clone(step)) for name, step in steps]


def test_steps_left_out_are_not_counted():
    steps = [("none", "passthrough"), ("slow", Slow()), ("ridge", Ridge())]
    for alpha in (1.0, 2.0):
        fitted({"ridge__alpha": alpha}, steps=clone_passing(steps))
    assert n_fits() == 1


def clone_passing(steps):
    return [(n, s if isinstance(s, str) else clone(s)) for n, s in steps]


def test_a_step_that_draws_random_numbers_is_fitted_every_time():
    for alpha in (1.0, 2.0):
        fitted({"slow__draws": True, "ridge__alpha": alpha})
    assert n_fits() == 2


def test_a_seed_of_the_step_is_no_reason_to_fit_again():
    for alpha in (1.0, 2.0):
        seed = np.random.RandomState(0)
        fitted({"slow__seed": seed, "ridge__alpha": alpha})
    assert n_fits() == 1


def test_a_step_with_a_lambda_is_fitted_every_time():
    for alpha in (1.0, 2.0):
        fitted({"slow__seed": lambda: 0, "ridge__alpha": alpha})
    assert n_fits() == 2


def test_a_later_step_may_write_into_what_is_shared():
    class Writer(TransformerMixin, BaseEstimator):
        def fit(self, X, y=None):
            return self

        def transform(self, X):
            X *= -1.0
            return X

    steps = [("slow", Slow()), ("writer", Writer()), ("ridge", Ridge())]
    first = fitted({"ridge__alpha": 1.0}, steps=clone_steps(steps)).predict(X)
    second = fitted({"ridge__alpha": 1.0}, steps=clone_steps(steps)).predict(X)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    "make",
    [
        np.asarray,
        sp.csr_matrix,
        sp.csc_array,
        pd.DataFrame,
        lambda X: [str(row) for row in X],
    ],
    ids=["numpy", "csr", "csc", "pandas", "list of text"],
)
def test_rows_of_every_kind_are_told_apart(make):
    for rows in (X, X.copy(), X[::-1]):
        steps = [("slow", OfAnyRows()), ("ridge", Ridge())]
        fitted({"ridge__alpha": 1.0}, make(rows), steps=steps)
    assert n_fits() == 2


def test_a_memory_of_the_users_is_left_alone(tmp_path):
    pipeline = Pipeline([("slow", Slow()), ("ridge", Ridge())], memory=str(tmp_path))
    share_steps((None, (pipeline,), {"parameters": {"ridge__alpha": 1}}), "search")
    assert pipeline.memory == str(tmp_path)


def test_there_is_nothing_to_share_where_the_first_step_is_what_varies():
    pipeline = Pipeline([("slow", Slow()), ("ridge", Ridge())])
    share_steps((None, (pipeline,), {"parameters": {"slow__factor": 1}}), "search")
    assert pipeline.memory is None


def test_another_search_starts_from_nothing():
    fitted({"ridge__alpha": 1.0})
    fitted({"ridge__alpha": 1.0}, search="another")
    fitted({"ridge__alpha": 1.0})
    assert n_fits() == 3
    forget("another")


def test_the_step_that_is_shared_keeps_its_class_and_its_attributes():
    steps = [("scale", StandardScaler()), ("pca", PCA(2)), ("ridge", Ridge())]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = fitted({"ridge__alpha": 1.0}, steps=steps)
    reference = Pipeline(clone_steps(steps)).set_params(ridge__alpha=1.0).fit(X, Y)
    assert isinstance(model["pca"], PCA)
    np.testing.assert_array_equal(
        model["pca"].components_, reference["pca"].components_
    )
    np.testing.assert_array_equal(model.predict(X), reference.predict(X))


def test_a_full_store_keeps_what_it_has(monkeypatch):
    monkeypatch.setattr(
        "sklearn_dask_auto.engines.shared_steps.MOST_BYTES", 3 * X.nbytes
    )
    for rows in (X, X + 1, X, X + 1):
        fitted({"ridge__alpha": 1.0}, rows)
    assert n_fits() == 3


def test_it_is_what_scikit_learn_takes_for_a_memory():
    assert Pipeline([("ridge", Ridge())], memory=SharedSteps("search", 1)).fit(X, Y)
