"""The searches that ours mirrors by a parameter, under scikit-learn's own names.

Its test modules make `HalvingGridSearchCV(...)` and the like. The classes here have the
constructors of those, and the fit of an `AutoScaleSearchCV` of the matching strategy.
"""

import inspect

from sklearn import model_selection
from sklearn.experimental import enable_halving_search_cv  # noqa: F401

from sklearn_dask_auto import AutoScaleSearchCV

__all__ = [
    "HalvingGridSearchCV",
    "HalvingRandomSearchCV",
    "RandomizedSearchCV",
]

DEFAULTS = AutoScaleSearchCV(None, {}).get_params(deep=False)


def _adapter(original, strategy):
    """Make a class with the parameters of `original`; what only ours has is fixed."""
    taken = inspect.signature(original).parameters
    body = {name: value for name, value in DEFAULTS.items() if name not in taken}
    body |= {
        "__init__": original.__init__,
        "__module__": __name__,
        "_parameter_constraints": original._parameter_constraints,
        "strategy": strategy,
    }
    if "param_distributions" in taken:
        body["param_grid"] = property(lambda search: search.param_distributions)
    return type(original.__name__, (AutoScaleSearchCV, original), body)


HalvingGridSearchCV = _adapter(model_selection.HalvingGridSearchCV, "halving")
HalvingRandomSearchCV = _adapter(model_selection.HalvingRandomSearchCV, "halving")
RandomizedSearchCV = _adapter(model_selection.RandomizedSearchCV, "random")
