"""The `sklearn` engine: scikit-learn on this machine.

Input that is a dask collection is brought here first, once.
"""

from typing import Any

from sklearn_dask_auto.engines.fits import Surroundings, Workers
from sklearn_dask_auto.engines.local_processes import LocalProcesses
from sklearn_dask_auto.engines.local_threads import LocalThreads
from sklearn_dask_auto.inputs.gather import gather
from sklearn_dask_auto.routing import Plan
from sklearn_dask_auto.routing.cost import Cost

__all__ = ["fit", "workers"]


def fit(
    estimator: Any, X: Any, y: Any, params: dict[str, Any], plan: Plan
) -> dict[str, Any]:
    """Fit in this process; see `Engine.fit`."""
    X, y, params = gather(X, y, params, plan.budget, plan.job.copies)
    learned: dict[str, Any] = estimator._fit_in_memory(X, y, params, plan)
    return learned


def workers(plan: Plan, surroundings: Surroundings, echoes: bool = False) -> Workers:
    """Return threads here or processes beside; see `SpreadingEngine.workers`."""
    cost = plan.chosen.cost if plan.chosen else Cost()
    if cost.in_threads:
        return LocalThreads(cost.n_workers, surroundings.config)
    return LocalProcesses(cost.n_workers, surroundings.processes, echoes)
