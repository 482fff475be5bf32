"""Measure the rates that `routing/cost.py` prices engines with."""

import argparse
import statistics
import time

import dask
import dask.array as da
import joblib
import numpy as np
from distributed import Client, LocalCluster
from joblib.externals.loky import get_reusable_executor
from threadpoolctl import threadpool_limits

from sklearn_dask_auto.kernels.lloyd import step


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


def worker_rates() -> dict[str, float]:
    calls = [joblib.delayed(np.sum)(np.zeros(1000)) for _ in range(50)]

    def run(n_calls: int) -> None:
        joblib.Parallel(n_jobs=2, batch_size=1)(calls[:n_calls])

    get_reusable_executor().shutdown(wait=True)
    started = time.perf_counter()
    joblib.Parallel(n_jobs=2)([joblib.delayed(_import_scikit_learn)()] * 2)
    start = time.perf_counter() - started
    few, many = median_seconds(lambda: run(2)), median_seconds(lambda: run(50))
    return {
        "WORKER_START_SECONDS": start,
        "WORKER_FIT_SECONDS": 2 * (many - few) / 48,
        "WORKER_CALL_SECONDS": few,
    }


def _import_scikit_learn() -> None:
    import sklearn.svm  # noqa: F401  what a worker's first fit waits for


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
            "WIRE_BYTES_PER_SECOND": block.nbytes / median_seconds(future.result, 3),
        }


def tasks(client: Client) -> None:
    client.gather(client.map(abs, range(1000), pure=False))


def main(arguments: list[str]) -> None:
    argparse.ArgumentParser(prog="python -m benchmarks rates").parse_args(arguments)
    print("\nrates of this machine")
    for rates in (local_rates(), worker_rates(), cluster_rates()):
        for name, value in rates.items():
            print(f"  {name:<24}{value:>10.2g}")
