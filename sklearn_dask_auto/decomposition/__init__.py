"""Decomposition: scikit-learn's estimators, for input of any size."""

from sklearn_dask_auto.decomposition.incremental_pca import AutoScaleIncrementalPCA
from sklearn_dask_auto.decomposition.pca import AutoScalePCA
from sklearn_dask_auto.decomposition.truncated_svd import AutoScaleTruncatedSVD

__all__ = ["AutoScaleIncrementalPCA", "AutoScalePCA", "AutoScaleTruncatedSVD"]
