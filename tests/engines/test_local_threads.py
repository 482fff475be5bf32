"""Calls in threads of this process, and which fits of a search may run so."""

import threading
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn
from scipy.stats import uniform
from sklearn.callback import ProgressBar
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC, NuSVC, NuSVR, OneClassSVM
from threadpoolctl import threadpool_info, threadpool_limits

from sklearn_dask_auto import AutoScaleSearchCV
from sklearn_dask_auto.engines.fits import Fits
from sklearn_dask_auto.engines.local_threads import LocalThreads
from sklearn_dask_auto.engines.thread_safety import fits_keep_apart
from sklearn_dask_auto.model_selection import placement
from sklearn_dask_auto.routing import cost
from tests.model_selection.results import assert_same_search

X, Y = make_classification(240, 6, n_informative=4, n_classes=3, random_state=0)
C = {"C": [0.1, 1.0, 10.0]}
NU = {"nu": [0.1, 0.2, 0.3]}


@pytest.fixture(autouse=True)
def threads_pay(monkeypatch):
    """Have fits sent to threads however short they are."""
    monkeypatch.setattr(placement, "SHORT_SECONDS", 0.0)
    monkeypatch.setattr(cost, "THREAD_FIT_SECONDS", 0.0)
    # Where there is one core there is nothing to share.
    monkeypatch.setattr(joblib, "cpu_count", lambda: 2)
    monkeypatch.setattr("sklearn_dask_auto._survey._machine", lambda _: (2, 10**9))


def ran_in_threads(search):
    return search.plan_.chosen.cost.in_threads


@pytest.mark.parametrize(
    ("estimator", "grid"),
    [
        (SVC(), C),
        (SVC(random_state=0), {**C, "kernel": ["linear", "poly"]}),
        (NuSVC(), NU),
        (SVR(), C),
        (NuSVR(), C),
        (OneClassSVM(), NU),
        (make_pipeline(StandardScaler(), SVC()), {"svc__C": [0.1, 1.0, 10.0]}),
    ],
    ids=["svc", "kernels", "nu-svc", "svr", "nu-svr", "one-class", "pipeline"],
)
@pytest.mark.parametrize("kind", [np.asarray, scipy.sparse.csr_array])
def test_fits_in_threads_give_scikit_learns_results(estimator, grid, kind):
    if kind is not np.asarray and type(estimator).__name__ == "Pipeline":
        estimator = make_pipeline(StandardScaler(with_mean=False), SVC())
    # A one-class machine has no score of its own.
    scoring = "accuracy" if type(estimator) is OneClassSVM else None
    y = np.where(Y > 0, 1, -1) if scoring else Y
    options = {"cv": 5, "scoring": scoring, "return_train_score": True}
    found = AutoScaleSearchCV(estimator, grid, **options).fit(kind(X), y)
    assert ran_in_threads(found)
    assert_same_search(found, GridSearchCV(estimator, grid, **options).fit(kind(X), y))


@pytest.mark.filterwarnings("ignore:The `probability` parameter:FutureWarning")
@pytest.mark.parametrize(
    ("estimator", "grid", "scoring"),
    [
        (SVC(probability=True), C, None),
        (SVC(), {"probability": [False, True]}, None),
        (SVC(kernel=np.dot), C, None),
        (SVC(), {"kernel": uniform()}, None),
        (SVC(verbose=True), C, None),
        (SVC(), C, lambda model, X, y: 0.0),
        (SVC(), C, {"own": lambda model, X, y: 0.0}),
        (type("Own", (SVC,), {})(), C, None),
        (LinearSVC(), C, None),
        (LogisticRegression(), C, None),
        (make_pipeline(PolynomialFeatures(), SVC()), {"svc__C": [1.0]}, None),
        (make_pipeline(StandardScaler(), SVC()), {"svc": [LinearSVC()]}, None),
        (make_pipeline(StandardScaler(), SVC()), {"svc__verbose": [True]}, None),
        (make_pipeline(StandardScaler(), SVC(), memory="there"), {}, None),
        (SVC(), "no grid", None),
    ],
)
def test_what_could_meet_in_one_process_is_kept_out_of_threads(
    estimator, grid, scoring
):
    assert not fits_keep_apart(estimator, grid, scoring)


@pytest.mark.parametrize("scoring", [None, "f1_macro", ["accuracy", "f1_macro"]])
@pytest.mark.parametrize("grid", [C, [C, {"gamma": uniform()}], {"kernel": ["rbf"]}])
def test_what_cannot_meet_may_run_in_threads(grid, scoring):
    assert fits_keep_apart(SVC(), grid, scoring)


@pytest.mark.parametrize(
    ("x", "options"),
    [(pd.DataFrame(X), {}), (X.tolist(), {}), (X, {"verbose": 2}), (X, {"n_jobs": 1})],
    ids=["frame", "list", "verbose", "one-job"],
)
def test_other_rows_and_what_is_told_of_stay_out_of_threads(x, options, capfd):
    grid = {"C": [0.1, 1.0]}
    search = AutoScaleSearchCV(SVC(), grid, cv=3, **options).fit(x, Y)
    assert not ran_in_threads(search)


@pytest.mark.filterwarnings("ignore:The estimator SVC does not support callbacks")
def test_callbacks_hear_of_fits_from_one_thread_alone(capfd):
    search = AutoScaleSearchCV(SVC(), C, cv=3).set_callbacks(ProgressBar()).fit(X, Y)
    assert not ran_in_threads(search)


def test_weights_stay_out_of_threads():
    search = AutoScaleSearchCV(SVC(), C, cv=3).fit(X, Y, sample_weight=np.ones(len(X)))
    assert not ran_in_threads(search)


def test_warnings_of_fits_in_threads_are_given_and_filters_stay_as_they_were():
    search = AutoScaleSearchCV(SVC(max_iter=1), C, cv=5, refit=False)
    with warnings.catch_warnings(record=True, action="always") as warned:
        before = list(warnings.filters)
        search.fit(X, Y)
        assert warnings.filters == before
    assert ran_in_threads(search)
    assert [w.category for w in warned] == [ConvergenceWarning] * 15


@pytest.mark.filterwarnings("error")
def test_a_warning_that_is_an_error_fails_its_fit_in_a_thread():
    search = AutoScaleSearchCV(SVC(max_iter=1), C, cv=5, error_score="raise")
    with pytest.raises(ConvergenceWarning, match="terminated early"):
        search.fit(X, Y)


def state(number):
    """Tell what a call finds around it."""
    return {
        "thread": threading.current_thread(),
        "config": sklearn.get_config(),
        "errors": np.geterr(),
        "libraries": {library["num_threads"] for library in threadpool_info()},
        "cores": joblib.effective_n_jobs(-1),
    }


def test_calls_in_threads_find_the_settings_of_the_thread_that_began():
    calls = [(state, (i,), {}) for i in range(6)]
    with (
        threadpool_limits(limits=3),
        sklearn.config_context(assume_finite=True),
        np.errstate(over="raise"),
    ):
        expected = state(0)
        workers = LocalThreads(2, sklearn.get_config())
        fits = Fits(calls, workers, None, None, seconds=0.01)
        found = [fits.take(i) for i in range(6)]
        workers.close()
        assert {library["num_threads"] for library in threadpool_info()} == {3}
    assert threading.current_thread() not in [told["thread"] for told in found]
    for told in found:
        assert told["config"] == expected["config"]
        assert told["errors"] == expected["errors"]
        assert told["libraries"] == {1}
        assert told["cores"] == 1


def fail(number):
    raise ZeroDivisionError(number)


def test_an_error_of_a_call_is_raised_and_what_waits_is_dropped():
    calls = [(fail, (i,), {}) for i in range(6)]
    workers = LocalThreads(2, sklearn.get_config())
    fits = Fits(calls, workers, None, None, seconds=0.01)
    with pytest.raises(ZeroDivisionError):
        fits.take(0)
    fits.close()
    workers.close()
