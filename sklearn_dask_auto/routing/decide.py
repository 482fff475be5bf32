"""The decision: total, deterministic, and without a side effect.

Each engine is judged by a list of conditions, all of them evaluated, so that every
reason is known and not only the first. A reason is the fact that failed.
"""

from sklearn_dask_auto.routing.cost import cost_of, fit_bytes, part_room, worker_room
from sklearn_dask_auto.routing.job import ENGINES, Job
from sklearn_dask_auto.routing.plan import Candidate, Plan
from sklearn_dask_auto.routing.profile import Profile, format_bytes
from sklearn_dask_auto.routing.resources import Cluster, Resources

__all__ = ["budget_of", "decide"]

FREE_MEMORY_SHARE = 0.5
"""Share of free memory that a fit may take when the user names no budget."""
SMALL_BYTES = 10_000_000
"""What is no larger may pass from a cluster through this process, for many fits."""
PREFERENCE = ("sklearn", "blockwise", "joblib", "dask-ml")
"""Which engine wins a tie."""


def budget_of(resources: Resources, memory_budget: int | None = None) -> int:
    """Return the bytes that a fit may take in this process.

    Parameters
    ----------
    resources : Resources
        What is at hand.
    memory_budget : int or None, default=None
        What the user set; None for half of what is free.

    Returns
    -------
    budget : int
    """
    if memory_budget is None:
        return int(FREE_MEMORY_SHARE * resources.free_memory)
    return memory_budget


def decide(
    profile: Profile,
    job: Job,
    resources: Resources,
    memory_budget: int | None = None,
) -> Plan:
    """Choose an engine for a job.

    Parameters
    ----------
    profile : Profile
        What the input is.
    job : Job
        What is asked.
    resources : Resources
        What is at hand.
    memory_budget : int or None, default=None
        Bytes that the fit may take in this process; None for half of what is free.

    Returns
    -------
    plan : Plan
        Its ``engine`` is None where no engine can do the job, or where the one asked
        for by name cannot.
    """
    budget = budget_of(resources, memory_budget)
    candidates = tuple(
        Candidate(
            engine,
            cost_of(engine, profile, job, resources, budget),
            tuple(_reasons(engine, profile, job, resources, budget)),
            tuple(_reservations(engine, profile, job, resources, budget)),
        )
        for engine in ENGINES
    )
    return Plan(
        _choose(candidates, job.engine), candidates, profile, job, resources, budget
    )


def _choose(candidates: tuple[Candidate, ...], asked: str) -> str | None:
    able = [c for c in candidates if c.is_able and asked in ("auto", c.engine)]
    if not able:
        return None
    best = min(
        able,
        key=lambda c: (
            bool(c.reservations),
            c.cost.seconds,
            PREFERENCE.index(c.engine),
        ),
    )
    return best.engine


def _reasons(
    engine: str, profile: Profile, job: Job, resources: Resources, budget: int
) -> list[str]:
    failed = job.refused(engine)
    if engine == "joblib":
        failed += _no_cluster(resources)
        failed += _over_worker_memory(profile, job, resources)
        failed += _nothing_to_spread(profile, job)
    is_gathered = engine == "sklearn" or (engine == "joblib" and not job.moves_whole)
    if is_gathered and profile.is_dask:
        failed += _over_budget(profile, job, budget)
    if engine == "dask-ml":
        if not resources.has_dask_ml:
            failed.append("dask-ml is not installed")
        if not profile.is_dask:
            failed.append(f"X is {profile.container}, not a dask collection")
    if engine == "blockwise":
        failed += _no_blocks(profile, job, resources)
        failed += _over_part_memory(job, resources, budget)
    return failed


def _no_blocks(profile: Profile, job: Job, resources: Resources) -> list[str]:
    # In memory it is one part, of whatever kind.
    if profile.container in _WITHOUT_BLOCKS and not job.n_parts:
        return [f"X is {profile.container}, which has no row blocks"]
    if profile.is_dask and resources.cluster and resources.cluster.problem:
        return [resources.cluster.problem]
    return []


def _nothing_to_spread(profile: Profile, job: Job) -> list[str]:
    if job.n_fits > 1:
        return []
    if not job.moves_whole or not profile.is_dask:
        return ["one fit is one task: there is nothing to spread"]
    if profile.n_bytes is None:
        return ["the size of X is unknown, so that no worker is known to hold it"]
    return []


def _reservations(
    engine: str, profile: Profile, job: Job, resources: Resources, budget: int
) -> list[str]:
    reserved = [reason for name, reason in job.reservations if name == engine]
    if engine == "sklearn":
        reserved += _better_on_the_cluster(profile, job, resources)
    return reserved + _own_reservations(engine, profile, job, budget)


def _better_on_the_cluster(
    profile: Profile, job: Job, resources: Resources
) -> list[str]:
    """Say why many fits are not to be made here of rows that a cluster has."""
    n_bytes = profile.n_bytes or 0
    is_spread = profile.is_dask and job.moves_whole and job.n_fits > 1
    if not is_spread or _no_cluster(resources) or n_bytes <= SMALL_BYTES:
        return []
    return [f"{format_bytes(n_bytes)} of X would pass through this process"]


def _own_reservations(
    engine: str, profile: Profile, job: Job, budget: int
) -> list[str]:
    if profile.is_dask:
        return _gathering_reservations(engine, profile, job)
    if engine == "sklearn":
        # Never a reason to refuse: the caller holds these arrays already, and
        # scikit-learn without this library would try.
        return _over_budget(profile, job, budget)
    is_small = not _over_budget(profile, job, budget)
    if engine == "blockwise" and is_small and not job.n_parts:
        return ["X is in memory, where scikit-learn itself gives the answer"]
    return []


def _gathering_reservations(engine: str, profile: Profile, job: Job) -> list[str]:
    if engine not in ("sklearn", "joblib"):
        return []
    if profile.n_bytes is None:
        return ["the size of X is unknown until it is computed"]
    if job.exact_rows is not None and (profile.n_rows or 0) > job.exact_rows:
        return [
            f"gathering more than {job.exact_rows:,} rows ({profile.n_rows:,}) may "
            "change the answer"
        ]
    return []


def _over_budget(profile: Profile, job: Job, budget: int) -> list[str]:
    copies = job.copies if profile.is_dask else job.copies - 1
    needed = int(copies * (profile.n_bytes or 0))
    if needed <= budget:
        return []
    return [
        f"X takes {format_bytes(profile.n_bytes or 0)} and a fit in this process "
        f"{format_bytes(needed)} more, over the memory budget of "
        f"{format_bytes(budget)} (set_config(memory_budget=...) changes it)"
    ]


def _over_worker_memory(profile: Profile, job: Job, resources: Resources) -> list[str]:
    if resources.cluster is None:
        return []
    n_bytes = profile.n_bytes or 0
    needed = n_bytes + fit_bytes(profile, job)
    cluster = resources.cluster
    room = worker_room(cluster)
    if needed <= room:
        return []
    return [
        f"a fit takes {format_bytes(needed)} on a worker ({format_bytes(n_bytes)} of "
        f"data and {format_bytes(needed - n_bytes)} of its own), and the largest "
        f"worker can fill {format_bytes(room)} of its "
        f"{format_bytes(cluster.worker_memory)}{_taken_by_process(cluster)}: workers "
        "need a larger memory_limit"
    ]


def _taken_by_process(cluster: Cluster) -> str:
    taken = cluster.process_memory
    return f", as its process takes {format_bytes(taken)}" if taken else ""


def _over_part_memory(job: Job, resources: Resources, budget: int) -> list[str]:
    needed = int(job.copies * job.part_bytes)
    limit = part_room(resources, budget)
    if limit == budget:
        place = f"the memory budget of {format_bytes(budget)}"
    else:
        place = f"the {format_bytes(limit)} that the largest worker can fill"
    if needed <= limit:
        return []
    return [
        f"the largest of {job.n_parts:,} parts takes {format_bytes(job.part_bytes)} "
        f"and its fit {format_bytes(needed)}, over {place}: a smaller part_size, "
        "smaller blocks or, for more blocks with rows of each class, shuffled rows "
        "make smaller parts"
    ]


def _no_cluster(resources: Resources) -> list[str]:
    failed = []
    if resources.is_in_worker:
        failed.append("this call runs inside a task of a Dask worker")
    if resources.cluster is None:
        failed.append(resources.cluster_problem or "no Dask client in this process")
    elif resources.cluster.n_workers == 0:
        failed.append(f"the cluster at {resources.cluster.address} has 0 workers")
    elif resources.cluster.problem:
        failed.append(resources.cluster.problem)
    return failed


_WITHOUT_BLOCKS = ("scipy sparse", "other")
