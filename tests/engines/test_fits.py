"""Calls on workers: sent together if short, run here while workers get ready."""

import itertools

import pytest

from sklearn_dask_auto.engines.calls import Setting, run
from sklearn_dask_auto.engines.fits import Fits, GoneError, LostError


class Recorder:
    """Workers that answer at once, or not before `n_waits` looks; they keep a record.

    `deadly` is the value of a call that kills its worker.
    """

    has_others = False
    is_on_this_machine = True
    batch_seconds = 0.1

    def __init__(self, width=2, n_waits=0, deadly=None):
        self.width = width
        self.n_waits = n_waits
        self.deadly = deadly
        self.sent = []
        self.forgotten = []
        self.waiting = []

    def expect(self, calls):
        pass

    def has_room(self):
        if self.n_waits > 0:
            self.n_waits -= 1
        else:
            for done in self.waiting:
                done()
            self.waiting.clear()
        return len(self.waiting) < 2 * self.width

    def choose(self, calls):
        return 0

    def submit(self, calls, done, beside=None):
        self.sent.append([args[0] for _, args, _ in calls])
        self.waiting.append(done)
        return calls

    def fetch(self, handle):
        if self.deadly in [args[0] for _, args, _ in handle]:
            raise LostError("died", is_suspect=True)
        return run(handle, Setting())

    def forget(self, handle):
        self.forgotten.append([args[0] for _, args, _ in handle])

    def watch(self):
        if not self.n_waits:
            self.has_room()


def double(value):
    return 2 * value


def calls(n):
    return [(double, (i,), {}) for i in range(n)]


def fits_on(workers, n, **options):
    return Fits(
        calls(n),
        workers,
        lambda call, cause: (call[1][0], cause),
        lambda cause: None,
        **{"seconds": 0.01, **options},
    )


def test_what_takes_long_or_is_not_measured_is_sent_one_by_one():
    workers = Recorder(n_waits=100)
    fits = fits_on(workers, 20, seconds=0.0)
    fits.advance(0)
    assert workers.sent == [[0], [1], [2], [3]]
    slow = Recorder(n_waits=100)
    fits = fits_on(slow, 20)
    fits.learn(1.0)
    fits.advance(0)
    assert slow.sent == [[0], [1], [2], [3]]


def test_short_calls_are_sent_together_and_every_worker_gets_some():
    workers = Recorder(n_waits=100)
    fits = fits_on(workers, 60)
    fits.learn(0.001)
    fits.advance(0)
    sizes = [len(batch) for batch in workers.sent]
    assert sizes[0] == 10
    assert all(a >= b for a, b in itertools.pairwise(sizes))
    workers.n_waits = 0
    assert [fits.take(i) for i in range(60)] == [2 * i for i in range(60)]


def test_one_of_a_batch_that_kills_its_worker_is_found():
    workers = Recorder(deadly=7)
    fits = fits_on(workers, 24)
    fits.learn(0.001)
    results = [fits.take(i) for i in range(24)]
    assert results == [(7, "died") if i == 7 else 2 * i for i in range(24)]
    assert [7] in workers.sent


@pytest.mark.parametrize("n_waits", [10, 1000])
def test_calls_run_here_until_the_first_outcome_arrives(n_waits):
    workers = Recorder(n_waits=n_waits)
    fits = fits_on(workers, 10, helps=True)
    assert [fits.take(i) for i in range(10)] == [2 * i for i in range(10)]
    sent = {value for batch in workers.sent for value in batch}
    assert sent < set(range(10))
    # Workers that never begin hold nothing up.
    assert bool(workers.forgotten) == (n_waits == 1000)


class Vanishing(Recorder):
    """Are gone for good once the deadly call was sent."""

    def fetch(self, handle):
        if self.deadly in [args[0] for _, args, _ in handle]:
            self.fetch = self.gone
        return super().fetch(handle)

    def gone(self, handle):
        raise GoneError("all gone")


def test_what_may_have_killed_workers_does_not_run_here_once_they_are_gone():
    fits = fits_on(Vanishing(deadly=3), 8)
    results = [fits.take(i) for i in range(8)]
    assert results == [(3, "all gone") if i == 3 else 2 * i for i in range(8)]


def test_what_arrived_before_fits_end_early_is_kept():
    workers = Recorder(n_waits=1)
    fits = fits_on(workers, 8, seconds=0.0)
    assert fits.take(1) == 2
    # The last is under way still; some arrived that nobody looked at.
    fits.close()
    assert fits.finished() == {i: 2 * i for i in (0, 2, 3, 4, 5, 6)}
