"""The arithmetic of the scalers on one dense block, in one sweep over it.

scikit-learn copies a block, checks that it is finite, and then subtracts and divides:
four sweeps through memory. Here each value is read once and written once, by the same
operations in the same order and precision, so that the results are equal to the bit.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

__all__ = ["AffineBlocks"]

SWEEP_VALUES = 1024
"""Values that the inner loop takes at least, so that few columns are no short loops."""


@dataclass(frozen=True)
class AffineBlocks:
    """A fitted scaler, to be applied to blocks.

    Parameters
    ----------
    model : object
        scikit-learn's scaler. What is not a plain dense block it transforms itself, and
        it raises its error for a block that it refuses.
    shift, scale : ndarray of shape (n_columns,), or None
        One for each column; None for neither.
    subtracts_first : bool
        ``transform`` is ``(X - shift) / scale``, and not ``X * scale + shift``;
        ``inverse_transform`` is the other one.
    rounds : bool, default=False
        Shift and scale are rounded to the dtype of the block before anything is done.
    limits : tuple of float, default=None
        What ``transform`` clips to.
    """

    model: Any
    shift: Any
    scale: Any
    subtracts_first: bool
    rounds: bool = False
    limits: tuple[float, float] | None = None

    def transform(self, block: Any) -> Any:
        """Scale a block."""
        if not self._takes(block):
            return self.model.transform(block)
        out = self._applied(block, self.subtracts_first)
        if out is None:
            return self.model.transform(block)
        if self.limits is not None:
            low, high = (block.dtype.type(limit) for limit in self.limits)
            np.clip(out, low, high, out=out)
        return out

    def inverse_transform(self, block: Any) -> Any:
        """Undo the scaling of a block."""
        out = None
        if self._takes(block):
            out = self._applied(block, not self.subtracts_first)
        return self.model.inverse_transform(block) if out is None else out

    def _takes(self, block: Any) -> bool:
        given = self.shift if self.scale is None else self.scale
        return (
            given is not None
            and type(block) in (np.ndarray, np.memmap)
            and block.dtype in (np.float64, np.float32)
            and block.dtype.isnative
            and block.flags.c_contiguous
            and block.ndim == 2
            and block.size > 0
            and block.shape[1] == len(given)
        )

    def _applied(self, block: Any, subtracts: bool) -> Any:
        """Return the block shifted and scaled; None if a value is infinite."""
        # What adds or multiplies nothing, a zero's sign included.
        shift = np.full(block.shape[1], 0.0 if subtracts else -0.0, block.dtype)
        scale = np.ones(block.shape[1], block.dtype)
        shift = shift if self.shift is None else self.shift
        scale = scale if self.scale is None else self.scale
        if self.rounds:
            shift, scale = (a.astype(block.dtype, copy=False) for a in (shift, scale))
        repeats = -(-SWEEP_VALUES // block.shape[1])
        shift, scale = np.tile(shift, repeats), np.tile(scale, repeats)
        out = np.empty(block.shape, block.dtype)
        sweep = _subtract_divide if subtracts else _multiply_add
        is_infinite = sweep(np.asarray(block).ravel(), shift, scale, out.ravel())
        return None if is_infinite else out


@njit(nogil=True, cache=True, error_model="numpy")
def _subtract_divide(values, shift, scale, out):  # type: ignore[no-untyped-def]
    is_infinite = 0
    for start in range(0, len(values), len(shift)):
        part, into = values[start : start + len(shift)], out[start : start + len(shift)]
        for j in range(len(part)):
            is_infinite |= abs(part[j]) == np.inf
            into[j] = part[j] - shift[j]
            into[j] = into[j] / scale[j]
    return is_infinite


@njit(nogil=True, cache=True, error_model="numpy")
def _multiply_add(values, shift, scale, out):  # type: ignore[no-untyped-def]
    is_infinite = 0
    for start in range(0, len(values), len(shift)):
        part, into = values[start : start + len(shift)], out[start : start + len(shift)]
        for j in range(len(part)):
            is_infinite |= abs(part[j]) == np.inf
            into[j] = part[j] * scale[j]
            into[j] = into[j] + shift[j]
    return is_infinite
