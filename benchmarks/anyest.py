"""Predictions of fitted models on a stored 5,000,000 x 20 array, block by block.

``ideal`` is what scikit-learn takes on one thread, divided by the cores. Then a forest
of some 300 MB predicts on a cluster: the bytes that pass through the loopback device,
on a machine without other traffic, say how often it is sent.
"""

import argparse
import pickle
from typing import Any

import dask.array as da
import numpy as np
import psutil
from distributed import Client
from joblib import cpu_count
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from benchmarks.pairing import print_table, timed_in_turn
from sklearn_dask_auto import AutoScaleEstimator

COLUMNS, BLOCK = 20, 100_000
MODELS = [
    LogisticRegression(),
    RandomForestClassifier(10, max_depth=8, random_state=0),
]


def on_one_thread(predict: Any, rows: np.ndarray) -> Any:
    with threadpool_limits(1):
        return predict(rows)


def compare(estimator: Any, rows: np.ndarray, repeats: int) -> None:
    """Time the predictions of a model that was fitted to some of the rows."""
    from dask_ml.wrappers import ParallelPostFit

    X = da.from_array(rows, chunks=(BLOCK, COLUMNS)).persist()
    sample = rows[:20_000], (rows[:20_000].sum(axis=1) > 0).astype(int)
    model = AutoScaleEstimator(estimator).fit(*sample)
    plain = model.to_sklearn()
    other = ParallelPostFit(plain)
    seconds = timed_in_turn(
        {
            "ours": lambda: model.predict(X).compute(),
            "ours, left in blocks": lambda: model.predict(X).persist(),
            "dask-ml ParallelPostFit": lambda: other.predict(X).compute(),
            "scikit-learn": lambda: plain.predict(rows),
            "scikit-learn, one thread": lambda: on_one_thread(plain.predict, rows),
        },
        repeats,
    )
    seconds["ideal"] = [s / cpu_count() for s in seconds["scikit-learn, one thread"]]
    print_table(f"predict, {estimator}, {len(rows):,} x {COLUMNS}", seconds, "ours")


def loopback_bytes() -> int:
    return int(psutil.net_io_counters(pernic=True)["lo"].bytes_sent)


def count_bytes(n_workers: int, n_trees: int) -> None:
    """Print how often a large forest is sent, for 200 blocks on some workers."""
    rng = np.random.default_rng(0)
    forest = ExtraTreesClassifier(n_trees, max_features=1, random_state=0)
    # Labels that mean nothing make the largest trees.
    sample = rng.normal(size=(20_000, COLUMNS)), rng.integers(2, size=20_000)
    model = AutoScaleEstimator(forest).fit(*sample)
    n_bytes = len(pickle.dumps(model.estimator_, protocol=5))
    X = da.random.random((20_000, COLUMNS), chunks=(100, COLUMNS))
    with Client(n_workers=n_workers, threads_per_worker=1, dashboard_address=":0"):
        X.sum().compute()
        before = loopback_bytes()
        model.predict(X).compute()
        sent = loopback_bytes() - before
    print(
        f"\n{forest}, {n_bytes / 1e6:.0f} MB, {n_workers} workers, {X.npartitions} "
        f"blocks: sent {sent / n_bytes:.2f} times (scheduler and workers: 1 each)"
    )


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks anyest")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--trees", type=int, default=120)
    options = parser.parse_args(arguments)
    rows = np.random.default_rng(0).normal(size=(options.rows, COLUMNS))
    for estimator in MODELS:
        compare(estimator, rows, options.repeats)
    count_bytes(options.workers, options.trees)
