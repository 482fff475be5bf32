"""Many calls on workers, of which any may die: what each call comes to.

`joblib.Parallel` ends with the first worker that dies and gives up every result. Here
a result, once it arrived, is kept. A call that was under way when its worker died may
be at fault or not; it is tried once more, after all others, with nothing beside it.
Dying a second time it is given up, alone.

`Workers` is all that a place to run calls has to offer. There are two: processes on
this machine (`local_processes`) and the cluster of a Dask client (`cluster_workers`).
"""

import queue
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import joblib

from sklearn_dask_auto.engines.calls import Call, Reply, replay

__all__ = ["Fits", "GoneError", "LostError", "Surroundings", "Workers"]

POLL_SECONDS = 0.5
"""Between two looks at whether the workers are still there."""
PATIENCE_SECONDS = 5.0
PATIENCE = 5.0
"""A call is overdue after so many seconds, and times the longest one so far."""
MOST_RESTARTS = 5
"""How often a call is sent again that was lost by no fault of its own."""


class LostError(Exception):
    """A call was lost, and not by an error that it raised.

    Parameters
    ----------
    cause : str
        What is known of it.
    is_suspect : bool
        The call was under way on a worker that died, and may have caused it.
    """

    def __init__(self, cause: str, is_suspect: bool) -> None:
        super().__init__(cause)
        self.is_suspect = is_suspect


class GoneError(Exception):
    """There are no workers any more; the text says why."""


@dataclass(frozen=True)
class Surroundings:
    """Settings of joblib's that were in force where a search began.

    Parameters
    ----------
    backend : joblib.parallel.ParallelBackendBase
        What joblib was told to use.
    processes : joblib.Parallel
        Not begun; over local processes, whatever `backend` is.
    """

    backend: Any
    processes: joblib.Parallel


class Workers(Protocol):
    """A place where calls run."""

    @property
    def has_others(self) -> bool:
        """An overdue call may be tried on another worker."""
        ...

    @property
    def is_on_this_machine(self) -> bool:
        """Calls can reach this process, as callbacks of scikit-learn's do."""
        ...

    def expect(self, calls: Sequence[Call]) -> None:
        """Get ready for these calls; send ahead what they have in common."""
        ...

    def has_room(self) -> bool:
        """Tell whether one more call may be sent now."""
        ...

    def submit(self, call: Call, done: Callable[[], None], beside: Any = None) -> Any:
        """Send a call; `done` is called, in any thread, when there is an outcome.

        `beside` is the handle of an earlier try, whose worker is to be avoided.
        """
        ...

    def fetch(self, handle: Any) -> Reply:
        """Return the outcome of a call that is done, or raise.

        Its own error as it is; `LostError` if it was lost; `GoneError` if all are.
        """
        ...

    def forget(self, handle: Any) -> None:
        """Drop a call whose outcome nobody waits for."""
        ...

    def watch(self) -> None:
        """Look whether workers came or went; raise `GoneError` if none is left."""
        ...

    def close(self) -> None:
        """Let go of what was sent, and of calls that were forgotten but still run."""
        ...


class Fits:
    """Calls under way; each result can be taken once, in any order.

    Parameters
    ----------
    calls : sequence of Call
        What to run.
    workers : Workers
        Where.
    on_lost : callable
        ``on_lost(call, cause)`` returns what stands for the result of a call that
        lost its worker twice, or raises.
    on_gone : callable
        ``on_gone(cause)`` returns other workers, or None to run the rest here.
    """

    def __init__(
        self,
        calls: Sequence[Call],
        workers: Workers,
        on_lost: Callable[[Call, str], Any],
        on_gone: Callable[[str], Workers | None],
    ) -> None:
        self._calls = calls
        self._workers: Workers | None = workers
        self._on_lost = on_lost
        self._on_gone = on_gone
        self._todo = deque(range(len(calls)))
        self._suspects: deque[int] = deque()
        self._under_way: dict[int, _Try] = {}
        self._replies: dict[int, Reply] = {}
        self._done: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._n_tries = 0
        self._restarts: dict[int, int] = {}
        self._longest = 0.0
        self._is_expected = False

    def take(self, index: int) -> Any:
        """Return the result of a call, waiting for it; raise its error."""
        while index not in self._replies:
            self.advance(POLL_SECONDS)
        return replay(self._replies.pop(index))

    def advance(self, seconds: float) -> None:
        """Send what there is room for; wait at most so long for one outcome."""
        try:
            self._expect()
            self._send()
            self._receive(seconds)
        except GoneError as gone:
            self._move(str(gone))

    def close(self) -> None:
        """Forget what is under way."""
        if self._workers is not None:
            for attempt in self._under_way.values():
                self._workers.forget(attempt.handle)
        self._under_way.clear()
        self._todo.clear()

    def _expect(self) -> None:
        if self._workers is not None and not self._is_expected:
            self._workers.expect(self._calls)
            self._is_expected = True

    def _send(self) -> None:
        if self._workers is None:
            if self._todo:
                self._run_here(self._todo.popleft())
            return
        while self._todo and self._workers.has_room():
            self._try(self._todo.popleft())
        if self._suspects and not self._todo and not self._under_way:
            self._try(self._suspects.popleft(), is_alone=True)

    def _try(self, index: int, *, is_alone: bool = False, beside: Any = None) -> None:
        self._n_tries += 1
        number = self._n_tries
        # In the books before it is sent, so that no error can lose it.
        self._under_way[number] = attempt = _Try(index, is_alone, time.monotonic())
        attempt.handle = self._workers.submit(  # type: ignore[union-attr]
            self._calls[index], partial(self._done.put, number), beside
        )

    def _receive(self, seconds: float) -> None:
        if self._workers is None:
            return
        try:
            number = self._done.get(timeout=seconds)
        except queue.Empty:
            self._workers.watch()
            self._repeat_what_is_overdue()
            return
        attempt = self._under_way.pop(number, None)
        if attempt is None or attempt.index in self._replies:
            return
        try:
            self._replies[attempt.index] = self._workers.fetch(attempt.handle)
        except LostError as lost:
            self._lose(attempt, lost)
        except GoneError:
            self._under_way[number] = attempt
            raise
        else:
            self._longest = max(self._longest, time.monotonic() - attempt.started)
            self._forget_others(attempt.index)

    def _lose(self, attempt: "_Try", lost: LostError) -> None:
        index = attempt.index
        if any(other.index == index for other in self._under_way.values()):
            return
        if not lost.is_suspect:
            self._restart(index, str(lost))
        elif not attempt.is_alone:
            self._suspects.append(index)
        else:
            self._give_up(index, str(lost))

    def _restart(self, index: int, cause: str) -> None:
        self._restarts[index] = self._restarts.get(index, 0) + 1
        if self._restarts[index] > MOST_RESTARTS:
            self._give_up(index, cause)
        else:
            self._todo.appendleft(index)

    def _give_up(self, index: int, cause: str) -> None:
        self._replies[index] = Reply(self._on_lost(self._calls[index], cause), [])

    def _move(self, cause: str) -> None:
        left = {attempt.index for attempt in self._under_way.values()}
        left = {*left, *self._todo, *self._suspects} - self._replies.keys()
        self._under_way.clear()
        self._suspects.clear()
        self._todo = deque(sorted(left))
        self._workers = self._on_gone(cause)
        self._is_expected = False

    def _run_here(self, index: int) -> None:
        function, args, kwargs = self._calls[index]
        self._replies[index] = Reply(function(*args, **kwargs), [])

    def _repeat_what_is_overdue(self) -> None:
        """Try on another worker what takes much longer than all others did."""
        workers = self._workers
        if workers is None or not workers.has_others or self._todo or self._suspects:
            return
        patience = max(PATIENCE_SECONDS, PATIENCE * self._longest)
        tries = list(self._under_way.values())
        for attempt in tries:
            is_overdue = time.monotonic() - attempt.started > patience
            is_only = sum(other.index == attempt.index for other in tries) == 1
            if is_overdue and is_only and not attempt.is_alone and workers.has_room():
                self._try(attempt.index, beside=attempt.handle)

    def _forget_others(self, index: int) -> None:
        for number, other in list(self._under_way.items()):
            if other.index == index:
                self._workers.forget(other.handle)  # type: ignore[union-attr]
                del self._under_way[number]


@dataclass
class _Try:
    """A call on its way."""

    index: int
    is_alone: bool
    started: float
    handle: Any = None
