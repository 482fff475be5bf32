"""The scalers on a persisted 2,000,000 x 20 array: fit, and fit with transform."""

import argparse

import dask.array as da
import numpy as np
from sklearn import preprocessing

import sklearn_dask_auto
from benchmarks.pairing import print_table, timed_in_turn

ROWS_PER_BLOCK, COLUMNS = 20_000, 20
NAMES = (
    "StandardScaler",
    "MinMaxScaler",
    "MaxAbsScaler",
    "RobustScaler",
    "QuantileTransformer",
)


def calls_of(name: str, X: da.Array, whole: np.ndarray) -> dict:
    """Return one call for each library that has the scaler."""
    from dask_ml import preprocessing as dask_ml

    ours = getattr(sklearn_dask_auto, f"AutoScale{name}")
    calls = {
        "ours": lambda: ours().fit(X),
        "scikit-learn, in memory": lambda: getattr(preprocessing, name)().fit(whole),
        "gather, then scikit-learn": lambda: ours(engine="sklearn").fit(X),
    }
    if hasattr(dask_ml, name):
        calls["dask-ml"] = lambda: getattr(dask_ml, name)().fit(X)
    return calls


def transforms_of(name: str, X: da.Array, whole: np.ndarray) -> dict:
    """Return one call for each library, of all blocks transformed and summed."""
    from dask_ml import preprocessing as dask_ml

    models = {
        "ours": getattr(sklearn_dask_auto, f"AutoScale{name}")().fit(X),
        "scikit-learn, in memory": getattr(preprocessing, name)().fit(whole),
    }
    if hasattr(dask_ml, name):
        models["dask-ml"] = getattr(dask_ml, name)().fit(X)
    calls = {
        label: lambda model=model: model.transform(X).sum(axis=0).compute()
        for label, model in models.items()
        if "scikit" not in label
    }
    plain = models["scikit-learn, in memory"]
    return {
        **calls,
        "scikit-learn, in memory": lambda: plain.transform(whole).sum(axis=0),
    }


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks scalers")
    parser.add_argument("--blocks", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--names", nargs="+", choices=NAMES, default=NAMES)
    options = parser.parse_args(arguments)

    shape = (options.blocks * ROWS_PER_BLOCK, COLUMNS)
    X = da.random.default_rng(0).normal(3, size=shape, chunks=(ROWS_PER_BLOCK, -1))
    X = X.persist()
    whole = X.compute()
    for name in options.names:
        title = f"{name} on {shape[0]:,} x {shape[1]} float64, persisted"
        seconds = timed_in_turn(calls_of(name, X, whole), options.repeats)
        print_table(f"{title}: fit", seconds, "ours")
        seconds = timed_in_turn(transforms_of(name, X, whole), options.repeats)
        print_table(f"{title}: transform, and the sums of it", seconds, "ours")
