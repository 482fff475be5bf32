"""Logistic regression on row blocks: scikit-learn's objective, summed over blocks.

The objective is that of `sklearn.linear_model.LogisticRegression`: the weighted mean of
the logistic (or multinomial) loss, plus |coef|^2 / (2 C sum of weights), the intercept
left out of the penalty. Each evaluation is one pass. Two solvers minimise it:

- Newton's method, whose pass also sums the Hessian up: few passes, each costlier with
  the square of the number of coefficients.
- L-BFGS (scipy), as scikit-learn runs it: more passes, each as cheap as a prediction.

Passes: one for the classes, one for finite values and weights by class, then one a
step (and one more for each step that Newton's method has to halve).
"""

import warnings
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy.linalg import eigh
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import assert_all_finite, compute_class_weight

from sklearn_dask_auto._sklearn import lbfgs_iterations, logistic_loss
from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.kernels.targets import check_target, classes_of, encode

__all__ = ["NEWTON_COEFFICIENTS", "check", "fit"]

NEWTON_COEFFICIENTS = 500
"""Up to this many, a Hessian costs less than the passes it saves."""
HALVINGS = 15
"""Steps shorter than 2**-15 of Newton's do not help; L-BFGS takes over."""


def check(estimator: Any, rows: Rows) -> None:
    """Raise scikit-learn's error for a target of two dimensions, before any pass."""
    check_target(rows.beside["y"])


def fit(estimator: Any, rows: Rows, budget: int) -> dict[str, Any]:
    """Fit on row blocks.

    Parameters
    ----------
    estimator : LogisticRegression
        Its parameters are read, and with `warm_start` its coefficients.
    rows : Rows
        With "y" beside `X`, and "sample_weight" or not.
    budget : int
        Not needed.

    Returns
    -------
    learned : dict
        `coef_`, `intercept_`, `n_iter_`, `classes_`.

    Raises
    ------
    ValueError
        scikit-learn's, for non-finite values, and where there is only one class.
    """
    blocks = Pass(rows)
    problem = _survey(estimator, blocks)
    solution, n_iter = _minimise(estimator, blocks, problem)
    shaped = solution.reshape((problem.n_outputs, -1), order="F").astype(rows.dtype)
    n_columns = rows.n_columns
    return {
        "classes_": problem.classes,
        "coef_": np.ascontiguousarray(shaped[:, :n_columns]),
        "intercept_": shaped[:, n_columns].copy()
        if problem.fit_intercept
        else np.zeros(problem.n_outputs, rows.dtype),
        "n_iter_": np.array([n_iter], dtype=np.int32),
    }


@dataclass(frozen=True)
class Problem:
    """What does not change while coefficients are looked for.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted labels.
    class_weight : ndarray of shape (n_classes,)
        Multiplies the weight of each row of a class.
    weight : float
        Sum of the weights of all rows.
    penalty : float
        Factor of |coef|^2 / 2 beside the mean loss.
    fit_intercept : bool
        The last coefficient of each output is an intercept.
    n_columns : int
        Of `X`.
    """

    classes: Any
    class_weight: Any
    weight: float
    penalty: float
    fit_intercept: bool
    n_columns: int

    @property
    def n_outputs(self) -> int:
        """Sets of coefficients: one for two classes, else one a class."""
        return 1 if len(self.classes) == 2 else len(self.classes)

    def penalised(self, coefficients: Any) -> Any:
        """Return the coefficients with a penalty, and 0 in place of the others."""
        shaped = coefficients.reshape((self.n_outputs, -1), order="F").copy()
        shaped[:, self.n_columns :] = 0
        return self.penalty * shaped.ravel(order="F")

    def centred(self, coefficients: Any) -> Any:
        """Make what no penalty holds add up to zero over the classes.

        A constant added to one column's coefficients of all classes changes no
        probability; this is the choice that gradient descent from zero makes.
        """
        if self.n_outputs == 1:
            return coefficients
        shaped = coefficients.reshape((self.n_outputs, -1), order="F").copy()
        free = slice(self.n_columns if self.penalty else 0, None)
        shaped[:, free] -= shaped[:, free].mean(axis=0)
        return shaped.ravel(order="F")


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


def _survey(estimator: Any, blocks: Pass) -> Problem:
    classes = classes_of(blocks)
    state = (classes, type(estimator).__name__)
    counts = blocks.fold(_count_block, np.add, state)
    if len(classes) < 2:
        raise ValueError(
            "This solver needs samples of at least 2 classes in the data, but the data "
            f"contains only one class: {classes[0]!r}"
        )
    class_weight = _class_weight(estimator.class_weight, classes, counts)
    weight = float(class_weight @ counts)
    strength = np.inf if estimator.penalty is None else estimator.C
    return Problem(
        classes,
        class_weight,
        weight,
        1.0 / (strength * weight),
        bool(estimator.fit_intercept),
        blocks.rows.n_columns,
    )


def _class_weight(class_weight: Any, classes: Any, counts: Any) -> Any:
    if isinstance(class_weight, str):  # "balanced", over all blocks
        return counts.sum() / (len(classes) * counts)
    # One row of each class stands for all: their number does not matter here.
    return compute_class_weight(class_weight, classes=classes, y=classes)


def _count_block(block: Any, beside: dict[str, Any], start: int, state: Any) -> Any:
    classes, name = state
    assert_all_finite(block, input_name="X", estimator_name=name)
    weight = beside.get("sample_weight")
    if weight is not None:
        assert_all_finite(weight, input_name="sample_weight")
    return np.bincount(
        encode(classes, beside["y"]), weights=weight, minlength=len(classes)
    ).astype(float)


def _minimise(estimator: Any, blocks: Pass, problem: Problem) -> tuple[Any, int]:
    start = np.zeros(
        problem.n_outputs * (problem.n_columns + int(problem.fit_intercept))
    )
    if estimator.warm_start and hasattr(estimator, "coef_"):
        start = _warm_start(estimator, problem)
    is_small = start.size <= NEWTON_COEFFICIENTS
    if estimator.solver == "newton-cholesky" or is_small:
        start, n_iter, is_done = _newton(estimator, blocks, problem, start)
        if is_done or n_iter >= estimator.max_iter:
            if not is_done:
                _warn(estimator, n_iter)
            return start, n_iter
        return _lbfgs(estimator, blocks, problem, start, n_iter)
    return _lbfgs(estimator, blocks, problem, start, 0)


def _warm_start(estimator: Any, problem: Problem) -> Any:
    parts = [estimator.coef_]
    if problem.fit_intercept:
        parts.append(np.reshape(estimator.intercept_, (-1, 1)))
    return np.hstack(parts).astype(float).ravel(order="F")


def _newton(
    estimator: Any, blocks: Pass, problem: Problem, start: Any
) -> tuple[Any, int, bool]:
    """Take Newton steps; return coefficients, how many, and whether they converged."""
    coefficients, step = start, np.zeros_like(start)
    value, slope, length = np.inf, 0.0, 1.0
    n_iter = 0
    for _ in range(estimator.max_iter + HALVINGS):
        candidate = problem.centred(coefficients + length * step)
        outcome = _evaluate(blocks, problem, candidate, with_hessian=True)
        if not _is_decrease(outcome.loss, value, length * slope):
            length /= 2
            if length < 2.0**-HALVINGS:
                return coefficients, n_iter, False
            continue
        coefficients, value, length = candidate, outcome.loss, 1.0
        if outcome.hessian is None:
            return coefficients, n_iter, False
        step = _solve(outcome.hessian, -outcome.gradient)
        slope = float(step @ outcome.gradient)
        if np.abs(outcome.gradient).max() <= estimator.tol:
            # The Hessian is at hand: a last step costs no pass, and is taken where
            # Newton's method is sure of it.
            is_sure = -slope <= estimator.tol
            last = problem.centred(coefficients + step) if is_sure else coefficients
            return last, n_iter, True
        if n_iter >= estimator.max_iter:
            return coefficients, n_iter, False
        n_iter += 1
    return coefficients, n_iter, False


def _is_decrease(value: float, before: float, slope: float) -> bool:
    """Armijo's condition, with room for rounding where nothing is left to gain."""
    if not np.isfinite(value):
        return False
    room = 16 * np.finfo(float).eps * abs(value)
    return bool(before == np.inf or value <= before + 1e-4 * slope + room)


def _solve(hessian: Any, right: Any) -> Any:
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
        outcome = _evaluate(blocks, problem, coefficients, with_hessian=False)
        return outcome.loss, outcome.gradient

    result = minimize(
        objective,
        start,
        method="L-BFGS-B",
        jac=True,
        options={
            "maxiter": estimator.max_iter,
            "maxls": 50,
            "gtol": estimator.tol,
            "ftol": 64 * np.finfo(float).eps,
        },
    )
    steps = lbfgs_iterations(result, estimator.max_iter)
    return problem.centred(result.x), n_iter + steps


def _warn(estimator: Any, n_iter: int) -> None:
    warnings.warn(
        f"{type(estimator).__name__} did not converge after {n_iter} iterations. "
        "Increase max_iter, or scale the columns of X.",
        ConvergenceWarning,
        stacklevel=2,
    )


def _evaluate(
    blocks: Pass, problem: Problem, coefficients: Any, *, with_hessian: bool
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
    codes = encode(problem.classes, beside["y"])
    weight = problem.class_weight[codes].astype(block.dtype)
    if (given := beside.get("sample_weight")) is not None:
        weight *= given
    total = float(weight.sum(dtype=float))
    if total == 0:
        return _nothing(coefficients, with_hessian)
    loss = logistic_loss(len(problem.classes), problem.fit_intercept)
    arguments = (coefficients.astype(block.dtype), block, codes.astype(block.dtype))
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
