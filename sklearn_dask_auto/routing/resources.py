"""What is at hand: this machine, and a Dask cluster if the user has a client."""

from dataclasses import dataclass

__all__ = ["Cluster", "Resources"]


@dataclass(frozen=True, slots=True)
class Cluster:
    """The cluster behind an existing Dask client.

    Parameters
    ----------
    address : str
        The scheduler's address.
    n_workers, n_threads : int
        Workers at this moment and their threads together.
    memory : int
        Memory limits of the workers together, in bytes.
    worker_memory : int
        Memory limit of the largest worker, in bytes.
    problem : str or None
        Why nothing of this library can run there, as the fact that failed.
    is_warm : bool
        The workers have imported scikit-learn, as far as is known.
    process_memory : int
        Bytes that a worker's process takes beside its data, the most that any reports.
    """

    address: str
    n_workers: int
    n_threads: int
    memory: int
    worker_memory: int
    problem: str | None = None
    is_warm: bool = True
    process_memory: int = 0


@dataclass(frozen=True, slots=True)
class Resources:
    """Facts about the machines.

    Parameters
    ----------
    cores : int
        Cores that this process may use.
    free_memory : int
        Bytes that this process can still take, the cgroup's limit included.
    cluster : Cluster or None
        The cluster of an existing client.
    cluster_problem : str or None
        Why there is no cluster to use, as the fact that failed.
    is_in_worker : bool
        This very call runs inside a task of a Dask worker.
    has_dask_ml : bool
        dask-ml is installed.
    has_warm_workers : bool
        joblib's local worker processes are running already.
    """

    cores: int
    free_memory: int
    cluster: Cluster | None = None
    cluster_problem: str | None = None
    is_in_worker: bool = False
    has_dask_ml: bool = True
    has_warm_workers: bool = False
