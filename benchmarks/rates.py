"""Measure the rates that `routing/cost.py` prices engines with."""

import argparse
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import dask
import dask.array as da
import joblib
import numpy as np
from distributed import Client, LocalCluster
from joblib.externals.loky import get_reusable_executor
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs, make_classification
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from sklearn_dask_auto import AutoScaleSearchCV
from sklearn_dask_auto.kernels.lloyd import step

IMPORTS = (
    "[__import__(name) and name for name in "
    "('sklearn_dask_auto.engines.calls', 'sklearn.svm', 'sklearn.model_selection')]"
)
"""What the first fits on a worker wait for. A function of this module would bring along
all that it imports."""


def median_seconds(call, repeats: int = 7) -> float:
    call()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def arithmetic() -> float:
    """Operations a second of a KMeans step on one core, as `AutoScaleKMeans` counts."""
    X = np.random.default_rng(0).normal(size=(200_000, 20))
    mean, centers = X.mean(axis=0), X[:8]
    with threadpool_limits(1):
        seconds = median_seconds(lambda: step(X, None, 0, mean, centers))
    return X.size * (2 * len(centers) + 8) / seconds


def local_rates() -> dict[str, float]:
    X = da.random.default_rng(0).normal(size=(2_000_000, 20), chunks=(20_000, 20))
    X = X.persist()
    tasks = dask.delayed(sum)([dask.delayed(int)() for _ in range(1000)])
    return {
        "OPERATIONS_PER_SECOND": arithmetic(),
        "COPY_BYTES_PER_SECOND": X.nbytes / median_seconds(X.compute),
        "LOCAL_TASK_SECONDS": median_seconds(tasks.compute) / 1000,
    }


def passes() -> float:
    """Count the passes of scikit-learn's KMeans, over clusters and over noise."""
    noise = np.random.default_rng(0).normal(size=(20_000, 10))
    blobs = [make_blobs(20_000, 10, centers=8, random_state=seed)[0] for seed in (0, 1)]
    fits = [
        KMeans(n_clusters, random_state=seed).fit(X)
        for X in (noise, *blobs)
        for n_clusters in (4, 8, 16)
        for seed in range(3)
    ]
    # Drawing each seed is a pass as well.
    return statistics.median(fit.n_iter_ + fit.n_clusters for fit in fits)


def thread_rates() -> dict[str, float]:
    """Time fits that do little but hold the interpreter's lock."""
    X, y = make_classification(30, 4, random_state=0)
    search = AutoScaleSearchCV(SVC(), {"C": [1.0] * 50}, cv=2, n_jobs=1, refit=False)
    return {"THREAD_FIT_SECONDS": median_seconds(lambda: search.fit(X, y)) / 100}


def worker_rates() -> dict[str, float]:
    calls = [joblib.delayed(np.sum)(np.zeros(1000)) for _ in range(50)]

    def run(n_calls: int) -> None:
        joblib.Parallel(n_jobs=2, batch_size=1)(calls[:n_calls])

    get_reusable_executor().shutdown(wait=True)
    start = seconds_beside_fits(
        lambda: joblib.Parallel(n_jobs=2)([joblib.delayed(eval)(IMPORTS)] * 2)
    )
    few, many = median_seconds(lambda: run(2)), median_seconds(lambda: run(50))
    return {
        "WORKER_START_SECONDS": start,
        "WORKER_FIT_SECONDS": 2 * (many - few) / 48,
        "WORKER_CALL_SECONDS": few,
    }


def seconds_beside_fits(call) -> float:
    """Time what goes on while fits run here, as they do while workers start."""
    X, y = make_classification(1000, 4, random_state=0)
    with ThreadPoolExecutor(1) as thread:
        started = time.perf_counter()
        starting = thread.submit(call)
        took: list[float] = []
        starting.add_done_callback(lambda _: took.append(time.perf_counter() - started))
        while not starting.done():
            GridSearchCV(SVC(), {"C": [1.0]}, cv=5).fit(X, y)
        starting.result()
    return took[0]


def import_seconds() -> float:
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
    with cluster, Client(cluster) as client:
        client.wait_for_workers(2)
        return seconds_beside_fits(lambda: client.run(eval, IMPORTS))


def cluster_rates() -> dict[str, float]:
    block = np.random.default_rng(0).normal(size=(2_000_000, 10))
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
    with cluster, Client(cluster) as client:
        calls = [joblib.delayed(np.sum)(np.zeros(10)) for _ in range(50)]

        def run(n_calls: int) -> None:
            with joblib.parallel_config("dask"):
                joblib.Parallel(batch_size=1)(calls[:n_calls])

        few, many = median_seconds(lambda: run(2)), median_seconds(lambda: run(50))
        future = client.submit(np.copy, block)
        future.result()
        return {
            "CLUSTER_TASK_SECONDS": median_seconds(lambda: tasks(client)) / 1000,
            "CLUSTER_FIT_SECONDS": 2 * (many - few) / 48,
            "CLUSTER_CALL_SECONDS": few,
            "CLUSTER_IMPORT_SECONDS": statistics.median(
                import_seconds() for _ in range(3)
            ),
            "WIRE_BYTES_PER_SECOND": block.nbytes / median_seconds(future.result, 3),
        }


def tasks(client: Client) -> None:
    client.gather(client.map(abs, range(1000), pure=False))


def main(arguments: list[str]) -> None:
    argparse.ArgumentParser(prog="python -m benchmarks rates").parse_args(arguments)
    print("\nrates of this machine")
    print(f"  {'passes of KMeans':<24}{passes():>10.2g}")
    for rates in (local_rates(), thread_rates(), worker_rates(), cluster_rates()):
        for name, value in rates.items():
            print(f"  {name:<24}{value:>10.2g}")
