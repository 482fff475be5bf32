"""A search on rows that stay a dask collection: one fit after another, each on blocks.

The search is scikit-learn's own, as ever; what it splits are rows that are taken
lazily, and its scorers are given predictions that were computed block by block.
"""

import copy
from dataclasses import replace
from typing import Any

from sklearn_dask_auto import engines
from sklearn_dask_auto._sklearn import BaseSearchCV
from sklearn_dask_auto.exceptions import NoEngineError
from sklearn_dask_auto.inputs.gather import gather
from sklearn_dask_auto.model_selection.folds import lazy_folds
from sklearn_dask_auto.model_selection.placement import Placement
from sklearn_dask_auto.model_selection.scoring import on_blocks
from sklearn_dask_auto.routing import Plan

__all__ = ["keep_results", "learned_by", "search_blocks"]


def search_blocks(
    search: Any, X: Any, y: Any, params: dict[str, Any], plan: Plan
) -> dict[str, Any]:
    """Search for an estimator that takes dask input; see `Engine.fit`.

    Where `engine="auto"` was left to choose and the size of `X` was unknown, the rows
    are brought here after all if they turn out to fit.
    """
    if plan.job.engine == "auto" and plan.profile.n_bytes is None:
        rows = _gathered(X, y, params, plan)
        if rows is not None:
            return _search_here(search, *rows)
    from sklearn_dask_auto.engines.blockwise import room

    folds = lazy_folds(search.estimator, X, y, params, search.cv, room(plan))
    scorers, refit_metric = search._get_scorers()
    view = copy.copy(search)
    view._get_scorers = lambda: (on_blocks(scorers), refit_metric)
    # One fit at a time, as each of them takes all there is.
    view.cv, view.n_jobs = folds.cv, 1
    here = replace(plan, job=replace(plan.job, engine="auto", n_jobs=1))
    placement = Placement(here, shares_steps=False)
    try:
        with placement.active(view):
            BaseSearchCV.fit(view, folds.X, folds.y, **folds.params)
    except KeyboardInterrupt:
        keep_results(search, view)
        raise
    times = ("n_fits", "seconds_per_fit")
    measured = {name: getattr(placement.plan.job, name) for name in times}
    plan = replace(plan, job=replace(plan.job, **measured))
    return {**learned_by(search, view, scorers), "plan_": plan}


def _gathered(
    X: Any, y: Any, params: dict[str, Any], plan: Plan
) -> tuple[Any, Any, dict[str, Any]] | None:
    try:
        return gather(X, y, params, plan.budget, plan.job.copies)
    except NoEngineError:
        return None


def _search_here(search: Any, X: Any, y: Any, params: dict[str, Any]) -> dict[str, Any]:
    plan = search.explain(X, y, **params)
    if plan.engine is None:
        raise NoEngineError(plan.refusal(), plan)
    learned = engines.load(plan.engine).fit(search, X, y, params, plan)
    return {"plan_": plan, **learned}


def keep_results(search: Any, view: Any) -> None:
    """Give a search that was interrupted the results so far, if there are any."""
    if hasattr(view, "cv_results_"):
        search.cv_results_ = view.cv_results_


def learned_by(search: Any, view: Any, scorers: Any) -> dict[str, Any]:
    """Return what the view of a search learned, free of what stood for the data."""
    before = vars(search)
    learned = {
        name: value
        for name, value in vars(view).items()
        if name.endswith("_") and before.get(name) is not value
    }
    if not view.multimetric_:
        learned["scorer_"] = scorers
    return learned
