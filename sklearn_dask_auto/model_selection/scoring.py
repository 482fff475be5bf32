"""Scores on dask input: predictions block by block, then the metric here, once."""

import copy
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_dask_auto._base import AutoScaleMixin
from sklearn_dask_auto._sklearn import MultimetricScorer, response_method
from sklearn_dask_auto.inputs.concrete import ConcreteModel
from sklearn_dask_auto.inputs.gather import gather

__all__ = ["ConcretePredictions", "blockwise_view", "on_blocks", "ranking_score"]


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
    _, y, params = gather(None, y, params)
    view, model = copy.copy(search), search.best_estimator_
    view.best_estimator_ = ConcreteModel(
        model, search.plan_.budget, takes_dask=isinstance(model, AutoScaleMixin)
    )
    yield view, y, params


def on_blocks(scorer: Any) -> Any:
    """Have a scorer take dask input: one computation, numbers out.

    Parameters
    ----------
    scorer : callable
        As scikit-learn's `check_scoring` returns it, of one metric or of several.

    Returns
    -------
    scorer : callable
        It predicts block by block, all that several metrics need at once, and hands
        the original what is concrete: predictions, targets, weights.
    """
    if isinstance(scorer, MultimetricScorer):
        return _BlockScorers(scorers=scorer._scorers, raise_exc=scorer._raise_exc)
    return _BlockScorer(scorer)


class ConcretePredictions(BaseEstimator):
    """An estimator of this library whose predictions on dask input are concrete.

    Parameters
    ----------
    estimator : object
        Fitted by `fit`; clones have one of their own.
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "estimator":
            raise AttributeError(name)
        return getattr(_concrete(self.estimator, ()), name)

    def __sklearn_tags__(self) -> Any:
        return self.estimator.__sklearn_tags__()

    def fit(self, X: Any, *y: Any, **params: Any) -> "ConcretePredictions":
        """Fit the estimator."""
        self.estimator.fit(X, *y, **params)
        return self

    def get_metadata_routing(self) -> Any:
        """Return what the estimator asks for."""
        return self.estimator.get_metadata_routing()


class _BlockScorer:
    def __init__(self, scorer: Any) -> None:
        self._scorer = scorer

    def __getattr__(self, name: str) -> Any:
        if name == "_scorer":
            raise AttributeError(name)
        return getattr(self._scorer, name)

    def __call__(self, model: Any, X: Any, *y: Any, **params: Any) -> Any:
        """Score a fitted model."""
        model = _concrete(model, [self._scorer])
        return self._scorer(model, X, *map(_here, y), **_each_here(params))

    def __repr__(self) -> str:
        return repr(self._scorer)


class _BlockScorers(MultimetricScorer):
    def __call__(self, model: Any, X: Any, *y: Any, **params: Any) -> Any:
        """Score a fitted model."""
        model = _concrete(model, self._scorers.values())
        return super().__call__(model, X, *map(_here, y), **_each_here(params))


def ranking_score(search: Any, entries: list[dict[str, Any]]) -> float:
    """Return the mean over splits of the metric by which candidates are ranked.

    Of several metrics it is the one that `refit` names, or else the first.
    """
    return float(np.average([_ranking(search, e["test_scores"]) for e in entries]))


def _ranking(search: Any, scores: Any) -> Any:
    if not isinstance(scores, dict):
        return scores
    # Of a callable it is known only now that it has several.
    search._check_refit_for_multimetric(scores)
    return scores[search.refit if isinstance(search.refit, str) else next(iter(scores))]


def _concrete(model: Any, scorers: Iterable[Any]) -> ConcreteModel:
    """Wrap an estimator of this library, whose own score needs no rows here."""
    methods = [response_method(scorer, model) for scorer in scorers]
    together = sorted({method for method in methods if method is not None})
    return ConcreteModel(model, budget=0, takes_dask=True, together=together)


def _here(value: Any) -> Any:
    from sklearn_dask_auto.inputs.indexable import values_of

    return values_of(value)


def _each_here(params: dict[str, Any]) -> dict[str, Any]:
    return {name: _here(value) for name, value in params.items()}
