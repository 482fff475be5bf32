"""Hyperband against the search that trains every candidate to the end: passes, scores.

Both have the very same candidates, training rows and test rows; a candidate that gets
to the end sees every training row once. What is counted is calls of `partial_fit`, in
multiples of those that see every row. dask-ml's search is tried beside them.
"""

import argparse
import time
import warnings
from statistics import median

import dask.array as da
import joblib
import numpy as np
from distributed import Client, LocalCluster
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
    found = [compare(n_rows, n_columns, seed) for seed in range(options.seeds)]
    gaps, shares = zip(*found, strict=True)
    print(
        f"\nmedians of {options.seeds} seeds: {median(gaps):+.4f} from the full "
        f"search's score, {median(shares):.3f} of its passes"
    )
    print(f"dask-ml's HyperbandSearchCV: {dask_ml()}")


def compare(n_rows: int, n_columns: int, seed: int) -> tuple[float, float]:
    """Return how far the score is from the full search's, and the share of passes."""
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
    return best - search.best_score_, calls / CALLS / len(candidates)


def trained_to_the_end(candidates, X, y, split) -> float:
    """Return the best score of candidates that all see every row once."""
    train, test = split
    blocks = np.array_split(np.sort(train), CALLS)

    def score(params) -> float:
        model = clone(SGDClassifier(random_state=0)).set_params(**params)
        for rows in blocks:
            model.partial_fit(X[rows], y[rows], classes=[0, 1])
        return accuracy_score(y[test], model.predict(X[test]))

    jobs = (joblib.delayed(score)(params) for params in candidates)
    return max(joblib.Parallel(n_jobs=-1, backend="threading")(jobs))


def dask_ml() -> str:
    """Return the score of dask-ml's search on a few rows, or why there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from dask_ml.model_selection import HyperbandSearchCV

        X, y = make_classification(1000, 5, random_state=0)
        X, y = da.from_array(X, chunks=(100, 5)), da.from_array(y, chunks=100)
        search = HyperbandSearchCV(SGDClassifier(), {"alpha": [1e-4, 1e-2]}, max_iter=9)
        workers = {"n_workers": 1, "processes": False, "dashboard_address": None}
        with LocalCluster(**workers) as cluster, Client(cluster):
            try:
                search.fit(X, y, classes=[0, 1])
            except Exception as error:  # whatever it is, it is the answer
                return f"{type(error).__name__}: {error}"
    return f"{search.best_score_:.4f}"
