"""The `joblib` engine: scikit-learn's fits as tasks on the user's Dask cluster.

It has the name of joblib, through whose "dask" backend users know the way; it sends the
tasks itself, for the reasons in ``docs/design/0002-where-fits-run.md``.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from sklearn_dask_auto._survey import is_in_worker
from sklearn_dask_auto._worker_facts import worker_facts
from sklearn_dask_auto.engines import in_memory
from sklearn_dask_auto.engines.calls import Setting
from sklearn_dask_auto.engines.cluster_workers import ClusterWorkers
from sklearn_dask_auto.engines.fits import Surroundings, Workers
from sklearn_dask_auto.engines.inner_fits import InnerFits, spread
from sklearn_dask_auto.inputs import is_dask
from sklearn_dask_auto.routing import Plan, Resources
from sklearn_dask_auto.routing.cost import fit_bytes

__all__ = [
    "fit",
    "is_warm",
    "put_on_workers",
    "setting_of",
    "spread_fit",
    "worker_addresses",
    "workers",
]


HAS_SCIKIT_LEARN = "'sklearn.model_selection' in __import__('sys').modules"


def fit(
    estimator: Any, X: Any, y: Any, params: dict[str, Any], plan: Plan
) -> dict[str, Any]:
    """Fit with the help of the cluster; see `Engine.fit`.

    The estimator hands its fits to `workers`. Rows that are here are sent to them, and
    those of a dask collection are put together there.
    """
    if is_dask(X) and hasattr(estimator, "_fit_on_workers"):
        return dict(estimator._fit_on_workers(X, y, params, plan))
    return in_memory.fit(estimator, X, y, params, plan)


def put_on_workers(collection: Any) -> Any:
    """Have a dask collection put together on a worker; return the future of it.

    Each worker that needs it gets it from there, once.
    """
    from distributed import Client

    from sklearn_dask_auto.inputs.assemble import whole

    return Client.current().compute(whole(collection))


@contextmanager
def spread_fit(plan: Plan) -> Iterator[InnerFits]:
    """Have the work inside one fit spread over the cluster, in this context.

    Parameters
    ----------
    plan : Plan
        For calls inside the fit. An engine asked for by name sends all of them.

    Yields
    ------
    inner : InnerFits
        What came of it.
    """
    from distributed import Client, worker_client

    with ExitStack() as stack:
        # In a task the thread is left to the calls, some of which may come back to it.
        client = (
            stack.enter_context(worker_client()) if is_in_worker() else Client.current()
        )
        width = sum(client.nthreads().values())
        warm = partial(_is_warm, client)
        is_ordered = plan.job.engine == "joblib"
        inner = InnerFits(is_ordered, plan.job.n_jobs, max(1, width), warm)

        def open_workers() -> Workers:
            return ClusterWorkers(client, inner.most, **_memory(plan))

        stack.enter_context(spread(inner, open_workers))
        yield inner


def workers(plan: Plan, surroundings: Surroundings, echoes: bool = False) -> Workers:
    """Return the workers of the cluster; see `SpreadingEngine.workers`.

    Where the user's own ``joblib.parallel_config("dask", scatter=...)`` is in force,
    its client is used, and the data that it holds.
    """
    from distributed import Client

    backend = surroundings.backend
    is_users = type(backend).__name__ == "DaskDistributedBackend"
    return ClusterWorkers(
        backend.client if is_users else Client.current(),
        _most_at_once(plan),
        **_memory(plan),
        echoes=echoes,
        known={**(backend.data_futures if is_users else {}), **surroundings.elsewhere},
    )


def _memory(plan: Plan) -> dict[str, Any]:
    """Return what a worker holds for all calls, and what each of them adds."""
    return {
        "data_bytes": plan.profile.n_bytes or 0,
        "fit_bytes": fit_bytes(plan.profile, plan.job),
    }


def worker_addresses() -> list[str]:
    """Return the addresses of the workers of the current client."""
    return list(_worker_facts())


def setting_of(resources: Resources, at_once: int) -> Setting:
    """Return how one of so many calls at once shares its worker's machine.

    Parameters
    ----------
    resources : Resources
        With the cluster of the current client.
    at_once : int
        Calls on all of its machines together.
    """
    n_hosts = len({facts["host"] for facts in _worker_facts().values()})
    # Only a worker of one thread has its process, and so its warnings, to itself.
    cluster = resources.cluster
    is_alone = (
        cluster is not None
        and cluster.n_threads == cluster.n_workers
        and not cluster.address.startswith("inproc:")
    )
    return Setting(-(-at_once // max(1, n_hosts)), is_alone)


def _worker_facts() -> dict[str, Any]:
    from distributed import Client

    return worker_facts(Client.current())


def is_warm() -> bool:
    """Ask the workers of the current client whether they have imported scikit-learn.

    It takes a few milliseconds. Imports take a second, which short searches have not.
    """
    from distributed import Client

    return _is_warm(Client.current())


def _is_warm(client: Any) -> bool:
    try:
        # A function of ours would have them import it, and scikit-learn with it.
        answers = client.run(eval, HAS_SCIKIT_LEARN, on_error="return")
    except OSError:
        # Workers or the client are on their way out, as the first call will tell.
        return False
    return all(answer is True for answer in answers.values())


def _most_at_once(plan: Plan) -> int:
    """Return what `n_jobs` allows; without a limit, workers may still come."""
    if plan.job.n_jobs in (None, -1) or plan.chosen is None:
        return plan.job.n_fits
    return plan.chosen.cost.n_workers
