"""Calls in threads of this process, for those that do not meet each other there.

They need no start, and nothing is pickled. `thread_safety` says which may; this runs
them as the main thread would: with scikit-learn's settings, numpy's error state and
whatever else belongs to a context. Warnings are given at once, by the filters in force.
"""

import contextlib
import contextvars
import inspect
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import joblib
from sklearn import set_config

from sklearn_dask_auto.engines.calls import Call, Reply, Setting, run
from sklearn_dask_auto.engines.local_workers import LocalWorkers
from sklearn_dask_auto.inputs.threads import bind_own_thread, bounded_blas

__all__ = ["LocalThreads"]

BATCH_SECONDS = 0.02
"""Shorter calls run together: each time the main thread wakes for an outcome, it takes
the interpreter's lock from those that fit."""


class LocalThreads(LocalWorkers):
    """Threads of this process.

    Parameters
    ----------
    n_workers : int
        Calls that run at once.
    config : dict
        scikit-learn's settings where the search began: each thread has its own.
    """

    batch_seconds = BATCH_SECONDS

    def __init__(self, n_workers: int, config: dict[str, Any]) -> None:
        super().__init__(n_workers)
        self._context = contextvars.copy_context()
        share = max(1, joblib.cpu_count() // n_workers)
        self._pool = ThreadPoolExecutor(
            n_workers, initializer=_begin, initargs=(share, config)
        )
        self._limits = contextlib.ExitStack()
        # Once for all calls, as it belongs to the process.
        self._limits.enter_context(bounded_blas(share))

    def submit(
        self, calls: Sequence[Call], done: Callable[[], None], beside: Any = None
    ) -> Any:
        """See `Workers.submit`."""
        self._n_under_way += 1
        setting = Setting(fits_on_host=self._n_workers, is_alone=False)
        bare = [_without_filters(call) for call in calls]
        handle = self._pool.submit(self._context.copy().run, run, bare, setting)
        handle.add_done_callback(lambda _: done())
        return handle

    def fetch(self, handle: Any) -> list[Reply]:
        """See `Workers.fetch`: threads lose nothing."""
        self._n_under_way -= 1
        replies: list[Reply] = handle.result()
        return replies

    def forget(self, handle: Any) -> None:
        """See `Workers.forget`."""
        self._n_under_way -= 1
        handle.cancel()

    def close(self) -> None:
        """See `Workers.close`: what runs cannot be stopped, and is waited for."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._limits.close()


def _begin(share: int, config: dict[str, Any]) -> None:
    set_config(**config)
    bind_own_thread(share)


def _without_filters(call: Call) -> Call:
    """Return a call without what sets filters of warnings anew around it.

    scikit-learn wraps its functions so for other processes. Filters belong to all
    threads, and would be gone for a moment.
    """
    function, args, kwargs = call
    return inspect.unwrap(function), args, kwargs
