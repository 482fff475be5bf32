"""Methods that are asked for more than one answer a row: with arguments, or in tuples.

``predict(X, return_std=True)`` of a Gaussian process, ``kneighbors``, ``apply``: lazy
on dask collections where each item of what they return has one row for each row.
Whether it has is told from two rows and from three, which are made up.
"""

from typing import Any

import numpy as np

from sklearn_dask_auto._sklearn import safe_indexing
from sklearn_dask_auto.inputs import is_dask
from sklearn_dask_auto.meta.predictions import REFUSALS, without_side_effects

__all__ = ["NEVER_LAZY", "OTHERS", "map_request"]

NEVER_LAZY = {
    "sample_y": "draws for all rows together",
    "staged_decision_function": "yields all rows at each stage",
    "staged_predict": "yields all rows at each stage",
    "staged_predict_proba": "yields all rows at each stage",
}
"""Methods that take rows, and why blocks of them will not do."""
OTHERS = (
    "apply",
    "decision_path",
    "kneighbors",
    "kneighbors_graph",
    "mahalanobis",
    "radius_neighbors",
    "radius_neighbors_graph",
    *NEVER_LAZY,
)
"""Methods that take rows, and that this library has for what is wrapped alone."""


def map_request(
    model: Any, method: str, X: Any, args: tuple[Any, ...], params: dict[str, Any]
) -> Any:
    """Call a method of a fitted model with arguments on a dask collection, lazily.

    Parameters
    ----------
    model : estimator
        Fitted; not changed.
    method : str
        That takes rows first.
    X : dask array, dask DataFrame or dask Series
        Its blocks are not written into.
    args, params
        As of the method, after its rows.

    Returns
    -------
    out : dask array, dask DataFrame, or tuple or list of dask arrays
        A tuple where the model returns one.

    Raises
    ------
    ValueError
        If what the method returns has not one row for each row, whatever the others.
    """
    from sklearn_dask_auto.inputs.output import made_up_rows, map_output

    name = _call_name(model, method, params)
    if method in NEVER_LAZY:
        raise _not_lazy(name, NEVER_LAZY[method])
    for key, value in [*enumerate(args), *params.items()]:
        if is_dask(value) or np.ndim(value):
            raise _not_lazy(name, f"takes {key!r} as one value, and not one a row")
    asked = _Request(without_side_effects(model), args, params)
    two = made_up_rows(X)
    try:
        answers = [
            getattr(asked, method)(safe_indexing(two, rows))
            for rows in ([0, 1], [0, 1, 1])
        ]
    except REFUSALS as error:
        error.add_note(f"{name} was asked with rows that are made up.")
        raise
    if not _is_row_wise(*answers):
        raise _not_lazy(name, "does not return one row for each row")
    return map_output(asked, method, X, answers[0])


def _call_name(model: Any, method: str, params: dict[str, Any]) -> str:
    given = ", ".join(f"{key}=..." for key in params)
    return f"{type(model).__name__}.{method}({given})"


def _not_lazy(name: str, reason: str) -> ValueError:
    return ValueError(
        f"{name} has no lazy form for dask input: it {reason}. Pass rows in memory."
    )


def _is_row_wise(two: Any, three: Any) -> bool:
    """Tell whether what a method returns of two and of three rows has as many."""
    if isinstance(two, tuple | list):
        pairs = zip(two, three, strict=True)
        return len(two) > 0 and all(_is_row_wise(a, b) for a, b in pairs)
    shapes = [getattr(out, "shape", ()) for out in (two, three)]
    counts = [shape[:1] for shape in shapes]
    return counts == [(2,), (3,)] and shapes[0][1:] == shapes[1][1:]


class _Request:
    """A fitted model whose methods are called with further arguments.

    Parameters
    ----------
    model : object
        Fitted; not changed.
    args, params : tuple, dict
        What comes after the rows.
    """

    def __init__(
        self, model: Any, args: tuple[Any, ...], params: dict[str, Any]
    ) -> None:
        self.model, self.args, self.params = model, args, params

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("model", "args", "params"):
            raise AttributeError(name)
        method = getattr(self.model, name)
        return lambda rows: method(rows, *self.args, **self.params)
