"""Clustering: scikit-learn's estimators, for input of any size."""

from sklearn_dask_auto.cluster.kmeans import AutoScaleKMeans
from sklearn_dask_auto.cluster.mini_batch_kmeans import AutoScaleMiniBatchKMeans

__all__ = ["AutoScaleKMeans", "AutoScaleMiniBatchKMeans"]
