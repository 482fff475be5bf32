"""What each module offers, and what importing it costs."""

import importlib
import inspect
import json
import pkgutil
import subprocess
import sys

import pytest

import sklearn_dask_auto

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(
        sklearn_dask_auto.__path__, f"{sklearn_dask_auto.__name__}."
    )
    # Importing it runs it.
    if not module.name.endswith("__main__")
)
HEAVY = ("dask", "distributed", "dask_ml", "pandas", "polars", "numba")


def defined_in(module):
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == module.__name__
    }


def constants_classes_functions(name):
    """Sort as ruff does (RUF022)."""
    kind = 0 if name.isupper() else 1 if name[0].isupper() else 2
    return kind, name


@pytest.mark.parametrize("name", [sklearn_dask_auto.__name__, *MODULES])
def test_what_a_module_exports_is_sorted_and_true(name):
    module = importlib.import_module(name)
    exports = getattr(module, "__all__", [])
    assert list(exports) == sorted(set(exports), key=constants_classes_functions)
    assert not [export for export in exports if not hasattr(module, export)]
    if defined_in(module):
        assert exports


def test_every_public_class_of_an_estimator_module_is_exported():
    for name in ("cluster", "model_selection", "naive_bayes", "preprocessing"):
        module = importlib.import_module(f"sklearn_dask_auto.{name}")
        assert defined_in(module) <= set(module.__all__)
        assert set(module.__all__) <= set(sklearn_dask_auto.__all__)


def test_a_name_of_the_package_is_the_object_of_its_home():
    for name in sklearn_dask_auto.__all__:
        value = getattr(sklearn_dask_auto, name)
        assert value.__name__ == name
        assert getattr(importlib.import_module(value.__module__), name) is value


def test_the_package_lists_its_names_before_they_are_loaded():
    assert set(sklearn_dask_auto.__all__) <= set(dir(sklearn_dask_auto))


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'AutoScaleNothing'"):
        _ = sklearn_dask_auto.AutoScaleNothing


def test_every_public_name_can_be_imported_with_a_star():
    names = {}
    exec("from sklearn_dask_auto import *", names)
    assert set(sklearn_dask_auto.__all__) <= set(names)


def loaded_by(source, names=HEAVY):
    """Return which of the named modules a fresh interpreter has after `source`."""
    source = (
        f"{source}\nimport json, sys\n"
        f"print(json.dumps([n for n in {names!r} if n in sys.modules]))"
    )
    command = [sys.executable, "-c", source]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout.splitlines()[-1]))


def test_importing_the_package_is_cheap():
    heavy = (*HEAVY, "sklearn", "sklearn.cluster", "numpy", "scipy", "joblib", "psutil")
    assert loaded_by("import sklearn_dask_auto", heavy) == set()


def test_clustering_in_memory_never_loads_dask():
    source = """
import numpy as np
from sklearn_dask_auto.cluster import AutoScaleKMeans
X = np.random.default_rng(0).normal(size=(40, 2))
kmeans = AutoScaleKMeans(2, random_state=0).fit(X)
kmeans.predict(X), kmeans.transform(X), kmeans.score(X), kmeans.fit_predict(X)
kmeans.explain(X), kmeans.to_sklearn().predict(X)
"""
    assert loaded_by(source) == set(loaded_by("import sklearn.cluster"))


def test_searching_in_memory_never_loads_dask():
    source = """
import numpy as np
from sklearn.linear_model import Ridge
from sklearn_dask_auto.model_selection import AutoScaleSearchCV
X = np.random.default_rng(0).normal(size=(40, 2))
search = AutoScaleSearchCV(Ridge(), {"alpha": [1, 2]}).fit(X, X[:, 0])
search.predict(X), search.score(X, X[:, 0])
"""
    baseline = "import sklearn.linear_model, sklearn.model_selection"
    assert loaded_by(source) == loaded_by(baseline)


def test_wrapping_an_estimator_in_memory_never_loads_dask():
    source = """
import numpy as np
from sklearn.linear_model import Ridge
from sklearn_dask_auto import AutoScaleEstimator
X = np.random.default_rng(0).normal(size=(40, 2))
model = AutoScaleEstimator(Ridge()).fit(X, X[:, 0])
model.predict(X), model.score(X, X[:, 0]), model.explain(X), model.to_sklearn()
"""
    baseline = "import sklearn.linear_model, sklearn.preprocessing"
    assert loaded_by(source) == loaded_by(baseline)
