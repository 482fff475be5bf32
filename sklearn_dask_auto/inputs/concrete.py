"""A fitted model as scorers want it: concrete predictions on dask input, by blocks.

Used for the scores of a search and of a wrapped estimator: the metric is computed here,
once, from predictions alone.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score, r2_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import Pipeline

from sklearn_dask_auto.exceptions import NoEngineError
from sklearn_dask_auto.inputs.describe import describe
from sklearn_dask_auto.inputs.gather import gather
from sklearn_dask_auto.routing.profile import format_bytes

__all__ = ["ConcreteModel"]

METHODS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "score_samples",
    "transform",
)


class ConcreteModel:
    """A fitted estimator whose row-wise methods are concrete on dask input.

    Parameters
    ----------
    model : object
        Fitted; not changed.
    budget : int
        Bytes that may be brought here where only the model itself can score.
    takes_dask : bool, default=False
        The `score` of the model takes dask input as it is.
    map_rows : callable, default=None
        ``map_rows(method, X)`` applies a method of the model lazily.
    together : sequence of str, default=()
        Methods that will be asked for, of the same rows: the first that is computes
        all of them, in one pass.
    """

    def __init__(
        self,
        model: Any,
        budget: int,
        *,
        takes_dask: bool = False,
        map_rows: Callable[[str, Any], Any] | None = None,
        together: Sequence[str] = (),
    ) -> None:
        self._model = model
        self._budget = budget
        self._takes_dask = takes_dask
        self._map_rows = map_rows
        self._together = [name for name in together if hasattr(model, name)]
        self._computed: dict[str, Any] = {}
        self._rows: Any = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        value = getattr(self._model, name)
        if name not in METHODS:
            return value

        def concrete(X: Any) -> Any:
            if self._rows is not X:
                self._rows, self._computed = X, {}
            if name not in self._computed:
                self._compute({name, *self._together} - {*self._computed})
            return self._computed[name]

        # Scorers tell the methods apart by name.
        concrete.__name__ = name
        return concrete

    def _compute(self, names: set[str]) -> None:
        from sklearn_dask_auto.inputs.output import map_rows
        from sklearn_dask_auto.inputs.scheduler import compute

        apply = self._map_rows or functools.partial(map_rows, self._model)
        lazy = {name: apply(name, self._rows) for name in names}
        # Of several targets, probabilities are a list.
        arrays = [a for out in lazy.values() for a in _listed(out)]
        computed = iter(compute(*arrays))
        for name, out in lazy.items():
            values = [next(computed) for _ in _listed(out)]
            self._computed[name] = values if isinstance(out, list) else values[0]

    def __sklearn_tags__(self) -> Any:
        return self._model.__sklearn_tags__()

    def score(self, X: Any, y: Any = None, **params: Any) -> float:
        """Score as the model itself would, from predictions where that can be known.

        Parameters
        ----------
        X : dask array or dask DataFrame
            Rows to score on.
        y : array-like, default=None
            Target, in memory.
        **params : dict
            Arguments of the score, in memory.

        Returns
        -------
        score : float
        """
        method = getattr(type(_final(self._model)), "score", None)
        if method is ClassifierMixin.score:
            return float(accuracy_score(y, self.predict(X), **params))
        if method is RegressorMixin.score:
            return float(r2_score(y, self.predict(X), **params))
        if method is MultiOutputClassifier.score and np.ndim(y) == 2:
            return float(np.mean(np.all(y == self.predict(X), axis=1)))
        if not self._takes_dask:
            X = _here(X, self._budget)
        return float(self._model.score(X, *([] if y is None else [y]), **params))


def _listed(out: Any) -> list[Any]:
    return out if isinstance(out, list) else [out]


def _final(model: Any) -> Any:
    """Return the estimator whose score a pipeline, or a frozen model, has."""
    while isinstance(model, Pipeline | FrozenEstimator):
        is_pipeline = isinstance(model, Pipeline)
        model = model.steps[-1][1] if is_pipeline else model.estimator
    return model


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
