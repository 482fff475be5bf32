"""The `sklearn` engine: scikit-learn on this machine.

Input that is a dask collection is brought here first, once.
"""

from typing import Any

import joblib
from joblib.parallel import get_active_backend

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


def workers(n_workers: int, data: list[Any]) -> joblib.Parallel:
    """Return a `Parallel` over local processes, which share large arrays by mapping.

    With the user's own settings for them, if a ``joblib.parallel_config`` is in force.

    Parameters
    ----------
    n_workers : int
        Fits to run at once.
    data : list of object
        Not needed: joblib maps what is large, once.
    """
    backend, _ = get_active_backend()
    if type(backend).__name__ != "LokyBackend":
        backend = "loky"
    return joblib.Parallel(n_jobs=n_workers, backend=backend, return_as="generator")
