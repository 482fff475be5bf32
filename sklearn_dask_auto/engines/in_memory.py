"""The `sklearn` engine: scikit-learn on this machine.

Input that is a dask collection is brought here first, once.
"""

from typing import Any

from sklearn_dask_auto.engines.fits import Surroundings, Workers
from sklearn_dask_auto.engines.local_processes import LocalProcesses
from sklearn_dask_auto.inputs.gather import gather
from sklearn_dask_auto.routing import Plan

__all__ = ["fit", "workers"]


def fit(
    estimator: Any, X: Any, y: Any, params: dict[str, Any], plan: Plan
) -> dict[str, Any]:
    """Fit in this process; see `Engine.fit`."""
    X, y, params = gather(X, y, params, plan.budget, plan.job.copies)
    learned: dict[str, Any] = estimator._fit_in_memory(X, y, params, plan)
    return learned


def workers(plan: Plan, surroundings: Surroundings, echoes: bool = False) -> Workers:
    """Return worker processes on this machine; see `SpreadingEngine.workers`."""
    n_workers = plan.chosen.cost.n_workers if plan.chosen else 1
    return LocalProcesses(n_workers, surroundings.processes)
