"""Elastic net and lasso against scikit-learn on the same rows, however cut."""

import warnings

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
from sklearn.linear_model import ElasticNet, Lasso

from sklearn_dask_auto import AutoScaleElasticNet, AutoScaleLasso, NoEngineError
from tests.cuts import cut, cuts

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 5)) @ RNG.normal(size=(5, 5)) + [0, 1, 5, -3, 100]
Y = np.column_stack([X @ [1, 2, 0, 4, 0], X @ [0, 1, 0, -1, 0]])
Y += RNG.normal(size=Y.shape)
WEIGHT = RNG.uniform(size=300)
BLOCKS = cut(X, (100, 0, 1, 199))
PAIRS = {
    "elastic net": (AutoScaleElasticNet, ElasticNet),
    "lasso": (AutoScaleLasso, Lasso),
}
pair = pytest.mark.parametrize(("ours", "original"), PAIRS.values(), ids=PAIRS)


def assert_same_fit(fitted, reference, rtol=1e-9):
    for name in ("coef_", "intercept_", "dual_gap_"):
        found, expected = getattr(fitted, name), getattr(reference, name)
        assert type(found) is type(expected), name
        assert np.shape(found) == np.shape(expected), name
        assert np.asarray(found).dtype == np.asarray(expected).dtype, name
    # The gap is a difference of sums that are as large as the squares of `y`.
    assert_allclose(fitted.dual_gap_, reference.dual_gap_, atol=1e-10)
    assert fitted.n_iter_ == reference.n_iter_
    assert type(fitted.n_iter_) is type(reference.n_iter_)
    for name in ("coef_", "intercept_"):
        found, expected = getattr(fitted, name), getattr(reference, name)
        assert_allclose(found, expected, atol=rtol * np.abs(expected).max(), rtol=0)
    assert (fitted.sparse_coef_ != sp.csr_array(np.atleast_2d(fitted.coef_))).nnz == 0


@pair
@given(data=st.data())
def test_every_cut_takes_the_steps_of_scikit_learn(ours, original, data):
    params = {
        "alpha": data.draw(st.sampled_from([1e-3, 0.1, 1.0, 100.0])),
        "fit_intercept": data.draw(st.booleans()),
        "positive": data.draw(st.booleans()),
        "selection": data.draw(st.sampled_from(["cyclic", "random"])),
        "precompute": data.draw(st.booleans()),
        "random_state": 0,
        "tol": 1e-8,
        "max_iter": 10_000,
    }
    if ours is AutoScaleElasticNet:
        params["l1_ratio"] = data.draw(st.sampled_from([0.1, 0.5, 0.9]))
    weight = data.draw(st.sampled_from([None, 2.5, WEIGHT]))
    y = data.draw(st.sampled_from([Y, Y[:, 0], Y[:, :1]]))
    reference = original(**params).fit(X, y, sample_weight=weight)
    blocks = cut(X, data.draw(cuts(300)), data.draw(st.sampled_from([-1, 2])))
    fitted = ours(**params, engine="blockwise")
    fitted.fit(blocks, da.from_array(y), sample_weight=weight)
    assert_same_fit(fitted, reference)
    assert_allclose(fitted.predict(blocks).compute(), reference.predict(X))
    score_weight = weight if isinstance(weight, np.ndarray) else None
    assert fitted.score(blocks, y, score_weight) == pytest.approx(
        reference.score(X, y, score_weight)
    )


@pair
@pytest.mark.parametrize("n_rows", [1, 2, 4])
def test_fewer_rows_than_columns_are_fitted(n_rows, ours, original):
    reference = original(alpha=0.1).fit(X[:n_rows], Y[:n_rows, 0])
    fitted = ours(alpha=0.1, engine="blockwise").fit(BLOCKS[:n_rows], Y[:n_rows, 0])
    assert_same_fit(fitted, reference)


@pair
def test_columns_of_any_scale_and_mean_take_the_same_steps(ours, original):
    rows = RNG.normal(size=(300, 4)) * np.logspace(-6, 6, 4) + [0, 1, 1e4, 1e6]
    y = rows @ [1e6, 1, 1e-2, 1e-6] + 5
    params = {"alpha": 1e-4, "tol": 1e-8, "max_iter": 10_000}
    reference = original(**params).fit(rows, y)
    fitted = ours(**params, engine="blockwise").fit(cut(rows, (1, 99, 200)), y)
    assert fitted.n_iter_ == reference.n_iter_
    spread = rows.std(axis=0)
    atol = 1e-9 * np.abs(reference.coef_ * spread).max()
    assert_allclose(fitted.coef_ * spread, reference.coef_ * spread, atol=atol, rtol=0)


@pair
def test_float32_is_kept(ours, original):
    rows, y = X.astype(np.float32), Y[:, 0].astype(np.float32)
    reference = original(alpha=0.1, tol=1e-6).fit(rows.astype(float), y)
    fitted = ours(alpha=0.1, tol=1e-6, engine="blockwise").fit(cut(rows, (100, 200)), y)
    assert fitted.coef_.dtype == fitted.intercept_.dtype == np.float32
    assert fitted.dual_gap_.dtype == np.float32
    assert_allclose(fitted.coef_, reference.coef_, rtol=1e-5, atol=1e-6)
    assert fitted.predict(cut(rows, (300,))).dtype == np.float32


@pair
def test_sparse_blocks_and_frames_take_the_same_steps(ours, original):
    dense = np.where(X > 0.5, X, 0)
    reference = original(alpha=0.1).fit(dense, Y[:, 0], WEIGHT)
    blocks = cut(dense, (100, 200)).map_blocks(sp.csr_matrix)
    frame = dd.from_pandas(pd.DataFrame(dense, columns=list("abcde")), npartitions=3)
    for rows in (blocks, frame):
        fitted = ours(alpha=0.1, engine="blockwise").fit(rows, Y[:, 0], WEIGHT)
        assert_same_fit(fitted, reference)
        assert_allclose(fitted.predict(rows).compute(), reference.predict(dense))


@pair
@pytest.mark.parametrize("n_targets", [1, 2])
def test_a_warm_start_begins_where_the_last_fit_ended(n_targets, ours, original):
    y = Y[:, 0] if n_targets == 1 else Y
    params = {"alpha": 0.01, "warm_start": True}
    reference = original(**params).fit(X, y).set_params(alpha=0.02).fit(X, y)
    fitted = ours(**params, engine="blockwise").fit(BLOCKS, y)
    fitted.set_params(alpha=0.02).fit(BLOCKS, y)
    assert_same_fit(fitted, reference)


@pair
@pytest.mark.parametrize("engine", ["blockwise", "sklearn"])
def test_a_warm_start_of_another_shape_is_an_error(engine, ours, original):
    model = ours(warm_start=True, engine=engine).fit(X, Y[:, 0])
    with pytest.raises(ValueError, match="could not broadcast"):
        model.fit(BLOCKS[:, :3], Y[:, 0])
    with pytest.raises(IndexError):
        model.fit(BLOCKS, Y)


@pair
@pytest.mark.parametrize("engine", ["blockwise", "sklearn"])
def test_what_does_not_converge_warns_of_the_gap_of_all_rows(engine, ours, original):
    params = {"alpha": 1e-3, "max_iter": 1, "tol": 1e-12}
    texts = []
    for rows, model in (
        (X, original(**params)),
        (BLOCKS, ours(**params, engine=engine)),
    ):
        with pytest.warns(ConvergenceWarning, match="Duality gap") as caught:
            model.fit(rows, Y[:, 0])
        texts.append(str(caught[0].message))
    assert texts[0] == texts[1]


@pair
@pytest.mark.parametrize("engine", ["blockwise", "sklearn"])
def test_no_penalty_is_warned_of_once(engine, ours, original):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ours(alpha=0, engine=engine).fit(BLOCKS, Y[:, 0])
    texts = [str(w.message) for w in caught]
    assert sum("With alpha=0, this algorithm" in text for text in texts) == 1


@pair
@pytest.mark.parametrize(
    ("params", "rows", "reason"),
    [
        ({"precompute": X.T @ X}, BLOCKS, "precompute is a matrix"),
        ({}, da.zeros((300, 6000)), "X has 6,000 columns, .* to 5,000"),
        ({}, sp.csr_matrix(X), "which has no row blocks"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(
    params, rows, reason, ours, original, no_compute
):
    with pytest.raises(NoEngineError, match=reason):
        ours(**params, engine="blockwise").fit(rows, Y[:, 0])
    with pytest.raises(NoEngineError, match="dask-ml has no such estimator"):
        ours(engine="dask-ml").fit(BLOCKS, Y[:, 0])


@pair
def test_checks_are_skipped_for_arrays_in_memory_alone(ours, original):
    rows = np.asfortranarray(X)
    fitted = ours(alpha=0.1).fit(rows, Y[:, 0], check_input=False)
    assert_same_fit(fitted, original(alpha=0.1).fit(X, Y[:, 0]))
    blocks = BLOCKS.rechunk({1: 2})
    fitted = ours(alpha=0.1, engine="blockwise").fit(blocks, Y[:, 0], check_input=False)
    assert_same_fit(fitted, original(alpha=0.1).fit(X, Y[:, 0]))
    with pytest.raises(NoEngineError, match="check_input=False is for arrays in memo"):
        ours(engine="blockwise").fit(rows, Y[:, 0], check_input=False)


BAD_INPUT = {
    "NaN": (
        cut(np.where(X[-1, -1] == X, np.nan, X), (100, 200)),
        Y,
        None,
        "X contains",
    ),
    "NaN target": (BLOCKS, np.where(Y[-1] == Y, np.nan, Y), None, "y contains NaN"),
    "NaN weights": (BLOCKS, Y, np.full(300, np.nan), "sample_weight contains NaN"),
    "zero weights": (BLOCKS, Y, np.zeros(300), "at least one non-zero number"),
    "no target": (BLOCKS, None, None, "requires y to be passed"),
    "short target": (BLOCKS, Y[:9], None, "inconsistent numbers of samples"),
}


@pair
@pytest.mark.parametrize("engine", ["blockwise", "sklearn"])
@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_scikit_learns_error(case, engine, ours, original):
    rows, y, weight, message = BAD_INPUT[case]
    with pytest.raises(ValueError, match=message):
        ours(engine=engine).fit(rows, y, sample_weight=weight)


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
def test_large_dask_input_goes_blockwise_and_leaves_a_scikit_learn_model(
    ours, original, client
):
    large = da.zeros((10_000_000, 20), chunks=(20_000, 20))
    assert ours().explain(large, large[:, 0]).engine == "blockwise"
    fitted = ours(alpha=0.1, engine="blockwise").fit(client.persist(BLOCKS), Y)
    assert_same_fit(fitted, original(alpha=0.1).fit(X, Y))
    assert type(fitted.to_sklearn()) is original
