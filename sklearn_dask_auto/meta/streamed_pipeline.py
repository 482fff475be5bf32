"""Pipelines whose last step is streamed: the steps before it are fitted first.

In the order of scikit-learn's `Pipeline.fit`: each step is fitted to all rows, as those
before it transform them, before the next one sees any. What is transformed is lazy, and
made again in every pass.
"""

import copy
from collections.abc import Callable, Iterator
from typing import Any

from sklearn.base import clone, is_clusterer
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from sklearn_dask_auto._base import block_refusals, promoted
from sklearn_dask_auto.meta.stateless import is_stateless
from sklearn_dask_auto.routing import Profile

__all__ = ["fit_steps", "last_step", "n_steps", "step_params", "step_refusals"]


def last_step(estimator: Any) -> Any:
    """Return the last step of a pipeline; any other estimator as it is."""
    is_pipeline = isinstance(estimator, Pipeline) and len(estimator.steps) > 0
    return last_step(estimator.steps[-1][1]) if is_pipeline else estimator


def n_steps(estimator: Any) -> int:
    """Return how many steps there are in a pipeline, those of nested ones each."""
    if not _is_nested(estimator):
        return 1
    return sum(n_steps(step) for _, step in estimator.steps)


def step_params(pipeline: Pipeline, params: dict[str, Any]) -> dict[str, Any]:
    """Return fit parameters of the last step under their own names."""
    prefix = f"{pipeline.steps[-1][0]}__"
    return {key.removeprefix(prefix): value for key, value in params.items()}


def step_refusals(pipeline: Pipeline, profile: Profile) -> Iterator[str]:
    """Yield the reasons why steps before the last cannot be fitted on blocks."""
    for name, step in pipeline.steps[:-1]:
        yield from (
            f"step {name!r}, {type(step).__name__}, {reason}"
            for reason in _reasons(step, profile)
        )


def _reasons(step: Any, profile: Profile) -> Iterator[str]:
    if _is_passed(step) or is_stateless(step):
        return
    if _is_nested(step):
        for name, inner in step.steps:
            yield from (
                f"of which step {name!r}, {type(inner).__name__}, {reason}"
                for reason in _reasons(inner, profile)
            )
        return
    mirror = promoted(step)
    if is_clusterer(step) and mirror is not None:
        yield "finds as good clusters on blocks, not the same"
    elif mirror is not None:
        yield from block_refusals(mirror, profile)
    elif not hasattr(step, "partial_fit"):
        yield "learns from rows in memory: it has no partial_fit, nor a class here"


def fit_steps(
    wrapper: Any,
    pipeline: Pipeline,
    X: Any,
    y: Any,
    fit_last: Callable[[Any, Any], Any],
) -> Pipeline:
    """Fit the steps one after another, the last one by `fit_last`.

    Parameters
    ----------
    wrapper : AutoScaleEstimator
        Steps that have no class here are wrapped in one with its settings.
    pipeline : Pipeline
        Not changed.
    X, y : object
        As for `fit`.
    fit_last : callable
        ``fit_last(step, rows)`` returns the last step, fitted.

    Returns
    -------
    pipeline : Pipeline
        Fitted, of scikit-learn's steps.
    """
    *before, (name, last) = pipeline.steps
    steps, X = _transformed_in_turn(wrapper, before, X, y)
    return _with_steps(pipeline, [*steps, (name, fit_last(last, X))])


def _transformed_in_turn(
    wrapper: Any, steps: list[Any], X: Any, y: Any
) -> tuple[list[Any], Any]:
    """Return named steps fitted, and the rows that the last of them makes."""
    fitted = []
    for name, step in steps:
        step, X = _transformed(wrapper, step, X, y)
        fitted.append((name, step))
    return fitted, X


def _with_steps(pipeline: Pipeline, steps: list[Any]) -> Pipeline:
    fitted = copy.copy(pipeline)
    fitted.steps = steps
    return fitted


def _transformed(wrapper: Any, step: Any, X: Any, y: Any) -> tuple[Any, Any]:
    """Return a step fitted, and the rows that it makes of `X`."""
    if _is_passed(step):
        return step, X
    if _is_nested(step):
        steps, X = _transformed_in_turn(wrapper, step.steps, X, y)
        return _with_steps(step, steps), X
    twin = promoted(step)
    if twin is None or is_stateless(step):
        twin = type(wrapper)(
            clone(step), random_state=wrapper.random_state, engine="blockwise"
        )
    wants_y = y is not None and get_tags(step).target_tags.required
    twin.fit(*((X, y) if wants_y else (X,)))
    return twin._plain(), twin.transform(X)


def _is_nested(step: Any) -> bool:
    return isinstance(step, Pipeline) and len(step.steps) > 0


def _is_passed(step: Any) -> bool:
    return step is None or isinstance(step, str)
