"""What an input is, from its metadata: nothing is computed, copied or imported."""

import math
import sys
from collections.abc import Iterable
from numbers import Real
from typing import Any

from sklearn_dask_auto.routing import Profile

__all__ = ["count_rows", "describe", "is_dask", "is_frame"]

TEXT_BYTES = 64
"""Bytes assumed for a cell of text or of Python objects."""


def is_dask(value: Any) -> bool:
    """Tell whether `value` is a dask array, DataFrame or Series."""
    return any(
        cls.__name__ in ("Array", "DataFrame", "Series")
        and str(cls.__module__).startswith("dask.")
        for cls in type(value).__mro__
    )


def is_frame(value: Any) -> bool:
    """Tell whether `value` has named columns: a DataFrame of dask, pandas or others."""
    return hasattr(value, "columns") and value.ndim == 2


def count_rows(X: Any) -> int:
    """Return how many rows a container says it has; dask may say NaN."""
    n_rows: int = X.shape[0] if hasattr(X, "shape") else len(X)
    return n_rows


def describe(X: Any, y: Any = None, *beside: Any) -> Profile:
    """Describe an input of any kind, valid or not.

    Parameters
    ----------
    X : object
        What the user passed. A kind that is not known is described as "other", and
        left to scikit-learn to accept or refuse.
    y : object, default=None
        The target, of any kind.
    *beside : object
        Other arrays aligned with the rows of `X`, such as weights; None is skipped.

    Returns
    -------
    profile : Profile
        Metadata only.
    """
    container = _container(X)
    n_rows, n_columns = _shape(X)
    sizes = [_n_bytes(v) for v in (X, y, *beside) if v is not None]
    n_bytes = None if None in sizes else sum(size or 0 for size in sizes)
    dask_facts = _dask_facts(X) if is_dask(X) else {}
    return Profile(
        container=container,
        n_rows=n_rows,
        n_columns=n_columns,
        n_bytes=n_bytes,
        dtype=_dtype(X),
        target=None if y is None else _container(y),
        **dask_facts,
    )


_CONTAINERS = (
    ("numpy", "numpy", "ndarray"),
    ("pandas", "pandas", "DataFrame"),
    ("pandas", "pandas", "Series"),
    ("polars", "polars", "DataFrame"),
    ("polars", "polars", "Series"),
    ("dask array", "dask.array", "Array"),
    ("dask dataframe", "dask.dataframe", "DataFrame"),
    ("dask dataframe", "dask.dataframe", "Series"),
)


def _container(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "list"
    for cls in type(value).__mro__:
        for name, module, class_name in _CONTAINERS:
            if cls.__name__ == class_name and str(cls.__module__).startswith(module):
                return name
    # Every sparse class is a `spmatrix` or a `sparray`, and looking is free where
    # scipy.sparse was never imported.
    scipy_sparse = sys.modules.get("scipy.sparse")
    if scipy_sparse is not None and scipy_sparse.issparse(value):
        return "scipy sparse"
    return "other"


def _fact(value: Any, name: str) -> Any:
    """Return an attribute, or None where looking for it fails."""
    try:
        return getattr(value, name, None)
    except (TypeError, ValueError, RuntimeError):
        return None


def _shape(value: Any) -> tuple[int | None, int | None]:
    if isinstance(value, list | tuple):
        return len(value), _width(value[0] if value else ())
    shape = _fact(value, "shape")
    if not isinstance(shape, tuple):
        return None, None
    sizes = [_known(size) for size in shape]
    return (sizes[0] if sizes else None), (sizes[1] if len(sizes) > 1 else 1)


def _width(row: Any) -> int:
    if isinstance(row, str | bytes):
        return 1
    try:
        return len(row)
    except (TypeError, ValueError, RuntimeError):
        return 1


def _known(size: Any) -> int | None:
    """Return a size as an int; dask writes NaN, or an expression, for unknown."""
    is_known = isinstance(size, Real) and math.isfinite(size)
    return int(size) if is_known else None


def _dtype(value: Any) -> str:
    dtype = _fact(value, "dtype")
    if dtype is not None:
        return str(dtype)
    # Of a kind that is not known, even looking could be a computation.
    dtypes = None if _container(value) == "other" else _fact(value, "dtypes")
    if dtypes is None or not isinstance(dtypes, Iterable):
        return ""
    names = sorted({str(dtype) for dtype in dtypes})
    return names[0] if len(names) == 1 else "mixed"


def _n_bytes(value: Any) -> int | None:
    """Return the bytes a value takes in memory, or None where only computing tells."""
    container = _container(value)
    if container == "dask dataframe":
        return None
    if container == "pandas":
        return len(value) * row_bytes(value)
    if container == "polars":
        return int(value.estimated_size())
    if container == "scipy sparse":
        # Indices come with every stored value.
        return int(value.nnz * (value.dtype.itemsize + 4))
    n_bytes = _fact(value, "nbytes")
    if isinstance(n_bytes, Real):
        return _known(n_bytes)
    n_rows, n_columns = _shape(value)
    return 8 * (n_rows or 0) * (n_columns or 0)


def row_bytes(frame: Any) -> int:
    """Return the bytes of one row of a pandas object, text at a flat rate."""
    dtypes = frame.dtypes if frame.ndim == 2 else [frame.dtype]
    return sum(
        # pandas' own dtypes need not say how large they are.
        TEXT_BYTES if dtype.kind in "OTU" else getattr(dtype, "itemsize", 8)
        for dtype in dtypes
    )


def _dask_facts(X: Any) -> dict[str, Any]:
    facts = {"is_dask": True, "is_stored": is_stored(X)}
    if not hasattr(X, "numblocks"):
        return {**facts, "n_blocks": X.npartitions}
    facts["n_blocks"] = math.prod(X.numblocks)
    facts["is_sparse"] = _container(X._meta) == "scipy sparse"
    if None in (_known(size) for size in X.shape):
        return facts
    largest = math.prod(max(sizes, default=0) for sizes in X.chunks)
    return {**facts, "block_bytes": largest * X.dtype.itemsize}


def is_stored(collection: Any) -> bool:
    """Tell whether every block of a dask collection is in memory already.

    A persisted collection's graph has one entry a block, and each is data or a future.
    """
    if not hasattr(collection, "numblocks"):
        entries = _frame_entries(collection)
    else:
        entries = _array_entries(collection)
    return entries is not None and not any(_is_task(entry) for entry in entries)


def _array_entries(array: Any) -> Iterable[Any] | None:
    layers = array.__dask_graph__().layers
    if len(layers) != 1:
        return None
    (layer,) = layers.values()
    return layer.values() if len(layer) == math.prod(array.numblocks) else None


def _frame_entries(frame: Any) -> Iterable[Any] | None:
    # A DataFrame is an expression; a persisted one is a single leaf over its graph.
    expression = frame.expr
    if type(expression).__name__ != "FromGraph":
        return None
    return expression.layer.values()


def _is_task(entry: Any) -> bool:
    kind = type(entry)
    return isinstance(entry, tuple) or (
        kind.__module__.startswith("dask.") and kind.__name__ != "DataNode"
    )
