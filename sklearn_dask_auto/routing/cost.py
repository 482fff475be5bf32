"""What a way of doing the job would cost, in seconds and bytes.

The rates are medians of `benchmarks/rates.py` on two cores of a current server. They
need only rank engines: where two engines are close, either is a good choice.
"""

from dataclasses import dataclass, replace

from sklearn_dask_auto.routing.job import Job, workers_asked
from sklearn_dask_auto.routing.profile import Profile
from sklearn_dask_auto.routing.resources import Cluster, Resources

__all__ = [
    "Cost",
    "cost_of",
    "fit_bytes",
    "fits_at_once",
    "part_room",
    "spreading_pays",
    "worker_room",
]

OPERATIONS_PER_SECOND = 1.4e10
"""One core, compiled code on blocks in cache."""
COPY_BYTES_PER_SECOND = 3.6e9
"""Assembling blocks in this process."""
WIRE_BYTES_PER_SECOND = 3e8
"""Between this process and a worker over a network; on one machine it is 1e9."""
LOCAL_TASK_SECONDS = 1e-4
CLUSTER_TASK_SECONDS = 1.7e-3
"""Scheduling one dask task."""
CLUSTER_FIT_SECONDS = 1e-2
CLUSTER_CALL_SECONDS = 3e-2
"""A fit sent through joblib's dask backend, and opening and closing the backend."""
CLUSTER_IMPORT_SECONDS = 1.5
"""What the first fits wait for, on workers that have not imported scikit-learn yet, and
that take cores from the fits here meanwhile."""
WORKER_FIT_SECONDS = 1e-3
WORKER_CALL_SECONDS = 1e-2
WORKER_START_SECONDS = 1.6
"""The same for joblib's local worker processes, and starting them."""
THREAD_FIT_SECONDS = 6e-4
"""What a fit and its score take of the interpreter's lock, while no other goes on: of
the 1e-3 that are measured, what compiled code of another fit does not fill."""
USABLE_MEMORY = 0.8
"""Share of its limit that a Dask worker fills before it pauses."""
LEAST_GAIN_SECONDS = 0.1
"""What is saved by less is lost as easily, by all that has no price here."""
GROUP_BYTES = 64_000_000
"""Blocks smaller than this are worked on together, in one task."""
DASK_ML_SLOWDOWN = 6.0
"""Passes of dask-ml's algorithms against ours on the same rows."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds by part and bytes of peak memory.

    Parameters
    ----------
    compute, transfer, overhead, start : float
        Seconds: arithmetic; moving data; scheduling tasks; starting processes.
    n_bytes : int
        Bytes that the way takes at its peak, beyond what the caller holds already.
    n_workers : int
        Threads or processes that share the work.
    in_threads : bool
        They are threads of this process.
    """

    compute: float = 0.0
    transfer: float = 0.0
    overhead: float = 0.0
    start: float = 0.0
    n_bytes: int = 0
    n_workers: int = 1
    in_threads: bool = False

    @property
    def seconds(self) -> float:
        """All parts together."""
        return self.compute + self.transfer + self.overhead + self.start

    @property
    def binds(self) -> str:
        """The part that dominates."""
        parts = ("compute", "transfer", "overhead", "start")
        return max(parts, key=lambda part: float(getattr(self, part)))


def cost_of(
    engine: str, profile: Profile, job: Job, resources: Resources, budget: int
) -> Cost:
    """Price one engine. A size that is unknown is priced as zero.

    `budget` limits how many local processes share the work, as each holds copies.
    """
    if engine == "sklearn":
        return _sklearn(profile, job, resources, budget)
    if engine == "blockwise" and job.n_parts:
        return _parts(profile, job, resources, budget)
    return _PRICES[engine](profile, job, resources)


def slots(limit: int, job: Job) -> int:
    """Return how many fits may run at once, given `limit` workers."""
    return max(1, min(limit, workers_asked(job.n_jobs, limit), job.n_fits))


def fit_bytes(profile: Profile, job: Job) -> int:
    """Return what one fit takes beside the input that it reads."""
    return int((job.copies - 1) * (profile.n_bytes or 0))


def fits_at_once(profile: Profile, job: Job, cluster: Cluster) -> int:
    """Return how many fits the memory and the threads of a cluster allow."""
    if not cluster.n_workers:
        return 1
    threads = max(1, cluster.n_threads // cluster.n_workers)
    free = worker_room(cluster) - (profile.n_bytes or 0)
    most = int(free // max(1, fit_bytes(profile, job)))
    if most >= threads:
        return cluster.n_threads
    return cluster.n_workers * max(1, most)


def spreading_pays(
    seconds: float,
    n_calls: int,
    n_bytes: int,
    here: int,
    there: int,
    *,
    is_warm: bool = True,
) -> bool:
    """Tell whether calls of so many seconds are done clearly sooner on a cluster.

    `n_bytes` is what each worker is sent, `here` and `there` how many run at once.
    """
    start = 0.0 if is_warm else CLUSTER_IMPORT_SECONDS
    sending = n_bytes * there / WIRE_BYTES_PER_SECOND + CLUSTER_CALL_SECONDS
    each = (seconds + CLUSTER_FIT_SECONDS) / there
    away = start + sending + n_calls * each
    return away + LEAST_GAIN_SECONDS < n_calls * seconds / here


def worker_room(cluster: Cluster) -> int:
    """Return the bytes that data and fits may take on the largest worker."""
    usable = int(USABLE_MEMORY * cluster.worker_memory)
    return max(0, usable - cluster.process_memory)


def part_room(resources: Resources, budget: int) -> int:
    """Return the bytes that the fit of a part may take where parts are fitted."""
    if _is_local(resources) or resources.cluster is None:
        return budget
    return worker_room(resources.cluster)


def _parts_at_once(job: Job, resources: Resources, budget: int) -> int:
    """Return how many parts the memory and the threads at hand allow to be fitted."""
    cluster, is_local = resources.cluster or _NO_CLUSTER, _is_local(resources)
    places = 1 if is_local else cluster.n_workers
    threads = resources.cores if is_local else cluster.n_threads // places
    needed = max(1, int(job.copies * job.part_bytes))
    most = part_room(resources, budget) // needed
    return min(job.n_parts, places * max(1, min(threads, most)))


def _sklearn(profile: Profile, job: Job, resources: Resources, budget: int) -> Cost:
    gather = _gather_seconds(profile, job, resources)
    one_fit = _fit_seconds(profile, job, resources.cores)
    serial = Cost(
        compute=job.n_fits * one_fit,
        transfer=gather,
        n_bytes=_held_bytes(profile, job),
    )
    # joblib writes one copy that all processes map; what a fit adds, each holds.
    shared = (profile.n_bytes or 0) * (2 if profile.is_dask else 1)
    added = fit_bytes(profile, job)
    workers = slots(resources.cores, job)
    if added > 0:
        workers = min(workers, (budget - shared) // added)
    is_gathered_twice = profile.is_dask and shared > budget
    if workers <= 1 or is_gathered_twice or resources.is_in_worker:
        return serial
    processes = Cost(
        compute=_rounds(job.n_fits, workers) * _fit_seconds(profile, job, 1),
        transfer=gather,
        overhead=WORKER_CALL_SECONDS + job.n_fits * WORKER_FIT_SECONDS / workers,
        start=0.0 if resources.has_warm_workers else WORKER_START_SECONDS,
        n_bytes=shared + workers * added,
        n_workers=workers,
    )
    threads = replace(
        processes,
        overhead=job.n_fits * THREAD_FIT_SECONDS,
        start=0.0,
        in_threads=True,
    )
    ways = (serial, threads, processes) if job.in_threads else (serial, processes)
    return min(ways, key=lambda cost: cost.seconds)


def _joblib(profile: Profile, job: Job, resources: Resources) -> Cost:
    cluster = resources.cluster or _NO_CLUSTER
    workers = slots(fits_at_once(profile, job, cluster), job)
    n_bytes = profile.n_bytes or 0
    return Cost(
        compute=_rounds(job.n_fits, workers) * _fit_seconds(profile, job, 1),
        # What can be put together on the workers does not come here before.
        transfer=(
            _read_seconds(job.read_bytes, resources)
            if job.moves_whole
            else _gather_seconds(profile, job, resources)
        )
        + n_bytes * cluster.n_workers / WIRE_BYTES_PER_SECOND,
        overhead=CLUSTER_CALL_SECONDS + job.n_fits * CLUSTER_FIT_SECONDS / workers,
        start=0.0 if cluster.is_warm else CLUSTER_IMPORT_SECONDS,
        n_bytes=_held_bytes(profile, job),
        n_workers=workers,
    )


def _blockwise(profile: Profile, job: Job, resources: Resources) -> Cost:
    workers, task_seconds = _block_workers(resources)
    # Not rounded up: a step in the price would make the choice jump back and forth.
    groups = min(profile.n_blocks, max(workers, (profile.n_bytes or 0) / GROUP_BYTES))
    return Cost(
        compute=job.n_fits * _fit_seconds(profile, job, workers),
        overhead=job.n_fits * job.passes * (groups + 4) * task_seconds,
        n_bytes=min(
            workers * max(profile.block_bytes, GROUP_BYTES), profile.n_bytes or 0
        ),
        n_workers=workers,
    )


def _parts(profile: Profile, job: Job, resources: Resources, budget: int) -> Cost:
    _, task_seconds = _block_workers(resources)
    workers = _parts_at_once(job, resources, budget)
    return Cost(
        compute=_fit_seconds(profile, job, workers),
        # Parts are put together where they are fitted, from blocks that lie anywhere.
        transfer=_read_seconds(profile.n_bytes or 0, resources),
        overhead=(2 * profile.n_blocks + job.n_parts) * task_seconds,
        n_bytes=int(workers * job.copies * job.part_bytes),
        n_workers=workers,
    )


def _dask_ml(profile: Profile, job: Job, resources: Resources) -> Cost:
    workers, task_seconds = _block_workers(resources)
    tasks = 8 * profile.n_blocks + 20
    return Cost(
        compute=DASK_ML_SLOWDOWN * job.n_fits * _fit_seconds(profile, job, workers),
        overhead=job.n_fits * job.passes * tasks * task_seconds,
        n_bytes=2 * workers * profile.block_bytes,
        n_workers=workers,
    )


_PRICES = {
    "joblib": _joblib,
    "dask-ml": _dask_ml,
    "blockwise": _blockwise,
}
_NO_CLUSTER = Cluster("", 1, 1, 0, 0)


def _fit_seconds(profile: Profile, job: Job, workers: int) -> float:
    if job.seconds_per_fit is not None:
        return job.seconds_per_fit
    operations = profile.n_values * job.passes * job.operations
    return operations / OPERATIONS_PER_SECOND / workers


def _rounds(n_fits: int, workers: int) -> float:
    """Fits one after another, per worker; the last round may be part empty."""
    return max(n_fits / workers, 1.0)


def _gather_seconds(profile: Profile, job: Job, resources: Resources) -> float:
    if not profile.is_dask:
        return 0.0
    is_remote = resources.cluster is not None
    rate = WIRE_BYTES_PER_SECOND if is_remote else COPY_BYTES_PER_SECOND
    return (profile.n_bytes or 0) / rate + _read_seconds(job.read_bytes, resources)


def _read_seconds(n_bytes: int, resources: Resources) -> float:
    """Return what reading blocks takes, where they are."""
    workers, _ = _block_workers(resources)
    return n_bytes / COPY_BYTES_PER_SECOND / workers


def _held_bytes(profile: Profile, job: Job) -> int:
    """Peak bytes of a fit in memory; what is in memory already is not counted."""
    copies = job.copies if profile.is_dask else job.copies - 1
    return int(copies * (profile.n_bytes or 0))


def _block_workers(resources: Resources) -> tuple[int, float]:
    if _is_local(resources) or resources.cluster is None:
        return resources.cores, LOCAL_TASK_SECONDS
    return resources.cluster.n_threads, CLUSTER_TASK_SECONDS


def _is_local(resources: Resources) -> bool:
    """Tell whether work on blocks is priced for this machine."""
    cluster = resources.cluster
    return cluster is None or not cluster.n_threads or resources.is_in_worker
