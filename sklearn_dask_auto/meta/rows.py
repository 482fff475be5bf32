"""The caller's rows: what is kept of them, and that nothing is written into them."""

import copy
from typing import Any

from sklearn.frozen import FrozenEstimator

from sklearn_dask_auto.inputs import is_dask

__all__ = ["first_rows", "without_side_effects"]

ROWS_KEPT = 2
"""Rows of the fit that are kept, to learn from what the methods return."""


def first_rows(X: Any) -> Any:
    """Return a copy of a few rows; None where they cannot be told."""
    if is_dask(X) or not hasattr(X, "shape"):
        return None
    rows = X.iloc if hasattr(X, "iloc") else X
    try:
        return copy.deepcopy(rows[:ROWS_KEPT])
    except (TypeError, IndexError, NotImplementedError):
        # Some sparse formats have no rows to take.
        return None


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
        return lambda rows: method(rows.copy())
