"""QuantileTransformer on row blocks: scikit-learn's sample of rows, or all of them.

With `subsample`, the numbers of the rows are drawn as scikit-learn draws them, and
those rows are taken from the blocks in one pass; of sparse blocks, which scikit-learn
samples column by column, the stored values are counted in a pass before. Without it,
the quantiles of all rows are selected exactly.
"""

import warnings
from functools import partial
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels.column_statistics import extremes_of
from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.kernels.quantiles import Neighbours, neighbours

__all__ = ["check", "fit"]

NUMBER_BYTES = 8


def check(estimator: Any, rows: Rows) -> None:
    """Raise scikit-learn's error for parameters that do not go together.

    Parameters
    ----------
    estimator : QuantileTransformer
        Parameters only.
    rows : Rows
        Nothing of them is computed.
    """
    subsample = estimator.subsample
    if subsample is not None and estimator.n_quantiles > subsample:
        raise ValueError(
            "The number of quantiles cannot be greater than the number of samples "
            f"used. Got {estimator.n_quantiles} quantiles and {subsample} samples."
        )


def fit(estimator: Any, rows: Rows, budget: int) -> dict[str, Any]:
    """Fit on row blocks.

    Parameters
    ----------
    estimator : QuantileTransformer
        Its parameters are read, and nothing is written to it.
    rows : Rows
        Without anything beside `X`.
    budget : int
        Bytes that the numbers of all rows may take, from which those of a sample are
        drawn; over it, no sample is drawn, and all rows are used.

    Returns
    -------
    learned : dict
        `n_quantiles_`, `references_` and `quantiles_`.
    """
    n_quantiles = estimator.n_quantiles
    if n_quantiles > rows.n_rows:
        warnings.warn(
            f"n_quantiles ({n_quantiles}) is greater than the total number of samples "
            f"({rows.n_rows}). n_quantiles is set to n_samples.",
            stacklevel=2,
        )
    n_quantiles = max(1, min(n_quantiles, rows.n_rows))
    references = np.linspace(0, 1, n_quantiles, endpoint=True)
    fit_kind = _fit_sparse if rows.is_sparse else _fit_dense
    return {
        "n_quantiles_": n_quantiles,
        "references_": references,
        # Per cent and back, as scikit-learn and numpy do.
        "quantiles_": fit_kind(estimator, rows, references * 100 / 100, budget),
    }


def _fit_dense(estimator: Any, rows: Rows, fractions: Any, budget: int) -> Any:
    if estimator.ignore_implicit_zeros:
        warnings.warn(
            "'ignore_implicit_zeros' takes effect only with sparse matrix. This "
            "parameter has no effect.",
            stacklevel=2,
        )
    blocks, name = Pass(rows), type(estimator).__name__
    is_drawn = estimator.subsample is not None and estimator.subsample < rows.n_rows
    if estimator.subsample is None or (
        is_drawn and NUMBER_BYTES * rows.n_rows > budget
    ):
        return neighbours(blocks, fractions, name).interpolated()
    numbers = np.arange(rows.n_rows)
    if is_drawn:
        check_random_state(estimator.random_state).shuffle(numbers)
        numbers = np.sort(numbers[: estimator.subsample])
    parts = blocks.fold(partial(_taken, name), _joined, numbers)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        return np.nanquantile(np.concatenate(parts), fractions, axis=0)


def _taken(
    name: str, block: Any, beside: dict[str, Any], start: int, numbers: Any
) -> list[Any]:
    """Take the rows of these numbers from a block."""
    extremes_of(block, name)
    first, stop = np.searchsorted(numbers, [start, start + block.shape[0]])
    return [block[numbers[first:stop] - start]]


def _joined(a: list[Any], b: list[Any]) -> list[Any]:
    return a + b


def _fit_sparse(estimator: Any, rows: Rows, fractions: Any, budget: int) -> Any:
    name = type(estimator).__name__
    ignores_zeros = estimator.ignore_implicit_zeros
    blocks = Pass(rows)
    counted = blocks.fold(partial(_count_stored, name, ignores_zeros), _united)
    before, total = _offsets(counted)
    if estimator.subsample is None and ignores_zeros:
        meta = np.empty((0, 0), rows.dtype)
        stored = Pass(Rows(rows.X.map_blocks(_missing_if_not_stored, meta=meta)))
        found = neighbours(stored, fractions, name).interpolated()
        return np.where(total > 0, found, 0.0)
    if estimator.subsample is None:
        return neighbours(blocks, fractions, name).interpolated()
    draw = _draws(estimator, rows.n_rows, total)
    taken = blocks.fold(_take_stored, _appended, (before, [p for p, _ in draw]))
    columns = [
        _quantiles_with_zeros(np.concatenate(values), n_zeros, fractions)
        for values, (_, n_zeros) in zip(taken, draw, strict=True)
    ]
    return np.transpose(columns)


def _missing_if_not_stored(block: Any) -> Any:
    block = block.tocoo()
    dense = np.full(block.shape, np.nan, block.dtype)
    dense[block.row, block.col] = block.data
    return dense


def _count_stored(
    name: str,
    accepts_negative: bool,
    block: Any,
    beside: dict[str, Any],
    start: int,
    state: None,
) -> dict[int, Any]:
    """Count what a block stores of each column, and judge it as scikit-learn does."""
    extremes = extremes_of(block, name)
    if not accepts_negative and (extremes.minimum < 0).any():
        raise ValueError(
            "QuantileTransformer only accepts non-negative sparse matrices."
        )
    return {start: np.diff(block.tocsc().indptr)}


def _united(a: dict[int, Any], b: dict[int, Any]) -> dict[int, Any]:
    return a | b


def _offsets(counted: dict[int, Any]) -> tuple[dict[int, Any], Any]:
    """Return what is stored of each column before each block, and in all."""
    before, total = {}, np.zeros_like(next(iter(counted.values())), np.int64)
    for start in sorted(counted):
        before[start] = total
        total = total + counted[start]
    return before, total


def _draws(estimator: Any, n_rows: int, stored: Any) -> list[tuple[Any, int]]:
    """Draw stored values of each column by their place, and say how many zeros join.

    A place of None stands for all of them.
    """
    random = check_random_state(estimator.random_state)
    ignores_zeros, subsample = estimator.ignore_implicit_zeros, estimator.subsample
    found: list[tuple[Any, int]] = []
    for n in stored.tolist():
        if n <= subsample:
            found.append((None, 0 if ignores_zeros else n_rows - n))
            continue
        size = subsample if ignores_zeros else subsample * n // n_rows
        places = np.sort(random.choice(n, size=size, replace=False))
        found.append((places, subsample - size))
    return found


def _take_stored(
    block: Any, beside: dict[str, Any], start: int, state: Any
) -> list[list[Any]]:
    before, draw = state
    block = block.tocsc()
    taken = []
    for j, places in enumerate(draw):
        values = block.data[block.indptr[j] : block.indptr[j + 1]]
        if places is not None:
            here = places - before[start][j]
            first, stop = np.searchsorted(here, [0, len(values)])
            values = values[here[first:stop]]
        taken.append([values])
    return taken


def _appended(a: list[list[Any]], b: list[list[Any]]) -> list[list[Any]]:
    return [mine + others for mine, others in zip(a, b, strict=True)]


def _quantiles_with_zeros(values: Any, n_zeros: int, fractions: Any) -> Any:
    """Return the quantiles of values and so many zeros; of nothing, they are zero."""
    if not len(values) + n_zeros:
        return np.zeros(len(fractions))
    values = np.sort(values[~np.isnan(values)])
    n, n_below = len(values) + n_zeros, int(np.searchsorted(values, 0))
    if not n:
        return np.full(len(fractions), np.nan)
    places = fractions * (n - 1)
    below = np.floor(places).astype(np.int64)

    def at(ranks: Any) -> Any:
        is_zero = (ranks >= n_below) & (ranks < n_below + n_zeros)
        ranks = np.where(ranks < n_below, ranks, ranks - n_zeros)
        padded = np.append(values, values.dtype.type(0))
        return padded[np.where(is_zero, len(values), ranks)]

    found = Neighbours(at(below), at(np.minimum(below + 1, n - 1)), places - below)
    return found.interpolated()
