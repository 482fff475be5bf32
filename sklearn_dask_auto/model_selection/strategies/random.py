"""Some combinations at random, from lists and distributions: `RandomizedSearchCV`."""

from typing import Any

from sklearn.model_selection import RandomizedSearchCV

from sklearn_dask_auto.model_selection.strategies.base import (
    Strategy,
    count_grid,
    shared,
)

__all__ = ["Random"]


class Random(Strategy):
    """`n_iter` candidates; all combinations if there are no more than that."""

    def plain(self) -> Any:
        """Return a `RandomizedSearchCV`."""
        search = self.search
        options = shared(search, "pre_dispatch", "n_iter", "random_state")
        return RandomizedSearchCV(search.estimator, search.param_grid, **options)

    def count_candidates(self, n_rows: int | None) -> int:
        """Count the draws."""
        n_iter = self.search.n_iter
        return min(n_iter, count_grid(self.search.param_grid) or n_iter)
