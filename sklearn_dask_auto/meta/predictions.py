"""What a fitted model says of dask collections: types told first, rows left alone.

dask wants to know what a method returns before there is any row. Models are asked with
rows that are made up; of those that refuse them, the answer is remembered from the fit.
"""

import copy
import warnings
from collections.abc import Iterator
from typing import Any

import joblib
import numpy as np
from sklearn.frozen import FrozenEstimator

from sklearn_dask_auto._base import ROW_WISE, not_lazy
from sklearn_dask_auto._sklearn import transform_container
from sklearn_dask_auto.inputs import is_dask

__all__ = ["REFUSALS", "known_outputs", "map_predictions", "without_side_effects"]

Outputs = dict[str, dict[str, Any]]
"""For each container of `set_output`, what each method returns of no rows."""
REFUSALS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What estimators, and the containers they are given, raise of rows that they do not
take. All else is an error of its own, and no answer."""


def map_predictions(model: Any, method: str, X: Any, outputs: Outputs) -> Any:
    """Apply a row-wise method of a fitted model to a dask collection, lazily.

    Parameters
    ----------
    model : estimator
        Fitted; not changed.
    method : str
        One of `ROW_WISE`.
    X : dask array, dask DataFrame or dask Series
        Its blocks are not written into.
    outputs : dict
        From `known_outputs`.

    Returns
    -------
    out : dask array, dask DataFrame, or list of dask arrays

    Raises
    ------
    ValueError
        If `set_output` asks for frames that are not pandas', or the method returns what
        dask has no collection for.
    """
    from sklearn_dask_auto.inputs.output import map_output

    container = _container(model)
    if method == "transform" and container not in ("default", "pandas"):
        raise not_lazy(container)
    known = outputs.get(container, {}).get(method)
    return map_output(without_side_effects(model), method, X, known)


def known_outputs(model: Any, X: Any) -> Outputs:
    """Learn what the methods of a model return, if rows that are made up will not do.

    Parameters
    ----------
    model : estimator
        Fitted; not changed.
    X : object
        Rows of the fit, in memory; a few of them are looked at, and none is kept.

    Returns
    -------
    outputs : dict
        Empty for a model that takes any rows, or one of which nothing can be learned.
    """
    with (
        joblib.parallel_config("sequential"),
        # The user asked for a fit; what a prediction warns of is told by predicting.
        warnings.catch_warnings(action="ignore"),
    ):
        rows = _first_rows(X)
        if rows is None or _takes_any(model, rows):
            return {}
        outputs = {_container(model): dict(_empty_outputs(model, rows))}
        # The container may be asked for after the fit.
        for container in {"default", "pandas"} - {*outputs}:
            other = _with_output(model, container)
            if other is not None:
                outputs[container] = dict(_empty_outputs(other, rows))
    return outputs


def _with_output(model: Any, container: str) -> Any:
    """Return a copy of a model that returns a container; None, if it has no choice."""
    if not hasattr(model, "set_output"):
        return None
    try:
        return copy.deepcopy(model).set_output(transform=container)
    except ValueError:
        # A step of a pipeline has none.
        return None


def _first_rows(X: Any) -> Any:
    """Return a copy of two rows; None where they cannot be told."""
    if is_dask(X) or not hasattr(X, "shape"):
        return None
    rows = X.iloc if hasattr(X, "iloc") else X
    try:
        return copy.deepcopy(rows[:2])
    except REFUSALS:
        # Some sparse formats have no slices.
        return None


def _takes_any(model: Any, rows: Any) -> bool:
    """Tell whether a model takes ones for any numbers that it was fitted to."""
    method = next((name for name in ROW_WISE if hasattr(model, name)), None)
    if method is None:
        return True
    dtypes = (
        [*rows.dtypes] if hasattr(rows, "iloc") and rows.ndim == 2 else [rows.dtype]
    )
    if not all(isinstance(d, np.dtype) and d.kind in "biuf" for d in dtypes):
        return False
    try:
        getattr(model, method)(rows * 0 + 1)
    except REFUSALS:
        return False
    return True


def _empty_outputs(model: Any, rows: Any) -> Iterator[tuple[str, Any]]:
    """Yield each method that a model has for its own rows, and what that returns."""
    for method in ROW_WISE:
        try:
            values = rows if method != "inverse_transform" else model.transform(rows)
            out = _without_rows(getattr(model, method)(values))
        except REFUSALS:
            continue
        yield method, out


def _without_rows(out: Any) -> Any:
    if isinstance(out, list):
        return [_without_rows(target) for target in out]
    return out.iloc[:0] if hasattr(out, "iloc") else out[:0]


def _container(model: Any) -> str:
    return transform_container(model) if hasattr(model, "set_output") else "default"


def without_side_effects(model: Any) -> Any:
    """Return a model that does not write into the rows it is given: the caller's."""
    return _OnCopies(model) if _works_in_place(model) else model


def _works_in_place(model: Any) -> bool:
    if isinstance(model, FrozenEstimator):
        return _works_in_place(model.estimator)
    parameters = model.get_params() if hasattr(model, "get_params") else {}
    return any(
        value is False
        if name.rpartition("__")[2] == "copy"
        else isinstance(value, FrozenEstimator) and _works_in_place(value)
        for name, value in parameters.items()
    )


class _OnCopies:
    """A fitted model whose methods are given a copy of their rows.

    Parameters
    ----------
    model : object
        Fitted, and not changed: what it does in place may lie deep in it.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "model":
            raise AttributeError(name)
        method = getattr(self.model, name)
        return lambda rows, *args, **params: method(rows.copy(), *args, **params)
