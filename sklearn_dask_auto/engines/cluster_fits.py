"""The `joblib` engine: scikit-learn's fits as tasks on the user's Dask cluster.

Through joblib's "dask" backend, which is given the validated arrays to send, once.
"""

from typing import Any

import joblib

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
        The very objects that the fits will be called with, sent to the workers now.
    """
    with joblib.parallel_config(backend="dask", scatter=data) as config:
        backend = config["backend"]
    return joblib.Parallel(
        n_jobs=n_workers,
        backend=backend,
        # A batch is one task, so this is what honours `n_jobs` on a larger cluster.
        pre_dispatch=2 * n_workers,
        return_as="generator",
    )
