"""Model selection: scikit-learn's searches, for input of any size on any machines."""

from sklearn_dask_auto.model_selection.search import AutoScaleSearchCV

__all__ = ["AutoScaleSearchCV"]
