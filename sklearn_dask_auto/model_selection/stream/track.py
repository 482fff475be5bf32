"""Training candidates in step, batch by batch."""

from typing import Any

from sklearn_dask_auto.exceptions import LostFitError
from sklearn_dask_auto.model_selection.stream import tasks
from sklearn_dask_auto.model_selection.stream.batches import Batches
from sklearn_dask_auto.model_selection.stream.candidate import Candidate
from sklearn_dask_auto.model_selection.stream.rows import StreamRows

__all__ = ["Track"]


class Track:
    """Trains several candidates in step, batch by batch.

    Parameters
    ----------
    rows : StreamRows
        Give the arguments of `partial_fit`.
    batches : Batches
        What each call learns from.
    n_jobs : int or None
        Most models to train at once; None is as many as there is room for.
    error_score : 'raise' or float
        As in scikit-learn.
    """

    def __init__(
        self, rows: StreamRows, batches: Batches, n_jobs: int | None, error_score: Any
    ) -> None:
        from sklearn_dask_auto.inputs.scheduler import computes_here

        self._rows = rows
        self._batches = batches
        self._n_jobs = n_jobs
        self._error_score = error_score
        self._loaded: tuple[int, list[Any]] = (-1, [])
        self._is_here = computes_here()

    def train(self, candidates: list[Candidate], done: int, reach: int) -> None:
        """Take candidates from `done` calls to `reach`."""
        for number, due in self._batches.runs(done, reach):
            self._await_workers()
            before = [candidate.trained for candidate in candidates]
            self._run(candidates, number, due)
            if self._has_ended(candidates):
                continue
            for candidate, start in zip(candidates, before, strict=True):
                if not self._has_ended([candidate]):
                    self._run_alone(candidate, start, number, due)
        for candidate in candidates:
            candidate.calls = reach

    def _run(self, candidates: list[Candidate], number: int, due: list[int]) -> None:
        """Train on some batches of a buffer, and keep the models."""
        from sklearn_dask_auto.inputs.scheduler import persist

        batches = self._load(number)
        for batch in due:
            self._step(candidates, *batches[batch])
        kept = persist(*(candidate.trained for candidate in candidates))
        for candidate, trained in zip(candidates, kept, strict=True):
            candidate.trained = trained

    def _run_alone(
        self, candidate: Candidate, start: Any, number: int, due: list[int]
    ) -> None:
        """Train once more who lost its worker, perhaps to another's fault."""
        from dask import delayed

        candidate.trained = start
        self._run([candidate], number, due)
        if self._has_ended([candidate]):
            return
        error = (
            f"with parameters {candidate.params} its worker died while it was trained, "
            "and died again when it was trained with nothing beside it"
        )
        if self._error_score == "raise":
            raise LostFitError(error)
        lost = tasks.Trained(None, error=f"LostFitError: {error}")
        candidate.trained = delayed(lost, pure=False)

    def _has_ended(self, candidates: list[Candidate]) -> bool:
        """Wait until candidates are trained; tell whether no worker died of it.

        Waiting also keeps a cluster from loading the buffers to come beside this one.
        """
        from dask import delayed

        from sklearn_dask_auto.inputs.scheduler import compute, has_lost_workers

        if self._is_here:
            return True
        wait = delayed(tasks.nothing, pure=False)
        try:
            compute(*(wait(candidate.trained) for candidate in candidates))
        except Exception as error:  # what training raises, for error_score="raise"
            if not has_lost_workers(error):
                raise
            self._await_workers()
            return False
        return True

    def _await_workers(self) -> None:
        from sklearn_dask_auto.inputs.scheduler import await_workers

        if not self._is_here:
            await_workers()

    def lanes(self, candidates: list[Candidate]) -> list[list[Candidate]]:
        """Share candidates out to as many lanes as may run at once."""
        n_lanes = len(candidates)
        if self._n_jobs is not None:
            n_lanes = min(n_lanes, self._n_jobs)
        return [candidates[i::n_lanes] for i in range(n_lanes)]

    def _load(self, number: int) -> list[Any]:
        if self._loaded[0] != number:
            # The one before is let go first.
            self._loaded = (-1, [])
            self._loaded = (number, self._batches.buffers[number].load())
        return self._loaded[1]

    def _step(self, candidates: list[Candidate], X: Any, rows: Any) -> None:
        from dask import delayed

        learned_from = self._rows.learned_from(rows)
        # One value for all candidates: it would else travel with each of them.
        arguments = delayed(learned_from, pure=False, traverse=False)
        step = delayed(tasks.train, pure=False)
        for lane in self.lanes(candidates):
            trained = step(X, arguments, self._error_score, *(c.trained for c in lane))
            for i, candidate in enumerate(lane):
                candidate.trained = trained[i]
