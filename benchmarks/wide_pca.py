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
    rows += 0.1 * rng.normal(size=shape) + 10
    return da.from_array(rows, chunks=(shape[0] // BLOCKS, -1)).persist()


def dask_ml_pca(X: da.Array, solver: str) -> np.ndarray:
    from dask_ml.decomposition import PCA as DaskMLPCA

    fitted = DaskMLPCA(COMPONENTS, svd_solver=solver, random_state=0).fit(X)
    return np.asarray(fitted.explained_variance_)


def compare(X: da.Array, solvers: list[str], repeats: int) -> None:
    solvers = [s for s in solvers if s == "randomized" or X.shape[1] <= 5_000]

    def ours(**params: object) -> AutoScalePCA:
        return AutoScalePCA(COMPONENTS, random_state=0, **params).fit(X)

    calls = {
        "ours": lambda: ours(),
        **{
            f"ours, {solver}": lambda solver=solver: ours(
                svd_solver=solver, engine="blockwise"
            )
            for solver in solvers
        },
        "dask-ml, randomized": lambda: dask_ml_pca(X, "randomized"),
        "scikit-learn, gathered": lambda: PCA(COMPONENTS, random_state=0).fit(
            X.compute()
        ),
    }
    rows = f"{X.shape[0]:,} x {X.shape[1]:,} float64, persisted"
    print_table(f"PCA({COMPONENTS}) {rows}", timed_in_turn(calls, repeats), "ours")
    found = ours()
    print(f"  taken: {found.plan_.engine}, {found._fit_svd_solver}", end="; ")
    exact = PCA(COMPONENTS, svd_solver="full").fit(X.compute()).explained_variance_
    theirs = PCA(COMPONENTS, random_state=0).fit(X.compute()).explained_variance_
    for name, variance in (("ours", found.explained_variance_), ("theirs", theirs)):
        print(f"error of {name}: {np.abs(variance / exact - 1).max():.1e}", end="; ")
    print()


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks wide_pca")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--solvers", nargs="*", default=["randomized"])
    options = parser.parse_args(arguments)
    for shape in SHAPES:
        compare(decaying_array(shape), options.solvers, options.repeats)
