"""Calls as tasks on the cluster of a Dask client, with data sent once.

Calls are tasks, short ones several together. Each is sent to a worker that has room
for it, so that as many run on a worker as its threads and its memory allow. What calls
have in common lies on those workers before; a task refers to it.
"""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from typing import Any, NamedTuple

from sklearn_dask_auto._worker_memory import process_bytes
from sklearn_dask_auto.engines.calls import (
    Call,
    Reply,
    Setting,
    pack,
    run_packed,
    shared,
)
from sklearn_dask_auto.engines.fits import GoneError, LostError
from sklearn_dask_auto.engines.shared_steps import shared_fold
from sklearn_dask_auto.routing.cost import USABLE_MEMORY
from sklearn_dask_auto.routing.profile import format_bytes

__all__ = ["ClusterWorkers"]

WATCH_SECONDS = 1.0
"""Between two questions to the scheduler, who its workers are."""
WAIT_SECONDS = 30.0
"""How long a cluster may be without workers, or out of reach."""
SCATTER_SECONDS = 2.0
"""How long to wait for workers that take no data, before others are chosen."""
BATCH_SECONDS = 0.1
"""Shorter calls are sent together: one costs several milliseconds to send."""
LARGE_GRAPH_BYTES = 5_000_000
"""A call that is larger goes as data: dask warns of large graphs."""


class ClusterWorkers:
    """Workers of a Dask cluster.

    Parameters
    ----------
    client : distributed.Client
        Synchronous and connected.
    n_slots : int
        Calls that run at once, on all workers together.
    data_bytes, fit_bytes : int
        What a worker holds for all calls, and what each of them takes beside it.
    echoes : bool
        Print here what calls print there.
    known : dict
        Futures of data that was sent already, by the identity of the object, which the
        caller keeps alive.
    """

    batch_seconds = BATCH_SECONDS

    def __init__(
        self,
        client: Any,
        n_slots: int,
        *,
        data_bytes: int,
        fit_bytes: int,
        echoes: bool = False,
        known: dict[int, Any] | None = None,
    ) -> None:
        self._client = client
        self._n_slots = n_slots
        self._data_bytes, self._fit_bytes = data_bytes, fit_bytes
        self._echoes = echoes
        self._known = dict(known or {})
        self._data: list[Any] = []
        self._futures: list[Any] = []
        self._rooms: dict[str, _Room] = {}
        self._under_way: dict[Any, str] = {}
        # The folds whose shared steps each worker has fitted.
        self._folds: dict[str, set[int]] = {}
        self._most_memory = 0
        self._reached = time.monotonic()
        self._look()

    @property
    def has_others(self) -> bool:
        """See `Workers.has_others`."""
        return len(self._rooms) > 1

    @property
    def is_on_this_machine(self) -> bool:
        """See `Workers.is_on_this_machine`."""
        hosts = {room.host for room in self._rooms.values()}
        return all(h.startswith("127.") or h in ("localhost", "::1") for h in hosts)

    @property
    def width(self) -> int:
        """See `Workers.width`."""
        n_fits = sum(room.n_fits for room in self._rooms.values())
        return max(1, min(n_fits, self._n_slots))

    def expect(self, calls: Sequence[Call]) -> None:
        """See `Workers.expect`: what is large goes to the workers that get calls."""
        known = {id(value) for value in self._data}
        new = [value for value in shared(calls) if id(value) not in known]
        self._futures += self._scatter(new)
        self._data += new

    def has_room(self) -> bool:
        """See `Workers.has_room`."""
        self._look()
        n_fits = sum(room.n_fits for room in self._rooms.values())
        is_capped = self._n_slots < n_fits
        if is_capped and len(self._under_way) >= self._n_slots:
            return False
        return any(self._free(address) > 0 for address in self._chosen())

    def choose(self, calls: Sequence[Call]) -> int:
        """See `Workers.choose`: a fold that it has met, or else nobody has."""
        folds = [shared_fold(call) for call in calls]
        if folds[0] is None:
            return 0
        own = self._folds.get(self._pick(None), set())
        of_all = set().union(*self._folds.values())
        met = (i for i, fold in enumerate(folds) if fold in own)
        new = (i for i, fold in enumerate(folds) if fold not in of_all)
        return next(met, next(new, 0))

    def submit(
        self, calls: Sequence[Call], done: Callable[[], None], beside: Any = None
    ) -> Any:
        """See `Workers.submit`."""
        address = self._pick(self._under_way.get(beside))
        folds = {fold for fold in map(shared_fold, calls) if fold is not None}
        self._folds.setdefault(address, set()).update(folds)
        packed: Any = pack(calls, self._setting(address), self._data)
        if len(packed) > LARGE_GRAPH_BYTES:
            [packed] = self._send([packed], address)
        future = self._client.submit(
            run_packed,
            packed,
            *self._futures,
            key=f"fit-{uuid.uuid4().hex}",
            workers=[address],
            # Else it would wait for this very worker, should it die.
            allow_other_workers=True,
        )
        # Results come here as they are ready, while we do something else.
        replies = asyncio.run_coroutine_threadsafe(
            self._bring(future), self._client.loop.asyncio_loop
        )
        handle = _Task(future, replies)
        self._under_way[handle] = address
        replies.add_done_callback(lambda _: done())
        return handle

    async def _bring(self, future: Any) -> list[Reply]:
        replies: list[Reply] = await self._client.gather(future, asynchronous=True)
        return replies

    def fetch(self, handle: Any) -> list[Reply]:
        """See `Workers.fetch`."""
        from distributed import KilledWorker

        address = self._under_way.pop(handle, "")
        self._check_client()
        try:
            replies: list[Reply] = handle.replies.result()
        except KilledWorker as error:
            cause = f"KilledWorker: {error}{self._limits()}"
            raise LostError(cause, is_suspect=True) from error
        except CancelledError as error:
            self._check_client()
            cause = f"dask gave it up: {error}.{self._limits()}"
            self._look(at_once=True)
            self._send_data_again()
            # With the last worker that held the data, what ran on it is cancelled.
            raise LostError(cause, is_suspect=address not in self._rooms) from error
        return replies

    def _limits(self) -> str:
        """Tell the memory of workers, which calls that kill them may have filled."""
        self._most_memory = max(
            (room.memory for room in self._rooms.values()), default=self._most_memory
        )
        if not self._most_memory:
            return ""
        return f" Workers have {format_bytes(self._most_memory)} each."

    def forget(self, handle: Any) -> None:
        """See `Workers.forget`."""
        self._under_way.pop(handle, None)
        if handle is not None and self._client.status == "running":
            handle.future.cancel()

    def watch(self) -> None:
        """See `Workers.watch`."""
        self._check_client()
        self._look()

    def close(self) -> None:
        """See `Workers.close`: what was sent is released."""
        self._under_way.clear()
        self._futures.clear()
        self._data.clear()

    def _check_client(self) -> None:
        status = self._client.status
        if status in ("closing", "closed"):
            raise GoneError(f"the Dask client is {status}")

    def _look(self, at_once: bool = False) -> None:
        """Ask the scheduler now and then who its workers are."""
        now = time.monotonic()
        if self._rooms and now < self._reached + WATCH_SECONDS and not at_once:
            return
        self._check_client()
        try:
            facts = self._client.sync(
                self._client.scheduler.identity,
                n_workers=-1,
                callback_timeout=WAIT_SECONDS,
            )
        except (OSError, TimeoutError) as error:
            self._rooms = {}
            reason = f"the scheduler is out of reach ({error})"
        else:
            self._rooms = {
                address: self._room(address, facts)
                for address, facts in facts["workers"].items()
            }
            reason = f"the cluster at {self._client.scheduler.address} has no workers"
        if self._rooms:
            self._reached = now
        elif now > self._reached + WAIT_SECONDS:
            raise GoneError(f"{reason}, for {WAIT_SECONDS:.0f} s now")

    def _room(self, address: str, facts: dict[str, Any]) -> "_Room":
        threads, memory = facts["nthreads"], facts["memory_limit"] or 0
        n_fits = threads
        if memory:
            own = process_bytes(self._client, address, facts)
            free = USABLE_MEMORY * memory - own - self._data_bytes
            # One is tried in any case: the estimate is rough, and a plan was made.
            n_fits = min(threads, max(1, int(free // max(1, self._fit_bytes))))
        return _Room(threads, n_fits, memory, facts["host"])

    def _free(self, address: str) -> int:
        """Return how many calls a worker can be sent: it has one more at hand."""
        room = self._rooms[address]
        is_bound = room.n_fits < room.threads or self._n_slots < self._n_threads()
        most = room.n_fits + (0 if is_bound else 1)
        return most - sum(where == address for where in self._under_way.values())

    def _n_threads(self) -> int:
        return sum(room.threads for room in self._rooms.values())

    def _pick(self, avoided: str | None) -> str:
        """Return the worker with the most room."""
        others = [address for address in self._chosen() if address != avoided]
        return max(others or self._rooms, key=self._free)

    def _setting(self, address: str) -> Setting:
        room = self._rooms[address]
        beside = [r.n_fits for r in self._rooms.values() if r.host == room.host]
        is_alone = room.threads == 1 and not address.startswith("inproc:")
        return Setting(
            fits_on_host=max(1, min(sum(beside), self._n_slots)),
            is_alone=is_alone,
            echoes=self._echoes and is_alone,
        )

    def _scatter(self, values: list[Any]) -> list[Any]:
        """Send to the workers that will have calls what they do not have yet."""
        futures = {i: self._known.get(id(value)) for i, value in enumerate(values)}
        missing = [i for i, future in futures.items() if future is None]
        if missing:
            sent = self._send([values[i] for i in missing])
            futures.update(zip(missing, sent, strict=True))
        return [futures[i] for i in range(len(values))]

    def _send(self, values: list[Any], address: str | None = None) -> list[Any]:
        """Send values to workers that get calls, or to one, as long as it is there."""
        # This ends: without workers for long, `_look` raises.
        while True:
            # Workers that died may not be known to have.
            self._look(at_once=True)
            if self._rooms:
                addresses = [address] if address in self._rooms else self._chosen()
                with contextlib.suppress(KeyError, OSError, TimeoutError):
                    return self._send_to(addresses, values)
            time.sleep(WATCH_SECONDS / 10)

    def _send_to(self, addresses: Any, values: list[Any]) -> list[Any]:
        """Scatter values, as long as all who shall have them are there.

        The scheduler goes on for half a minute to call a worker that has died.
        """
        sending = asyncio.run_coroutine_threadsafe(
            self._scattered(addresses, values), self._client.loop.asyncio_loop
        )
        while True:
            try:
                futures: list[Any] = sending.result(WATCH_SECONDS)
            except TimeoutError:
                self._look(at_once=True)
                if sending.done() or not self._rooms.keys() >= set(addresses):
                    sending.cancel()
                    raise
            else:
                return futures

    async def _scattered(self, addresses: Any, values: list[Any]) -> Any:
        return await self._client.scatter(
            values,
            workers=addresses,
            # Workers fetch it from each other: a broadcast, once a worker dies in it,
            # holds the scheduler's lock, and others wait for that.
            hash=False,
            timeout=SCATTER_SECONDS,
            asynchronous=True,
        )

    def _chosen(self) -> list[str]:
        """Return no more workers than there are calls to run at once."""
        largest = sorted(self._rooms, key=lambda a: -self._rooms[a].n_fits)
        return largest[: self._n_slots]

    def _send_data_again(self) -> None:
        """Replace data that went down with the workers that had it.

        What was put together there has a recipe, by which dask makes it again.
        """
        held = self._client.who_has([f for f in self._futures if not _is_lost(f)])
        is_lost = [
            # What was sent as its worker died looks fine from here, and is nowhere.
            _is_lost(future) or not (id(value) in self._known or held.get(future.key))
            for value, future in zip(self._data, self._futures, strict=True)
        ]
        pairs = list(zip(self._data, is_lost, strict=True))
        lost = [value for value, is_gone in pairs if is_gone]
        if not lost:
            return
        for value in lost:
            self._known.pop(id(value), None)
        sent = iter(self._send(lost))
        self._futures = [
            next(sent) if is_gone else future
            for future, is_gone in zip(self._futures, is_lost, strict=True)
        ]


def _is_lost(future: Any) -> bool:
    return future.status in ("cancelled", "lost", "error")


class _Task(NamedTuple):
    """Calls under way: the task, and its outcome on the way here."""

    future: Any
    replies: Any


class _Room(NamedTuple):
    """What a worker offers."""

    threads: int
    n_fits: int
    memory: int
    host: str
