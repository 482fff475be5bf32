"""Run scikit-learn's own test modules on this library's classes: a pytest plugin.

``python -m pytest -p tests.upstream.plugin -c tests/upstream/settings.ini --pyargs
sklearn.cluster.tests.test_k_means`` collects that module as it is, except that the
name of the class mirrored means ours in it, and nowhere else. What fails for a reason
is listed in ``expected.toml``; the list is strict in every direction.
"""

import importlib
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

__all__ = ["SLICES", "SWAPS", "WHOLE"]

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
        "GridSearchCV": "tests.upstream.searches.AutoScaleSearchCV",
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
WHOLE = "SKLEARN_DASK_AUTO_WHOLE_MODULES"


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
    """

    test: str
    reason: str
    versions: str

    @property
    def applies(self) -> bool:
        """The version installed is among `versions`."""
        requirement = Requirement(self.versions)
        return requirement.specifier.contains(
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
            item.add_marker(pytest.mark.xfail(reason=failure.reason, strict=True))


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
