"""Fits of what is wrapped, as planned: here, on a worker, streamed, or in parts."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import sklearn
from sklearn.frozen import FrozenEstimator

from sklearn_dask_auto.engines.calls import Reply, Setting, replay, run
from sklearn_dask_auto.exceptions import NoEngineError
from sklearn_dask_auto.inputs import is_dask
from sklearn_dask_auto.inputs.gather import gather
from sklearn_dask_auto.inputs.measured import with_sizes
from sklearn_dask_auto.meta.inner import spread_as_planned, with_outcome
from sklearn_dask_auto.meta.predictions import known_outputs
from sklearn_dask_auto.meta.stateless import fit_stateless, is_stateless
from sklearn_dask_auto.meta.streamed import fit_streamed
from sklearn_dask_auto.meta.ways import other_ways
from sklearn_dask_auto.routing import Plan

__all__ = ["Request", "fit_as_planned"]


@dataclass(frozen=True)
class Request:
    """What is to be fitted, and how.

    Parameters
    ----------
    wrapper : AutoScaleEstimator
        Its settings are read; it is not changed.
    model : estimator
        A clone that is not fitted yet.
    method : str
        "fit", "fit_transform" or "fit_predict".
    X, y, params : object
        As for `fit`.
    plan : Plan
        Says who fits.
    """

    wrapper: Any
    model: Any
    method: str
    X: Any
    y: Any
    params: dict[str, Any]
    plan: Plan


def fit_as_planned(request: Request) -> tuple[Any, dict[str, Any]]:
    """Fit, and return what the method does, and what the wrapper learns.

    Raises
    ------
    NoEngineError
        If the plan has no engine; the message lists the ways there are.
    """
    plan = request.plan
    if plan.engine is None:
        message = plan.refusal() + other_ways(request.wrapper, request.X, plan)
        raise NoEngineError(message, plan)
    fit = _fit_vote if plan.job.n_parts else _FITS[plan.engine]
    return fit(request)


def _fit_here(request: Request) -> tuple[Any, dict[str, Any]]:
    plan, rows, y, params = request.plan, request.X, request.y, request.params
    if not isinstance(request.model, FrozenEstimator):
        try:
            rows, y, params = gather(rows, y, params, plan.budget, plan.job.copies)
        except NoEngineError:
            if plan.job.engine != "auto":
                raise
            # Its size was unknown, and is too much.
            plan = with_sizes(plan, rows, y, params)
            out, learned = fit_as_planned(replace(request, plan=plan))
            return out, {"plan_": plan, **learned}
    call = _call_of(request)
    (out, model, outputs), inner = _with_inner_fits(plan, call, rows, y, params)
    plan = with_outcome(plan, inner)
    return out, {"estimator_": model, "_outputs": outputs, "plan_": plan}


def _fit_on_worker(request: Request) -> tuple[Any, dict[str, Any]]:
    if not is_dask(request.X):
        # Only work inside the fit goes to the workers.
        return _fit_here(request)
    from sklearn_dask_auto.engines.cluster_fits import setting_of
    from sklearn_dask_auto.inputs.assemble import call_on_worker

    plan, params, settings = request.plan, request.params, sklearn.get_config()
    call = partial(_with_inner_fits, plan, _call_of(request))
    reply = call_on_worker(
        partial(_called, setting_of(plan.resources, 1), settings, call, [*params]),
        request.X,
        request.y,
        *params.values(),
    )
    (out, model, outputs), inner = replay(reply)
    plan = with_outcome(plan, inner)
    return out, {"estimator_": model, "_outputs": outputs, "plan_": plan}


def _fit_streamed(request: Request) -> tuple[Any, dict[str, Any]]:
    X, method = request.X, request.method
    if is_stateless(request.model):
        outputs = fit_stateless(request.model, X)
        return None, {"estimator_": request.model, "_outputs": outputs}
    model = fit_streamed(
        request.wrapper, request.model, X, request.y, request.params, request.plan
    )
    out = None
    if method != "fit" and not is_dask(X):
        out = getattr(model, method.removeprefix("fit_"))(X)
    return out, {"estimator_": model, "_outputs": {}}


def _fit_vote(request: Request) -> tuple[Any, dict[str, Any]]:
    from sklearn_dask_auto.meta.vote import fit_vote

    model, outputs, plan = fit_vote(
        request.wrapper,
        request.model,
        request.X,
        request.y,
        request.params,
        request.plan,
    )
    return None, {"estimator_": model, "_outputs": outputs, "plan_": plan}


_FITS: dict[str, Any] = {
    "sklearn": _fit_here,
    "joblib": _fit_on_worker,
    "blockwise": _fit_streamed,
}


def _call_of(request: Request) -> Any:
    return partial(_fitted, request.wrapper, request.model, request.method)


def _with_inner_fits(
    plan: Plan, call: Any, X: Any, y: Any, params: dict[str, Any]
) -> tuple[Any, Any]:
    """Fit rows in memory; return what came of it, and of the work inside the fit."""
    with spread_as_planned(plan) as inner:
        out = call(X, y, params)
    return out, None if inner is None else (inner.n_calls, inner.n_sent, inner.seconds)


def _fitted(
    wrapper: Any, model: Any, method: str, X: Any, y: Any, params: dict[str, Any]
) -> tuple[Any, Any, dict[str, Any]]:
    """Fit rows in memory; return what the method does, the model, and its outputs."""
    out = wrapper._call(model, method, X, y, params)
    return None if out is model else out, model, known_outputs(model, X)


def _called(
    setting: Setting,
    settings: dict[str, Any],
    call: Any,
    names: list[str],
    X: Any,
    y: Any,
    *values: Any,
) -> Reply:
    """Fit on a worker, with its machine to itself; keep what it warns of."""
    params = dict(zip(names, values, strict=True))
    with sklearn.config_context(**settings):
        return run([(call, (X, y, params), {})], setting)[0]
