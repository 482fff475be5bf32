"""What routing adds to a fit in memory, and what importing the package adds."""

import argparse
import statistics
import subprocess
import sys

import numpy as np
from sklearn.cluster import KMeans

from benchmarks.pairing import timed_in_turn
from sklearn_dask_auto import AutoScaleKMeans

FITS = 50


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks overhead")
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args(arguments)

    X = np.random.default_rng(0).normal(size=(100, 4))

    def many(estimator):
        return lambda: [estimator.fit(X) for _ in range(FITS)]

    seconds = timed_in_turn(
        {
            "ours": many(AutoScaleKMeans(3, random_state=0)),
            "scikit-learn": many(KMeans(3, random_state=0)),
        },
        options.repeats,
    )
    added = statistics.median(
        (a - b) / FITS
        for a, b in zip(seconds["ours"], seconds["scikit-learn"], strict=True)
    )
    print(f"\nrouting adds {added * 1e3:.3f} ms to a fit in memory")

    def imports(*modules):
        code = "import time; s = time.perf_counter(); import " + ", ".join(modules)
        code += "; print(time.perf_counter() - s)"
        run = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        return float(run.stdout)

    pairs = [
        (imports("sklearn", "sklearn_dask_auto"), imports("sklearn"))
        for _ in range(options.repeats)
    ]
    added = statistics.median(ours - plain for ours, plain in pairs)
    print(f"importing the package adds {added * 1e3:.1f} ms to `import sklearn`")
