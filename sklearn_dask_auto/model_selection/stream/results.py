"""What a search by `partial_fit` learned, as scikit-learn's searches tell it."""

from typing import Any

from sklearn_dask_auto._sklearn import BaseSearchCV, insert_error_scores
from sklearn_dask_auto.model_selection.strategies.rounds import best_first
from sklearn_dask_auto.model_selection.stream.candidate import Candidate

__all__ = ["cv_results", "learned_of", "seconds"]

COLUMNS = ("candidate", "bracket", "iter", "n_resources", "partial_fit_calls")
"""Of `cv_results_`, beyond those of every search."""


def seconds(entries: list[dict[str, Any]], name: str) -> float:
    """Return how long something took on all splits together."""
    return float(sum(entry[name] for entry in entries))


def cv_results(search: Any, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return `cv_results_` of candidates and rounds, as scikit-learn lays it out."""
    more = {name: [row[name] for row in rows] for name in COLUMNS}
    out = [dict(entry) for row in rows for entry in row["splits"]]
    if callable(search.scoring):
        insert_error_scores(out, search.error_score)
    results: dict[str, Any] = search._format_results(
        [row["params"] for row in rows], len(rows[0]["splits"]), out, more
    )
    return results


def learned_of(
    search: Any, candidates: list[Candidate], rows: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the attributes of a search that is over, but for the refit's."""
    results = cv_results(search, rows)
    is_multimetric = isinstance(rows[0]["splits"][0]["test_scores"], dict)
    n_splits = len(rows[0]["splits"])
    learned: dict[str, Any] = {
        "cv_results_": results,
        "multimetric_": is_multimetric,
        "n_splits_": n_splits,
        "n_partial_fit_calls_": n_splits * sum(c.calls for c in candidates),
    }
    if is_multimetric and not search.refit:
        return learned
    metric = search.refit if is_multimetric else "score"
    if callable(search.refit):
        best = BaseSearchCV._select_best_index(search.refit, metric, results)
    else:
        scores = results[f"mean_test_{metric}"]
        last = [candidate.last_row for candidate in candidates]
        best = last[best_first(scores[last])[0]]
        learned["best_score_"] = scores[best]
    return {**learned, "best_index_": best, "best_params_": results["params"][best]}
