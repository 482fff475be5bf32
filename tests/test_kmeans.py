"""AutoScaleKMeans against scikit-learn on the same rows, however they are cut."""

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
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs
from sklearn.exceptions import ConvergenceWarning

from sklearn_dask_auto import AutoScaleKMeans, NoEngineError, config_context
from sklearn_dask_auto.kernels import sizes
from tests.cuts import cut, cuts, matrices

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4))
WEIGHT = RNG.uniform(size=300)
INIT = X[:5]


def assert_same_fit(fitted, reference, rtol=1e-6):
    assert_allclose(fitted.cluster_centers_, reference.cluster_centers_, rtol=rtol)
    assert_array_equal(fitted.labels_, reference.labels_)
    assert fitted.labels_.dtype == reference.labels_.dtype
    assert type(fitted.labels_) is type(reference.labels_)
    assert fitted.cluster_centers_.dtype == reference.cluster_centers_.dtype
    assert fitted.n_iter_ == reference.n_iter_
    assert type(fitted.inertia_) is type(reference.inertia_)
    assert fitted.inertia_ == pytest.approx(reference.inertia_, rel=rtol)
    assert fitted.n_features_in_ == reference.n_features_in_


def blockwise(**params):
    return AutoScaleKMeans(5, engine="blockwise", **params)


@given(st.data())
def test_from_the_same_centers_every_cut_gives_scikit_learns_fit(data):
    X = data.draw(matrices())
    n_clusters = data.draw(st.integers(1, 6))
    weight = data.draw(
        st.sampled_from([None, np.random.default_rng(1).uniform(size=len(X))])
    )
    params = {"n_clusters": n_clusters, "init": X[:n_clusters], "n_init": 1}
    reference = KMeans(**params).fit(X, sample_weight=weight)
    blocks = cut(X, data.draw(cuts(len(X))), data.draw(st.sampled_from([-1, 1])))
    fitted = AutoScaleKMeans(**params, engine="blockwise")
    fitted.fit(blocks, sample_weight=weight)
    atol = 1e-6 * np.abs(X).max()
    assert_allclose(fitted.cluster_centers_, reference.cluster_centers_, atol=atol)
    assert_array_equal(fitted.labels_, reference.labels_)
    assert fitted.n_iter_ == reference.n_iter_
    assert fitted.inertia_ == pytest.approx(reference.inertia_, rel=1e-6)


@given(st.data())
def test_up_to_the_sample_size_seeds_are_scikit_learns_own(data):
    X = data.draw(matrices(min_rows=60))
    seed, n_init = data.draw(st.integers(0, 100)), data.draw(st.integers(1, 3))
    init = data.draw(st.sampled_from(["k-means++", "random", _pick]))
    params = {"init": init, "n_init": n_init, "random_state": seed}
    reference = KMeans(4, **params).fit(X)
    blocks = cut(X, data.draw(cuts(len(X))))
    fitted = AutoScaleKMeans(4, engine="blockwise", **params).fit(blocks)
    assert fitted.inertia_ == pytest.approx(reference.inertia_, rel=1e-6)
    assert fitted.n_iter_ == reference.n_iter_


def _pick(X, n_clusters, random_state):
    return X[random_state.choice(len(X), size=n_clusters, replace=False)]


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
    "text": da.from_array(X.astype(str), chunks=(70, 4)),
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_gives_the_same_fit_and_methods(container):
    rows = CONTAINERS[container]
    reference = KMeans(5, init=INIT, n_init=1).fit(X, sample_weight=WEIGHT)
    fitted = blockwise(init=INIT, n_init=1).fit(rows, sample_weight=WEIGHT)
    assert_same_fit(fitted, reference)
    assert_array_equal(np.asarray(fitted.predict(rows)), reference.labels_)
    assert_allclose(np.asarray(fitted.transform(rows)), reference.transform(X))
    score = fitted.score(rows, sample_weight=WEIGHT)
    assert type(score) is float
    assert score == pytest.approx(-reference.inertia_)
    names = (
        ["a", "b", "c", "d"] if "frame" in container or container == "pandas" else None
    )
    assert getattr(fitted, "feature_names_in_", np.array(None)).tolist() == names


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
    reference = KMeans(5, init=INIT, n_init=1).fit(X, sample_weight=np.asarray(weight))
    fitted = blockwise(init=INIT, n_init=1).fit(UNKNOWN, sample_weight=weight)
    assert_same_fit(fitted, reference)


def test_float32_is_kept():
    X32 = X.astype(np.float32)
    blocks = da.from_array(X32, chunks=(70, 4))
    fitted = blockwise(random_state=0).fit(blocks)
    assert_same_fit(fitted, KMeans(5, random_state=0).fit(X32), rtol=1e-4)
    assert fitted.transform(blocks).dtype == np.float32


@pytest.mark.parametrize("dtype", [int, np.int16, np.uint8])
def test_whole_numbers_become_float64(dtype):
    numbers = np.random.default_rng(0).integers(0, 255, (200, 8)).astype(dtype)
    fitted = blockwise(random_state=0).fit(da.from_array(numbers, chunks=(33, 4)))
    reference = KMeans(5, random_state=0).fit(numbers)
    assert fitted.cluster_centers_.dtype == np.float64
    assert fitted.inertia_ == pytest.approx(reference.inertia_)


def test_sparse_blocks_are_clustered_without_densifying():
    dense = np.where(X > 0.5, X, 0)
    blocks = da.from_array(dense, chunks=(70, 4)).map_blocks(sp.csr_matrix)
    fitted = AutoScaleKMeans(5, random_state=0, engine="blockwise").fit(blocks)
    assert_same_fit(fitted, KMeans(5, random_state=0).fit(sp.csr_matrix(dense)))
    assert_array_equal(fitted.predict(blocks).compute(), fitted.labels_)
    assert fitted.score(blocks) == pytest.approx(-fitted.inertia_)


def test_empty_clusters_take_the_farthest_rows():
    far = np.full((5, 4), 500.0) + np.arange(5)[:, None]
    reference = KMeans(5, init=far, n_init=1).fit(X)
    fitted = blockwise(init=far, n_init=1).fit(cut(X, (100, 0, 200)))
    assert fitted.inertia_ == pytest.approx(reference.inertia_)
    assert len(np.unique(fitted.labels_)) == 5


def test_fewer_distinct_rows_than_clusters_warn_as_scikit_learn_does():
    copies = np.repeat(X[:3], 40, axis=0)
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(3\)"):
        fitted = blockwise(random_state=0).fit(cut(copies, (50, 70)))
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(3\)"):
        reference = KMeans(5, random_state=0).fit(copies)
    assert fitted.inertia_ == pytest.approx(reference.inertia_, abs=1e-20)


def test_explicit_centers_with_several_runs_warn_as_scikit_learn_does():
    with pytest.warns(RuntimeWarning, match="performing only one init"):
        blockwise(init=INIT, n_init=3).fit(cut(X, (100, 200)))


SEEDED = {
    "blobs": make_blobs(1500, 5, centers=6, random_state=1)[0],
    "overlapping blobs": make_blobs(1500, 5, centers=6, cluster_std=6, random_state=2)[
        0
    ],
    "noise": np.random.default_rng(3).uniform(size=(1500, 4)),
    "digits": load_digits().data,
}


@pytest.mark.parametrize("data", SEEDED)
def test_seeded_from_a_part_of_the_rows_the_quality_is_scikit_learns(data, monkeypatch):
    # A sample of a quarter of the rows: what 400,000 rows get from the real size.
    monkeypatch.setattr(sizes, "SAMPLE_ROWS", len(SEEDED[data]) // 4)
    monkeypatch.setattr(sizes, "ROWS_PER_CLUSTER", 1)
    rows = SEEDED[data]
    params = {"n_clusters": 6, "n_init": 10, "random_state": 0}
    best = KMeans(**params).fit(rows).inertia_
    fitted = AutoScaleKMeans(**params, engine="blockwise").fit(da.from_array(rows))
    assert fitted.inertia_ <= 1.01 * best


@pytest.mark.parametrize("init", ["k-means++", "random", "k-means||"])
@pytest.mark.parametrize("n_sampled", [50, 1000])
def test_the_same_seed_gives_the_same_answer_for_every_cut(
    init, n_sampled, monkeypatch
):
    monkeypatch.setattr(sizes, "SAMPLE_ROWS", n_sampled)
    monkeypatch.setattr(sizes, "ROWS_PER_CLUSTER", 1)
    chunks = [(300,), (1,) * 300, (7, 0, 93, 200), (299, 1)]
    fits = [blockwise(init=init, random_state=7).fit(cut(X, chunk)) for chunk in chunks]
    for other in fits[1:]:
        assert_allclose(other.cluster_centers_, fits[0].cluster_centers_, rtol=1e-9)
        assert_array_equal(other.labels_, fits[0].labels_)
        assert other.n_iter_ == fits[0].n_iter_


def test_scalable_seeding_finds_separated_blobs():
    rows, _ = make_blobs(2000, 3, centers=5, cluster_std=0.1, random_state=0)
    fitted = blockwise(
        init="k-means||", oversampling_factor=10, init_max_iter=3, random_state=0
    ).fit(da.from_array(rows, chunks=(300, 3)))
    reference = KMeans(5, n_init=10, random_state=0).fit(rows)
    assert fitted.inertia_ == pytest.approx(reference.inertia_)


def test_scalable_seeding_tops_up_when_it_draws_too_few():
    fitted = blockwise(
        init="k-means||", oversampling_factor=1e-9, init_max_iter=1, random_state=0
    ).fit(cut(X, (100, 200)))
    assert fitted.cluster_centers_.shape == (5, 4)


def test_scalable_seeding_of_numpy_is_blockwise_because_scikit_learn_has_none():
    fitted = AutoScaleKMeans(5, init="k-means||", random_state=0).fit(X)
    assert fitted.plan_.engine == "blockwise"
    assert fitted.to_sklearn().get_params()["init"] == "k-means++"


def test_one_iteration_is_enough_to_stop_at():
    reference = KMeans(5, init=INIT, n_init=1, max_iter=1).fit(X)
    assert_same_fit(
        blockwise(init=INIT, n_init=1, max_iter=1).fit(cut(X, (300,))), reference
    )


def test_verbose_prints_the_inertia_of_each_iteration(capsys):
    fitted = blockwise(init=INIT, n_init=1, verbose=1).fit(cut(X, (100, 200)))
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == fitted.n_iter_
    assert printed[0].startswith("Iteration 0, inertia ")


def test_large_dask_input_goes_blockwise_and_small_input_is_gathered():
    small = AutoScaleKMeans(5).explain(cut(X, (100, 200)))
    assert small.engine == "sklearn"
    large = AutoScaleKMeans(5).explain(da.zeros((10_000_000, 20), chunks=(20_000, 20)))
    assert large.engine == "blockwise"


def test_labels_over_the_memory_budget_stay_lazy_and_out_of_pickles():
    blocks = cut(X, (100, 200))
    fitted = blockwise(random_state=0).fit(blocks)
    with config_context(memory_budget=1000):
        over = blockwise(random_state=0).fit(blocks)
    assert isinstance(over.labels_, da.Array)
    assert_array_equal(over.labels_.compute(), fitted.labels_)
    assert over.inertia_ == pytest.approx(fitted.inertia_)
    assert "labels_" not in over.__getstate__()


def test_the_callers_arrays_are_not_changed():
    before, weight = X.copy(), WEIGHT.copy()
    blockwise(copy_x=False, random_state=0).fit(
        cut(X, (100, 200)), sample_weight=WEIGHT
    )
    blockwise(init=INIT, n_init=1).fit(X)
    assert_array_equal(X, before)
    assert_array_equal(WEIGHT, weight)


def test_what_methods_return_follows_the_input():
    blocks = cut(X, (100, 200))
    fitted = blockwise(random_state=0).fit(blocks)
    for lazy, n_columns in [
        (fitted.predict(blocks), ()),
        (fitted.fit_predict(blocks), ()),
        (fitted.transform(blocks), (5,)),
        (fitted.fit_transform(blocks), (5,)),
    ]:
        assert isinstance(lazy, da.Array)
        assert lazy.chunks[0] == (100, 200)
        concrete = lazy.compute()
        assert concrete.shape == lazy.shape == (300, *n_columns)
        assert concrete.dtype == lazy.dtype
    assert type(fitted.predict(X)) is np.ndarray
    assert type(fitted.transform(X)) is np.ndarray


def test_set_output_gives_a_lazy_frame_with_scikit_learns_names():
    fitted = blockwise(random_state=0).set_output(transform="pandas").fit(FRAME)
    frame = fitted.transform(FRAME)
    assert isinstance(frame, dd.DataFrame)
    names = [f"kmeans{i}" for i in range(5)]
    assert frame.columns.tolist() == names == fitted.get_feature_names_out().tolist()
    assert frame.compute().index.tolist() == list(range(300))
    with pytest.raises(ValueError, match="no lazy form for dask input"):
        fitted.set_output(transform="polars").transform(FRAME)


def _with_last(value):
    bad = X.copy()
    bad[-1, -1] = value
    return da.from_array(bad, chunks=(50, 4))


BLOCKS = cut(X, (100, 200))
BAD_INPUT = {
    "NaN in the last block": (_with_last(np.nan), None, "Input X contains NaN"),
    "infinity": (_with_last(np.inf), None, "Input X contains infinity"),
    "text": (
        dd.from_pandas(pd.DataFrame({"a": ["x", "y"] * 5, "b": 1.0}), npartitions=2),
        None,
        "could not convert string to float",
    ),
    "one dimension": (BLOCKS[:, 0], None, "Expected 2D array, got 1D array"),
    "three dimensions": (BLOCKS[:, :, None], None, "Found array with dim 3"),
    "complex": (BLOCKS + 1j, None, "Complex data not supported"),
    "no rows": (BLOCKS[:0], None, "Found array with 0 sample"),
    "no rows, unknown": (BLOCKS[BLOCKS[:, 0] > 99], None, "Found array with 0 sample"),
    "too few rows": (BLOCKS[:3], None, "n_samples=3 should be >= n_clusters=5"),
    "short weights": (BLOCKS, WEIGHT[:9], "sample_weight.shape == "),
    "flat weights": (BLOCKS, np.ones((300, 2)), "Sample weights must be 1D"),
    "NaN weights": (BLOCKS, np.full(300, np.nan), "Input sample_weight contains NaN"),
    "zero weights": (BLOCKS, np.zeros(300), "at least one non-zero number"),
}


@pytest.mark.parametrize("engine", ["blockwise", "sklearn"])
@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_scikit_learns_error(case, engine):
    rows, weight, message = BAD_INPUT[case]
    with pytest.raises(ValueError, match=message):
        AutoScaleKMeans(5, engine=engine).fit(rows, sample_weight=weight)


@pytest.mark.parametrize(
    ("init", "message"),
    [(X[:4], "does not match the number of clusters 5"), (X[:5, :2], "of features")],
)
def test_centers_of_the_wrong_shape_are_refused_before_any_pass(
    init, message, no_compute
):
    with pytest.raises(ValueError, match=message):
        blockwise(init=init, n_init=1).fit(BLOCKS + 0)


@pytest.mark.parametrize(
    ("engine", "rows", "weight", "reason"),
    [
        ("dask-ml", X, None, "X is numpy, not a dask collection"),
        ("dask-ml", BLOCKS, WEIGHT, "dask-ml's KMeans takes no sample_weight"),
        ("joblib", BLOCKS, None, "one fit is one task"),
        ("blockwise", sp.csr_matrix(X), None, "which has no row blocks"),
    ],
)
def test_a_forced_engine_that_cannot_says_every_reason(
    engine, rows, weight, reason, no_compute
):
    estimator = AutoScaleKMeans(5, engine=engine)
    with pytest.raises(NoEngineError, match=reason) as error:
        estimator.fit(rows, sample_weight=weight)
    assert error.value.plan.engine is None
    assert estimator.explain(rows, sample_weight=weight).engine is None


def test_a_collection_over_the_budget_is_not_gathered(no_compute):
    with (
        config_context(memory_budget="1kB"),
        pytest.raises(
            NoEngineError, match=r"9\.6 kB .* over the memory budget of 1 kB"
        ),
    ):
        AutoScaleKMeans(5, engine="sklearn").fit(BLOCKS)


def test_columns_are_checked_before_anything_is_computed(no_compute):
    fitted = AutoScaleKMeans(5, random_state=0).fit(
        pd.DataFrame(X, columns=list("abcd"))
    )
    with pytest.raises(
        ValueError, match="Feature names seen at fit time, yet now missing"
    ):
        fitted.predict(FRAME[["a", "b"]])
    with pytest.raises(ValueError, match="must be in the same order"):
        fitted.predict(FRAME[["b", "a", "c", "d"]])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        fitted.predict(BLOCKS)


def test_predicting_blocks_warns_once_and_not_at_every_block():
    fitted = AutoScaleKMeans(5, random_state=0).fit(
        pd.DataFrame(X, columns=list("abcd"))
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted.predict(BLOCKS).compute()
    assert len(caught) == 1


def test_dask_ml_gives_the_contract_of_scikit_learn_through_its_adapter():
    blocks = cut(X, (100, 0, 200))
    fitted = AutoScaleKMeans(5, random_state=0, n_init=3, engine="dask-ml").fit(blocks)
    reference = KMeans(5, random_state=0, n_init=3).fit(X)
    assert fitted.plan_.engine == "dask-ml"
    assert_array_equal(fitted.labels_, fitted.predict(X))
    assert fitted.labels_.dtype == np.int32
    assert fitted.inertia_ == pytest.approx(-fitted.score(X))
    assert fitted.inertia_ <= 1.01 * reference.inertia_
