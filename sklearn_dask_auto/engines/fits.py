"""Many calls on workers, of which any may die: what each call comes to.

`joblib.Parallel` ends with the first worker that dies and gives up every result. Here
a result, once it arrived, is kept. A call that was under way when its worker died may
be at fault or not; it is tried once more, after all others, with nothing beside it.
Dying a second time it is given up, alone.

`Workers` is all that a place to run calls has to offer. There are three: threads of
this process (`local_threads`), processes beside it (`local_processes`) and the cluster
of a Dask client (`cluster_workers`).
"""

import math
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, Protocol, cast

import joblib

from sklearn_dask_auto.engines.calls import Call, Reply, replay
from sklearn_dask_auto.engines.watch import watched
from sklearn_dask_auto.inputs.threads import bounded_threads

__all__ = ["Fits", "GoneError", "LostError", "Surroundings", "Workers"]

POLL_SECONDS = 0.5
"""Between two looks at whether the workers are still there."""
ATTENTION_SECONDS = 0.005
"""The same while a call runs here."""
ROUNDS = 3
"""Calls that are sent together are few enough for each worker to get some so often."""
WINDOW = 100
"""Of so many calls the next one may be chosen."""
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
    """Settings that were in force where a search began; they belong to its thread.

    Parameters
    ----------
    backend : joblib.parallel.ParallelBackendBase
        What joblib was told to use.
    processes : joblib.Parallel
        Not begun; over local processes, whatever `backend` is.
    config : dict
        scikit-learn's.
    elsewhere : dict
        Futures of rows that are on the workers of a cluster already, by the identity
        of what stands for them.
    """

    backend: Any
    processes: joblib.Parallel
    config: dict[str, Any] = field(default_factory=dict)
    elsewhere: dict[int, Any] = field(default_factory=dict)


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

    @property
    def width(self) -> int:
        """How many calls run at once."""
        ...

    @property
    def batch_seconds(self) -> float:
        """Calls that together take less are worth sending together."""
        ...

    def expect(self, calls: Sequence[Call]) -> None:
        """Get ready for these calls; send ahead what they have in common."""
        ...

    def has_room(self) -> bool:
        """Tell whether one more call may be sent now."""
        ...

    def choose(self, calls: Sequence[Call]) -> int:
        """Return which of the next calls suits the worker best that gets one now."""
        ...

    def submit(
        self, calls: Sequence[Call], done: Callable[[], None], beside: Any = None
    ) -> Any:
        """Send calls to one worker, which runs them one after another.

        `done` is called, in any thread, when there is an outcome of them all. `beside`
        is the handle of an earlier try, whose worker is to be avoided.
        """
        ...

    def fetch(self, handle: Any) -> list[Reply]:
        """Return the outcomes of calls that are done, or raise.

        The error of one as it is; `LostError` if they were lost; `GoneError` if all
        are.
        """
        ...

    def forget(self, handle: Any) -> None:
        """Drop calls whose outcomes nobody waits for."""
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
    seconds : float
        How long a call may take, as far as is known.
    helps : bool, default=False
        Run calls here as well, until the first outcome arrives: workers that have to
        start or to import take a second or two for it.
    """

    def __init__(
        self,
        calls: Sequence[Call],
        workers: Workers,
        on_lost: Callable[[Call, str], Any],
        on_gone: Callable[[str], Workers | None],
        seconds: float,
        helps: bool = False,
    ) -> None:
        self._calls = calls
        self._workers: Workers | None = workers
        self._on_lost = on_lost
        self._on_gone = on_gone
        self._todo = deque(range(len(calls)))
        self._suspects: deque[int] = deque()
        self._under_way: dict[int, _Try] = {}
        self._replies: dict[int, Reply] = {}
        self._taken: set[int] = set()
        self._done: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._n_tries = 0
        self._restarts: dict[int, int] = {}
        self._longest = 0.0
        self._is_expected = False
        self._seconds = _Mean(seconds)
        self._helps = helps

    def take(self, index: int) -> Any:
        """Return the result of a call, waiting for it; raise its error."""
        while index not in self._replies:
            self.advance(0.0 if self._helps else POLL_SECONDS)
            if self._helps and index not in self._replies:
                self._help()
        self._taken.add(index)
        return replay(self._replies.pop(index))

    def learn(self, seconds: float) -> None:
        """Hear how long a call took that ran here."""
        self._seconds.add(seconds)

    def advance(self, seconds: float) -> None:
        """Send what there is room for; wait at most so long for one outcome."""
        try:
            self._expect()
            self._send()
            self._receive(seconds)
        except GoneError as gone:
            self._move(str(gone))

    def attend(self, is_over: threading.Event) -> None:
        """Keep workers busy until `is_over`, while the main thread runs a call."""
        while self._workers is not None and not is_over.is_set():
            self.advance(ATTENTION_SECONDS)

    def finished(self) -> dict[int, Any]:
        """Return the results that arrived and were not taken, by number of the call."""
        return {index: reply.value for index, reply in self._replies.items()}

    def close(self) -> None:
        """Forget what is under way, but for results that are here already."""
        if self._workers is not None:
            self._receive_what_is_done()
            for attempt in self._under_way.values():
                self._workers.forget(attempt.handle)
        self._under_way.clear()
        self._todo.clear()

    def _is_settled(self, index: int) -> bool:
        return index in self._replies or index in self._taken

    def _expect(self) -> None:
        if self._workers is not None and not self._is_expected:
            self._workers.expect(self._calls)
            self._is_expected = True

    def _send(self) -> None:
        if self._workers is None:
            if self._todo:
                index = self._todo.popleft()
                self._replies[index] = self._run_here(index)
            return
        while self._todo and self._workers.has_room():
            self._try(self._batch())
        if self._suspects and not self._todo and not self._under_way:
            self._try([self._suspects.popleft()], is_alone=True)

    def _batch(self) -> list[int]:
        """Take the next calls to send: several if short, and some for every worker."""
        workers, seconds = cast("Workers", self._workers), self._seconds
        # What was only expected is a lower bound.
        most = workers.batch_seconds / seconds.value if seconds.is_measured else 1
        fair = math.ceil(len(self._todo) / (ROUNDS * workers.width))
        n_calls = max(1, min(int(most), fair))
        return [self._next() for _ in range(n_calls)]

    def _next(self) -> int:
        """Take the call that suits best, of the first few."""
        first = [self._calls[index] for index in islice(self._todo, WINDOW)]
        number = cast("Workers", self._workers).choose(first)
        index = self._todo[number]
        del self._todo[number]
        return index

    def _try(
        self, indices: list[int], *, is_alone: bool = False, beside: Any = None
    ) -> None:
        self._n_tries += 1
        number = self._n_tries
        # In the books before it is sent, so that no error can lose it.
        self._under_way[number] = attempt = _Try(indices, is_alone, time.monotonic())
        attempt.handle = self._workers.submit(  # type: ignore[union-attr]
            [self._calls[index] for index in indices],
            partial(self._done.put, number),
            beside,
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
        if attempt is None or all(map(self._is_settled, attempt.indices)):
            return
        try:
            replies = self._workers.fetch(attempt.handle)
        except LostError as lost:
            self._lose(attempt, lost)
        except GoneError:
            self._under_way[number] = attempt
            raise
        else:
            self._keep(attempt, replies)

    def _receive_what_is_done(self) -> None:
        workers = cast("Workers", self._workers)
        while not self._done.empty():
            attempt = self._under_way.pop(self._done.get(), None)
            if attempt is not None:
                # Nobody waits for what a call raised, which may be anything.
                with suppress(Exception):
                    self._keep(attempt, workers.fetch(attempt.handle))

    def _keep(self, attempt: "_Try", replies: list[Reply]) -> None:
        self._helps = False
        self._longest = max(self._longest, time.monotonic() - attempt.started)
        for index, reply in zip(attempt.indices, replies, strict=True):
            self._seconds.add(reply.seconds)
            if not self._is_settled(index):
                self._replies[index] = reply
        self._forget_what_is_settled()

    def _lose(self, attempt: "_Try", lost: LostError) -> None:
        # What kills workers would kill this process.
        self._helps = False
        for index in attempt.indices:
            is_tried = any(index in other.indices for other in self._under_way.values())
            if is_tried or self._is_settled(index):
                continue
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
        tried = {i for attempt in self._under_way.values() for i in attempt.indices}
        suspects, left = {*self._suspects}, {*tried, *self._todo}
        self._under_way.clear()
        self._suspects.clear()
        self._workers = self._on_gone(cause)
        self._is_expected = False
        if self._workers is None:
            # What may have killed a worker is not to kill this process.
            for index in sorted(suspects):
                self._give_up(index, cause)
        else:
            left |= suspects
        self._todo = deque(sorted(i for i in left if not self._is_settled(i)))

    def _help(self) -> None:
        """Run here a call that no worker has begun, or may have begun."""
        index = self._spare()
        if index is None:
            return
        with watched(self.attend), bounded_threads(share=1):
            reply = self._run_here(index)
        if not self._is_settled(index):
            self._replies[index] = reply
        self._forget_what_is_settled()

    def _spare(self) -> int | None:
        if self._todo:
            return self._todo.popleft()
        tried = [i for attempt in self._under_way.values() for i in attempt.indices]
        return min((i for i in tried if not self._is_settled(i)), default=None)

    def _run_here(self, index: int) -> Reply:
        function, args, kwargs = self._calls[index]
        return Reply(function(*args, **kwargs), [])

    def _repeat_what_is_overdue(self) -> None:
        """Try on another worker what takes much longer than all others did."""
        workers = self._workers
        if workers is None or not workers.has_others or self._todo or self._suspects:
            return
        patience = max(PATIENCE_SECONDS, PATIENCE * self._longest)
        tries = list(self._under_way.values())
        for attempt in tries:
            is_overdue = time.monotonic() - attempt.started > patience
            is_only = sum(other.indices == attempt.indices for other in tries) == 1
            if is_overdue and is_only and not attempt.is_alone and workers.has_room():
                self._try(attempt.indices, beside=attempt.handle)

    def _forget_what_is_settled(self) -> None:
        for number, attempt in list(self._under_way.items()):
            if all(map(self._is_settled, attempt.indices)):
                self._workers.forget(attempt.handle)  # type: ignore[union-attr]
                del self._under_way[number]


@dataclass
class _Try:
    """Calls on their way together."""

    indices: list[int]
    is_alone: bool
    started: float
    handle: Any = None


class _Mean:
    """A mean of what was measured; until then, what was expected."""

    def __init__(self, expected: float) -> None:
        self.value = expected
        self._n_values = 0

    @property
    def is_measured(self) -> bool:
        """Whether there is anything to divide by."""
        return self._n_values > 0 and self.value > 0

    def add(self, value: float) -> None:
        """Take one more value into the mean."""
        self._n_values += 1
        self.value += (value - self.value) / self._n_values
