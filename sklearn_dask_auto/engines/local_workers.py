"""What all places on this machine have in common: how many calls they are given."""

from collections.abc import Sequence

from sklearn_dask_auto.engines.calls import Call

__all__ = ["LocalWorkers"]


class LocalWorkers:
    """Workers on this machine; how they are given calls is for each kind to say.

    Parameters
    ----------
    n_workers : int
        Calls that run at once.
    """

    has_others = False
    is_on_this_machine = True

    def __init__(self, n_workers: int) -> None:
        self._n_workers = n_workers
        self._n_under_way = 0

    @property
    def width(self) -> int:
        """See `Workers.width`."""
        return self._n_workers

    def expect(self, calls: Sequence[Call]) -> None:
        """See `Workers.expect`: what is here need not be sent before."""

    def has_room(self) -> bool:
        """See `Workers.has_room`: a worker has its next call at hand."""
        return self._n_under_way < 2 * self._n_workers

    def choose(self, calls: Sequence[Call]) -> int:
        """See `Workers.choose`: any call may come to any worker."""
        return 0

    def watch(self) -> None:
        """See `Workers.watch`: none come or go but those that a call tells of."""
