"""StandardScaler on row blocks: one pass."""

from functools import partial
from typing import Any

import numpy as np

from sklearn_dask_auto._sklearn import is_constant, without_zeros
from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels.column_statistics import (
    Spread,
    merge_spreads,
    spread_of,
)
from sklearn_dask_auto.kernels.driver import Pass

__all__ = ["check", "fit"]


def check(estimator: Any, rows: Rows) -> None:
    """Raise scikit-learn's error for parameters that do not go with the rows.

    Parameters
    ----------
    estimator : StandardScaler
        Parameters only.
    rows : Rows
        Nothing of them is computed.
    """
    if rows.is_sparse and estimator.with_mean:
        raise ValueError(
            "Cannot center sparse matrices: pass `with_mean=False` "
            "instead. See docstring for motivation and alternatives."
        )


def fit(estimator: Any, rows: Rows, budget: int) -> dict[str, Any]:
    """Fit on row blocks.

    Parameters
    ----------
    estimator : StandardScaler
        Its parameters are read, and nothing is written to it.
    rows : Rows
        With "sample_weight" beside `X`, or without.
    budget : int
        Not needed: what is learned is small.

    Returns
    -------
    learned : dict
        `mean_`, `var_`, `scale_` and `n_samples_seen_`.
    """
    is_weighted = "sample_weight" in rows.beside
    # Where there is nothing to average, scikit-learn counts rows of dense input.
    counts_rows = _learns_nothing(estimator) and not rows.is_sparse
    total, has_weight = Pass(rows).fold(
        partial(_summarise, type(estimator).__name__, counts_rows), _merge
    )
    if not has_weight:
        raise ValueError("Sample weights must contain at least one non-zero number.")
    seen = total.weight.astype(_count_dtype(estimator, rows, is_weighted))
    if seen.max() == seen.min():
        seen = seen[0]
    return {"n_samples_seen_": seen, **_averages(estimator, rows, total, seen)}


def _learns_nothing(estimator: Any) -> bool:
    return not (estimator.with_mean or estimator.with_std)


def _summarise(
    name: str,
    counts_rows: bool,
    block: Any,
    beside: dict[str, Any],
    start: int,
    state: None,
) -> tuple[Spread, bool]:
    weight = beside.get("sample_weight")
    spread = spread_of(block, weight, name)
    if weight is not None and counts_rows:
        spread = spread_of(block, None, name)
    return spread, weight is None or bool(weight.any())


def _merge(a: tuple[Spread, bool], b: tuple[Spread, bool]) -> tuple[Spread, bool]:
    return merge_spreads(a[0], b[0]), a[1] or b[1]


def _count_dtype(estimator: Any, rows: Rows, is_weighted: bool) -> Any:
    """Return the dtype in which scikit-learn counts."""
    if rows.is_sparse and estimator.with_std:
        return rows.dtype
    if rows.is_sparse or _learns_nothing(estimator):
        return rows.dtype if is_weighted else np.int64
    return np.float64


def _averages(estimator: Any, rows: Rows, total: Spread, seen: Any) -> dict[str, Any]:
    learned = dict.fromkeys(("mean_", "var_", "scale_"))
    if _learns_nothing(estimator):
        return learned
    # scikit-learn rounds what it learns of sparse input.
    dtype = rows.dtype if rows.is_sparse else np.dtype(np.float64)
    mean = total.mean.astype(dtype)
    learned["mean_"] = mean.astype(np.float64)
    if not estimator.with_std:
        return learned
    variance = total.variance.astype(dtype).astype(np.float64)
    is_flat = is_constant(variance, learned["mean_"], seen)
    learned["var_"] = variance
    learned["scale_"] = without_zeros(np.sqrt(variance), constant_mask=is_flat)
    return learned
