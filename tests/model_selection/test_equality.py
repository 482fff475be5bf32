"""The same results for every strategy, engine, container and number of workers."""

from dataclasses import dataclass

import dask
import dask.array as da
import numpy as np
import pytest
from distributed import Client, LocalCluster
from scipy.stats import loguniform
from sklearn.datasets import make_classification
from sklearn.linear_model import SGDClassifier
from sklearn.naive_bayes import GaussianNB

from sklearn_dask_auto import AutoScaleGaussianNB, AutoScaleSearchCV
from tests.model_selection.results import assert_same_search

X, Y = make_classification(600, 5, random_state=0)
X = np.ascontiguousarray(X)
SGD = SGDClassifier(max_iter=5, tol=None, random_state=0)
DRAWN = {"alpha": loguniform(1e-5, 1)}
LISTED = {"alpha": [1e-4, 1e-3, 1e-2, 1e-1], "penalty": ["l1", "l2"]}


@dataclass(frozen=True)
class Case:
    """A strategy with its options; `streams` where it trains by `partial_fit`."""

    params: dict
    options: dict
    streams: bool = False


CASES = {
    "grid": Case(LISTED, {}),
    "random": Case(DRAWN, {"n_iter": 5}),
    "halving": Case(LISTED, {"min_resources": 60}),
    "halving, drawn": Case(DRAWN, {"strategy": "halving", "min_resources": 60}),
    "halving by partial_fit": Case(
        LISTED,
        {"strategy": "halving", "resource": "partial_fit", "max_resources": 9},
        streams=True,
    ),
    "hyperband": Case(DRAWN, {"max_resources": 9, "patience": 3}, streams=True),
    "hyperband by rows": Case(
        DRAWN,
        {"strategy": "hyperband", "resource": "n_samples", "min_resources": 200},
    ),
}
HERE = {
    False: [("auto", "numpy"), ("auto", "dask"), ("sklearn", "dask")],
    True: [("sklearn", "numpy"), ("blockwise", "numpy"), ("blockwise", "dask")],
}
"""Engines and containers, for strategies that do not train by `partial_fit` or do."""
ON_CLUSTER = {
    False: [("joblib", "numpy"), ("joblib", "dask")],
    True: [("joblib", "numpy"), ("blockwise", "dask")],
}


def search(name, estimator=SGD, params=None, **options):
    case = CASES[name]
    options = {"strategy": name, "cv": 3, "random_state": 0, **case.options, **options}
    return AutoScaleSearchCV(estimator, params or case.params, **options)


def rows(kind):
    return X if kind == "numpy" else da.from_array(X, (130, 5))


@pytest.fixture(scope="module")
def expected():
    """Searches that ran here, one fit after another."""
    with dask.config.set(scheduler="sync"):
        return {name: search(name, engine="auto", n_jobs=1).fit(X, Y) for name in CASES}


@pytest.fixture(params=[1, 2, 4], scope="module")
def workers(request):
    """Start as many workers as asked for."""
    options = {
        "threads_per_worker": 1,
        "memory_limit": "1GB",
        "dashboard_address": ":0",
    }
    with LocalCluster(n_workers=request.param, **options) as cluster:
        yield cluster


def assert_same_everywhere(name, places, expected, n_jobs):
    for engine, kind in places[CASES[name].streams]:
        found = search(name, engine=engine, n_jobs=n_jobs).fit(rows(kind), Y)
        assert engine in ("auto", found.plan_.engine)
        assert_same_search(found, expected[name])


@pytest.mark.parametrize("name", CASES)
def test_results_do_not_depend_on_engine_or_container(name, expected):
    assert_same_everywhere(name, HERE, expected, n_jobs=2)


@pytest.mark.cluster
@pytest.mark.parametrize("name", CASES)
def test_results_do_not_depend_on_the_number_of_workers(name, workers, expected):
    with Client(workers) as client:
        n_jobs = len(client.nthreads())
        assert_same_everywhere(name, ON_CLUSTER, expected, n_jobs)


@pytest.mark.parametrize("name", ["grid", "random", "halving", "hyperband by rows"])
def test_folds_on_blocks_give_the_results_of_folds_in_memory(name):
    params = {"var_smoothing": loguniform(1e-9, 1e-1)}
    if name in ("grid", "halving"):
        params = {"var_smoothing": [1e-9, 1e-3, 1e-1, 1.0]}
    here = search(name, GaussianNB(), params, n_jobs=1).fit(X, Y)
    options = {"engine": "blockwise"}
    found = search(name, AutoScaleGaussianNB(), params, **options)
    found.fit(rows("dask"), Y)
    assert found.plan_.engine == "blockwise"
    assert found.cv_results_["params"] == here.cv_results_["params"]
    for column in ("mean_test_score", "rank_test_score", "split0_test_score"):
        np.testing.assert_array_equal(
            found.cv_results_[column], here.cv_results_[column]
        )
    assert found.best_params_ == here.best_params_
