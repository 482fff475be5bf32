"""`AutoScaleSearchCV` beside a real cluster of two worker processes."""

import asyncio
import gc
import os
import threading
import time
from dataclasses import replace

import dask.array as da
import joblib
import numpy as np
import pytest
from distributed import Client, LocalCluster
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.svm import SVC

from sklearn_dask_auto import AutoScaleSearchCV, NoEngineError, _base
from tests.model_selection.results import assert_same_search

pytestmark = pytest.mark.cluster

X, Y = make_classification(2000, 8, random_state=0)
# As blocks are put together: in another order sums differ in the last bit.
X = np.ascontiguousarray(X)
WEIGHTS = np.random.default_rng(0).uniform(0.1, 2, size=2000)
GRID = {"C": [0.001, 0.1, 10.0]}
ARRAYS = {
    "numpy": lambda: (X, Y),
    "dask": lambda: (da.from_array(X, chunks=500), da.from_array(Y, chunks=700)),
    "persisted": lambda: (
        da.from_array(X, chunks=500).persist(),
        da.from_array(Y, chunks=500).persist(),
    ),
}


class Slow(ClassifierMixin, BaseEstimator):
    """Takes long enough that a plan prefers to share the fits out."""

    def __init__(self, a=1):
        self.a = a

    def fit(self, X, y):
        time.sleep(0.2)
        self.classes_ = np.unique(y)
        self.fitted_in_ = os.getpid()
        return self

    def predict(self, X):
        if self.a < 0:
            raise ValueError("failing as asked")
        return np.full(X.shape[0], self.classes_[0])


def process(model, X, y):
    """A scorer that tells in which process a fit ran."""
    return model.fitted_in_


def processes(search):
    """Return the process of each fit, in order."""
    table = search.cv_results_
    splits = [table[f"split{i}_test_score"] for i in range(search.n_splits_)]
    return np.transpose(splits).ravel().astype(int).tolist()


@pytest.fixture
def one_core(monkeypatch):
    """Have plans see a machine whose only parallel help is the cluster."""
    survey = _base.survey
    monkeypatch.setattr(
        _base, "survey", lambda **options: replace(survey(**options), cores=1)
    )


@pytest.fixture
def scattered(monkeypatch):
    """List what is sent to the workers ahead of tasks."""
    sent = []
    scatter = Client.scatter

    def spy(self, data, *args, **kwargs):
        sent.extend(data if isinstance(data, list) else [data])
        return scatter(self, data, *args, **kwargs)

    monkeypatch.setattr(Client, "scatter", spy)
    return sent


@pytest.mark.parametrize("container", ARRAYS)
@pytest.mark.parametrize("n_jobs", [None, 1, 2, -1])
def test_results_on_the_cluster_are_scikit_learns(client, container, n_jobs):
    original = GridSearchCV(LogisticRegression(), GRID, cv=3).fit(X, Y)
    search = AutoScaleSearchCV(
        LogisticRegression(), GRID, cv=3, n_jobs=n_jobs, engine="joblib"
    )
    X_in, y_in = ARRAYS[container]()
    assert_same_search(search.fit(X_in, y_in), original)
    assert search.plan_.engine == "joblib"
    # The last bits of a fit depend on where in memory the blocks were put together.
    np.testing.assert_allclose(
        search.predict_proba(X), original.predict_proba(X), rtol=1e-9
    )


@pytest.mark.parametrize("container", ARRAYS)
def test_results_of_auto_beside_a_cluster_are_scikit_learns(client, container):
    original = GridSearchCV(LogisticRegression(), GRID, cv=3).fit(X, Y)
    search = AutoScaleSearchCV(LogisticRegression(), GRID, cv=3)
    assert_same_search(search.fit(*ARRAYS[container]()), original)


def test_weights_and_metrics_reach_the_cluster(client):
    options = {"cv": 3, "scoring": ["accuracy", "roc_auc"], "refit": "roc_auc"}
    original = GridSearchCV(SVC(), GRID, return_train_score=True, **options)
    search = AutoScaleSearchCV(
        SVC(), GRID, return_train_score=True, engine="joblib", **options
    )
    original.fit(X, Y, sample_weight=WEIGHTS)
    search.fit(X, Y, sample_weight=WEIGHTS)
    assert_same_search(search, original)
    np.testing.assert_array_equal(search.predict(X), original.predict(X))


@pytest.mark.usefixtures("one_core")
def test_auto_shares_slow_fits_out_after_the_first(client):
    grid = {"a": [1, 2, 3]}
    search = AutoScaleSearchCV(Slow(), grid, scoring=process, cv=2).fit(X, Y)
    assert search.plan_.engine == "joblib"
    first, *rest = processes(search)
    assert first == os.getpid()
    workers = client.run(os.getpid).values()
    assert set(rest) <= set(workers)
    assert search.best_estimator_.fitted_in_ == os.getpid()


@pytest.mark.usefixtures("one_core")
@pytest.mark.parametrize("reason", ["n_jobs", "engine"])
def test_fits_stay_here_when_told_so(client, reason):
    told = {"n_jobs": {"n_jobs": 1}, "engine": {"engine": "sklearn"}}[reason]
    search = AutoScaleSearchCV(Slow(), {"a": [1, 2]}, scoring=process, cv=2, **told)
    assert set(processes(search.fit(X, Y))) == {os.getpid()}
    assert search.plan_.engine == "sklearn"


def test_quick_fits_stay_here(client):
    search = AutoScaleSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2).fit(X, Y)
    assert search.plan_.engine == "sklearn"


@pytest.mark.usefixtures("one_core")
@pytest.mark.parametrize("engine", ["auto", "joblib"])
def test_data_is_sent_once_and_not_left_behind(client, scattered, engine):
    search = AutoScaleSearchCV(Slow(), {"a": [1, 2, 3]}, cv=2, engine=engine)
    search.fit(X, Y)
    assert search.plan_.engine == "joblib"
    assert sum(value is X for value in scattered) == 1
    assert sum(value is Y for value in scattered) == 1
    assert sum(getattr(value, "nbytes", 0) >= X.nbytes for value in scattered) == 1
    gc.collect()
    deadline = time.monotonic() + 20
    while client.who_has() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not client.who_has()


def test_weights_are_sent_once(client, scattered):
    search = AutoScaleSearchCV(SVC(), GRID, cv=2, engine="joblib")
    search.fit(X, Y, sample_weight=WEIGHTS)
    # For the fits and for the scores.
    assert sum(value is WEIGHTS for value in scattered) == 1


@pytest.mark.usefixtures("one_core")
@pytest.mark.parametrize("engine", ["auto", "joblib"])
def test_data_that_the_user_sent_is_not_sent_again(client, scattered, engine):
    search = AutoScaleSearchCV(Slow(), {"a": [1, 2]}, cv=2, n_jobs=-1, engine=engine)
    with joblib.parallel_config("dask", scatter=[X, Y]):
        search.fit(X, Y)
    assert search.plan_.engine == "joblib"
    assert sum(value is X for value in scattered) == 1


@pytest.mark.parametrize("engine", ["auto", "joblib", "sklearn"])
@pytest.mark.parametrize("context", [joblib.parallel_config, joblib.parallel_backend])
def test_the_form_of_the_dask_tutorial_works(client, context, engine):
    estimator = SVC(random_state=0)
    grid = {"C": [0.001, 10.0], "kernel": ["rbf", "poly"]}
    original = GridSearchCV(estimator, grid, cv=2).fit(X, Y)
    search = AutoScaleSearchCV(estimator, grid, cv=2, n_jobs=-1, engine=engine)
    with context("dask", scatter=[X, Y]):
        search.fit(X, Y)
    assert_same_search(search, original)


def test_estimators_with_jobs_of_their_own_work_on_the_cluster(client):
    forest = RandomForestClassifier(6, random_state=0, n_jobs=2)
    original = GridSearchCV(forest, {"max_depth": [1, 3]}, cv=2).fit(X, Y)
    search = AutoScaleSearchCV(forest, {"max_depth": [1, 3]}, cv=2, engine="joblib")
    assert_same_search(search.fit(X, Y), original)


@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
@pytest.mark.filterwarnings("ignore:Scoring failed")
def test_an_error_on_the_cluster_is_the_users_and_leaves_it_usable(client):
    search = AutoScaleSearchCV(Slow(), {"a": [1, -1, 2]}, cv=2, engine="joblib")
    search.fit(X, Y)
    np.testing.assert_array_equal(
        np.isnan(search.cv_results_["mean_test_score"]), [False, True, False]
    )
    with pytest.raises(ValueError, match="failing as asked"):
        search.set_params(error_score="raise").fit(X, Y)
    assert client.submit(int, 7).result() == 7
    assert search.set_params(param_grid={"a": [1, 2]}).fit(X, Y).best_score_ > 0


def folds():
    return (fold for fold in KFold(2).split(X))


class Locked:
    """A scorer that cannot be sent."""

    def __init__(self):
        self.lock = threading.Lock()

    def __call__(self, model, X, y):
        return process(model, X, y)


@pytest.mark.parametrize("engine", ["auto", "joblib"])
def test_folds_from_a_generator_can_be_sent(client, engine):
    def fit(cls, **options):
        return cls(LogisticRegression(), GRID, cv=folds(), **options).fit(X, Y)

    assert_same_search(fit(AutoScaleSearchCV, engine=engine), fit(GridSearchCV))


@pytest.mark.usefixtures("one_core")
def test_what_cannot_be_sent_stays_here_and_the_plan_says_why(client):
    search = AutoScaleSearchCV(Slow(), {"a": [1, 2]}, scoring=Locked(), cv=2)
    assert set(processes(search.fit(X, Y))) == {os.getpid()}
    assert search.plan_.engine == "sklearn"
    assert any("cannot pickle" in reason for reason in why_not_joblib(search))


def test_the_cluster_asked_for_by_name_refuses_what_cannot_be_sent(client):
    search = AutoScaleSearchCV(Slow(), {"a": [1]}, scoring=Locked(), engine="joblib")
    with pytest.raises(NoEngineError, match=r"cannot pickle '_thread.lock'"):
        search.fit(X, Y)


def search_in_a_task(n_jobs):
    search = AutoScaleSearchCV(LogisticRegression(), GRID, cv=3, n_jobs=n_jobs)
    lazy = da.from_array(X, chunks=500)
    return search.fit(lazy, Y)


@pytest.mark.parametrize("n_jobs", [None, 1])
def test_a_search_inside_a_task_of_a_worker_works(client, n_jobs):
    original = GridSearchCV(LogisticRegression(), GRID, cv=3).fit(X, Y)
    search = client.submit(search_in_a_task, n_jobs, pure=False).result(60)
    assert_same_search(search, original)
    assert search.plan_.resources.is_in_worker


def why_not_joblib(search):
    return next(c.reasons for c in search.plan_.candidates if c.engine == "joblib")


def quick_search():
    return AutoScaleSearchCV(LogisticRegression(), GRID, cv=3).fit(X, Y)


def test_a_cluster_without_workers_is_passed_by():
    with (
        LocalCluster(n_workers=0, dashboard_address=None) as cluster,
        Client(cluster),
    ):
        search = quick_search()
    assert search.plan_.engine == "sklearn"
    assert any("has 0 workers" in reason for reason in why_not_joblib(search))


def test_an_asynchronous_client_is_passed_by(cluster):
    async def fit():
        async with Client(cluster, asynchronous=True):
            return quick_search()

    search = asyncio.run(fit())
    assert search.plan_.engine == "sklearn"
    assert any("is asynchronous" in reason for reason in why_not_joblib(search))


def test_a_closed_client_is_passed_by(cluster):
    client = Client(cluster)
    client.close()
    search = quick_search()
    assert search.plan_.engine == "sklearn"
    assert why_not_joblib(search)


@pytest.mark.usefixtures("one_core")
def test_a_client_that_is_not_current_is_not_used(cluster):
    with Client(cluster, set_as_default=False):
        search = quick_search()
    assert search.plan_.resources.cluster is None
