"""Scores on dask input: predictions block by block, then the metric here, once."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.pipeline import Pipeline

from sklearn_dask_auto._base import AutoScaleMixin
from sklearn_dask_auto.exceptions import NoEngineError
from sklearn_dask_auto.inputs import describe
from sklearn_dask_auto.inputs.gather import gather
from sklearn_dask_auto.routing.profile import format_bytes

__all__ = ["blockwise_view"]

METHODS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "score_samples",
    "transform",
)


@contextmanager
def blockwise_view(
    search: Any, X: Any, y: Any, params: dict[str, Any]
) -> Iterator[tuple[Any, Any, dict[str, Any]]]:
    """Give a scorer of scikit-learn a search that it can call on dask input.

    Parameters
    ----------
    search : AutoScaleSearchCV
        Fitted; not changed.
    X : dask array or dask DataFrame
        Stays where it is.
    y : object
        Brought here, as are the entries of `params`.
    params : dict
        Arguments for the scorer.

    Yields
    ------
    view, y, params
        `view` is a shallow copy of `search` whose best estimator returns concrete
        predictions, which are computed block by block.
    """
    _, y, params = gather(None, y, params, budget=2**63)
    view = copy.copy(search)
    view.best_estimator_ = _BlockwiseModel(search.best_estimator_, search.plan_.budget)
    yield view, y, params


class _BlockwiseModel:
    """A fitted estimator whose row-wise methods are concrete on dask input."""

    def __init__(self, model: Any, budget: int) -> None:
        self._model = model
        self._budget = budget

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        value = getattr(self._model, name)
        if name not in METHODS:
            return value

        def concrete(X: Any) -> Any:
            from sklearn_dask_auto.inputs.output import map_rows
            from sklearn_dask_auto.inputs.scheduler import compute

            return compute(map_rows(self._model, name, X))[0]

        # Scorers tell the methods apart by name.
        concrete.__name__ = name
        return concrete

    def __sklearn_tags__(self) -> Any:
        return self._model.__sklearn_tags__()

    def score(self, X: Any, y: Any = None, **params: Any) -> float:
        """Score as the model itself would, from predictions where that can be known."""
        final = self._model
        while isinstance(final, Pipeline):
            final = final.steps[-1][1]
        method = getattr(type(final), "score", None)
        if method is ClassifierMixin.score:
            return float(accuracy_score(y, self.predict(X), **params))
        if method is RegressorMixin.score:
            return float(r2_score(y, self.predict(X), **params))
        if not isinstance(self._model, AutoScaleMixin):
            X = _here(X, self._budget)
        return float(self._model.score(X, *([] if y is None else [y]), **params))


def _here(X: Any, budget: int) -> Any:
    """Bring `X` here for a score that only the model can compute, if it fits."""
    n_bytes = describe(X).n_bytes or 0
    if n_bytes > budget:
        raise NoEngineError(
            f"This score needs all rows at once: they take {format_bytes(n_bytes)}, "
            f"over the memory budget of {format_bytes(budget)}. Choose a `scoring` "
            "that is computed from predictions, or score fewer rows."
        )
    return gather(X, None, {}, budget)[0]
