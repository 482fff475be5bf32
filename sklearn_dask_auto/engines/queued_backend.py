"""What our joblib backends have in common: they have all calls before any runs.

joblib asks for results one after another; nothing runs before the first is asked for.
So can a backend look at all calls, and hand over what is left of them together.
"""

from abc import abstractmethod
from typing import Any

from joblib.parallel import ParallelBackendBase

from sklearn_dask_auto.engines.calls import Call
from sklearn_dask_auto.engines.fits import Fits

__all__ = ["QueuedBackend"]


class QueuedBackend(ParallelBackendBase):
    """Queue calls; where each runs is for the subclass to say."""

    supports_retrieve_callback = False

    def configure(self, n_jobs: int = 1, parallel: Any = None, **_: Any) -> int:
        """Have every call queued at once, so that the rest can be sent together."""
        parallel.pre_dispatch = "all"
        return int(self.effective_n_jobs(n_jobs))

    def start_call(self) -> None:
        """Begin a call of a `Parallel`, which may be called several times."""
        self._calls: list[Call] = []
        self._fits: Fits | None = None
        self._n_taken = 0

    def submit(self, func: Any, callback: Any = None) -> Any:
        """Queue a batch of one call; it runs when its result is asked for."""
        self._calls += func.items
        return callback

    def retrieve_result(self, out: Any, timeout: float | None = None) -> list[Any]:
        """Run the next call, or fetch it from where the rest was sent."""
        result = self._take()
        self._n_taken += 1
        out([result])
        return [result]

    @abstractmethod
    def _take(self) -> Any:
        """Return the result of call number `_n_taken`."""

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Drop what has not run."""
        self._calls = []
        if self._fits is not None:
            self._fits.close()
