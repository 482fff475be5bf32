"""A search by `partial_fit` from end to end: draw, race, choose, train the winner."""

import time
from typing import Any

from sklearn.base import clone
from sklearn.utils import check_random_state

from sklearn_dask_auto._sklearn import MultimetricScorer
from sklearn_dask_auto.exceptions import NoEngineError
from sklearn_dask_auto.model_selection.strategies import strategy_of
from sklearn_dask_auto.model_selection.stream.candidate import Candidate
from sklearn_dask_auto.model_selection.stream.race import Race
from sklearn_dask_auto.model_selection.stream.report import Report
from sklearn_dask_auto.model_selection.stream.results import cv_results, learned_of
from sklearn_dask_auto.model_selection.stream.rows import StreamRows
from sklearn_dask_auto.model_selection.stream.stage import Stage
from sklearn_dask_auto.model_selection.stream.tasks import Trained
from sklearn_dask_auto.routing import Plan

__all__ = ["search_stream"]


def search_stream(
    search: Any, X: Any, y: Any, params: dict[str, Any], plan: Plan
) -> dict[str, Any]:
    """Search with a strategy whose resource is `partial_fit`; see `Engine.fit`."""
    from sklearn_dask_auto.inputs.scheduler import here

    if plan.engine != "sklearn":
        return _search(search, X, y, params, plan)
    with here():
        return _search(search, X, y, params, plan)


def _search(
    search: Any, X: Any, y: Any, params: dict[str, Any], plan: Plan
) -> dict[str, Any]:
    scorers, _ = search._get_scorers()
    rows = StreamRows(search, X, y, params, plan)
    random = check_random_state(search.random_state)
    candidates = _candidates(search, random, len(rows.splits))
    most = max(candidate.bracket.resources[-1] for candidate in candidates)
    seed = int(random.randint(2**31 - 1))
    brackets = list(dict.fromkeys(c.bracket for c in candidates))
    report = Report(search, X, y, brackets, len(rows.splits))
    stage = Stage(search, rows, scorers, plan, most, seed)
    race = Race(search, candidates, stage, report)
    try:
        race.run()
    except (KeyboardInterrupt, NoEngineError):
        if race.rows:
            search.cv_results_ = cv_results(search, race.rows)
            search.history_ = race.history
        raise
    learned = learned_of(search, candidates, race.rows)
    learned["history_"] = race.history
    is_dict = isinstance(scorers, MultimetricScorer)
    learned["scorer_"] = scorers._scorers if is_dict else scorers
    learned |= strategy_of(search).told_of(brackets)
    if search.refit:
        learned |= _refitted(search, learned, rows, stage)
    report.end()
    return {**learned, "plan_": stage.plan}


def _candidates(search: Any, random: Any, n_splits: int) -> list[Candidate]:
    drawn = [
        (bracket, params)
        for bracket, several in strategy_of(search).draw(random)
        for params in several
    ]
    return [
        Candidate(i, params, bracket, _start(search, params), n_splits)
        for i, (bracket, params) in enumerate(drawn)
    ]


def _start(search: Any, params: dict[str, Any]) -> Any:
    from dask import delayed

    model = clone(search.estimator).set_params(**clone(params, safe=False))
    return delayed(Trained(model), pure=False)


def _refitted(
    search: Any, learned: dict[str, Any], rows: StreamRows, stage: Stage
) -> dict[str, Any]:
    """Train the best candidate as long as it was, on all rows."""
    started = time.perf_counter()
    params, index = learned["best_params_"], learned["best_index_"]
    calls = int(learned["cv_results_"]["partial_fit_calls"][index])
    model = stage.refit(params, _start(search, params), calls)
    found = {"best_estimator_": model, "refit_time_": time.perf_counter() - started}
    # Blocks of a dask DataFrame have no column names.
    named = rows.template if rows.is_lazy else model
    names = getattr(named, "feature_names_in_", None)
    if names is not None:
        model.feature_names_in_ = found["feature_names_in_"] = names
    return found
