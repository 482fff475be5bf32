"""Scikit-learn estimators that scale by themselves, from numpy to dask.

Importing this package imports neither dask nor scikit-learn's estimators: the public
classes are loaded when they are first named (PEP 562).
"""

import importlib
from typing import TYPE_CHECKING, Any

from sklearn_dask_auto._config import config_context, get_config, set_config

if TYPE_CHECKING:
    from sklearn_dask_auto.cluster import AutoScaleKMeans
    from sklearn_dask_auto.exceptions import NoEngineError
    from sklearn_dask_auto.model_selection import AutoScaleSearchCV
    from sklearn_dask_auto.routing import Plan

__version__ = "0.1.0.dev0"

__all__ = [
    "AutoScaleKMeans",
    "AutoScaleSearchCV",
    "NoEngineError",
    "Plan",
    "config_context",
    "get_config",
    "set_config",
]

_HOMES = {
    "AutoScaleKMeans": "cluster",
    "AutoScaleSearchCV": "model_selection",
    "NoEngineError": "exceptions",
    "Plan": "routing",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
