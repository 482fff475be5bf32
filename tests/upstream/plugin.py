"""Run scikit-learn's own test modules on this library's classes: a pytest plugin.

``python -m pytest -p tests.upstream.plugin -c tests/upstream/settings.ini --pyargs
sklearn.cluster.tests.test_k_means`` collects that module as it is, except that the
name of the class mirrored means ours in it, and nowhere else. What fails for a reason
is listed in ``expected.toml``; the list is strict in every direction.
"""

import importlib
import math
import os
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from sklearn_dask_auto.model_selection import placement
from sklearn_dask_auto.routing import cost

__all__ = ["AWAY", "AWAY_SLICES", "SLICES", "SWAPS", "WHOLE"]

EXPECTED = Path(__file__).with_name("expected.toml")
SWAPS = {
    "sklearn.cluster.tests.test_k_means": {
        "KMeans": "AutoScaleKMeans",
        "MiniBatchKMeans": "AutoScaleMiniBatchKMeans",
    },
    "sklearn.compose.tests.test_column_transformer": {
        "ColumnTransformer": "AutoScaleColumnTransformer",
    },
    "sklearn.decomposition.tests.test_incremental_pca": {
        "IncrementalPCA": "AutoScaleIncrementalPCA"
    },
    "sklearn.decomposition.tests.test_pca": {"PCA": "AutoScalePCA"},
    "sklearn.decomposition.tests.test_truncated_svd": {
        "TruncatedSVD": "AutoScaleTruncatedSVD"
    },
    "sklearn.impute.tests.test_impute": {"SimpleImputer": "AutoScaleSimpleImputer"},
    "sklearn.linear_model._glm.tests.test_glm": {
        "PoissonRegressor": "AutoScalePoissonRegressor"
    },
    "sklearn.linear_model.tests.test_base": {
        "LinearRegression": "AutoScaleLinearRegression"
    },
    "sklearn.linear_model.tests.test_coordinate_descent": {
        "ElasticNet": "AutoScaleElasticNet",
        "Lasso": "AutoScaleLasso",
    },
    "sklearn.linear_model.tests.test_logistic": {
        "LogisticRegression": "AutoScaleLogisticRegression"
    },
    "sklearn.linear_model.tests.test_ridge": {"Ridge": "AutoScaleRidge"},
    "sklearn.model_selection.tests.test_search": {
        "GridSearchCV": "AutoScaleSearchCV",
        "RandomizedSearchCV": "tests.upstream.searches.RandomizedSearchCV",
    },
    "sklearn.model_selection.tests.test_successive_halving": {
        "HalvingGridSearchCV": "tests.upstream.searches.HalvingGridSearchCV",
        "HalvingRandomSearchCV": "tests.upstream.searches.HalvingRandomSearchCV",
    },
    "sklearn.model_selection.tests.test_split": {
        "train_test_split": "train_test_split"
    },
    "sklearn.model_selection.tests.test_validation": {
        "cross_val_predict": "cross_val_predict",
        "cross_val_score": "cross_val_score",
        "cross_validate": "cross_validate",
    },
    "sklearn.preprocessing.tests.test_data": {
        "MaxAbsScaler": "AutoScaleMaxAbsScaler",
        "MinMaxScaler": "AutoScaleMinMaxScaler",
        "Normalizer": "AutoScaleNormalizer",
        "QuantileTransformer": "AutoScaleQuantileTransformer",
        "RobustScaler": "AutoScaleRobustScaler",
        "StandardScaler": "AutoScaleStandardScaler",
    },
    "sklearn.preprocessing.tests.test_encoders": {
        "OneHotEncoder": "AutoScaleOneHotEncoder",
        "OrdinalEncoder": "AutoScaleOrdinalEncoder",
    },
    "sklearn.preprocessing.tests.test_polynomial": {
        "PolynomialFeatures": "AutoScalePolynomialFeatures"
    },
    "sklearn.tests.test_naive_bayes": {"GaussianNB": "AutoScaleGaussianNB"},
}
"""For each test module, the names in it that are replaced and what replaces them."""
SLICES = {
    "sklearn.linear_model._glm.tests.test_glm": "poisson or warm_start or linalg",
    "sklearn.model_selection.tests.test_split": "train_test_split",
    "sklearn.model_selection.tests.test_validation": "cross_val and not predict",
}
"""Of modules that take minutes, the tests run by default, as pytest's `-k` says it.

They are those of the class mirrored; the others are of classes beside it. All are run
by ``nox -s sklearn``, which sets `WHOLE` in the environment.
"""
AWAY_SLICES = {
    "sklearn.model_selection.tests.test_search": (
        "fail or verbose or callback or multimetric or refit"
    ),
    "sklearn.model_selection.tests.test_successive_halving": "resource",
}
"""Of modules run once more with `AWAY`, as `SLICES`."""
WHOLE = "SKLEARN_DASK_AUTO_WHOLE_MODULES"
AWAY = "SKLEARN_DASK_AUTO_AWAY"
"""In the environment, it has every search but the first fit run in local processes;
else all fits stay in this one. Left to the clock, a slow machine would decide."""


@dataclass(frozen=True)
class ExpectedFailure:
    """A test of scikit-learn that this library fails, and why.

    Parameters
    ----------
    test : str
        "module.name::function", or "module.name::function[parameters]" for one case.
    reason : str
        Why that is right.
    versions : str
        Where it holds, as a requirement: "scikit-learn>=1.9,<1.10".
    away : bool, default=False
        It fails only where fits run in other processes; which of them do, and together,
        is for the clock to say, so that it may pass.
    """

    test: str
    reason: str
    versions: str
    away: bool = False

    @property
    def applies(self) -> bool:
        """The version installed is among `versions`, and fits run where it says."""
        requirement = Requirement(self.versions)
        is_here = AWAY not in os.environ
        return not (self.away and is_here) and requirement.specifier.contains(
            version(requirement.name), prereleases=True
        )

    def matches(self, item: pytest.Item) -> bool:
        """Tell whether this is about `item`."""
        module, _, name = self.test.partition("::")
        is_named = name in (item.name, getattr(item, "originalname", item.name))
        return is_named and _module_name(item) == module


def pytest_configure(config: pytest.Config) -> None:
    """Load what the modules import, so that only they see a replaced name."""
    for name in SWAPS:
        importlib.import_module(name)
    # Not one by one, as they import each other.
    for name in SWAPS:
        del sys.modules[name]
    _settle_where_fits_run(is_away=AWAY in os.environ)


def _settle_where_fits_run(is_away: bool) -> None:
    placement.SHORT_SECONDS = 0.0 if is_away else math.inf
    if is_away:
        for part in ("START", "CALL", "FIT"):
            setattr(cost, f"WORKER_{part}_SECONDS", 0.0)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Iterator[None]:
    """Replace names while their test module is imported, which collecting it does."""
    swaps = SWAPS.get(_module_name(collector))
    if not isinstance(collector, pytest.Module) or swaps is None:
        return (yield)
    package = importlib.import_module(_tested(_module_name(collector)))
    with pytest.MonkeyPatch.context() as patch:
        for original, ours in swaps.items():
            patch.setattr(package, original, _replacement(ours))
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Mark expected failures, and refuse a list that names what does not exist."""
    collected = {_module_name(item) for item in items}
    selects_tests = any("::" in arg for arg in config.args)
    for failure in _expected_failures():
        concerned = [item for item in items if failure.matches(item)]
        module = failure.test.partition("::")[0]
        if not concerned and module in collected and not selects_tests:
            raise pytest.UsageError(f"{EXPECTED}: no test is named {failure.test!r}.")
        for item in concerned:
            is_sure = not failure.away
            item.add_marker(pytest.mark.xfail(reason=failure.reason, strict=is_sure))


def _expected_failures() -> list[ExpectedFailure]:
    entries = tomllib.loads(EXPECTED.read_text())["failure"]
    failures = [ExpectedFailure(**entry) for entry in entries]
    strangers = {f.test for f in failures if f.test.partition("::")[0] not in SWAPS}
    if strangers:
        raise pytest.UsageError(f"{EXPECTED}: no module is run for {strangers}.")
    return [failure for failure in failures if failure.applies]


def _replacement(name: str) -> Any:
    """Return a public class of this library, or one that is named with its module."""
    module, _, name = name.rpartition(".")
    return getattr(importlib.import_module(module or "sklearn_dask_auto"), name)


def _tested(module: str) -> str:
    """Return the package or module that a test module imports its subject from."""
    package, _, name = module.partition(".tests.")
    # A package is tested from inside, a plain module from beside it; what is private
    # is imported from the public package around it.
    package, _, _ = package.partition("._")
    return package if "." in package else f"{package}.{name.removeprefix('test_')}"


def _module_name(node: pytest.Item | pytest.Collector) -> str:
    """Return the dotted name of the module of scikit-learn that a node is in."""
    parts = node.path.with_suffix("").parts
    return ".".join(parts[parts.index("sklearn") :]) if "sklearn" in parts else ""
