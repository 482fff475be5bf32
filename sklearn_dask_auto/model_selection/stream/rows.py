"""The input of a search by `partial_fit`: rows to learn from, and rows held out."""

from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import indexable
from sklearn.utils.multiclass import check_classification_targets

from sklearn_dask_auto._sklearn import safe_indexing
from sklearn_dask_auto.exceptions import NoEngineError
from sklearn_dask_auto.inputs import count_rows, describe, is_dask
from sklearn_dask_auto.inputs.gather import gather
from sklearn_dask_auto.model_selection.stream.batches import (
    Batches,
    batches_here,
    batches_of_blocks,
    put_together,
)
from sklearn_dask_auto.routing import Plan
from sklearn_dask_auto.routing.profile import format_bytes

__all__ = ["HELD_OUT", "TRAINED_ON", "StreamRows"]

TRAINED_ON, HELD_OUT = 0, 1
"""The parts of a split."""
SCORED = {
    TRAINED_ON: (
        "The rows of a split that return_train_score=True scores on",
        "Leave it False",
    ),
    HELD_OUT: (
        "The rows held out for scores",
        "Hold out fewer, as with cv=ShuffleSplit(1, test_size=10_000)",
    ),
}
"""What is in memory for scores, and what to do where it does not fit."""


class StreamRows:
    """Rows that are in memory or in the blocks of a collection, and all beside them.

    Parameters
    ----------
    search : AutoScaleSearchCV
        Its parameters are read.
    X, y, params : object
        As for `fit`. `y` and what else has a value a row are brought here.
    plan : Plan
        Says how much may be held.
    """

    def __init__(
        self, search: Any, X: Any, y: Any, params: dict[str, Any], plan: Plan
    ) -> None:
        _, y, params = gather(None, y, params)
        self.template = clone(search.estimator)
        self.is_lazy = is_dask(X)
        self._given = X
        if self.is_lazy:
            self.X, self.y = _entered(self.template, X, plan), y
        else:
            self.X, self.y = indexable(X, y)
        self.n_rows = count_rows(self.X)
        routed = search._get_routed_params_for_fit(params)
        self.fit_params = routed.estimator.fit
        self.score_params = routed.scorer.score
        self.classes, self._numbers = self._labels(is_classifier(search.estimator))
        cv = check_cv(search.cv, y, classifier=is_classifier(search.estimator))
        stand_in = np.empty((self.n_rows, 0)) if self.is_lazy else self.X
        self.splits = [
            (_ascending(train), _ascending(test))
            for train, test in cv.split(stand_in, y, **routed.splitter.split)
        ]

    def _labels(self, are_labels: bool) -> tuple[dict[str, Any], Any]:
        """Return the argument `classes`, if any, and the target as numbers."""
        if self.y is None:
            return {}, None
        if not are_labels:
            return {}, np.asarray(self.y, dtype=float)
        check_classification_targets(self.y)
        classes, codes = np.unique(np.asarray(self.y), return_inverse=True)
        return {"classes": classes}, codes

    def beside(self, params: dict[str, Any], rows: Any) -> dict[str, Any]:
        """Return the target and the parameters of some rows."""
        taken = {
            name: safe_indexing(value, rows) if self._is_aligned(value) else value
            for name, value in params.items()
        }
        if self.y is None:
            return taken
        return {"y": safe_indexing(self.y, rows), **taken}

    def _is_aligned(self, value: Any) -> bool:
        if np.ndim(value) == 0:
            return False
        return bool(np.shape(value)[0] == self.n_rows)

    def learned_from(self, rows: Any) -> dict[str, Any]:
        """Return the arguments of `partial_fit` for some rows."""
        return {**self.classes, **self.beside(self.fit_params, rows)}

    def batches(self, several: list[Any], most: int, seed: int) -> list[Batches]:
        """Cut the rows of each of several splits into batches for so many calls."""
        if self.is_lazy:
            return batches_of_blocks(self.X, self._numbers, several, most, seed)
        return batches_here(self.X, several, most, seed)

    def keeps(self, part: int, budget: int) -> bool:
        """Tell whether a part of all splits, and those after it, fit together."""
        n_rows = sum(len(rows) for split in self.splits for rows in split[part:])
        return self._n_bytes(n_rows) <= budget

    def check_size(self, part: int, budget: int) -> None:
        """Refuse to score on a part of blocks that does not fit for any one split."""
        n_bytes = self._n_bytes(max(len(split[part]) for split in self.splits))
        if self.is_lazy and n_bytes > budget:
            which, remedy = SCORED[part]
            raise NoEngineError(
                f"{which} take {format_bytes(n_bytes)}, over the memory budget of "
                f"{format_bytes(budget)}. {remedy}, or raise it with "
                "set_config(memory_budget=...)."
            )

    def scored_on(self, part: int, split: int) -> tuple[Any, dict[str, Any]]:
        """Return a part of a split to score on, together and lazily."""
        rows = self.splits[split][part]
        return self._taken(rows), self.beside(self.score_params, rows)

    def settle_here(self, plan: Plan) -> bool:
        """Start again from what was given to `fit`, without a cluster.

        Returns whether it can be read without one.
        """
        from sklearn_dask_auto.inputs.scheduler import is_on_cluster

        if not self.is_lazy:
            return True
        if is_on_cluster(self._given):
            return False
        self.X = _entered(self.template, self._given, plan)
        return True

    def _taken(self, rows: Any) -> Any:
        from dask import delayed

        if not self.is_lazy:
            X = safe_indexing(self.X, rows)
            return delayed(X, pure=False, traverse=False)
        from sklearn_dask_auto.inputs.take import take_rows

        taken = take_rows(self.X, self.X.chunks[0], rows)
        # Optimised apart, splits would not share the reading of a block.
        blocks = taken.to_delayed(optimize_graph=False).ravel()
        return delayed(put_together, pure=False)(*blocks)

    def _n_bytes(self, n_rows: int) -> int:
        whole = describe(self.X).n_bytes or 0
        return int(whole / max(1, self.n_rows) * n_rows)


def _entered(template: Any, X: Any, plan: Plan) -> Any:
    """Apply the entry rules; lazy blocks that may be held are computed once."""
    from sklearn_dask_auto.engines.blockwise import room
    from sklearn_dask_auto.inputs.entry import enter, hold

    return hold(enter(template, X, {}), room(plan)).X


def _ascending(rows: Any) -> Any:
    """Return row numbers in order; an iterable `cv` may give masks."""
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else np.sort(rows)
