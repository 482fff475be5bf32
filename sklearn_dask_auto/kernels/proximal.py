"""Minimising the mean loss of a linear model under an l1 penalty, over row blocks.

Newton's method for what is smooth: each pass sums up loss, gradient and Hessian, and
coordinate descent, which sets coefficients to zero exactly, finds the minimum of the
quadratic that they make with the penalty: Lee, Sun and Saunders (2014), "Proximal
Newton-type methods for minimizing composite functions", SIAM J. Optim. 24(3).

Passes: one a step, one more for each step that is halved, and one to confirm the last.
"""

from typing import Any

import numpy as np
from numba import njit

from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.kernels.glm import (
    HALVINGS,
    Problem,
    evaluate,
    is_decrease,
    solve,
    warn_of_few_iterations,
)

__all__ = ["minimise"]

ROUNDS, SWEEPS = 20, 500
"""Most of coordinate descent in a step: each costs nothing beside a pass."""
NEAR, ROUNDING = np.sqrt(np.finfo(float).eps), 1e-12
"""Share of the objective that a last step may gain, the second in any case."""
SWEEP_PRECISION = 1e-12
"""Of the largest change of a sweep, beside that of the first: then they end."""


def minimise(
    estimator: Any, blocks: Pass, problem: Problem, start: Any, strength: Any
) -> tuple[Any, int]:
    """Find the coefficients with the smallest objective.

    Parameters
    ----------
    estimator : LogisticRegression
        Its `tol` and `max_iter` are read.
    blocks : Pass
        The rows.
    problem : Problem
        What is smooth of the objective.
    start : ndarray of shape (n_coefficients,), float64
        Where to begin.
    strength : ndarray of shape (n_coefficients,)
        Factor of the absolute value of each coefficient.

    Returns
    -------
    coefficients : ndarray of shape (n_coefficients,), float64
    n_iter : int
        Steps.

    Warns
    -----
    ConvergenceWarning
        If `max_iter` steps were not enough.
    """
    coefficients, step = start, np.zeros_like(start)
    value, slope, length, n_iter = np.inf, 0.0, 1.0, 0
    hessian: Any = None
    is_last = False
    while length >= 2.0**-HALVINGS:
        candidate = problem.centred(coefficients + length * step)
        outcome = evaluate(blocks, problem, candidate, with_hessian=True)
        found = outcome.loss + float(strength @ np.abs(candidate))
        if not is_decrease(found, value, 0.0 if is_last else length * slope):
            if is_last:
                return coefficients, n_iter
            length /= 2
            continue
        # Where columns are far from zero, rounding may hide what is left to gain.
        is_stuck = n_iter > 0 and value - found <= ROUNDING * abs(found)
        coefficients, value, length = candidate, found, 1.0
        if is_last:
            return coefficients, n_iter
        # Where probabilities are 0 and 1 there is none, and that before still points
        # downhill.
        hessian = hessian if outcome.hessian is None else outcome.hessian
        if hessian is None:
            break
        step = _full_step(hessian, outcome.gradient, coefficients, strength)
        change = np.abs(coefficients + step) - np.abs(coefficients)
        slope = float(step @ outcome.gradient + strength @ change)
        residual = _residual(outcome.gradient, coefficients, strength)
        is_last = _is_near(residual <= estimator.tol, -slope / abs(value))
        if not is_last and (is_stuck or n_iter >= estimator.max_iter):
            break
        n_iter += not is_last
    warn_of_few_iterations(estimator, n_iter)
    return coefficients, n_iter


def _is_near(is_small: bool, gain: float) -> bool:
    """Tell whether a step leads to the minimum, from what it is expected to gain.

    A small subgradient does not say so where columns are nearly collinear. Newton's
    method about squares the distance to go, so that half of the digits will do. Where
    numbers are large, no subgradient is small: there it is what rounding leaves.
    """
    return bool(gain <= (NEAR if is_small else ROUNDING))


def _residual(gradient: Any, coefficients: Any, strength: Any) -> float:
    """Return the largest entry of the subgradient that is nearest to zero."""
    at_zero = np.maximum(np.abs(gradient) - strength, 0.0)
    elsewhere = np.abs(gradient + strength * np.sign(coefficients))
    return float(np.where(coefficients == 0, at_zero, elsewhere).max())


def _full_step(hessian: Any, gradient: Any, coefficients: Any, strength: Any) -> Any:
    """Return the step to the minimum of the quadratic model and the penalty.

    Whatever the others are, the best of those without a penalty, the intercepts, are
    known: what is left is a problem of the others alone, on which means far from zero
    have no bearing.
    """
    held = strength > 0
    if held.all():
        return _step(hessian, gradient, coefficients, strength)
    between = hessian[np.ix_(~held, held)]
    free = hessian[np.ix_(~held, ~held)]
    follow = np.column_stack(
        [solve(free, column) for column in (*between.T, gradient[~held])]
    )
    step = np.empty_like(coefficients)
    step[held] = _step(
        hessian[np.ix_(held, held)] - between.T @ follow[:, :-1],
        gradient[held] - between.T @ follow[:, -1],
        coefficients[held],
        strength[held],
    )
    step[~held] = -follow[:, -1] - follow[:, :-1] @ step[held]
    return step


def _step(hessian: Any, gradient: Any, coefficients: Any, strength: Any) -> Any:
    """Return the step of coefficients that all have a penalty.

    Coordinate descent finds out soon which coefficients are zero, and slowly what the
    others are where columns are nearly collinear; so these are solved for, too.
    """

    def model(step: Any) -> float:
        smooth = step @ (gradient + hessian @ step / 2)
        return float(smooth + strength @ np.abs(coefficients + step))

    step = np.zeros_like(coefficients)
    for _ in range(ROUNDS):
        before = model(step)
        step = _descend(
            np.ascontiguousarray(hessian),
            gradient,
            (coefficients, step, strength),
            SWEEPS,
            SWEEP_PRECISION,
        )
        step = min(
            step, _solved(step, hessian, gradient, coefficients, strength), key=model
        )
        if before - model(step) <= SWEEP_PRECISION * abs(before):
            break
    return step


def _solved(
    step: Any, hessian: Any, gradient: Any, coefficients: Any, strength: Any
) -> Any:
    """Solve for the coefficients that are not zero, taking their signs for right."""
    signs = np.sign(coefficients + step)
    is_free = (signs != 0) | (strength == 0)
    fixed = np.where(is_free, 0.0, step)
    if not is_free.any():
        return fixed
    right = -(gradient + strength * signs + hessian @ fixed)[is_free]
    fixed[is_free] = solve(hessian[np.ix_(is_free, is_free)], right)
    return fixed


@njit(nogil=True, cache=True)
def _descend(  # type: ignore[no-untyped-def]
    hessian, gradient, state, most_sweeps, precision
):
    """Coordinate descent; changes are measured in units of their curvature.

    What is found to be zero is so exactly when the step is added.
    """
    coefficients, step, strength = state
    found, slope = coefficients + step, gradient + hessian @ step
    first = 0.0
    for sweep in range(most_sweeps):
        largest = 0.0
        for j in range(len(gradient)):
            curvature = hessian[j, j]
            if curvature <= 0:
                continue
            target = found[j] - slope[j] / curvature
            reach = strength[j] / curvature
            target = np.sign(target) * max(abs(target) - reach, 0.0)
            moved = target - found[j]
            found[j] = target
            slope += moved * hessian[j]
            largest = max(largest, moved * moved * curvature)
        if sweep == 0:
            first = largest
        if largest <= precision * precision * first:
            break
    return found - coefficients
