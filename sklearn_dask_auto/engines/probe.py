"""A joblib backend that begins fits here and watches what they take.

scikit-learn's searches hand their fits to `joblib.Parallel`, whose backend can be
chosen from outside; this is the public seam at which the library decides where they
run. The first fit runs in this process and is kept. While it runs, and after it, a
`Place` is asked, with the time it took so far, where the rest should run: here, or on
workers. So fits that take a moment never leave, where workers are up the others do not
wait for the first, and a first fit that takes minutes does not keep them waiting. It
has its share of the cores, as if the others ran beside it already; of those that stay
here the second has all of them, and the faster way goes on (`ThreadTrial`).

A search that calls its `Parallel` several times, as halving does for each round, is
asked about each call, with what the call before it measured. Whatever else asks joblib
for workers meanwhile, such as the fits themselves or the refit, finds the settings that
were in force before: the first `Parallel` that finds the backend is the search's, and
the last to do so.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Protocol

import joblib

from sklearn_dask_auto.engines.calls import Call
from sklearn_dask_auto.engines.fits import Fits
from sklearn_dask_auto.engines.native_threads import ThreadTrial
from sklearn_dask_auto.engines.queued_backend import QueuedBackend
from sklearn_dask_auto.engines.watch import watched

__all__ = ["Place", "ProbingBackend"]

FIRST_LOOK_SECONDS = 0.002
"""A fit that takes less than this is never watched; then each look waits as long as
all before it."""
LONGER = 1.1
"""Asked again, a place says the same unless fits turned out to be longer."""
MANY = 8
"""Of fewer fits none is spent on finding out how many threads suit them."""


class Place(Protocol):
    """Who decides where fits run, and learns what came of them."""

    @property
    def may_leave(self) -> bool:
        """Whether there is any other place than here."""
        ...

    def begin(self, calls: list[Call]) -> None:
        """Hear of a round of calls, before any of them runs."""
        ...

    def choose(self, seconds: float, calls: list[Call]) -> Fits | None:
        """Return the calls under way on workers, or None to run one more here.

        `seconds` is what a fit took so far, or at least takes; `calls` is what is
        left.
        """
        ...

    def finish(self, result: Any) -> None:
        """Hear of the next result, in order."""
        ...


class ProbingBackend(QueuedBackend):
    """Run fits here until `place` names another place for the rest.

    Parameters
    ----------
    place : Place
        Is asked.
    n_probes : int, default=1
        Fits to run here before the first question; 0 to ask at once. Only the first
        call runs them: later ones know how long the fits of the last one took, and ask
        at once.
    """

    def __init__(self, place: Place, n_probes: int = 1) -> None:
        super().__init__()
        self._place = place
        self._n_probes = n_probes
        self._config: Any = None
        self._last_seconds: float | None = None
        self._trial: ThreadTrial | None = None
        self.start_call()

    @contextmanager
    def active(self) -> Iterator[None]:
        """Be found by the next `joblib.Parallel` of this thread, and by no other."""
        self._config = joblib.parallel_config(backend=self)
        try:
            yield
        finally:
            self._config.unregister()
            self._end_trial()

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Return 2, as joblib runs a single job without asking its backend."""
        return 2

    def configure(self, n_jobs: int = 1, parallel: Any = None, **_: Any) -> int:
        """Serve the search's `Parallel`, and step aside for all others."""
        self._config.unregister()
        return super().configure(n_jobs, parallel)

    def start_call(self) -> None:
        """Begin a call of the `Parallel`, of which a halving search makes several."""
        super().start_call()
        self._seconds: list[float] = []
        self._n_before_fits = 0
        self._asked = 0.0
        self._end_trial()

    def stop_call(self) -> None:
        """Keep how long the fits of this call took, wherever they ran."""
        if self._seconds:
            self._last_seconds = _mean(self._seconds)
        if self._trial is not None:
            # The refit comes next.
            self._trial.settle()

    def _take(self) -> Any:
        if self._n_taken == 0:
            self._place.begin(self._calls)
            self._begin_trial()
        if self._fits is None and self._place.may_leave and self._is_time_to_ask():
            self._ask(self._expected_seconds())
        if self._fits is not None:
            self._end_trial()
            result = self._fits.take(self._n_taken - self._n_before_fits)
            self._seconds.append(_told_seconds(result))
        else:
            result = self._run_here()
        self._place.finish(result)
        return result

    def _is_time_to_ask(self) -> bool:
        is_told = self._last_seconds is not None
        if not is_told and len(self._seconds) < self._n_probes:
            return False
        return self._asked == 0 or self._expected_seconds() > LONGER * self._asked

    def _expected_seconds(self) -> float:
        # Rounds of a halving search differ: this one's own fits are the better guide.
        return _mean(self._seconds) if self._seconds else self._last_seconds or 0.0

    def _ask(self, seconds: float, n_here: int = 0) -> None:
        self._n_before_fits = self._n_taken + n_here
        calls = self._calls[self._n_before_fits :]
        self._asked = seconds
        if calls:
            self._fits = self._place.choose(seconds, calls)

    def _begin_trial(self) -> None:
        n_calls = len(self._calls)
        if self._place.may_leave and n_calls >= MANY:
            cores = joblib.cpu_count()
            self._trial = ThreadTrial(max(1, cores // n_calls))

    def _end_trial(self) -> None:
        if self._trial is not None:
            self._trial.end()
            self._trial = None

    def _run_here(self) -> Any:
        function, args, kwargs = self._calls[self._n_taken]
        if self._trial is not None:
            self._trial.begin()
        started = time.perf_counter()
        # Starting a thread for each of many short fits would show.
        is_watched = self._n_taken == 0 and self._place.may_leave
        with watched(self._look) if is_watched else nullcontext():
            result = function(*args, **kwargs)
        seconds = time.perf_counter() - started
        if self._trial is None or self._trial.learn(seconds):
            self._seconds.append(seconds)
        if self._fits is not None:
            # What was known when they were sent was less.
            self._fits.learn(seconds)
        return result

    def _look(self, is_over: threading.Event) -> None:
        """Ask again and again while a fit runs here, until the rest is under way."""
        seconds = FIRST_LOOK_SECONDS
        while self._fits is None and not is_over.wait(seconds):
            self._ask(max(seconds, self._expected_seconds()), n_here=1)
            seconds *= 2
        if self._fits is not None:
            self._fits.attend(is_over)


def _mean(seconds: list[float]) -> float:
    return sum(seconds) / len(seconds)


def _told_seconds(result: Any) -> float:
    """Return how long a fit and its scores took, as scikit-learn's result tells."""
    return float(result["fit_time"] + result["score_time"])
