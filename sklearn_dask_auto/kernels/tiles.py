"""A block cut into tiles of rows that fit in cache, centred in float64.

What kernels that fold over products of columns share: `[X y]` side by side, converted,
checked and centred while a tile is in cache. Each tile has its own mean, which is
subtracted before anything is squared, so that a mean far from zero costs no digits.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils import assert_all_finite, check_array
from sklearn.utils.validation import check_non_negative

__all__ = ["Tile", "check_weight", "join", "tiles"]

TILE_VALUES = 80_000
LEAST_TILE_ROWS, MOST_TILE_ROWS = 512, 4096


@dataclass(frozen=True)
class Tile:
    """Some rows of `[X y]`, relative to their mean.

    Parameters
    ----------
    weight : float
        Sum of the weights; the number of rows without.
    mean : ndarray of shape (n_columns,)
        Weighted mean; zero if the rows are not to be centred.
    deviations : ndarray of shape (n_rows, n_columns)
        Rows less their mean, times the square root of their weight. Valid until the
        next tile.
    """

    weight: float
    mean: Any
    deviations: Any


def tiles(
    block: Any,
    beside: dict[str, Any],
    estimator_name: str,
    *,
    is_centred: bool = True,
) -> Iterator[Tile]:
    """Go through a block.

    Parameters
    ----------
    block : ndarray or CSR matrix of shape (n_rows, n_columns)
        A sparse one is made dense, a tile at a time.
    beside : dict of str to ndarray
        With "y" and "sample_weight", or without; `y` is rounded to the dtype of the
        block, as scikit-learn does.
    estimator_name : str
        For the error.
    is_centred : bool, default=True
        Subtract means.

    Yields
    ------
    tile : Tile

    Raises
    ------
    ValueError
        scikit-learn's, if a value is NaN or infinite.
    """
    target, weight = _target(block, beside), beside.get("sample_weight")
    n_columns = block.shape[1] + target.shape[1]
    step = _tile_rows(n_columns)
    buffer = np.empty((min(step, block.shape[0]), n_columns))
    for start in range(0, block.shape[0], step):
        part, aside = block[start : start + step], target[start : start + step]
        values = buffer[: part.shape[0]]
        values[:, : block.shape[1]] = part.toarray() if sp.issparse(part) else part
        values[:, block.shape[1] :] = aside
        weights = np.ones(len(values))
        if weight is not None:
            weights[:] = weight[start : start + step]
        with np.errstate(invalid="ignore", over="ignore"):
            tile = _centred(values, weights, is_centred)
        if not np.isfinite(tile.mean).all():
            assert_all_finite(block, input_name="X", estimator_name=estimator_name)
            assert_all_finite(target, input_name="y", estimator_name=estimator_name)
        if not is_centred:
            tile = Tile(tile.weight, np.zeros(n_columns), values)
        if weight is not None:
            with np.errstate(invalid="ignore"):
                values *= np.sqrt(weights)[:, None]
        yield tile


def check_weight(beside: dict[str, Any], *, is_positive: bool) -> None:
    """Raise scikit-learn's error for weights that are not finite, or negative."""
    weight = beside.get("sample_weight")
    if weight is None:
        return
    check_array(weight, ensure_2d=False, input_name="sample_weight")
    if is_positive:
        check_non_negative(weight, "`sample_weight`")


def join(a: Any, b: Any) -> tuple[float, Any, Any]:
    """Return weight and mean of two sets of rows, and a row that stands for their gap.

    The products of that row with itself are what the deviations from the common mean
    have over the deviations from two: Chan, Golub and LeVeque (1979), eq. 2.1b.
    """
    weight = a.weight + b.weight
    if weight == 0:
        return 0.0, a.mean, np.zeros_like(a.mean)
    delta = b.mean - a.mean
    with np.errstate(invalid="ignore"):
        gap = np.sqrt(a.weight / weight * b.weight) * delta
    return weight, a.mean + delta * (b.weight / weight), gap


def _target(block: Any, beside: dict[str, Any]) -> Any:
    if "y" not in beside:
        return np.empty((block.shape[0], 0), block.dtype)
    target = np.asarray(beside["y"]).astype(block.dtype, copy=False)
    return target.reshape(block.shape[0], -1)


def _tile_rows(n_columns: int) -> int:
    rows = max(TILE_VALUES // n_columns, 2 * n_columns, LEAST_TILE_ROWS)
    return min(rows, MOST_TILE_ROWS)


def _centred(values: Any, weights: Any, is_centred: bool) -> Tile:
    """Subtract the mean, and then what rounding left of it."""
    total = float(weights.sum())
    share = weights / (total or 1.0)
    mean = share @ values
    if is_centred:
        values -= mean
        rest = share @ values
        values -= rest
        mean = mean + rest
    return Tile(total, mean, values)
