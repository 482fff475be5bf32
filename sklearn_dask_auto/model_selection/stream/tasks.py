"""What runs as a task: learning from a batch, and scoring."""

import copy
import time
from dataclasses import dataclass, replace
from typing import Any

from sklearn_dask_auto._sklearn import MultimetricScorer

__all__ = ["Trained", "nothing", "score", "train", "unscored"]


@dataclass(frozen=True)
class Trained:
    """A model on its way, as it goes from task to task.

    Parameters
    ----------
    model : estimator
        Never changed: what learns is a copy.
    seconds : float
        Spent in `partial_fit` so far.
    error : str or None
        What ended its training.
    """

    model: Any
    seconds: float = 0.0
    error: str | None = None


# Models are arguments of their own: distributed 2026.8 loses what is in a list.


def train(
    X: Any, arguments: dict[str, Any], error_score: Any, *several: Trained
) -> list[Trained]:
    """Have models learn from a batch, one after another."""
    return [_trained(one, X, arguments, error_score) for one in several]


def _trained(
    trained: Trained, X: Any, arguments: dict[str, Any], error_score: Any
) -> Trained:
    if trained.error is not None:
        return trained
    started = time.perf_counter()
    # A task may run again, on what it was given before.
    model = copy.deepcopy(trained.model)
    y, arguments = _target_apart(arguments)
    try:
        model.partial_fit(X, *y, **arguments)
    except Exception as error:  # as scikit-learn does: any, for `error_score`
        if error_score == "raise":
            raise
        return replace(trained, error=f"{type(error).__name__}: {error}")
    return Trained(model, trained.seconds + time.perf_counter() - started)


def score(
    X: Any,
    arguments: dict[str, Any],
    scorer: Any,
    error_score: Any,
    *several: Trained,
) -> list[dict[str, Any]]:
    """Score models on the rows held out, one after another.

    Of each is returned what `BaseSearchCV` keeps of a fit, and its error.
    """
    return [_scored(one, X, arguments, scorer, error_score) for one in several]


def _scored(
    trained: Trained, X: Any, arguments: dict[str, Any], scorer: Any, error_score: Any
) -> dict[str, Any]:
    if trained.error is not None:
        return unscored(scorer, error_score, trained.error, trained.seconds)
    started, error = time.perf_counter(), None
    y, arguments = _target_apart(arguments)
    try:
        scores = scorer(trained.model, X, *y, **arguments)
    except Exception as failed:  # as above
        if error_score == "raise":
            raise
        error = f"{type(failed).__name__}: {failed}"
        return unscored(scorer, error_score, error, trained.seconds)
    if isinstance(scores, dict):
        # Of a metric that failed, scikit-learn's scorer gives the traceback.
        failures = [text for text in scores.values() if isinstance(text, str)]
        error = failures[0].strip().rpartition("\n")[2] if failures else None
        scores = {
            name: float(error_score if isinstance(value, str) else value)
            for name, value in scores.items()
        }
    else:
        scores = float(scores)
    return {
        "test_scores": scores,
        "fit_time": trained.seconds,
        "score_time": time.perf_counter() - started,
        "fit_error": None,
        "error": error,
    }


def unscored(
    scorer: Any, error_score: Any, error: str, seconds: float = 0.0
) -> dict[str, Any]:
    """Return what stands for the scores of a model that has none."""
    scores: Any = error_score
    if isinstance(scorer, MultimetricScorer):
        scores = dict.fromkeys(scorer._scorers, error_score)
    times = {"fit_time": seconds, "score_time": 0.0}
    return {"test_scores": scores, **times, "fit_error": error, "error": error}


def _target_apart(arguments: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Return the target, which goes by position, and all other arguments."""
    others = {name: value for name, value in arguments.items() if name != "y"}
    return [arguments["y"]] if "y" in arguments else [], others


def nothing(value: Any) -> None:
    """Return nothing, once `value` is there."""
