"""Scores on dask input: predictions block by block, then the metric here, once."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sklearn_dask_auto._base import AutoScaleMixin
from sklearn_dask_auto.inputs.concrete import ConcreteModel
from sklearn_dask_auto.inputs.gather import gather

__all__ = ["blockwise_view"]


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
