"""Training candidates side by side, and leaving the worse behind."""

import time
import warnings
from collections.abc import Iterator
from typing import Any

from sklearn.exceptions import FitFailedWarning

from sklearn_dask_auto.model_selection.scoring import ranking_score
from sklearn_dask_auto.model_selection.strategies.rounds import Bracket, best_first
from sklearn_dask_auto.model_selection.stream.candidate import Candidate, Model
from sklearn_dask_auto.model_selection.stream.report import Report
from sklearn_dask_auto.model_selection.stream.results import seconds
from sklearn_dask_auto.model_selection.stream.stage import Stage

__all__ = ["Race"]


class Race:
    """Candidates of all brackets, trained and cut until nobody is left.

    Parameters
    ----------
    search : AutoScaleSearchCV
        `patience`, `tol`, `refit` and `error_score` are read.
    candidates : list of Candidate
        At the start.
    stage : Stage
        Trains and scores them.
    report : Report
        Is told of every round.

    Attributes
    ----------
    rows : list of dict
        One for each candidate and round.
    history : list of dict
        One for each score, in the order of time.
    """

    def __init__(
        self, search: Any, candidates: list[Candidate], stage: Stage, report: Report
    ) -> None:
        self.rows: list[dict[str, Any]] = []
        self.history: list[dict[str, Any]] = []
        self._search = search
        self._patience, self._tol = search.patience, search.tol
        self._alive = list(candidates)
        self._stage = stage
        self._report = report
        self._started = time.perf_counter()

    def run(self) -> None:
        """Train and cut."""
        done = 0
        while self._alive:
            reach = self._next_stop(done)
            on_track = [c for c in self._alive if not c.has_stopped]
            if on_track:
                self._stage.train(on_track, done, reach)
            due = [c for c in self._alive if c.due == reach]
            scored = on_track if self._is_check(reach) else due
            unscored = [c for c in scored if c in on_track and not _is_scored(c)]
            self._score(unscored, {c.number for c in due})
            self._end_rounds(due)
            self._stop_plateaus(reach)
            done = reach
        self._report.end_search()

    def _next_stop(self, done: int) -> int:
        """Return after how many calls there is something to score."""
        nearest = min(c.due for c in self._alive)
        if self._patience is None or all(c.has_stopped for c in self._alive):
            return nearest
        return min(nearest, (done // self._every + 1) * self._every)

    @property
    def _every(self) -> int:
        """Calls between two scores by which a plateau is seen."""
        return max(1, self._patience // 3)

    def _is_check(self, reach: int) -> bool:
        return self._patience is not None and reach % self._every == 0

    def _score(self, candidates: list[Candidate], due: set[int]) -> None:
        """Score candidates, of which the report hears whose rounds end."""
        if not candidates:
            return
        failures = []

        def hear(model: Model, entry: dict[str, Any]) -> None:
            if model.candidate in due:
                self._report.score(model.candidate, model.split, entry)

        found = self._stage.score(candidates, hear)
        for candidate, entries in zip(candidates, found, strict=True):
            failures += [entry.pop("error") for entry in entries]
            candidate.last = entries
            score = ranking_score(self._search, entries)
            candidate.scores.append((candidate.calls, score))
        self.history += [self._entry(c) for c in candidates]
        self._warn(failures)

    def _entry(self, candidate: Candidate) -> dict[str, Any]:
        return {
            "candidate": candidate.number,
            "bracket": candidate.bracket.number,
            "params": candidate.params,
            "partial_fit_calls": candidate.calls,
            "score": candidate.scores[-1][1],
            "fit_time": seconds(candidate.last, "fit_time"),
            "score_time": seconds(candidate.last, "score_time"),
            "elapsed_time": time.perf_counter() - self._started,
        }

    def _warn(self, failures: list[str | None]) -> None:
        first = next((failure for failure in failures if failure), None)
        if first is not None:
            warnings.warn(
                f"{sum(map(bool, failures))} of {len(failures)} models failed and "
                f"score error_score={self._search.error_score!r}. The first: {first}",
                FitFailedWarning,
                stacklevel=2,
            )

    def _end_rounds(self, due: list[Candidate]) -> None:
        """Write down who came to the end of a round, and send the best to the next."""
        for bracket, several in _by_bracket(due):
            iteration = several[0].round
            rows = [self._row(c) for c in several]
            self._report.round(bracket, iteration, rows)
            for candidate, row in zip(several, rows, strict=True):
                candidate.last_row = len(self.rows)
                self.rows.append(row)
            ranking = best_first([c.scores[-1][1] for c in several])
            is_last = iteration + 1 == len(bracket.counts)
            n_kept = 0 if is_last else bracket.counts[iteration + 1]
            for i in ranking[:n_kept]:
                several[i].round += 1
            for i in ranking[n_kept:]:
                several[i].models.clear()
                self._alive.remove(several[i])

    @staticmethod
    def _row(candidate: Candidate) -> dict[str, Any]:
        return {
            "candidate": candidate.number,
            "bracket": candidate.bracket.number,
            "iter": candidate.round,
            "n_resources": candidate.due,
            "partial_fit_calls": candidate.calls,
            "params": candidate.params,
            "score": candidate.scores[-1][1],
            "splits": candidate.last,
        }

    def _stop_plateaus(self, reach: int) -> None:
        if not self._is_check(reach):
            return
        for candidate in self._alive:
            if candidate.has_plateaued(self._patience, self._tol):
                candidate.has_stopped = True


def _is_scored(candidate: Candidate) -> bool:
    """Tell whether it has learned nothing since its last score."""
    return bool(candidate.scores) and candidate.scores[-1][0] == candidate.calls


def _by_bracket(
    candidates: list[Candidate],
) -> Iterator[tuple[Bracket, list[Candidate]]]:
    for bracket in dict.fromkeys(c.bracket for c in candidates):
        yield bracket, [c for c in candidates if c.bracket == bracket]
