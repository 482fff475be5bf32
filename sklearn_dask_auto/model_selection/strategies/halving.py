"""Successive halving: many candidates on little, the best of them on more.

`HalvingGridSearchCV` where every parameter is a list and no number of candidates is
asked for, else `HalvingRandomSearchCV`. By `partial_fit`, which scikit-learn's do not
take for a resource, the rounds are theirs, but candidates go on where they were.
"""

from collections.abc import Iterator
from math import ceil
from typing import Any

from sklearn.base import is_classifier
from sklearn.model_selection import ParameterGrid, ParameterSampler

from sklearn_dask_auto._sklearn import halving_searches, validate_parameters
from sklearn_dask_auto.inputs import count_rows
from sklearn_dask_auto.model_selection.folds import count_splits
from sklearn_dask_auto.model_selection.strategies.base import (
    Strategy,
    count_grid,
    distributions_in,
    shared,
)
from sklearn_dask_auto.model_selection.strategies.partial_fit import (
    check_streamed,
    least_calls,
    most_calls,
    nearest,
)
from sklearn_dask_auto.model_selection.strategies.rounds import (
    Bracket,
    decay_bracket,
    halving_bracket,
    iterations,
)

__all__ = ["Halving"]

FEWEST_CLASSES = 2
"""What a plan, which must not look at `y`, takes for the number of classes."""
UNKNOWN_ROWS = 10_000
"""What a plan takes for a number of rows that nobody knows."""


class Halving(Strategy):
    """Rounds of candidates, each of a `factor` fewer on a `factor` more."""

    @property
    def streams(self) -> bool:
        """The resource is `partial_fit`."""
        return bool(self.search.resource == "partial_fit")

    def plain(self) -> Any:
        """Return a `HalvingGridSearchCV` or a `HalvingRandomSearchCV`."""
        search = self.search
        if self.streams:
            n_candidates = None if self._is_grid() else self.brackets()[0].counts[0]
            return nearest(search, n_candidates)
        options = self._options()
        by_grid, at_random = halving_searches()
        if self._is_grid():
            return by_grid(search.estimator, search.param_grid, **options)
        options["n_candidates"] = search.n_candidates or "exhaust"
        return at_random(search.estimator, search.param_grid, **options)

    def count_candidates(self, n_rows: int | None) -> int:
        """Add up the candidates of all rounds."""
        return sum(self._bracket(*self._bounds(n_rows)).counts)

    def check(self) -> None:
        """Refuse several metrics, as scikit-learn does: halving needs one order."""
        super().check()
        if self.streams:
            check_streamed(self.search)
            if self.search.n_candidates == self.search.min_resources == "exhaust":
                raise ValueError(
                    "n_candidates and min_resources cannot be both set to 'exhaust'."
                )
        validate_parameters(self._judged(), type(self.search).__name__)

    def _judged(self) -> Any:
        """Return scikit-learn's search, whatever the resource."""
        by_grid, _ = halving_searches()
        options = self._options()
        if self.streams:
            # Of several metrics `refit` names the one that cuts.
            del options["scoring"]
        return by_grid(self.search.estimator, self.search.param_grid, **options)

    def brackets(self) -> list[Bracket]:
        """Return the one bracket there is."""
        return [self._bracket(most_calls(self.search), least_calls(self.search))]

    def draw(self, random: Any) -> Iterator[tuple[Bracket, list[dict[str, Any]]]]:
        """List the combinations of a grid, or draw."""
        (bracket,) = self.brackets()
        grid = self.search.param_grid
        if self._is_grid():
            yield bracket, list(ParameterGrid(grid))
        else:
            n_candidates = bracket.counts[0]
            drawn = ParameterSampler(grid, n_candidates, random_state=random)
            yield bracket, list(drawn)

    def told_of(self, brackets: list[Bracket]) -> dict[str, Any]:
        """Return what scikit-learn's halving tells of its rounds."""
        (bracket,) = brackets
        n_rounds, n_last = len(bracket.counts), bracket.counts[-1]
        most, least = self._bounds(None)
        required = possible = n_rounds
        if self.search.decay_rate is None:
            least, required, possible = self._iterations(bracket.counts[0], most, least)
            n_last = ceil(n_last / max(1, self.search.factor))
        return {
            "n_candidates_": list(bracket.counts),
            "n_resources_": list(bracket.resources),
            "n_iterations_": n_rounds,
            "n_required_iterations_": required,
            "n_possible_iterations_": possible,
            "n_remaining_candidates_": n_last,
            "min_resources_": least,
            "max_resources_": most,
        }

    def prepare(self, cv: Any, X: Any, y: Any, split_params: dict[str, Any]) -> Any:
        """Return scikit-learn's search, which asks for the number of rows."""
        plain = self.plain()
        plain._n_samples_orig = count_rows(X)
        return self._prepared(plain, cv, X, y, split_params)

    def _is_grid(self) -> bool:
        search = self.search
        return search.n_candidates is None and not distributions_in(search.param_grid)

    def _options(self) -> dict[str, Any]:
        search = self.search
        names = ("max_resources", "factor", "aggressive_elimination", "random_state")
        options = shared(search, *names)
        # scikit-learn's default there is a number.
        options["cv"] = 5 if search.cv is None else search.cv
        options["resource"] = (
            "n_samples" if search.resource == "auto" else search.resource
        )
        options["min_resources"] = search.min_resources
        if search.min_resources == "auto":
            options["min_resources"] = "exhaust" if self._is_grid() else "smallest"
        return options

    def _bracket(self, most: int, least: int) -> Bracket:
        search, n_candidates = self.search, self._first_candidates(most, least)
        if search.decay_rate is not None:
            return decay_bracket(n_candidates, least, most, search.decay_rate)
        return halving_bracket(
            n_candidates,
            least,
            most,
            search.factor,
            exhausts=self._exhausts(),
            is_aggressive=search.aggressive_elimination,
        )

    def _iterations(self, n_candidates: int, most: int, least: int) -> Any:
        exhausts = self._exhausts()
        factor = self.search.factor
        return iterations(n_candidates, least, most, factor, exhausts=exhausts)

    def _exhausts(self) -> bool:
        return bool(self._options()["min_resources"] == "exhaust")

    def _first_candidates(self, most: int, least: int) -> int:
        search = self.search
        if self._is_grid():
            return count_grid(search.param_grid) or 1
        if isinstance(search.n_candidates, int):
            wanted = search.n_candidates
        else:
            wanted = max(1, most // least)
        return min(wanted, count_grid(search.param_grid) or wanted)

    def _bounds(self, n_rows: int | None) -> tuple[int, int]:
        """Return the most and the least resources that a candidate may get."""
        if self.streams:
            return most_calls(self.search), least_calls(self.search)
        search, options = self.search, self._options()
        by_rows = options["resource"] == "n_samples"
        most, least = options["max_resources"], options["min_resources"]
        if most == "auto":
            most = (UNKNOWN_ROWS if n_rows is None else n_rows) if by_rows else 1
        if isinstance(least, str):
            classes = FEWEST_CLASSES if is_classifier(search.estimator) else 1
            least = 2 * count_splits(search.cv) * classes if by_rows else 1
        return max(1, most), max(1, least)
