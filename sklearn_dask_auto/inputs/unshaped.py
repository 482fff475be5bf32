"""Lazy objects that are no arrays or frames: refused, with the way to make them one.

numpy would take a `Delayed` for one Python object, and would compute what xarray holds
lazily, all of it, in this process.
"""

from typing import Any

from sklearn_dask_auto.inputs.describe import is_dask

__all__ = ["refuse_unshaped"]

_FROM_DELAYED = "dask.array.from_delayed({}, shape=(n_rows, n_columns), dtype=...)"
_ONE = f"Make a dask array of it: {_FROM_DELAYED.format('...')}"
_MANY = (
    "Make a dask array of them: dask.array.concatenate("
    f"[{_FROM_DELAYED.format('part')} for part in ...])"
)
_UNKNOWN_ROWS = "; n_rows may be numpy.nan where it is not known."
_OTHER = "Pass the dask array in it, such as `.data` of an xarray.DataArray."
_BAG = "Make a dask DataFrame of it: its to_dataframe()."
_COLLECT = "Pass the rows of it: its collect()."
_FIXES = {"Bag": _BAG, "LazyFrame": _COLLECT}
_NOT_ROWS = (
    ("Delayed", "dask."),
    ("Future", "distributed."),
    ("LazyFrame", "polars."),
)


def refuse_unshaped(**inputs: Any) -> None:
    """Raise for what only dask knows how to turn into rows.

    Parameters
    ----------
    **inputs : object
        What the user passed, by the name for the error. Nothing is computed; of a
        list, the first item is looked at.

    Raises
    ------
    TypeError
        For a Delayed, a Future, a list of either, a Bag, a LazyFrame of polars, and any
        other collection that is lazy but no dask array, DataFrame or Series.
    """
    for name, value in inputs.items():
        is_list = isinstance(value, list | tuple) and len(value) > 0
        kind = _kind(value[0] if is_list else value)
        if kind is None:
            continue
        if kind in ("Delayed", "Future"):
            fix = (_MANY if is_list else _ONE) + _UNKNOWN_ROWS
        else:
            fix = _FIXES.get(kind, _OTHER)
        what = f"list of {kind} objects" if is_list else kind
        raise TypeError(f"{name} is a {what}, and not yet an array or a frame. {fix}")


def _kind(value: Any) -> str | None:
    """Return the class name of a lazy object that is not rows; None for all else."""
    cls = type(value)
    for name, package in _NOT_ROWS:
        # Delayed has subclasses of its own.
        for kind in cls.__mro__:
            if kind.__name__ == name and kind.__module__.startswith(package):
                return name
    # Asked of the class: some objects answer to any attribute.
    if not hasattr(cls, "__dask_graph__") or is_dask(value):
        return None
    return cls.__name__ if value.__dask_graph__() is not None else None
