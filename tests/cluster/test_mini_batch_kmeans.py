"""AutoScaleMiniBatchKMeans takes scikit-learn's steps, however the rows are cut."""

import dask.array as da
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.cluster import MiniBatchKMeans
from sklearn.datasets import load_digits, make_blobs

from sklearn_dask_auto import AutoScaleMiniBatchKMeans, config_context
from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels import mini_batch_kmeans
from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.kernels.lottery import Lottery, fetch, fetch_block
from tests.cuts import cut, cuts, matrices

X, _ = make_blobs(300, 4, centers=5, random_state=0)
WEIGHT = np.random.default_rng(0).uniform(0.1, 3, size=300)
BLOCKS = cut(X, (100, 200))


def blockwise(n_clusters=5, **params):
    return AutoScaleMiniBatchKMeans(n_clusters, engine="blockwise", **params)


def assert_same_fit(fitted, reference, rtol=1e-6):
    names = ("cluster_centers_", "labels_", "inertia_", "n_iter_", "n_steps_")
    for name in names:
        found, expected = getattr(fitted, name), getattr(reference, name)
        assert type(found) is type(expected), name
        assert np.asarray(found).dtype == np.asarray(expected).dtype, name
        assert_allclose(found, expected, rtol=rtol, err_msg=name)


SEEDINGS = {
    "k-means++": {},
    "k-means++, three times": {"n_init": 3},
    "random": {"init": "random"},
    "a callable": {"init": lambda X, k, random_state: X[random_state.permutation(k)]},
    "given": {"init": X[:5], "n_init": 1},
    "from few rows": {"init_size": 20},
    "small batches": {"batch_size": 32},
    "small batches, a tolerance": {"batch_size": 32, "tol": 1e-2},
    "never stopping": {"batch_size": 32, "max_no_improvement": None, "max_iter": 3},
}


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alike", "weighted"])
@pytest.mark.parametrize("seeding", SEEDINGS)
def test_steps_are_scikit_learns_for_the_same_seed(seeding, weight):
    params = SEEDINGS[seeding]
    reference = MiniBatchKMeans(5, random_state=3, **params)
    reference.fit(X, sample_weight=weight)
    for chunks in [(300,), (1,) * 300, (0, 7, 93, 0, 200, 0)]:
        fitted = blockwise(random_state=3, **params)
        fitted.fit(cut(X, chunks), sample_weight=weight)
        assert_same_fit(fitted, reference)


def test_windows_do_not_change_the_batches(monkeypatch):
    params = {"batch_size": 16, "max_iter": 3, "max_no_improvement": None}
    reference = MiniBatchKMeans(5, random_state=0, **params).fit(X)
    monkeypatch.setattr(mini_batch_kmeans, "WINDOW_BYTES", 16 * 4 * 8 * 7)
    fitted = blockwise(random_state=0, **params).fit(BLOCKS)
    assert_same_fit(fitted, reference)
    assert fitted.n_steps_ == 3 * 300 // 16


def test_rows_are_passed_over_as_often_as_documented():
    counts = []

    def counted(block):
        counts.append(len(block))
        return block

    lazy = BLOCKS.map_blocks(counted, dtype=float, meta=X[:0])
    model = blockwise(random_state=0, batch_size=32)
    with config_context(memory_budget="2kB"):
        model.fit(lazy)
    assert model.n_steps_ > 2
    assert len(counts) == 2 * 3
    counts.clear()
    model.set_params(compute_labels=False, n_init=2)
    with config_context(memory_budget="2kB"):
        model.fit(lazy)
    assert len(counts) == 2 * 3


def digits():
    return load_digits().data


def blobs():
    return make_blobs(6000, 5, centers=8, cluster_std=3, random_state=1)[0]


def noise():
    return np.random.default_rng(0).normal(size=(5000, 5))


@pytest.mark.parametrize("rows", [blobs, noise, digits])
def test_clusters_are_as_good_as_scikit_learns(rows):
    rows, ours, theirs = rows(), [], []
    blocks = da.from_array(rows, chunks=(1000, -1))
    for seed in range(7):
        # Many clusters in small batches, so that centers are reassigned.
        params = {"n_clusters": 20, "batch_size": 100, "random_state": seed}
        theirs.append(MiniBatchKMeans(**params).fit(rows).inertia_)
        model = AutoScaleMiniBatchKMeans(**params, engine="blockwise")
        ours.append(model.fit(blocks).inertia_)
    assert np.median(ours) <= 1.05 * np.median(theirs)


@pytest.mark.parametrize("weight", [None, "by order"])
@pytest.mark.parametrize("chunks", [(1000,) * 6, (1, 0, 5999)])
def test_batches_from_the_last_window_are_as_good(chunks, weight, monkeypatch):
    """On rows sorted by cluster, in few passes, within 3 % of scikit-learn's."""
    rows, codes = make_blobs(6000, 5, centers=8, cluster_std=3, random_state=1)
    rows = rows[np.argsort(codes)]
    weight = None if weight is None else np.linspace(0.1, 2, 6000)
    monkeypatch.setattr(mini_batch_kmeans, "WINDOW_BYTES", 100 * 5 * 8 * 20)
    monkeypatch.setattr(mini_batch_kmeans, "sample_rows", lambda n_clusters: 2000)
    passes, ours, theirs = [], [], []
    fold = Pass.fold
    monkeypatch.setattr(
        Pass, "fold", lambda *args: passes.append(args[1]) or fold(*args)
    )
    for seed in range(5):
        params = {"n_clusters": 8, "batch_size": 100, "random_state": seed}
        params |= {"max_no_improvement": None, "max_iter": 2}
        reference = MiniBatchKMeans(**params).fit(rows, sample_weight=weight)
        theirs.append(reference.inertia_)
        model = AutoScaleMiniBatchKMeans(**params, engine="blockwise")
        with config_context(memory_budget="100kB"):
            model.fit(cut(rows, chunks), sample_weight=weight)
        assert model.n_steps_ == reference.n_steps_ == 120
        ours.append(model.inertia_)
    assert np.median(ours) <= 1.03 * np.median(theirs)
    # Of 6 windows one is fetched.
    assert passes.count(fetch_block) == 5


def test_a_reassigned_center_leaves_the_answer_to_seed_and_rows_alone():
    rows = np.vstack([X, X[:1] + 1000])
    params = {"n_clusters": 30, "batch_size": 40, "random_state": 0}
    fits = [
        AutoScaleMiniBatchKMeans(**params, engine="blockwise").fit(cut(rows, chunks))
        for chunks in [(301,), (1,) * 301, (150, 0, 151)]
    ]
    for fitted in fits[1:]:
        assert_same_fit(fitted, fits[0], rtol=1e-9)


def test_sparse_blocks_are_clustered_as_sparse_rows():
    rows = np.where(X > 0, X, 0)
    reference = MiniBatchKMeans(5, random_state=0).fit(sp.csr_matrix(rows))
    blocks = cut(rows, (100, 0, 200)).map_blocks(sp.csr_matrix)
    fitted = blockwise(random_state=0).fit(blocks)
    assert_same_fit(fitted, reference)
    assert_array_equal(fitted.predict(blocks).compute(), fitted.labels_)


def test_float32_is_kept():
    rows = X.astype(np.float32)
    reference = MiniBatchKMeans(5, random_state=0).fit(rows)
    fitted = blockwise(random_state=0).fit(cut(rows, (100, 200)))
    assert fitted.cluster_centers_.dtype == np.float32
    assert_allclose(fitted.cluster_centers_, reference.cluster_centers_, rtol=1e-3)


def test_without_labels_the_inertia_is_estimated_as_by_scikit_learn():
    params = {"random_state": 0, "compute_labels": False, "batch_size": 50}
    reference = MiniBatchKMeans(5, **params).fit(X, sample_weight=WEIGHT)
    fitted = blockwise(**params).fit(BLOCKS, sample_weight=WEIGHT)
    assert fitted.inertia_ == pytest.approx(reference.inertia_)
    assert not hasattr(fitted, "labels_")


def test_labels_over_the_memory_budget_stay_lazy_and_out_of_pickles():
    fitted = blockwise(random_state=0).fit(BLOCKS)
    with config_context(memory_budget=1000):
        over = blockwise(random_state=0).fit(BLOCKS)
    assert isinstance(over.labels_, da.Array)
    assert_array_equal(over.labels_.compute(), fitted.labels_)
    assert over.inertia_ == pytest.approx(fitted.inertia_)
    assert "labels_" not in over.__getstate__()


def test_it_goes_on_in_memory_where_blocks_ended():
    reference = MiniBatchKMeans(5, random_state=0).fit(X).partial_fit(X[:50])
    fitted = blockwise(random_state=0).fit(BLOCKS).partial_fit(X[:50])
    assert_allclose(fitted.cluster_centers_, reference.cluster_centers_)
    assert fitted.n_steps_ == reference.n_steps_
    with pytest.raises(TypeError, match="takes rows in memory"):
        fitted.partial_fit(BLOCKS)


def test_verbose_prints_the_inertia_of_each_batch(capsys):
    fitted = blockwise(random_state=0, verbose=1).fit(BLOCKS)
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == fitted.n_steps_
    assert printed[1].startswith("Minibatch step 2/")


def test_a_small_sample_for_seeds_is_warned_of_as_in_scikit_learn():
    with pytest.warns(RuntimeWarning, match="init_size=3 should be larger than"):
        blockwise(init_size=3, random_state=0).fit(BLOCKS)


def test_a_cluster_gives_the_same_fit(client):
    reference = MiniBatchKMeans(5, random_state=0, batch_size=64)
    fitted = blockwise(random_state=0, batch_size=64)
    blocks = client.persist(cut(X, (30, 0, 170, 100)))
    assert_same_fit(
        fitted.fit(blocks, sample_weight=WEIGHT),
        reference.fit(X, sample_weight=WEIGHT),
    )


@given(st.data())
def test_draws_fall_on_the_rows_on_which_numpy_lets_them_fall(data):
    rows = data.draw(matrices(max_rows=60, max_columns=2))
    seed = data.draw(st.integers(0, 1000))
    weight = np.random.default_rng(seed).integers(0, 4, len(rows)).astype(float)
    weight[0] = 1.0
    chunks = data.draw(cuts(len(rows)))
    blocks = Rows(cut(rows, chunks), {"sample_weight": cut(weight, chunks)})
    numbers = Lottery(blocks).rows(np.random.RandomState(seed).random_sample(100))
    expected = np.random.RandomState(seed).choice(
        len(rows), 100, p=weight / weight.sum()
    )
    assert_array_equal(numbers, expected)
    fetched, weights = fetch(Pass(blocks), numbers)
    assert_array_equal(fetched, rows[expected])
    assert_array_equal(weights, weight[expected])


def with_last(value):
    bad = X.copy()
    bad[-1, -1] = value
    return cut(bad, (250, 50))


BAD_INPUT = {
    "NaN in the last block": (with_last(np.nan), None, "Input X contains NaN"),
    "infinity": (with_last(np.inf), None, "Input X contains infinity"),
    "no rows": (BLOCKS[:0], None, "Found array with 0 sample"),
    "too few rows": (BLOCKS[:3], None, "n_samples=3 should be >= n_clusters=5"),
    "short weights": (BLOCKS, WEIGHT[:9], "sample_weight.shape == "),
    "NaN weights": (BLOCKS, np.full(300, np.nan), "Input sample_weight contains NaN"),
    "zero weights": (BLOCKS, np.zeros(300), "at least one non-zero number"),
    "negative weights": (BLOCKS, WEIGHT - 1, "(?i)probabilities are not non-negative"),
}


@pytest.mark.parametrize("engine", ["blockwise", "sklearn"])
@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_scikit_learns_error(case, engine):
    rows, weight, message = BAD_INPUT[case]
    with pytest.raises(ValueError, match=message):
        AutoScaleMiniBatchKMeans(5, engine=engine).fit(rows, sample_weight=weight)


def test_the_callers_arrays_are_not_changed():
    before, weight = X.copy(), WEIGHT.copy()
    blockwise(random_state=0).fit(BLOCKS, sample_weight=WEIGHT)
    blockwise(init=X[:5], n_init=1).fit(X)
    assert_array_equal(X, before)
    assert_array_equal(WEIGHT, weight)
