"""Computations that share their passes over the data.

Each asks for values in its own time: a fit of several turns, of which the next depends
on the last. Here they are taken as far as the next thing that they ask for, one after
another; what all of them ask for is then computed at once, so that a block that several
need is read once; and so on, until all have what they want.

Each call has a thread, but only one thread runs at any time, while all others wait.
Nothing in a call has to be safe for threads, and they run in the same order every time.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from threading import Semaphore
from typing import Any, TypeVar

import dask
import sklearn

from sklearn_dask_auto._survey import is_in_worker
from sklearn_dask_auto.inputs.describe import is_stored
from sklearn_dask_auto.inputs.entry import settled
from sklearn_dask_auto.inputs.scheduler import answered_by

__all__ = ["has_columns_apart", "readable_together", "share_passes"]

T = TypeVar("T")


FILE_OF_COLUMNS = {
    "ReadParquetFSSpec",
    "ReadParquetPyarrowFS",
    "Projection",
    "ArrowStringConversion",
}
"""What dask calls the nodes of a frame that is read from such files, and no more."""


def has_columns_apart(X: Any) -> bool:
    """Tell whether reading some columns of a collection costs as much as they do."""
    if not hasattr(X, "expr"):
        return False
    return {type(node).__name__ for node in X.expr.walk()} <= FILE_OF_COLUMNS


def readable_together(X: Any) -> Any:
    """Return a collection whose blocks are tasks that several computations can share.

    Parameters
    ----------
    X : dask array or dask DataFrame
        Lazy; dask would merge the reading of a block into the tasks that need it, once
        for each of them.

    Returns
    -------
    X : dask array or dask DataFrame
        The same values.
    """
    if is_stored(X):
        return X
    return dask.optimize(X)[0] if hasattr(X, "numblocks") else settled(X)


def share_passes(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Make calls that compute, together.

    Parameters
    ----------
    calls : sequence of callable
        They compute through `scheduler.compute` and `scheduler.persist`, on collections
        that `readable_together` has made from one.

    Returns
    -------
    results : list
        What they return, in order.

    Raises
    ------
    Exception
        What the first of them raises that does, as if they were made in order.
    """
    if len(calls) < 2 or is_in_worker():
        return [call() for call in calls]
    # A block that is merged into one task is not found by another.
    with (
        dask.config.set({"optimization.fuse.active": False}),
        ThreadPoolExecutor(len(calls)) as threads,
    ):
        talks = [_Talk(call, threads) for call in calls]
        try:
            return _results(talks)
        finally:
            for talk in talks:
                talk.stop()


class _Stopped(BaseException):
    """Raised in a call that nobody wants the result of, where it asks for values."""


class _Talk:
    """A call that stops where it asks for values, and goes on when it has them.

    Parameters
    ----------
    call : callable
        It is started by the first `go_on`.
    threads : Executor
        With a free thread.
    """

    def __init__(self, call: Callable[[], Any], threads: ThreadPoolExecutor) -> None:
        self.asked: tuple[Any, tuple[Any, ...]] | None = None
        self._answer: Future[Any] = Future()
        self._mine, self._theirs = Semaphore(0), Semaphore(0)
        self._is_stopped = False
        settings = sklearn.get_config()
        self.result = threads.submit(copy_context().run, self._run, call, settings)

    def go_on(self, answer: "Future[Any] | None" = None) -> None:
        """Run the call until it asks again or is over."""
        self.asked = None
        if answer is not None:
            self._answer = answer
        self._mine.release()
        self._theirs.acquire()

    def error(self) -> BaseException | None:
        """Return what the call, which is over, has raised."""
        return self.result.exception()

    def stop(self) -> None:
        """End the call where it waits, if it does."""
        self._is_stopped = True
        self._mine.release()

    def _run(self, call: Callable[[], Any], settings: dict[str, Any]) -> Any:
        self._wait()
        try:
            with sklearn.config_context(**settings), answered_by(self._ask):
                return call()
        finally:
            self._theirs.release()

    def _ask(self, function: Any, collections: tuple[Any, ...]) -> Any:
        self.asked = function, collections
        self._theirs.release()
        self._wait()
        return self._answer.result()

    def _wait(self) -> None:
        self._mine.acquire()
        if self._is_stopped:
            raise _Stopped


def _results(talks: list[_Talk]) -> list[Any]:
    """Go on with all, until they are over or the first of them has failed."""
    answers: dict[_Talk, Future[Any] | None] = dict.fromkeys(talks)
    while answers:
        for talk, answer in answers.items():
            talk.go_on(answer)
        failed = [talk for talk in talks if talk.asked is None and talk.error()]
        # Of those after it, nobody will hear.
        wanted = talks[: talks.index(failed[0])] if failed else talks
        answers = _answers([talk for talk in wanted if talk.asked is not None])
    return [talk.result.result() for talk in failed[:1] or talks]


def _answers(talks: list[_Talk]) -> dict[_Talk, Future[Any] | None]:
    """Compute what is asked for, all at once."""
    answers: dict[_Talk, Future[Any] | None] = {}
    for function in {talk.asked[0] for talk in talks if talk.asked}:
        group = [talk for talk in talks if talk.asked and talk.asked[0] is function]
        answers |= _answers_of(function, group)
    return answers


def _answers_of(function: Any, talks: list[_Talk]) -> dict[_Talk, Any]:
    asked = [talk.asked[1] for talk in talks if talk.asked]
    together = _outcome(function, [value for values in asked for value in values])
    if together.exception() is not None:
        # Whose error it is, each shows alone.
        outcomes = [_outcome(function, values) for values in asked]
        return dict(zip(talks, outcomes, strict=True))
    values = iter(together.result())
    return {
        talk: _known(tuple(next(values) for _ in own))
        for talk, own in zip(talks, asked, strict=True)
    }


def _outcome(function: Any, collections: Sequence[Any]) -> "Future[Any]":
    """Return what a computation gives: values, or the error that it ends with."""
    outcome: Future[Any] = Future()
    try:
        outcome.set_result(function(*collections))
    except Exception as error:
        outcome.set_exception(error)
    return outcome


def _known(value: Any) -> "Future[Any]":
    future: Future[Any] = Future()
    future.set_result(value)
    return future
