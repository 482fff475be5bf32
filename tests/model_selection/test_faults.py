"""Workers that die, stall or go away while they fit: the rest of a search finishes."""

import _thread
import os
import random
import threading
import time
from contextlib import contextmanager

import dask
import joblib
import numpy as np
import pytest
from distributed import Client, LocalCluster
from sklearn.datasets import make_classification
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

from benchmarks import faults
from sklearn_dask_auto import AutoScaleSearchCV, LostFitError
from sklearn_dask_auto.engines import cluster_workers, fits
from tests.model_selection.fragile import (
    Counted,
    Fragile,
    Located,
    crash,
    die,
    die_once,
    exhaust,
    is_first,
    nothing,
    run_out,
    stall_first,
    stall_once,
    wake,
)
from tests.model_selection.results import assert_same_search

pytestmark = pytest.mark.cluster

X, Y = make_classification(200, 4, random_state=0)
PLACES = ["sklearn", "joblib"]


@contextmanager
def at(place):
    """Give the options of a search that runs in local processes, or on a cluster."""
    if place == "sklearn":
        # Warm, so that a plan sends even short fits.
        joblib.Parallel(n_jobs=2)(joblib.delayed(int)(i) for i in range(4))
        yield {"engine": "sklearn", "n_jobs": 2}
        return
    with (
        # A fit is to blame for the first worker that dies, and not for the fourth.
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            memory_limit="1GB",
            dashboard_address=":0",
        ) as cluster,
        Client(cluster),
    ):
        yield {"engine": "joblib"}


def fitted(cls, grid, error_score=np.nan, model=None, **options):
    search = cls(model or Fragile(), grid, cv=2, error_score=error_score, **options)
    return search.fit(X, Y)


@pytest.mark.parametrize("place", PLACES)
def test_a_worker_that_dies_once_costs_no_result(place, tmp_path):
    grid = {"a": [-1.0, -0.5, 0.0, 0.5]}
    model = Fragile(deed=die_once, path=str(tmp_path / "died"))
    with at(place) as options:
        search = fitted(AutoScaleSearchCV, grid, model=model, **options)
    assert os.path.exists(model.path)
    assert_same_search(search, fitted(GridSearchCV, grid))


@pytest.mark.parametrize(
    ("place", "deed"),
    [("sklearn", crash), ("joblib", crash)],
)
def test_a_fit_that_kills_its_workers_is_named_and_scores_as_told(deed, place):
    grid = {"a": [0.0, 0.5, 1.0], "deed": [nothing]}
    deadly = {"a": [0.25], "deed": [deed]}
    with (
        at(place) as options,
        pytest.warns(FitFailedWarning) as warned,
    ):
        search = fitted(AutoScaleSearchCV, [grid, deadly], error_score=-7.0, **options)
    message = str(warned[0].message)
    assert "2 fits failed out of a total of 8" in message
    assert "Fragile with parameters {'a': 0.25, 'deed': " in message
    assert "split 1 of 2" in message
    assert ("KilledWorker" if place == "joblib" else "TerminatedWorkerError") in message
    scores = search.cv_results_["mean_test_score"]
    expected = fitted(GridSearchCV, grid).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(scores, [*expected, -7.0])


def test_a_fit_that_fills_the_memory_of_its_worker_is_named(monkeypatch):
    # A worker takes long to come back on a busy machine.
    monkeypatch.setattr(cluster_workers, "WAIT_SECONDS", 120.0)
    grid = [{"a": [0.0, 0.5]}, {"a": [0.25], "deed": [exhaust]}]
    search = AutoScaleSearchCV(
        Fragile(), grid, cv=[(np.arange(100), np.arange(100, 200))], error_score=-7.0
    )
    with at("joblib") as options, pytest.warns(FitFailedWarning) as warned:
        search.set_params(**options).fit(X, Y)
    message = str(warned[0].message)
    assert "Fragile with parameters {'a': 0.25, 'deed': " in message
    assert "died again when it was fitted with nothing beside it" in message
    assert "Workers have 1 GB each" in message
    scores = search.cv_results_["mean_test_score"]
    assert (scores == -7.0).tolist() == [False, False, True]


def test_a_fit_that_runs_out_of_memory_is_named_and_scores_as_told():
    grid = [{"a": [0.0, 0.5]}, {"a": [0.25], "deed": [run_out]}]
    with at("sklearn") as options, pytest.warns(FitFailedWarning, match="MemoryError"):
        search = fitted(AutoScaleSearchCV, grid, error_score=-7.0, **options)
    scores = search.cv_results_["mean_test_score"]
    assert (scores == -7.0).tolist() == [False, False, True]


@pytest.mark.parametrize("place", PLACES)
def test_a_fit_that_kills_its_workers_raises_as_told(place):
    grid = [{"a": [0.0, 0.5]}, {"a": [0.25], "deed": [die]}]
    with (
        at(place) as options,
        pytest.raises(LostFitError, match=r"Fragile with parameters \{'a': 0.25"),
    ):
        fitted(AutoScaleSearchCV, grid, error_score="raise", **options)


def test_what_a_slow_worker_holds_up_is_done_by_another(tmp_path, monkeypatch):
    monkeypatch.setattr(fits, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(fits, "POLL_SECONDS", 0.1)
    grid = {"a": [-1.0, -0.5, 0.0, 0.5]}
    model = Fragile(deed=stall_once, path=str(tmp_path / "stalled"))
    started = time.monotonic()
    with at("joblib") as options:
        search = fitted(AutoScaleSearchCV, grid, model=model, **options)
        took = time.monotonic() - started
        # A cluster waits for its workers when it closes.
        wake(model)
    assert os.path.exists(model.path)
    assert took < 60
    assert_same_search(search, fitted(GridSearchCV, grid))


def soon(action, *args, seconds=0.4):
    timer = threading.Timer(seconds, action, args)
    timer.start()
    return timer


def test_a_client_that_closes_leaves_the_rest_to_this_machine():
    grid = {"a": np.linspace(-1, 1, 12)}
    slow = Fragile(seconds=0.1)
    with at("joblib") as options:
        soon(Client.current().close)
        with pytest.warns(
            RuntimeWarning, match=r"client is (closing|closed): .*on this machine"
        ):
            search = fitted(AutoScaleSearchCV, grid, model=slow, **options)
    assert search.plan_.engine == "sklearn"
    reasons = next(c.reasons for c in search.plan_.candidates if c.engine == "joblib")
    assert any("the Dask client is " in reason for reason in reasons)
    assert_same_search(search, fitted(GridSearchCV, grid))


def test_workers_that_go_leave_the_rest_to_this_machine(monkeypatch):
    monkeypatch.setattr(cluster_workers, "WAIT_SECONDS", 1.0)
    grid = {"a": np.linspace(-1, 1, 12)}
    with (
        LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=":0") as few,
        Client(few),
    ):
        soon(few.scale, 0)
        with pytest.warns(RuntimeWarning, match=r"has no workers.*on this machine"):
            search = fitted(
                AutoScaleSearchCV, grid, model=Fragile(seconds=0.1), engine="joblib"
            )
    assert_same_search(search, fitted(GridSearchCV, grid))


def process(model, X, y):
    return model.process_


def test_workers_that_come_late_take_part(tmp_path):
    model = Located(path=str(tmp_path / "go"), seconds=0.1)
    grid = {"a": np.linspace(-1, 1, 20)}
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as few,
        Client(few) as client,
    ):

        def grow():
            few.scale(2)
            client.wait_for_workers(2, timeout=60)
            is_first(model.path)

        soon(grow)
        search = fitted(
            AutoScaleSearchCV, grid, model=model, scoring=process, engine="joblib"
        )
        workers = set(client.run(os.getpid).values())
    table = search.cv_results_
    assert {*table["split0_test_score"], *table["split1_test_score"]} == workers
    assert len(workers) == 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("place", PLACES)
def test_a_worker_killed_at_a_random_moment_costs_no_result(place, seed):
    expected = GridSearchCV(SVC(), faults.GRID, cv=5).fit(faults.X, faults.Y)
    with faults.place(place) as workers:
        found, _ = faults.disturbed(place, workers, random.Random(seed))
    assert faults.is_equal(found, expected.cv_results_)


@pytest.mark.parametrize("place", ["here", *PLACES])
def test_an_interrupted_search_keeps_the_scores_it_has(place, tmp_path):
    grid = {"a": np.linspace(-1, 1, 40)}
    model = Counted(path=str(tmp_path), seconds=0.05, deed=stall_first)
    search = AutoScaleSearchCV(model, grid, cv=2, n_jobs=1)
    if place == "here":
        interrupted(search, tmp_path)
    else:
        with at(place) as options:
            interrupted(search.set_params(**{"n_jobs": None, **options}), tmp_path)
    scores = two_splits(search)
    is_made = np.isfinite(scores)
    # Those that began, but for the one that stalls, the last ones, and two files.
    assert 6 <= is_made.sum() < 80
    expected = two_splits(GridSearchCV(Fragile(), grid, cv=2).fit(X, Y))
    np.testing.assert_array_equal(scores[is_made], expected[is_made])
    assert not hasattr(search, "best_estimator_")


def two_splits(search):
    return np.array([search.cv_results_[f"split{i}_test_score"] for i in (0, 1)])


@pytest.mark.parametrize("strategy", ["halving", "hyperband"])
def test_an_interrupted_search_in_rounds_tells_of_which_round_scores_are(
    strategy, tmp_path
):
    model = Counted(path=str(tmp_path), seconds=0.01)
    options = {"resource": "n_samples", "min_resources": 20, "factor": 2}
    search = AutoScaleSearchCV(
        model,
        {"a": np.linspace(-1, 1, 5)},
        strategy=strategy,
        cv=2,
        n_jobs=1,
        **options,
    ).set_params(random_state=0)
    interrupted(search, tmp_path)
    results = search.cv_results_
    made = np.isfinite(results["split0_test_score"])
    assert made.sum() > 0
    assert len(results["iter"]) == len(results["n_resources"]) == len(made)
    assert results["n_resources"][0] == {"halving": 20, "hyperband": 25}[strategy]
    assert ("bracket" in results) == (strategy == "hyperband")
    assert not [name for name in vars(search) if name.startswith("_columns")]


def interrupted(search, path):
    """Press Ctrl-C once some fits are done."""
    is_over = threading.Event()

    def press():
        while not is_over.wait(0.02):
            if len(os.listdir(path)) >= 12:
                _thread.interrupt_main()
                (path / "first over").touch()
                return

    presser = threading.Thread(target=press)
    presser.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            search.fit(X, Y)
    finally:
        is_over.set()
        presser.join()
