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

import joblib
import numpy as np
import psutil
from distributed import Client, LocalCluster
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

from sklearn_dask_auto import AutoScaleSearchCV

X, Y = make_classification(n_samples=600, n_features=4, random_state=0)
GRID = {"C": np.logspace(-2, 1, 12), "kernel": ["rbf", "poly"]}
HANGS_SECONDS = 120


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks faults")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    expected = GridSearchCV(SVC(), GRID, cv=5).fit(X, Y).cv_results_
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    print(f"{options.runs} searches of 120 fits, one of two workers killed in each")
    for engine in ("sklearn", "joblib"):
        print(summary(engine, options.runs // 2, options.seed, expected))


def summary(engine: str, runs: int, seed: int, expected: dict[str, object]) -> str:
    """Run searches one after another; say how many were as if nothing had happened."""
    dice = random.Random(seed)
    n_equal = n_hit = 0
    seconds = []
    for _ in range(runs):
        # A search that hangs ends the program, with a trace of every thread.
        faulthandler.dump_traceback_later(HANGS_SECONDS, exit=True)
        with place(engine) as workers:
            started = time.perf_counter()
            found, is_hit = disturbed(engine, workers, dice)
            seconds.append(time.perf_counter() - started)
        n_equal += is_equal(found, expected)
        n_hit += is_hit
    faulthandler.cancel_dump_traceback_later()
    return (
        f"  engine={engine!r}: {runs} runs, {n_hit} hit while fits ran, {n_equal} with "
        f"the results of an undisturbed search, longest {max(seconds):.1f} s"
    )


@contextlib.contextmanager
def place(engine: str):
    """Yield the processes of two workers, one of which the run will kill."""
    if engine == "sklearn":
        yield local_workers()
        return
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        yield list(client.run(os.getpid).values())


def local_workers() -> list[int]:
    joblib.Parallel(n_jobs=2)(joblib.delayed(time.sleep)(0.05) for _ in range(4))
    children = psutil.Process().children(recursive=True)
    return [c.pid for c in children if "LokyProcess" in " ".join(c.cmdline())]


def disturbed(engine: str, workers: list[int], dice: random.Random):
    """Kill a worker somewhere in a search; return its results, and if it was hit."""
    delay, victim = dice.uniform(0.02, 0.9), dice.choice(sorted(workers))
    n_hits = []

    def kill() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
            n_hits.append(victim)

    timer = threading.Timer(delay, kill)
    timer.start()
    search = AutoScaleSearchCV(SVC(), GRID, cv=5, n_jobs=2, engine=engine).fit(X, Y)
    timer.cancel()
    timer.join()
    return search.cv_results_, bool(n_hits)


def is_equal(found: dict[str, object], expected: dict[str, object]) -> bool:
    return list(found) == list(expected) and all(
        np.array_equal(np.ma.filled(found[name]), np.ma.filled(expected[name]))
        for name in expected
        if name.startswith(("split", "mean_test", "rank", "std_test"))
    )
