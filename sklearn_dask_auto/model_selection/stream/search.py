"""A search by `partial_fit` from end to end: draw, race, choose, train the winner."""

import time
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from sklearn_dask_auto.model_selection.strategies import strategy_of
from sklearn_dask_auto.model_selection.strategies.rounds import Bracket, best_first
from sklearn_dask_auto.model_selection.stream.candidate import Candidate
from sklearn_dask_auto.model_selection.stream.race import Race
from sklearn_dask_auto.model_selection.stream.report import Report
from sklearn_dask_auto.model_selection.stream.rows import StreamRows
from sklearn_dask_auto.model_selection.stream.tasks import Trained
from sklearn_dask_auto.model_selection.stream.track import Track
from sklearn_dask_auto.routing import Plan

__all__ = ["search_stream"]

COLUMNS = ("candidate", "bracket", "iter", "n_resources", "partial_fit_calls")
"""Of `cv_results_`, beyond those of every search."""


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
    candidates = _candidates(search, random)
    most = max(candidate.bracket.resources[-1] for candidate in candidates)
    seed, n_jobs = int(random.randint(2**31 - 1)), _n_jobs(plan)
    brackets = list(dict.fromkeys(c.bracket for c in candidates))
    report = Report(search, X, y, brackets)
    track = Track(
        rows, rows.batches(rows.train, most, seed), n_jobs, search.error_score
    )
    held_out = rows.held_out(plan.budget)
    race = Race(search, candidates, track, held_out, scorers, report)
    try:
        race.run()
    except KeyboardInterrupt:
        if race.rows:
            search.cv_results_, search.history_ = _results(search, race), race.history
        raise
    learned = {**_learned(search, candidates, race), **_rounds(brackets)}
    learned["scorer_"] = scorers
    if search.refit:
        started = time.perf_counter()
        all_rows = rows.batches(np.arange(rows.n_rows), most, seed)
        track = Track(rows, all_rows, n_jobs, "raise")
        learned["best_estimator_"] = _refitted(search, learned, track)
        learned["refit_time_"] = time.perf_counter() - started
        _name_columns(learned, rows)
    report.end()
    return learned


def _n_jobs(plan: Plan) -> int | None:
    """Return how many models may be trained at once; None is without a limit."""
    from joblib import effective_n_jobs

    n_jobs = plan.job.n_jobs
    if n_jobs in (None, -1):
        return None
    return n_jobs if n_jobs > 0 else effective_n_jobs(n_jobs)


def _candidates(search: Any, random: Any) -> list[Candidate]:
    from dask import delayed

    drawn = [
        (bracket, params)
        for bracket, several in strategy_of(search).draw(random)
        for params in several
    ]
    return [
        Candidate(i, params, bracket, delayed(_start(search, params), pure=False))
        for i, (bracket, params) in enumerate(drawn)
    ]


def _start(search: Any, params: dict[str, Any]) -> Trained:
    model = clone(search.estimator).set_params(**clone(params, safe=False))
    return Trained(model)


def _results(search: Any, race: Race) -> dict[str, Any]:
    scored = [dict(row) for row in race.rows]
    more = {name: [row.pop(name) for row in scored] for name in COLUMNS}
    params = [row.pop("params") for row in scored]
    results: dict[str, Any] = search._format_results(params, 1, scored, more)
    return results


def _learned(search: Any, candidates: list[Candidate], race: Race) -> dict[str, Any]:
    results = _results(search, race)
    last = [candidate.last_row for candidate in candidates]
    best = last[best_first(results["mean_test_score"][last])[0]]
    return {
        "cv_results_": results,
        "history_": race.history,
        "best_index_": best,
        "best_params_": results["params"][best],
        "best_score_": results["mean_test_score"][best],
        "n_partial_fit_calls_": sum(candidate.calls for candidate in candidates),
        "n_splits_": 1,
        "multimetric_": False,
    }


def _rounds(brackets: list[Bracket]) -> dict[str, Any]:
    """Return what scikit-learn's halving tells of its rounds; there is one bracket."""
    if len(brackets) != 1:
        return {}
    (bracket,) = brackets
    return {
        "n_candidates_": list(bracket.counts),
        "n_resources_": list(bracket.resources),
        "n_iterations_": len(bracket.counts),
    }


def _refitted(search: Any, learned: dict[str, Any], track: Track) -> Any:
    """Train the best candidate as long as it was, on all rows."""
    from dask import delayed

    from sklearn_dask_auto.inputs.scheduler import compute

    results, index = learned["cv_results_"], learned["best_index_"]
    calls = int(results["partial_fit_calls"][index])
    start = delayed(_start(search, learned["best_params_"]), pure=False)
    best = Candidate(0, learned["best_params_"], Bracket(0, (1,), (calls,)), start)
    track.train([best], 0, calls)
    return compute(best.trained)[0].model


def _name_columns(learned: dict[str, Any], rows: StreamRows) -> None:
    """Remember column names, which blocks of a dask DataFrame do not have."""
    model = learned["best_estimator_"]
    names = getattr(rows.template if rows.is_lazy else model, "feature_names_in_", None)
    if names is not None:
        model.feature_names_in_ = learned["feature_names_in_"] = names
