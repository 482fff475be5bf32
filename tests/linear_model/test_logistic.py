"""AutoScaleLogisticRegression against scikit-learn, however the rows are cut."""

import warnings

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_dask_auto import (
    AutoScaleLogisticRegression,
    NoEngineError,
    config_context,
)
from sklearn_dask_auto.kernels import glm
from tests.cuts import cut, cuts

NAMES = np.array(["ant", "bee", "cicada", "dragonfly", "earwig"])
WEIGHT = np.random.default_rng(0).uniform(size=600)


def rows(n_classes, n_rows=600):
    X, codes = make_classification(
        n_rows, 6, n_informative=5, n_redundant=0, n_classes=n_classes, random_state=0
    )
    return X, NAMES[codes]


DATA = {n_classes: rows(n_classes) for n_classes in (2, 3, 5)}


def blockwise(**params):
    return AutoScaleLogisticRegression(engine="blockwise", **params)


def objective(model, X, y, C, weight=None):
    weight = np.ones(len(y)) if weight is None else weight
    chosen = np.searchsorted(model.classes_, y)
    losses = -model.predict_log_proba(X)[np.arange(len(y)), chosen]
    return losses @ weight + (model.coef_.astype(float) ** 2).sum() / (2 * C)


def assert_same_model(fitted, reference, rtol=1e-6):
    assert_array_equal(fitted.classes_, reference.classes_)
    assert fitted.classes_.dtype == reference.classes_.dtype
    atol = rtol * np.abs(reference.coef_).max()
    assert_allclose(fitted.coef_, reference.coef_, rtol=0, atol=atol)
    assert_allclose(fitted.intercept_, reference.intercept_, rtol=rtol, atol=atol)
    for name in ("coef_", "intercept_", "n_iter_"):
        ours, theirs = getattr(fitted, name), getattr(reference, name)
        assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)


@given(st.data())
def test_every_cut_gives_scikit_learns_minimum(data):
    n_classes = data.draw(st.sampled_from([2, 3]))
    X, y = DATA[n_classes]
    X, y = X[:200], y[:200]
    params = {
        "C": data.draw(st.sampled_from([0.01, 1.0, 100.0])),
        "fit_intercept": data.draw(st.booleans()),
        "class_weight": data.draw(st.sampled_from([None, "balanced"])),
    }
    weight = data.draw(st.sampled_from([None, WEIGHT[:200]]))
    reference = LogisticRegression(**params, solver="newton-cholesky", tol=1e-12)
    reference.fit(X, y, sample_weight=weight)
    blocks = cut(X, data.draw(cuts(200)), data.draw(st.sampled_from([-1, 2])))
    fitted = blockwise(**params, tol=1e-10)
    fitted.fit(blocks, cut(y, data.draw(cuts(200))), sample_weight=weight)
    assert_same_model(fitted, reference)


def test_a_hessian_beyond_the_budget_is_done_without():
    X, y = DATA[3]
    exact = LogisticRegression(solver="newton-cholesky", tol=1e-12).fit(X, y)
    with config_context(memory_budget=20_000):
        model = blockwise(solver="newton-cholesky", tol=1e-8, max_iter=1000)
        model.fit(cut(X, (100, 500)), y)
    assert_same_model(model, exact, rtol=1e-4)
    assert model.n_iter_ > 10


@pytest.mark.parametrize("solver", ["newton", "lbfgs"])
@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("C", [0.01, 1.0, 100.0, np.inf])
def test_at_the_same_tolerance_the_objective_is_never_higher(
    solver, n_classes, C, monkeypatch
):
    if solver == "lbfgs":
        monkeypatch.setattr(glm, "NEWTON_COEFFICIENTS", 0)
    X, y = DATA[n_classes]
    reference = LogisticRegression(C=C, max_iter=1000).fit(X, y)
    fitted = blockwise(C=C, max_iter=1000).fit(cut(X, (200, 400)), cut(y, (600,)))
    ours, theirs = (objective(m, X, y, C) for m in (fitted, reference))
    # L-BFGS takes the same steps but for rounding.
    assert ours <= theirs * (1 + (1e-12 if solver == "newton" else 1e-7))
    exact = LogisticRegression(C=C, solver="newton-cholesky", tol=1e-12, max_iter=1000)
    rtol = 1e-4 if solver == "newton" else 5e-3
    assert_same_model(fitted, exact.fit(X, y), rtol=rtol)


@pytest.mark.parametrize(
    "labels",
    [[False, True], [-1, 1], [7, 3], [0.0, 1.0], ["b", "aa"], list("xyz"), [1, 2, 5]],
    ids=str,
)
def test_labels_of_any_dtype_are_kept(labels):
    X, _ = DATA[2]
    y = np.array(labels)[
        np.digitize(X[:, 0], np.linspace(-1, 1, len(labels) + 1)[1:-1])
    ]
    fitted = blockwise().fit(cut(X, (1,) * 20 + (580,)), da.from_array(y, chunks=100))
    reference = LogisticRegression().fit(X, y)
    assert_array_equal(fitted.classes_, reference.classes_)
    predicted = fitted.predict(cut(X, (200, 400)))
    assert predicted.dtype == fitted.classes_.dtype
    assert (predicted.compute() == reference.predict(X)).mean() > 0.99


def test_classes_missing_from_blocks_and_sorted_labels_do_no_harm():
    X, y = DATA[5]
    order = np.argsort(y, kind="stable")
    fitted = blockwise(tol=1e-10).fit(
        cut(X[order], (150,) * 4), cut(y[order], (150,) * 4)
    )
    reference = blockwise(tol=1e-10).fit(cut(X, (600,)), cut(y, (600,)))
    assert_same_model(fitted, reference)


def test_frames_and_series_give_the_same_model_and_names():
    X, y = DATA[3]
    frame = dd.from_pandas(pd.DataFrame(X, columns=list("abcdef")), npartitions=3)
    labels = pd.Series(y)
    fitted = blockwise(tol=1e-10).fit(frame, dd.from_pandas(labels, npartitions=5))
    reference = LogisticRegression(solver="newton-cholesky", tol=1e-12).fit(X, labels)
    assert_same_model(fitted, reference)
    assert fitted.feature_names_in_.tolist() == list("abcdef")
    assert_allclose(fitted.predict_proba(frame).compute(), reference.predict_proba(X))


def test_sparse_blocks_give_the_same_model():
    X, y = DATA[3]
    dense = np.where(np.abs(X) > 0.5, X, 0)
    blocks = cut(dense, (200, 400)).map_blocks(sp.csr_matrix)
    fitted = blockwise(tol=1e-10).fit(blocks, y)
    reference = LogisticRegression(solver="newton-cholesky", tol=1e-12)
    assert_same_model(fitted, reference.fit(dense, y))
    assert fitted.score(blocks, y) == reference.score(dense, y)


def test_float32_is_kept():
    X, y = DATA[2]
    fitted = blockwise().fit(cut(X.astype(np.float32), (200, 400)), y)
    reference = LogisticRegression(tol=1e-6).fit(X.astype(np.float32), y)
    assert_same_model(fitted, reference, rtol=1e-3)
    assert fitted.predict_proba(cut(X.astype(np.float32), (600,))).dtype == np.float32


def test_columns_of_any_scale_and_duplicates_reach_the_minimum():
    X, y = DATA[2]
    hard = np.hstack([X * np.logspace(-6, 6, 6), X[:, :1], np.ones((600, 1))])
    hard[:, 1] += 1e4
    fitted = blockwise(C=1.0, max_iter=300, tol=1e-8).fit(cut(hard, (100, 500)), y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        reference = LogisticRegression(C=1.0, max_iter=300, tol=1e-8).fit(hard, y)
    assert objective(fitted, hard, y, 1.0) <= objective(reference, hard, y, 1.0)


def test_separable_rows_without_a_penalty_end_and_separate_them():
    X = np.linspace(-1, 1, 100)[:, None]
    y = X[:, 0] > 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = blockwise(C=np.inf, max_iter=50).fit(cut(X, (30, 70)), y)
    assert fitted.score(cut(X, (100,)), y) == 1.0
    assert np.isfinite(fitted.coef_).all()


@pytest.mark.parametrize("solver", ["newton", "lbfgs"])
def test_too_few_iterations_warn(solver, monkeypatch):
    if solver == "lbfgs":
        monkeypatch.setattr(glm, "NEWTON_COEFFICIENTS", 0)
    X, y = DATA[3]
    with pytest.warns(ConvergenceWarning):
        fitted = blockwise(max_iter=1).fit(cut(X, (600,)), y)
    assert fitted.n_iter_.tolist() == [1]


def test_a_warm_start_begins_where_the_last_fit_ended():
    X, y = DATA[3]
    fitted = blockwise(warm_start=True, tol=1e-8).fit(cut(X, (600,)), y)
    before = fitted.coef_.copy()
    fitted.fit(cut(X, (300, 300)), y)
    assert fitted.n_iter_.tolist() == [0]
    assert_allclose(fitted.coef_, before, rtol=1e-6)


@pytest.mark.parametrize("engine", ["blockwise", "sklearn"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_warm_start_of_another_shape_is_scikit_learns_error(n_classes, engine):
    X, y = DATA[n_classes]
    model = AutoScaleLogisticRegression(warm_start=True, engine=engine).fit(X, y)
    with pytest.raises(ValueError, match="Initialization coef is of shape") as error:
        model.fit(cut(X[:, :4], (600,)), y)
    expected = "(5,) or (1, 5)" if n_classes == 2 else "(3, 5)"
    assert f"expected shape {expected}" in str(error.value)


def test_class_weights_by_name_count():
    X, y = DATA[3]
    weights = {"ant": 2.0, "bee": 0.5, "cicada": 1.0}
    fitted = blockwise(class_weight=weights, tol=1e-10).fit(cut(X, (600,)), y)
    reference = LogisticRegression(
        class_weight=weights, solver="newton-cholesky", tol=1e-12
    ).fit(X, y)
    assert_same_model(fitted, reference)


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"solver": "liblinear"}, "solver='liblinear' needs all rows"),
        ({"solver": "sag"}, "solver='sag' needs all rows"),
        ({"dual": True, "solver": "liblinear"}, "dual=True"),
    ],
)
def test_what_dask_input_cannot_honour_is_refused_by_name(params, reason, no_compute):
    X, y = DATA[2]
    with pytest.raises(NoEngineError, match=reason):
        blockwise(**params).fit(cut(X, (600,)) + 0, y)


def _changed(value, dtype=float):
    X = DATA[2][0].astype(dtype)
    X[-1, -1] = value
    return X


TWO = DATA[2][1]
BAD_INPUT = {
    "NaN": (_changed(np.nan), TWO, None, "Input X contains NaN"),
    "infinity": (_changed(np.inf), TWO, None, "Input X contains infinity"),
    "one class": (DATA[2][0], np.zeros(600, int), None, "contains only one class"),
    "continuous target": (DATA[2][0], DATA[2][0][:, 0], None, "Unknown label type"),
    "short target": (DATA[2][0], TWO[:9], None, "inconsistent numbers of samples"),
    "flat target": (DATA[2][0], np.ones((600, 2)), None, "y should be a 1d array"),
    "no target": (DATA[2][0], None, None, "requires y to be passed"),
    "NaN weights": (
        DATA[2][0],
        TWO,
        np.full(600, np.nan),
        "sample_weight contains NaN",
    ),
    "zero weights": (DATA[2][0], TWO, np.zeros(600), "at least one non-zero number"),
    "unknown class": (DATA[2][0], TWO, None, "are not in class_weight"),
}


@pytest.mark.parametrize("engine", ["blockwise", "sklearn"])
@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_scikit_learns_error(case, engine):
    X, y, weight, message = BAD_INPUT[case]
    params = {"class_weight": {"wasp": 2}} if case == "unknown class" else {}
    model = AutoScaleLogisticRegression(engine=engine, **params)
    with pytest.raises(ValueError, match=message):
        model.fit(cut(X, (300, 300)), y, sample_weight=weight)


def test_the_deprecated_penalty_warns_and_means_what_it_did():
    X, y = DATA[2]
    with pytest.warns(FutureWarning, match="'penalty' was deprecated"):
        fitted = blockwise(penalty=None, tol=1e-10).fit(cut(X, (600,)), y)
    assert_same_model(fitted, blockwise(C=np.inf, tol=1e-10).fit(cut(X, (600,)), y))


def test_no_ratio_warns_as_in_scikit_learn_and_means_none():
    X, y = DATA[2]
    with pytest.warns(FutureWarning, match="'l1_ratio=None' was deprecated"):
        fitted = blockwise(l1_ratio=None, tol=1e-10).fit(cut(X, (600,)), y)
    assert_same_model(fitted, blockwise(tol=1e-10).fit(cut(X, (600,)), y))


def test_it_ends_a_pipeline_and_is_searched_over():
    from sklearn.model_selection import cross_val_score
    from sklearn.preprocessing import StandardScaler

    X, y = DATA[3]
    ours = make_pipeline(StandardScaler(), AutoScaleLogisticRegression())
    theirs = make_pipeline(StandardScaler(), LogisticRegression())
    assert_array_equal(cross_val_score(ours, X, y), cross_val_score(theirs, X, y))
