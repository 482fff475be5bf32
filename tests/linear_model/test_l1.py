"""AutoScaleLogisticRegression with an l1 penalty, against scikit-learn's saga."""

import warnings

import dask.array as da
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from sklearn_dask_auto import (
    AutoScaleLogisticRegression,
    NoEngineError,
    config_context,
)
from tests.cuts import cut, cuts
from tests.linear_model.test_logistic import DATA, WEIGHT, assert_same_model

EXACT = {"tol": 1e-10, "max_iter": 20_000, "solver": "saga", "random_state": 0}


def blockwise(**params):
    return AutoScaleLogisticRegression(solver="saga", engine="blockwise", **params)


def objective(model, X, y, C, l1_ratio, weight=None):
    """Return what scikit-learn minimises."""
    weight = np.ones(len(y)) if weight is None else weight
    chosen = np.searchsorted(model.classes_, y)
    losses = -model.predict_log_proba(X)[np.arange(len(y)), chosen] @ weight
    l1, squares = np.abs(model.coef_).sum(), (model.coef_**2).sum()
    return C * losses + l1_ratio * l1 + (1 - l1_ratio) / 2 * squares


@given(st.data())
def test_every_cut_gives_scikit_learns_minimum(data):
    X, y = (values[:200] for values in DATA[2])
    params = {
        "C": data.draw(st.sampled_from([0.02, 1.0, 100.0])),
        "l1_ratio": data.draw(st.sampled_from([0.3, 1.0])),
        "fit_intercept": data.draw(st.booleans()),
        "class_weight": data.draw(st.sampled_from([None, "balanced"])),
    }
    weight = data.draw(st.sampled_from([None, WEIGHT[:200], np.arange(200) % 2 * 1.0]))
    reference = LogisticRegression(**params, **EXACT).fit(X, y, sample_weight=weight)
    blocks = cut(X, data.draw(cuts(200)), data.draw(st.sampled_from([-1, 2])))
    fitted = blockwise(**params, tol=1e-10)
    fitted.fit(blocks, cut(y, data.draw(cuts(200))), sample_weight=weight)
    assert_same_model(fitted, reference, rtol=1e-5)
    assert_array_equal(fitted.coef_ == 0, np.abs(reference.coef_) < 1e-10)


@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_at_the_same_tolerance_the_objective_is_never_higher(n_classes, C, l1_ratio):
    X, y = DATA[n_classes]
    params = {"C": C, "l1_ratio": l1_ratio, "max_iter": 1000}
    default = LogisticRegression(**params, solver="saga", random_state=0).fit(X, y)
    fitted = blockwise(**params).fit(cut(X, (200, 400)), cut(y, (600,)))
    ours, theirs = (objective(m, X, y, C, l1_ratio) for m in (fitted, default))
    assert ours <= theirs * (1 + 1e-12)
    # Coefficients of several classes need not be unique; what they say is.
    exact = blockwise(**{**params, "tol": 1e-10}).fit(cut(X, (600,)), y)
    expected = exact.predict_proba(X)
    assert_allclose(fitted.predict_proba(X), expected, atol=1e-4)


@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("n_classes", [2, 5])
def test_columns_that_depend_on_others_do_not_stop_the_descent(n_classes, C):
    X, y = DATA[n_classes]
    X = np.column_stack([X, X[:, :2] @ [1, -1], np.ones(600), np.zeros(600), X[:, 0]])
    params = {"C": C, "l1_ratio": 1.0}
    exact = LogisticRegression(**params, **{**EXACT, "max_iter": 3_000})
    with warnings.catch_warnings():
        # It does not reach the minimum where the penalty is weak.
        warnings.simplefilter("ignore", ConvergenceWarning)
        exact.fit(X, y)
    fitted = blockwise(**params).fit(cut(X, (100, 500)), y)
    ours, theirs = (objective(m, X, y, C, 1.0) for m in (fitted, exact))
    assert ours <= theirs * (1 + 1e-10)
    assert not fitted.coef_[:, -2].any()


@pytest.mark.parametrize("C", [0.1, 1.0, 100.0])
def test_a_column_near_another_leaves_no_more_than_rounding(C):
    # Their distance squared is what a Hessian holds of it, here 1e-14 of the rest.
    X, y = DATA[2]
    near = X[:, 0] + 1e-7 * np.random.default_rng(0).normal(size=600)
    rows = np.column_stack([X, near])
    params = {"C": C, "l1_ratio": 1.0}
    default = LogisticRegression(**params, solver="saga", max_iter=1000)
    default.set_params(random_state=0).fit(rows, y)
    exact = blockwise(**params, tol=1e-12).fit(cut(rows, (600,)), y)
    fitted = blockwise(**params).fit(cut(rows, (100, 500)), y)
    ours, theirs, least = (
        objective(m, rows, y, C, 1.0) for m in (fitted, default, exact)
    )
    assert ours <= theirs
    assert ours <= least * (1 + 1e-9)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_columns_of_any_scale_and_mean_take_few_steps():
    X, y = DATA[5]
    rows = X * np.logspace(-6, 6, X.shape[1]) + np.logspace(-4, 9, X.shape[1])
    model = blockwise(l1_ratio=1.0, max_iter=1000)
    assert model.fit(cut(rows, (100, 500)), y).n_iter_ < 50


def test_classes_too_many_for_a_hessian_are_refused_with_numbers():
    X, y = np.tile(np.eye(200), (3, 1)), np.arange(600) % 200
    model = blockwise(l1_ratio=1.0)
    with (
        config_context(memory_budget="100MB"),
        pytest.raises(MemoryError, match="200 classes and 200 columns of X, 40,200 of"),
    ):
        model.fit(cut(X, (50, 550)), y)


def test_a_penalty_that_leaves_nothing_without_an_intercept_is_no_error():
    X, y = DATA[3]
    fitted = blockwise(l1_ratio=1.0, C=1e-6, fit_intercept=False)
    assert not fitted.fit(cut(X, (100, 500)), y).coef_.any()


def test_sparse_blocks_and_float32_are_taken():
    X, y = DATA[2]
    dense = np.where(X > 0.5, X, 0)
    reference = LogisticRegression(l1_ratio=0.5, **EXACT).fit(dense, y)
    blocks = cut(dense, (100, 500)).map_blocks(sp.csr_matrix)
    fitted = blockwise(l1_ratio=0.5, tol=1e-10).fit(blocks, y)
    assert_same_model(fitted, reference, rtol=1e-5)
    fitted = blockwise(l1_ratio=0.5).fit(cut(dense.astype(np.float32), (600,)), y)
    assert fitted.coef_.dtype == np.float32
    assert_allclose(fitted.coef_, reference.coef_, atol=1e-3)


def test_older_names_of_the_penalty_are_understood():
    X, y = DATA[2]
    blocks = cut(X, (600,))
    expected = blockwise(l1_ratio=1.0).fit(blocks, y).coef_
    with pytest.warns(FutureWarning, match="'penalty' was deprecated"):
        found = blockwise(penalty="l1").fit(blocks, y).coef_
    assert_array_equal(found, expected)
    expected = blockwise(l1_ratio=0.3).fit(blocks, y).coef_
    with pytest.warns(FutureWarning, match="'penalty' was deprecated"):
        found = blockwise(penalty="elasticnet", l1_ratio=0.3).fit(blocks, y).coef_
    assert_array_equal(found, expected)


def test_a_warm_start_needs_no_more_than_a_look():
    X, y = DATA[2]
    model = blockwise(l1_ratio=0.5, tol=1e-8, warm_start=True)
    first = model.fit(cut(X, (600,)), y).coef_
    again = model.fit(cut(X, (100, 500)), y)
    assert again.n_iter_ == [0]
    assert_allclose(again.coef_, first, rtol=1e-8)


def test_too_few_iterations_warn():
    X, y = DATA[2]
    with pytest.warns(ConvergenceWarning, match="did not converge after 1 iterations"):
        fitted = blockwise(l1_ratio=0.5, max_iter=1).fit(cut(X, (600,)), y)
    assert fitted.n_iter_ == [1]


@pytest.mark.parametrize(
    ("params", "rows", "reason"),
    [
        ({"solver": "lbfgs"}, da.zeros((600, 6)), "'lbfgs' has no l1 penalty; take 's"),
        ({"solver": "saga"}, da.zeros((600, 501)), "X has 501 columns, .* up to 500"),
    ],
)
def test_what_dask_input_cannot_honour_is_refused_by_name(
    params, rows, reason, no_compute
):
    model = AutoScaleLogisticRegression(l1_ratio=1.0, engine="blockwise", **params)
    with pytest.raises(NoEngineError, match=reason):
        model.fit(rows, DATA[2][1])
