"""The Dask-ML tutorial as one command: each part beside the call it replaces.

`python -m sklearn_dask_auto demo` runs it. Every part makes the tutorial's own call and
then this library's on the same data, shows the plan and both wall times, and checks
that the answers agree. Nothing is read from the network; the cluster of the second part
is local and closed before the third.
"""

import copy
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import dask
import dask.array as da
import joblib
import numpy as np
from sklearn.datasets import make_blobs, make_classification
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

from sklearn_dask_auto.cluster import AutoScaleKMeans
from sklearn_dask_auto.model_selection import AutoScaleSearchCV

__all__ = ["BLOCK_ROWS", "Row", "large_data", "run", "search_in_memory"]

BLOCK_ROWS = {"small": 1_000, "tutorial": 20_000}
"""Rows of a block of the large array, by the name of the size."""
N_BLOCKS = 500
N_CENTERS = 12
N_COLUMNS = 20
TURNS = 3
"""How often the calls of a short part are timed, in turns; medians are shown."""
LEFT_OUT = "left out"

Timed = tuple[Any, float]
"""What a call returned, and its seconds."""


@dataclass(frozen=True)
class Row:
    """A line of the summary.

    Parameters
    ----------
    part : str
        What was done.
    unrouted : str
        The tutorial's call.
    unrouted_seconds : float or None
        None where that call could not be made.
    ours : str
        This library's call.
    seconds : float
        Of this library's call.
    engine : str
        Who did the work in the end.
    problem : str or None, default=None
        How the two answers differ, where they should not.
    """

    part: str
    unrouted: str
    unrouted_seconds: float | None
    ours: str
    seconds: float
    engine: str
    problem: str | None = None

    def __str__(self) -> str:
        if self.unrouted_seconds is None:
            figures = LEFT_OUT, "-"
        else:
            ratio = self.unrouted_seconds / self.seconds
            figures = f"{self.unrouted_seconds:.2f}", f"{ratio:.2f}"
        return _columns(
            self.part,
            self.unrouted,
            figures[0],
            self.ours,
            f"{self.seconds:.2f}",
            figures[1],
            self.engine,
        )


def run(size: str = "small", n_workers: int = 2) -> int:
    """Run the three parts of the tutorial, and print as they go.

    Parameters
    ----------
    size : {'small', 'tutorial'}, default='small'
        Size of the large array of the third part: 500 blocks of 1,000 or 20,000 rows.
    n_workers : int, default=2
        Worker processes of the local cluster of the second part.

    Returns
    -------
    status : int
        0, or 1 if the answers of a part differ where they should not.
    """
    with _without_svc_warning():
        rows = [
            search_in_memory(),
            _search_on_cluster(n_workers),
            large_data(BLOCK_ROWS[size]),
        ]
    _print_summary(rows)
    problems = [f"{row.part}: {row.problem}" for row in rows if row.problem]
    for problem in problems:
        print(f"PROBLEM  {problem}")
    return 1 if problems else 0


def search_in_memory() -> Row:
    """Search 4 candidates on 1,000 rows in this process.

    Returns
    -------
    row : Row
        For the summary.
    """
    _print_head("a. A grid search in memory: 4 candidates, 2 folds, 1,000 x 4")
    X, y = _classification()
    grid = {"C": [0.001, 10.0], "kernel": ["rbf", "poly"]}
    theirs, ours = _race(
        lambda: GridSearchCV(_svc(), grid, cv=2).fit(X, y),
        lambda: AutoScaleSearchCV(_svc(), grid, cv=2).fit(X, y),
    )
    _print_plan(ours[0])
    names = ("GridSearchCV", "AutoScaleSearchCV")
    _print_times(names, theirs[1], ours[1], f"median of {TURNS}, in turns")
    problem = _compare_searches(theirs[0], ours[0])
    return _row("a. search in memory", names, theirs[1], ours, problem)


def _search_on_cluster(n_workers: int) -> Row:
    _print_head(
        "b. A larger search on a Dask cluster: 5 candidates, 5 folds, "
        f"{n_workers} worker processes"
    )
    X, y = _classification()
    grid = {"C": [0.001, 0.1, 1.0, 2.5, 10.0]}

    def unrouted(cv: int = 5) -> GridSearchCV:
        with joblib.parallel_config("dask", scatter=[X, y]):
            return GridSearchCV(_svc(), grid, cv=cv, n_jobs=-1).fit(X, y)

    with _cluster(n_workers):
        unrouted(cv=2)
        print("(The workers were warmed up first, so that they have scikit-learn.)")
        theirs, ours = _race(
            unrouted,
            lambda: AutoScaleSearchCV(_svc(), grid, cv=5, n_jobs=-1).fit(X, y),
        )
    _print_plan(ours[0])
    names = ("GridSearchCV under joblib's dask", "AutoScaleSearchCV")
    _print_times(names, theirs[1], ours[1], f"median of {TURNS}, in turns")
    problem = _compare_searches(theirs[0], ours[0])
    return _row("b. search on a cluster", names, theirs[1], ours, problem)


def large_data(block_rows: int) -> Row:
    """Cluster 500 blocks of a dask array, without a Dask client.

    Parameters
    ----------
    block_rows : int
        Rows of each block.

    Returns
    -------
    row : Row
        For the summary.
    """
    _print_head(
        f"c. KMeans on a dask array: {N_BLOCKS} blocks of {block_rows:,} x {N_COLUMNS}"
    )
    reason = _why_no_dask_ml()
    _warm_up(with_dask_ml=reason is None)
    print("(Compiled code was warmed up on a tiny array first, for both.)")
    X, seconds = _timed(lambda: _blocks(block_rows, N_BLOCKS).persist())
    print(f"{X.shape[0]:,} x {X.shape[1]} in memory, made in {seconds:.1f} s")
    theirs = None if reason else _timed(lambda: _dask_ml_kmeans(X))
    ours = _timed(lambda: _our_kmeans(X))
    _print_plan(ours[0])
    names = ("dask_ml.cluster.KMeans", "AutoScaleKMeans")
    their_seconds = None if theirs is None else theirs[1]
    _print_times(names, their_seconds, ours[1], "once, labels_[:10] included")
    if theirs is None:
        print(f"The comparison with dask-ml is left out: {reason}")
    else:
        _print_inertia(X, theirs[0], ours[0])
    return _row("c. KMeans, large data", names, their_seconds, ours)


def _classification() -> Any:
    return make_classification(n_samples=1000, n_features=4, random_state=0)


def _svc() -> SVC:
    return SVC(gamma="auto", random_state=0, probability=True)


@contextmanager
def _without_svc_warning() -> Iterator[None]:
    """Silence what scikit-learn 1.9 says of the tutorial's `probability=True`.

    scikit-learn takes the filters of this process along to its workers.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore",
            message="The `probability` parameter was deprecated",
            category=FutureWarning,
        )
        yield


@contextmanager
def _cluster(n_workers: int) -> Iterator[None]:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            # Without a dashboard there is still a port, by default a fixed one.
            scheduler_kwargs={"dashboard_address": ":0"},
        ) as cluster,
        Client(cluster),
    ):
        yield


def _blocks(block_rows: int, n_blocks: int) -> Any:
    """Return the tutorial's array, lazy: blobs around the centers of a small set."""
    X, y = make_blobs(
        n_samples=1000, centers=N_CENTERS, n_features=N_COLUMNS, random_state=0
    )
    centers = np.array([X[y == i].mean(axis=0) for i in range(N_CENTERS)])
    blobs = dask.delayed(make_blobs)
    return da.concatenate(
        [
            da.from_delayed(
                blobs(block_rows, N_COLUMNS, centers=centers, random_state=i)[0],
                shape=(block_rows, N_COLUMNS),
                dtype=X.dtype,
            )
            for i in range(n_blocks)
        ]
    )


def _why_no_dask_ml() -> str | None:
    try:
        import dask_ml.cluster  # noqa: F401  asked for, not used
    except Exception as error:  # an install that is broken may raise anything
        return f"dask_ml cannot be imported here ({type(error).__name__}: {error})"
    return None


def _dask_ml_kmeans(X: Any) -> Any:
    from dask_ml.cluster import KMeans

    model = KMeans(init_max_iter=3, oversampling_factor=10).fit(X)
    model.labels_[:10].compute()
    return model


def _our_kmeans(X: Any, engine: str = "auto") -> AutoScaleKMeans:
    model = AutoScaleKMeans(init_max_iter=3, oversampling_factor=10, engine=engine)
    model.fit(X)
    _ = model.labels_[:10]
    return model


def _warm_up(*, with_dask_ml: bool) -> None:
    X = _blocks(100, 3).persist()
    _our_kmeans(X, engine="blockwise")
    if with_dask_ml:
        _dask_ml_kmeans(X)


def _timed(call: Callable[[], Any]) -> Timed:
    started = time.perf_counter()
    result = call()
    return result, time.perf_counter() - started


def _race(*calls: Callable[[], Any]) -> list[Timed]:
    """Time calls in turns; return the last result of each and its median seconds."""
    turns = [[_timed(call) for call in calls] for _ in range(TURNS)]
    return [
        (timings[-1][0], statistics.median(seconds for _, seconds in timings))
        for timings in zip(*turns, strict=True)
    ]


def _compare_searches(theirs: Any, ours: Any) -> str | None:
    """Say in print how two searches compare; return how they differ, if they do."""
    same_best = theirs.best_params_ == ours.best_params_
    scores = [
        name
        for name in theirs.cv_results_
        if name.startswith("split") and name.endswith("_test_score")
    ]
    same_scores = all(
        np.array_equal(theirs.cv_results_[name], ours.cv_results_[name])
        for name in scores
    )
    n_fits = len(scores) * len(theirs.cv_results_["params"])
    print(f"best parameters equal: {_yes(same_best)}, {ours.best_params_}")
    print(f"all {n_fits} cross-validation scores equal: {_yes(same_scores)}")
    if same_best and same_scores:
        return None
    return "the two searches differ in best parameters or scores"


def _print_inertia(X: Any, theirs: Any, ours: AutoScaleKMeans) -> None:
    judge = copy.copy(ours)
    judge.cluster_centers_ = np.asarray(theirs.cluster_centers_)
    print("inertia, the sum of squared distances, by the same function for both:")
    for name, model, inertia in (
        ("dask_ml.cluster.KMeans", theirs, -judge.score(X)),
        ("AutoScaleKMeans", ours, -ours.score(X)),
    ):
        print(f"  {name:<22}  {inertia:.6g} after {model.n_iter_} iterations")
    print("Neither is seeded, as in the tutorial, so these vary from run to run, and")
    print(
        "time goes with iterations. Seeds: dask-ml's by k-means||, ours by k-means++."
    )


def _print_head(title: str) -> None:
    print(f"\n{title}\n{'=' * len(title)}", flush=True)


def _print_plan(estimator: Any) -> None:
    print(f"\n{estimator.plan_}\n")


def _print_times(
    names: tuple[str, str], theirs: float | None, ours: float, how: str
) -> None:
    width = max(map(len, names))
    print(f"wall time ({how}):")
    print(f"  {names[0]:<{width}}  {LEFT_OUT if theirs is None else f'{theirs:.3f} s'}")
    print(f"  {names[1]:<{width}}  {ours:.3f} s")


def _print_summary(rows: list[Row]) -> None:
    _print_head("Summary")
    print(_columns("part", "unrouted", "seconds", "ours", "seconds", "ratio", "engine"))
    for row in rows:
        print(row)
    print("ratio: seconds of the unrouted call over ours; above 1, ours is faster.")


def _columns(*cells: str) -> str:
    part, unrouted, their_seconds, ours, seconds, ratio, engine = cells
    return (
        f"{part:<24}{unrouted:<33}{their_seconds:>9}  {ours:<18}{seconds:>8}"
        f"{ratio:>7}  {engine}"
    )


def _row(
    part: str,
    names: tuple[str, str],
    their_seconds: float | None,
    ours: Timed,
    problem: str | None = None,
) -> Row:
    engine = str(ours[0].plan_.engine)
    return Row(part, names[0], their_seconds, names[1], ours[1], engine, problem)


def _yes(is_true: bool) -> str:
    return "yes" if is_true else "NO"
