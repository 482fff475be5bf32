"""Calls in worker processes on this machine: joblib's own, shared with its other users.

Through the interface that joblib has for its backends, so that workers that are up
already serve, that large arrays are mapped into all of them and not copied, and that
settings of the user's for them hold.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import joblib
from joblib.externals.loky.process_executor import (
    BrokenProcessPool,
    ShutdownExecutorError,
)
from joblib.parallel import BACKENDS, get_active_backend

from sklearn_dask_auto.engines.calls import Call, Reply, Setting, lightened, run
from sklearn_dask_auto.engines.fits import GoneError, LostError
from sklearn_dask_auto.engines.local_workers import LocalWorkers

__all__ = ["LocalProcesses", "as_configured", "ordered_backend"]

BATCH_SECONDS = 0.05
"""Shorter calls are sent together: one costs a millisecond to send, and more with a
target that is too small to be mapped, which those of a batch have in common."""


def as_configured() -> joblib.Parallel:
    """Return what `LocalProcesses` needs: joblib's settings, as in force right here.

    They belong to a thread, and processes may be started from another.
    """
    backend, _ = get_active_backend()
    if type(backend).__name__ != "LokyBackend":
        backend = BACKENDS["loky"](nesting_level=0)
    return joblib.Parallel(backend=backend)


def ordered_backend() -> str | None:
    """Return the name of a joblib backend of the user's by which fits are to run.

    The default and Dask's leave the choice to the plan.
    """
    name = type(get_active_backend()[0]).__name__
    return None if name in ("LokyBackend", "DaskDistributedBackend") else name


class LocalProcesses(LocalWorkers):
    """Worker processes of joblib's "loky" backend.

    Parameters
    ----------
    n_workers : int
        Calls that run at once.
    parallel : joblib.Parallel
        From `as_configured`. Its settings hold.
    echoes : bool, default=False
        Print here what calls print there: a notebook does not show it else.

    Raises
    ------
    GoneError
        If this process may not have processes of its own.
    """

    batch_seconds = BATCH_SECONDS

    def __init__(
        self, n_workers: int, parallel: joblib.Parallel, echoes: bool = False
    ) -> None:
        super().__init__(n_workers)
        self._echoes = echoes
        self._parallel = parallel
        self._forgotten: list[Any] = []
        self._start()

    def submit(
        self, calls: Sequence[Call], done: Callable[[], None], beside: Any = None
    ) -> Any:
        """See `Workers.submit`."""
        self._n_under_way += 1
        setting = Setting(fits_on_host=self._n_workers, echoes=self._echoes)
        sent = _Sent(calls, setting, self._map_into_own_folder)
        try:
            handle = self._executor.submit(sent)
        except (BrokenProcessPool, ShutdownExecutorError):
            self._restart(self._executor)
            handle = self._executor.submit(sent)
        handle.executor = self._executor
        handle.add_done_callback(lambda _: done())
        return handle

    def fetch(self, handle: Any) -> list[Reply]:
        """See `Workers.fetch`: with one process, joblib's executor loses them all."""
        self._n_under_way -= 1
        try:
            replies: list[Reply] = handle.result()
        except BrokenProcessPool as error:
            self._restart(handle.executor)
            raise LostError(
                f"{type(error).__name__}: {error}", is_suspect=True
            ) from error
        except ShutdownExecutorError as error:
            self._restart(handle.executor)
            raise LostError(str(error), is_suspect=False) from error
        return replies

    def forget(self, handle: Any) -> None:
        """See `Workers.forget`."""
        self._n_under_way -= 1
        if handle is not None and not handle.cancel():
            self._forgotten.append(handle)

    def close(self) -> None:
        """See `Workers.close`: idle processes stay for whoever comes next."""
        if not all(handle.done() for handle in self._forgotten):
            self._backend.abort_everything(ensure_ready=False)
        self._parallel.__exit__(None, None, None)

    def _start(self) -> None:
        # A `Parallel` of joblib's that is entered has started its workers, with the
        # settings that all others use; with other settings they would be replaced.
        self._parallel.n_jobs = self._n_workers
        self._parallel.__enter__()
        self._backend = self._parallel._backend
        # joblib gives no other access to the futures, which tell who died.
        self._executor: Any = getattr(self._backend, "_workers", None)
        if self._executor is None:
            self._parallel.__exit__(None, None, None)
            raise GoneError("this process may not start others")

    def _restart(self, broken: Any) -> None:
        """Start anew, unless that was done when another call told of the same."""
        if broken is self._executor:
            self._backend.abort_everything(ensure_ready=False)
            self._parallel.__exit__(None, None, None)
            self._start()

    def _map_into_own_folder(self) -> None:
        """Have joblib write large arrays where `close` removes them.

        As `joblib.Parallel` does it, for the same reason: users of the one executor
        would else use, and remove, each other's files.
        """
        self._executor._temp_folder_manager.set_current_context(self._parallel._id)


class _Sent:
    """Calls as the executor takes them; when they are pickled, `on_pickle` is called.

    Only its copy is ever called, which is `run` with the calls.
    """

    def __init__(
        self, calls: Sequence[Call], setting: Setting, on_pickle: Callable[[], None]
    ) -> None:
        self._run = partial(run, [lightened(call) for call in calls], setting)
        self._on_pickle = on_pickle

    def __call__(self) -> list[Reply]:
        return self._run()

    def __reduce__(self) -> Any:
        self._on_pickle()
        return self._run.__reduce__()
