"""Hyperband: successive halving, from many candidates on little to few on all.

Li, Jamieson, DeSalvo, Rostamizadeh, Talwalkar (2018), "Hyperband", JMLR 18(185). The
resource is calls of `partial_fit`, each on one batch of rows; or rows, or a parameter
of the estimator, on which every round fits from scratch.

Brackets run side by side: the rounds of all of them that have the same resources are
one round here, whose fits can all run at once.
"""

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.model_selection import ParameterSampler
from sklearn.utils import check_random_state

from sklearn_dask_auto._sklearn import (
    begin_task,
    end_task,
    halving_searches,
    subsampled_splits,
)
from sklearn_dask_auto.model_selection.strategies.base import count_grid
from sklearn_dask_auto.model_selection.strategies.halving import Halving
from sklearn_dask_auto.model_selection.strategies.partial_fit import (
    check_streamed,
    least_calls,
    most_calls,
    nearest,
)
from sklearn_dask_auto.model_selection.strategies.rounds import (
    Bracket,
    best_first,
    hyperband_brackets,
)

__all__ = ["Hyperband"]


class Hyperband(Halving):
    """Candidates of all brackets, side by side."""

    @property
    def resource(self) -> str:
        """What "auto" stands for is `partial_fit`, of an estimator that has it."""
        if self.search.resource != "auto":
            return str(self.search.resource)
        has_it = hasattr(self.search.estimator, "partial_fit")
        return "partial_fit" if has_it else "n_samples"

    @property
    def streams(self) -> bool:
        """The resource is `partial_fit`."""
        return self.resource == "partial_fit"

    def plain(self) -> Any:
        """Return the nearest that scikit-learn has: candidates drawn at random."""
        if self.streams:
            return nearest(self.search, _count_first(self.brackets()))
        _, at_random = halving_searches()
        return at_random(
            self.search.estimator, self.search.param_grid, **self._options()
        )

    def count_candidates(self, n_rows: int | None) -> int:
        """Count the scores of all rounds of all brackets."""
        most, least = self._bounds(n_rows)
        return sum(sum(b.counts) for b in self._brackets_between(least, most))

    def check(self) -> None:
        """Refuse what cannot be meant."""
        super().check()
        if self.search.factor <= 1:
            raise ValueError(
                "strategy='hyperband' takes a factor above 1. Got "
                f"factor={self.search.factor!r}."
            )
        if self.search.decay_rate is not None:
            raise ValueError(
                "strategy='hyperband' cuts by factor alone. Got decay_rate="
                f"{self.search.decay_rate!r}; strategy='halving' takes one."
            )
        if self.streams:
            check_streamed(self.search)

    def brackets(self) -> list[Bracket]:
        """Return the brackets, the one with most candidates first."""
        return self._brackets_between(least_calls(self.search), most_calls(self.search))

    def draw(self, random: Any) -> Iterator[tuple[Bracket, list[dict[str, Any]]]]:
        """Draw the candidates of each bracket."""
        yield from self._drawn(self.brackets(), random)

    def told_of(self, brackets: list[Bracket]) -> dict[str, Any]:
        """Return nothing: each bracket has rounds of its own."""
        return {}

    def run(self, plain: Any, evaluate_candidates: Any, callback_ctx: Any) -> None:
        """Evaluate the rounds of all brackets, those with fewest resources first."""
        brackets = self._brackets_between(plain.min_resources_, plain.max_resources_)
        self._check_not_searched()
        random = check_random_state(self.search.random_state)
        racing = dict(self._drawn(brackets, random))
        resources = sorted({n for bracket in brackets for n in bracket.resources})
        plain.n_resources_, plain.n_candidates_ = resources, []
        context = begin_task(
            self.search,
            callback_ctx,
            task_name="search",
            max_subtasks=len(resources),
        )
        for n_resources in resources:
            rows = self._rows_of_round(racing, n_resources)
            plain.n_candidates_.append(len(rows))
            self._tell(len(rows), n_resources)
            inner = begin_task(
                self.search,
                context,
                task_name="hyperband-round",
                max_subtasks=len(rows) * plain.n_splits_,
                sequential_subtasks=False,
            )
            results = evaluate_candidates(
                [params for _, _, params in rows],
                self._splits(plain, n_resources),
                more_results={
                    "bracket": [bracket.number for bracket, _, _ in rows],
                    "iter": [iteration for _, iteration, _ in rows],
                    "n_resources": [n_resources] * len(rows),
                },
                callback_ctx=inner,
            )
            end_task(self.search, inner)
            scores = results["mean_test_score"][-len(rows) :]
            _cut(racing, rows, scores, n_resources)
        end_task(self.search, context)

    def best_index(self, refit: Any, refit_metric: str, results: Any) -> Any:
        """Return the best of those that had all resources."""
        resources = np.asarray(results["n_resources"])
        last = np.flatnonzero(resources == resources.max())
        return last[best_first(results["mean_test_score"][last])[0]]

    def _options(self) -> dict[str, Any]:
        options = super()._options()
        options["resource"] = self.resource
        if options["min_resources"] == "exhaust":
            # The last round of every bracket has all resources anyway.
            options["min_resources"] = "smallest"
        return options

    def _is_grid(self) -> bool:
        return False

    def _check_not_searched(self) -> None:
        grids = self.search.param_grid
        grids = [grids] if isinstance(grids, dict) else grids
        if any(self.resource in grid for grid in grids):
            raise ValueError(
                f"Cannot use parameter {self.resource} as the resource since it is "
                "part of the searched parameters."
            )

    def _brackets_between(self, least: int, most: int) -> list[Bracket]:
        n_distinct = count_grid(self.search.param_grid)
        return hyperband_brackets(least, most, self.search.factor, n_distinct)

    def _drawn(
        self, brackets: list[Bracket], random: Any
    ) -> Iterator[tuple[Bracket, list[dict[str, Any]]]]:
        for bracket in brackets:
            sampler = ParameterSampler(
                self.search.param_grid, bracket.counts[0], random_state=random
            )
            yield bracket, list(sampler)

    def _rows_of_round(
        self, racing: dict[Bracket, list[dict[str, Any]]], n_resources: int
    ) -> list[tuple[Bracket, int, dict[str, Any]]]:
        """Return bracket, iteration and parameters of who is to be evaluated."""
        own = {} if self.resource == "n_samples" else {self.resource: n_resources}
        return [
            (bracket, bracket.resources.index(n_resources), {**params, **own})
            for bracket, several in racing.items()
            if n_resources in bracket.resources
            for params in several
        ]

    def _tell(self, n_candidates: int, n_resources: int) -> None:
        if self.search.verbose:
            told = f"n_candidates: {n_candidates}\nn_resources: {n_resources}\n"
            sys.stdout.write("-" * 10 + f"\n{told}")

    def _splits(self, plain: Any, n_resources: int) -> Any:
        if self.resource != "n_samples":
            return plain._checked_cv_orig
        fraction = n_resources / plain._n_samples_orig
        return subsampled_splits(
            plain._checked_cv_orig, fraction, self.search.random_state
        )


def _count_first(brackets: list[Bracket]) -> int:
    return sum(bracket.counts[0] for bracket in brackets)


def _cut(
    racing: dict[Bracket, list[dict[str, Any]]],
    rows: list[tuple[Bracket, int, dict[str, Any]]],
    scores: Any,
    n_resources: int,
) -> None:
    """Keep of each bracket as many as its next round takes, the best first."""
    for bracket in racing:
        of_bracket = [i for i, row in enumerate(rows) if row[0] == bracket]
        if not of_bracket or n_resources == bracket.resources[-1]:
            continue
        n_kept = bracket.counts[bracket.resources.index(n_resources) + 1]
        order = best_first(scores[of_bracket])[:n_kept]
        racing[bracket] = [racing[bracket][i] for i in order]
