"""Telling of a search by `partial_fit` while it runs: prints, and callbacks."""

import sys
from typing import Any

from sklearn_dask_auto._sklearn import begin_task, end_task, fit_task
from sklearn_dask_auto.model_selection.progress import Told
from sklearn_dask_auto.model_selection.strategies.rounds import Bracket
from sklearn_dask_auto.model_selection.stream.results import seconds

__all__ = ["Report"]


class Report:
    """Prints as scikit-learn's halving does, and callbacks told of every score.

    Parameters
    ----------
    search : AutoScaleSearchCV
        Its `verbose` and its callbacks.
    X, y : object
        As for `fit`; for callbacks.
    brackets : list of Bracket
        To come.
    n_splits : int
        On each of which a candidate is scored.
    """

    def __init__(
        self, search: Any, X: Any, y: Any, brackets: list[Bracket], n_splits: int
    ) -> None:
        self._search = search
        self._verbose = search.verbose
        self._n_splits = n_splits
        self._data = {"X": X, "y": y}
        self._fit = fit_task(search, X, y)
        self._told = Told(search)
        self._told.expect(n_splits * sum(sum(b.counts) for b in brackets))
        self._heard: set[tuple[int, int]] = set()
        self._rounds = begin_task(
            self._search,
            self._fit,
            task_name="search",
            max_subtasks=sum(len(b.counts) for b in brackets),
        )

    def score(self, candidate: int, split: int, entry: dict[str, Any]) -> None:
        """Tell of a model whose round ends, once."""
        if (candidate, split) not in self._heard:
            self._heard.add((candidate, split))
            self._told.hear(entry, self._n_splits, (candidate, split))

    def round(
        self, bracket: Bracket, iteration: int, rows: list[dict[str, Any]]
    ) -> None:
        """Tell of a round, by what its candidates came to."""
        self._write(_lines(bracket, iteration, rows))
        context = begin_task(
            self._search,
            self._rounds,
            task_name="halving-iteration",
            max_subtasks=len(rows) * self._n_splits,
            sequential_subtasks=False,
        )
        for row in rows:
            # Those that were scored before, or again.
            for split, entry in enumerate(row["splits"]):
                self.score(row["candidate"], split, entry)
                self._heard.remove((row["candidate"], split))
        for i in range(len(rows) * self._n_splits):
            name = "candidate-split-evaluation"
            one = begin_task(self._search, context, task_name=name, task_id=i)
            end_task(self._search, one)
        end_task(self._search, context)

    def _write(self, lines: list[str]) -> None:
        n_lines = {0: 0, 1: HEAD}.get(self._verbose, len(lines))
        sys.stdout.writelines(f"{line}\n" for line in lines[:n_lines])

    def end_search(self) -> None:
        """Tell that nobody is left to train."""
        end_task(self._search, self._rounds)

    def end(self) -> None:
        """Tell that all is done, the refit included."""
        if self._search.refit:
            name = "refit-with-best-params"
            end_task(self._search, begin_task(self._search, self._fit, task_name=name))
        end_task(self._search, self._fit, **self._data)


HEAD = 6
"""Lines about a round; those about each candidate follow."""


def _lines(bracket: Bracket, iteration: int, rows: list[dict[str, Any]]) -> list[str]:
    best = max((row["score"] for row in rows), default=float("nan"))
    return [
        "-" * 10,
        f"bracket: {bracket.number}",
        f"iter: {iteration}",
        f"n_candidates: {len(rows)}",
        f"n_resources: {bracket.resources[iteration]}",
        f"best score: {best:.4f}",
        *map(_line, rows),
    ]


def _line(row: dict[str, Any]) -> str:
    params = ", ".join(f"{name}={value}" for name, value in row["params"].items())
    took = seconds(row["splits"], "fit_time") + seconds(row["splits"], "score_time")
    return f"[CV] END {params}; score={row['score']:.3f} total time={took:6.1f}s"
