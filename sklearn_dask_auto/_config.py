"""The library's few settings, as scikit-learn keeps its own: get, set, context.

Settings hold for the thread that made them and, until it makes its own, for every
thread (a `contextvars.ContextVar` over one process-wide default).
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sklearn_dask_auto.routing.job import ENGINES

__all__ = ["config_context", "get_config", "set_config"]

LOGGER = logging.getLogger("sklearn_dask_auto")
LOGGER.addHandler(logging.NullHandler())

_DEFAULTS: dict[str, Any] = {"memory_budget": None, "engine": None, "log_level": None}
_context: ContextVar[dict[str, Any] | None] = ContextVar(
    "sklearn_dask_auto", default=None
)


def get_config() -> dict[str, Any]:
    """Return the settings in force, as a copy.

    Returns
    -------
    config : dict
        Keys are those of :func:`set_config`.

    See Also
    --------
    set_config : Change settings for good.
    config_context : Change settings for the length of a ``with`` block.

    Examples
    --------
    >>> from sklearn_dask_auto import get_config
    >>> sorted(get_config())
    ['engine', 'log_level', 'memory_budget']
    """
    return dict(_context.get() or _DEFAULTS)


def set_config(
    *,
    memory_budget: int | str | None = None,
    engine: str | None = None,
    log_level: int | str | None = None,
) -> None:
    """Change settings for this process. A parameter left at None keeps its value.

    Parameters
    ----------
    memory_budget : int or str, default=None
        Bytes that a fit may take in this process, as a number or as text such as
        ``"4GB"``; ``"auto"`` is half of what is free when the fit starts.
    engine : {"auto", "sklearn", "joblib", "dask-ml", "blockwise"}, default=None
        The engine of every estimator whose own ``engine`` is ``"auto"``.
    log_level : int or str, default=None
        Level of the library's logger, such as ``"INFO"`` for one line a fit. The lines
        go to standard error unless the logger or the root logger has a handler.

    Raises
    ------
    ValueError
        If a value is none of those above.

    See Also
    --------
    config_context : The same for the length of a ``with`` block.

    Examples
    --------
    >>> from sklearn_dask_auto import get_config, set_config
    >>> set_config(memory_budget="4GB")
    >>> get_config()["memory_budget"]
    4000000000
    >>> set_config(memory_budget="auto")
    """
    changes = _checked(memory_budget, engine, log_level)
    if _context.get() is None:
        _DEFAULTS.update(changes)
    else:
        _context.set({**get_config(), **changes})
    if log_level is not None:
        _apply_log_level(changes["log_level"])


@contextmanager
def config_context(
    *,
    memory_budget: int | str | None = None,
    engine: str | None = None,
    log_level: int | str | None = None,
) -> Iterator[None]:
    """Change settings for the length of a ``with`` block, in this thread.

    Parameters
    ----------
    memory_budget, engine, log_level
        As in :func:`set_config`.

    Yields
    ------
    None

    Examples
    --------
    >>> from sklearn_dask_auto import config_context, get_config
    >>> with config_context(engine="blockwise"):
    ...     get_config()["engine"]
    'blockwise'
    """
    changes = _checked(memory_budget, engine, log_level)
    token = _context.set({**get_config(), **changes})
    level = LOGGER.level
    try:
        if log_level is not None:
            _apply_log_level(changes["log_level"])
        yield
    finally:
        _context.reset(token)
        LOGGER.setLevel(level)


def _checked(
    memory_budget: int | str | None, engine: str | None, log_level: int | str | None
) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if memory_budget is not None:
        changes["memory_budget"] = _bytes(memory_budget)
    if engine is not None:
        if engine not in ("auto", *ENGINES):
            raise ValueError(
                f"engine must be one of {('auto', *ENGINES)}, got {engine!r}."
            )
        changes["engine"] = None if engine == "auto" else engine
    if log_level is not None:
        # `getLevelName` maps names to numbers too; what it does not know comes back
        # as text.
        number = (
            logging.getLevelName(log_level) if isinstance(log_level, str) else log_level
        )
        if not isinstance(number, int):
            raise ValueError(f"log_level {log_level!r} is not a level of logging.")
        changes["log_level"] = number
    return changes


def _bytes(budget: int | str) -> int | None:
    if budget == "auto":
        return None
    try:
        n_bytes = _parsed(budget) if isinstance(budget, str) else int(budget)
    except (OverflowError, TypeError, ValueError):
        raise ValueError(
            "memory_budget must be a number of bytes, text such as '4GB', or 'auto', "
            f"got {budget!r}."
        ) from None
    if n_bytes <= 0:
        raise ValueError(f"memory_budget must be positive, got {budget!r}.")
    return n_bytes


def _parsed(text: str) -> int:
    from dask.utils import parse_bytes

    return int(parse_bytes(text))


class _StandardError(logging.Handler):
    """Write lines to standard error for as long as the program has no other handler."""

    def emit(self, record: logging.LogRecord) -> None:
        handlers = [*LOGGER.handlers, *logging.getLogger().handlers]
        if all(isinstance(h, _StandardError | logging.NullHandler) for h in handlers):
            sys.stderr.write(self.format(record) + "\n")


_STANDARD_ERROR = _StandardError()
_STANDARD_ERROR.setFormatter(logging.Formatter("%(name)s: %(message)s"))


def _apply_log_level(level: int) -> None:
    LOGGER.setLevel(level)
    # A handler that is there already is not added again.
    LOGGER.addHandler(_STANDARD_ERROR)
