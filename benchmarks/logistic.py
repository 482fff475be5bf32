"""Logistic regression on a persisted 2,000,000 x 20 array: time and objective."""

import argparse

import dask.array as da
import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmarks.pairing import print_table, timed_in_turn
from sklearn_dask_auto import AutoScaleLogisticRegression

ROWS, COLUMNS = 2_000_000, 20


def labelled_rows() -> tuple[da.Array, da.Array]:
    """Rows whose labels follow a linear model, with noise."""
    X = da.random.default_rng(0).normal(size=(ROWS, COLUMNS), chunks=(50_000, -1))
    noise = da.random.default_rng(1).logistic(size=ROWS, chunks=50_000)
    y = (X @ np.linspace(-1, 1, COLUMNS) + noise > 0).astype(int)
    return X.persist(), y.persist()


def objective(coefficients, intercept, X, y) -> float:
    """Return scikit-learn's objective for C=1, whoever found the coefficients."""
    margins = (2 * y - 1) * (X @ np.ravel(coefficients) + float(np.ravel(intercept)[0]))
    return float(np.logaddexp(0, -margins).sum() + (coefficients**2).sum() / 2)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks logistic")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args(arguments)
    from dask_ml.linear_model import LogisticRegression as DaskMLLogisticRegression

    X, y = labelled_rows()
    rows, labels = X.compute(), y.compute()
    found = {}

    def ours():
        model = AutoScaleLogisticRegression(engine="blockwise").fit(X, y)
        found["ours"] = model.coef_, model.intercept_

    def dask_ml():
        model = DaskMLLogisticRegression(solver="lbfgs").fit(X, y)
        found["dask-ml lbfgs"] = model.coef_, model.intercept_

    def scikit_learn():
        model = LogisticRegression().fit(rows, labels)
        found["scikit-learn"] = model.coef_, model.intercept_

    calls = {"ours": ours, "dask-ml lbfgs": dask_ml, "scikit-learn": scikit_learn}
    seconds = timed_in_turn(calls, options.repeats)
    print_table(f"LogisticRegression on {ROWS:,} x {COLUMNS}", seconds, "ours")
    print("  objective (lower is better):")
    for name, (coefficients, intercept) in found.items():
        value = objective(np.asarray(coefficients), intercept, rows, labels)
        print(f"    {name:<14}{value:.10g}")
