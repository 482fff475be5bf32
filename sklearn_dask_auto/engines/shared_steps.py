"""Steps of a pipeline that candidates of a search have in common: fitted once a fold.

A pipeline asks its `memory` to fit its transformers. The pipelines of a search are
given `SharedSteps` for one, which looks whether this process has fitted an equal
transformer to equal rows before, and then hands out what came of it. What is looked up
are values and not names, so that nothing has to be known of folds or of the order of
the fits, and results are those of fits of their own.
"""

import threading
import time
import warnings
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from pickle import PicklingError
from typing import Any

import joblib
import numpy as np
import scipy.sparse as sp
from sklearn.pipeline import Pipeline

from sklearn_dask_auto.engines.calls import Call, is_alone
from sklearn_dask_auto.inputs.describe import describe

__all__ = ["SharedSteps", "forget", "share_steps", "shared_fold"]

MOST_BYTES = 256_000_000
"""What a process keeps of the steps of one search. Once that is full nothing is given
up for what comes next: fits in the order of candidates would then find nothing."""
SHORT_SECONDS = 2e-3
"""A step that is fitted faster is not worth the comparison of rows."""


def share_steps(call: Call, search: str) -> None:
    """Let a fit of a search share the steps that others of its fits will repeat.

    Nothing is done where there is nothing to share, or where the user has a memory of
    his own.

    Parameters
    ----------
    call : tuple of (function, args, kwargs)
        Its first argument is an estimator of its own, which is given the memory, and
        "parameters" is what the candidate will set on it.
    search : str
        A name for the search, different from that of any other.
    """
    _, (estimator, *_), kwargs = call
    parameters = kwargs.get("parameters") or {}
    is_free = type(estimator) is Pipeline and estimator.memory is None
    if not is_free or "memory" in parameters:
        return
    n_steps = _count_shared(estimator, parameters)
    if n_steps:
        estimator.memory = SharedSteps(search, n_steps)


def shared_fold(call: Call) -> int | None:
    """Return a number for the fold of a fit whose steps are shared, else None.

    Equal for fits on the same rows, of one round of a search.
    """
    memory = getattr(call[1][0], "memory", None) if call[1] else None
    return id(call[2].get("test")) if isinstance(memory, SharedSteps) else None


def _count_shared(pipeline: Pipeline, parameters: dict[str, Any]) -> int:
    """Count the transformers in front of the last step that candidates differ in."""
    varied = {name.partition("__")[0] for name in parameters}
    names = [name for name, _ in pipeline.steps]
    last = max((i for i, name in enumerate(names) if name in varied), default=0)
    steps = (parameters.get(name, step) for name, step in pipeline.steps[:last])
    return sum(step is not None and step != "passthrough" for step in steps)


class SharedSteps:
    """What `memory` of a pipeline may be, with the steps of this process behind it.

    Parameters
    ----------
    search : str
        The search whose steps are shared.
    n_steps : int
        How many of the first transformers are looked up.
    """

    def __init__(self, search: str, n_steps: int) -> None:
        self._search = search
        self._n_steps = n_steps

    def cache(self, function: Callable[..., Any], **_: Any) -> Callable[..., Any]:
        """Return what fits the transformers of one pipeline, one after another."""
        left = self._n_steps

        def fit_transform(transformer: Any, X: Any, y: Any, **kwargs: Any) -> Any:
            nonlocal left
            left -= 1
            fit = partial(function, transformer, X, y, **kwargs)
            has_metadata = any((kwargs.get("params") or {}).values())
            if left < 0 or has_metadata:
                return fit()
            return _store_of(self._search).fit_transform(fit, transformer, X, y)

        return fit_transform


def forget(search: str) -> None:
    """Drop the steps that this process keeps of a search."""
    with _LOCK:
        if _current.search == search:
            _current.store = _Store()


@dataclass
class _Output:
    """What a fitted step made of some rows, and what it warned of."""

    X: Any
    y: Any
    value: Any
    warned: list[warnings.WarningMessage] = field(default_factory=list)

    def again(self) -> Any:
        """Return a copy of it, as the next step may write into it, and warn."""
        value = self.given()
        return value.copy() if hasattr(value, "copy") else deepcopy(value)

    def given(self) -> Any:
        """Return it, and warn."""
        for w in self.warned:
            warnings.warn_explicit(w.message, w.category, w.filename, w.lineno)
        return self.value


@dataclass
class _Step:
    """A fitted transformer and what it has made of rows so far."""

    fitted: Any
    of_fit: _Output
    outputs: list[_Output] = field(default_factory=list)


class _Store:
    """The steps that this process has fitted for one search."""

    def __init__(self) -> None:
        self._steps: dict[str, list[_Step]] = {}
        self._n_bytes = 0

    def fit_transform(
        self, fit: Callable[[], Any], transformer: Any, X: Any, y: Any
    ) -> tuple[Any, Any]:
        key = _description(transformer)
        if key is None:
            return fit()
        for step in list(self._steps.get(key, ())):
            if _is_same(step.of_fit.X, X) and _is_same(step.of_fit.y, y):
                return step.of_fit.again(), step.fitted
        return self._fit_and_keep(key, fit, X, y)

    def _fit_and_keep(
        self, key: str, fit: Callable[[], Any], X: Any, y: Any
    ) -> tuple[Any, Any]:
        started, numbers = time.perf_counter(), _random_numbers()
        (out, fitted), warned = _recorded(fit)
        output = _Output(X, y, out, warned)
        is_short = time.perf_counter() - started < SHORT_SECONDS
        # A step that draws from numpy's own generator is another one every time.
        if is_short or numbers != _random_numbers() or not self._has_room(X, out):
            return output.given(), fitted
        step = _Step(fitted, output)
        if hasattr(fitted, "transform"):
            fitted.transform = partial(self._transform, step, fitted.transform)
        with _LOCK:
            self._steps.setdefault(key, []).append(step)
        return output.again(), fitted

    def _transform(self, step: _Step, transform: Any, X: Any, **params: Any) -> Any:
        if params:
            return transform(X, **params)
        for output in list(step.outputs):
            if _is_same(output.X, X):
                return output.again()
        value, warned = _recorded(partial(transform, X))
        output = _Output(X, None, value, warned)
        if not self._has_room(X, value):
            return output.given()
        step.outputs.append(output)
        return output.again()

    def _has_room(self, *values: Any) -> bool:
        """Tell whether values can be kept, and count them if so."""
        n_bytes = sum(describe(value).n_bytes or 0 for value in values)
        with _LOCK:
            if self._n_bytes + n_bytes > MOST_BYTES:
                return False
            self._n_bytes += n_bytes
            return True


@dataclass
class _Current:
    """The search that this process works for, and its steps."""

    search: str = ""
    store: _Store = field(default_factory=_Store)


_LOCK = threading.Lock()
_current = _Current()


def _store_of(search: str) -> _Store:
    """Return the steps of a search; those of the one before are dropped."""
    with _LOCK:
        if _current.search != search:
            _current.search, _current.store = search, _Store()
        return _current.store


def _description(transformer: Any) -> str | None:
    """Return a text that is equal for equal transformers, None where none can be."""
    try:
        return str(joblib.hash(transformer))
    except (PicklingError, AttributeError, TypeError):
        # Lambdas, local functions and open files, among parameters.
        return None


def _random_numbers() -> tuple[Any, ...]:
    """Return where numpy's own generator of random numbers stands."""
    state: Any = np.random.get_state(legacy=True)
    return tuple(v.tobytes() if hasattr(v, "tobytes") else v for v in state)


def _is_same(a: Any, b: Any) -> bool:
    """Tell whether two sets of rows are equal, for the kinds where it is cheap."""
    if a is b:
        return True
    if type(a) is not type(b) or getattr(a, "shape", ()) != getattr(b, "shape", ()):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and _are_equal(a, b)
    if sp.issparse(a):
        return _is_same_sparse(a, b)
    if hasattr(a, "iloc"):
        return a.index.equals(b.index) and a.equals(b)
    if isinstance(a, list) and a and isinstance(a[0], str):
        return a == b
    return False


def _are_equal(a: Any, b: Any) -> bool:
    # Other rows differ at once, nearly always.
    if not np.array_equal(a[:1], b[:1], equal_nan=a.dtype.kind == "f"):
        return False
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def _is_same_sparse(a: Any, b: Any) -> bool:
    if a.format not in ("csr", "csc") or a.nnz != b.nnz or a.dtype != b.dtype:
        return False
    return all(
        _are_equal(getattr(a, name), getattr(b, name))
        for name in ("indptr", "indices", "data")
    )


def _recorded(
    function: Callable[[], Any],
) -> tuple[Any, list[warnings.WarningMessage]]:
    """Call a function; return what it returns, and the warnings that it would give."""
    if not is_alone():
        # Those of other threads would be among them.
        return function(), []
    with warnings.catch_warnings(record=True) as warned:
        value = function()
    return value, warned
