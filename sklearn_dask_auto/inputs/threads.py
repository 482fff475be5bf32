"""How many threads BLAS and OpenMP may take, where others want the cores as well.

Where the threads of dask or of a worker call BLAS at the same time, each call would
start a thread for every core, and wait for them in a loop that takes the cores from
the other calls.
"""

import contextlib
import functools
import sys
import threading
from collections.abc import Iterator
from typing import Any

from threadpoolctl import ThreadpoolController

from sklearn_dask_auto._survey import is_in_worker

__all__ = [
    "bind_own_thread",
    "bounded_blas",
    "bounded_in_task",
    "bounded_threads",
    "would_exceed",
]


@contextlib.contextmanager
def bounded_threads(share: int) -> Iterator[None]:
    """Give BLAS and OpenMP a share of the cores, if they would take more."""
    openmp = _libraries("openmp", len(sys.modules))
    with contextlib.ExitStack() as limits:
        if _exceeds(openmp, share):
            # It belongs to the thread that sets it, and so to this call.
            limits.enter_context(openmp.limit(limits=share))
        limits.enter_context(bounded_blas(share))
        yield


@contextlib.contextmanager
def bounded_blas(share: int) -> Iterator[None]:
    """Give BLAS a share of the cores, if it would take more."""
    with _BLAS.held_to(share, _libraries("blas", len(sys.modules))):
        yield


def bind_own_thread(share: int) -> None:
    """Give OpenMP no more than a share in the calling thread, for good."""
    openmp = _libraries("openmp", len(sys.modules))
    if _exceeds(openmp, share):
        openmp.limit(limits=share)


def would_exceed(share: int) -> bool:
    """Tell whether BLAS or OpenMP take more than a share of the cores now."""
    apis = ("blas", "openmp")
    return any(_exceeds(_libraries(api, len(sys.modules)), share) for api in apis)


def bounded_in_task() -> contextlib.AbstractContextManager[None]:
    """Give BLAS one core within a task, where tasks run beside it in this process."""
    if _task_threads() == 1:
        return contextlib.nullcontext()
    return bounded_blas(1)


def _task_threads() -> int:
    """Return how many tasks may run at once in the process of this one."""
    if threading.current_thread() is threading.main_thread():
        # Schedulers that run tasks one after another run them where they are called.
        return 1
    if is_in_worker():
        return int(sys.modules["distributed"].get_worker().state.nthreads)
    import dask
    import dask.system

    return int(dask.config.get("num_workers", None) or dask.system.CPU_COUNT)


@functools.lru_cache(maxsize=2)
def _libraries(user_api: str, n_modules: int) -> ThreadpoolController:
    """Find libraries; again once more modules, and so maybe libraries, are loaded."""
    import scipy.linalg.blas  # noqa: F401  its BLAS must be loaded to be found

    return ThreadpoolController().select(user_api=user_api)


def _exceeds(controller: ThreadpoolController, share: int) -> bool:
    return any(library.num_threads > share for library in controller.lib_controllers)


class _SharedLimit:
    """A limit of the process, which calls that overlap set together.

    The last one lifts it: calls that each restored what they found would leave the
    limit of another behind.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_holders = 0
        self._found: list[tuple[Any, int]] = []

    @contextlib.contextmanager
    def held_to(self, share: int, controller: ThreadpoolController) -> Iterator[None]:
        with self._lock:
            for library in controller.lib_controllers:
                if library.num_threads > share:
                    self._found.append((library, library.num_threads))
                    _set(library, share)
            self._n_holders += 1
        try:
            yield
        finally:
            with self._lock:
                self._n_holders -= 1
                while self._found and self._n_holders == 0:
                    _set(*self._found.pop())


def _set(library: Any, n_threads: int) -> None:
    """Set the limit of a library, whichever thread set it before.

    From threadpoolctl 3.8 on, the first thread to limit OpenBLAS owns that limit: what
    others set, or restore, is ignored without a word. Here the last call restores what
    the first one found, in another thread.
    """
    disown = getattr(library, "clear_controlling_thread", None)
    if disown is not None:
        disown(force=True)
    library.set_num_threads(n_threads)
    if disown is not None:
        disown(force=True)


_BLAS = _SharedLimit()
