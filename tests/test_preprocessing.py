"""The scalers against scikit-learn's on the same rows, however they are cut."""

import math

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.cluster import KMeans
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

from sklearn_dask_auto import (
    AutoScaleKMeans,
    AutoScaleMaxAbsScaler,
    AutoScaleMinMaxScaler,
    AutoScaleRobustScaler,
    AutoScaleStandardScaler,
    NoEngineError,
)
from tests.cuts import cut, cuts, matrices

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4)) + 3
WEIGHT = RNG.uniform(size=300)
HOLES = np.where(RNG.uniform(size=X.shape) < 0.2, np.nan, X)
SCALERS = {
    "standard": (AutoScaleStandardScaler, StandardScaler, {}),
    "only mean": (AutoScaleStandardScaler, StandardScaler, {"with_std": False}),
    "only std": (AutoScaleStandardScaler, StandardScaler, {"with_mean": False}),
    "counts": (
        AutoScaleStandardScaler,
        StandardScaler,
        {"with_mean": False, "with_std": False},
    ),
    "min-max": (AutoScaleMinMaxScaler, MinMaxScaler, {}),
    "range": (
        AutoScaleMinMaxScaler,
        MinMaxScaler,
        {"feature_range": (-2, 5), "clip": True},
    ),
    "robust": (AutoScaleRobustScaler, RobustScaler, {}),
    "robust, only scale": (
        AutoScaleRobustScaler,
        RobustScaler,
        {"with_centering": False, "quantile_range": (0.5, 90), "unit_variance": True},
    ),
    "robust, only center": (
        AutoScaleRobustScaler,
        RobustScaler,
        {"with_scaling": False},
    ),
    "max-abs": (AutoScaleMaxAbsScaler, MaxAbsScaler, {}),
    "max-abs clipped": (AutoScaleMaxAbsScaler, MaxAbsScaler, {"clip": True}),
}
STANDARD = [name for name, case in SCALERS.items() if case[1] is StandardScaler]
CONTINUED = [name for name, case in SCALERS.items() if case[1] is not RobustScaler]
SPARSE = ["only std", "counts", "robust, only scale", "max-abs", "max-abs clipped"]


def pair(name):
    """Return our scaler, on row blocks, and scikit-learn's."""
    ours, original, params = SCALERS[name]
    return ours(engine="blockwise", **params), original(**params)


def assert_same_fit(fitted, reference, rtol=1e-10, atol=0.0):
    """Compare every learned attribute: value, type, dtype."""
    learned = {k: v for k, v in vars(reference).items() if k.endswith("_")}
    assert set(learned) == {k for k in vars(fitted) if k.endswith("_")} - {"plan_"}
    for name, expected in learned.items():
        found = getattr(fitted, name)
        assert type(found) is type(expected), name
        if isinstance(expected, np.ndarray | np.generic):
            assert found.dtype == expected.dtype, name
            assert found.shape == expected.shape, name
        if isinstance(expected, np.ndarray) and expected.dtype.kind == "f":
            assert_allclose(found, expected, rtol=rtol, atol=atol, err_msg=name)
        elif isinstance(expected, np.ndarray):
            assert_array_equal(found, expected)
        elif expected is not None:
            assert found == pytest.approx(expected, rel=rtol), name


@st.composite
def data_with_holes(draw):
    """Rows, some values of which may be missing; a column may be constant."""
    X = draw(matrices())
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    missing = draw(st.sampled_from([0.0, 0.0, 0.3]))
    X[rng.uniform(size=X.shape) < missing] = np.nan
    if draw(st.booleans()):
        X[:, 0] = draw(st.sampled_from([0.0, 7.1, -1e8]))
    return X


@pytest.mark.parametrize("name", SCALERS)
@given(st.data())
def test_every_cut_gives_scikit_learns_fit_and_transform(name, data):
    X = data.draw(data_with_holes())
    fitted, reference = pair(name)
    blocks = cut(X, data.draw(cuts(len(X))), data.draw(st.sampled_from([-1, 1])))
    fitted.fit(blocks)
    # Averages of values that cancel are exact to the size of the values.
    size = np.nanmax(np.abs(X))
    assert_same_fit(fitted, reference.fit(X), atol=1e-15 * size)
    scaled = fitted.transform(blocks)
    atol = 1e-9 + 1e-15 * size
    assert_allclose(scaled, reference.transform(X), rtol=1e-10, atol=atol)
    back = fitted.inverse_transform(scaled)
    expected = reference.inverse_transform(reference.transform(X))
    assert_allclose(back, expected, rtol=1e-10, atol=1e-12 * size)


@pytest.mark.parametrize("name", STANDARD)
@given(st.data())
def test_every_cut_gives_scikit_learns_weighted_fit(name, data):
    X = data.draw(data_with_holes())
    rng = np.random.default_rng(data.draw(st.integers(0, 100)))
    weight = rng.uniform(size=len(X)) * rng.integers(0, 2, size=len(X))
    weight[0] = 1.0
    X[0] = 1.0
    fitted, reference = pair(name)
    blocks = cut(X, data.draw(cuts(len(X))))
    fitted.fit(blocks, sample_weight=weight)
    size = np.nanmax(np.abs(X))
    reference.fit(X, sample_weight=weight)
    assert_same_fit(fitted, reference, atol=1e-15 * size)


# The variance that scikit-learn finds for a constant sparse column may be negative.
@pytest.mark.filterwarnings("ignore:invalid value encountered in sqrt:RuntimeWarning")
@pytest.mark.parametrize("name", SPARSE)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@given(st.data())
def test_every_cut_of_sparse_rows_gives_scikit_learns_fit(name, dtype, data):
    X = data.draw(data_with_holes()).astype(dtype)
    rng = np.random.default_rng(data.draw(st.integers(0, 100)))
    X[rng.uniform(size=X.shape) < data.draw(st.sampled_from([0, 0.5, 0.9]))] = 0
    weight = {}
    if name in STANDARD and data.draw(st.booleans()):
        weight = {"sample_weight": rng.uniform(size=len(X))}
    fitted, reference = pair(name)
    blocks = cut(X, data.draw(cuts(len(X)))).map_blocks(sp.csr_matrix)
    reference.fit(sp.csr_matrix(X), **weight)
    # scikit-learn rounds what it learned of sparse rows to their dtype.
    digits = {"rtol": 1e-6} if dtype is np.float32 else {}
    size = np.nanmax(np.abs(X))
    assert_same_fit(
        fitted.fit(blocks, **weight), reference, atol=1e-15 * size, **digits
    )
    scaled = fitted.transform(blocks).compute()
    assert sp.issparse(scaled)
    assert scaled.dtype == dtype
    expected = reference.transform(sp.csr_matrix(X))
    assert_allclose(scaled.toarray(), expected.toarray(), rtol=1e-6)


@pytest.mark.parametrize("name", SCALERS)
@pytest.mark.parametrize("rows", [X, HOLES], ids=["whole", "with NaN"])
def test_float32_is_kept(name, rows):
    rows = rows.astype(np.float32)
    fitted, reference = pair(name)
    blocks = da.from_array(rows, chunks=(70, 3))
    assert_same_fit(fitted.fit(blocks), reference.fit(rows))
    scaled = fitted.transform(blocks)
    assert scaled.dtype == np.float32
    assert_allclose(scaled.compute(), reference.transform(rows), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", STANDARD)
def test_float32_with_weights_counts_as_scikit_learn_does(name):
    rows = HOLES.astype(np.float32)
    fitted, reference = pair(name)
    fitted.fit(da.from_array(rows, chunks=(70, 4)), sample_weight=WEIGHT)
    assert_same_fit(fitted, reference.fit(rows, sample_weight=WEIGHT))


@pytest.mark.parametrize("name", SCALERS)
@pytest.mark.parametrize("dtype", [int, np.int16, np.uint8, bool])
def test_whole_numbers_become_float64(name, dtype):
    numbers = np.random.default_rng(0).integers(0, 255, (200, 8)).astype(dtype)
    fitted, reference = pair(name)
    fitted.fit(da.from_array(numbers, chunks=(33, 4)))
    assert_same_fit(fitted, reference.fit(numbers))


@pytest.mark.parametrize("name", SCALERS)
@pytest.mark.filterwarnings("ignore:All-NaN:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_a_column_without_values_is_nan_and_the_others_are_not(name):
    rows = X.copy()
    rows[:, 2] = np.nan
    rows[:150, 0] = np.nan
    fitted, reference = pair(name)
    fitted.fit(cut(rows, (100, 50, 150)))
    assert_same_fit(fitted, reference.fit(rows), atol=1e-15)


def test_a_mean_far_from_zero_costs_no_digits():
    rows = X + 1e8
    fitted, reference = pair("standard")
    fitted.fit(cut(rows, (1, 99, 200)))
    reference.fit(rows)
    assert_allclose(fitted.var_, reference.var_, rtol=1e-10)
    exact = [math.fsum(column) / len(rows) for column in rows.T]
    assert_allclose(fitted.mean_, exact, rtol=2e-16)


def test_a_constant_column_is_not_scaled_however_large():
    rows = np.full((500, 3), [0.1, -1e8 / 3, 1e-300])
    fitted, reference = pair("standard")
    fitted.fit(cut(rows, (123, 377)))
    assert_array_equal(fitted.scale_, reference.fit(rows).scale_)
    assert_array_equal(fitted.scale_, 1.0)


UNKNOWN = da.from_array(X, chunks=(60, 4))
UNKNOWN = UNKNOWN[UNKNOWN[:, 0] > -np.inf]
PANDAS = pd.DataFrame(X, columns=list("abcd"))
FRAME = dd.from_pandas(PANDAS, npartitions=4)
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
    "pandas": PANDAS,
    "list": X.tolist(),
    "text": da.from_array(X.astype(str), chunks=(70, 4)),
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("name", SCALERS)
def test_every_container_gives_the_same_fit_and_methods(name, container):
    rows = CONTAINERS[container]
    fitted, reference = pair(name)
    has_names = "frame" in container or container == "pandas"
    reference.fit(PANDAS if has_names else X)
    assert_same_fit(fitted.fit(rows), reference)
    expected = reference.transform(PANDAS if has_names else X)
    scaled = fitted.transform(rows)
    assert_allclose(np.asarray(scaled), expected, rtol=1e-10, atol=1e-14)
    back = fitted.inverse_transform(scaled)
    assert_allclose(np.asarray(back), reference.inverse_transform(expected))


@pytest.mark.parametrize(
    "weight",
    [
        WEIGHT,
        WEIGHT.tolist(),
        pd.Series(WEIGHT),
        da.from_array(WEIGHT, chunks=7),
        dd.from_pandas(pd.Series(WEIGHT), npartitions=3),
        (WEIGHT > 0.5).astype(int),
    ],
    ids=["numpy", "list", "pandas", "dask array", "dask series", "whole numbers"],
)
def test_weights_of_every_kind_are_those_of_scikit_learn(weight):
    fitted, reference = pair("standard")
    reference.fit(X, sample_weight=np.asarray(weight))
    assert_same_fit(fitted.fit(UNKNOWN, sample_weight=weight), reference)


def test_a_fit_on_blocks_can_be_continued_on_rows_in_memory():
    for name in CONTINUED:
        fitted, reference = pair(name)
        fitted.fit(cut(X, (100, 200))).partial_fit(HOLES)
        assert_same_fit(fitted, reference.fit(X).partial_fit(HOLES))


@pytest.mark.parametrize("name", SCALERS)
def test_a_fit_forgets_the_one_before(name):
    fitted, reference = pair(name)
    fitted.fit(HOLES).fit(FRAME).fit(cut(X[:, :3], (100, 200)))
    assert_same_fit(fitted, reference.fit(X[:, :3]))


@pytest.mark.parametrize("name", CONTINUED)
def test_partial_fit_of_a_dask_collection_names_fit(name, no_compute):
    with pytest.raises(TypeError, match="Call fit, which passes over its blocks"):
        pair(name)[0].partial_fit(FRAME)


@pytest.mark.parametrize("name", SCALERS)
def test_the_callers_rows_are_never_overwritten(name):
    ours, _, params = SCALERS[name]
    rows = X.copy()
    # The very arrays of the caller, not copies of them.
    parts = {("rows", 0, 0): rows[:100], ("rows", 1, 0): rows[100:]}
    blocks = da.Array(parts, "rows", ((100, 200), (4,)), dtype=float)
    fitted = ours(copy=False, engine="blockwise", **params).fit(blocks)
    fitted.transform(blocks).compute()
    fitted.inverse_transform(blocks).compute()
    assert_array_equal(rows, X)
    assert fitted.copy is False


def test_methods_of_the_standard_scaler_take_copy():
    fitted = AutoScaleStandardScaler().fit(X)
    rows = X.copy()
    assert fitted.transform(rows, copy=False) is rows
    assert fitted.inverse_transform(rows, copy=False) is rows
    assert_allclose(rows, X)
    assert fitted.transform(cut(X, (100, 200)), copy=False).shape == X.shape


@pytest.mark.parametrize("name", SCALERS)
def test_what_methods_return_follows_the_input(name):
    blocks = cut(X, (100, 200))
    fitted = pair(name)[0].fit(blocks)
    for lazy in (
        fitted.transform(blocks),
        fitted.fit_transform(blocks),
        fitted.inverse_transform(blocks),
    ):
        assert isinstance(lazy, da.Array)
        assert lazy.chunks == ((100, 200), (4,))
        concrete = lazy.compute()
        assert concrete.shape == lazy.shape
        assert concrete.dtype == lazy.dtype
    assert type(fitted.transform(X)) is np.ndarray
    assert type(fitted.inverse_transform(X)) is np.ndarray


@pytest.mark.parametrize("name", SCALERS)
def test_set_output_gives_a_lazy_frame_with_scikit_learns_names(name):
    fitted, reference = (s.set_output(transform="pandas") for s in pair(name))
    expected = reference.fit_transform(PANDAS)
    frame = fitted.fit(FRAME).transform(FRAME)
    assert isinstance(frame, dd.DataFrame)
    assert frame.columns.tolist() == list("abcd")
    pd.testing.assert_frame_equal(frame.compute(), expected, rtol=1e-10)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        unnamed = fitted.transform(cut(X, (100, 200)))
    assert unnamed.columns.tolist() == list("abcd")
    assert unnamed.compute().columns.tolist() == list("abcd")
    with pytest.raises(ValueError, match="no lazy form for dask input"):
        fitted.set_output(transform="polars").transform(FRAME)


@pytest.mark.parametrize("name", ["standard", "min-max", "max-abs"])
def test_a_pipeline_on_blocks_gives_scikit_learns_answer(name):
    blocks = cut(X, (100, 200))
    ours, reference = pair(name)
    kmeans = AutoScaleKMeans(5, random_state=0, engine="blockwise")
    found = make_pipeline(ours, kmeans).fit(blocks)
    expected = make_pipeline(reference, KMeans(5, random_state=0)).fit(X)
    assert_allclose(
        found[-1].cluster_centers_, expected[-1].cluster_centers_, atol=1e-9
    )
    assert_array_equal(found.predict(blocks).compute(), expected.predict(X))


def test_a_plain_scaler_has_what_was_learned_from_blocks():
    for name in SCALERS:
        fitted, reference = pair(name)
        plain = fitted.fit(cut(X, (100, 200))).to_sklearn()
        assert type(plain) is type(reference)
        assert_allclose(plain.transform(X), reference.fit_transform(X), atol=1e-14)


def _with_last(value):
    bad = X.copy()
    bad[-1, -1] = value
    return da.from_array(bad, chunks=(50, 4))


BLOCKS = cut(X, (100, 200))
BAD_INPUT = {
    "infinity": (_with_last(np.inf), "Input X contains infinity"),
    "minus infinity": (_with_last(-np.inf), "Input X contains infinity"),
    "text": (
        dd.from_pandas(pd.DataFrame({"a": ["x", "y"] * 5, "b": 1.0}), npartitions=2),
        "could not convert string to float",
    ),
    "one dimension": (BLOCKS[:, 0], "Expected 2D array, got 1D array"),
    "three dimensions": (BLOCKS[:, :, None], "Found array with dim 3"),
    "complex": (BLOCKS + 1j, "Complex data not supported"),
    "no rows": (BLOCKS[:0], "Found array with 0 sample"),
    "no rows, unknown": (BLOCKS[BLOCKS[:, 0] > 99], "Found array with 0 sample"),
}


@pytest.mark.parametrize("engine", ["blockwise", "sklearn"])
@pytest.mark.parametrize("case", BAD_INPUT)
@pytest.mark.parametrize("name", SCALERS)
def test_bad_input_is_scikit_learns_error(name, case, engine):
    rows, message = BAD_INPUT[case]
    ours, _, params = SCALERS[name]
    with pytest.raises(ValueError, match=message):
        ours(engine=engine, **params).fit(rows)


@pytest.mark.parametrize("engine", ["blockwise", "sklearn"])
@pytest.mark.parametrize("name", SPARSE)
def test_infinity_in_sparse_blocks_is_scikit_learns_error(name, engine):
    ours, _, params = SCALERS[name]
    rows = _with_last(np.inf).map_blocks(sp.csr_matrix)
    with pytest.raises(ValueError, match="Input X contains infinity"):
        ours(engine=engine, **params).fit(rows)


BAD_WEIGHTS = {
    "short weights": (WEIGHT[:9], "sample_weight.shape == "),
    "flat weights": (np.ones((300, 2)), "Sample weights must be 1D"),
    "NaN weights": (np.full(300, np.nan), "Input sample_weight contains NaN"),
    "zero weights": (np.zeros(300), "at least one non-zero number"),
}


@pytest.mark.parametrize("engine", ["blockwise", "sklearn"])
@pytest.mark.parametrize("case", BAD_WEIGHTS)
@pytest.mark.parametrize("name", STANDARD)
def test_bad_weights_are_scikit_learns_error(name, case, engine):
    weight, message = BAD_WEIGHTS[case]
    ours, _, params = SCALERS[name]
    with pytest.raises(ValueError, match=message):
        ours(engine=engine, **params).fit(BLOCKS, sample_weight=weight)


def test_negative_weights_are_refused_on_blocks_alone():
    with pytest.raises(ValueError, match="Use engine='sklearn'"):
        pair("standard")[0].fit(BLOCKS, sample_weight=WEIGHT - 0.1)
    AutoScaleStandardScaler(engine="sklearn").fit(BLOCKS, sample_weight=WEIGHT - 0.1)


@pytest.mark.parametrize("name", ["standard", "min-max", "robust"])
def test_sparse_blocks_are_refused_before_any_pass(name, no_compute):
    sparse = BLOCKS.map_blocks(sp.csr_matrix, meta=sp.csr_matrix((0, 0)))
    ours, reference = pair(name)
    with pytest.raises((TypeError, ValueError)) as expected:
        reference.fit(sp.csr_matrix(X))
    with pytest.raises(type(expected.value)) as found:
        ours.fit(sparse)
    assert str(found.value) == str(expected.value)


@pytest.mark.parametrize("limits", [(75, 25), (-1, 50), (50, 101)])
def test_a_bad_quantile_range_is_refused_before_any_pass(limits, no_compute):
    scaler = AutoScaleRobustScaler(quantile_range=limits, engine="blockwise")
    with pytest.raises(ValueError, match="Invalid quantile range"):
        scaler.fit(BLOCKS)


def test_a_range_upside_down_is_refused_before_any_pass(no_compute):
    with pytest.raises(ValueError, match="must be smaller than maximum"):
        AutoScaleMinMaxScaler((1, 0), engine="blockwise").fit(BLOCKS)


@pytest.mark.parametrize("name", SCALERS)
def test_infinity_in_what_is_transformed_is_scikit_learns_error(name):
    lazy = pair(name)[0].fit(BLOCKS).transform(_with_last(np.inf))
    with pytest.raises(ValueError, match="Input X contains infinity"):
        lazy.compute()


@pytest.mark.parametrize("name", SCALERS)
def test_columns_are_checked_before_anything_is_computed(name, no_compute):
    ours, _, params = SCALERS[name]
    fitted = ours(**params).fit(PANDAS)
    with pytest.raises(ValueError, match="must be in the same order"):
        fitted.transform(FRAME[["b", "a", "c", "d"]])
    with pytest.raises(ValueError, match="yet now missing"):
        fitted.transform(FRAME[["a", "b"]])


def test_large_dask_input_goes_blockwise_and_small_input_is_gathered():
    for ours in {ours for ours, _, _ in SCALERS.values()}:
        assert ours().explain(BLOCKS).engine == "sklearn"
        large = da.zeros((10_000_000, 20), chunks=(20_000, 20))
        assert ours().explain(large).engine == "blockwise"
        if ours._dask_ml_adapter is None:
            with pytest.raises(NoEngineError, match="dask-ml"):
                ours(engine="dask-ml").fit(BLOCKS)


@pytest.mark.parametrize("name", SCALERS)
def test_a_cluster_gives_the_same_fit_and_transform(name, client):
    fitted, reference = pair(name)
    blocks = client.persist(cut(HOLES, (100, 0, 50, 150)))
    assert_same_fit(fitted.fit(blocks), reference.fit(HOLES))
    scaled = fitted.transform(blocks).compute()
    assert_allclose(scaled, reference.transform(HOLES), rtol=1e-10, atol=1e-14)


def test_weights_are_routed_to_a_scaler_in_a_pipeline_on_blocks():
    with sklearn.config_context(enable_metadata_routing=True):
        ours, reference = pair("standard")
        fits = [
            make_pipeline(scaler.set_fit_request(sample_weight=True)).fit(
                rows, sample_weight=WEIGHT
            )[-1]
            for scaler, rows in ((ours, BLOCKS), (reference, X))
        ]
        assert_same_fit(*fits)
        for method in ("partial_fit", "transform", "inverse_transform"):
            assert hasattr(ours, f"set_{method}_request")
            found, expected = (
                getattr(s.get_metadata_routing(), method).requests
                for s in (AutoScaleStandardScaler(), StandardScaler())
            )
            assert found == expected
