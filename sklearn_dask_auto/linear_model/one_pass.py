"""What least squares share, with penalties or without: one pass, and R² for a score."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sklearn.metrics import r2_score

from sklearn_dask_auto._score import ScoreMixin
from sklearn_dask_auto.kernels.sizes import MOST_SQUARE_COLUMNS
from sklearn_dask_auto.routing import Job, Profile

__all__ = ["OnePassMixin"]


class OnePassMixin(ScoreMixin):
    """The mixin of a fit to the triangular factor of `[X y]`, which one pass finds."""

    _metric = staticmethod(r2_score)

    def _job(self, profile: Profile, params: dict[str, Any]) -> Job:
        # The arithmetic for each cell of a triangular factor.
        operations = 60.0 + 2.0 * (profile.n_columns or 1)
        return replace(super()._job(profile, params), operations=operations)

    def _refusals(
        self, profile: Profile, params: dict[str, Any]
    ) -> Iterable[tuple[str, str]]:
        n_columns = profile.n_columns or 0
        if n_columns > MOST_SQUARE_COLUMNS:
            yield (
                "blockwise",
                f"X has {n_columns:,} columns, and matrices of columns by columns are "
                f"held for up to {MOST_SQUARE_COLUMNS:,}",
            )
