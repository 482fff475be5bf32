"""The `joblib` engine: scikit-learn's fits as tasks on the user's Dask cluster.

Through joblib's "dask" backend, which is given the validated arrays to send, once.
"""

from typing import Any

import joblib
from joblib.parallel import get_active_backend

# The estimator hands its fits to `workers`; all else is done here.
from sklearn_dask_auto.engines.in_memory import fit

__all__ = ["fit", "workers"]


def workers(n_workers: int, data: list[Any]) -> joblib.Parallel:
    """Return a `Parallel` over the cluster.

    Parameters
    ----------
    n_workers : int
        Fits to run at once.
    data : list of object
        The very objects that the fits will be called with, sent to the workers now,
        unless the user's own ``joblib.parallel_config("dask", ...)`` is in force.
    """
    backend = _users_backend()
    if backend is None:
        with joblib.parallel_config(backend="dask", scatter=data) as config:
            backend = config["backend"]
    has_spare_threads = n_workers < backend.effective_n_jobs(-1)
    return joblib.Parallel(
        n_jobs=n_workers,
        backend=backend,
        # joblib fills the whole cluster whatever `n_jobs` is. A batch is one task, so
        # this is what honours `n_jobs`; else workers have their next task at hand.
        pre_dispatch=n_workers if has_spare_threads else 2 * n_workers,
        return_as="generator",
    )


def _users_backend() -> Any:
    """Return the Dask backend of a ``joblib.parallel_config`` in force, or None.

    It may hold the data already, which would else be sent twice.
    """
    backend, _ = get_active_backend()
    return backend if type(backend).__name__ == "DaskDistributedBackend" else None
