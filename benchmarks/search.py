"""Searches of seven kinds in four places: auto against what users do by hand.

For each kind, all ways are timed in turn, so that a drifting machine hits all; short
searches more often than long ones. A place that is cold is made so before each call:
joblib's workers are stopped, those of the cluster restarted.
"""

import argparse
import contextlib
import logging
import statistics
import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import joblib
import numpy as np
from distributed import Client, LocalCluster
from joblib.externals.loky import get_reusable_executor
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

from benchmarks.pipelines import GRID, pipeline, texts
from sklearn_dask_auto import AutoScaleSearchCV


class Cell(NamedTuple):
    """A search: an estimator, its grid, the folds and the rows."""

    estimator: Any
    grid: dict[str, Any]
    cv: int
    rows: Callable[[], tuple[Any, Any]]


SHORT_SECONDS = 0.5
SHORT_REPEATS = 11
"""Of searches that scikit-learn has done sooner, so that noise decides less."""


class Way(NamedTuple):
    """A way to run a search, and what is warm when it starts."""

    search: str
    has_client: bool
    is_warm: bool


def _classes(n_rows: int, n_columns: int) -> Callable[[], tuple[Any, Any]]:
    def rows() -> tuple[Any, Any]:
        return make_classification(n_rows, n_columns, random_state=0)

    return rows


_SVC = {"C": [0.001, 0.1, 1.0, 2.5, 10.0]}
_LOGISTIC = {"C": np.logspace(-3, 2, 12)}
CELLS = {
    "svc-small": Cell(SVC(gamma="auto"), _SVC, 5, _classes(1000, 4)),
    "svc-large": Cell(SVC(gamma="auto"), _SVC, 5, _classes(5000, 4)),
    "logistic-small": Cell(LogisticRegression(), _LOGISTIC, 5, _classes(200, 5)),
    "logistic-large": Cell(LogisticRegression(), _LOGISTIC, 5, _classes(20_000, 50)),
    "forest": Cell(
        RandomForestClassifier(random_state=0),
        {"max_depth": [2, 4, 8, None]},
        5,
        _classes(1000, 10),
    ),
    "text": Cell(
        pipeline(),
        GRID,
        3,
        lambda: texts(1000, 80),
    ),
    "kmeans": Cell(
        KMeans(n_init=5, random_state=0),
        {"n_clusters": [2, 4, 6, 8, 10]},
        5,
        lambda: make_blobs(20_000, 10, centers=8, random_state=0),
    ),
}
PLACES = {
    "no client, cold": (False, False),
    "no client, warm": (False, True),
    "cluster, cold": (True, False),
    "cluster, warm": (True, True),
}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks search")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=list(CELLS))
    parser.add_argument("--places", nargs="+", choices=PLACES, default=list(PLACES))
    options = parser.parse_args(arguments)
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    # Workers that are restarted have much to tell.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    ratios = []
    for name in options.cells:
        print(f"\n{name}")
        seconds = timed(CELLS[name], options.places, options.repeats)
        ratios += [told(place, seconds) for place in options.places]
    print(f"\nGeometric mean of auto / best: {statistics.geometric_mean(ratios):.3f}")


def timed(cell: Cell, places: list[str], repeats: int) -> dict[Way, list[float]]:
    """Run a search in every way, in turn."""
    X, y = cell.rows()
    # The first time compiles and imports for all that follow.
    expected = _plain(cell, X, y).cv_results_["mean_test_score"]
    started = time.perf_counter()
    _plain(cell, X, y)
    if time.perf_counter() < started + SHORT_SECONDS:
        repeats = max(repeats, SHORT_REPEATS)
    seconds: dict[Way, list[float]] = {way: [] for way in _ways(places)}
    with _cluster() as warm_cluster:
        for i in range(repeats):
            # Back and forth, as each way leaves the machine to the next.
            for way in list(seconds)[:: -1 if i % 2 else 1]:
                took, scores = timed_once(way, cell, warm_cluster, X, y)
                np.testing.assert_allclose(scores, expected, rtol=1e-9)
                seconds[way].append(took)
    return seconds


def timed_once(
    way: Way, cell: Cell, warm_cluster: LocalCluster, X: Any, y: Any
) -> tuple[float, Any]:
    """Run a search, and return the seconds it took and its scores."""
    with contextlib.ExitStack() as stack:
        cluster = warm_cluster
        if not way.is_warm:
            get_reusable_executor().shutdown(wait=True, kill_workers=True)
            cluster = stack.enter_context(_cluster()) if way.has_client else None
        if way.has_client:
            client = stack.enter_context(Client(cluster))
            client.wait_for_workers(2)
        if way.is_warm:
            joblib.Parallel(n_jobs=2)([joblib.delayed(_fit)(cell.estimator, X, y)] * 4)
            if way.has_client:
                client.run(_fit, cell.estimator, X, y)
        started = time.perf_counter()
        search = SEARCHES[way.search](cell, X, y)
        return time.perf_counter() - started, search.cv_results_["mean_test_score"]


def _fit(estimator: Any, X: Any, y: Any) -> None:
    """Import and load what fits on a worker need, as a search before would have done.

    A function of this module brings all that it imports.
    """
    clone(estimator).fit(X, y)


def _cluster() -> LocalCluster:
    return LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")


def _ways(places: list[str]) -> list[Way]:
    """Return what has to be timed: a client is nothing to scikit-learn's own ways."""
    ways = [Way("scikit-learn serial", has_client=False, is_warm=True)]
    for place in places:
        has_client, is_warm = PLACES[place]
        ways.append(Way("auto", has_client, is_warm))
        ways.append(Way("scikit-learn n_jobs=-1", False, is_warm))
        ways.append(Way("dask-ml", has_client, is_warm))
        if has_client:
            ways.append(Way("joblib-dask", has_client, is_warm))
    return list(dict.fromkeys(ways))


def _alternatives(place: str, ways: Iterable[Way]) -> list[Way]:
    has_client, is_warm = PLACES[place]
    return [
        way
        for way in ways
        if way.search == "scikit-learn serial"
        or (way.search == "scikit-learn n_jobs=-1" and way.is_warm == is_warm)
        or (way.search != "auto" and way[1:] == (has_client, is_warm))
    ]


def told(place: str, seconds: dict[Way, list[float]]) -> float:
    """Print a line for a place, and return auto's time against the best."""
    auto = seconds[Way("auto", *PLACES[place])]
    others = _alternatives(place, seconds)
    medians = {way: statistics.median(seconds[way]) for way in others}
    best = min(others, key=lambda way: medians[way])
    ratio = statistics.median(a / b for a, b in zip(auto, seconds[best], strict=True))
    listed = ", ".join(f"{way.search} {medians[way]:.3g}" for way in others)
    print(f"  {place:<17}{ratio:>6.2f}  auto {statistics.median(auto):.3g}, {listed}")
    return ratio


def _plain(cell: Cell, X: Any, y: Any, n_jobs: int | None = None) -> Any:
    return GridSearchCV(cell.estimator, cell.grid, cv=cell.cv, n_jobs=n_jobs).fit(X, y)


def _on_every_core(cell: Cell, X: Any, y: Any) -> Any:
    return _plain(cell, X, y, n_jobs=-1)


def _joblib_dask(cell: Cell, X: Any, y: Any) -> Any:
    with joblib.parallel_config("dask", scatter=[X, y]):
        return _plain(cell, X, y, n_jobs=-1)


def _dask_ml(cell: Cell, X: Any, y: Any) -> Any:
    from dask_ml.model_selection import GridSearchCV as Search

    return Search(cell.estimator, cell.grid, cv=cell.cv, iid=False).fit(X, y)


def _auto(cell: Cell, X: Any, y: Any) -> Any:
    return AutoScaleSearchCV(cell.estimator, cell.grid, cv=cell.cv).fit(X, y)


SEARCHES = {
    "auto": _auto,
    "scikit-learn serial": _plain,
    "scikit-learn n_jobs=-1": _on_every_core,
    "joblib-dask": _joblib_dask,
    "dask-ml": _dask_ml,
}
