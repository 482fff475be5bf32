"""Linear models: scikit-learn's estimators, for input of any size."""

from sklearn_dask_auto.linear_model.elastic_net import (
    AutoScaleElasticNet,
    AutoScaleLasso,
)
from sklearn_dask_auto.linear_model.least_squares import (
    AutoScaleLinearRegression,
    AutoScaleRidge,
)
from sklearn_dask_auto.linear_model.logistic import AutoScaleLogisticRegression
from sklearn_dask_auto.linear_model.poisson import AutoScalePoissonRegressor

__all__ = [
    "AutoScaleElasticNet",
    "AutoScaleLasso",
    "AutoScaleLinearRegression",
    "AutoScaleLogisticRegression",
    "AutoScalePoissonRegressor",
    "AutoScaleRidge",
]
