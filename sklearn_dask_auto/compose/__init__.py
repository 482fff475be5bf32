"""Different columns for different transformers."""

from sklearn_dask_auto.compose.column_transformer import AutoScaleColumnTransformer

__all__ = ["AutoScaleColumnTransformer"]
