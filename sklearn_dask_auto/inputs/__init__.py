"""The edge to the user's data: describe it, take it in, hand results back.

`describe` looks at metadata alone. `entry` applies the entry rules to dask input, once.
`gather` brings a collection into this process. `output` maps functions over blocks
lazily. `scheduler` is the one place that computes a dask graph.
"""

from sklearn_dask_auto.inputs.describe import count_rows, describe, is_dask, is_frame
from sklearn_dask_auto.inputs.unshaped import refuse_unshaped

__all__ = ["count_rows", "describe", "is_dask", "is_frame", "refuse_unshaped"]
