"""Where candidates are trained and scored: on workers, or here if they go."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from sklearn_dask_auto.engines.fits import GoneError
from sklearn_dask_auto.exceptions import LostFitError, NoEngineError
from sklearn_dask_auto.model_selection.strategies.rounds import Bracket
from sklearn_dask_auto.model_selection.stream.candidate import Candidate
from sklearn_dask_auto.model_selection.stream.crew import Crew
from sklearn_dask_auto.model_selection.stream.judge import Judge
from sklearn_dask_auto.model_selection.stream.rows import (
    HELD_OUT,
    TRAINED_ON,
    StreamRows,
)
from sklearn_dask_auto.model_selection.stream.track import Track
from sklearn_dask_auto.routing import Plan, decide
from sklearn_dask_auto.routing.job import workers_asked

__all__ = ["Stage"]


class Stage:
    """Trains and scores candidates; should the client close, goes on here.

    Models that were on its workers are gone then. As batches and their order follow
    from the seed, they are trained once more, to the same models.

    Parameters
    ----------
    search : AutoScaleSearchCV
        Its `error_score` and `return_train_score` are read.
    rows : StreamRows
        To learn from and to score on.
    scorer : callable
        As scikit-learn's.
    plan : Plan
        Made before the search.
    most : int
        Calls of `partial_fit` that a candidate may get.
    seed : int
        Decides how rows are mixed.

    Attributes
    ----------
    plan : Plan
        The last one made.
    """

    def __init__(
        self,
        search: Any,
        rows: StreamRows,
        scorer: Any,
        plan: Plan,
        most: int,
        seed: int,
    ) -> None:
        self.plan = plan
        self._error_score = search.error_score
        self._scores_training = search.return_train_score
        self._rows = rows
        self._scorer = scorer
        self._most, self._seed = most, seed
        self._set_up()

    def _set_up(self) -> None:
        self._crew = Crew(_n_jobs(self.plan))
        self._track = self._track_on([train for train, _ in self._rows.splits])
        self._held_out = self._judge_of(HELD_OUT)
        self._trained_on = self._judge_of(TRAINED_ON) if self._scores_training else None

    def _judge_of(self, part: int) -> Judge:
        how = (self.plan.budget, self._scorer, self._error_score)
        return Judge(self._rows, part, self._track, self._crew, *how)

    def _track_on(self, several: list[Any], error_score: Any = None) -> Track:
        """Return the track of some splits, each given by its training rows."""
        error_score = self._error_score if error_score is None else error_score
        batches = self._rows.batches(several, self._most, self._seed)
        return Track(self._rows, batches, self._crew, error_score)

    def train(self, candidates: list[Candidate], done: int, reach: int) -> None:
        """Take candidates from `done` calls to `reach`."""
        try:
            self._track.train(candidates, done, reach)
        except GoneError as gone:
            self._move_here(str(gone))
            self._train_again(candidates, reach)

    def score(
        self, candidates: list[Candidate], heard: Any
    ) -> list[list[dict[str, Any]]]:
        """Return of each candidate what came of each split, as `tasks.score` does.

        `heard` is told as by `Judge.score`; of some models twice if a client closes.
        """
        try:
            return self._scores(candidates, heard)
        except GoneError as gone:
            self._move_here(str(gone))
            self._train_again(candidates, candidates[0].calls)
            return self._scores(candidates, heard)

    def refit(self, params: dict[str, Any], start: Any, calls: int) -> Any:
        """Return a model that was trained so long on all rows."""
        try:
            return self._refit(params, start, calls)
        except GoneError as gone:
            self._move_here(str(gone))
            return self._refit(params, start, calls)

    def _refit(self, params: dict[str, Any], start: Any, calls: int) -> Any:
        track = self._track_on([np.arange(self._rows.n_rows)], "raise")
        best = Candidate(0, params, Bracket(0, (1,), (calls,)), start)
        track.train([best], 0, calls)
        track.restore(best.models[0])
        values = self._crew.finish([best.models[0].trained])
        if values is None:
            raise LostFitError(f"the worker died that had the model of {params}")
        return values[0].model

    def _scores(
        self, candidates: list[Candidate], heard: Any
    ) -> list[list[dict[str, Any]]]:
        models = [model for c in candidates for model in c.models]
        scored = self._held_out.score(models, heard)
        if self._trained_on is not None:
            on_train = self._trained_on.score(models)
            for entry, other in zip(scored, on_train, strict=True):
                entry["train_scores"] = other["test_scores"]
                entry["error"] = entry["error"] or other["error"]
        found = iter(scored)
        return [[next(found) for _ in c.models] for c in candidates]

    def _train_again(self, candidates: list[Candidate], reach: int) -> None:
        for candidate in candidates:
            for model in candidate.models:
                model.begin()
        self._track.train(candidates, 0, reach)

    def _move_here(self, cause: str) -> None:
        """Plan the rest on this machine, as the cluster is no more."""
        plan = self.plan
        resources = replace(plan.resources, cluster=None, cluster_problem=cause)
        job = replace(plan.job, engine="auto")
        self.plan = decide(plan.profile, job, resources, plan.budget)
        if self.plan.engine is None:
            raise NoEngineError(self.plan.refusal(), self.plan)
        if not self._rows.settle_here(self.plan):
            lost = f"{cause}, and blocks of X were there and not on this machine"
            raise NoEngineError(f"{lost}. Fit again once there are workers.", self.plan)
        message = f"{cause}: the rest of the search runs on this machine."
        warnings.warn(message, RuntimeWarning, stacklevel=2)
        self._set_up()


def _n_jobs(plan: Plan) -> int | None:
    """Return how many models may be trained at once; None is without a limit."""
    n_jobs, cluster = plan.job.n_jobs, plan.resources.cluster
    if n_jobs in (None, -1):
        return None
    if plan.engine == "sklearn" or cluster is None:
        return workers_asked(n_jobs, plan.resources.cores)
    return workers_asked(n_jobs, cluster.n_threads)
