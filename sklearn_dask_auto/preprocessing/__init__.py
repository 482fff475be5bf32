"""Preprocessing: scikit-learn's transformers of columns, for input of any size."""

from sklearn_dask_auto.preprocessing.scalers import (
    AutoScaleMaxAbsScaler,
    AutoScaleMinMaxScaler,
    AutoScaleStandardScaler,
)

__all__ = [
    "AutoScaleMaxAbsScaler",
    "AutoScaleMinMaxScaler",
    "AutoScaleStandardScaler",
]
