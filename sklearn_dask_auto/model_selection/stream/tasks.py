"""What runs as a task: learning from a batch, and scoring."""

import copy
import time
from dataclasses import dataclass, replace
from typing import Any

__all__ = ["Trained", "nothing", "score", "train"]


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
    arguments = dict(arguments)
    y = [arguments.pop("y")] if "y" in arguments else []
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
    """Score models on the rows held out, one after another."""
    return [_scored(one, X, arguments, scorer, error_score) for one in several]


def _scored(
    trained: Trained, X: Any, arguments: dict[str, Any], scorer: Any, error_score: Any
) -> dict[str, Any]:
    started, error, value = time.perf_counter(), trained.error, error_score
    arguments = dict(arguments)
    y = [arguments.pop("y")] if "y" in arguments else []
    if error is None:
        try:
            value = float(scorer(trained.model, X, *y, **arguments))
        except Exception as failed:  # as above
            if error_score == "raise":
                raise
            error = f"{type(failed).__name__}: {failed}"
    return {
        "test_scores": float(value),
        "fit_time": trained.seconds,
        "score_time": time.perf_counter() - started,
        "error": error,
    }


def nothing(value: Any) -> None:
    """Return nothing, once `value` is there."""
