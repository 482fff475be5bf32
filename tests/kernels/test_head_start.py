"""Fits of many rows that start from the minimum of a sample."""

import dask.array as da
import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression, PoissonRegressor

from sklearn_dask_auto import AutoScaleLogisticRegression, AutoScalePoissonRegressor
from sklearn_dask_auto.kernels import glm, head_start
from tests.cuts import cut

N_ROWS = 2_000
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N_ROWS, 4))
SCORES = X @ [1.0, -2.0, 0.5, 0.0]
TWO = (SCORES + RNG.logistic(size=N_ROWS) > 0).astype(int)
THREE = np.digitize(SCORES + RNG.logistic(size=N_ROWS), [-1, 1])
RARE = np.where(np.arange(N_ROWS) < 3, 2, TWO)
COUNTS = RNG.poisson(np.exp(0.3 * SCORES)).astype(float)
WEIGHT = RNG.uniform(0.1, 2, size=N_ROWS)


@pytest.fixture
def passes(monkeypatch):
    """Sample a tenth of the rows, and record the passes of steps over all of them."""
    monkeypatch.setattr(head_start, "SAMPLE_ROWS", N_ROWS // 10)
    evaluate, made = glm.evaluate, []

    def recorded(blocks, *args, **options):
        if not isinstance(blocks, head_start.Sample):
            made.append(options)
        return evaluate(blocks, *args, **options)

    monkeypatch.setattr(glm, "evaluate", recorded)
    return made


def order(kind):
    return np.argsort(TWO, kind="stable") if kind == "sorted" else np.arange(N_ROWS)


@pytest.mark.parametrize("rows", ["mixed", "sorted"])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alike", "weighted"])
@pytest.mark.parametrize("target", [TWO, THREE], ids=["two", "three"])
def test_fewer_steps_lead_to_the_same_minimum(target, weight, rows, passes):
    numbers = order(rows)
    weight = None if weight is None else weight[numbers]
    exact = LogisticRegression(solver="newton-cholesky", tol=1e-12)
    exact.fit(X[numbers], target[numbers], sample_weight=weight)
    blocks, labels = cut(X[numbers], (700, 1, 1299)), cut(target[numbers], (1000, 1000))
    model = AutoScaleLogisticRegression(engine="blockwise")
    model.fit(blocks, labels, sample_weight=weight)
    assert_allclose(model.coef_, exact.coef_, rtol=1e-5, atol=1e-6)
    with_start = len(passes)
    del passes[:]
    model.set_params(warm_start=True)
    model.coef_[:], model.intercept_[:] = 0.0, 0.0
    model.coef_[0, 0] = 1e-12
    model.fit(blocks, labels, sample_weight=weight)
    assert with_start < len(passes), "a start that is given is kept"


def test_a_class_that_is_rare_is_not_left_out(passes):
    exact = LogisticRegression(solver="newton-cholesky", tol=1e-12, max_iter=500)
    exact.fit(X, RARE)
    model = AutoScaleLogisticRegression(engine="blockwise", tol=1e-8)
    model.fit(cut(X, (1000, 1000)), RARE)
    assert_array_equal(model.classes_, [0, 1, 2])
    assert_allclose(model.coef_, exact.coef_, rtol=1e-4, atol=1e-4)


def test_the_cut_does_not_change_the_sample(passes):
    fits = [
        AutoScaleLogisticRegression(engine="blockwise").fit(cut(X, rows), TWO)
        for rows in ((2000,), (1, 999, 0, 1000))
    ]
    assert_allclose(fits[0].coef_, fits[1].coef_, rtol=1e-12)
    assert fits[0].n_iter_ == fits[1].n_iter_


def test_sparse_blocks_and_float32_have_a_start_too(passes):
    rows = np.where(X > 0, X, 0).astype(np.float32)
    exact = LogisticRegression(solver="newton-cholesky", tol=1e-9)
    exact.fit(rows.astype(float), TWO)
    model = AutoScaleLogisticRegression(engine="blockwise")
    model.fit(cut(rows, (500, 1500)).map_blocks(sp.csr_matrix), TWO)
    assert model.coef_.dtype == np.float32
    assert_allclose(model.coef_, exact.coef_, atol=1e-4)


def test_counts_are_fitted_from_a_start(passes, monkeypatch):
    exact = PoissonRegressor(solver="newton-cholesky", tol=1e-12).fit(X, COUNTS)
    model = AutoScalePoissonRegressor(engine="blockwise")
    blocks = da.from_array(X, chunks=(300, 4))
    assert_allclose(model.fit(blocks, COUNTS).coef_, exact.coef_, rtol=1e-5, atol=1e-7)
    with_start = len(passes)
    monkeypatch.setattr(head_start, "SAMPLE_ROWS", N_ROWS)
    model.fit(blocks, COUNTS)
    assert with_start < len(passes) - with_start


def test_few_rows_have_no_sample():
    assert len(head_start.numbers(199_999)) == 0
    numbers = head_start.numbers(200_000)
    assert (len(numbers), len({*numbers})) == (20_000, 20_000)
    assert (np.diff(numbers) > 0).all()
