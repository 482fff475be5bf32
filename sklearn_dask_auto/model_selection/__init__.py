"""Model selection: scikit-learn's searches, for input of any size on any machines."""

from sklearn_dask_auto.model_selection.search import AutoScaleSearchCV
from sklearn_dask_auto.model_selection.split import train_test_split

__all__ = ["AutoScaleSearchCV", "train_test_split"]
