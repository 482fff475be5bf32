"""Meta-estimators: any estimator, beside dask."""

from sklearn_dask_auto.meta.estimator import AutoScaleEstimator

__all__ = ["AutoScaleEstimator"]
