"""Incremental PCA on row blocks: scikit-learn's own batches, one after another.

A batch may begin in one block and end in another, so that the batches, and with them
the answer, are those of the gathered rows however these are cut. One pass, in the order
of the rows; what goes from block to block is the model and the rows of a batch that is
not yet full.
"""

import copy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.decomposition import IncrementalPCA
from sklearn.utils import assert_all_finite

from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.routing.profile import format_bytes

__all__ = ["check", "fit"]

BATCH_COPIES = 4
"""What a batch takes: its rows as they come and put together, and a decomposition."""


def check(estimator: Any, rows: Rows) -> None:
    """Raise scikit-learn's error for parameters that do not go with the rows.

    Parameters
    ----------
    estimator : IncrementalPCA
        Parameters only.
    rows : Rows
        Nothing of them is computed.
    """
    asked, n_columns = estimator.n_components, rows.n_columns
    if asked is not None and asked > n_columns:
        raise ValueError(
            f"n_components={asked!r} invalid for n_features={n_columns}, need more "
            "rows than columns for IncrementalPCA processing"
        )


def fit(estimator: Any, rows: Rows, budget: int) -> dict[str, Any]:
    """Fit on row blocks.

    Parameters
    ----------
    estimator : IncrementalPCA
        Its parameters are read, and nothing is written to it.
    rows : Rows
        The input.
    budget : int
        Bytes that a batch may take.

    Returns
    -------
    learned : dict
        Every attribute of a fitted IncrementalPCA.

    Raises
    ------
    ValueError
        If a batch takes more, before any row is read.
    """
    name, start = type(estimator).__name__, _start(estimator, rows)
    _check_room(start, rows, budget)
    stream = Pass(rows).scan(partial(_advance, name), start)
    learned = {k: v for k, v in vars(stream.model).items() if k.endswith("_")}
    # Those that are the head of a larger array would keep all of it.
    are_arrays = {k for k, v in learned.items() if isinstance(v, np.ndarray)}
    return {**learned, **{k: np.array(learned[k], order="C") for k in are_arrays}}


@dataclass(frozen=True)
class _Stream:
    """Where the fit stands.

    Parameters
    ----------
    model : IncrementalPCA
        Fitted on all batches that are full.
    n_rows : int
        Of the whole input.
    begin : int
        First row of the batch that is being filled.
    held : tuple of ndarray
        Rows of that batch so far.
    """

    model: Any
    n_rows: int
    begin: int = 0
    held: tuple[Any, ...] = ()

    @property
    def end(self) -> int:
        """Return where the batch ends, as in `sklearn.utils.gen_batches`."""
        end = self.begin + int(self.model.batch_size_)
        least = self.model.n_components or 0
        return end if end + least <= self.n_rows else self.n_rows


def _start(estimator: Any, rows: Rows) -> _Stream:
    """Return a model as scikit-learn's `fit` leaves it before the first batch."""
    model = IncrementalPCA(
        estimator.n_components,
        whiten=estimator.whiten,
        copy=estimator.copy,
        batch_size=estimator.batch_size,
    )
    model.components_ = None
    model.n_samples_seen_ = 0
    model.mean_ = model.var_ = 0.0
    model.batch_size_ = estimator.batch_size or 5 * rows.n_columns
    return _Stream(model, rows.n_rows)


def _check_room(start: _Stream, rows: Rows, budget: int) -> None:
    n_rows = min(start.end, rows.n_rows)
    needed = BATCH_COPIES * n_rows * rows.n_columns * rows.dtype.itemsize
    if needed > budget:
        raise ValueError(
            f"A batch of {n_rows:,} rows of {rows.n_columns:,} columns takes "
            f"{format_bytes(needed)} while it is worked on, and the memory budget is "
            f"{format_bytes(budget)}. Set batch_size to "
            f"{n_rows * budget // needed:,} or less, or raise memory_budget."
        )


def _advance(
    name: str, block: Any, beside: dict[str, Any], start: int, stream: _Stream
) -> _Stream:
    assert_all_finite(block, input_name="X", estimator_name=name)
    # Fitting further replaces its attributes, and changes none in place.
    stream = replace(stream, model=copy.copy(stream.model))
    at, stop = start, start + block.shape[0]
    while at < stop:
        end = min(stream.end, stop)
        rows = block[at - start : end - start]
        rows = rows.toarray() if sp.issparse(rows) else np.array(rows)
        stream, at = _with_rows(stream, rows, end), end
    return stream


def _with_rows(stream: _Stream, rows: Any, end: int) -> _Stream:
    """Add rows up to `end` to the batch, and fit on it once it is full."""
    held = (*stream.held, rows)
    if end < stream.end:
        return replace(stream, held=held)
    batch = held[0] if len(held) == 1 else np.concatenate(held)
    stream.model.partial_fit(batch, check_input=False)
    return replace(stream, begin=end, held=())
