"""Training candidates in step, batch by batch."""

from collections.abc import Iterator
from typing import Any

from sklearn_dask_auto._sklearn import safe_indexing
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
    error_score : 'raise' or float
        As in scikit-learn.
    """

    def __init__(
        self,
        rows: StreamRows,
        batches: list[Batches],
        crew: Crew,
        error_score: Any,
    ) -> None:
        self._rows = rows
        self._batches = batches
        self._crew = crew
        self._error_score = error_score
        self._loaded: dict[int, Any] = {}
        self._cut: dict[tuple[int, int], list[tuple[Any, Any]]] = {}

    def train(self, candidates: list[Candidate], done: int, reach: int) -> None:
        """Take candidates from `done` calls to `reach`."""
        for of_all in self._runs(done, reach):
            for splits in self._crew.groups(list(of_all), len(of_all)):
                self._train_on(candidates, {split: of_all[split] for split in splits})
        for candidate in candidates:
            candidate.calls = reach

    def _train_on(self, candidates: list[Candidate], runs: dict[int, Run]) -> None:
        """Train the models of some splits on what is due for them."""
        models = [c.models[split] for split in runs for c in candidates]
        before = [(model.trained, model.calls) for model in models]
        self._run(models, runs)
        if self._wait(models):
            return
        # All come to an end before one is tried again, so that it is alone.
        pairs = list(zip(models, before, strict=True))
        lost = [(model, start) for model, start in pairs if not self._wait([model])]
        # What was given up is so, under its name, as long as anyone has it.
        self._loaded.clear()
        for model, start in lost:
            model.resume(*start)
        for model, _ in lost:
            self._run_alone(model, runs)

    def restore(self, model: Model) -> None:
        """Train again, to where it was, a model that was lost with a worker."""
        calls = model.calls
        if not self._wait([model]):
            model.begin()
            for _, number, due in self._batches[model.split].runs(0, calls):
                self._run([model], {model.split: (number, due)})

    def _runs(self, done: int, reach: int) -> Iterator[dict[int, Run]]:
        """Yield what is due of each split, in turns: of one buffer for all splits."""
        turns: dict[int, dict[int, Run]] = {}
        for split, batches in enumerate(self._batches):
            for turn, number, due in batches.runs(done, reach):
                turns.setdefault(turn, {})[split] = number, due
        for turn in sorted(turns):
            yield turns[turn]

    def _run(self, models: list[Model], runs: dict[int, Run]) -> None:
        """Train on some batches of a buffer, and keep the models."""
        lanes = self._crew.lanes(models)
        for split in dict.fromkeys(model.split for model in models):
            number, due = runs[split]
            loaded, batches = self._load(split, number)
            of_split = [lane for lane in lanes if lane[0].split == split]
            for batch in due:
                self._step(of_split, loaded, *batches[batch])
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

    def _load(self, split: int, number: int) -> tuple[Any, list[tuple[Any, Any]]]:
        """Return the rows of a buffer, and where the batches of a split are in it."""
        batches = self._batches[split]
        if number not in self._loaded:
            # The one before is let go first.
            self._loaded.clear()
            self._cut.clear()
            lazy = batches.buffers[number].load()
            self._loaded[number] = self._crew.keep([lazy])[0]
        if (split, number) not in self._cut:
            self._cut[split, number] = batches.cut(number)
        return self._loaded[number], self._cut[split, number]

    def _step(
        self, lanes: list[list[Model]], loaded: Any, places: Any, rows: Any
    ) -> None:
        from dask import delayed

        X = delayed(safe_indexing, pure=False)(loaded, places)
        learned_from = self._rows.learned_from(rows)
        # One value for all models: it would else travel with each of them.
        arguments = delayed(learned_from, pure=False, traverse=False)
        step = delayed(tasks.train, pure=False)
        for lane in lanes:
            trained = step(X, arguments, self._error_score, *(m.trained for m in lane))
            for i, model in enumerate(lane):
                model.trained = trained[i]
