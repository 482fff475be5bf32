"""Which fits of a search may run side by side in threads of this process.

Threads need no start and no copy of the rows, but share all that belongs to a process:
the interpreter's lock, generators of random numbers, filters of warnings, limits of
BLAS. A fit may run beside others if its compiled code lets go of the lock and none of
this can change what it learns or how it is scored. That is known for a few classes
alone, and no others are taken; `docs/design/0002-where-fits-run.md` has the reasons.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.pipeline import Pipeline

from sklearn_dask_auto.engines.calls import Call

__all__ = ["fits_keep_apart", "rows_keep_apart"]

LIBSVM = ("SVC", "NuSVC", "SVR", "NuSVR", "OneClassSVM")
"""Of `sklearn.svm`. Training and predicting hold no lock. Only `probability` draws from
the generator of libsvm, which is one for the process; `verbose` sets where libsvm
prints, for the process; a kernel of the user's is anyone's code."""
SCALERS = ("MaxAbsScaler", "MinMaxScaler", "RobustScaler", "StandardScaler")
"""Of `sklearn.preprocessing`; may go before, as array code that keeps nothing."""

_SETTINGS: dict[str, Callable[[Any], bool]] = {
    "probability": lambda value: value in (False, "deprecated"),
    "kernel": lambda value: isinstance(value, str),
    "verbose": lambda value: not value,
}
"""Parameters on which it depends, each with the values that are harmless."""


def fits_keep_apart(estimator: Any, param_grid: Any, scoring: Any) -> bool:
    """Tell whether fits of a search would not meet each other in one process.

    Parameters
    ----------
    estimator : estimator object
        As the search has it.
    param_grid : dict or list of dict
        As the search has it; all that candidates may set is looked at.
    scoring : object
        As the search has it. Scorers of the user's are anyone's code.
    """
    grids = param_grid if isinstance(param_grid, list | tuple) else [param_grid]
    is_pipeline = type(estimator) is Pipeline
    *before, last = estimator.steps if is_pipeline else [("", estimator)]
    return (
        _is_named(scoring)
        and _is_of(last[1], "svm", LIBSVM)
        and all(_is_harmless_step(step) for _, step in before)
        and not (is_pipeline and (estimator.verbose or _has_memory(estimator, grids)))
        and _are_harmless_settings(last[1])
        and all(_is_harmless_grid(grid, last[0]) for grid in grids)
    )


def rows_keep_apart(call: Call) -> bool:
    """Tell the same of what the fits are given: numbers in arrays, and no listeners.

    Of other containers, checking alone meddles with filters of warnings.
    """
    _, (_, X, y, *_), kwargs = call
    beside = {**(kwargs.get("fit_params") or {}), **(kwargs.get("score_params") or {})}
    values = [value for value in (X, y) if value is not None]
    return (
        not beside
        and not kwargs.get("verbose")
        and not getattr(kwargs.get("callback_ctx"), "_callbacks", None)
        and all(_is_plain(value) for value in values)
    )


def _is_of(step: Any, module: str, names: Sequence[str]) -> bool:
    """Tell whether a step is of one of these classes: not of one derived from it."""
    cls = type(step)
    package = f"sklearn.{module}."
    return cls.__module__.startswith(package) and cls.__qualname__ in names


def _is_harmless_step(step: Any) -> bool:
    return step == "passthrough" or _is_of(step, "preprocessing", SCALERS)


def _has_memory(pipeline: Pipeline, grids: Sequence[Any]) -> bool:
    return pipeline.memory is not None or any("memory" in grid for grid in grids)


def _are_harmless_settings(estimator: Any) -> bool:
    settings = vars(estimator)
    return all(
        is_harmless(settings[name])
        for name, is_harmless in _SETTINGS.items()
        if name in settings
    )


def _is_harmless_grid(grid: Any, step: str) -> bool:
    """Tell whether no candidate of a grid turns the last step into something else."""
    if not isinstance(grid, dict):
        return False
    prefix = f"{step}__" if step else ""
    for name, values in grid.items():
        if step and "__" not in str(name):
            # It replaces a step, or sets the pipeline itself.
            return False
        is_harmless = _SETTINGS.get(str(name).removeprefix(prefix))
        is_listed = isinstance(values, list | tuple | np.ndarray)
        if is_harmless and not (is_listed and all(map(is_harmless, values))):
            return False
    return True


def _is_named(scoring: Any) -> bool:
    """Tell whether all scorers are scikit-learn's own."""
    if isinstance(scoring, dict):
        return all(isinstance(value, str) for value in scoring.values())
    if isinstance(scoring, list | tuple | set):
        return all(isinstance(value, str) for value in scoring)
    return scoring is None or isinstance(scoring, str)


def _is_plain(value: Any) -> bool:
    is_array = type(value) is np.ndarray or sp.issparse(value)
    return is_array and value.dtype.kind in "biufUS"
