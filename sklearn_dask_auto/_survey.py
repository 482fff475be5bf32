"""The edge to the machines: cores, free memory, and a Dask client if there is one.

The counterpart of `inputs/`, which is the edge to the user's data. Nothing here starts
a process or a cluster; `distributed` is looked at only where the user has imported it.
"""

import functools
import importlib.util
import sys
from pathlib import Path
from time import monotonic
from typing import Any

import joblib
import psutil

from sklearn_dask_auto._worker_facts import worker_facts
from sklearn_dask_auto._worker_memory import process_bytes
from sklearn_dask_auto._worker_versions import worker_problem
from sklearn_dask_auto.routing import Cluster, Resources

__all__ = ["is_in_worker", "survey"]

CGROUP = Path("/sys/fs/cgroup")
CGROUP_FILES = (
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)
"""Limit and use, for cgroups of version 2 and 1."""


def survey(*, with_cluster: bool = True, asks_workers: bool = True) -> Resources:
    """Look at what is at hand, now.

    Parameters
    ----------
    with_cluster : bool, default=True
        Ask the scheduler for its workers, which takes a few milliseconds.
    asks_workers : bool, default=True
        Ask workers that are new whether they can run what would be sent to them, which
        takes some more, and far more where they have just started.

    Returns
    -------
    resources : Resources
        Facts as of this call, as workers come and go; of this machine, up to a second
        old, as reading them takes longer than all the rest of a plan.
    """
    cluster, problem, is_in_worker = _cluster(with_cluster, asks_workers)
    cores, free_memory = _machine(int(monotonic()))
    return Resources(
        cores=cores,
        free_memory=free_memory,
        cluster=cluster,
        cluster_problem=problem,
        is_in_worker=is_in_worker,
        has_dask_ml=_is_installed("dask_ml"),
        has_warm_workers=_has_warm_workers(),
    )


@functools.lru_cache(maxsize=1)
def _machine(second: int) -> tuple[int, int]:
    """Return the cores and the free memory of this process, in this second."""
    return joblib.cpu_count(), _free_memory()


def _cluster(
    with_cluster: bool, asks_workers: bool
) -> tuple[Cluster | None, str | None, bool]:
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None, None, False
    in_worker = is_in_worker()
    try:
        client = distributed.Client.current()
    except ValueError:
        return None, None, in_worker
    if client.status != "running":
        return None, f"the Dask client is {client.status}", in_worker
    if client.asynchronous:
        problem = "the Dask client is asynchronous, and scikit-learn's fit is not"
        return None, problem, in_worker
    if not with_cluster:
        return None, "one fit in memory has no use for the Dask client", in_worker
    return _describe_cluster(client, asks_workers), None, in_worker


def _describe_cluster(client: Any, asks_workers: bool) -> Cluster:
    by_address = worker_facts(client)
    workers = by_address.values()
    # A worker without a limit reports 0 or None: it can take what its machine has.
    limits = [w["memory_limit"] or psutil.virtual_memory().total for w in workers]
    processes = [process_bytes(client, *worker) for worker in by_address.items()]
    return Cluster(
        address=client.scheduler.address,
        n_workers=len(workers),
        n_threads=sum(w["nthreads"] for w in workers),
        memory=sum(limits),
        worker_memory=max(limits, default=0),
        problem=worker_problem(client, list(by_address), asks_workers),
        process_memory=max(processes, default=0),
    )


def is_in_worker() -> bool:
    """Tell whether this is a task of a cluster's worker."""
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return False
    try:
        distributed.get_worker()
    except ValueError:
        return False
    return True


def _free_memory() -> int:
    available = int(psutil.virtual_memory().available)
    files = _cgroup_files()
    if files is None:
        return available
    limit, used = (file.read_text().strip() for file in files)
    if limit == "max":
        return available
    left = int(limit) - int(used) + _cached_files(files[1].with_name("memory.stat"))
    return max(0, min(available, left))


def _cached_files(stat: Path) -> int:
    """Return bytes of idle file cache: counted as used, given up when asked for."""
    if not stat.exists():
        return 0
    facts = dict(line.split() for line in stat.read_text().splitlines())
    # Version 1 tells this group's own from that of the groups within it, too.
    return int(facts.get("total_inactive_file", facts.get("inactive_file", 0)))


@functools.cache
def _cgroup_files() -> tuple[Path, Path] | None:
    """Return the files that hold this container's limit and use, if it has a limit."""
    for limit_name, used_name in CGROUP_FILES:
        limit, used = CGROUP / limit_name, CGROUP / used_name
        if limit.exists() and used.exists():
            text = limit.read_text().strip()
            is_limited = text != "max" and int(text) < psutil.virtual_memory().total
            return (limit, used) if is_limited else None
    return None


@functools.cache
def _is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _has_warm_workers() -> bool:
    """Tell whether joblib's reusable worker processes are up.

    joblib keeps them in one module variable; there is no public way to ask.
    """
    loky = sys.modules.get("joblib.externals.loky.reusable_executor")
    executor = getattr(loky, "_executor", None)
    return executor is not None and bool(getattr(executor, "_processes", None))
