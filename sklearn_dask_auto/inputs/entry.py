"""The entry rules: any dask collection becomes row blocks that a kernel can fold over.

In order: row counts that are unknown are computed, for all inputs together; lengths
must agree; `y` and weights take the row blocks of `X`; one block spans all columns;
blocks are floating point; empty blocks are left out; an input that several passes will
read is held in (cluster) memory if it fits there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any
from uuid import uuid4

import dask
import dask.array as da
import numpy as np
import scipy.sparse as sp
from sklearn.utils import assert_all_finite, check_array, check_consistent_length
from sklearn.utils.validation import validate_data

from sklearn_dask_auto.inputs.describe import (
    describe,
    is_dask,
    is_frame,
    is_stored,
)
from sklearn_dask_auto.inputs.scheduler import compute, is_at_hand, persist

__all__ = [
    "Rows",
    "check_columns",
    "check_specimen",
    "enter",
    "float_block",
    "hold",
    "keep_counts",
    "known_rows",
    "row_counts",
    "settled",
    "specimen",
    "stand_in",
    "with_counts",
]

LARGE_BLOCK_BYTES = 256_000_000
"""A block larger than this is cut, so that threads can share it."""


@dataclass(frozen=True)
class Rows:
    """The rows of `X`, and of what is aligned with them, in the same blocks.

    Parameters
    ----------
    X : dask array of shape (n_rows, n_columns)
        Known sizes, one block across the columns, float64 or float32.
    beside : dict of str to dask array of shape (n_rows,) or (n_rows, n_targets)
        "y", "sample_weight" and the like, in the row blocks of `X`. Weights have the
        dtype of `X`, a target keeps its own.
    """

    X: Any
    beside: dict[str, Any] = field(default_factory=dict)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.X.shape[0])

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return int(self.X.shape[1])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of every block."""
        return np.dtype(self.X.dtype)

    @property
    def is_sparse(self) -> bool:
        """The blocks are scipy's sparse matrices."""
        return sp.issparse(self.X._meta)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Rows in each block; some may be 0."""
        return tuple(self.X.chunks[0])


def enter(
    estimator: Any,
    X: Any,
    beside: dict[str, Any],
    *,
    reset: bool = True,
) -> Rows:
    """Apply the entry rules.

    Parameters
    ----------
    estimator : BaseEstimator
        Takes (or, without `reset`, checks) the number and names of the columns.
    X : dask array, dask DataFrame or array-like, of shape (n_rows, n_columns)
        Array-likes are cut into blocks without a copy.
    beside : dict of str to array-like of shape (n_rows,)
        Entries that are None are left out; the names appear in errors. One number as
        "sample_weight" is the weight of every row.
    reset : bool, default=True
        As in scikit-learn's `validate_data`.

    Returns
    -------
    rows : Rows
        The caller's collections are not changed.

    Raises
    ------
    ValueError
        scikit-learn's own, for input that it would refuse: all but non-finite values,
        which the first pass over the blocks finds.
    """
    X = X if hasattr(X, "ndim") else np.asarray(X)
    if X.ndim != 2:
        check_specimen(estimator, X)
    least = getattr(estimator, "_least_columns", 1) if reset else 1
    check_columns(estimator, X, beside.get("y", "no_validation"), reset=reset)
    beside = {name: value for name, value in beside.items() if value is not None}
    weight = _popped_number(beside)
    columns = {name for name, value in beside.items() if _is_one_column(value)}
    X, *aligned = known_rows(
        [X, *(v[v.columns[0]] if n in columns else v for n, v in beside.items())]
    )
    aligned = [
        value[:, None] if name in columns else value
        for name, value in zip(beside, aligned, strict=True)
    ]
    if weight is not None:
        beside["sample_weight"] = weight
        aligned.append(da.full(X.shape[:1], weight, chunks=X.chunks[:1]))
    _check_lengths(X, dict(zip(beside, aligned, strict=True)))
    check_specimen(estimator, X, least_columns=least)
    X = _in_float(_in_row_blocks(X))
    pairs = zip(beside, aligned, strict=True)
    return Rows(X, {name: _aligned(name, value, X) for name, value in pairs})


def check_columns(
    estimator: Any, X: Any, y: Any = "no_validation", *, reset: bool
) -> None:
    """Set or check `n_features_in_` and `feature_names_in_` from metadata.

    A `y` of None is scikit-learn's error where the estimator requires a target.
    """
    if X.ndim != 2:
        return
    if hasattr(X, "columns"):
        import pandas as pd

        head = pd.DataFrame(columns=list(X.columns))
    else:
        head = np.empty((0, X.shape[1]))
    validate_data(estimator, head, y, reset=reset, skip_check_array=True)


def check_specimen(estimator: Any, X: Any, *, least_columns: int = 1) -> None:
    """Have scikit-learn judge the shape and the dtype of `X`, on one row of zeros."""
    rows = stand_in(X, least_columns=least_columns)
    dtype = "numeric" if getattr(estimator, "_numbers_only", False) else FLOATS
    check_array(
        rows,
        dtype=dtype,
        ensure_min_features=least_columns,
        input_name="X",
        estimator=estimator,
    )


def stand_in(X: Any, *, least_columns: int = 1) -> Any:
    """Return zeros in the shape of `X`, as far as scikit-learn's errors tell of it."""
    profile = describe(X)
    n_columns = least_columns if profile.n_columns is None else profile.n_columns
    is_empty = n_columns < least_columns or profile.n_rows == 0
    rows = specimen(X, profile.n_rows or 0 if is_empty else 1)
    if X.ndim == 1 and hasattr(X, "to_frame"):
        import pandas as pd

        return pd.Series(rows)
    return rows


def specimen(X: Any, n_rows: int) -> Any:
    """Return rows of zeros that stand for any rows of `X`, in its dtype."""
    dtype = np.dtype(getattr(X, "dtype", float))
    # Text may hold numbers, which scikit-learn takes.
    zero = "0" if dtype.kind in "US" else 0
    return np.full((n_rows, *X.shape[1:]), zero).astype(dtype)


FLOATS = [np.float64, np.float32]


def known_rows(collections: Sequence[Any]) -> list[Any]:
    """Return dask arrays whose row counts are known, computing them if need be.

    All counts that are unknown are found in one computation. Array-likes are wrapped.
    """
    arrays = [settled(_wrapped(c)) for c in collections]
    # A DataFrame of ours knows its rows, but is not an array yet.
    unknown = [i for i, array in enumerate(arrays) if _is_frame_or_unknown(array)]
    counts = row_counts([arrays[i] for i in unknown])
    for i, count in zip(unknown, counts, strict=True):
        arrays[i] = with_counts(arrays[i], count)
    return arrays


def settled(collection: Any) -> Any:
    """Return a collection in the partitions that it will be computed in.

    dask puts small partitions of a Parquet file together once it knows which columns
    are read, and may do so again for every expression that is built on them. Those
    of a graph stay apart.
    """
    if hasattr(collection, "numblocks") or not hasattr(collection, "optimize"):
        return collection
    counts, is_delayed = getattr(collection, ROW_COUNTS, None), _is_delayed(collection)
    if is_stored(collection) or (counts is not None and not is_delayed):
        return collection
    import dask.dataframe as dd

    best = collection.optimize(fuse=not is_delayed)
    graph, keys = _named_graph(best), best.__dask_keys__()
    frame = dd.from_graph(graph, best._meta, best.divisions, keys, "settled")
    if counts is not None:
        keep_counts(frame, counts)
    return frame


def _is_delayed(frame: Any) -> bool:
    """Tell whether a frame is made of delayed objects, somewhere."""
    return "FromDelayed" in {type(node).__name__ for node in frame.expr.walk()}


def _named_graph(frame: Any) -> dict[Any, Any]:
    """Return the graph of a frame, in which each task has the name it is found under.

    dask 2026.8 gives another to the partitions of `dd.from_delayed` that it is told not
    to verify, and loses them when it merges tasks ("pop from an empty set").
    """
    return {
        key: type(node)(key, node.target)
        if hasattr(node, "target") and node.key != key
        else node
        for key, node in dict(frame.__dask_graph__()).items()
    }


def row_counts(collections: Sequence[Any]) -> list[tuple[int, ...]]:
    """Return the rows of each block of each collection.

    Those that are unknown are counted, in one computation.
    """
    known = [_known_counts(c) for c in collections]
    pairs = zip(collections, known, strict=True)
    unknown = [c for c, counts in pairs if counts is None]
    if not unknown:
        return [counts for counts in known if counts is not None]
    count = dask.delayed(_length, pure=True)
    lengths = [[count(block) for block in _row_blocks(c)] for c in unknown]
    counted = iter(compute(lengths)[0])
    return [tuple(next(counted)) if counts is None else counts for counts in known]


ROW_COUNTS = "_row_counts"
"""Attribute under which a DataFrame of ours keeps the rows of its partitions."""


def keep_counts(frame: Any, counts: tuple[int, ...]) -> None:
    """Let `row_counts` know the partitions of a DataFrame or Series made here."""
    setattr(frame, ROW_COUNTS, counts)


def _known_counts(collection: Any) -> tuple[int, ...] | None:
    if not hasattr(collection, "numblocks"):
        return getattr(collection, ROW_COUNTS, None)
    sizes = collection.chunks[0]
    return None if any(np.isnan(n) for n in sizes) else tuple(map(int, sizes))


def _length(block: Any) -> int:
    return int(block.shape[0])


def _row_blocks(collection: Any) -> list[Any]:
    """Return one delayed per row block; of several across columns, the first."""
    blocks = np.asarray(collection.to_delayed(), dtype=object)
    return list(blocks.reshape(blocks.shape[0], -1)[:, 0])


def _wrapped(value: Any) -> Any:
    if is_dask(value):
        return value
    # `da.from_array` would copy; slices of a file that is mapped stay on disk, too.
    array = np.asanyarray(value)
    starts = range(0, max(1, len(array)), _rows_of(array, LARGE_BLOCK_BYTES // 4))
    parts = [array[i : i + starts.step] for i in starts]
    name, rest = f"rows-{uuid4().hex}", (0,) * (array.ndim - 1)
    return da.Array(
        {(name, i, *rest): part for i, part in enumerate(parts)},
        name,
        (tuple(map(len, parts)), *((n,) for n in array.shape[1:])),
        meta=array[:0],
    )


def _rows_of(array: Any, n_bytes: int) -> int:
    row = array.dtype.itemsize * int(np.prod(array.shape[1:], dtype=int))
    return max(1, n_bytes // max(1, row))


def _is_frame_or_unknown(collection: Any) -> bool:
    is_frame = not hasattr(collection, "numblocks")
    return is_frame or describe(collection).n_rows is None


def with_counts(collection: Any, counts: tuple[int, ...]) -> Any:
    """Return a collection, whose blocks were counted, as a dask array of that shape."""
    if hasattr(collection, "to_dask_array"):
        if collection.ndim == 2:
            dtype = _common_float(collection.dtypes)
            meta = collection._meta.astype(dtype)
            collection = collection.map_partitions(_float_frame, dtype, meta=meta)
        elif not isinstance(collection.dtype, np.dtype):
            meta = _numpy_series(collection._meta)
            collection = collection.map_partitions(_numpy_series, meta=meta)
        return collection.to_dask_array(lengths=counts)
    chunks = (counts, *collection.chunks[1:])
    return da.Array(collection.dask, collection.name, chunks, meta=collection._meta)


def _float_frame(frame: Any, dtype: np.dtype[Any]) -> Any:
    """Convert a partition; its columns may be nullable or hold Python objects."""
    return type(frame)(
        float_block(frame, dtype), index=frame.index, columns=frame.columns
    )


def _numpy_series(part: Any) -> Any:
    """Convert a partition of text, categories or nullable numbers to numpy's dtypes.

    A missing value has no place in most of them, so it is scikit-learn's error here.
    """
    # Of some dtypes scikit-learn itself would not know what is missing.
    assert_all_finite(np.where(part.isna(), np.nan, 0.0))
    values = check_array(part, ensure_2d=False, dtype=None, ensure_min_samples=0)
    return type(part)(values, index=part.index, name=part.name, dtype=values.dtype)


def _common_float(dtypes: Any) -> np.dtype[Any]:
    numpy_dtypes = [d for d in dtypes if isinstance(d, np.dtype) and d.kind in "biuf"]
    if len(numpy_dtypes) < len(dtypes):
        return np.dtype(np.float64)
    return _float_of(np.result_type(*numpy_dtypes))


def _float_of(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype in which scikit-learn works on `dtype`."""
    return dtype if dtype in FLOATS else np.dtype(np.float64)


def _check_lengths(X: Any, beside: dict[str, Any]) -> None:
    for name, value in beside.items():
        if name != "sample_weight":
            check_consistent_length(X, value)
        elif value.ndim != 1:
            raise ValueError(
                f"Sample weights must be 1D array or scalar, got {value.ndim}D array. "
                "Expected either a scalar value or a 1D array of length "
                f"{X.shape[0]}."
            )
        elif value.shape != X.shape[:1]:
            raise ValueError(
                f"sample_weight.shape == {value.shape}, expected {X.shape[:1]}!"
            )


def _in_row_blocks(X: Any) -> Any:
    """Put all columns in one block, and cut rows so that no block is large."""
    rows = _rows_of(X, LARGE_BLOCK_BYTES)
    if X.numblocks[1] > 1 or max(X.chunks[0], default=0) > rows:
        cut = [size for n in X.chunks[0] for size in _cut(n, rows)]
        return X.rechunk((tuple(cut), -1))
    return X


def _cut(n: int, largest: int) -> list[int]:
    pieces = -(-n // largest) or 1
    return [n * (i + 1) // pieces - n * i // pieces for i in range(pieces)]


def _in_float(X: Any) -> Any:
    dtype = _float_of(X.dtype)
    return X if X.dtype == dtype else X.map_blocks(float_block, dtype, dtype=dtype)


def float_block(block: Any, dtype: np.dtype[Any]) -> Any:
    """Convert one block as scikit-learn converts a whole input."""
    return check_array(
        block,
        accept_sparse="csr",
        dtype=dtype,
        order="C",
        ensure_all_finite=False,
        ensure_min_samples=0,
        ensure_min_features=0,
    )


def _is_one_column(value: Any) -> bool:
    """Tell whether a value is a dask DataFrame of one column, which keeps its dtype."""
    return is_dask(value) and is_frame(value) and len(value.columns) == 1


def _popped_number(beside: dict[str, Any]) -> float | None:
    weight = beside.get("sample_weight")
    return float(beside.pop("sample_weight")) if isinstance(weight, Real) else None


def _aligned(name: str, value: Any, X: Any) -> Any:
    if name == "sample_weight":
        value = value.astype(X.dtype)
    return value.rechunk((X.chunks[0], *(-1 for _ in value.shape[1:])))


def hold(rows: Rows, n_bytes: int) -> Rows:
    """Compute lazy blocks once and keep them, for rows that take up to `n_bytes`.

    They are released with the rows that are returned.
    """
    collections = [rows.X, *rows.beside.values()]
    if all(is_at_hand(c) for c in collections) or _bytes(collections) > n_bytes:
        return rows
    X, *beside = persist(*collections)
    return Rows(X, dict(zip(rows.beside, beside, strict=True)))


def _bytes(collections: list[Any]) -> int:
    return sum(int(c.nbytes) for c in collections)
