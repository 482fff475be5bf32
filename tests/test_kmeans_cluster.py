"""AutoScaleKMeans on a real cluster of two worker processes."""

import asyncio
import pickle
import subprocess
import sys
import time
from uuid import uuid4

import dask.array as da
import numpy as np
import pytest
from distributed import Client, LocalCluster, wait
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_blobs

from sklearn_dask_auto import AutoScaleKMeans

X, _ = make_blobs(120_000, 5, centers=6, random_state=0)
EXPECTED = AutoScaleKMeans(6, random_state=0, engine="blockwise").fit(
    da.from_array(X, chunks=(40_000, 5))
)


@pytest.fixture
def persisted(client):
    def make(block):
        return X[block : block + 3000]

    blocks = client.map(make, range(0, len(X), 3000))
    arrays = [da.from_delayed(b, (3000, 5), np.float64) for b in map(_delayed, blocks)]
    array = da.concatenate(arrays).persist()
    wait(array)
    return array


def _delayed(future):
    import dask

    return dask.delayed(future)


def assert_expected(fitted):
    assert_allclose(fitted.cluster_centers_, EXPECTED.cluster_centers_, rtol=1e-9)
    assert_array_equal(fitted.labels_, EXPECTED.labels_)
    assert fitted.n_iter_ == EXPECTED.n_iter_


def test_blocks_on_workers_give_the_answer_of_threads(persisted):
    fitted = AutoScaleKMeans(6, random_state=0).fit(persisted)
    assert fitted.plan_.engine == "blockwise"
    assert fitted.plan_.resources.cluster.n_workers == 2
    assert_expected(fitted)
    assert_array_equal(fitted.predict(persisted).compute(), fitted.labels_)
    assert fitted.score(persisted) == pytest.approx(-fitted.inertia_)


def test_blocks_on_workers_are_folded_where_they_are(client, persisted):
    def received(dask_worker):
        return sum(s["total"] for s in dask_worker.transfer_incoming_log)

    before = sum(client.run(received).values())
    AutoScaleKMeans(6, random_state=0, max_iter=3).fit(persisted)
    after = sum(client.run(received).values())
    # Statistics travel, and the sample; not the blocks, in any of five passes.
    assert after - before < persisted.nbytes


def test_lazy_input_is_computed_once_and_released(client, tmp_path):
    def noted(block, folder):
        (folder / uuid4().hex).touch()
        return block

    lazy = da.random.default_rng(0).normal(size=(120_000, 5), chunks=(10_000, 5))
    lazy = lazy.map_blocks(noted, tmp_path, meta=np.empty((0, 5)), token="noted")
    fitted = AutoScaleKMeans(6, random_state=0, max_iter=4).fit(lazy)
    assert fitted.n_iter_ >= 2
    assert len(list(tmp_path.iterdir())) == 12
    # Releasing is a message to the scheduler, on its way when `fit` returns.
    deadline = time.monotonic() + 20
    while _held(client) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _held(client)


def _held(client):
    return [key for keys in client.has_what().values() for key in keys]


def test_a_fit_inside_a_task_uses_the_cluster_without_a_deadlock(client):
    def inside():
        rows = da.from_array(X, chunks=(10_000, 5))
        fitted = AutoScaleKMeans(6, random_state=0).fit(rows)
        return fitted.plan_.resources.is_in_worker, fitted.cluster_centers_

    is_in_worker, centers = client.submit(inside).result(timeout=120)
    assert is_in_worker
    assert_allclose(centers, EXPECTED.cluster_centers_, rtol=1e-9)


def test_a_pickle_needs_neither_the_cluster_nor_dask(persisted, tmp_path):
    fitted = AutoScaleKMeans(6, random_state=0).fit(persisted)
    (tmp_path / "model").write_bytes(pickle.dumps(fitted))
    np.save(tmp_path / "X.npy", X[:50])
    code = """
import pickle, sys
for name in ("dask", "distributed", "dask_ml"):
    sys.modules[name] = None
import numpy as np
model = pickle.loads(open("model", "rb").read())
print(model.predict(np.load("X.npy")).tolist(), model.plan_.engine)
"""
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == f"{fitted.labels_[:50].tolist()} blockwise"


def test_beside_a_client_that_cannot_be_used_threads_do_the_work():
    rows = da.from_array(X, chunks=(10_000, 5)) + 0

    async def beside_an_asynchronous_client():
        options = {"asynchronous": True, "processes": False, "dashboard_address": ":0"}
        async with Client(**options):
            return AutoScaleKMeans(6, random_state=0).fit(rows)

    with (
        LocalCluster(n_workers=0, dashboard_address=":0") as empty,
        Client(empty),
    ):
        without_workers = AutoScaleKMeans(6, random_state=0).fit(rows)
    for fitted in (without_workers, asyncio.run(beside_an_asynchronous_client())):
        assert fitted.plan_.engine == "blockwise"
        assert_expected(fitted)
