"""The caller's rows: what is kept of them, and that nothing is written into them."""

import copy
from typing import Any

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
    if not hasattr(model, "get_params"):
        return model
    in_place = {
        name: True
        for name, value in model.get_params().items()
        if name.rpartition("__")[2] == "copy" and value is False
    }
    return copy.deepcopy(model).set_params(**in_place) if in_place else model
