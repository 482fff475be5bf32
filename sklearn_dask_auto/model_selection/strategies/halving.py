"""Successive halving: many candidates on little, the best of them on more.

`HalvingGridSearchCV` where every parameter is a list and no number of candidates is
asked for, else `HalvingRandomSearchCV`.
"""

from math import ceil, floor, log
from typing import Any

from sklearn.base import is_classifier

from sklearn_dask_auto._sklearn import halving_searches, validate_parameters
from sklearn_dask_auto.model_selection.folds import count_splits
from sklearn_dask_auto.model_selection.strategies.base import (
    Strategy,
    count_grid,
    distributions_in,
    shared,
)

__all__ = ["Halving"]

FEWEST_CLASSES = 2
"""What a plan, which must not look at `y`, takes for the number of classes."""
UNKNOWN_ROWS = 10_000
"""What a plan takes for a number of rows that nobody knows."""


class Halving(Strategy):
    """Rounds of candidates, each of a `factor` fewer on a `factor` more."""

    def plain(self) -> Any:
        """Return a `HalvingGridSearchCV` or a `HalvingRandomSearchCV`."""
        search, options = self.search, self._options()
        by_grid, at_random = halving_searches()
        if self._is_grid():
            return by_grid(search.estimator, search.param_grid, **options)
        options["n_candidates"] = search.n_candidates or "exhaust"
        return at_random(search.estimator, search.param_grid, **options)

    def count_candidates(self, n_rows: int | None) -> int:
        """Add up the candidates of all rounds."""
        most, least = self._bounds(n_rows)
        n_candidates = self._first_candidates(most, least)
        factor = self.search.factor
        if factor <= 1:
            return n_candidates
        n_rounds = required = 1 + floor(log(n_candidates, factor))
        if self._options()["min_resources"] == "exhaust":
            least = max(least, most // factor ** (required - 1))
        if not self.search.aggressive_elimination:
            n_rounds = min(required, 1 + floor(log(max(1, most // least), factor)))
        total = 0
        for _ in range(n_rounds):
            total += n_candidates
            n_candidates = ceil(n_candidates / factor)
        return total

    def check(self) -> None:
        """Refuse several metrics, as scikit-learn does: halving needs one order."""
        validate_parameters(self.plain(), type(self.search).__name__)

    def prepare(self, cv: Any, X: Any, y: Any, split_params: dict[str, Any]) -> Any:
        """Return scikit-learn's search, which asks for the number of rows."""
        plain = self.plain()
        plain._n_samples_orig = X.shape[0] if hasattr(X, "shape") else len(X)
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
        search, options = self.search, self._options()
        by_rows = options["resource"] == "n_samples"
        most, least = options["max_resources"], options["min_resources"]
        if most == "auto":
            most = (UNKNOWN_ROWS if n_rows is None else n_rows) if by_rows else 1
        if isinstance(least, str):
            classes = FEWEST_CLASSES if is_classifier(search.estimator) else 1
            least = 2 * count_splits(search.cv) * classes if by_rows else 1
        return max(1, most), max(1, least)
