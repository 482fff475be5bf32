"""Put dask collections together on one worker, and call a function on them there.

What is put together never passes through this process: blocks go from the workers that
hold them, or from where they are stored, to the largest worker.
"""

from collections.abc import Callable, Sequence
from typing import Any

import dask
import numpy as np
import scipy.sparse as sp

from sklearn_dask_auto.inputs.describe import is_dask
from sklearn_dask_auto.inputs.scheduler import compute, largest_worker

__all__ = ["call_on_worker", "concatenated", "row_blocks", "whole"]


def call_on_worker(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function on the largest worker, with dask collections put together there.

    Parameters
    ----------
    function : callable
        Picklable.
    *arguments : object
        Dask arrays come to it as numpy arrays or sparse matrices, DataFrames as
        pandas's; all else is sent as it is.

    Returns
    -------
    result : object
        What the function returned, in this process.

    Notes
    -----
    The worker holds the blocks and what they are put together into, and once that is
    whole, it alone.
    """
    parts = [row_blocks(a) if is_dask(a) else None for a in arguments]
    put_together = dask.delayed(concatenated, pure=False)
    call = dask.delayed(_call, pure=False, traverse=False)
    # A worker that dies comes back under another address: nobody would take the call.
    with dask.annotate(workers=[largest_worker()], allow_other_workers=True):
        together = [
            _as_is(value) if blocks is None else put_together(blocks)
            for value, blocks in zip(arguments, parts, strict=True)
        ]
        result = call(_as_is(function), *together)
    return compute(result)[0]


def whole(collection: Any) -> Any:
    """Return a delayed of a collection put together, for any worker that has room."""
    return dask.delayed(concatenated, pure=False)(row_blocks(collection))


def _as_is(value: Any) -> Any:
    return dask.delayed(value, traverse=False, pure=False)


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


def row_blocks(collection: Any) -> list[Any]:
    """Return one delayed for each block of rows; of what is in memory, one."""
    if not is_dask(collection):
        return [_as_is(collection)]
    if not hasattr(collection, "numblocks"):
        return list(collection.to_delayed())
    if collection.ndim > 1 and collection.numblocks[1] > 1:
        collection = collection.rechunk({1: -1})
    return list(collection.to_delayed().ravel())


def concatenated(parts: Sequence[Any]) -> Any:
    """Put blocks of rows one after another, in memory.

    Parameters
    ----------
    parts : sequence of ndarray, scipy sparse matrix, pandas DataFrame or Series
        All of one kind; or one of any other kind, which is returned.

    Returns
    -------
    rows : ndarray, CSR matrix, DataFrame or Series
        A copy.
    """
    if not hasattr(parts[0], "shape"):
        return parts[0]
    if hasattr(parts[0], "iloc"):
        import pandas as pd

        return pd.concat(parts)
    if sp.issparse(parts[0]):
        return sp.vstack(parts, format="csr")
    return np.concatenate(parts)
