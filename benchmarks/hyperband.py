"""Hyperband against the search that trains every candidate to the end: passes, scores.

Both have the very same candidates, training rows and test rows; a candidate that gets
to the end sees every training row once. What is counted is blocks given to
`partial_fit`, in multiples of the blocks there are.
"""

import argparse
import time

import dask.array as da
import numpy as np
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedShuffleSplit

from sklearn_dask_auto import AutoScaleSearchCV

SIZES = {"small": (100_000, 20), "full": (1_000_000, 50)}
CALLS = 81
PARAMS = {
    "alpha": loguniform(1e-7, 1e1),
    "loss": ["hinge", "log_loss", "modified_huber"],
    "l1_ratio": [0.0, 0.15, 0.5, 1.0],
    "penalty": ["elasticnet"],
}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks hyperband")
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args(arguments)
    n_rows, n_columns = SIZES[options.size]
    for seed in range(options.seeds):
        compare(n_rows, n_columns, seed)


def compare(n_rows: int, n_columns: int, seed: int) -> None:
    X, y = make_classification(
        n_rows, n_columns, n_informative=n_columns // 3, flip_y=0.1, random_state=seed
    )
    X = X.astype(np.float32)
    cv = StratifiedShuffleSplit(1, test_size=0.2, random_state=seed)
    search = AutoScaleSearchCV(
        SGDClassifier(random_state=0),
        PARAMS,
        strategy="hyperband",
        max_resources=CALLS,
        cv=cv,
        refit=False,
        random_state=seed,
    )
    started = time.perf_counter()
    search.fit(da.from_array(X, chunks=(-(-n_rows // CALLS), -1)), y)
    ours = time.perf_counter() - started
    rows = search.cv_results_["iter"] == 0
    candidates = np.asarray(search.cv_results_["params"], dtype=object)[rows]
    started = time.perf_counter()
    best = trained_to_the_end(candidates, X, y, next(cv.split(X, y)))
    full = time.perf_counter() - started
    calls = search.n_partial_fit_calls_
    print(f"\n{n_rows:,} x {n_columns}, seed {seed}, {len(candidates)} candidates")
    print(f"  {'':<12}{'passes':>10}{'score':>10}{'seconds':>10}")
    found = calls / CALLS, search.best_score_, ours
    for name, (passes, score, seconds) in {
        "hyperband": found,
        "full": (len(candidates), best, full),
    }.items():
        print(f"  {name:<12}{passes:>10.2f}{score:>10.4f}{seconds:>10.1f}")
    print(f"  passes {calls / CALLS / len(candidates):.3f} of the full search's")


def trained_to_the_end(candidates, X, y, split) -> float:
    """Return the best score of candidates that all see every block once."""
    train, test = split
    blocks = np.array_split(np.sort(train), CALLS)
    best = 0.0
    for params in candidates:
        model = clone(SGDClassifier(random_state=0)).set_params(**params)
        for rows in blocks:
            model.partial_fit(X[rows], y[rows], classes=[0, 1])
        best = max(best, accuracy_score(y[test], model.predict(X[test])))
    return best
