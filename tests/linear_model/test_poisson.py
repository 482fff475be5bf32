"""AutoScalePoissonRegressor against scikit-learn, however the rows are cut."""

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import PoissonRegressor

from sklearn_dask_auto import AutoScalePoissonRegressor, NoEngineError
from sklearn_dask_auto.kernels import glm
from tests.cuts import cut, cuts

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4))
Y = RNG.poisson(np.exp(X @ [0.5, -0.3, 0.2, 0.0] + 1)).astype(float)
WEIGHT = RNG.uniform(size=300)
BLOCKS = cut(X, (100, 0, 1, 199))
EXACT = {"solver": "newton-cholesky", "tol": 1e-12}


def blockwise(**params):
    return AutoScalePoissonRegressor(engine="blockwise", **params)


def objective(model, X, y, weight=None):
    coef = model.coef_.astype(float)
    raw = X @ coef + model.intercept_
    losses = np.average(np.exp(raw) - y * raw, weights=weight)
    return losses + model.alpha / 2 * coef @ coef


def assert_same_model(fitted, reference, rtol=1e-6):
    atol = rtol * np.abs(reference.coef_).max()
    assert_allclose(fitted.coef_, reference.coef_, rtol=0, atol=atol)
    assert_allclose(fitted.intercept_, reference.intercept_, rtol=rtol, atol=atol)
    assert fitted.coef_.dtype == reference.coef_.dtype
    for name in ("coef_", "intercept_", "n_iter_"):
        assert type(getattr(fitted, name)) is type(getattr(reference, name))


@given(st.data())
def test_every_cut_gives_scikit_learns_minimum(data):
    params = {
        "alpha": data.draw(st.sampled_from([0.0, 0.01, 1.0, 100.0])),
        "fit_intercept": data.draw(st.booleans()),
    }
    weight = data.draw(st.sampled_from([None, WEIGHT]))
    reference = PoissonRegressor(**params, **EXACT).fit(X, Y, sample_weight=weight)
    blocks = cut(X, data.draw(cuts(300)), data.draw(st.sampled_from([-1, 2])))
    fitted = blockwise(**params, tol=1e-10)
    fitted.fit(blocks, cut(Y, data.draw(cuts(300))), sample_weight=weight)
    assert_same_model(fitted, reference)


HARD = {
    "plain": (X, Y),
    "columns of any scale and mean": (X * np.logspace(-6, 6, 4) + [0, 0, 1e4, 1e8], Y),
    "dependent columns": (np.column_stack([X, X[:, 0], np.ones(300)]), Y),
    "heavy tails": (np.random.default_rng(1).standard_t(2, size=(300, 4)), Y),
    "large counts": (X, 1e6 * Y),
    "steep": (X, np.round(np.exp(X @ [5, -3, 2, 0]))),
}


@pytest.mark.parametrize("alpha", [0.0, 1.0])
@pytest.mark.parametrize("case", HARD)
def test_at_the_same_tolerance_the_objective_is_never_higher(case, alpha):
    rows, y = HARD[case]
    fitted = blockwise(alpha=alpha, max_iter=1000).fit(cut(rows, (100, 200)), y)
    reference = PoissonRegressor(alpha=alpha, max_iter=1000).fit(rows, y)
    ours, theirs = (objective(m, rows, y) for m in (fitted, reference))
    assert ours <= theirs + 1e-12 * abs(theirs)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_l_bfgs_takes_the_steps_of_scikit_learn(fit_intercept, monkeypatch):
    monkeypatch.setattr(glm, "NEWTON_COEFFICIENTS", 0)
    params = {"alpha": 0.1, "fit_intercept": fit_intercept}
    fitted = blockwise(**params).fit(BLOCKS, Y, sample_weight=WEIGHT)
    reference = PoissonRegressor(**params).fit(X, Y, sample_weight=WEIGHT)
    assert fitted.n_iter_ == reference.n_iter_
    assert_same_model(fitted, reference)


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky"])
def test_either_solver_leads_to_the_same_minimum_and_score(solver):
    fitted = blockwise(solver=solver).fit(BLOCKS, Y, WEIGHT)
    reference = PoissonRegressor(**EXACT).fit(X, Y, WEIGHT)
    assert_same_model(fitted, reference)
    score = fitted.score(BLOCKS, Y, sample_weight=WEIGHT)
    assert type(score) is float
    assert score == pytest.approx(reference.score(X, Y, sample_weight=WEIGHT))
    assert score == pytest.approx(fitted.score(X, Y, sample_weight=WEIGHT))


def test_float32_is_kept():
    rows = X.astype(np.float32)
    fitted = blockwise(alpha=0.1).fit(cut(rows, (100, 200)), Y)
    reference = PoissonRegressor(alpha=0.1, tol=1e-6).fit(rows, Y)
    assert_same_model(fitted, reference, rtol=1e-3)
    assert fitted.predict(cut(rows, (300,))).dtype == np.float32


def test_sparse_blocks_give_the_same_model():
    dense = np.where(np.abs(X) > 0.5, X, 0)
    blocks = cut(dense, (100, 200)).map_blocks(sp.csr_matrix)
    fitted = blockwise(alpha=0.1, tol=1e-10).fit(blocks, Y, WEIGHT)
    reference = PoissonRegressor(alpha=0.1, **EXACT).fit(dense, Y, WEIGHT)
    assert_same_model(fitted, reference)
    assert_allclose(fitted.predict(blocks).compute(), reference.predict(dense))


def test_frames_series_and_columns_give_the_same_model():
    frame = dd.from_pandas(pd.DataFrame(X, columns=list("abcd")), npartitions=3)
    reference = PoissonRegressor(**EXACT).fit(X, Y)
    for target in (
        dd.from_pandas(pd.Series(Y), npartitions=5),
        da.from_array(Y.astype(int), chunks=7),
        da.from_array(Y.astype(object), chunks=7),
        Y.tolist(),
    ):
        fitted = blockwise(tol=1e-10).fit(frame, target)
        assert_same_model(fitted, reference)
    assert fitted.feature_names_in_.tolist() == list("abcd")


def test_too_few_iterations_warn():
    with pytest.warns(ConvergenceWarning):
        fitted = blockwise(max_iter=1).fit(BLOCKS, Y)
    assert fitted.n_iter_ == 1


def test_a_warm_start_begins_where_the_last_fit_ended():
    fitted = blockwise(warm_start=True, tol=1e-8).fit(BLOCKS, Y)
    before = fitted.coef_.copy()
    fitted.fit(cut(X, (300,)), Y)
    assert fitted.n_iter_ == 0
    assert_allclose(fitted.coef_, before, rtol=1e-6)


def test_where_all_targets_are_zero_so_are_predictions_as_in_scikit_learn():
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        fitted = blockwise().fit(BLOCKS, np.zeros(300))
    assert (fitted.intercept_, fitted.n_iter_) == (-np.inf, 0)
    assert not fitted.predict(BLOCKS).compute().any()


def _negative(n_rows=300):
    y = Y[:n_rows].copy()
    y[-1] = -1
    return y


BAD_INPUT = {
    "negative target": (BLOCKS, _negative(), None, "out of the valid range of the los"),
    "NaN": (cut(np.where(X[-1, -1] == X, np.nan, X), (100, 200)), Y, None, "X contai"),
    "infinite target": (BLOCKS, np.where(Y > 3, np.inf, Y), None, "y contains infini"),
    "two targets": (BLOCKS, np.column_stack([Y, Y]), None, "y should be a 1d array"),
    "NaN weights": (BLOCKS, Y, np.full(300, np.nan), "sample_weight contains NaN"),
    "zero weights": (BLOCKS, Y, np.zeros(300), "at least one non-zero number"),
    "no target": (BLOCKS, None, None, "requires y to be passed"),
}


@pytest.mark.parametrize("engine", ["blockwise", "sklearn"])
@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_scikit_learns_error(case, engine):
    rows, y, weight, message = BAD_INPUT[case]
    with pytest.raises(ValueError, match=message):
        AutoScalePoissonRegressor(engine=engine).fit(rows, y, sample_weight=weight)


def test_large_dask_input_goes_blockwise_and_dask_ml_is_refused(no_compute):
    large = da.zeros((10_000_000, 20), chunks=(20_000, 20))
    model = AutoScalePoissonRegressor()
    assert model.explain(large, large[:, 0]).engine == "blockwise"
    with pytest.raises(NoEngineError, match="has another penalty"):
        AutoScalePoissonRegressor(engine="dask-ml").fit(BLOCKS, Y)


def test_a_cluster_gives_the_same_fit(client):
    fitted = blockwise(tol=1e-10).fit(client.persist(BLOCKS), Y, WEIGHT)
    assert fitted.plan_.resources.cluster is not None
    assert_same_model(fitted, PoissonRegressor(**EXACT).fit(X, Y, WEIGHT))
    assert type(fitted.to_sklearn()) is PoissonRegressor
