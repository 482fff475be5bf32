"""Every private name of scikit-learn that this library uses, each with its reason.

When a scikit-learn release breaks something, it breaks here.
"""

from typing import Any

from sklearn.base import _fit_context as fit_context
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils._set_output import _get_output_config

__all__ = [
    "BaseSearchCV",
    "Interval",
    "StrOptions",
    "fit_context",
    "openmp_threads",
    "parameter_constraints",
    "transform_container",
]
# `BaseSearchCV`: documented for subclassing, but exported by no public module.
# `fit_context`: validates parameters and manages callbacks around a public `fit`; there
# is no public way to take part in either.
# `Interval`, `StrOptions`: the vocabulary of `_parameter_constraints`, which
# `check_estimator` requires of every constructor parameter.

openmp_threads = _openmp_effective_n_threads
# KMeans.predict reads `_n_threads`, which KMeans.fit sets to this.


def parameter_constraints(cls: type) -> dict[str, list[Any]]:
    """Return a copy of the constraints of a scikit-learn class, to be extended."""
    constraints: dict[str, list[Any]] = cls._parameter_constraints  # type: ignore[attr-defined]
    return {name: list(options) for name, options in constraints.items()}


def transform_container(estimator: Any) -> str:
    """Return "default", "pandas" or "polars", as `set_output` left it.

    scikit-learn wraps what `transform` returns, which would compute a dask collection;
    so the dask path has to ask for the setting itself.
    """
    return str(_get_output_config("transform", estimator)["dense"])
