"""A search over a dask collection that is put together on the workers of a cluster.

The search is scikit-learn's own, on what stands for the rows: they go from worker to
worker and never through this process. The fits are given them and the row numbers of a
fold; the refit is one more fit there. `y` and what lies beside it is brought here, as
folds are made of it. A splitter that looks at the rows as well runs there, too.
"""

import copy
from dataclasses import replace
from typing import Any

from sklearn.base import clone

from sklearn_dask_auto._sklearn import BaseSearchCV
from sklearn_dask_auto.engines.cluster_fits import put_on_workers
from sklearn_dask_auto.exceptions import NoEngineError
from sklearn_dask_auto.inputs.elsewhere import ElsewhereError, RowsElsewhere
from sklearn_dask_auto.inputs.entry import row_counts, settled
from sklearn_dask_auto.inputs.gather import gather
from sklearn_dask_auto.inputs.measured import with_sizes
from sklearn_dask_auto.model_selection.block_search import keep_results, learned_by
from sklearn_dask_auto.model_selection.placement import Placement
from sklearn_dask_auto.routing import Plan

__all__ = ["search_on_workers"]


def search_on_workers(
    search: Any, X: Any, y: Any, params: dict[str, Any], plan: Plan
) -> dict[str, Any]:
    """Search on rows that are put together on workers; see `Engine.fit`."""
    X = settled(X)
    (counts,) = row_counts([X])
    job = replace(plan.job, engine="joblib")
    measured = with_sizes(replace(plan, job=job), X, None, {}, sum(counts))
    if measured.engine is None:
        raise NoEngineError(measured.refusal(), measured)
    plan = replace(measured, job=plan.job)
    _, y, params = gather(None, y, params)
    rows = RowsElsewhere((sum(counts), *X.shape[1:]))
    # Here the cluster is as good as asked for by name: no fit can run elsewhere.
    placed = replace(plan, job=replace(plan.job, engine="joblib"))
    placement = Placement(placed, elsewhere={id(rows): put_on_workers(X)})
    view = copy.copy(search)
    view.estimator = _FittedElsewhere(search.estimator, placement)
    if hasattr(search.cv, "split"):
        view.cv = _SplitElsewhere(search.cv, placement)
    try:
        with placement.active(view):
            BaseSearchCV.fit(view, rows, y, **params)
    except (KeyboardInterrupt, NoEngineError):
        keep_results(search, view)
        raise
    scorers, _ = search._get_scorers()
    learned = learned_by(search, view, scorers)
    if "best_estimator_" in learned:
        learned["best_estimator_"] = learned["best_estimator_"].estimator
    job = replace(placement.plan.job, engine=plan.job.engine)
    return {**learned, "plan_": replace(placement.plan, job=job)}


class _FittedElsewhere:
    """An estimator whose `fit` runs on a worker: the refit of a search.

    All else is the estimator's own. The fits of the search do not come by it, as it is
    pickled as the estimator.
    """

    def __init__(self, estimator: Any, placement: Placement) -> None:
        self.estimator = estimator
        self._placement = placement

    def __getattr__(self, name: str) -> Any:
        if name in ("estimator", "_placement"):
            raise AttributeError(name)
        return getattr(self.estimator, name)

    def __repr__(self) -> str:
        return repr(self.estimator)

    def __sklearn_clone__(self) -> "_FittedElsewhere":
        return _FittedElsewhere(clone(self.estimator), self._placement)

    def __sklearn_tags__(self) -> Any:
        return self.estimator.__sklearn_tags__()

    def __reduce__(self) -> Any:
        return _itself, (self.estimator,)

    def set_params(self, **params: Any) -> "_FittedElsewhere":
        """Set parameters of the estimator."""
        self.estimator.set_params(**params)
        return self

    def fit(self, X: Any, *y: Any, **params: Any) -> "_FittedElsewhere":
        """Fit the estimator on a worker, and keep what comes back."""
        call = (_fit, (self.estimator, X, *y), params)
        self.estimator = self._placement.run_elsewhere(call)
        return self


def _itself(value: Any) -> Any:
    return value


def _fit(estimator: Any, X: Any, *y: Any, **params: Any) -> Any:
    return estimator.fit(X, *y, **params)


class _SplitElsewhere:
    """A splitter, which runs on a worker if it looks at the values of the rows."""

    def __init__(self, cv: Any, placement: Placement) -> None:
        self._cv = cv
        self._placement = placement

    def __getattr__(self, name: str) -> Any:
        if name in ("_cv", "_placement"):
            raise AttributeError(name)
        return getattr(self._cv, name)

    def __repr__(self) -> str:
        return repr(self._cv)

    def split(self, X: Any, y: Any = None, **params: Any) -> list[tuple[Any, Any]]:
        """Return row numbers for training and for testing."""
        return list(self._run(_split, X, y, params))

    def get_n_splits(self, X: Any = None, y: Any = None, **params: Any) -> int:
        """Return the number of folds."""
        return int(self._run(_get_n_splits, X, y, params))

    def _run(self, method: Any, X: Any, y: Any, params: dict[str, Any]) -> Any:
        # What it draws before it looks is drawn again there.
        cv = copy.deepcopy(self._cv)
        try:
            return method(self._cv, X, y, **params)
        except ElsewhereError:
            return self._placement.run_elsewhere((method, (cv, X, y), params))


def _split(cv: Any, X: Any, y: Any, **params: Any) -> list[tuple[Any, Any]]:
    return list(cv.split(X, y, **params))


def _get_n_splits(cv: Any, X: Any, y: Any, **params: Any) -> int:
    return int(cv.get_n_splits(X, y, **params))
