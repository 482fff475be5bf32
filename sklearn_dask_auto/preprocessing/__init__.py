"""Preprocessing: scikit-learn's transformers of columns, for input of any size."""

from sklearn_dask_auto.preprocessing.encoders import (
    AutoScaleOneHotEncoder,
    AutoScaleOrdinalEncoder,
)
from sklearn_dask_auto.preprocessing.max_abs_scaler import AutoScaleMaxAbsScaler
from sklearn_dask_auto.preprocessing.min_max_scaler import AutoScaleMinMaxScaler
from sklearn_dask_auto.preprocessing.normalizer import AutoScaleNormalizer
from sklearn_dask_auto.preprocessing.polynomial_features import (
    AutoScalePolynomialFeatures,
)
from sklearn_dask_auto.preprocessing.quantile_transformer import (
    AutoScaleQuantileTransformer,
)
from sklearn_dask_auto.preprocessing.robust_scaler import AutoScaleRobustScaler
from sklearn_dask_auto.preprocessing.standard_scaler import AutoScaleStandardScaler

__all__ = [
    "AutoScaleMaxAbsScaler",
    "AutoScaleMinMaxScaler",
    "AutoScaleNormalizer",
    "AutoScaleOneHotEncoder",
    "AutoScaleOrdinalEncoder",
    "AutoScalePolynomialFeatures",
    "AutoScaleQuantileTransformer",
    "AutoScaleRobustScaler",
    "AutoScaleStandardScaler",
]
