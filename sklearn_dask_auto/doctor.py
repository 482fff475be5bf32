"""What is installed, what is at hand, and whether it works: for bug reports.

`python -m sklearn_dask_auto doctor` prints it. Nothing but the standard library is
imported before it is looked at, so that what is broken becomes a line of the report.
"""

import importlib
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import sklearn_dask_auto

__all__ = ["Finding", "examine"]

PACKAGES = {
    "numpy": "numpy",
    "scipy": "scipy",
    "scikit-learn": "sklearn",
    "dask": "dask",
    "distributed": "distributed",
    "dask-ml": "dask_ml.cluster",
    "joblib": "joblib",
    "numba": "numba",
    "pandas": "pandas",
}
"""Distributions, and the module of each that must import."""
OPTIONAL = ("dask-ml",)
"""Without these the library works, with one engine less."""
KERNEL_MODULES = ("lloyd", "moments", "seeding")
"""Files of `kernels` that hold compiled code."""
CONNECT_SECONDS = 10


@dataclass(frozen=True)
class Finding:
    """A line of the report.

    Parameters
    ----------
    topic : str
        What was looked at.
    text : str
        What was found.
    is_problem : bool, default=False
        Something is broken.
    """

    topic: str
    text: str
    is_problem: bool = False

    def __str__(self) -> str:
        return f"{'PROBLEM' if self.is_problem else '':<9}{self.topic:<10}{self.text}"


Step = Callable[[], Iterator[Finding]]


def examine(scheduler: str | None = None) -> Iterator[Finding]:
    """Look at everything, one finding at a time.

    Parameters
    ----------
    scheduler : str, default=None
        Address of a Dask scheduler to connect to for as long as this lasts.

    Yields
    ------
    finding : Finding
        An error on the way is a finding too, and the next thing is looked at.
    """
    yield from _versions()
    yield from _attempt("kernels", _kernels)
    client = None
    if scheduler is not None:
        try:
            client = _connect(scheduler)
        except Exception as error:  # whatever it is, it is the finding
            yield Finding("cluster", f"{scheduler}: {_told(error)}", True)
    try:
        yield from _attempt("machine", _machine)
        yield from _attempt("engines", _engines)
        if client is not None:
            yield from _attempt("cluster", lambda: _workers(client))
            yield from _attempt("cluster", _cluster_fits)
    finally:
        if client is not None:
            client.close()


def _attempt(topic: str, step: Step) -> Iterator[Finding]:
    try:
        yield from step()
    except Exception as error:  # whatever it is, it is the finding
        yield Finding(topic, _told(error), True)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _versions() -> Iterator[Finding]:
    yield Finding("versions", f"sklearn_dask_auto {sklearn_dask_auto.__version__}")
    yield Finding("versions", f"python {platform.python_version()}")
    for distribution, module in PACKAGES.items():
        yield _version(distribution, module)


def _version(distribution: str, module: str) -> Finding:
    try:
        version = metadata.version(distribution)
    except metadata.PackageNotFoundError:
        is_problem = distribution not in OPTIONAL
        return Finding("versions", f"{distribution} is not installed", is_problem)
    try:
        importlib.import_module(module)
    except Exception as error:  # an install that is broken may raise anything
        text = f"{distribution} {version} cannot be imported: {_told(error)}"
        return Finding("versions", text, True)
    return Finding("versions", f"{distribution} {version}")


def _kernels() -> Iterator[Finding]:
    yield _blockwise_fit("kernels", "in this process")
    yield _compiled()


def _blockwise_fit(topic: str, place: str) -> Finding:
    """Fit blocks and the whole, and compare."""
    import dask.array as da
    import numpy as np
    from sklearn.cluster import KMeans
    from sklearn.datasets import make_blobs

    from sklearn_dask_auto.cluster import AutoScaleKMeans

    X, _ = make_blobs(n_samples=600, n_features=4, centers=3, random_state=0)
    whole = KMeans(3, random_state=0).fit(X)
    started = time.perf_counter()
    fitted = AutoScaleKMeans(3, random_state=0, engine="blockwise").fit(
        da.from_array(X, chunks=(200, 4))
    )
    seconds = time.perf_counter() - started
    is_equal = np.array_equal(fitted.labels_, whole.labels_) and np.allclose(
        fitted.cluster_centers_, whole.cluster_centers_
    )
    verdict = "equals" if is_equal else "differs from"
    text = f"blockwise KMeans {place} {verdict} scikit-learn's, {seconds:.2f} s"
    return Finding(topic, text, not is_equal)


def _compiled() -> Finding:
    """Ask numba what became of the kernels that a fit has called."""
    modules = [
        importlib.import_module(f"sklearn_dask_auto.kernels.{name}")
        for name in KERNEL_MODULES
    ]
    functions = {
        id(value): value
        for module in modules
        for value in vars(module).values()
        if hasattr(value, "stats") and hasattr(value, "signatures")
    }
    used = [function for function in functions.values() if function.signatures]
    if not used:
        text = "the kernels ran uncompiled: is NUMBA_DISABLE_JIT set?"
        return Finding("kernels", text, True)
    from_cache = sum(sum(f.stats.cache_hits.values()) for f in used)
    compiled = sum(sum(f.stats.cache_misses.values()) for f in used)
    places = {str(function.stats.cache_path) for function in used}
    text = f"numba: {from_cache} loaded from the cache, {compiled} compiled now"
    return Finding("kernels", f"{text}; cache in {', '.join(sorted(places))}")


def _connect(address: str) -> Any:
    from distributed import Client

    client = Client(address, timeout=CONNECT_SECONDS)
    if not client.nthreads():
        client.close()
        raise RuntimeError("the cluster has 0 workers")
    return client


def _machine() -> Iterator[Finding]:
    from joblib.parallel import get_active_backend

    from sklearn_dask_auto._survey import survey
    from sklearn_dask_auto.routing.profile import format_bytes

    resources = survey()
    cluster = resources.cluster
    backend = type(get_active_backend()[0]).__name__
    yield Finding("machine", f"cores: {resources.cores}")
    yield Finding("machine", f"free memory: {format_bytes(resources.free_memory)}")
    yield Finding("machine", f"memory budget: {_budget()}")
    yield Finding("machine", f"joblib backend: {backend}")
    if cluster is None:
        yield Finding("machine", f"Dask client: {resources.cluster_problem or 'none'}")
        return
    yield Finding(
        "machine",
        f"Dask client: {cluster.address}, {cluster.n_workers} workers, "
        f"{cluster.n_threads} threads, {format_bytes(cluster.memory)}",
    )


def _budget() -> str:
    from sklearn_dask_auto._config import get_config
    from sklearn_dask_auto.routing.profile import format_bytes

    _, plan = next(_plans())
    origin = "by default" if get_config()["memory_budget"] is None else "as set"
    return f"{format_bytes(plan.budget)}, {origin}"


def _engines() -> Iterator[Finding]:
    for subject, plan in _plans():
        able = [candidate.engine for candidate in plan.candidates if candidate.is_able]
        yield Finding(
            "engines",
            f"{subject}: {plan.engine or 'none'} by choice, of {', '.join(able)}",
            plan.engine is None,
        )
        for candidate in plan.candidates:
            if not candidate.is_able:
                why = "; ".join(candidate.reasons)
                yield Finding("engines", f"  not {candidate.engine}: {why}")


def _plans() -> Iterator[tuple[str, Any]]:
    """Explain both classes on a numpy and on a dask array."""
    import dask.array as da
    import numpy as np

    from sklearn_dask_auto.cluster import AutoScaleKMeans

    X, y = np.zeros((1000, 4)), np.zeros(1000)
    inputs = {
        "numpy": (X, y),
        "dask": (da.from_array(X, chunks=(250, 4)), da.from_array(y, chunks=250)),
    }
    for estimator in (AutoScaleKMeans(), _search()):
        for container, (data, target) in inputs.items():
            subject = f"{type(estimator).__name__} on {container}"
            yield subject, estimator.explain(data, target)


def _search(engine: str = "auto") -> Any:
    from sklearn.svm import SVC

    from sklearn_dask_auto.model_selection import AutoScaleSearchCV

    return AutoScaleSearchCV(SVC(), {"C": [0.1, 10.0]}, cv=2, engine=engine)


def _workers(client: Any) -> Iterator[Finding]:
    from sklearn_dask_auto._worker_facts import worker_facts
    from sklearn_dask_auto._worker_versions import worker_problem

    problem = worker_problem(client, list(worker_facts(client)))
    text = problem or "every worker has this version of sklearn_dask_auto"
    yield Finding("cluster", text, problem is not None)
    # Not a problem in itself: the fits below tell whether it does harm.
    versions = client.get_versions()
    for name, version in versions["client"]["packages"].items():
        found = {w["packages"].get(name) for w in versions["workers"].values()}
        if found != {version}:
            others = ", ".join(sorted(map(str, found)))
            yield Finding("cluster", f"{name} is {version} here, {others} on workers")


def _cluster_fits() -> Iterator[Finding]:
    import numpy as np
    from sklearn.datasets import make_classification

    yield _blockwise_fit("cluster", "on the cluster")
    X, y = make_classification(n_samples=200, random_state=0)
    scores = [
        _search(engine).fit(X, y).cv_results_["mean_test_score"]
        for engine in ("joblib", "sklearn")
    ]
    is_equal = np.array_equal(*scores)
    verdict = "equal those" if is_equal else "differ from those"
    text = f"scores of a search on the cluster {verdict} of one in this process"
    yield Finding("cluster", text, not is_equal)
