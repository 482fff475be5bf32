"""AutoScalePCA against scikit-learn on the same rows, however they are cut."""

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
from sklearn.decomposition import PCA

from sklearn_dask_auto import AutoScalePCA, NoEngineError, config_context
from tests.cuts import cut, cuts, matrices

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 5)) @ RNG.normal(size=(5, 5)) + RNG.normal(size=5)


def learned(model):
    return {
        name: value
        for name, value in vars(model).items()
        if name.endswith("_") and name not in ("plan_", "feature_names_in_")
    }


def assert_same_fit(fitted, reference, rtol=1e-10):
    ours, theirs = learned(fitted), learned(reference)
    assert ours.keys() == theirs.keys()
    largest = reference.explained_variance_.max(initial=reference.noise_variance_)
    for name, expected in theirs.items():
        found = ours[name]
        assert type(found) is type(expected), name
        assert np.shape(found) == np.shape(expected), name
        assert np.asarray(found).dtype == np.asarray(expected).dtype, name
        # What is small beside the largest variance has no more digits.
        scale = np.abs(expected).max(initial=0)
        scale = largest if name.endswith("variance_") else scale
        assert_allclose(found, expected, rtol=0, atol=rtol * scale, err_msg=name)


def blockwise(n_components=None, **params):
    return AutoScalePCA(n_components, engine="blockwise", **params)


def separated(rows):
    """Make directions unequal, so that they are not for rounding to choose."""
    mean = rows.mean(axis=0)
    U, s, Vt = np.linalg.svd(rows - mean, full_matrices=False)
    return U * (s[0] * 0.7 ** np.arange(len(s))) @ Vt + mean


@given(st.data())
def test_every_cut_gives_scikit_learns_fit(data):
    rows = separated(data.draw(matrices()))
    asked = data.draw(st.sampled_from([None, 0, 1, 0.5, 0.9, "mle"]))
    whiten = data.draw(st.booleans())
    # scikit-learn loses digits to means far from zero by 'covariance_eigh'; we do not.
    reference = PCA(asked, whiten=whiten, svd_solver="full").fit(rows)
    solver = data.draw(st.sampled_from(["auto", "covariance_eigh", "full"]))
    blocks = cut(rows, data.draw(cuts(len(rows))), data.draw(st.sampled_from([-1, 1])))
    fitted = blockwise(asked, whiten=whiten, svd_solver=solver).fit(blocks)
    assert_same_fit(fitted, reference, rtol=1e-9)
    expected = reference.transform(rows)
    found = fitted.transform(blocks).compute()
    assert_allclose(found, expected, atol=1e-8 * np.abs(rows).max())


@pytest.mark.parametrize("solver", ["auto", "covariance_eigh", "full"])
@pytest.mark.parametrize("shape", [(300, 5), (30, 5), (6, 5), (4, 5), (2, 5)])
def test_tall_and_wide_rows_are_decomposed_as_scikit_learn_does(shape, solver):
    rows = np.random.default_rng(1).normal(size=shape)
    reference = PCA(1, svd_solver=solver).fit(rows)
    fitted = blockwise(1, svd_solver=solver).fit(da.from_array(rows, chunks=(7, 2)))
    assert_same_fit(fitted, reference)
    assert fitted._fit_svd_solver == reference._fit_svd_solver


UNKNOWN = da.from_array(X, chunks=(60, 5))
UNKNOWN = UNKNOWN[UNKNOWN[:, 0] > -np.inf]
FRAME = dd.from_pandas(pd.DataFrame(X, columns=list("abcde")), npartitions=4)
CONTAINERS = {
    "one row a block": cut(X, (1,) * 300),
    "one block": cut(X, (300,)),
    "column blocks": cut(X, (100, 200), 2),
    "empty blocks": cut(X, (0, 100, 0, 0, 199, 1, 0)),
    "unknown sizes": UNKNOWN,
    "lazy": cut(X, (100, 200)) + 0,
    "column-major blocks": da.from_array(np.asfortranarray(X), chunks=(70, 5)),
    "dask frame": FRAME,
    "filtered dask frame": FRAME[FRAME.a > -1e9],
    "numpy": X,
    "pandas": pd.DataFrame(X, columns=list("abcde")),
    "list": X.tolist(),
    "text": da.from_array(X.astype(str), chunks=(70, 5)),
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_gives_the_same_fit_and_methods(container):
    rows = CONTAINERS[container]
    reference = PCA(3).fit(X)
    fitted = blockwise(3).fit(rows)
    assert_same_fit(fitted, reference)
    transformed = fitted.transform(rows)
    assert_allclose(np.asarray(transformed), reference.transform(X), atol=1e-10)
    if isinstance(transformed, da.Array):
        restored = fitted.inverse_transform(transformed)
        assert isinstance(restored, da.Array)
        assert restored.shape[1] == 5
        expected = reference.inverse_transform(reference.transform(X))
        assert_allclose(restored.compute(), expected)
    score = fitted.score(rows)
    assert type(score) is float
    assert score == pytest.approx(reference.score(X))
    names = list("abcde") if "frame" in container or container == "pandas" else None
    assert getattr(fitted, "feature_names_in_", np.array(None)).tolist() == names


@pytest.mark.parametrize("solver", ["covariance_eigh", "full"])
def test_float32_is_kept_and_summed_in_float64(solver):
    X32 = X.astype(np.float32)
    blocks = da.from_array(X32, chunks=(70, 5))
    fitted = blockwise(2, svd_solver=solver).fit(blocks)
    assert_same_fit(fitted, PCA(2, svd_solver=solver).fit(X32), rtol=1e-4)
    exact = PCA(2).fit(X32.astype(np.float64))
    assert_allclose(fitted.explained_variance_, exact.explained_variance_, rtol=1e-6)
    assert fitted.transform(blocks).dtype == np.float32


@pytest.mark.parametrize("dtype", [int, np.int16, np.uint8])
def test_whole_numbers_become_float64(dtype):
    numbers = np.random.default_rng(0).integers(0, 255, (200, 4)).astype(dtype)
    fitted = blockwise().fit(da.from_array(numbers, chunks=(33, 2)))
    assert_same_fit(fitted, PCA(svd_solver="full").fit(numbers))


def test_large_means_and_scales_far_apart_cost_no_digits():
    rows = X * [1e-3, 1.0, 1e3, 1.0, 1e-1] + [0, 1e6, 0, 1e7, 0]
    reference = PCA(3, svd_solver="full").fit(rows)
    for solver in ("covariance_eigh", "full"):
        fitted = blockwise(3, svd_solver=solver).fit(cut(rows, (100, 0, 150, 50)))
        assert_same_fit(fitted, reference, rtol=1e-8)


def test_columns_that_depend_on_others_have_no_variance_of_their_own():
    rows = np.column_stack([X, X @ np.ones((5, 2))])
    reference = PCA(svd_solver="full").fit(rows)
    fitted = blockwise(svd_solver="full").fit(cut(rows, (100, 200)))
    variance = fitted.explained_variance_
    assert_allclose(variance, reference.explained_variance_, atol=1e-12)
    assert_allclose(fitted.components_[:5], reference.components_[:5], atol=1e-10)


@pytest.mark.parametrize("asked", [None, 2])
def test_sparse_blocks_are_decomposed_as_sparse_rows(asked):
    dense = np.where(X > 0.5, X, 0)
    blocks = da.from_array(dense, chunks=(70, 5)).map_blocks(sp.csr_matrix)
    reference = PCA(asked, random_state=0).fit(sp.csr_matrix(dense))
    fitted = blockwise(asked).fit(blocks)
    assert_same_fit(fitted, reference, rtol=1e-8)
    found = fitted.transform(blocks).compute()
    assert_allclose(found, reference.transform(sp.csr_matrix(dense)), atol=1e-8)


def test_fewer_sparse_rows_than_columns_have_the_noise_of_scikit_learn():
    rows = sp.random(12, 30, density=0.5, random_state=0, format="csr")
    blocks = da.from_array(rows.toarray(), chunks=(5, 30)).map_blocks(sp.csr_matrix)
    reference = PCA(3, random_state=0).fit(rows)
    assert_same_fit(blockwise(3).fit(blocks), reference, rtol=1e-8)


def test_leading_components_that_scikit_learn_approximates_are_exact():
    rows = separated(np.random.default_rng(0).normal(size=(600, 80)))
    fitted = blockwise(3).fit(cut(rows, (100, 500)))
    assert fitted._fit_svd_solver == "covariance_eigh"
    assert PCA(3).fit(rows)._fit_svd_solver == "randomized"
    assert_same_fit(fitted, PCA(3, svd_solver="full").fit(rows))


def test_what_methods_return_follows_the_input():
    blocks = cut(X, (100, 200))
    fitted = blockwise(2).fit(blocks)
    for lazy, shape in [
        (fitted.transform(blocks), (300, 2)),
        (fitted.fit_transform(blocks), (300, 2)),
        (fitted.inverse_transform(fitted.transform(blocks)), (300, 5)),
        (fitted.score_samples(blocks), (300,)),
    ]:
        assert isinstance(lazy, da.Array)
        assert lazy.shape == shape
        assert lazy.chunks[0] == (100, 200)
        concrete = lazy.compute()
        assert concrete.shape == lazy.shape
        assert concrete.dtype == lazy.dtype
    assert type(fitted.transform(X)) is np.ndarray
    reference = PCA(2).fit(X)
    assert_allclose(fitted.get_covariance(), reference.get_covariance())
    assert_allclose(fitted.score_samples(blocks), reference.score_samples(X))


@pytest.mark.parametrize("engine", ["auto", "blockwise"])
def test_fit_transform_in_memory_is_scikit_learns_and_leaves_a_plan(engine):
    model = AutoScalePCA(2, whiten=True, engine=engine)
    found = model.fit_transform(X)
    assert_allclose(found, PCA(2, whiten=True).fit_transform(X), atol=1e-10)
    assert model.plan_.engine == ("sklearn" if engine == "auto" else engine)


def test_set_output_gives_a_lazy_frame_with_scikit_learns_names():
    fitted = blockwise(2).set_output(transform="pandas").fit(FRAME)
    frame = fitted.transform(FRAME)
    assert isinstance(frame, dd.DataFrame)
    assert frame.columns.tolist() == ["pca0", "pca1"]
    assert fitted.get_feature_names_out().tolist() == ["pca0", "pca1"]
    assert frame.compute().index.tolist() == list(range(300))


@pytest.mark.parametrize("solver", ["covariance_eigh", "full"])
def test_a_cluster_gives_the_same_fit(solver, client):
    blocks = cut(X, (100, 0, 200))
    fitted = blockwise(3, svd_solver=solver).fit(client.persist(blocks))
    assert fitted.plan_.resources.cluster is not None
    assert_same_fit(fitted, PCA(3, svd_solver=solver).fit(X))
    assert fitted.score(blocks) == pytest.approx(fitted.score(X))


def test_what_is_fitted_on_blocks_is_left_as_a_scikit_learn_model():
    fitted = pickle.loads(pickle.dumps(blockwise(2).fit(BLOCKS)))
    plain = fitted.to_sklearn()
    assert type(plain) is PCA
    assert_array_equal(plain.transform(X), fitted.transform(X))


def test_one_pass_over_lazy_rows_is_enough():
    counts = []

    def counted(block):
        counts.append(len(block))
        return block

    blockwise(2).fit(cut(X, (100, 200)).map_blocks(counted, dtype=float, meta=X[:0]))
    assert sorted(counts) == [100, 200]


def test_large_dask_input_goes_blockwise_and_small_input_is_gathered():
    assert AutoScalePCA().explain(cut(X, (100, 200))).engine == "sklearn"
    large = da.zeros((10_000_000, 20), chunks=(20_000, 20))
    assert AutoScalePCA().explain(large).engine == "blockwise"


def test_the_callers_arrays_are_not_changed():
    before = X.copy()
    blockwise(copy=False).fit(cut(X, (100, 200)))
    blockwise(svd_solver="full").fit_transform(X)
    assert_array_equal(X, before)


def _with_last(value):
    bad = X.copy()
    bad[-1, -1] = value
    return da.from_array(bad, chunks=(50, 5))


BLOCKS = cut(X, (100, 200))
BAD_INPUT = {
    "NaN in the last block": (_with_last(np.nan), {}, "Input X contains NaN"),
    "NaN, by factors": (
        _with_last(np.nan),
        {"svd_solver": "full"},
        "Input X contains NaN",
    ),
    "infinity": (_with_last(np.inf), {}, "Input X contains infinity"),
    "text": (
        dd.from_pandas(pd.DataFrame({"a": ["x", "y"] * 5, "b": 1.0}), npartitions=2),
        {},
        "could not convert string to float",
    ),
    "one dimension": (BLOCKS[:, 0], {}, "Expected 2D array, got 1D array"),
    "three dimensions": (BLOCKS[:, :, None], {}, "Found array with dim 3"),
    "complex": (BLOCKS + 1j, {}, "Complex data not supported"),
    "no rows": (BLOCKS[:0], {}, "Found array with 0 sample"),
    "too many components": (
        BLOCKS,
        {"n_components": 6},
        r"n_components=6 must be between 0 and min\(n_samples, n_features\)=5 with "
        "svd_solver='covariance_eigh'",
    ),
    "more components than rows": (BLOCKS[:3], {"n_components": 4}, "svd_solver='full'"),
    "mle of few rows": (BLOCKS[:3], {"n_components": "mle"}, "n_samples >= n_features"),
    "a parameter": (BLOCKS, {"n_components": -1}, "The 'n_components' parameter of"),
}


@pytest.mark.parametrize("engine", ["blockwise", "sklearn"])
@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_scikit_learns_error(case, engine):
    rows, params, message = BAD_INPUT[case]
    with pytest.raises(ValueError, match=message):
        AutoScalePCA(engine=engine, **params).fit(rows)


def test_sparse_rows_and_a_solver_that_centres_them_are_scikit_learns_error():
    blocks = BLOCKS.map_blocks(sp.csr_matrix)
    for engine in ("blockwise", "sklearn"):
        for solver in ("full", "randomized"):
            with pytest.raises(TypeError, match="PCA only support sparse inputs with"):
                AutoScalePCA(svd_solver=solver, engine=engine).fit(blocks)


@pytest.mark.parametrize(
    ("engine", "params", "rows", "reason"),
    [
        ("blockwise", {}, da.zeros((9, 6000)), "X has 6,000 columns, .* up to 5,000"),
        ("blockwise", {}, sp.csr_matrix(X), "which has no row blocks"),
        ("dask-ml", {"n_components": 0.9}, BLOCKS, "takes a number of components"),
        ("dask-ml", {"svd_solver": "arpack"}, BLOCKS, "its tsqr, alone"),
        ("joblib", {}, BLOCKS, "one fit is one task"),
    ],
)
def test_a_forced_engine_that_cannot_says_why(engine, params, rows, reason, no_compute):
    estimator = AutoScalePCA(engine=engine, **params)
    with pytest.raises(NoEngineError, match=reason):
        estimator.fit(rows)
    with pytest.raises(NoEngineError, match=reason):
        estimator.fit_transform(rows)
    assert estimator.explain(rows).engine is None


def test_what_blocks_lack_is_gathered_for_if_it_fits(no_compute):
    wide = da.zeros((9, 6000), chunks=(3, 6000))
    assert AutoScalePCA().explain(wide).engine == "sklearn"
    with config_context(memory_budget="1kB"), pytest.raises(NoEngineError):
        AutoScalePCA().fit(wide)
