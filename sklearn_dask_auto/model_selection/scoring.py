"""Scores on dask input: predictions block by block, then the metric here, once."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sklearn.base import is_classifier, is_regressor
from sklearn.metrics import accuracy_score, r2_score

from sklearn_dask_auto.inputs.gather import gather

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
    view.best_estimator_ = _BlockwiseModel(search.best_estimator_)
    yield view, y, params


class _BlockwiseModel:
    """A fitted estimator whose row-wise methods are concrete on dask input."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_model":
            raise AttributeError(name)
        value = getattr(self._model, name)
        if name not in METHODS:
            return value

        def concrete(X: Any) -> Any:
            from sklearn_dask_auto.inputs.output import map_rows
            from sklearn_dask_auto.inputs.scheduler import compute

            return compute(map_rows(self._model, name, X))[0]

        return concrete

    def __sklearn_tags__(self) -> Any:
        return self._model.__sklearn_tags__()

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Score as the mixins of scikit-learn do, from predictions."""
        if is_classifier(self._model):
            return float(
                accuracy_score(y, self.predict(X), sample_weight=sample_weight)
            )
        if is_regressor(self._model):
            return float(r2_score(y, self.predict(X), sample_weight=sample_weight))
        return float(self._model.score(X, y))
