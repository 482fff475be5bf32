"""Bring a dask collection, and what is aligned with it, into this process: once."""

from typing import Any

from sklearn_dask_auto.exceptions import NoEngineError
from sklearn_dask_auto.inputs.describe import describe, is_dask, row_bytes
from sklearn_dask_auto.routing.profile import format_bytes

__all__ = ["gather"]


def gather(
    X: Any, y: Any, params: dict[str, Any], budget: int, copies: float = 1.0
) -> tuple[Any, Any, dict[str, Any]]:
    """Compute every dask collection among the arguments, together.

    Parameters
    ----------
    X, y : object
        Whatever is not a dask collection is returned as it is.
    params : dict
        Fit parameters, such as weights.
    budget : int
        Bytes that may be taken here. Sizes that were unknown are measured first, and
        what is over the budget is refused before it is brought here.
    copies : float, default=1.0
        What its use will take, in multiples of the result.

    Returns
    -------
    X, y, params
        A dask array as numpy, a dask DataFrame as pandas.

    Raises
    ------
    NoEngineError
        If sizes that had to be measured add up to too much.
    """
    values = [X, y, *params.values()]
    collections = [value for value in values if is_dask(value)]
    if not collections:
        return X, y, params
    # dask is imported only once a dask collection is seen.
    from sklearn_dask_auto.inputs.scheduler import compute

    _check_size(collections, budget, copies)
    computed = iter(compute(*collections))
    X, y, *rest = (next(computed) if is_dask(value) else value for value in values)
    return X, y, dict(zip(params, rest, strict=True))


def _check_size(collections: list[Any], budget: int, copies: float) -> None:
    unknown = [c for c in collections if describe(c).n_bytes is None]
    if not unknown:
        return
    from sklearn_dask_auto.inputs.entry import row_counts

    known = sum(describe(c).n_bytes or 0 for c in collections)
    counts = row_counts(unknown)
    needed = known + sum(
        sum(count) * _row_bytes(collection)
        for count, collection in zip(counts, unknown, strict=True)
    )
    if copies * needed > budget:
        raise NoEngineError(
            f"The input has {sum(counts[0]):,} rows and takes {format_bytes(needed)}; "
            f"with the copies that a fit makes, {format_bytes(copies * needed)}, over "
            f"the memory budget of {format_bytes(budget)} of this process. Raise it "
            "with set_config(memory_budget=...), or pass fewer rows."
        )


def _row_bytes(collection: Any) -> int:
    if hasattr(collection, "dtypes") or hasattr(collection, "npartitions"):
        meta = getattr(collection, "_meta", collection)
        if hasattr(meta, "iloc"):
            return row_bytes(meta)
    n_columns = collection.shape[1] if collection.ndim > 1 else 1
    return int(n_columns * collection.dtype.itemsize)
