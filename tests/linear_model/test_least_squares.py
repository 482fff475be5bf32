"""Least squares and ridge against scikit-learn on the same rows, however cut."""

import pickle

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LinearRegression, Ridge

from sklearn_dask_auto import (
    AutoScaleLinearRegression,
    AutoScaleRidge,
    NoEngineError,
    config_context,
)
from tests.cuts import cut, cuts, matrices

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4)) + np.array([0, 1, 5, -3])
Y = np.column_stack([X @ [1, 2, 3, 4], X @ [0, 1, 0, -1]]) + RNG.normal(size=(300, 2))
WEIGHT = RNG.uniform(size=300)
PAIRS = {
    "linear regression": (AutoScaleLinearRegression, LinearRegression),
    "ridge": (AutoScaleRidge, Ridge),
}
pair = pytest.mark.parametrize(("ours", "original"), PAIRS.values(), ids=PAIRS)


def learned(model):
    return {
        name: value
        for name, value in vars(model).items()
        if name.endswith("_") and name not in ("plan_", "feature_names_in_")
    }


def assert_same_fit(fitted, reference, rtol=1e-10):
    ours, theirs = learned(fitted), learned(reference)
    assert ours.keys() == theirs.keys()
    for name, expected in theirs.items():
        found = ours[name]
        assert type(found) is type(expected), name
        if not isinstance(expected, np.ndarray | np.floating):
            assert found == expected, name
            continue
        assert np.shape(found) == np.shape(expected), name
        assert found.dtype == expected.dtype, name
        atol = rtol * np.abs(expected).max()
        assert_allclose(found, expected, rtol=0, atol=atol, err_msg=name)


@pair
@given(data=st.data())
def test_every_cut_gives_scikit_learns_fit(ours, original, data):
    rows = data.draw(matrices(max_columns=5))
    rng = np.random.default_rng(3)
    n_targets = data.draw(st.sampled_from([(), (1,), (3,)]))
    # Of the same size as the columns, and far from zero.
    y = (rng.normal(size=(len(rows), *n_targets)) + 2) * np.abs(rows).max()
    weight = data.draw(st.sampled_from([None, 2.5, rng.uniform(size=len(rows))]))
    params = {"fit_intercept": data.draw(st.booleans())}
    # Without an intercept, means are the largest direction and others small beside it.
    rows = rows if params["fit_intercept"] else rows - rows.mean(axis=0)
    reference = original(**params).fit(rows, y, sample_weight=weight)
    chunks, columns = data.draw(cuts(len(rows))), data.draw(st.sampled_from([-1, 1]))
    fitted = ours(**params, engine="blockwise")
    fitted.fit(cut(rows, chunks, columns), y, sample_weight=weight)
    assert_allclose(
        fitted.predict(rows),
        reference.predict(rows),
        rtol=0,
        atol=1e-10 * np.abs(y).max(),
    )
    # Offsets of 1e4 leave scikit-learn itself fewer digits.
    assert_same_fit(fitted, reference, rtol=1e-9)


UNKNOWN = da.from_array(X, chunks=(60, 4))
UNKNOWN = UNKNOWN[UNKNOWN[:, 0] > -np.inf]
FRAME = dd.from_pandas(pd.DataFrame(X, columns=list("abcd")), npartitions=4)
CONTAINERS = {
    "one row a block": cut(X, (1,) * 300),
    "one block": cut(X, (300,)),
    "column blocks": cut(X, (100, 200), 2),
    "empty blocks": cut(X, (0, 100, 0, 0, 199, 1, 0)),
    "unknown sizes": UNKNOWN,
    "lazy": cut(X, (100, 200)) + 0,
    "column-major blocks": da.from_array(np.asfortranarray(X), chunks=(70, 4)),
    "dask frame": FRAME,
    "filtered dask frame": FRAME[FRAME.a > -1e9],
    "numpy": X,
    "pandas": pd.DataFrame(X, columns=list("abcd")),
    "list": X.tolist(),
}


@pair
@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_gives_the_same_fit_and_methods(container, ours, original):
    rows = CONTAINERS[container]
    reference = original().fit(X, Y, sample_weight=WEIGHT)
    fitted = ours(engine="blockwise").fit(rows, Y, sample_weight=WEIGHT)
    assert_same_fit(fitted, reference)
    assert_allclose(np.asarray(fitted.predict(rows)), reference.predict(X))
    score = fitted.score(rows, Y, sample_weight=WEIGHT)
    assert type(score) is float
    assert score == pytest.approx(reference.score(X, Y, sample_weight=WEIGHT))
    names = list("abcd") if "frame" in container or container == "pandas" else None
    assert getattr(fitted, "feature_names_in_", np.array(None)).tolist() == names


ONE, TWO = pd.Series(Y[:, 0]), pd.DataFrame(Y, columns=["y", "z"])
TARGETS = {
    "numpy": Y[:, 0],
    "list": Y[:, 0].tolist(),
    "pandas": ONE,
    "dask array": da.from_array(Y[:, 0], chunks=7),
    "dask series": dd.from_pandas(ONE, npartitions=3),
    "float32": da.from_array(Y[:, 0].astype(np.float32), chunks=7),
    "whole numbers": da.from_array((Y[:, 0] * 10).astype(int), chunks=300),
    "one column": Y[:, :1],
    "two numpy columns": Y,
    "two pandas columns": TWO,
    "two dask columns": da.from_array(Y, chunks=(7, 1)),
    "dask frame": dd.from_pandas(TWO, npartitions=3),
}


@pair
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("rows", [UNKNOWN, FRAME], ids=["array", "frame"])
def test_targets_of_every_kind_are_those_of_scikit_learn(rows, target, ours, original):
    y = TARGETS[target]
    y_here = np.asarray(y)
    reference = original().fit(X, y_here)
    fitted = ours(engine="blockwise").fit(rows, y)
    assert_same_fit(fitted, reference)
    assert fitted.score(rows, y) == pytest.approx(reference.score(X, y_here))


@pair
@pytest.mark.parametrize(
    "weight",
    [
        WEIGHT,
        WEIGHT.tolist(),
        pd.Series(WEIGHT),
        da.from_array(WEIGHT, chunks=7),
        dd.from_pandas(pd.Series(WEIGHT), npartitions=3),
        (WEIGHT > 0.5).astype(int),
        2.5,
    ],
    ids=[
        "numpy",
        "list",
        "pandas",
        "dask array",
        "dask series",
        "whole numbers",
        "one number",
    ],
)
def test_weights_of_every_kind_are_those_of_scikit_learn(weight, ours, original):
    weight_here = weight if isinstance(weight, float) else np.asarray(weight)
    reference = original().fit(X, Y[:, 0], sample_weight=weight_here)
    fitted = ours(engine="blockwise").fit(UNKNOWN, Y[:, 0], sample_weight=weight)
    assert_same_fit(fitted, reference)


@pair
def test_float32_is_kept_and_summed_in_float64(ours, original):
    X32, y32 = X.astype(np.float32), Y.astype(np.float32)
    blocks = da.from_array(X32, chunks=(70, 4))
    fitted = ours(engine="blockwise").fit(blocks, y32)
    assert_same_fit(fitted, original().fit(X32, y32), rtol=1e-4)
    exact = original().fit(X32.astype(float), y32.astype(float))
    assert_allclose(fitted.coef_, exact.coef_, rtol=1e-6, atol=1e-7)
    assert fitted.predict(blocks).dtype == np.float32


@pair
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_sparse_blocks_are_fitted_exactly(fit_intercept, ours, original):
    dense = np.where(X > 0.5, X, 0)
    blocks = da.from_array(dense, chunks=(70, 4)).map_blocks(sp.csr_matrix)
    reference = original(fit_intercept=fit_intercept).fit(dense, Y, WEIGHT)
    fitted = ours(fit_intercept=fit_intercept, engine="blockwise")
    fitted.fit(blocks, Y, WEIGHT)
    assert_allclose(fitted.coef_, reference.coef_, rtol=1e-9)
    assert_allclose(fitted.intercept_, reference.intercept_, rtol=1e-9)
    assert_allclose(fitted.predict(blocks).compute(), reference.predict(dense))
    # As in scikit-learn, whose sparse fit has no rank.
    sparse = original(fit_intercept=fit_intercept).fit(sp.csr_matrix(dense), Y)
    assert learned(fitted).keys() == learned(sparse).keys()


DEPENDENT = np.column_stack([X, X @ np.ones((4, 2)), np.ones(300)])
NEAR = np.column_stack([X, X[:, 0] + 1e-5 * RNG.normal(size=300)])
CHUNKS = (100, 0, 1, 199)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("rows", [DEPENDENT, X[:3], X[:1]], ids=["columns", "3", "1"])
def test_of_many_solutions_the_one_of_least_norm_is_found(rows, fit_intercept):
    y = Y[: len(rows)]
    reference = LinearRegression(fit_intercept=fit_intercept).fit(rows, y)
    fitted = AutoScaleLinearRegression(fit_intercept=fit_intercept, engine="blockwise")
    fitted.fit(da.from_array(rows, chunks=(2, 3)), y)
    assert fitted.rank_ == reference.rank_
    atol = 1e-10 * reference.singular_.max(initial=1)
    assert_allclose(fitted.singular_, reference.singular_, atol=atol)
    assert_allclose(fitted.coef_, reference.coef_, atol=1e-10)
    assert_allclose(fitted.intercept_, reference.intercept_, atol=1e-9)


@pytest.mark.parametrize("tol", [1e-6, 1e-14])
def test_columns_that_are_nearly_equal_cost_no_more_digits_than_in_scikit_learn(tol):
    reference = LinearRegression(tol=tol).fit(NEAR, Y)
    fitted = AutoScaleLinearRegression(tol=tol, engine="blockwise")
    fitted.fit(cut(NEAR, CHUNKS), Y)
    assert fitted.rank_ == reference.rank_ == 5
    assert_same_fit(fitted, reference, rtol=1e-9)


@pytest.mark.parametrize("tol", [1e-6, 1e-15])
def test_scales_far_apart_are_cut_off_where_scikit_learn_does(tol):
    scales = np.array([1e-6, 1.0, 1e3, 1e6])
    rows = X * scales
    reference = LinearRegression(tol=tol).fit(rows, Y)
    fitted = AutoScaleLinearRegression(tol=tol, engine="blockwise")
    fitted.fit(cut(rows, CHUNKS), Y)
    assert fitted.rank_ == reference.rank_
    atol = 1e-9 * np.abs(reference.coef_ * scales).max()
    assert_allclose(fitted.coef_ * scales, reference.coef_ * scales, atol=atol)


@pair
def test_large_means_cost_no_more_digits_than_in_scikit_learn(ours, original):
    rows, y = X + 1e6, Y + 1e9
    reference = original().fit(rows, y)
    fitted = ours(engine="blockwise").fit(cut(rows, CHUNKS), y)
    # 1e-16 of the mean is 1e-7 of what is left of `y` without it.
    assert_allclose(fitted.coef_, reference.coef_, atol=1e-7)
    assert_allclose(fitted.predict(rows), reference.predict(rows), rtol=1e-14)


@pytest.mark.parametrize("spreads", [1e3, 1e6])
def test_means_far_from_zero_leave_ten_digits_of_the_exact_answer(spreads):
    rows = X * [1, 0.1, 10, 1]
    rows += spreads * rows.std(axis=0) * [1, -1, 2, 0.5]
    fitted = AutoScaleLinearRegression(engine="blockwise").fit(cut(rows, CHUNKS), Y)
    # Longer numbers, in which the means are taken off without a loss.
    long = rows.astype(np.longdouble)
    centred = (long - long.mean(axis=0)).astype(float)
    targets = Y.astype(np.longdouble)
    targets = (targets - targets.mean(axis=0)).astype(float)
    exact = np.linalg.lstsq(centred, targets)[0].T
    units = rows.std(axis=0)
    atol = 1e-10 * np.abs(exact * units).max()
    assert_allclose(fitted.coef_ * units, exact * units, rtol=0, atol=atol)


def test_a_constant_column_gets_no_coefficient():
    rows = np.column_stack([X, np.full(300, 7.0)])
    for ours in (AutoScaleLinearRegression, AutoScaleRidge):
        fitted = ours(engine="blockwise").fit(cut(rows, CHUNKS), Y)
        assert_allclose(fitted.coef_[:, 4], 0, atol=1e-12)


@pytest.mark.parametrize("solver", ["auto", "cholesky", "svd"])
@pytest.mark.parametrize("alpha", [1e-8, 1.0, 1e4, [0.1, 100.0]], ids=str)
@pytest.mark.parametrize("n_rows", [300, 3])
def test_every_penalty_is_that_of_scikit_learn(n_rows, alpha, solver):
    reference = Ridge(alpha, solver=solver).fit(X[:n_rows], Y[:n_rows])
    fitted = AutoScaleRidge(alpha, solver=solver, engine="blockwise")
    fitted.fit(da.from_array(X[:n_rows], chunks=(2, 3)), Y[:n_rows])
    # scikit-learn's 'cholesky' of three rows divides by the penalty.
    assert_same_fit(fitted, reference, rtol=1e-6 if n_rows == 3 else 1e-10)


def test_no_penalty_and_dependent_columns_give_the_solution_of_least_norm():
    fitted = AutoScaleRidge(0.0, engine="blockwise").fit(cut(DEPENDENT, CHUNKS), Y)
    reference = LinearRegression().fit(DEPENDENT, Y)
    assert_allclose(fitted.coef_, reference.coef_, atol=1e-10)


@pair
def test_one_pass_over_lazy_rows_is_enough(ours, original):
    counts = []

    def counted(block):
        counts.append(len(block))
        return block

    blocks = cut(X, (100, 200)).map_blocks(counted, dtype=float, meta=X[:0])
    ours(engine="blockwise").fit(blocks, Y)
    assert sorted(counts) == [100, 200]


@pair
def test_predictions_are_lazy_and_of_true_shape(ours, original):
    blocks = cut(X, (100, 200))
    fitted = ours(engine="blockwise").fit(blocks, Y)
    for y, shape in [(Y[:, 0], (300,)), (Y, (300, 2))]:
        lazy = fitted.fit(blocks, y).predict(blocks)
        assert isinstance(lazy, da.Array)
        assert lazy.shape == shape
        assert lazy.chunks[0] == (100, 200)
        concrete = lazy.compute()
        assert concrete.shape == shape
        assert concrete.dtype == lazy.dtype
    assert type(fitted.predict(X)) is np.ndarray


@pair
def test_a_cluster_gives_the_same_fit(ours, original, client):
    blocks = cut(X, (100, 0, 200))
    fitted = ours(engine="blockwise").fit(client.persist(blocks), Y, WEIGHT)
    assert fitted.plan_.resources.cluster is not None
    assert_same_fit(fitted, original().fit(X, Y, WEIGHT))
    assert_allclose(fitted.predict(blocks).compute(), fitted.predict(X))


@pair
def test_what_is_fitted_on_blocks_is_left_as_a_scikit_learn_model(ours, original):
    fitted = pickle.loads(pickle.dumps(ours(engine="blockwise").fit(BLOCKS, Y)))
    plain = fitted.to_sklearn()
    assert type(plain) is original
    assert_array_equal(plain.predict(X), fitted.predict(X))


@pair
def test_large_dask_input_goes_blockwise_and_small_input_is_gathered(ours, original):
    assert ours().explain(cut(X, (100, 200)), Y).engine == "sklearn"
    large = da.zeros((10_000_000, 20), chunks=(20_000, 20))
    assert ours().explain(large, large[:, 0]).engine == "blockwise"


@pair
def test_the_callers_arrays_are_not_changed(ours, original):
    before = X.copy(), Y.copy(), WEIGHT.copy()
    ours(copy_X=False, engine="blockwise").fit(cut(X, CHUNKS), Y, WEIGHT)
    ours(copy_X=False, engine="blockwise").fit(X, Y, WEIGHT)
    for array, kept in zip((X, Y, WEIGHT), before, strict=True):
        assert_array_equal(array, kept)


def _with_last(array, value):
    bad = array.copy()
    bad[-1, -1] = value
    return da.from_array(bad, chunks=(50, -1))


BLOCKS = cut(X, (100, 200))
TEXT = pd.DataFrame({"a": ["x", "y"] * 150, "b": 1.0})
BAD_INPUT = {
    "NaN": (_with_last(X, np.nan), Y, None, "Input X contains NaN"),
    "infinity": (_with_last(X, np.inf), Y, None, "Input X contains infinity"),
    "NaN target": (BLOCKS, _with_last(Y, np.nan), None, "Input y contains NaN"),
    "infinite target": (BLOCKS, _with_last(Y, np.inf), None, "Input y contains inf"),
    "text": (dd.from_pandas(TEXT, npartitions=2), Y, None, "could not convert string"),
    "text target": (BLOCKS, np.array(["x"] * 300), None, "could not convert string"),
    "complex target": (BLOCKS, Y + 1j, None, "Complex data not supported"),
    "three target dimensions": (BLOCKS, Y[:, :, None], None, "Found array with dim 3"),
    "no target": (BLOCKS, None, None, "requires y to be passed, but the target y is"),
    "short target": (BLOCKS, Y[:9], None, "inconsistent numbers of samples"),
    "one dimension": (BLOCKS[:, 0], Y, None, "Expected 2D array, got 1D array"),
    "no rows": (BLOCKS[:0], Y[:0], None, "Found array with 0 sample"),
    "short weights": (BLOCKS, Y, WEIGHT[:9], "sample_weight.shape == "),
    "flat weights": (BLOCKS, Y, np.ones((300, 2)), "Sample weights must be 1D"),
    "NaN weights": (BLOCKS, Y, np.full(300, np.nan), "Input sample_weight contains"),
    "zero weights": (BLOCKS, Y, np.zeros(300), "at least one non-zero number"),
}


@pair
@pytest.mark.parametrize("engine", ["blockwise", "sklearn"])
@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_scikit_learns_error(case, engine, ours, original):
    rows, y, weight, message = BAD_INPUT[case]
    with pytest.raises(ValueError, match=message):
        ours(engine=engine).fit(rows, y, sample_weight=weight)


@pytest.mark.parametrize("engine", ["blockwise", "sklearn"])
def test_negative_weights_are_scikit_learns_error(engine):
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_"):
        AutoScaleLinearRegression(engine=engine).fit(BLOCKS, Y, -WEIGHT)


@pytest.mark.parametrize("engine", ["blockwise", "sklearn"])
@pytest.mark.parametrize(
    ("params", "is_sparse", "error", "message"),
    [
        ({"alpha": [1, 2, 3]}, False, ValueError, "penalties do not correspond: 3 != "),
        ({"alpha": -1}, False, ValueError, "The 'alpha' parameter of AutoScaleRidge"),
        ({"solver": "svd"}, True, ValueError, "'svd' does not support fitting the int"),
        ({"solver": "cholesky"}, True, ValueError, "'cholesky' does not support fitti"),
        (
            {"solver": "svd", "fit_intercept": False},
            True,
            TypeError,
            "SVD solver does not support sparse inputs",
        ),
    ],
)
def test_parameters_that_do_not_go_with_the_rows_are_scikit_learns_error(
    params, is_sparse, error, message, engine
):
    blocks = BLOCKS.map_blocks(sp.csr_matrix) if is_sparse else BLOCKS
    with pytest.raises(error, match=message):
        AutoScaleRidge(engine=engine, **params).fit(blocks, Y)


@pair
@pytest.mark.parametrize(
    ("engine", "params", "rows", "reason"),
    [
        ("blockwise", {"positive": True}, BLOCKS, "positive=True has no solution in"),
        ("blockwise", {}, da.zeros((300, 6000)), "X has 6,000 columns, .* to 5,000"),
        ("blockwise", {}, sp.csr_matrix(X), "which has no row blocks"),
        (
            "dask-ml",
            {},
            BLOCKS,
            "dask-ml(.s LinearRegression is a ridge| has no such estimator)",
        ),
        ("joblib", {}, BLOCKS, "one fit is one task"),
    ],
)
def test_a_forced_engine_that_cannot_says_why(
    engine, params, rows, reason, ours, original, no_compute
):
    estimator = ours(engine=engine, **params)
    with pytest.raises(NoEngineError, match=reason):
        estimator.fit(rows, Y)
    assert estimator.explain(rows, Y).engine is None


@pytest.mark.parametrize("solver", ["lsqr", "sparse_cg", "sag", "saga", "lbfgs"])
def test_iterative_solvers_of_ridge_are_refused_by_name(solver, no_compute):
    estimator = AutoScaleRidge(solver=solver, engine="blockwise")
    with pytest.raises(NoEngineError, match=f"solver='{solver}' is iterative"):
        estimator.fit(BLOCKS, Y)
    assert AutoScaleRidge(solver=solver).explain(BLOCKS, Y).engine == "sklearn"


@pair
def test_coefficients_that_may_not_be_negative_are_found_if_rows_fit(ours, original):
    fitted = ours(positive=True).fit(BLOCKS, Y)
    assert_same_fit(fitted, original(positive=True).fit(X, Y))
    with config_context(memory_budget="1kB"), pytest.raises(NoEngineError):
        ours(positive=True).fit(BLOCKS, Y)
