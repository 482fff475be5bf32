"""Who computes the tasks of a search by `partial_fit`, and what is known of losses.

Workers may die of a model, and a client may close. Both come back as errors of all
kinds, or as none; here they are told apart from errors of the model's own.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from sklearn_dask_auto.engines.fits import GoneError
from sklearn_dask_auto.model_selection.stream.candidate import Model

__all__ = ["Crew"]


class Crew:
    """The threads of this process, or the workers of the client that is current.

    Parameters
    ----------
    n_jobs : int or None
        Most models to work on at once; None is as many as there is room for.
    """

    def __init__(self, n_jobs: int | None) -> None:
        from sklearn_dask_auto.inputs.scheduler import computes_here, watched_client

        self._n_jobs = n_jobs
        self._client: Any = None if computes_here() else watched_client()

    def groups(self, splits: Sequence[int], most: int) -> list[list[int]]:
        """Cut splits into groups that are worked on at the same time, `most` each."""
        most = most if self._n_jobs is None else min(most, self._n_jobs)
        return [list(splits[i : i + most]) for i in range(0, len(splits), most)]

    def lanes(self, models: Sequence[Model]) -> list[list[Model]]:
        """Share models out to as many lanes as may run at once, each of one split."""
        of_splits: dict[int, list[Model]] = {}
        for model in models:
            of_splits.setdefault(model.split, []).append(model)
        lanes = []
        for several in of_splits.values():
            n_lanes = len(several)
            if self._n_jobs is not None:
                n_lanes = min(n_lanes, max(1, self._n_jobs // len(of_splits)))
            lanes += [several[i::n_lanes] for i in range(n_lanes)]
        return lanes

    def keep(self, lazy: Sequence[Any]) -> list[Any]:
        """Have values computed, and kept where they are."""
        from sklearn_dask_auto.inputs.scheduler import persist, persist_on

        if self._client is None:
            return list(persist(*lazy))
        with self._watched():
            return persist_on(self._client, lazy)

    def start(self, lazy: Sequence[Any]) -> list[Any]:
        """Have values computed and kept that others compute; `finish` gives them."""
        return list(lazy) if self._client is None else self.keep(lazy)

    def finish(self, lazy: Sequence[Any], heard: Any = None) -> Sequence[Any] | None:
        """Compute values; None if workers died of it.

        ``heard(number, value)`` is called with each as it comes.

        Raises
        ------
        GoneError
            If the client closed, or there are no workers any more.
        """
        from sklearn_dask_auto.inputs.scheduler import (
            compute,
            compute_on,
            losses,
            told_of,
        )

        if self._client is None:
            with nullcontext() if heard is None else told_of(lazy, heard):
                return compute(*lazy)
        with self._watched():
            try:
                return compute_on(self._client, lazy, heard)
            except losses():
                if self._client.status != "running":
                    raise
            return None

    def wait(self, lazy: Sequence[Any]) -> bool:
        """Wait for values that stay where they are; False if workers died of it.

        Waiting also keeps a cluster from loading the buffers to come beside this one.
        """
        from dask import delayed

        from sklearn_dask_auto.model_selection.stream.tasks import nothing

        if self._client is None:
            return True
        waits = delayed(nothing, pure=False)
        return self.finish([waits(value) for value in lazy]) is not None

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Raise `GoneError` for any error of a client that is no more."""
        try:
            yield
        except Exception as error:  # never kept: all it does is to tell the cause
            if self._client.status == "running" and not isinstance(error, TimeoutError):
                raise
            status = self._client.status
            cause = error if status == "running" else f"the Dask client is {status}"
            raise GoneError(str(cause)) from error
