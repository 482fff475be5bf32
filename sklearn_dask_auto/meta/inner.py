"""Estimators that hand work inside their fit to joblib: how much, and where it goes.

Trees of a forest, members of a bag, one problem a class, estimators that vote or are
stacked: a cluster can share them, though the fit is one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from numbers import Integral
from typing import Any

from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    RandomTreesEmbedding,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.multiclass import (
    OneVsOneClassifier,
    OneVsRestClassifier,
    OutputCodeClassifier,
)
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.tree import BaseDecisionTree

from sklearn_dask_auto._survey import survey
from sklearn_dask_auto.meta.streamed_pipeline import last_step
from sklearn_dask_auto.routing import Plan, decide

__all__ = [
    "may_spread",
    "operations_of",
    "plan_of_inner",
    "spread_as_planned",
    "with_outcome",
]

Outcome = tuple[int, int, float | None]

FORESTS = (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    RandomTreesEmbedding,
)
BAGS = (BaggingClassifier, BaggingRegressor)
PANELS = (StackingClassifier, StackingRegressor, VotingClassifier, VotingRegressor)
PER_TARGET = (
    MultiOutputClassifier,
    MultiOutputRegressor,
    OneVsOneClassifier,
    OneVsRestClassifier,
    OutputCodeClassifier,
)
WITHIN_A_CALL = "_SharedCores"
"""Our own backend, by name: that of the call on a worker which this fit is."""
TREE_OPERATIONS = 1000.0
"""For each cell; sorting rows over and over takes more than passes do."""


def n_inner_fits(estimator: Any) -> int:
    """Return how many calls a fit hands to joblib; 2 where only the data tells.

    Parameters
    ----------
    estimator : estimator
        Of a pipeline, the last step counts.

    Returns
    -------
    n_fits : int
        1 for what is not known to hand out any.
    """
    estimator = last_step(estimator)
    # What is no number or no list is for scikit-learn to refuse.
    if isinstance(estimator, FORESTS + BAGS):
        members = estimator.n_estimators
        return max(1, int(members)) if isinstance(members, Integral) else 1
    if isinstance(estimator, PANELS):
        members = estimator.estimators
        return max(1, len(members)) if isinstance(members, list) else 1
    return 2 if isinstance(estimator, PER_TARGET) else 1


def operations_of(estimator: Any) -> float:
    """Return the arithmetic that a fit takes for each cell and pass; a guess.

    Parameters
    ----------
    estimator : estimator
        Of a pipeline, the last step counts.

    Returns
    -------
    operations : float
    """
    estimator = last_step(estimator)
    if isinstance(estimator, FORESTS):
        return TREE_OPERATIONS * n_inner_fits(estimator)
    return TREE_OPERATIONS if isinstance(estimator, BaseDecisionTree) else 4.0


def plan_of_inner(plan: Plan, estimator: Any) -> Plan:
    """Decide again, where there is a cluster that could share the work of one fit.

    Parameters
    ----------
    plan : Plan
        For a fit that is one task.
    estimator : estimator
        What is to be fitted.

    Returns
    -------
    plan : Plan
        Its job says how many calls there are; the same plan, where none can be shared.
    """
    n_fits, step = n_inner_fits(estimator), last_step(estimator)
    if n_fits == 1 or step.n_jobs == 1 or plan.resources.is_in_worker:
        return plan
    resources = plan.resources
    if resources.cluster is None:
        # It was not asked for, as rows in memory have no other use for it.
        resources = survey()
    if resources.cluster is None or not resources.cluster.n_workers:
        return plan
    each = plan.job.operations / n_fits
    job = replace(plan.job, n_fits=n_fits, n_jobs=step.n_jobs, operations=each)
    return decide(plan.profile, job, resources, plan.budget)


def may_spread(plan: Plan) -> bool:
    """Tell whether calls inside the fit may go to the workers."""
    is_able = any(c.engine == "joblib" and c.is_able for c in plan.candidates)
    return is_able and plan.job.n_fits > 1 and plan.job.engine in ("auto", "joblib")


@contextmanager
def spread_as_planned(plan: Plan) -> Iterator[Any]:
    """Have calls inside a fit spread, in this context; yield what comes of it."""
    from sklearn_dask_auto.engines.local_processes import ordered_backend

    if not may_spread(plan) or ordered_backend() not in (None, WITHIN_A_CALL):
        yield None
        return
    from sklearn_dask_auto.engines.cluster_fits import spread_fit

    with spread_fit(plan) as inner:
        yield inner


def with_outcome(plan: Plan, outcome: Outcome | None) -> Plan:
    """Return a plan that tells how many calls there were, and where they ran.

    Parameters
    ----------
    plan : Plan
        That was followed.
    outcome : tuple of (int, int, float or None) or None
        Calls inside the fit, those of them that were sent, and what one took.
    """
    if outcome is None or not outcome[0]:
        return plan
    n_calls, n_sent, seconds = outcome
    job = replace(plan.job, n_fits=n_calls, seconds_per_fit=seconds)
    told = decide(plan.profile, job, plan.resources, plan.budget)
    is_here = not n_sent and not plan.profile.is_dask
    return replace(told, engine="sklearn" if is_here else "joblib")
