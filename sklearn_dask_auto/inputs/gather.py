"""Bring a dask collection, and what is aligned with it, into this process: once."""

import math
import threading
from typing import Any

from sklearn_dask_auto.exceptions import NoEngineError
from sklearn_dask_auto.inputs.describe import describe, is_dask, row_bytes
from sklearn_dask_auto.routing.profile import format_bytes

__all__ = ["gather", "row_bytes_of"]


def gather(
    X: Any,
    y: Any,
    params: dict[str, Any],
    budget: float = math.inf,
    copies: float = 1.0,
) -> tuple[Any, Any, dict[str, Any]]:
    """Compute every dask collection among the arguments, together.

    Parameters
    ----------
    X, y : object
        Whatever is not a dask collection is returned as it is.
    params : dict
        Fit parameters, such as weights.
    budget : float, default=inf
        Bytes that may be taken here. Sizes that were unknown are weighed on the way,
        and what is over the budget is refused before all of it is here.
    copies : float, default=1.0
        What its use will take, in multiples of the result.

    Returns
    -------
    X, y, params
        A dask array as numpy, a dask DataFrame as pandas.

    Raises
    ------
    NoEngineError
        If sizes that were unknown add up to too much.
    """
    values = [X, y, *params.values()]
    collections = [value for value in values if is_dask(value)]
    if not collections:
        return X, y, params
    # dask is imported only once a dask collection is seen.
    from sklearn_dask_auto.inputs.scheduler import compute, computes_here

    unknown = [c for c in collections if describe(c).n_bytes is None]
    if unknown and budget < math.inf:
        known = sum(describe(c).n_bytes or 0 for c in collections)
        if computes_here():
            scale = _Scale(known, budget, copies)
            collections = [_weighed(c, scale) for c in collections]
        else:
            _check_size(unknown, known, budget, copies)
    computed = iter(compute(*collections))
    X, y, *rest = (next(computed) if is_dask(value) else value for value in values)
    return X, y, dict(zip(params, rest, strict=True))


class _Scale:
    """Weighs blocks as they are computed, so that what is too much is never all here.

    Parameters
    ----------
    n_bytes : int
        Bytes that are known before.
    budget, copies : float
        As for `gather`.
    """

    def __init__(self, n_bytes: int, budget: float, copies: float) -> None:
        self._n_bytes = n_bytes
        self._budget = budget
        self._copies = copies
        self._lock = threading.Lock()

    def __dask_tokenize__(self) -> int:
        return id(self)

    def __call__(self, block: Any) -> Any:
        n_bytes = describe(block).n_bytes or 0
        with self._lock:
            self._n_bytes += n_bytes
        if self._copies * self._n_bytes > self._budget:
            raise _too_much("more than ", self._n_bytes, self._budget, self._copies)
        return block


def _weighed(collection: Any, scale: _Scale) -> Any:
    if describe(collection).n_bytes is not None:
        return collection
    if hasattr(collection, "numblocks"):
        meta = collection._meta
        return collection.map_blocks(scale, dtype=collection.dtype, meta=meta)
    return collection.map_partitions(scale, meta=collection._meta)


def _check_size(unknown: list[Any], n_bytes: int, budget: float, copies: float) -> None:
    """Count rows before any is brought here, where they are computed elsewhere."""
    from sklearn_dask_auto.inputs.entry import row_counts

    for counts, collection in zip(row_counts(unknown), unknown, strict=True):
        n_bytes += sum(counts) * row_bytes_of(collection)
    if copies * n_bytes > budget:
        raise _too_much("", n_bytes, budget, copies)


def _too_much(bound: str, n_bytes: int, budget: float, copies: float) -> NoEngineError:
    return NoEngineError(
        f"The input takes {bound}{format_bytes(n_bytes)}; with the copies that a fit "
        f"makes, {bound}{format_bytes(copies * n_bytes)}, over the memory budget of "
        f"{format_bytes(budget)} of this process. Raise it with "
        "set_config(memory_budget=...), or pass fewer rows."
    )


def row_bytes_of(collection: Any) -> int:
    """Return the bytes of one row of a dask collection."""
    if hasattr(collection, "dtypes") or hasattr(collection, "npartitions"):
        meta = getattr(collection, "_meta", collection)
        if hasattr(meta, "iloc"):
            return row_bytes(meta)
    n_columns = collection.shape[1] if collection.ndim > 1 else 1
    return int(n_columns * collection.dtype.itemsize)
