"""The `blockwise` engine: this library's kernels over row blocks."""

import importlib
from typing import Any

from sklearn.utils import get_tags

from sklearn_dask_auto.inputs.columns import enter_columns
from sklearn_dask_auto.inputs.entry import check_columns, check_specimen, enter, hold
from sklearn_dask_auto.routing import Plan

__all__ = ["fit", "room"]

HELD_SHARE = 0.5
"""Share of a cluster's memory that lazy input may take while several passes read it."""


def fit(
    estimator: Any, X: Any, y: Any, params: dict[str, Any], plan: Plan
) -> dict[str, Any]:
    """Fit on row blocks; see `Engine.fit`."""
    if hasattr(estimator, "_fit_on_blocks"):
        # It has no kernel of its own, but fits others.
        return dict(estimator._fit_on_blocks(X, y, params, plan))
    home = f"sklearn_dask_auto.kernels.{estimator._kernel}"
    kernel: Any = importlib.import_module(home)
    if hasattr(kernel, "fit_metadata"):
        return _fit_metadata(kernel, estimator, X)
    if estimator._takes_any_dtype:
        columns = enter_columns(estimator, X)
        kernel.check(estimator, columns)
        return kernel.fit(estimator, columns, plan.budget)
    rows = enter(estimator, X, _beside(estimator, y, params))
    kernel.check(estimator, rows)
    rows = hold(rows, room(plan))
    return kernel.fit(estimator, rows, plan.budget)


def _fit_metadata(kernel: Any, estimator: Any, X: Any) -> dict[str, Any]:
    """Fit what learns nothing from the rows, without counting them."""
    check_specimen(estimator, X)
    check_columns(estimator, X, reset=True)
    learned: dict[str, Any] = kernel.fit_metadata(estimator, X)
    return learned


def _beside(estimator: Any, y: Any, params: dict[str, Any]) -> dict[str, Any]:
    """Return what lies beside the rows; a target that is missing is scikit-learn's."""
    if y is None and not get_tags(estimator).target_tags.required:
        return params
    return {"y": y, **params}


def room(plan: Plan) -> int:
    """Return how many bytes of lazy input may be kept between passes."""
    if plan.job.passes <= 1:
        return 0
    cluster = plan.resources.cluster
    if cluster is None or not cluster.n_workers:
        return plan.budget
    return int(HELD_SHARE * cluster.memory)
