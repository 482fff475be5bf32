"""The output rules: what a fitted model says of dask input, lazily, block by block.

A dask array gives a dask array of true shape, dtype and chunks; a dask DataFrame gives
a dask array, or a dask DataFrame where `set_output` asks for frames. The model is one
node of the graph, so that it travels to each worker once.
"""

import itertools
import operator
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import dask
import dask.array as da
import numpy as np
import sklearn

from sklearn_dask_auto.inputs.describe import is_frame
from sklearn_dask_auto.inputs.entry import row_counts, settled, specimen
from sklearn_dask_auto.inputs.gather import gather
from sklearn_dask_auto.inputs.linear import reading_once
from sklearn_dask_auto.inputs.threads import bounded_in_task

__all__ = [
    "in_row_blocks",
    "made_up_rows",
    "map_output",
    "map_rows",
    "map_rows_to_frame",
    "score_rows",
]


def map_rows(model: Any, method: str, X: Any, sample: Any = None) -> Any:
    """Apply a row-wise method of a fitted model to each block.

    Parameters
    ----------
    model : object
        Fitted; must be picklable, and is not changed.
    method : str
        "predict", "transform", ...: one row out for each row in.
    X : dask array or dask DataFrame of shape (n_rows, n_columns)
        May have unknown row counts, empty blocks and several blocks across columns.
    sample : object, default=None
        What the method returns of some rows; of rows that are made up if None.

    Returns
    -------
    out : dask array of shape (n_rows,) or (n_rows, n_out), or list or tuple of them
        A list where the model returns one: probabilities, an array for each target. A
        tuple where it returns that: means and their deviations.
    """
    if sample is None:
        sample = _specimen_output(model, method, X)
    if _has_targets(method, sample):
        return type(sample)(_map_to_arrays(model, method, X, sample))
    return _map_to_array(model, method, X, sample)


def map_output(model: Any, method: str, X: Any, known: Any = None) -> Any:
    """Apply a row-wise method of a model that may return arrays, frames or lists.

    Parameters
    ----------
    model, method : object, str
        As for `map_rows`.
    X : dask array, dask DataFrame or dask Series
        As for `map_rows`, or of one dimension.
    known : object, default=None
        What the method returns of no rows, for models that refuse made-up values.

    Returns
    -------
    out : dask array, dask DataFrame or list of dask arrays
        A frame where the model returns pandas frames; else as of `map_rows`.

    Raises
    ------
    ValueError
        If the method returns what dask has no collection for.
    """
    if known is None or _has_no_rows(X):
        known = _specimen_output(model, method, X)
    if hasattr(known, "iloc"):
        return _map_to_frame(model, method, X, known)
    if not hasattr(known, "dtype") and not _has_targets(method, known):
        raise ValueError(
            f"{type(model).__name__}.{method} returns a {type(known).__name__}, which "
            "has no lazy form for dask input. Pass rows in memory, block by block."
        )
    return map_rows(model, method, X, known)


def in_row_blocks(values: Any, X: Any) -> Any:
    """Cut what is in memory into the row blocks of a dask collection.

    Parameters
    ----------
    values : ndarray, scipy sparse matrix or pandas DataFrame
        One row for each row of `X`.
    X : dask array, dask DataFrame or dask Series
        Its rows are counted if their number is unknown.

    Returns
    -------
    out : dask array, or dask DataFrame
    """
    if hasattr(values, "iloc"):
        import dask.dataframe as dd

        return dd.from_pandas(values, npartitions=X.npartitions, sort=False)
    (counts,) = row_counts([X])
    stops = itertools.accumulate(counts)
    name, rest = f"rows-{uuid4().hex}", (0,) * (values.ndim - 1)
    # `da.concatenate` would leave out the blocks that are empty.
    graph = {
        (name, i, *rest): values[stop - n : stop]
        for i, (stop, n) in enumerate(zip(stops, counts, strict=True))
    }
    chunks = (tuple(counts), *((n,) for n in values.shape[1:]))
    return da.Array(graph, name, chunks, meta=values[:0])


def _map_to_array(model: Any, method: str, X: Any, sample: Any) -> Any:
    shared = _shared(model, X)
    empty = sample[:0]
    if hasattr(X, "npartitions") and not hasattr(X, "numblocks"):
        return _map_partitions(shared, method, X, empty)
    if X.ndim > 1 and X.numblocks[1] > 1:
        X = X.rechunk({1: -1})
    # The columns of the output have axes of their own. Those of the input would be
    # concatenated by `map_blocks`, which copies the one block that there is.
    columns = range(X.ndim, X.ndim + sample.ndim - 1)
    return da.blockwise(
        _apply_alone,
        (0, *columns),
        X,
        tuple(range(X.ndim)),
        model=shared,
        method=method,
        empty=empty,
        name=f"{method}-{dask.base.tokenize(X.name, shared.key)}",
        new_axes=dict(zip(columns, sample.shape[1:], strict=True)),
        dtype=sample.dtype,
        meta=empty,
    )


def map_rows_to_frame(model: Any, method: str, X: Any, sample: Any = None) -> Any:
    """Apply a method that returns pandas frames; see `map_rows`.

    Returns
    -------
    out : dask DataFrame
        With the index of `X` if that is a DataFrame, else with row numbers; these
        count within each block where the sizes of blocks are unknown.
    """
    if sample is None:
        sample = _specimen_output(model, method, X)
    return _map_to_frame(model, method, X, sample)


def _map_to_frame(model: Any, method: str, X: Any, sample: Any) -> Any:
    X, empty = settled(X), sample.iloc[:0]
    shared = _shared(model, X)
    apply = dask.delayed(_apply_to_frame, pure=False)
    parts = [
        apply(block, shared, method, empty, start)
        for block, start in zip(_whole_rows(X), _block_starts(X), strict=True)
    ]
    return _frame_of(parts, empty)


def _whole_rows(X: Any) -> list[Any]:
    """Return the row blocks, with all columns, as delayed values."""
    if hasattr(X, "numblocks") and X.numblocks[1:] > (1,):
        X = X.rechunk({1: -1})
    return list(np.asarray(X.to_delayed(), dtype=object).ravel())


def _has_targets(method: str, sample: Any) -> bool:
    """Tell whether what a method returns is several arrays, as one for each target."""
    # What else is a list has an item for each row.
    is_list = isinstance(sample, list) and method.startswith("predict_")
    return is_list or isinstance(sample, tuple)


def _map_to_arrays(
    model: Any, method: str, X: Any, samples: Sequence[Any]
) -> list[Any]:
    """Return an array for each target, of blocks that give all of them at once."""
    X, empties = settled(X), [sample[:0] for sample in samples]
    shared = _shared(model, X)
    apply = dask.delayed(_apply_to_list, pure=False)
    parts = [apply(block, shared, method, empties) for block in _whole_rows(X)]
    sizes = X.chunks[0] if hasattr(X, "numblocks") else (np.nan,) * X.npartitions
    return [
        _array_of(parts, target, sizes, empty) for target, empty in enumerate(empties)
    ]


def _array_of(
    parts: list[Any], target: int, sizes: tuple[float, ...], empty: Any
) -> Any:
    from dask.highlevelgraph import HighLevelGraph

    name, rest = f"target-{uuid4().hex}", (0,) * (empty.ndim - 1)
    layer = {
        (name, i, *rest): (operator.getitem, part.key, target)
        for i, part in enumerate(parts)
    }
    graph = HighLevelGraph.from_collections(name, layer, dependencies=parts)
    chunks = (tuple(sizes), *((n,) for n in empty.shape[1:]))
    return da.Array(graph, name, chunks, meta=empty)


def _frame_of(parts: list[Any], meta: Any) -> Any:
    """Return a frame of partitions that are delayed.

    `dd.from_delayed` makes nodes of them, which dask 2026.8 loses where it merges such
    a frame with what is built on it.
    """
    import dask.dataframe as dd
    from dask.highlevelgraph import HighLevelGraph

    graph = HighLevelGraph.merge(*(part.dask for part in parts))
    keys = [part.key for part in parts]
    return dd.from_graph(
        graph.to_dict(), meta, (None,) * (len(keys) + 1), keys, "mapped"
    )


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
    predictions, y, weights = gather(predictions, y, {"sample_weight": sample_weight})
    return float(metric(y, predictions, **weights))


def _map_partitions(model: Any, method: str, X: Any, empty: Any) -> Any:
    apply: Callable[..., Any] = dask.delayed(_apply, pure=False)
    shape = (np.nan, *empty.shape[1:])
    parts = [
        da.from_delayed(apply(part, model, method, empty), shape=shape, meta=empty)
        for part in settled(X).to_delayed()
    ]
    return da.concatenate(parts, allow_unknown_chunksizes=True)


@dataclass(frozen=True)
class _Configured:
    """A model whose methods run under the settings that hold where they are asked for.

    scikit-learn keeps settings for each thread, and dask's threads know none.

    Parameters
    ----------
    model : object
    settings : dict
        Of scikit-learn.
    declared : dtype or list of dtype
        What the collection says of all blocks; of a frame, for each column.
    """

    model: Any
    settings: dict[str, Any]
    declared: Any

    def __call__(self, method: str, block: Any) -> Any:
        block = _as_declared(block, self.declared)
        with sklearn.config_context(**self.settings), bounded_in_task():
            return getattr(reading_once(self.model, block), method)(block)


def _shared(model: Any, X: Any) -> Any:
    """Return a model as one node of the graph."""
    declared = list(X.dtypes) if is_frame(X) else X.dtype
    configured = _Configured(model, sklearn.get_config(), declared)
    # Under this name it appears in the dashboard.
    name = f"{type(model).__name__}-{uuid4().hex}"
    return dask.delayed(configured, name=name, traverse=False)


def _as_declared(block: Any, declared: Any) -> Any:
    """Convert numbers to the floating point that they would have beside other blocks.

    Nobody checks the blocks that functions return, and a model may refuse the others.
    """
    if not isinstance(declared, list):
        is_narrow = _is_narrow(block.dtype, declared)
        return block.astype(declared) if is_narrow else block
    columns = zip(block.columns, block.dtypes, declared, strict=True)
    narrow = {name: dtype for name, own, dtype in columns if _is_narrow(own, dtype)}
    return block.astype(narrow) if narrow else block


def _is_narrow(dtype: Any, declared: Any) -> bool:
    if dtype == declared or not isinstance(declared, np.dtype):
        return False
    is_number = isinstance(dtype, np.dtype) and dtype.kind in "biuf"
    return is_number and declared.kind == "f" and np.can_cast(dtype, declared)


def _apply(block: Any, model: Any, method: str, empty: Any) -> Any:
    if block.shape[0] == 0:
        return empty
    out = model(method, block)
    if out.ndim < empty.ndim:
        # Of one row, scikit-learn's SparsePCA forgets that it is a row.
        return out.reshape(-1, *empty.shape[1:])
    return out


def _apply_to_list(block: Any, model: Any, method: str, empties: list[Any]) -> Any:
    return empties if block.shape[0] == 0 else model(method, block)


def _apply_alone(blocks: Any, **given: Any) -> Any:
    """Apply to the one block across the columns, which comes in a list."""
    return _apply(blocks[0] if isinstance(blocks, list) else blocks, **given)


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
    """Learn the output's type, dtype and width from two rows that stand for any.

    Of input that is known to have none, from none: most models refuse that.
    """
    with warnings.catch_warnings():
        # Warnings about these rows are not about the user's.
        warnings.simplefilter("ignore")
        return getattr(model, method)(made_up_rows(X))


def _has_no_rows(X: Any) -> bool:
    # The rows of a frame are unknown.
    return hasattr(X, "numblocks") and bool(X.shape[0] == 0)


def made_up_rows(X: Any) -> Any:
    """Return two rows in the container and the dtypes of the blocks of `X`.

    None, if it is known to have none.
    """
    if hasattr(X, "dtypes"):
        from dask.dataframe.utils import meta_nonempty

        return _filled(meta_nonempty(X._meta))
    rows = specimen(X, 0 if _has_no_rows(X) else 2)
    if X.dtype.kind in "iuf":
        # Some take positive numbers only.
        rows = rows + rows.dtype.type(1)
    return rows if isinstance(X._meta, np.ndarray) else type(X._meta)(rows)


def _filled(rows: Any) -> Any:
    """Return made-up rows of a frame or a Series with none missing, and text a number.

    Text may hold numbers, which scikit-learn takes.
    """
    import pandas as pd
    from pandas.api.types import is_object_dtype

    columns = rows if rows.ndim == 2 else rows.to_frame()
    for i, dtype in enumerate(columns.dtypes):
        if is_object_dtype(dtype) or isinstance(dtype, pd.StringDtype):
            columns.isetitem(i, pd.Series("1", index=rows.index, dtype=dtype))
        elif pd.isna(columns.iloc[:, i]).any():
            # Of nullable dtypes dask makes a value and a missing one.
            columns.isetitem(i, columns.iloc[:, i].ffill())
    return columns if rows.ndim == 2 else columns.iloc[:, 0].rename(rows.name)
