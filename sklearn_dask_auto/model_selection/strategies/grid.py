"""Every combination of the values listed: `GridSearchCV`."""

from typing import Any

from sklearn.model_selection import GridSearchCV

from sklearn_dask_auto.model_selection.strategies.base import (
    Strategy,
    count_grid,
    distributions_in,
    shared,
)

__all__ = ["Grid"]


class Grid(Strategy):
    """Every combination, once."""

    def plain(self) -> Any:
        """Return a `GridSearchCV`."""
        search = self.search
        return GridSearchCV(
            search.estimator, search.param_grid, **shared(search, "pre_dispatch")
        )

    def count_candidates(self, n_rows: int | None) -> int:
        """Count the combinations."""
        return count_grid(self.search.param_grid) or 1

    def check(self) -> None:
        """Refuse distributions, of which there is no end."""
        super().check()
        names = distributions_in(self.search.param_grid)
        if names:
            raise TypeError(
                f"strategy='grid' tries every value of a list, and {names[0]!r} of "
                "param_grid is a distribution. Use strategy='random', 'halving' or "
                "'hyperband', which draw from distributions, or list its values."
            )
