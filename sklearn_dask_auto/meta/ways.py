"""What else may be done with rows that fit nowhere: every way with its numbers."""

from collections.abc import Iterator
from typing import Any

from sklearn_dask_auto.meta.sample import plan_of_sample
from sklearn_dask_auto.routing import Plan
from sklearn_dask_auto.routing.cost import USABLE_MEMORY, fit_bytes, part_room
from sklearn_dask_auto.routing.profile import format_bytes

__all__ = ["other_ways"]


def other_ways(wrapper: Any, X: Any, plan: Plan) -> str:
    """Say what may be asked for by name, or given, of rows that fit nowhere.

    Parameters
    ----------
    wrapper : AutoScaleEstimator
        Its settings are read.
    X : object
        As for `fit`.
    plan : Plan
        Without an engine.

    Returns
    -------
    message : str
        Lines to follow those of the plan; empty where sizes are not to blame.
    """
    profile, job = plan.profile, plan.job
    if any(c.is_able for c in plan.candidates) or job.rows or not profile.is_dask:
        return ""
    # What is frozen holds no copies, as it is not fitted.
    if not (profile.n_rows and profile.n_bytes and job.copies):
        return ""
    lines = ["", "All rows, with more memory:", *_larger(plan)]
    named = [*_sample(wrapper, plan), *_vote(wrapper, X, plan)]
    if named:
        lines += ["Only by name, as it is not what all rows teach:", *named]
    return "\n".join(lines)


def _larger(plan: Plan) -> Iterator[str]:
    n_bytes = plan.profile.n_bytes or 0
    here = plan.job.copies * n_bytes
    yield f"  set_config(memory_budget=...): {format_bytes(here)} in this process"
    cluster = plan.resources.cluster
    own = cluster.process_memory if cluster is not None else 0
    worker = (own + n_bytes + fit_bytes(plan.profile, plan.job)) / USABLE_MEMORY
    yield f"  a Dask worker with a memory_limit of {format_bytes(worker)} or more"


def _sample(wrapper: Any, plan: Plan) -> Iterator[str]:
    total, n_bytes = plan.profile.n_rows or 0, plan.profile.n_bytes or 0
    most = int(plan.budget * total / (n_bytes * plan.job.copies))
    n_rows = min(wrapper.sample_size, most)
    if not 0 < n_rows < total:
        return
    sizes = f"{format_bytes(n_bytes * n_rows / total)} of {format_bytes(n_bytes)}"
    yield (
        f"  fit_on='sample', sample_size={n_rows}: random rows, {n_rows:,} of "
        f"{total:,}, {sizes}{_seconds(plan_of_sample(plan, n_rows))}; up to {most:,} "
        "fit into the memory budget"
    )


def _vote(wrapper: Any, X: Any, plan: Plan) -> Iterator[str]:
    from sklearn_dask_auto.meta.vote import plan_of_vote

    part_size = min(wrapper.part_size, _largest_part(plan))
    vote = plan_of_vote(plan, wrapper.estimator, X, part_size)
    chosen = vote.chosen
    if chosen is None:
        reasons = "; ".join(
            r for c in vote.candidates if c.engine == "blockwise" for r in c.reasons
        )
        yield f"  not fit_on='blocks': {reasons}"
        return
    yield (
        f"  fit_on='blocks', part_size={part_size}: {vote.job.rows}, "
        f"{format_bytes(vote.job.copies * vote.job.part_bytes)} with the copies of a "
        f"fit, {chosen.cost.n_workers:,} at once{_seconds(vote)}"
    )


def _largest_part(plan: Plan) -> int:
    """Return the rows of a part that fits where parts are fitted."""
    needed = plan.job.copies * (plan.profile.n_bytes or 0)
    n_parts = -(-needed // max(1, part_room(plan.resources, plan.budget)))
    return max(1, int((plan.profile.n_rows or 0) // max(1, n_parts)))


def _seconds(plan: Plan) -> str:
    chosen = plan.chosen
    return f", about {chosen.cost.seconds:.2g} s" if chosen else ""
