"""Decomposition: scikit-learn's estimators, for input of any size."""

from sklearn_dask_auto.decomposition.pca import AutoScalePCA

__all__ = ["AutoScalePCA"]
