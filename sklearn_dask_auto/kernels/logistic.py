"""Logistic regression on row blocks: scikit-learn's objective, summed over blocks.

The objective is that of `sklearn.linear_model.LogisticRegression`: the weighted mean of
the logistic (or multinomial) loss, plus |coef|^2 / (2 C sum of weights), the intercept
left out of the penalty. Minimised by `glm`, or, where part of the penalty is on
absolute values, by `proximal`.

Passes: one for the classes, one for finite values, weights by class and the sample that
`head_start` starts many rows from, then those of `glm` or `proximal`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import assert_all_finite, compute_class_weight

from sklearn_dask_auto._sklearn import logistic_loss
from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels import head_start, proximal
from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.kernels.glm import NEWTON_COEFFICIENTS, hessian_bytes, minimise
from sklearn_dask_auto.kernels.lottery import fetch_block
from sklearn_dask_auto.kernels.sizes import l1_share
from sklearn_dask_auto.kernels.targets import check_target, classes_of, encode

__all__ = ["check", "fit"]

LEAST_ROWS_OF_CLASS = 10
"""In a sample that stands for all rows."""


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
        Bytes that Hessians may take.

    Returns
    -------
    learned : dict
        `coef_`, `intercept_`, `n_iter_`, `classes_`.

    Raises
    ------
    ValueError
        scikit-learn's, for non-finite values, and where there is only one class.
    MemoryError
        If the classes are so many that a Hessian, which an l1 penalty needs, exceeds
        the budget.
    """
    blocks = Pass(rows)
    problem, sample = _survey(estimator, blocks)
    start = _start(estimator, problem)
    if problem.l1_penalty:
        _check_room(problem, start.size, budget)
        strength = problem.strengths(start.size)
        solution, n_iter = proximal.minimise(
            estimator, blocks, problem, start, strength
        )
    else:
        if not start.any() and _stands_for_all(sample, problem):
            start = head_start.better_start(problem, sample, start)
        solution, n_iter = minimise(estimator, blocks, problem, start, budget)
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
    l1_penalty : float
        Factor of the sum of absolute coefficients beside it.
    fit_intercept : bool
        The last coefficient of each output is an intercept.
    n_columns : int
        Of `X`.
    """

    classes: Any
    class_weight: Any
    weight: float
    penalty: float
    l1_penalty: float
    fit_intercept: bool
    n_columns: int

    @property
    def n_outputs(self) -> int:
        """Sets of coefficients: one for two classes, else one a class."""
        return 1 if len(self.classes) == 2 else len(self.classes)

    def losses(self, block: Any, beside: dict[str, Any]) -> tuple[Any, Any, Any]:
        """Return the loss, codes in place of labels, and weights of a block."""
        codes = encode(self.classes, beside["y"])
        weight = self.class_weight[codes].astype(block.dtype)
        if (given := beside.get("sample_weight")) is not None:
            weight *= given
        loss = logistic_loss(len(self.classes), self.fit_intercept)
        return loss, codes.astype(block.dtype), weight

    def penalised(self, coefficients: Any) -> Any:
        """Return the coefficients with a penalty, and 0 in place of the others."""
        return self.penalty * self._without_intercepts(coefficients)

    def strengths(self, n_coefficients: int) -> Any:
        """Return the factor of each coefficient's absolute value."""
        return self.l1_penalty * self._without_intercepts(np.ones(n_coefficients))

    def _without_intercepts(self, coefficients: Any) -> Any:
        shaped = coefficients.reshape((self.n_outputs, -1), order="F").copy()
        shaped[:, self.n_columns :] = 0
        return shaped.ravel(order="F")

    def centred(self, coefficients: Any) -> Any:
        """Make what no penalty holds add up to zero over the classes.

        A constant added to one column's coefficients of all classes changes no
        probability; this is the choice that gradient descent from zero makes.
        """
        if self.n_outputs == 1:
            return coefficients
        shaped = coefficients.reshape((self.n_outputs, -1), order="F").copy()
        is_held = self.penalty or self.l1_penalty
        free = slice(self.n_columns if is_held else 0, None)
        shaped[:, free] -= shaped[:, free].mean(axis=0)
        return shaped.ravel(order="F")


def _survey(estimator: Any, blocks: Pass) -> tuple[Problem, head_start.Sample | None]:
    """Return what is minimised, and a sample of rows if there are many."""
    classes = classes_of(blocks)
    wanted = head_start.numbers(blocks.rows.n_rows)
    state = (classes, type(estimator).__name__, wanted)
    counts, parts = blocks.fold(_survey_block, head_start.merge_surveys, state)
    if len(classes) < 2:
        raise ValueError(
            "This solver needs samples of at least 2 classes in the data, but the data "
            f"contains only one class: {classes[0]!r}"
        )
    if not counts.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    class_weight = _class_weight(estimator.class_weight, classes, counts)
    weight = float(class_weight @ counts)
    strength = np.inf if estimator.penalty is None else estimator.C
    l1_ratio = l1_share(estimator.penalty, estimator.l1_ratio)
    problem = Problem(
        classes,
        class_weight,
        weight,
        (1.0 - l1_ratio) / (strength * weight),
        l1_ratio / (strength * weight),
        bool(estimator.fit_intercept),
        blocks.rows.n_columns,
    )
    return problem, head_start.sample_of(parts)


def _check_room(problem: Problem, n_coefficients: int, budget: int) -> None:
    needed = hessian_bytes(n_coefficients)
    if needed > budget:
        raise MemoryError(
            "An l1 penalty is minimised with a Hessian of all coefficients: with "
            f"{len(problem.classes):,} classes and {problem.n_columns:,} columns of X, "
            f"{n_coefficients:,} of them. A few such Hessians at a time take "
            f"{needed / 1e9:,.2f} GB, and the memory budget is {budget / 1e9:,.2f} GB. "
            "Take l1_ratio=0, which needs none, fewer columns or classes, or raise "
            "set_config(memory_budget=...)."
        )


def _stands_for_all(sample: head_start.Sample | None, problem: Problem) -> bool:
    """Tell whether a sample has rows of every class, and Newton's method will run."""
    if sample is None:
        return False
    n_coefficients = problem.n_outputs * (problem.n_columns + problem.fit_intercept)
    codes = encode(problem.classes, sample.beside["y"])
    least = np.bincount(codes, minlength=len(problem.classes)).min()
    return bool(least >= LEAST_ROWS_OF_CLASS and n_coefficients <= NEWTON_COEFFICIENTS)


def _class_weight(class_weight: Any, classes: Any, counts: Any) -> Any:
    if isinstance(class_weight, str):  # "balanced", over all blocks
        return counts.sum() / (len(classes) * counts)
    # One row of each class stands for all: their number does not matter here.
    return compute_class_weight(class_weight, classes=classes, y=classes)


def _survey_block(block: Any, beside: dict[str, Any], start: int, state: Any) -> Any:
    classes, name, wanted = state
    assert_all_finite(block, input_name="X", estimator_name=name)
    weight = beside.get("sample_weight")
    if weight is not None:
        assert_all_finite(weight, input_name="sample_weight")
    counts = np.bincount(
        encode(classes, beside["y"]), weights=weight, minlength=len(classes)
    ).astype(float)
    return counts, fetch_block(block, beside, start, wanted)


def _start(estimator: Any, problem: Problem) -> Any:
    """Return zeros, or what the fit before has learned, in one dimension."""
    shape = (problem.n_outputs, problem.n_columns + int(problem.fit_intercept))
    if not (estimator.warm_start and hasattr(estimator, "coef_")):
        return np.zeros(shape).ravel()
    parts = [estimator.coef_]
    if problem.fit_intercept:
        parts.append(np.reshape(estimator.intercept_, (-1, 1)))
    start = np.hstack(parts).astype(float)
    if start.shape != shape:
        expected = str(shape) if shape[0] > 1 else f"({shape[1]},) or {shape}"
        raise ValueError(
            f"Initialization coef is of shape {start.shape}, expected shape {expected}"
        )
    return start.ravel(order="F")
