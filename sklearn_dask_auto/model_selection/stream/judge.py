"""Scoring models on the rows that their splits hold out, or that they learned from."""

from collections.abc import Callable, Sequence
from typing import Any

from sklearn_dask_auto.exceptions import LostFitError
from sklearn_dask_auto.model_selection.stream import tasks
from sklearn_dask_auto.model_selection.stream.candidate import Model
from sklearn_dask_auto.model_selection.stream.crew import Crew
from sklearn_dask_auto.model_selection.stream.rows import StreamRows
from sklearn_dask_auto.model_selection.stream.track import Track

__all__ = ["Judge"]

Heard = Callable[[Model, dict[str, Any]], None]


def _nobody(model: Model, entry: dict[str, Any]) -> None:
    """Hear of a score, and do nothing."""


class Judge:
    """Scores models, those of a split on one part of its rows.

    Parameters
    ----------
    rows : StreamRows
        Give the rows to score on.
    part : int
        `HELD_OUT` or `TRAINED_ON`.
    track : Track
        Trains again what was lost.
    crew : Crew
        Does the work.
    budget : int
        Bytes that rows to score on may take.
    scorer : callable
        As scikit-learn's, of one metric or of several.
    error_score : 'raise' or float
        As in scikit-learn.
    """

    def __init__(
        self,
        rows: StreamRows,
        part: int,
        track: Track,
        crew: Crew,
        budget: int,
        scorer: Any,
        error_score: Any,
    ) -> None:
        rows.check_size(part, budget)
        self._rows = rows
        self._part = part
        self._track = track
        self._crew = crew
        self._budget = budget
        self._scorer = scorer
        self._error_score = error_score
        self._kept: list[tuple[Any, dict[str, Any]]] = []

    def score(
        self, models: Sequence[Model], heard: Heard = _nobody
    ) -> list[dict[str, Any]]:
        """Return of each model what came of it, as `tasks.score` does.

        ``heard(model, entry)`` is called as soon as one is scored, but for those that
        have to be scored again.
        """
        found: dict[int, dict[str, Any]] = {}
        for splits in self._groups(models):
            several = [model for model in models if model.split in splits]
            found |= self._scores_of(several, heard)
        return [found[id(model)] for model in models]

    def _scores_of(
        self, models: list[Model], heard: Heard
    ) -> dict[int, dict[str, Any]]:
        lanes = self._crew.lanes(models)

        def hear(number: int, entries: list[dict[str, Any]]) -> None:
            for model, entry in zip(lanes[number], entries, strict=True):
                heard(model, entry)

        kept = self._crew.start([self._scores(lane) for lane in lanes])
        values: Any = self._crew.finish(kept, hear)
        if values is None:
            # All come to an end before one is tried, so that it is alone.
            values = [(self._crew.finish([one]) or [None])[0] for one in kept]
        found: dict[int, dict[str, Any]] = {}
        for lane, entries in zip(lanes, values, strict=True):
            entries = map(self._score_alone, lane) if entries is None else entries
            found |= zip(map(id, lane), entries, strict=True)
        return found

    def _groups(self, models: Sequence[Model]) -> list[list[int]]:
        """Group splits whose rows are in memory at the same time."""
        splits = list(dict.fromkeys(model.split for model in models))
        are_kept = self._rows.keeps(self._part, self._budget)
        return self._crew.groups(splits, len(splits) if are_kept else 1)

    def _scores(self, lane: list[Model]) -> Any:
        from dask import delayed

        X, arguments = self._rows_of(lane[0].split)
        shared = delayed(arguments, pure=False, traverse=False)
        how = (self._scorer, self._error_score)
        score = delayed(tasks.score, pure=False)
        return score(X, shared, *how, *(model.trained for model in lane))

    def _rows_of(self, split: int) -> tuple[Any, dict[str, Any]]:
        """Return rows to score on, kept for the next time if all splits' are."""
        if not self._rows.keeps(self._part, self._budget):
            return self._rows.scored_on(self._part, split)
        if not self._kept:
            n_splits = len(self._rows.splits)
            of_all = [self._rows.scored_on(self._part, i) for i in range(n_splits)]
            # Together, so that no block is read twice.
            kept = self._crew.keep([X for X, _ in of_all])
            self._kept = [
                (X, beside) for X, (_, beside) in zip(kept, of_all, strict=True)
            ]
        return self._kept[split]

    def _score_alone(self, model: Model) -> dict[str, Any]:
        """Score once more who lost its worker, perhaps to another's fault."""
        # The rows may be lost as well, and so may the model.
        self._kept.clear()
        self._track.restore(model)
        values = self._crew.finish([self._scores([model])])
        if values is not None:
            return dict(values[0][0])
        self._kept.clear()
        error = (
            f"with parameters {model.params} its worker died while it was scored, "
            "and died again when it was scored with nothing beside it"
        )
        if self._error_score == "raise":
            raise LostFitError(error)
        return tasks.unscored(self._scorer, self._error_score, f"LostFitError: {error}")
