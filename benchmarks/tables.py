"""A table from Parquet: steps of a column transformer that share their passes.

The same steps once as scikit-learn's in one `AutoScaleColumnTransformer`, and once each
in one of its own, which reads the files for itself. Counted are the times that a file
is opened, and the columns that are read of it.
"""

import argparse
import tempfile
from collections import Counter
from unittest.mock import patch

import dask.dataframe as dd
import numpy as np
import pandas as pd
from dask.dataframe.io.parquet.core import ParquetFunctionWrapper
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)

from benchmarks.pairing import print_table, timed_in_turn
from sklearn_dask_auto import AutoScaleColumnTransformer

N_FILES = 16
STEPS = [
    (
        "filled",
        make_pipeline(SimpleImputer(), StandardScaler()),
        ["x0", "x1", "x2"],
    ),
    ("limits", MinMaxScaler(), ["x3", "x4"]),
    ("scaled", StandardScaler(), ["x5"]),
    ("spread", OneHotEncoder(sparse_output=False), ["w0"]),
    ("coded", OrdinalEncoder(), ["w1", "w2"]),
]


def write(folder, n_rows):
    """Write a table of six numbers, three words and a column that nobody asks for."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"x{i}": rng.normal(size=n_rows) for i in range(6)})
    frame.iloc[::7, 0] = np.nan
    for i in range(3):
        frame[f"w{i}"] = rng.choice(["a", "b", "c", "dd"], n_rows)
    frame["unused"] = rng.normal(size=n_rows)
    dd.from_pandas(frame, npartitions=N_FILES).to_parquet(folder)


def cleaned(frame):
    """Do what a user might, of which dask cannot tell which columns it needs."""
    return frame.assign(x5=np.log1p(frame["x5"].abs()))


SOURCES = {
    "files": dd.read_parquet,
    "a function of files": lambda f: dd.read_parquet(f).map_partitions(cleaned),
}


def fit(source, folder, groups):
    """Fit each group of steps, and return how often files and columns are read."""
    reads = Counter()
    read = ParquetFunctionWrapper.__call__

    def count(self, part):
        frame = read(self, part)
        reads["files"] += 1
        reads["columns"] += frame.shape[1]
        return frame

    with patch.object(ParquetFunctionWrapper, "__call__", count):
        for steps in groups:
            model = AutoScaleColumnTransformer(steps, engine="blockwise")
            model.fit(source(folder))
    return {name: number / N_FILES for name, number in reads.items()}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks tables")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args(arguments)

    ways = {"all steps in one": [STEPS], "each step by itself": [[s] for s in STEPS]}
    with tempfile.TemporaryDirectory() as folder:
        write(folder, options.rows)
        for name, source in SOURCES.items():
            calls = {
                way: lambda source=source, groups=groups: fit(source, folder, groups)
                for way, groups in ways.items()
            }
            seconds = timed_in_turn(calls, options.repeats)
            title = f"{options.rows:,} rows from {name}"
            print_table(title, seconds, "all steps in one")
            for way, call in calls.items():
                print(f"  {way}: of each file, what is read: {call()}")
