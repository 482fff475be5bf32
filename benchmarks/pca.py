"""PCA and least squares on a persisted 2,000,000 x 20 array, against the others."""

import argparse

import dask.array as da
import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, Ridge

from benchmarks.pairing import print_table, timed_in_turn
from sklearn_dask_auto import AutoScaleLinearRegression, AutoScalePCA, AutoScaleRidge

ROWS_PER_BLOCK, COLUMNS = 20_000, 20


def correlated_array(n_blocks: int) -> da.Array:
    """Rows whose columns depend on each other, and lie far from zero."""
    rng = da.random.default_rng(0)
    shape, chunks = (n_blocks * ROWS_PER_BLOCK, COLUMNS), (ROWS_PER_BLOCK, COLUMNS)
    X = rng.normal(size=shape, chunks=chunks)
    mixing = np.random.default_rng(0).normal(size=(COLUMNS, COLUMNS))
    return (X @ mixing + 10).persist()


def dask_ml_pca(X: da.Array, solver: str) -> np.ndarray:
    from dask_ml.decomposition import PCA as DaskMLPCA

    fitted = DaskMLPCA(COLUMNS, svd_solver=solver).fit(X)
    return np.asarray(fitted.explained_variance_)


def dask_ml_regression(X: da.Array, y: da.Array) -> np.ndarray:
    from dask_ml.linear_model import LinearRegression as DaskMLLinearRegression

    return np.asarray(DaskMLLinearRegression(solver="newton").fit(X, y).coef_)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks pca")
    parser.add_argument("--blocks", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args(arguments)

    X = correlated_array(options.blocks)
    y = (X @ np.arange(COLUMNS) + X[:, 0] ** 2).persist()
    X_here, y_here = X.compute(), y.compute()
    rows = f"on {X.shape[0]:,} x {X.shape[1]} float64, persisted"

    calls = {
        "ours": lambda: AutoScalePCA().fit(X),
        "ours, full": lambda: AutoScalePCA(svd_solver="full").fit(X),
        "dask-ml, full": lambda: dask_ml_pca(X, "full"),
        "scikit-learn, gathered": lambda: PCA().fit(X.compute()),
        "scikit-learn, in memory": lambda: PCA().fit(X_here),
    }
    print_table(f"PCA {rows}", timed_in_turn(calls, options.repeats), "ours")
    reference = PCA(svd_solver="full").fit(X_here).explained_variance_
    found = AutoScalePCA().fit(X)
    print(f"  taken: {found.plan_.engine}", end="; ")
    error = np.abs(found.explained_variance_ / reference - 1).max()
    error_of_others = np.abs(PCA().fit(X_here).explained_variance_ / reference - 1)
    print(f"error of variances: {error:.1e}, scikit-learn {error_of_others.max():.1e}")

    calls = {
        "ours": lambda: AutoScaleLinearRegression().fit(X, y),
        "ours, Ridge": lambda: AutoScaleRidge().fit(X, y),
        "dask-ml, newton": lambda: dask_ml_regression(X, y),
        "scikit-learn, in memory": lambda: LinearRegression().fit(X_here, y_here),
        "scikit-learn, Ridge": lambda: Ridge().fit(X_here, y_here),
    }
    print_table(f"Regression {rows}", timed_in_turn(calls, options.repeats), "ours")
    fitted = AutoScaleLinearRegression().fit(X, y)
    expected = LinearRegression().fit(X_here, y_here).coef_
    error = np.abs(fitted.coef_ - expected).max() / np.abs(expected).max()
    print(f"  taken: {fitted.plan_.engine}; distance to scikit-learn: {error:.1e}")
