"""A joblib backend that times the first fits here before sending any away.

scikit-learn's searches hand their fits to `joblib.Parallel`, whose backend can be
chosen from outside; this is the public seam at which the library decides where they
run. The first fits run in this process, one after another, and are kept. After each,
`choose` is asked, with the time they took, where the rest should run: here, or in
another `joblib.Parallel`. A search that calls its `Parallel` several times, as halving
does for each round, is asked about each call, with what the call before it measured.

Whatever else asks joblib for workers meanwhile, such as the fits themselves or the
refit, finds the settings that were in force before: the first `Parallel` that finds the
backend is the search's, and the last to do so.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import joblib
from joblib.parallel import ParallelBackendBase

__all__ = ["ProbingBackend"]

Choose = Callable[[float, list[Any]], "joblib.Parallel | None"]
"""(mean seconds of a fit so far, calls left) -> where to run them, None for here."""


class ProbingBackend(ParallelBackendBase):
    """Run fits here until `choose` names another place for the rest.

    Parameters
    ----------
    choose : callable
        ``choose(mean_seconds, calls_left)`` returns a `joblib.Parallel` with
        ``return_as="generator"``, or None to run one more fit here.
    n_probes : int, default=1
        Fits to run here before the first question; 0 to ask at once. Only the first
        call runs them: later ones know how long the fits of the last one took, and ask
        at once.
    """

    supports_retrieve_callback = False

    def __init__(self, choose: Choose, n_probes: int = 1) -> None:
        super().__init__()
        self._choose = choose
        self._n_probes = n_probes
        self._config: Any = None
        self._queue: list[_Fit] = []
        self._seconds: list[float] = []
        self._last_seconds: float | None = None
        self._elsewhere: Iterator[Any] | None = None

    @contextmanager
    def active(self) -> Iterator[None]:
        """Be found by the next `joblib.Parallel` of this thread, and by no other."""
        self._config = joblib.parallel_config(backend=self)
        try:
            yield
        finally:
            self._config.unregister()

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Return 2, as joblib runs a single job without asking its backend."""
        return 2

    def configure(self, n_jobs: int = 1, parallel: Any = None, **_: Any) -> int:
        """Serve the search's `Parallel`, and step aside for all others."""
        self._config.unregister()
        # Every fit is queued at once, so that the rest can be handed over together.
        parallel.pre_dispatch = "all"
        return self.effective_n_jobs(n_jobs)

    def start_call(self) -> None:
        """Begin a call of the `Parallel`, of which a halving search makes several."""
        self._queue, self._seconds, self._elsewhere = [], [], None

    def stop_call(self) -> None:
        """Keep how long the fits of this call took, wherever they ran."""
        if self._seconds:
            self._last_seconds = _mean(self._seconds)

    def submit(self, func: Any, callback: Any = None) -> "_Fit":
        """Queue a batch of one fit; it runs when its result is asked for."""
        fit = _Fit(func.items, callback)
        self._queue.append(fit)
        return fit

    def retrieve_result(self, out: "_Fit", timeout: float | None = None) -> list[Any]:
        """Run the next fit here, or fetch it from where the rest was sent."""
        if self._elsewhere is None and self._is_time_to_ask():
            self._send_rest()
        self._queue.pop(0)
        if self._elsewhere is not None:
            results = [next(self._elsewhere) for _ in out.calls]
            self._seconds += [_told_seconds(result) for result in results]
        else:
            results = self._run_here(out)
        out.callback(results)
        return results

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Drop what has not run."""
        self._queue.clear()
        if self._elsewhere is not None:
            self._elsewhere.close()  # type: ignore[attr-defined]

    def _is_time_to_ask(self) -> bool:
        return self._last_seconds is not None or len(self._seconds) >= self._n_probes

    def _send_rest(self) -> None:
        # Rounds of a halving search differ: this one's own fits are the better guide.
        seconds = _mean(self._seconds) if self._seconds else self._last_seconds or 0.0
        calls = [call for fit in self._queue for call in fit.calls]
        parallel = self._choose(seconds, calls)
        if parallel is not None:
            self._elsewhere = iter(parallel(calls))

    def _run_here(self, fit: "_Fit") -> list[Any]:
        started = time.perf_counter()
        results = [function(*args, **kwargs) for function, args, kwargs in fit.calls]
        self._seconds.append(time.perf_counter() - started)
        return results


def _mean(seconds: list[float]) -> float:
    return sum(seconds) / len(seconds)


def _told_seconds(result: Any) -> float:
    """Return how long a fit and its scores took, as scikit-learn's result tells."""
    return float(result["fit_time"] + result["score_time"])


class _Fit:
    """A queued fit, and whom to tell when it is done."""

    def __init__(self, calls: list[Any], callback: Any) -> None:
        self.calls = calls
        self.callback = callback
