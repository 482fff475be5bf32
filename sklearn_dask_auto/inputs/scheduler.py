"""The one place that hands a dask graph to a scheduler.

It computes where the user would expect: on the client's cluster if there is one, else
on whatever `dask.config` says, threads by default. Two cases need care: a call from
inside a worker's task, which must step aside while it waits; and a client that a
blocking call cannot use, as it is asynchronous, closed, or has no workers, beside which
this process's threads do the work. The plan names the reason.
"""

import math
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import dask

from sklearn_dask_auto._survey import is_in_worker
from sklearn_dask_auto._worker_facts import worker_facts
from sklearn_dask_auto.inputs.describe import is_stored
from sklearn_dask_auto.inputs.threads import bounded_blas

__all__ = [
    "answered_by",
    "block_workers",
    "compute",
    "compute_on",
    "computes_here",
    "here",
    "is_at_hand",
    "is_on_cluster",
    "largest_worker",
    "losses",
    "persist",
    "persist_on",
    "thread_count",
    "told_of",
    "watched_client",
]

IN_THREADS = ("threads", "threading", "sync", "synchronous", "single-threaded")
"""dask's names for the schedulers whose tasks run in this process."""
RESTART_SECONDS = 30
"""What workers may take to come back."""
WATCH_SECONDS = 1
"""Between two looks at whether there are any."""


Answer = Callable[[Any, tuple[Any, ...]], Any]
"""(`compute` or `persist`, collections) -> what that returns."""
Heard = Callable[[int, Any], None]
"""(number of a value, value) -> nothing; called as soon as it is there."""
_ANSWER: ContextVar[Answer | None] = ContextVar("answer", default=None)


@contextmanager
def answered_by(answer: Answer) -> Iterator[None]:
    """Have another do what is asked of `compute` and `persist`, in this context."""
    token = _ANSWER.set(answer)
    try:
        yield
    finally:
        _ANSWER.reset(token)


def compute(*collections: Any) -> tuple[Any, ...]:
    """Compute collections together, each shared task once."""
    return _asked(compute, dask.compute, collections)


def _kind(collection: Any) -> int:
    """Number the kinds of collections that dask optimises apart."""
    # Of the class, as a delayed value has every attribute.
    if hasattr(type(collection), "numblocks"):
        return 0
    return 2 if hasattr(type(collection), "expr") else 1


def persist(*collections: Any) -> tuple[Any, ...]:
    """Compute collections together and keep their blocks in (cluster) memory."""
    return _asked(persist, dask.persist, collections)


def _asked(asked: Any, function: Any, collections: tuple[Any, ...]) -> tuple[Any, ...]:
    answer = _ANSWER.get()
    if answer is None:
        return _together(function, collections)
    return tuple(answer(asked, collections))


def _together(
    function: Callable[..., tuple[Any, ...]], collections: tuple[Any, ...]
) -> tuple[Any, ...]:
    # dask 2026.8 puts collections of a kind side by side and returns their
    # values in that order: (array, frame, array) comes back as (array, array, frame).
    order = sorted(range(len(collections)), key=lambda i: _kind(collections[i]))
    # The cores are for dask's threads.
    with _context() as options, bounded_blas(1), _quiet():
        values = function(*(collections[i] for i in order), **options)
    return tuple(values[order.index(i)] for i in range(len(order)))


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what dask advises, and what we know."""
    with warnings.catch_warnings():
        # Kinds apart, as dask recommends, would share no task.
        warnings.filterwarnings("ignore", "Computing mixed collections", UserWarning)
        # Rows in memory have to travel; a worker that dies has to get them again.
        warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
        yield


def computes_here() -> bool:
    """Tell whether the tasks of `compute` run in this very process."""
    if _client() is not None or is_in_worker():
        return False
    return dask.config.get("scheduler", None) in (None, *IN_THREADS)


@contextmanager
def here() -> Iterator[None]:
    """Have `compute` and `persist` compute in this process, beside any client."""
    if computes_here():
        yield
        return
    with dask.config.set(scheduler="threads"):
        yield


def losses() -> tuple[type[BaseException], ...]:
    """Return what a client raises of tasks that were given up, as workers died."""
    # What they held is not always found again: dask cancels what depends on it.
    return sys.modules["distributed"].scheduler.KilledWorker, CancelledError


@contextmanager
def told_of(lazy: Sequence[Any], heard: Heard) -> Iterator[None]:
    """Have each of several delayed values told of that is computed in this process."""
    from dask.callbacks import Callback

    numbers = {one.key: number for number, one in enumerate(lazy)}

    def tell(key: Any, value: Any, *_: Any) -> None:
        if key in numbers:
            heard(numbers[key], value)

    with Callback(posttask=tell):
        yield


def thread_count() -> int:
    """Return how many tasks run at once where `compute` computes."""
    client = _client()
    if client is not None:
        return max(1, sum(client.nthreads().values()))
    if dask.config.get("scheduler", None) in ("sync", "synchronous", "single-threaded"):
        return 1
    import joblib

    return int(dask.config.get("num_workers", None) or joblib.cpu_count())


def is_at_hand(collection: Any) -> bool:
    """Tell whether the blocks of a collection are in memory where `compute` computes.

    Arrays in this process are not, for a cluster: every pass would send them again.
    """
    if not is_stored(collection):
        return False
    client = _client()
    if client is None or not hasattr(collection, "numblocks"):
        return True
    return all(_is_future(e) for e in dict(collection.__dask_graph__()).values())


def block_workers(array: Any) -> list[str]:
    """Return, for each row block of a stored array, the worker that holds it.

    All blocks are in one place, named "", where there is no cluster.
    """
    keys = [key for row in array.__dask_keys__() for key in row]
    client = _client()
    entries = dict(array.__dask_graph__())
    if client is None or not all(_is_future(entries.get(key)) for key in keys):
        return [""] * len(keys)
    holders = client.who_has([entries[key] for key in keys])
    return [min(holders.get(entries[key].key) or ("",)) for key in keys]


def largest_worker() -> str:
    """Return the address of the worker with the most memory, of the user's client."""
    client = _client()
    if client is None:
        raise RuntimeError("The Dask client was closed after the plan was made.")
    workers = worker_facts(client)
    # One without a limit has what its machine has.
    return str(max(workers, key=lambda w: workers[w]["memory_limit"] or math.inf))


def watched_client() -> Any:
    """Return the client that `compute` uses now, for `compute_on`; or None."""
    return None if is_in_worker() else _client()


def compute_on(
    client: Any, lazy: Sequence[Any], heard: Heard | None = None
) -> tuple[Any, ...]:
    """Compute delayed values on the workers of a client, and nowhere else.

    `heard` is told of each as it comes.

    Raises
    ------
    TimeoutError
        If there are no workers for long.
    """
    distributed = sys.modules["distributed"]
    with _quiet():
        futures = client.compute(list(lazy))
    numbers = {future: number for number, future in enumerate(futures)}
    seen, waiting = time.monotonic(), set(futures)
    how = "ALL_COMPLETED" if heard is None else "FIRST_COMPLETED"
    while waiting:
        done: set[Any] = set()
        with suppress(TimeoutError):
            done, waiting = distributed.wait(waiting, WATCH_SECONDS, how)
        if heard is not None:
            for future in done:
                if future.status == "finished":
                    heard(numbers[future], future.result())
        if done or client.nthreads():
            seen = time.monotonic()
        elif time.monotonic() > seen + RESTART_SECONDS:
            raise TimeoutError(f"there were no workers for {RESTART_SECONDS} s")
    return tuple(client.gather(futures))


def persist_on(client: Any, lazy: Sequence[Any]) -> list[Any]:
    """Have delayed values computed and kept on the workers of a client."""
    with _quiet():
        return list(client.persist(list(lazy)))


def is_on_cluster(collection: Any) -> bool:
    """Tell whether blocks of a collection are values that workers hold."""
    return any(
        _is_future(entry) for entry in dict(collection.__dask_graph__()).values()
    )


def _is_future(entry: Any) -> bool:
    return type(entry).__module__.startswith("distributed.")


def _current_client() -> Any:
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        return distributed.Client.current()
    except ValueError:
        return None


def _client() -> Any:
    """Return the client that a blocking call can use, or None."""
    client = _current_client()
    if client is None or client.asynchronous or client.status != "running":
        return None
    # Without workers it would wait for ever.
    return client if client.nthreads() else None


@contextmanager
def _context() -> Iterator[dict[str, Any]]:
    if is_in_worker():
        # Leave the worker's thread to others while we wait for it.
        with sys.modules["distributed"].worker_client():
            yield {}
    elif _current_client() is not None and _client() is None:
        yield {"scheduler": "threads"}
    else:
        yield {}
