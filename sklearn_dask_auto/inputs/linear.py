"""Linear models on blocks of rows, which are read from memory once and not twice.

scikit-learn sums the rows to see whether all are finite, and multiplies them then. Both
take as long as memory does. A value that is not finite, times a coefficient other than
zero, makes a score that is not finite either: the scores tell as much.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn
from sklearn.frozen import FrozenEstimator

from sklearn_dask_auto._sklearn import LinearClassifierMixin, LinearModel

__all__ = ["reading_once"]

Scores = Callable[[Any], Any]


def reading_once(model: Any, rows: Any) -> Any:
    """Return a model that says the same of these rows, and reads them once if it can.

    Parameters
    ----------
    model : object
        Fitted; not changed.
    rows : object
        Of these alone: what it says of others is not to be asked.

    Returns
    -------
    model : object
        The same one, unless it is linear by scikit-learn's own method.
    """
    while isinstance(model, FrozenEstimator):
        model = model.estimator
    name = _name_of_scores(model)
    if name is None or not _tells_by_scores(model, rows):
        return model
    kind: Any = type(model)
    twin = kind.__new__(kind)
    twin.__dict__.update(vars(model))
    # What the class has for probabilities and labels asks the instance for scores.
    setattr(twin, name, _checked(getattr(model, name)))
    return twin


def _name_of_scores(model: Any) -> str | None:
    """Return the method that multiplies rows, where it is scikit-learn's own."""
    for owner, name in (
        (LinearClassifierMixin, "decision_function"),
        (LinearModel, "predict"),
    ):
        if getattr(type(model), name, None) is getattr(owner, name):
            return name
    return None


def _tells_by_scores(model: Any, rows: Any) -> bool:
    is_dense = isinstance(rows, np.ndarray) and rows.dtype.kind == "f"
    if not is_dense or sklearn.get_config()["assume_finite"]:
        return False
    coefficients = getattr(model, "coef_", None)
    # BLAS may leave out what is multiplied by zero.
    return isinstance(coefficients, np.ndarray) and bool(np.all(coefficients != 0))


def _checked(scores_of: Scores) -> Scores:
    def checked(rows: Any) -> Any:
        with sklearn.config_context(assume_finite=True), np.errstate(all="ignore"):
            scores = scores_of(rows)
        # Again: it raises, unless finite rows made them too large.
        return scores if np.isfinite(scores).all() else scores_of(rows)

    return checked
