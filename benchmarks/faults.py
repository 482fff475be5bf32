"""Searches whose workers are killed at random moments: is any result lost?"""

import argparse
import contextlib
import faulthandler
import logging
import os
import random
import signal
import threading
import time

import dask.array as da
import joblib
import numpy as np
import psutil
from distributed import Client, LocalCluster
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import SGDClassifier
from sklearn.svm import SVC

from sklearn_dask_auto import AutoScaleSearchCV

X, Y = make_classification(n_samples=600, n_features=4, random_state=0)
GRID = {"C": np.logspace(-2, 1, 12), "kernel": ["rbf", "poly"]}
DRAWN = {"alpha": loguniform(1e-5, 1)}
HANGS_SECONDS = 120


class SlowSGD(SGDClassifier):
    """Takes its time, so that there are moments at which to be killed."""

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        time.sleep(0.002)
        return super().partial_fit(X, y, classes, sample_weight)


GRID_SEARCH = AutoScaleSearchCV(SVC(), GRID, cv=5, n_jobs=2)
STREAMED = AutoScaleSearchCV(
    SlowSGD(random_state=0),
    DRAWN,
    resource="partial_fit",
    max_resources=27,
    cv=3,
    random_state=0,
)
SEARCHES = {
    "sklearn": clone(GRID_SEARCH).set_params(engine="sklearn"),
    "joblib": clone(GRID_SEARCH).set_params(engine="joblib"),
    "halving": clone(STREAMED).set_params(strategy="halving", n_candidates=27),
    "hyperband": clone(STREAMED).set_params(strategy="hyperband", max_resources=9),
}
"""By name: fits in processes here and on a cluster, models trained on dask blocks."""
LATEST_SECONDS = {"sklearn": 0.9, "joblib": 0.9, "halving": 3.0, "hyperband": 3.0}
"""Into a search, a worker may be killed: about as long as one takes."""


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks faults")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--searches", nargs="*", choices=SEARCHES, default=SEARCHES)
    options = parser.parse_args(arguments)
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    print(f"{options.runs} runs of each search, one of two workers killed in each run")
    for name in options.searches:
        print(summary(name, options.runs, options.seed), flush=True)


def summary(name: str, runs: int, seed: int) -> str:
    """Run searches one after another; say how many were as if nothing had happened."""
    dice = random.Random(f"{name} {seed}")
    expected = undisturbed(name)
    n_equal = n_hit = 0
    seconds = []
    for _ in range(runs):
        # A search that hangs ends the program, with a trace of every thread.
        faulthandler.dump_traceback_later(HANGS_SECONDS, exit=True)
        with place(name) as workers:
            started = time.perf_counter()
            found, is_hit = disturbed(name, workers, dice)
            seconds.append(time.perf_counter() - started)
        n_equal += is_equal(found, expected)
        n_hit += is_hit
    faulthandler.cancel_dump_traceback_later()
    return (
        f"  {name}: {runs} runs, {n_hit} hit while the search ran, {n_equal} with the "
        f"results of an undisturbed search, longest {max(seconds):.1f} s"
    )


def undisturbed(name: str) -> dict[str, object]:
    """Return the results of a search that runs here, one fit after another."""
    plain = clone(SEARCHES[name]).set_params(engine="sklearn", n_jobs=1)
    return plain.fit(X, Y).cv_results_


@contextlib.contextmanager
def place(name: str):
    """Yield the processes of two workers, one of which the run will kill."""
    if name == "sklearn":
        yield local_workers()
        return
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        yield list(client.run(os.getpid).values())


def local_workers() -> list[int]:
    joblib.Parallel(n_jobs=2)(joblib.delayed(time.sleep)(0.05) for _ in range(4))
    children = psutil.Process().children(recursive=True)
    return [c.pid for c in children if "LokyProcess" in " ".join(c.cmdline())]


def disturbed(name: str, workers: list[int], dice: random.Random):
    """Kill a worker somewhere in a search; return its results, and if it was hit."""
    delay = dice.uniform(0.02, LATEST_SECONDS[name])
    victim = dice.choice(sorted(workers))
    n_hits = []

    def kill() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
            n_hits.append(victim)

    timer = threading.Timer(delay, kill)
    rows = da.from_array(X, (100, 4)) if name in ("halving", "hyperband") else X
    timer.start()
    search = clone(SEARCHES[name]).fit(rows, Y)
    timer.cancel()
    timer.join()
    return search.cv_results_, bool(n_hits)


def is_equal(found: dict[str, object], expected: dict[str, object]) -> bool:
    return list(found) == list(expected) and all(
        np.array_equal(np.ma.filled(found[name]), np.ma.filled(expected[name]))
        for name in expected
        if name.startswith(("split", "mean_test", "rank", "std_test"))
    )
