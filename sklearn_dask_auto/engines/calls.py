"""What is sent to a worker: one call, small, beside the data that calls share.

A call is (function, args, kwargs), as joblib has it. `pack` pickles it without the
objects that are sent ahead, once, for all calls; on the worker `run_packed` puts them
back. Sorted row numbers, which folds are made of, travel as a bit for each row.

`run` is how a worker runs calls: with its share of the cores, with joblib set as in
one of joblib's own workers, and with its warnings kept, to be given again where the
user sees them.
"""

import contextlib
import io
import pickle
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple

import cloudpickle
import joblib
import numpy as np
from joblib.parallel import ThreadingBackend

from sklearn_dask_auto.inputs.elsewhere import RowsElsewhere
from sklearn_dask_auto.inputs.threads import bounded_threads

__all__ = [
    "Call",
    "Reply",
    "Setting",
    "is_alone",
    "lightened",
    "pack",
    "replay",
    "run",
    "run_packed",
    "shared",
    "why_not_picklable",
]

Call = tuple[Any, Sequence[Any], dict[str, Any]]
"""(function, args, kwargs)."""

LARGE_BYTES = 1000
"""What is smaller is cheaper to send with each call than to look up."""
LARGE_LENGTH = 100


class Setting(NamedTuple):
    """How a worker runs calls.

    Parameters
    ----------
    fits_on_host : int
        Calls that run at once on the worker's machine and share its cores.
    is_alone : bool
        No other thread of the worker's process runs calls, so that what belongs to the
        process, such as the list of warnings, is this call's own.
    echoes : bool
        Keep what is printed, to be printed where the user sees it.
    """

    fits_on_host: int = 1
    is_alone: bool = True
    echoes: bool = False


class Reply(NamedTuple):
    """What came of a call.

    Parameters
    ----------
    value : object
        What the function returned.
    warned : list of (category, str, str, int)
        Category, text, file and line of each warning.
    seconds : float
        How long it took.
    printed : str
        What it wrote to the standard output, if that was kept.
    """

    value: Any
    warned: list[tuple[type[Warning], str, str, int]]
    seconds: float = 0.0
    printed: str = ""


_IS_ALONE: ContextVar[bool | None] = ContextVar("_IS_ALONE", default=None)


def is_alone() -> bool:
    """Tell whether the list of warnings of this process is the running call's own."""
    told = _IS_ALONE.get()
    if told is None:
        return threading.current_thread() is threading.main_thread()
    return told


def run(calls: Sequence[Call], setting: Setting) -> list[Reply]:
    """Run calls on a worker, one after another."""
    share = max(1, joblib.cpu_count() // setting.fits_on_host)
    with (
        joblib.parallel_config(backend=_SharedCores(share), n_jobs=None),
        bounded_threads(share),
    ):
        return [_run_one(call, setting) for call in calls]


def _run_one(call: Call, setting: Setting) -> Reply:
    function, args, kwargs = call
    printed = io.StringIO()
    echo = contextlib.redirect_stdout(printed)
    started = time.perf_counter()
    token = _IS_ALONE.set(setting.is_alone)
    try:
        with (
            _recorded(setting.is_alone) as warned,
            echo if setting.echoes else contextlib.nullcontext(),
        ):
            value = function(*args, **kwargs)
    finally:
        _IS_ALONE.reset(token)
    told = [(w.category, str(w.message), w.filename, w.lineno) for w in warned]
    return Reply(value, told, time.perf_counter() - started, printed.getvalue())


def replay(reply: Reply) -> Any:
    """Warn and print here what a worker warned and printed; return the value."""
    for category, message, filename, lineno in reply.warned:
        warnings.warn_explicit(message, category, filename, lineno)
    if reply.printed:
        sys.stdout.write(reply.printed)
    return reply.value


def shared(calls: Sequence[Call]) -> list[Any]:
    """Return the large objects that calls have in common, to be sent once.

    Parameters
    ----------
    calls : sequence of Call
        The first and the last of them tell what is common to all.

    Returns
    -------
    objects : list of object
        The very objects, recognised by their identity.
    """
    found = _large_objects(calls[0])
    if len(calls) > 1:
        others = _large_objects(calls[-1])
        found = {key: value for key, value in found.items() if key in others}
    return list(found.values())


def why_not_picklable(call: Call) -> str | None:
    """Try to pickle a call, all but the data; return the error's text, if any."""
    try:
        _large_objects(call)
    # Pickling runs the user's code, which may raise anything.
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def pack(calls: Sequence[Call], setting: Setting, data: Sequence[Any]) -> bytes:
    """Pickle calls without the objects in `data`."""
    buffer = io.BytesIO()
    numbers = {id(value): number for number, value in enumerate(data)}
    _Packer(buffer, numbers).dump((calls, setting))
    return buffer.getvalue()


def lightened(call: Call) -> Call:
    """Return a call whose row numbers anyone will pickle as `pack` does."""
    function, args, kwargs = call
    light = {
        name: _Rows(value) if _is_row_numbers(value) else value
        for name, value in kwargs.items()
    }
    return function, args, light


def run_packed(packed: bytes, *data: Any) -> list[Reply]:
    """Run on a worker calls that were packed without `data`."""
    calls, setting = _Unpacker(io.BytesIO(packed), data).load()
    return run(calls, setting)


class _SharedCores(ThreadingBackend):
    """Threads for what a fit itself does side by side: its share of the cores."""

    def __init__(self, share: int) -> None:
        super().__init__(nesting_level=1)
        self._share = share

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """Return what `n_jobs` asks for, and no more than the share."""
        return min(int(super().effective_n_jobs(n_jobs)), self._share)

    def __reduce__(self) -> Any:
        return _SharedCores, (self._share,)


class _Packer(cloudpickle.Pickler):
    def __init__(self, file: Any, numbers: dict[int, int]) -> None:
        super().__init__(file, protocol=5)
        self._numbers = numbers

    def persistent_id(self, obj: Any) -> int | None:
        return self._numbers.get(id(obj))

    def reducer_override(self, obj: Any) -> Any:
        if _is_row_numbers(obj):
            return _Rows(obj).__reduce__()
        return super().reducer_override(obj)


class _Unpacker(pickle.Unpickler):
    def __init__(self, file: Any, data: Sequence[Any]) -> None:
        super().__init__(file)
        self._data = data

    def persistent_load(self, pid: int) -> Any:
        return self._data[pid]


class _Rows:
    """Sorted row numbers, which become an array again once they were pickled."""

    def __init__(self, rows: Any) -> None:
        self._rows = rows

    def __reduce__(self) -> Any:
        mask = np.zeros(self._rows[-1] + 1, dtype=bool)
        mask[self._rows] = True
        return _rows_of, (np.packbits(mask),)


def _is_row_numbers(rows: Any) -> bool:
    """Tell whether a bit for each row says the same in less space."""
    if type(rows) is not np.ndarray or rows.dtype != np.intp:
        return False
    if rows.ndim != 1 or len(rows) < LARGE_LENGTH or rows[0] < 0:
        return False
    return bool(rows[-1] < 32 * len(rows) and (rows[1:] > rows[:-1]).all())


def _rows_of(bits: Any) -> Any:
    return np.flatnonzero(np.unpackbits(bits))


class _Weigher(cloudpickle.Pickler):
    """Finds what is large in a call, and passes it by."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), protocol=5)
        self.found: dict[int, Any] = {}

    def persistent_id(self, obj: Any) -> int | None:
        if not _is_large(obj):
            return None
        self.found[id(obj)] = obj
        return id(obj)


def _large_objects(call: Call) -> dict[int, Any]:
    weigher = _Weigher()
    weigher.dump(call)
    return weigher.found


def _is_large(obj: Any) -> bool:
    if type(obj) is RowsElsewhere:
        return True
    if isinstance(obj, np.ndarray):
        return obj.nbytes >= LARGE_BYTES
    if isinstance(obj, list):
        return len(obj) >= LARGE_LENGTH
    # Data frames and series, and scipy's sparse matrices, but not their classes.
    is_data = hasattr(obj, "iloc") or (hasattr(obj, "nnz") and hasattr(obj, "tocsr"))
    return is_data and not isinstance(obj, type) and obj.shape[0] >= LARGE_LENGTH


@contextlib.contextmanager
def _recorded(is_alone: bool) -> Iterator[list[warnings.WarningMessage]]:
    """Record warnings, if no other thread would get in the way."""
    if not is_alone:
        yield []
        return
    with warnings.catch_warnings(record=True) as warned:
        yield warned
