"""Clustering: scikit-learn's estimators, for input of any size."""

from sklearn_dask_auto.cluster.kmeans import AutoScaleKMeans

__all__ = ["AutoScaleKMeans"]
