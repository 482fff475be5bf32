"""Predictions of fitted models on a stored 5,000,000 x 20 array, block by block."""

import argparse

import dask.array as da
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from benchmarks.pairing import print_table, timed_in_turn
from sklearn_dask_auto import AutoScaleEstimator

COLUMNS, BLOCK = 20, 100_000
MODELS = {
    "logistic regression": LogisticRegression(),
    "forest of 10 trees": RandomForestClassifier(10, max_depth=8, random_state=0),
}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks anyest")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rows", type=int, default=5_000_000)
    options = parser.parse_args(arguments)
    from dask_ml.wrappers import ParallelPostFit

    rows = np.random.default_rng(0).normal(size=(options.rows, COLUMNS))
    X = da.from_array(rows, chunks=(BLOCK, COLUMNS)).persist()
    sample = rows[:20_000], (rows[:20_000].sum(axis=1) > 0).astype(int)
    for name, estimator in MODELS.items():
        model = AutoScaleEstimator(estimator).fit(*sample)
        other = ParallelPostFit(model.to_sklearn())
        calls = {
            "ours": lambda model=model: model.predict(X).compute(),
            "dask-ml ParallelPostFit": lambda other=other: other.predict(X).compute(),
            "scikit-learn": lambda model=model: model.estimator_.predict(rows),
        }
        seconds = timed_in_turn(calls, options.repeats)
        print_table(f"predict, {name}, {options.rows:,} x {COLUMNS}", seconds, "ours")
