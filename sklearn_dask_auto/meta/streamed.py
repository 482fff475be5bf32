"""Fits through `partial_fit`: what can be fitted so, and doing it."""

import copy
from collections.abc import Iterator
from inspect import signature
from typing import Any

from sklearn.base import clone, is_classifier, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

import sklearn_dask_auto
from sklearn_dask_auto.meta.stateless import is_stateless
from sklearn_dask_auto.meta.streamed_pipeline import (
    fit_steps,
    last_step,
    n_steps,
    step_params,
    step_refusals,
)
from sklearn_dask_auto.routing import Plan, Profile

__all__ = ["epochs", "fit_further", "fit_streamed", "streaming_refusals"]


def epochs(estimator: Any, max_epochs: int) -> int:
    """Return how many passes a fit may make.

    What only counts or sums up, such as naive Bayes, would count rows twice in a second
    one: many are for estimators that say with `max_iter` that they iterate.
    """
    if isinstance(estimator, Pipeline) and estimator.steps:
        # Each step before the last takes a pass of its own.
        return n_steps(estimator) - 1 + epochs(last_step(estimator), max_epochs)
    if is_stateless(estimator) or isinstance(estimator, str):
        return 0
    learns_target = is_classifier(estimator) or is_regressor(estimator)
    return max_epochs if learns_target and hasattr(estimator, "max_iter") else 1


def streaming_refusals(
    estimator: Any, params: dict[str, Any], profile: Profile
) -> Iterator[str]:
    """Yield the reasons why blocks cannot be streamed through an estimator."""
    name = type(estimator).__name__
    if isinstance(estimator, Pipeline) and estimator.steps:
        yield from step_refusals(estimator, profile)
        last, params = estimator.steps[-1][1], step_params(estimator, params)
        yield from streaming_refusals(last, params, profile)
        return
    if is_stateless(estimator):
        return
    if isinstance(estimator, FrozenEstimator):
        yield "what is frozen is not fitted"
        return
    if not hasattr(estimator, "partial_fit"):
        has_own = f"AutoScale{name}" in sklearn_dask_auto.__all__
        advice = f", but that is what AutoScale{name} is for" if has_own else ""
        yield f"{name} has no partial_fit to stream blocks through{advice}"
        return
    if getattr(estimator, "early_stopping", False) is True:
        yield f"{name}.partial_fit does not take early_stopping=True"
    yield from _param_refusals(estimator, params)


def _param_refusals(estimator: Any, params: dict[str, Any]) -> Iterator[str]:
    for key in (key for key, value in params.items() if value is not None):
        if key != "sample_weight":
            yield f"blocks are streamed without the fit parameter {key!r}"
        elif key not in signature(estimator.partial_fit).parameters:
            yield f"{type(estimator).__name__}.partial_fit takes no sample_weight"


def fit_streamed(
    settings: Any, model: Any, X: Any, y: Any, params: dict[str, Any], plan: Plan
) -> Any:
    """Fit by `partial_fit`, buffer by buffer.

    Parameters
    ----------
    settings : AutoScaleEstimator
        Its `max_epochs`, `tol` and `random_state` are read.
    model : estimator
        Not fitted, and not changed.
    X, y, params : object
        As for `fit`.
    plan : Plan
        Says what may be held.

    Returns
    -------
    model : estimator
        Fitted.
    """
    if isinstance(model, Pipeline):
        last = step_params(model, params)
        return fit_steps(
            settings,
            model,
            X,
            y,
            lambda step, rows: fit_streamed(settings, step, rows, y, last, plan),
        )
    from sklearn_dask_auto.engines.blockwise import room
    from sklearn_dask_auto.inputs.entry import enter, hold
    from sklearn_dask_auto.kernels.streaming import stream

    seen = clone(model)
    rows = hold(enter(seen, X, _beside(model, y, params)), room(plan))
    limit = epochs(model, settings.max_epochs)
    fitted, n_epochs = stream(
        model,
        rows,
        max_epochs=limit,
        tol=settings.tol,
        random_state=settings._seed(),
    )
    if hasattr(seen, "feature_names_in_"):
        fitted.feature_names_in_ = seen.feature_names_in_
    if limit > 1 and hasattr(fitted, "n_iter_"):
        fitted.n_iter_ = n_epochs
    return fitted


def fit_further(
    model: Any, X: Any, y: Any, classes: Any, params: dict[str, Any]
) -> Any:
    """Hand each block to `partial_fit` once, in the order of the rows.

    Parameters
    ----------
    model : estimator
        Fitted or not; not changed.
    X, y, classes, params : object
        As for its `partial_fit`; `X` is a dask collection.

    Returns
    -------
    model : estimator
        Fitted further.
    """
    from sklearn_dask_auto.inputs.entry import enter
    from sklearn_dask_auto.kernels.streaming import further

    is_first = not hasattr(model, "n_features_in_")
    seen, bare = (clone(model) if is_first else model), copy.copy(model)
    rows = enter(seen, X, _beside(model, y, params), reset=is_first)
    # Names were checked; blocks have none.
    vars(bare).pop("feature_names_in_", None)
    fitted = further(bare, rows, classes)
    if hasattr(seen, "feature_names_in_"):
        fitted.feature_names_in_ = seen.feature_names_in_
    return fitted


def _beside(model: Any, y: Any, params: dict[str, Any]) -> dict[str, Any]:
    """Return what lies beside the rows: with a target, if the model wants that."""
    wants_y = is_classifier(model) or is_regressor(model)
    if wants_y or (y is not None and get_tags(model).target_tags.required):
        return {"y": y, **params}
    return params
