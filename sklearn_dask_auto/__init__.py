"""Scikit-learn estimators that scale by themselves, from numpy to dask.

Importing this package imports neither dask nor scikit-learn's estimators: the public
classes are loaded when they are first named (PEP 562).
"""

import importlib
from typing import TYPE_CHECKING, Any

from sklearn_dask_auto._config import config_context, get_config, set_config

if TYPE_CHECKING:
    from sklearn_dask_auto.cluster import AutoScaleKMeans, AutoScaleMiniBatchKMeans
    from sklearn_dask_auto.compose import AutoScaleColumnTransformer
    from sklearn_dask_auto.decomposition import (
        AutoScaleIncrementalPCA,
        AutoScalePCA,
        AutoScaleTruncatedSVD,
    )
    from sklearn_dask_auto.exceptions import LostFitError, NoEngineError
    from sklearn_dask_auto.impute import AutoScaleSimpleImputer
    from sklearn_dask_auto.linear_model import (
        AutoScaleElasticNet,
        AutoScaleLasso,
        AutoScaleLinearRegression,
        AutoScaleLogisticRegression,
        AutoScalePoissonRegressor,
        AutoScaleRidge,
    )
    from sklearn_dask_auto.meta import AutoScaleEstimator
    from sklearn_dask_auto.model_selection import (
        AutoScaleSearchCV,
        SearchDisplay,
        SearchProgress,
        cross_val_predict,
        cross_val_score,
        cross_validate,
        train_test_split,
    )
    from sklearn_dask_auto.naive_bayes import AutoScaleGaussianNB
    from sklearn_dask_auto.preprocessing import (
        AutoScaleMaxAbsScaler,
        AutoScaleMinMaxScaler,
        AutoScaleNormalizer,
        AutoScaleOneHotEncoder,
        AutoScaleOrdinalEncoder,
        AutoScalePolynomialFeatures,
        AutoScaleQuantileTransformer,
        AutoScaleRobustScaler,
        AutoScaleStandardScaler,
    )
    from sklearn_dask_auto.routing import Plan

__version__ = "0.1.0.dev0"

__all__ = [
    "AutoScaleColumnTransformer",
    "AutoScaleElasticNet",
    "AutoScaleEstimator",
    "AutoScaleGaussianNB",
    "AutoScaleIncrementalPCA",
    "AutoScaleKMeans",
    "AutoScaleLasso",
    "AutoScaleLinearRegression",
    "AutoScaleLogisticRegression",
    "AutoScaleMaxAbsScaler",
    "AutoScaleMinMaxScaler",
    "AutoScaleMiniBatchKMeans",
    "AutoScaleNormalizer",
    "AutoScaleOneHotEncoder",
    "AutoScaleOrdinalEncoder",
    "AutoScalePCA",
    "AutoScalePoissonRegressor",
    "AutoScalePolynomialFeatures",
    "AutoScaleQuantileTransformer",
    "AutoScaleRidge",
    "AutoScaleRobustScaler",
    "AutoScaleSearchCV",
    "AutoScaleSimpleImputer",
    "AutoScaleStandardScaler",
    "AutoScaleTruncatedSVD",
    "LostFitError",
    "NoEngineError",
    "Plan",
    "SearchDisplay",
    "SearchProgress",
    "config_context",
    "cross_val_predict",
    "cross_val_score",
    "cross_validate",
    "get_config",
    "set_config",
    "train_test_split",
]

_HOMES = {
    "AutoScaleColumnTransformer": "compose",
    "AutoScaleElasticNet": "linear_model",
    "AutoScaleEstimator": "meta",
    "AutoScaleGaussianNB": "naive_bayes",
    "AutoScaleIncrementalPCA": "decomposition",
    "AutoScaleKMeans": "cluster",
    "AutoScaleLasso": "linear_model",
    "AutoScaleLinearRegression": "linear_model",
    "AutoScaleLogisticRegression": "linear_model",
    "AutoScaleMaxAbsScaler": "preprocessing",
    "AutoScaleMinMaxScaler": "preprocessing",
    "AutoScaleMiniBatchKMeans": "cluster",
    "AutoScaleNormalizer": "preprocessing",
    "AutoScaleOneHotEncoder": "preprocessing",
    "AutoScaleOrdinalEncoder": "preprocessing",
    "AutoScalePCA": "decomposition",
    "AutoScalePoissonRegressor": "linear_model",
    "AutoScalePolynomialFeatures": "preprocessing",
    "AutoScaleQuantileTransformer": "preprocessing",
    "AutoScaleRidge": "linear_model",
    "AutoScaleRobustScaler": "preprocessing",
    "AutoScaleSearchCV": "model_selection",
    "AutoScaleSimpleImputer": "impute",
    "AutoScaleStandardScaler": "preprocessing",
    "AutoScaleTruncatedSVD": "decomposition",
    "LostFitError": "exceptions",
    "NoEngineError": "exceptions",
    "Plan": "routing",
    "SearchDisplay": "model_selection",
    "SearchProgress": "model_selection",
    "cross_val_predict": "model_selection",
    "cross_val_score": "model_selection",
    "cross_validate": "model_selection",
    "train_test_split": "model_selection",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
