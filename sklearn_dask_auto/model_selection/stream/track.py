"""Training candidates in step, batch by batch."""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from sklearn_dask_auto.exceptions import LostFitError
from sklearn_dask_auto.model_selection.stream import tasks
from sklearn_dask_auto.model_selection.stream.batches import Batches
from sklearn_dask_auto.model_selection.stream.candidate import Candidate, Model
from sklearn_dask_auto.model_selection.stream.crew import Crew
from sklearn_dask_auto.model_selection.stream.rows import StreamRows

__all__ = ["Track"]

Run = tuple[int, list[int]]
"""A buffer of a split, by its number, and the batches of it that are due."""


class Track:
    """Trains several candidates in step, batch by batch, on all splits.

    Parameters
    ----------
    rows : StreamRows
        Give the arguments of `partial_fit`.
    batches : list of Batches
        For each split, what each call learns from.
    crew : Crew
        Does the work.
    n_together : int
        Splits whose rows may be loaded at the same time.
    error_score : 'raise' or float
        As in scikit-learn.
    """

    def __init__(
        self,
        rows: StreamRows,
        batches: list[Batches],
        crew: Crew,
        n_together: int,
        error_score: Any,
    ) -> None:
        self._rows = rows
        self._batches = batches
        self._crew = crew
        self._n_together = n_together
        self._error_score = error_score
        self._loaded: dict[int, tuple[int, list[Any]]] = {}

    def train(self, candidates: list[Candidate], done: int, reach: int) -> None:
        """Take candidates from `done` calls to `reach`."""
        for runs in self._runs(done, reach):
            models = [c.models[split] for split in runs for c in candidates]
            before = [(model.trained, model.calls) for model in models]
            self._run(models, runs)
            if not self._wait(models):
                # All come to an end before one is tried again, so that it is alone.
                pairs = list(zip(models, before, strict=True))
                lost = [(m, start) for m, start in pairs if not self._wait([m])]
                # What was given up is so, under its name, as long as anyone has it.
                self._loaded.clear()
                for model, start in lost:
                    model.resume(*start)
                for model, _ in lost:
                    self._run_alone(model, runs)
        for candidate in candidates:
            candidate.calls = reach

    def restore(self, model: Model) -> None:
        """Train again, to where it was, a model that was lost with a worker."""
        calls = model.calls
        if not self._wait([model]):
            model.begin()
            for run in self._batches[model.split].runs(0, calls):
                self._run([model], {model.split: run})

    def _runs(self, done: int, reach: int) -> Iterator[dict[int, Run]]:
        """Yield what is loaded at the same time, by split."""
        groups = self._crew.groups(range(len(self._batches)), self._n_together)
        for splits in groups:
            if len(groups) > 1:
                self._loaded.clear()
            of_splits = (self._batches[split].runs(done, reach) for split in splits)
            for runs in zip_longest(*of_splits):
                yield {
                    split: run
                    for split, run in zip(splits, runs, strict=True)
                    if run is not None
                }

    def _run(self, models: list[Model], runs: dict[int, Run]) -> None:
        """Train on some batches of a buffer, and keep the models."""
        lanes = self._crew.lanes(models)
        for split in dict.fromkeys(model.split for model in models):
            number, due = runs[split]
            batches = self._load(split, number)
            of_split = [lane for lane in lanes if lane[0].split == split]
            for batch in due:
                self._step(of_split, *batches[batch])
        kept = self._crew.keep([model.trained for model in models])
        for model, trained in zip(models, kept, strict=True):
            model.resume(trained, model.calls + len(runs[model.split][1]))

    def _run_alone(self, model: Model, runs: dict[int, Run]) -> None:
        """Train once more who lost its worker, perhaps to another's fault."""
        from dask import delayed

        self.restore(model)
        self._run([model], runs)
        if self._wait([model]):
            return
        error = (
            f"with parameters {model.params} its worker died while it was trained, "
            "and died again when it was trained with nothing beside it"
        )
        if self._error_score == "raise":
            raise LostFitError(error)
        self._loaded.clear()
        lost = tasks.Trained(None, error=f"LostFitError: {error}")
        model.trained = delayed(lost, pure=False)

    def _wait(self, models: list[Model]) -> bool:
        """Wait until models are trained; tell whether none lost its worker."""
        return self._crew.wait([model.trained for model in models])

    def _load(self, split: int, number: int) -> list[Any]:
        if split not in self._loaded or self._loaded[split][0] != number:
            # The one before is let go first.
            self._loaded.pop(split, None)
            batches, numbers = self._batches[split].buffers[number].load()
            kept = self._crew.keep(batches)
            self._loaded[split] = (number, list(zip(kept, numbers, strict=True)))
        return self._loaded[split][1]

    def _step(self, lanes: list[list[Model]], X: Any, rows: Any) -> None:
        from dask import delayed

        learned_from = self._rows.learned_from(rows)
        # One value for all models: it would else travel with each of them.
        arguments = delayed(learned_from, pure=False, traverse=False)
        step = delayed(tasks.train, pure=False)
        for lane in lanes:
            trained = step(X, arguments, self._error_score, *(m.trained for m in lane))
            for i, model in enumerate(lane):
                model.trained = trained[i]
