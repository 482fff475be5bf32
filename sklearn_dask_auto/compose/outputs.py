"""What the steps give for dask input: lazy collections, of which metadata is known."""

from typing import Any

import numpy as np
import scipy.sparse as sp

__all__ = ["density", "row_like"]


def row_like(out: Any) -> Any:
    """Return a row in the container and the dtypes of a lazy output."""
    if hasattr(out, "columns"):
        from dask.dataframe.utils import meta_nonempty

        # Under one index, as all of them are to be put side by side.
        return meta_nonempty(out._meta).iloc[:1].reset_index(drop=True)
    row = np.ones((1, *out.shape[1:]), out.dtype)
    return row if isinstance(out._meta, np.ndarray) else type(out._meta)(row)


def density(outputs: list[Any]) -> float:
    """Return the share of values that are stored, in one pass over sparse outputs.

    Parameters
    ----------
    outputs : list of dask array or dask DataFrame of shape (n_rows, n_columns)
        Of the same rows.

    Returns
    -------
    density : float
        1 where all outputs are dense, without a pass.
    """
    import dask

    from sklearn_dask_auto.inputs.scheduler import compute

    sparse = [out for out in outputs if sp.issparse(getattr(out, "_meta", None))]
    if not sparse:
        return 1.0
    stored = dask.delayed(_stored, pure=False)
    blocks = [[stored(block) for block in out.to_delayed().ravel()] for out in sparse]
    (counts,) = compute(blocks)
    n_rows = sum(rows for rows, _ in counts[0])
    n_stored = sum(n for output in counts for _, n in output)
    width = sum(out.shape[1] for out in outputs)
    dense = width - sum(out.shape[1] for out in sparse)
    return float((n_stored + dense * n_rows) / (width * n_rows))


def _stored(block: Any) -> tuple[int, int]:
    return int(block.shape[0]), int(block.nnz)
