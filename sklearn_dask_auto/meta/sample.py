"""A fit on some of the rows, where the user asks for that by name."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.utils import check_consistent_length
from sklearn.utils.random import sample_without_replacement

from sklearn_dask_auto._sklearn import safe_indexing
from sklearn_dask_auto.inputs import is_dask
from sklearn_dask_auto.routing import Plan, decide

__all__ = ["plan_of_sample", "take_sample"]


def take_sample(
    X: Any, y: Any, params: dict[str, Any], sample_size: int, random_state: Any
) -> tuple[Any, Any, dict[str, Any]]:
    """Take the same random rows of `X` and of all that lies beside it.

    Parameters
    ----------
    X, y, params : object
        As for `fit`. Rows of a dask collection are counted, if their number is unknown;
        they are taken lazily. A parameter that is no row for row array is handed on.
    sample_size : int
        Rows to take; all of them where there are no more.
    random_state : int, RandomState instance or None
        With the number of rows it alone decides which are taken.

    Returns
    -------
    X, y, params
        In their own kinds, rows in the order they had.
    """
    values = [X, y, *params.values()]
    counts = _counts(values)
    lengths = [
        value if n is None else range(sum(n))
        for value, n in zip(values[:2], counts, strict=False)
    ]
    check_consistent_length(*lengths)
    n_rows = _n_rows(lengths[0])
    if n_rows is None or n_rows <= sample_size:
        return X, y, params
    rows = sample_without_replacement(
        n_rows, sample_size, random_state=deepcopy(random_state)
    )
    rows = np.sort(rows)
    X, y, *rest = (
        _taken(*pair, n_rows, rows) for pair in zip(values, counts, strict=True)
    )
    return X, y, dict(zip(params, rest, strict=True))


def plan_of_sample(plan: Plan, sample_size: int) -> Plan:
    """Decide again for `sample_size` of the rows; nothing is counted.

    Parameters
    ----------
    plan : Plan
        For all rows.
    sample_size : int
        Most rows that will be fitted.

    Returns
    -------
    plan : Plan
        Its profile is that of the sample, its job says of what.
    """
    profile = plan.profile
    total = "?" if profile.n_rows is None else f"{profile.n_rows:,}"
    n_rows = sample_size
    if profile.n_rows is not None:
        n_rows = min(n_rows, profile.n_rows)
    job = replace(plan.job, rows=f"a random sample, {n_rows:,} of {total} rows")
    if profile.n_bytes is not None and profile.n_rows:
        n_bytes = profile.n_bytes * n_rows // profile.n_rows
        if profile.is_dask:
            # To take a few rows of a block, all of it is read.
            job = replace(job, read_bytes=profile.n_bytes)
        profile = replace(profile, n_bytes=n_bytes)
    profile = replace(profile, n_rows=n_rows)
    return decide(profile, job, plan.resources, plan.budget)


def _counts(values: list[Any]) -> list[tuple[int, ...] | None]:
    """Return the rows of each block of what is lazy, and None for all else."""
    lazy = [value for value in values if is_dask(value)]
    if not lazy:
        return [None] * len(values)
    from sklearn_dask_auto.inputs.entry import row_counts

    counts = iter(row_counts(lazy))
    return [next(counts) if is_dask(value) else None for value in values]


def _n_rows(value: Any) -> int | None:
    if hasattr(value, "shape"):
        return int(value.shape[0]) if len(value.shape) else None
    return len(value) if hasattr(value, "__len__") else None


def _taken(value: Any, counts: tuple[int, ...] | None, n_rows: int, rows: Any) -> Any:
    if counts is not None:
        if sum(counts) != n_rows:
            check_consistent_length(range(n_rows), range(sum(counts)))
        from sklearn_dask_auto.inputs.take import take_rows

        return take_rows(value, counts, rows)
    is_row_wise = value is not None and not isinstance(value, str | dict)
    if is_row_wise and _n_rows(value) == n_rows:
        return safe_indexing(value, rows)
    return value
