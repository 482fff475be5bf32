"""The edge to the user's data: describe it, take it in, hand results back.

`describe` looks at metadata alone. `entry` applies the entry rules to dask input, once.
`gather` brings a collection into this process. `output` maps functions over blocks
lazily. `scheduler` is the one place that computes a dask graph.
"""

from sklearn_dask_auto.inputs.describe import describe, is_dask
from sklearn_dask_auto.inputs.unshaped import refuse_unshaped

__all__ = ["describe", "is_dask", "refuse_unshaped"]
