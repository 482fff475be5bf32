"""Predictions of fitted models on a stored 5,000,000 x 20 array, block by block.

``ideal`` is what scikit-learn takes on one thread, divided by the cores.
"""

import argparse
from typing import Any

import dask.array as da
import numpy as np
from joblib import cpu_count
from sklearn.ensemble import RandomForestClassifier
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


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks anyest")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rows", type=int, default=5_000_000)
    options = parser.parse_args(arguments)
    rows = np.random.default_rng(0).normal(size=(options.rows, COLUMNS))
    for estimator in MODELS:
        compare(estimator, rows, options.repeats)
