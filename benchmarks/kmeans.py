"""KMeans on a persisted 10,000,000 x 20 array: time, inertia and memory added."""

import argparse
import gc
import statistics
import threading

import dask
import dask.array as da
import numpy as np
import psutil
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs

from benchmarks.pairing import print_table, timed_in_turn
from sklearn_dask_auto import AutoScaleKMeans

ROWS_PER_BLOCK, COLUMNS, CLUSTERS = 20_000, 20, 8


def tutorial_array(n_blocks: int) -> da.Array:
    """Blobs around 12 centers, one delayed `make_blobs` a block, persisted."""
    small, groups = make_blobs(1000, COLUMNS, centers=12, random_state=0)
    centers = np.array([small[groups == i].mean(axis=0) for i in range(12)])
    make = dask.delayed(make_blobs)
    blocks = [
        da.from_delayed(
            make(ROWS_PER_BLOCK, COLUMNS, centers=centers, random_state=i)[0],
            shape=(ROWS_PER_BLOCK, COLUMNS),
            dtype=np.float64,
        )
        for i in range(n_blocks)
    ]
    return da.concatenate(blocks).persist()


def peak_added(call) -> float:
    """Return the bytes by which resident memory rose, at most, during a call."""
    process, peak, is_done = psutil.Process(), [0], threading.Event()

    def watch() -> None:
        while not is_done.wait(0.002):
            peak[0] = max(peak[0], process.memory_info().rss)

    gc.collect()
    before = process.memory_info().rss
    watcher = threading.Thread(target=watch)
    watcher.start()
    call()
    is_done.set()
    watcher.join()
    return max(0.0, peak[0] - before)


def judge(centers: np.ndarray) -> AutoScaleKMeans:
    """Return a model with these centers."""
    return AutoScaleKMeans(CLUSTERS, init=centers, n_init=1, max_iter=1).fit(centers)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks kmeans")
    parser.add_argument("--blocks", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(arguments)

    X = tutorial_array(options.blocks)
    AutoScaleKMeans(CLUSTERS, engine="blockwise").fit(X.blocks[:2])
    AutoScaleKMeans(CLUSTERS, random_state=99).fit(X)
    added = peak_added(lambda: AutoScaleKMeans(CLUSTERS, random_state=0).fit(X))
    print(f"memory added: {added / 1e6:.0f} MB, {added / X.nbytes:.1%} of the data")

    from dask_ml.cluster import KMeans as DaskMLKMeans

    whole = X.compute()
    found: dict[str, list[np.ndarray]] = {"ours": [], "dask-ml": [], "scikit-learn": []}
    seeds = {name: iter(range(100)) for name in found}

    def ours() -> None:
        fitted = AutoScaleKMeans(CLUSTERS, random_state=next(seeds["ours"])).fit(X)
        found["ours"].append(fitted.cluster_centers_)

    def dask_ml() -> None:
        fitted = DaskMLKMeans(
            CLUSTERS,
            init_max_iter=3,
            oversampling_factor=10,
            random_state=next(seeds["dask-ml"]),
        ).fit(X)
        fitted.labels_.compute()
        found["dask-ml"].append(fitted.cluster_centers_)

    def scikit_learn() -> None:
        fitted = KMeans(CLUSTERS, random_state=next(seeds["scikit-learn"])).fit(whole)
        found["scikit-learn"].append(fitted.cluster_centers_)

    calls = {"ours": ours, "dask-ml": dask_ml, "scikit-learn": scikit_learn}
    seconds = timed_in_turn(calls, options.repeats)
    title = f"KMeans k={CLUSTERS} on {X.shape[0]:,} x {X.shape[1]} float64, persisted"
    print_table(title, seconds, "ours")
    print("  inertia (lower is better):")
    for name, centers in found.items():
        # dask-ml's own `inertia_` sums plain distances, so all are judged alike.
        values = [-judge(c).score(X) for c in centers]
        print(f"    {name:<14}{' '.join(f'{v:.5g}' for v in values)}", end="")
        print(f"   median {statistics.median(values):.5g}")
