"""Ten components of wide rows on a persisted dask array, against the others."""

import argparse

import dask.array as da
import numpy as np
from sklearn.decomposition import PCA

from benchmarks.pairing import print_table, timed_in_turn
from sklearn_dask_auto import AutoScalePCA

COMPONENTS = 10
SHAPES = ((20_000, 2_000), (2_000, 20_000))
BLOCKS = 10


def decaying_array(shape: tuple[int, int]) -> da.Array:
    """Rows of some strong directions in noise, far from zero, cut along the rows."""
    rng = np.random.default_rng(0)
    n_strong = 50
    scores = rng.normal(size=(shape[0], n_strong)) * 0.9 ** np.arange(n_strong)
    rows = scores @ rng.normal(size=(n_strong, shape[1]))
    rows += rng.normal(size=shape) + 10
    return da.from_array(rows, chunks=(shape[0] // BLOCKS, -1)).persist()


def dask_ml_pca(X: da.Array, iterated_power: int) -> np.ndarray:
    from dask_ml.decomposition import PCA as DaskMLPCA

    params = {"svd_solver": "randomized", "iterated_power": iterated_power}
    fitted = DaskMLPCA(COMPONENTS, **params, random_state=0).fit(X)
    return np.asarray(fitted.explained_variance_)


def sklearn_pca(X: da.Array, solver: str = "auto") -> np.ndarray:
    fitted = PCA(COMPONENTS, svd_solver=solver, random_state=0).fit(X.compute())
    return fitted.explained_variance_


def compare(X: da.Array, repeats: int) -> None:
    def ours() -> AutoScalePCA:
        return AutoScalePCA(COMPONENTS, random_state=0).fit(X)

    calls = {
        "ours": ours,
        "dask-ml, its iterations": lambda: dask_ml_pca(X, iterated_power=0),
        "dask-ml, as many": lambda: dask_ml_pca(X, iterated_power=7),
        "scikit-learn, gathered": lambda: sklearn_pca(X),
    }
    rows = f"{X.shape[0]:,} x {X.shape[1]:,} float64, persisted"
    print_table(f"PCA({COMPONENTS}) {rows}", timed_in_turn(calls, repeats), "ours")
    found, exact = ours(), sklearn_pca(X, "full")
    print(f"  taken: {found.plan_.engine}, {found._fit_svd_solver}", end="; ")
    variances = (
        found.explained_variance_,
        dask_ml_pca(X, 0),
        dask_ml_pca(X, 7),
        sklearn_pca(X),
    )
    errors = [f"{np.abs(v / exact - 1).max():.1e}" for v in variances]
    print("errors of variances, in the order above:", ", ".join(errors))


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks wide_pca")
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args(arguments)
    for shape in SHAPES:
        compare(decaying_array(shape), options.repeats)
