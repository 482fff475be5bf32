"""Poisson regression on row blocks: scikit-learn's objective, summed over blocks.

The objective is that of `sklearn.linear_model.PoissonRegressor`: half of the weighted
mean deviance, plus alpha |coef|^2 / 2, the intercept left out of the penalty. Minimised
by `glm`, from the logarithm of the mean target as scikit-learn begins.

Passes: one for finite values, the mean target and the sample that `head_start` starts
many rows from, then those of `glm`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import assert_all_finite, check_array

from sklearn_dask_auto._sklearn import poisson_loss
from sklearn_dask_auto.inputs.entry import Rows, specimen
from sklearn_dask_auto.kernels import head_start, targets
from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.kernels.glm import NEWTON_COEFFICIENTS, minimise
from sklearn_dask_auto.kernels.lottery import fetch_block

__all__ = ["check", "fit"]


def check(estimator: Any, rows: Rows) -> None:
    """Raise scikit-learn's error for a target of a wrong shape or dtype.

    Parameters
    ----------
    estimator : PoissonRegressor
        For the error.
    rows : Rows
        Nothing of them is computed.
    """
    y = rows.beside["y"]
    targets.check_target(y)
    check_array(
        specimen(y, 1),
        ensure_2d=False,
        dtype=None,
        input_name="y",
        estimator=estimator,
    )


def fit(estimator: Any, rows: Rows, budget: int) -> dict[str, Any]:
    """Fit on row blocks.

    Parameters
    ----------
    estimator : PoissonRegressor
        Its parameters are read, and with `warm_start` its coefficients.
    rows : Rows
        With "y" beside `X`, and "sample_weight" or not.
    budget : int
        Bytes that Hessians may take.

    Returns
    -------
    learned : dict
        `coef_`, `intercept_`, `n_iter_`, and the loss, which scikit-learn's `predict`
        and `score` ask for.

    Raises
    ------
    ValueError
        scikit-learn's, for values that are not finite and targets below zero.
    """
    blocks = Pass(rows)
    wanted = head_start.numbers(rows.n_rows)
    state = type(estimator).__name__, wanted
    (weight, total), parts = blocks.fold(_survey_block, head_start.merge_surveys, state)
    if weight == 0:
        raise ValueError("Sample weights must contain at least one non-zero number.")
    problem = Problem(
        weight, estimator.alpha, bool(estimator.fit_intercept), rows.n_columns
    )
    start = _start(estimator, problem, total / weight)
    solution, n_iter = start, 0
    # No better intercept than the start's -inf, where all targets are zero.
    if np.isfinite(start).all():
        if not start[: rows.n_columns].any() and start.size <= NEWTON_COEFFICIENTS:
            sample = head_start.sample_of(parts)
            start = head_start.better_start(problem, sample, start)
        solution, n_iter = minimise(estimator, blocks, problem, start, budget)
    solution = solution.astype(rows.dtype)
    return {
        "coef_": solution[: rows.n_columns].copy(),
        "intercept_": solution[-1] if problem.fit_intercept else 0.0,
        "n_iter_": n_iter,
        "_base_loss": poisson_loss(problem.fit_intercept).base_loss,
    }


@dataclass(frozen=True)
class Problem:
    """What does not change while coefficients are looked for; see `glm.Problem`.

    Parameters
    ----------
    weight : float
        Sum of the weights of all rows.
    penalty : float
        Factor of |coef|^2 / 2 beside the mean loss.
    fit_intercept : bool
        The last coefficient is an intercept.
    n_columns : int
        Of `X`.
    """

    weight: float
    penalty: float
    fit_intercept: bool
    n_columns: int

    def losses(self, block: Any, beside: dict[str, Any]) -> tuple[Any, Any, Any]:
        """Return the loss, and targets and weights of a block."""
        weight = beside.get("sample_weight")
        if weight is not None:
            # One number for all rows comes without strides, which the loss needs.
            weight = np.ascontiguousarray(weight)
        return poisson_loss(self.fit_intercept), _target(block, beside), weight

    def penalised(self, coefficients: Any) -> Any:
        """Return the coefficients times their penalty, which is 0 for the intercept."""
        penalised = self.penalty * coefficients
        penalised[self.n_columns :] = 0
        return penalised

    def centred(self, coefficients: Any) -> Any:
        """Return the coefficients: no others are as good."""
        return coefficients


def _survey_block(block: Any, beside: dict[str, Any], start: int, state: Any) -> Any:
    """Return the sums of weights, and of weighted targets; and what is sampled."""
    name, wanted = state
    assert_all_finite(block, input_name="X", estimator_name=name)
    y = _target(block, beside)
    assert_all_finite(y, input_name="y", estimator_name=name)
    weight = beside.get("sample_weight")
    if weight is not None:
        assert_all_finite(weight, input_name="sample_weight")
    loss = poisson_loss(True).base_loss
    if not loss.in_y_true_range(y):
        raise ValueError(
            "Some value(s) of y are out of the valid range of the loss "
            f"{type(loss).__name__!r}."
        )
    weight = np.ones(len(y)) if weight is None else weight.astype(float)
    sums = np.array([weight.sum(), weight @ y])
    return sums, fetch_block(block, beside, start, wanted)


def _target(block: Any, beside: dict[str, Any]) -> Any:
    return np.ravel(beside["y"]).astype(block.dtype)


def _start(estimator: Any, problem: Problem, mean: float) -> Any:
    """Return zeros and the best intercept for them, or what was learned before."""
    if estimator.warm_start and hasattr(estimator, "coef_"):
        parts = [estimator.coef_]
        if problem.fit_intercept:
            parts.append([estimator.intercept_])
        return np.concatenate(parts).astype(float)
    start = np.zeros(problem.n_columns + int(problem.fit_intercept))
    if problem.fit_intercept:
        start[-1] = np.log(mean)
    return start
