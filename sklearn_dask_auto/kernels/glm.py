"""Minimising the penalised mean loss of a linear model, summed over row blocks.

Shared by logistic and Poisson regression, which say what the losses are and what the
penalty holds. The losses are scikit-learn's own, so that summed over blocks they are
its objective to the last digits. Each evaluation is one pass. Two solvers minimise:

- Newton's method, whose pass also sums the Hessian up: few passes, each costlier with
  the square of the number of coefficients.
- L-BFGS (scipy), as scikit-learn runs it: more passes, each as cheap as a prediction.

Passes: one a step, one more for each step that Newton's method has to halve, and one
to confirm its last step.
"""

import warnings
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
from scipy.linalg import eigh
from scipy.optimize import minimize as scipy_minimize
from sklearn.exceptions import ConvergenceWarning

from sklearn_dask_auto._sklearn import lbfgs_iterations
from sklearn_dask_auto.inputs.scheduler import thread_count
from sklearn_dask_auto.kernels.driver import FAN_IN, Pass

__all__ = [
    "HALVINGS",
    "NEWTON_COEFFICIENTS",
    "Problem",
    "evaluate",
    "hessian_bytes",
    "is_decrease",
    "minimise",
    "newton",
    "solve",
    "warn_of_few_iterations",
]

NEWTON_COEFFICIENTS = 500
"""Up to this many, a Hessian costs less than the passes it saves."""
HALVINGS = 15
"""Steps shorter than 2**-15 of Newton's do not help; L-BFGS takes over."""


class Foldable(Protocol):
    """Rows that statistics can be had of: all of them, or a sample."""

    def fold(self, summarise: Any, merge: Any, state: Any = None) -> Any:
        """Return the statistics of the rows together; see `Pass.fold`."""
        ...


class Problem(Protocol):
    """What is minimised: the mean loss over all rows, and a penalty."""

    @property
    def weight(self) -> float:
        """Sum of the weights of all rows."""
        ...

    def losses(self, block: Any, beside: dict[str, Any]) -> tuple[Any, Any, Any]:
        """Return the loss (`LinearModelLoss`), and targets and weights of a block.

        Weights may be None; both have the dtype of the block.
        """
        ...

    def penalised(self, coefficients: Any) -> Any:
        """Return the gradient of the penalty, which is a square."""
        ...

    def centred(self, coefficients: Any) -> Any:
        """Return, of coefficients that are as good as these, those to report."""
        ...


@dataclass(frozen=True)
class Outcome:
    """The objective at some coefficients, summed over rows.

    Parameters
    ----------
    loss : float
        Weighted sum of losses.
    gradient : ndarray of shape (n_coefficients,)
        Its gradient.
    hessian : ndarray of shape (n_coefficients, n_coefficients) or None
        Its Hessian, unless some block has none that is positive.
    """

    loss: float
    gradient: Any
    hessian: Any = None


def hessian_bytes(n_coefficients: int) -> int:
    """Return what Hessians take: of tasks, of totals that wait, and to solve."""
    n_at_once = thread_count() + FAN_IN + 3
    return n_at_once * n_coefficients**2 * np.dtype(float).itemsize


def minimise(
    estimator: Any, blocks: Pass, problem: Problem, start: Any, budget: int
) -> tuple[Any, int]:
    """Find the coefficients with the smallest objective.

    Parameters
    ----------
    estimator : LogisticRegression or PoissonRegressor
        Its `solver`, `tol` and `max_iter` are read.
    blocks : Pass
        The rows.
    problem : Problem
        The objective.
    start : ndarray of shape (n_coefficients,), float64
        Where to begin.
    budget : int
        Bytes that Hessians may take; L-BFGS needs none, and finds the same minimum.

    Returns
    -------
    coefficients : ndarray of shape (n_coefficients,), float64
    n_iter : int
        Steps of the solvers that ran.

    Warns
    -----
    ConvergenceWarning
        If `max_iter` steps were not enough.
    """
    n_iter = 0
    is_newton = estimator.solver == "newton-cholesky"
    is_newton = is_newton or start.size <= NEWTON_COEFFICIENTS
    if is_newton and hessian_bytes(start.size) <= budget:
        start, n_iter, is_done = newton(
            blocks, problem, start, estimator.tol, estimator.max_iter
        )
        if is_done:
            return start, n_iter
        if n_iter >= estimator.max_iter:
            warn_of_few_iterations(estimator, n_iter)
            return start, n_iter
    return _lbfgs(estimator, blocks, problem, start, n_iter)


def newton(
    blocks: Foldable, problem: Problem, start: Any, tol: float, max_iter: int
) -> tuple[Any, int, bool]:
    """Take Newton steps.

    Parameters
    ----------
    blocks : Pass or Sample
        The rows.
    problem, start : Problem, ndarray of shape (n_coefficients,)
        As for `minimise`.
    tol : float
        Largest entry of the gradient at which one more step is the last.
    max_iter : int
        Most steps.

    Returns
    -------
    coefficients : ndarray of shape (n_coefficients,), float64
    n_iter : int
    is_done : bool
        They converged.
    """
    coefficients, step = start, np.zeros_like(start)
    value, slope, length = np.inf, 0.0, 1.0
    n_iter = 0
    for _ in range(max_iter + HALVINGS):
        candidate = problem.centred(coefficients + length * step)
        outcome = evaluate(blocks, problem, candidate, with_hessian=True)
        if not is_decrease(outcome.loss, value, length * slope):
            length /= 2
            if length < 2.0**-HALVINGS:
                return coefficients, n_iter, False
            continue
        coefficients, value, length = candidate, outcome.loss, 1.0
        if outcome.hessian is None:
            return coefficients, n_iter, False
        step = solve(outcome.hessian, -outcome.gradient)
        slope = float(step @ outcome.gradient)
        if np.abs(outcome.gradient).max() <= tol:
            last = problem.centred(coefficients + step)
            return _better(blocks, problem, last, (coefficients, value)), n_iter, True
        if n_iter >= max_iter:
            return coefficients, n_iter, False
        n_iter += 1
    return coefficients, n_iter, False


def _better(
    blocks: Foldable, problem: Problem, last: Any, found: tuple[Any, float]
) -> Any:
    """Return where a last step leads, unless it leads uphill.

    The gradient is small already, as scikit-learn wants it; but a column of small
    numbers has a small gradient far from its best coefficient, where the Hessian, which
    is at hand, knows better.
    """
    coefficients, value = found
    outcome = evaluate(blocks, problem, last, with_hessian=False)
    return last if is_decrease(outcome.loss, value, 0.0) else coefficients


def is_decrease(value: float, before: float, slope: float) -> bool:
    """Armijo's condition, with room for rounding where nothing is left to gain."""
    if not np.isfinite(value):
        return False
    room = 16 * np.finfo(float).eps * abs(value)
    return bool(before == np.inf or value <= before + 1e-4 * slope + room)


def solve(hessian: Any, right: Any) -> Any:
    """Solve for a Newton step where the Hessian may be singular or badly scaled."""
    diagonal = np.diag(hessian)
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    values, vectors = eigh(hessian * scale * scale[:, None])
    kept = values > values[-1] * len(values) * np.finfo(float).eps
    inverse = np.where(kept, 1 / np.where(kept, values, 1), 0)
    return scale * (vectors @ (inverse * (vectors.T @ (scale * right))))


def _lbfgs(
    estimator: Any, blocks: Pass, problem: Problem, start: Any, n_iter: int
) -> tuple[Any, int]:
    """Minimise as scikit-learn does, with the same options."""

    def objective(coefficients: Any) -> tuple[float, Any]:
        outcome = evaluate(blocks, problem, coefficients, with_hessian=False)
        return outcome.loss, outcome.gradient

    max_iter = estimator.max_iter - n_iter
    result = scipy_minimize(
        objective,
        start,
        method="L-BFGS-B",
        jac=True,
        options={
            "maxiter": max_iter,
            "maxls": 50,
            "gtol": estimator.tol,
            "ftol": 64 * np.finfo(float).eps,
        },
    )
    steps = lbfgs_iterations(result, max_iter)
    return problem.centred(result.x), n_iter + steps


def warn_of_few_iterations(estimator: Any, n_iter: int) -> None:
    """Warn that the coefficients are not those of the minimum."""
    warnings.warn(
        f"{type(estimator).__name__} did not converge after {n_iter} iterations. "
        "Increase max_iter, or scale the columns of X.",
        ConvergenceWarning,
        stacklevel=2,
    )


def evaluate(
    blocks: Foldable, problem: Problem, coefficients: Any, *, with_hessian: bool
) -> Outcome:
    """Return the objective, penalty included, as a mean over the weight."""
    total = blocks.fold(
        partial(_evaluate_block, with_hessian), _add, (problem, coefficients)
    )
    penalised = problem.penalised(coefficients)
    hessian = None
    if total.hessian is not None:
        hessian = total.hessian / problem.weight
        hessian[np.diag_indices_from(hessian)] += problem.penalised(
            np.ones_like(coefficients)
        )
    return Outcome(
        total.loss / problem.weight + float(penalised @ coefficients) / 2,
        total.gradient / problem.weight + penalised,
        hessian,
    )


def _evaluate_block(
    with_hessian: bool, block: Any, beside: dict[str, Any], start: int, state: Any
) -> Outcome:
    problem, coefficients = state
    loss, target, weight = problem.losses(block, beside)
    if weight is not None and not weight.all():
        # Rows that do not count have no curvature, of which a Hessian needs enough.
        counts = np.flatnonzero(weight)
        block, target, weight = block[counts], target[counts], weight[counts]
    total = float(len(target) if weight is None else weight.sum(dtype=float))
    if total == 0:
        return _nothing(coefficients, with_hessian)
    arguments = (coefficients.astype(block.dtype), block, target)
    if not with_hessian:
        value, gradient = loss.loss_gradient(*arguments, weight)
        return Outcome(total * float(value), total * gradient.astype(float))
    *_, scores = loss.weight_intercept_raw(*arguments[:2])
    value = loss.loss(*arguments, weight, raw_prediction=scores)
    gradient, hessian, is_flat = loss.gradient_hessian(
        *arguments, weight, raw_prediction=scores
    )
    return Outcome(
        total * float(value),
        total * gradient.astype(float),
        None if is_flat else total * hessian.astype(float),
    )


def _nothing(coefficients: Any, with_hessian: bool) -> Outcome:
    """Return the outcome of rows whose weights are all zero."""
    n = coefficients.size
    return Outcome(0.0, np.zeros(n), np.zeros((n, n)) if with_hessian else None)


def _add(a: Outcome, b: Outcome) -> Outcome:
    has_hessian = a.hessian is not None and b.hessian is not None
    return Outcome(
        a.loss + b.loss,
        a.gradient + b.gradient,
        a.hessian + b.hessian if has_hessian else None,
    )
