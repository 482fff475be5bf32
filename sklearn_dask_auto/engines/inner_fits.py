"""A joblib backend for the work inside one fit: here, or on the workers of a cluster.

A forest hands its trees to `joblib.Parallel`, a bag its members, one-vs-rest its binary
problems. While the backend is active, the calls of every such `Parallel` come by it, as
they would with ``joblib.parallel_config("dask")``, but that `n_jobs` is honoured, that
what calls have in common is sent to each worker once, that a fit inside a call has a
worker's share of the cores, and that a worker that dies costs no result.

Unless it is told to send all, the first call runs here, and is timed: the rest is sent
if that will be done sooner.
"""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import joblib

from sklearn_dask_auto.engines.calls import Call, shared
from sklearn_dask_auto.engines.fits import Fits, Workers
from sklearn_dask_auto.engines.queued_backend import QueuedBackend
from sklearn_dask_auto.exceptions import LostFitError
from sklearn_dask_auto.routing.cost import spreading_pays
from sklearn_dask_auto.routing.job import workers_asked

__all__ = ["InnerFits", "spread"]


@dataclass
class InnerFits:
    """What is known of the calls inside a fit; kept up to date while it runs.

    Parameters
    ----------
    is_ordered : bool
        Send every call, without timing one.
    n_jobs : int or None
        Of the estimator; None and -1 leave the number to the workers at hand.
    width : int
        Threads of the workers.
    is_warm : callable
        Tells whether the workers have imported scikit-learn.
    n_calls : int
        Calls so far.
    n_sent : int
        Calls that were sent.
    seconds : float or None
        What the call took that was timed.
    """

    is_ordered: bool
    n_jobs: int | None
    width: int
    is_warm: Callable[[], bool]
    n_calls: int = 0
    n_sent: int = 0
    seconds: float | None = None

    @property
    def most(self) -> int:
        """Calls that may run at once."""
        return min(self.width, workers_asked(self.n_jobs, self.width))


@contextmanager
def spread(inner: InnerFits, workers: Callable[[], Workers]) -> Iterator[None]:
    """Have the calls inside a fit come by `SpreadingBackend`, in this context.

    Parameters
    ----------
    inner : InnerFits
        Its counts are brought up to date.
    workers : callable
        Returns the workers, once calls are to be sent.
    """
    backend = SpreadingBackend(inner, workers)
    backend.register()
    try:
        yield
    finally:
        backend.unregister()


class SpreadingBackend(QueuedBackend):
    """Run calls here, or send them to workers; see the module.

    Parameters
    ----------
    inner, workers : InnerFits, callable
        As for `spread`.
    """

    def __init__(self, inner: InnerFits, workers: Callable[[], Workers]) -> None:
        super().__init__(nesting_level=0)
        self._inner = inner
        self._open = workers
        self._workers: Workers | None = None
        self._config: Any = None
        self.start_call()

    def register(self) -> None:
        """Be what joblib uses in this thread, and all workers where nothing is said."""
        self._config = joblib.parallel_config(backend=self, n_jobs=-1)

    def unregister(self) -> None:
        """Put back what joblib used before; let go of what was sent."""
        self._config.unregister()
        if self._workers is not None:
            self._workers.close()

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """Return what `n_jobs` asks for, of the workers there are."""
        asked = workers_asked(n_jobs, self._inner.width)
        return min(asked, self._inner.most)

    def start_call(self) -> None:
        """Begin a `Parallel`, of which a fit may have several."""
        super().start_call()
        self._results: list[Any] = []

    def _take(self) -> Any:
        if self._n_taken == 0:
            self._begin()
        n_here = len(self._results)
        if self._n_taken < n_here:
            return self._results[self._n_taken]
        return cast("Fits", self._fits).take(self._n_taken - n_here)

    def _begin(self) -> None:
        """Time one call, unless it is settled that all are sent, and place the rest."""
        calls, inner = self._calls, self._inner
        inner.n_calls += len(calls)
        if not inner.is_ordered:
            started = time.perf_counter()
            self._results = self._run_here(calls[:1])
            inner.seconds = time.perf_counter() - started
        left = calls[len(self._results) :]
        if left and (inner.is_ordered or self._pays(left)):
            self._send(left)
        else:
            self._results += self._run_here(left)

    def _pays(self, calls: list[Call]) -> bool:
        n_bytes = sum(int(getattr(value, "nbytes", 0)) for value in shared(calls))
        n_jobs = self._inner.n_jobs
        cores = joblib.cpu_count()
        here = 1 if n_jobs is None else min(cores, workers_asked(n_jobs, cores))
        pays = partial(
            spreading_pays,
            self._inner.seconds or 0.0,
            len(calls),
            n_bytes,
            here,
            self._inner.most,
        )
        # Workers are asked only if it matters.
        return pays() and (pays(is_warm=False) or self._inner.is_warm())

    def _send(self, calls: list[Call]) -> None:
        if self._workers is None:
            self._workers = self._open()
        self._inner.n_sent += len(calls)
        seconds = self._inner.seconds or 0.0
        self._fits = Fits(calls, self._workers, _lost, _gone, seconds=seconds)

    def _run_here(self, calls: list[Call]) -> list[Any]:
        n_jobs = self._inner.n_jobs
        if len(calls) > 1 and n_jobs is not None:
            return joblib.Parallel(n_jobs, backend="threading")(calls)
        # Work inside these calls finds what was in force before.
        self._config.unregister()
        try:
            return [function(*args, **kwargs) for function, args, kwargs in calls]
        finally:
            self.register()


def _lost(call: Call, cause: str) -> Any:
    name = getattr(call[0], "__name__", type(call[0]).__name__)
    raise LostFitError(
        f"a call of {name} inside the fit lost its worker twice, the second time with "
        f"nothing beside it. {cause}"
    )


def _gone(cause: str) -> None:
    message = f"{cause}: the rest of the fit runs in one process."
    warnings.warn(message, RuntimeWarning, stacklevel=2)
