"""Searches over dask collections that are put together on workers, and not here."""

import os
import signal
import tempfile
import threading
import time

import dask.array as da
import dask.dataframe as dd
import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from distributed import Client, Future, LocalCluster
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_dask_auto import AutoScaleSearchCV, NoEngineError, config_context
from sklearn_dask_auto._sklearn import halving_searches
from sklearn_dask_auto.engines.cluster_workers import ClusterWorkers
from tests.model_selection.results import assert_same_search
from tests.model_selection.test_cluster_search import GRID, WEIGHTS, X, Y

pytestmark = pytest.mark.cluster

FRAME = pd.DataFrame(X, columns=list("abcdefgh"))
SPARSE = sp.csr_matrix(np.where(X > 0.5, X, 0.0))


def cut(rows, *chunks):
    return da.from_array(rows, chunks=(chunks, -1))


INPUTS = {
    "blocks": (X, lambda: cut(X, 700, 1, 0, 1299)),
    "persisted": (X, lambda: cut(X, 1500, 500).persist()),
    "columns": (X, lambda: da.from_array(X, chunks=(600, 3))),
    "unknown": (
        X,
        lambda: da.concatenate([cut(X, 900, 1100)[cut(X, 900, 1100)[:, 0] < 9]]),
    ),
    "float32": (X.astype("f4"), lambda: cut(X.astype("f4"), 1000, 1000)),
    "sparse": (
        SPARSE,
        lambda: cut(SPARSE.toarray(), 1300, 700).map_blocks(
            sp.csr_matrix, meta=sp.csr_matrix((0, 8))
        ),
    ),
    "frame": (FRAME, lambda: dd.from_pandas(FRAME, npartitions=4)),
}


@pytest.mark.parametrize("kind", INPUTS)
def test_results_are_scikit_learns(client, kind):
    rows, lazy = INPUTS[kind]
    original = GridSearchCV(SVC(), GRID, cv=3).fit(rows, Y)
    search = AutoScaleSearchCV(SVC(), GRID, cv=3, engine="joblib")
    assert_same_search(search.fit(lazy(), da.from_array(Y, chunks=800)), original)
    assert type(search.best_estimator_) is SVC
    names = getattr(original, "feature_names_in_", None)
    np.testing.assert_array_equal(getattr(search, "feature_names_in_", None), names)
    assert search.n_features_in_ == 8
    np.testing.assert_array_equal(search.predict(rows), original.predict(rows))


@pytest.mark.parametrize(
    "options",
    [
        {"scoring": ["accuracy", "roc_auc"], "refit": "roc_auc"},
        {"refit": False, "return_train_score": True},
        {"cv": GroupKFold(3)},
        {"n_jobs": 1},
    ],
    ids=["metrics", "no refit", "groups", "one job"],
)
def test_what_goes_with_the_rows_goes_along(client, options):
    beside = {"sample_weight": WEIGHTS}
    if "cv" in options:
        beside["groups"] = np.arange(2000) % 7
    lazy = {name: da.from_array(v, chunks=900) for name, v in beside.items()}
    options = {"cv": 3, **options}
    original = GridSearchCV(SVC(), GRID, **options).fit(X, Y, **beside)
    search = AutoScaleSearchCV(SVC(), GRID, engine="joblib", **options)
    assert_same_search(search.fit(cut(X, 1500, 500), Y, **lazy), original)


def test_pipelines_and_halving_are_scikit_learns(client):
    model = make_pipeline(StandardScaler(), SGDClassifier(random_state=0))
    grid = {"sgdclassifier__alpha": [1e-4, 1e-3, 1e-2]}
    options = {"cv": 2, "random_state": 0, "return_train_score": False}
    original = halving_searches()[0](model, grid, **options).fit(X, Y)
    search = AutoScaleSearchCV(
        model, grid, strategy="halving", engine="joblib", **options
    )
    assert_same_search(search.fit(cut(X, 1500, 500), Y), original)


def test_auto_leaves_on_the_cluster_what_is_no_small_matter_to_bring_here(client):
    rows = np.tile(X, (100, 1))[:160_000]
    with config_context(memory_budget="1GB"):
        search = AutoScaleSearchCV(SVC(), GRID)
        assert search.explain(cut(X, 2000), Y).engine == "sklearn"
        plan = search.explain(cut(rows, 160_000), np.tile(Y, 80))
    assert plan.engine == "joblib"
    local = next(c for c in plan.candidates if c.engine == "sklearn")
    assert local.reservations == ("11.5 MB of X would pass through this process",)


def test_what_fits_no_worker_is_refused_with_the_sum(client):
    lazy = da.zeros((10_000_000, 8), chunks=(1_000_000, 8))
    search = AutoScaleSearchCV(SVC(), GRID, engine="joblib")
    message = (
        r"a fit takes 1.44 GB on a worker \(720 MB of data and 720 MB of its own\), "
        r"and the largest worker can fill [\d.]+ MB of its 1 GB, as its process takes "
        r"[\d.]+ MB: workers need a larger"
    )
    with pytest.raises(NoEngineError, match=message):
        search.fit(lazy, da.zeros(10_000_000, chunks=1_000_000))


class Looking(KFold):
    """Splits by the values of `X`."""

    def split(self, X, y=None, groups=None):
        order = np.argsort(np.asarray(X)[:, 0], kind="stable")
        for train, test in super().split(X, y, groups):
            yield order[train], order[test]


@pytest.mark.parametrize("strategy", ["grid", "halving"])
def test_a_splitter_that_looks_at_the_rows_runs_where_they_are(client, strategy):
    cls = GridSearchCV if strategy == "grid" else halving_searches()[0]
    options = {"cv": Looking(2), "return_train_score": False}
    if strategy == "halving":
        options["random_state"] = 0
    original = cls(SVC(), GRID, **options).fit(X, Y)
    search = AutoScaleSearchCV(
        SVC(), GRID, engine="joblib", strategy=strategy, **options
    )
    assert_same_search(search.fit(cut(X, 2000), Y), original)


def test_a_backend_of_the_users_gets_what_fits_here_and_no_more(client):
    search = AutoScaleSearchCV(SVC(), GRID, cv=2)
    original = GridSearchCV(SVC(), GRID, cv=2).fit(X, Y)
    with joblib.parallel_config("threading"):
        assert_same_search(search.fit(cut(X, 2000), Y), original)
        assert search.plan_.engine == "sklearn"
        with (
            config_context(memory_budget="100kB"),
            pytest.raises(NoEngineError, match="told to use its ThreadingBackend"),
        ):
            search.fit(cut(X, 2000), Y)


def received(dask_worker):
    """Return the bytes of everything that a worker got from another."""
    return sum(entry["total"] for entry in dask_worker.transfer_incoming_log)


@pytest.mark.parametrize("kind", ["numpy", "dask"])
def test_data_goes_to_every_worker_once(client, kind, monkeypatch):
    rows = np.tile(X, (40, 1))
    target = np.tile(Y, 40)
    sent = []
    scatter = Client.scatter

    def spy(self, data, *args, **options):
        sent.extend(np.asarray(value).nbytes for value in data)
        return scatter(self, data, *args, **options)

    monkeypatch.setattr(Client, "scatter", spy)
    before = sum(client.run(received).values())
    model, grid = SGDClassifier(random_state=0), {"alpha": [1e-4, 1e-3, 1e-2]}
    given = rows if kind == "numpy" else cut(rows, 50_000, 30_000)
    search = AutoScaleSearchCV(model, grid, cv=3, engine="joblib").fit(given, target)
    n_bytes = sum(client.run(received).values()) - before + sum(sent)
    if kind == "dask":
        # `X` did not come from here, and so was not here.
        assert sum(sent) == target.nbytes
    assert search.plan_.engine == "joblib"
    assert n_bytes <= 1.1 * 2 * (rows.nbytes + target.nbytes)


@pytest.fixture
def own_client():
    """Connect to a cluster that a test may break."""
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(**options) as cluster, Client(cluster) as connected:
        yield connected


def test_a_worker_that_dies_costs_no_result(own_client):
    grid = {"C": np.logspace(-3, 1, 16)}
    original = GridSearchCV(SVC(), grid, cv=3).fit(X, Y)
    victim = min(own_client.run(os.getpid).values())
    timer = threading.Timer(0.5, os.kill, (victim, signal.SIGKILL))
    timer.start()
    search = AutoScaleSearchCV(SVC(), grid, cv=3, engine="joblib")
    assert_same_search(search.fit(cut(X, 1500, 500), Y), original)
    timer.join()


@pytest.mark.parametrize("moment", ["before", "amid", "after"])
def test_a_worker_that_dies_as_it_is_sent_data_costs_no_result(
    moment, own_client, monkeypatch
):
    pids, scattered = own_client.run(os.getpid), ClusterWorkers._scattered

    async def dying(workers, addresses, values):
        if not pids:
            return await scattered(workers, addresses, values)
        if moment == "after":
            futures = await scattered(workers, addresses, values)
        os.kill(pids.pop(addresses[0]), signal.SIGKILL)
        pids.clear()
        if moment == "before":
            futures = await scattered(workers, addresses, values)
        if moment == "amid":
            # The scheduler was told that a worker has them, which it knew to be dead.
            futures = [Future(f"nowhere-{i}", own_client) for i in range(len(values))]
            for future, value in zip(futures, values, strict=True):
                own_client.futures[future.key].finish(type(value))
        return futures

    monkeypatch.setattr(ClusterWorkers, "_scattered", dying)
    grid = {"C": np.logspace(-3, 1, 4)}
    original = GridSearchCV(SVC(), grid, cv=3).fit(X, Y)
    search = AutoScaleSearchCV(SVC(), grid, cv=3, engine="joblib")
    assert_same_search(search.fit(cut(X, 1500, 500), Y), original)
    assert not pids


class Noting(SVC):
    """Leaves a file behind for each fit, and takes its time."""

    def __init__(self, C=1.0, path=None):
        super().__init__(C=C)
        self.path = path

    def fit(self, X, y):
        tempfile.mkstemp(dir=self.path)
        time.sleep(0.05)
        return super().fit(X, y)


def close_after(client, path, n_fits):
    """Close a client once there are so many files."""
    while len(os.listdir(path)) < n_fits:
        time.sleep(0.01)
    client.close()


def test_a_client_that_closes_takes_the_rows_along(own_client, tmp_path):
    grid = {"C": np.logspace(-3, 1, 60)}
    closing = threading.Thread(target=close_after, args=(own_client, tmp_path, 30))
    closing.start()
    model = Noting(path=str(tmp_path))
    search = AutoScaleSearchCV(model, grid, cv=3, engine="joblib")
    with pytest.raises(NoEngineError, match="the rows of X were there and not on this"):
        search.fit(cut(X, 1500, 500), Y)
    closing.join()
    found = search.cv_results_["split0_test_score"]
    made = np.isfinite(found)
    assert 0 < made.sum() < len(found)
    original = GridSearchCV(SVC(), grid, cv=3).fit(X, Y)
    expected = original.cv_results_["split0_test_score"]
    np.testing.assert_array_equal(found[made], expected[made])
    assert not hasattr(search, "best_estimator_")
