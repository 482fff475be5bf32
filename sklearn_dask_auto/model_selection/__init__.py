"""Model selection: scikit-learn's searches, for input of any size on any machines."""

from sklearn_dask_auto.model_selection.display import SearchDisplay
from sklearn_dask_auto.model_selection.progress import SearchProgress
from sklearn_dask_auto.model_selection.search import AutoScaleSearchCV
from sklearn_dask_auto.model_selection.split import train_test_split
from sklearn_dask_auto.model_selection.validation import (
    cross_val_predict,
    cross_val_score,
    cross_validate,
)

__all__ = [
    "AutoScaleSearchCV",
    "SearchDisplay",
    "SearchProgress",
    "cross_val_predict",
    "cross_val_score",
    "cross_validate",
    "train_test_split",
]
