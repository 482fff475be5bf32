"""Fits of an array on disk that is larger than memory: the resident memory they take.

``python -m benchmarks memory`` writes 12 GB to a temporary folder, which it removes,
fits each estimator on it in a process of its own, and fails if one of them takes
2 GB. ``--size 400MB`` is a slice of that.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
import psutil
from dask.utils import format_bytes, parse_bytes
from sklearn.linear_model import SGDClassifier

COLUMNS, CENTERS = 20, 12
BLOCK_BYTES = 32_000_000
FITS = {
    "StandardScaler": {},
    "PCA": {},
    "IncrementalPCA": {"n_components": 10, "batch_size": 10_000},
    "TruncatedSVD": {"n_components": 10},
    "LogisticRegression": {},
    "KMeans": {"n_clusters": 8, "random_state": 0},
    "MiniBatchKMeans": {"n_clusters": 8, "random_state": 0},
    "SGDClassifier": {"max_epochs": 3, "random_state": 0},
}
"""Estimators, and their parameters; the last is streamed through `partial_fit`."""
WITH_TARGET = {"LogisticRegression", "SGDClassifier"}


def make_block(n_rows: int, block_id: tuple[int, ...]) -> np.ndarray:
    """Return rows around centers that are the same for every block."""
    centers = np.random.default_rng(0).normal(scale=3, size=(CENTERS, COLUMNS))
    rng = np.random.default_rng([1, block_id[0]])
    return centers[rng.integers(CENTERS, size=n_rows)] + rng.normal(
        size=(n_rows, COLUMNS)
    )


def write(folder: Path, n_bytes: int, store: str) -> None:
    """Write rows block by block; no more than one a thread is in memory."""
    n_rows = min(n_bytes, BLOCK_BYTES) // (8 * COLUMNS)
    n_blocks = max(1, round(n_bytes / (8 * COLUMNS * n_rows)))
    X = da.map_blocks(
        lambda block_id: make_block(n_rows, block_id),
        chunks=((n_rows,) * n_blocks, (COLUMNS,)),
        dtype=np.float64,
    )
    if store == "zarr":
        X.to_zarr(str(folder / "rows.zarr"))
    else:
        da.to_npy_stack(str(folder / "rows"), X)


def read(folder: Path) -> da.Array:
    """Return the rows on disk as a lazy array."""
    if (folder / "rows.zarr").exists():
        return da.from_zarr(str(folder / "rows.zarr"))
    return da.from_npy_stack(str(folder / "rows"))


def peak_during(call: Callable[[], object]) -> int:
    """Return the most resident memory of this process during a call."""
    process, is_done = psutil.Process(), threading.Event()
    peak = [process.memory_info().rss]

    def watch() -> None:
        while not is_done.wait(0.005):
            peak[0] = max(peak[0], process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        call()
    finally:
        is_done.set()
        watcher.join()
    return peak[0]


def make(name: str, engine: str) -> Any:
    """Return an estimator: of this library, or scikit-learn's own, wrapped."""
    import sklearn_dask_auto

    if name == "SGDClassifier":
        wrap = sklearn_dask_auto.AutoScaleEstimator
        return wrap(SGDClassifier(), **FITS[name], engine=engine)
    named = getattr(sklearn_dask_auto, f"AutoScale{name}")
    return named(**FITS[name], engine=engine)


def fit_here(name: str, folder: Path, engine: str, budget: str) -> dict[str, Any]:
    """Fit in this process; return what it took, as bytes and seconds."""
    from sklearn_dask_auto import config_context

    X = read(folder)
    # Nonlinear, so that no classifier fits it without fault.
    y = (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype(int)
    targets = [y] if name in WITH_TARGET else []
    # What is imported and compiled at the first fit is part of the peak, not the rise.
    make(name, "blockwise").fit(X[:2000], *(t[:2000] for t in targets))
    before, started = psutil.Process().memory_info().rss, time.perf_counter()
    model = make(name, engine)
    with config_context(memory_budget=budget):
        peak = peak_during(lambda: model.fit(X, *targets))
    return {
        "engine": model.plan_.engine,
        "seconds": time.perf_counter() - started,
        "rise": max(0, peak - before),
        "peak": peak,
    }


def fit_apart(name: str, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Fit in a fresh process; see `fit_here`."""
    command = [sys.executable, "-m", "benchmarks", "memory", "--fit", name]
    command += ["--folder", str(folder), "--engine", options.engine]
    command += ["--budget", options.budget]
    if options.threads:
        command += ["--threads", str(options.threads)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(run.stderr)
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def check_room(folder: Path, n_bytes: int) -> None:
    """Stop before anything is written to a disk that would then be full."""
    free = shutil.disk_usage(folder).free
    if free < 1.2 * n_bytes:
        sys.exit(
            f"{format_bytes(n_bytes)} are to be written to {folder}, where "
            f"{format_bytes(free)} are free. Set TMPDIR, or write less with --size."
        )


def prove(options: argparse.Namespace) -> None:
    """Write the rows, fit every estimator on them, and print what it took."""
    n_bytes, limit = parse_bytes(options.size), parse_bytes(options.limit)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        check_room(folder, n_bytes)
        write(folder, n_bytes, options.store)
        print(f"\n{read(folder).shape} float64, {format_bytes(n_bytes)} on disk")
        print(f"  {'':<22}{'engine':<12}{'seconds':>9}{'rise MB':>10}{'peak MB':>10}")
        over = []
        for name in options.fits:
            took = fit_apart(name, folder, options)
            print(
                f"  {name:<22}{took['engine']:<12}{took['seconds']:>9.1f}"
                f"{took['rise'] / 1e6:>10.0f}{took['peak'] / 1e6:>10.0f}",
                flush=True,
            )
            if took["peak"] >= limit or took["rise"] >= options.most_rise * n_bytes:
                over.append(name)
    if over:
        sys.exit(f"over the limit: {', '.join(over)}")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks memory")
    parser.add_argument("--size", default="12GB", help="of the array on disk")
    parser.add_argument("--limit", default="2GB", help="resident memory of a fit")
    parser.add_argument(
        "--most-rise", type=float, default=1.0, help="of it, as a share of the size"
    )
    parser.add_argument("--store", choices=["npy", "zarr"], default="npy")
    parser.add_argument("--fits", nargs="+", choices=FITS, default=list(FITS))
    parser.add_argument("--threads", type=int, default=0, help="0 for all cores")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--budget", default="1GB", help="the memory_budget of a fit")
    parser.add_argument("--fit", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if not options.fit:
        prove(options)
        return
    with dask.config.set(num_workers=options.threads or None):
        found = fit_here(options.fit, options.folder, options.engine, options.budget)
    print(json.dumps(found))
