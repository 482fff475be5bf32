"""A plan made again, once sizes that were unknown have been counted."""

from dataclasses import replace
from typing import Any

from sklearn_dask_auto.inputs.describe import describe, is_dask
from sklearn_dask_auto.inputs.gather import row_bytes_of
from sklearn_dask_auto.routing import Plan, decide

__all__ = ["with_sizes"]


def with_sizes(
    plan: Plan, X: Any, y: Any, params: dict[str, Any], n_rows: int | None = None
) -> Plan:
    """Count rows, if their number is unknown, and decide again.

    Parameters
    ----------
    plan : Plan
        What was decided from metadata.
    X, y, params : object
        As for `fit`. Dask collections are counted in one pass; none is brought here.
    n_rows : int or None, default=None
        Rows of `X`, if they were counted before; it is the only collection then.

    Returns
    -------
    plan : Plan
        The same one, where all sizes are known.
    """
    if plan.profile.n_bytes is not None:
        return plan
    from sklearn_dask_auto.inputs.entry import row_counts

    values = [v for v in (X, y, *params.values()) if v is not None]
    lazy = [value for value in values if is_dask(value)]
    counts = [n_rows] if n_rows is not None else [sum(n) for n in row_counts(lazy)]
    n_bytes = sum(describe(v).n_bytes or 0 for v in values if not is_dask(v))
    n_bytes += sum(n * row_bytes_of(c) for n, c in zip(counts, lazy, strict=True))
    profile = replace(
        plan.profile,
        n_rows=counts[0] if is_dask(X) else plan.profile.n_rows,
        n_bytes=n_bytes,
    )
    return decide(profile, plan.job, plan.resources, plan.budget)
