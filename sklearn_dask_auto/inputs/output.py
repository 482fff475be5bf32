"""The output rules: what a fitted model says of dask input, lazily, block by block.

A dask array gives a dask array of true shape, dtype and chunks; a dask DataFrame gives
a dask array, or a dask DataFrame where `set_output` asks for frames. The model is one
node of the graph, so that it travels to each worker once.
"""

import itertools
import warnings
from collections.abc import Callable
from typing import Any

import dask
import dask.array as da
import numpy as np

from sklearn_dask_auto.inputs.entry import specimen
from sklearn_dask_auto.inputs.gather import gather

__all__ = ["map_rows", "map_rows_to_frame", "score_rows"]


def map_rows(model: Any, method: str, X: Any) -> Any:
    """Apply a row-wise method of a fitted model to each block.

    Parameters
    ----------
    model : object
        Fitted; must be picklable, and is not changed.
    method : str
        "predict", "transform", ...: one row out for each row in.
    X : dask array or dask DataFrame of shape (n_rows, n_columns)
        May have unknown row counts, empty blocks and several blocks across columns.

    Returns
    -------
    out : dask array of shape (n_rows,) or (n_rows, n_out)
    """
    sample = _specimen_output(model, method, X)
    shared = dask.delayed(model, pure=False, traverse=False)
    empty = sample[:0]
    if hasattr(X, "npartitions") and not hasattr(X, "numblocks"):
        return _map_partitions(shared, method, X, empty)
    if X.numblocks[1] > 1:
        X = X.rechunk({1: -1})
    chunks = (X.chunks[0], *((n,) for n in sample.shape[1:]))
    return da.map_blocks(
        _apply,
        X,
        model=shared,
        method=method,
        empty=empty,
        dtype=sample.dtype,
        chunks=chunks,
        drop_axis=[1] if sample.ndim == 1 else None,
        meta=empty,
    )


def map_rows_to_frame(model: Any, method: str, X: Any) -> Any:
    """Apply a method that returns pandas frames; see `map_rows`.

    Returns
    -------
    out : dask DataFrame
        With the index of `X` if that is a DataFrame, else with row numbers; these
        count within each block where the sizes of blocks are unknown.
    """
    import dask.dataframe as dd

    empty = _specimen_output(model, method, X).iloc[:0]
    shared = dask.delayed(model, pure=False, traverse=False)
    apply = dask.delayed(_apply_to_frame, pure=False)
    if hasattr(X, "numblocks") and X.numblocks[1] > 1:
        X = X.rechunk({1: -1})
    blocks = np.asarray(X.to_delayed(), dtype=object).ravel()
    parts = [
        apply(block, shared, method, empty, start)
        for block, start in zip(blocks, _block_starts(X), strict=True)
    ]
    return dd.from_delayed(parts, meta=empty, verify_meta=False)


def score_rows(
    metric: Callable[..., float], predictions: Any, y: Any, sample_weight: Any
) -> float:
    """Compute a metric of scikit-learn on lazy predictions, in one computation.

    Parameters
    ----------
    metric : callable
        ``metric(y, predictions, sample_weight=...)``.
    predictions : dask array
        What `map_rows` returns.
    y, sample_weight : object
        Of any kind, dask collections included. They and the predictions are brought
        here, and nothing else.

    Returns
    -------
    score : float
    """
    predictions, y, weights = gather(
        predictions, y, {"sample_weight": sample_weight}, budget=2**63
    )
    return float(metric(y, predictions, **weights))


def _map_partitions(model: Any, method: str, X: Any, empty: Any) -> Any:
    apply: Callable[..., Any] = dask.delayed(_apply, pure=False)
    shape = (np.nan, *empty.shape[1:])
    parts = [
        da.from_delayed(apply(part, model, method, empty), shape=shape, meta=empty)
        for part in X.to_delayed()
    ]
    return da.concatenate(parts, allow_unknown_chunksizes=True)


def _apply(block: Any, model: Any, method: str, empty: Any) -> Any:
    if block.shape[0] == 0:
        return empty
    return getattr(model, method)(block)


def _block_starts(X: Any) -> list[int | None]:
    """Return the number of the first row of each block, where that is known."""
    if not hasattr(X, "numblocks") or np.isnan(X.shape[0]):
        return [None] * X.npartitions
    return [0, *itertools.accumulate(X.chunks[0])][:-1]


def _apply_to_frame(
    block: Any, model: Any, method: str, empty: Any, start: int | None
) -> Any:
    frame = _apply(block, model, method, empty)
    if start is None:
        return frame
    return frame.set_axis(range(start, start + len(frame)))


def _specimen_output(model: Any, method: str, X: Any) -> Any:
    """Learn the output's type, dtype and width from two rows that stand for any."""
    if hasattr(X, "dtypes"):
        from dask.dataframe.utils import meta_nonempty

        rows = meta_nonempty(X._meta)
    else:
        rows = specimen(X, 2)
        if not isinstance(X._meta, np.ndarray):
            rows = type(X._meta)(rows)
    with warnings.catch_warnings():
        # Warnings about these rows are not about the user's.
        warnings.simplefilter("ignore")
        return getattr(model, method)(rows)
