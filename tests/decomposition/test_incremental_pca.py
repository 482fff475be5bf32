"""AutoScaleIncrementalPCA has scikit-learn's numbers, however the rows are cut."""

import dask.array as da
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import IncrementalPCA

from sklearn_dask_auto import AutoScaleIncrementalPCA, config_context
from tests.cuts import cut, cuts, matrices

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 5)) * [9, 7, 5, 3, 2] + [4, 0, 0, 0, 1]
BLOCKS = cut(X, (120, 80))


def learned(model):
    names = [n for n in vars(model) if n.endswith("_") and n != "plan_"]
    return {n: getattr(model, n) for n in sorted(names)}


def assert_same_fit(fitted, reference, rtol=1e-10):
    found, expected = learned(fitted), learned(reference)
    assert found.keys() == expected.keys()
    largest = np.max(reference.explained_variance_)
    for name, value in expected.items():
        assert type(found[name]) is type(value), name
        assert np.shape(found[name]) == np.shape(value), name
        assert np.asarray(found[name]).dtype == np.asarray(value).dtype, name
        scale = largest if name.endswith("variance_") else np.abs(value).max()
        assert_allclose(found[name], value, rtol=0, atol=rtol * scale, err_msg=name)


def blockwise(n_components=None, **params):
    return AutoScaleIncrementalPCA(n_components, engine="blockwise", **params)


@given(st.data())
def test_every_cut_gives_scikit_learns_numbers(data):
    rows = data.draw(matrices())
    n_components = data.draw(st.sampled_from([None, *range(1, rows.shape[1] + 1)]))
    batch_size = data.draw(st.sampled_from([None, 6, 7, 50, 1000]))
    params = {"n_components": n_components, "batch_size": batch_size}
    reference = IncrementalPCA(**params).fit(rows)
    blocks = cut(rows, data.draw(cuts(len(rows))), data.draw(st.sampled_from([-1, 1])))
    fitted = blockwise(**params).fit(blocks)
    # Axes that nothing tells apart are for rounding to choose, but their plane is not.
    assert fitted.batch_size_ == reference.batch_size_
    assert fitted.n_samples_seen_ == reference.n_samples_seen_
    largest = reference.explained_variance_.max()
    assert_allclose(
        fitted.explained_variance_, reference.explained_variance_, atol=1e-9 * largest
    )
    assert_allclose(fitted.mean_, reference.mean_, rtol=1e-12)
    assert_allclose(fitted.var_, reference.var_, rtol=1e-9)


@pytest.mark.parametrize("whiten", [False, True])
@pytest.mark.parametrize("batch_size", [None, 7, 64, 199, 200, 10_000])
@pytest.mark.parametrize("chunks", [(200,), (1,) * 200, (0, 3, 100, 0, 96, 1)])
def test_every_attribute_and_what_is_transformed_are_scikit_learns(
    chunks, batch_size, whiten
):
    params = {"n_components": 3, "batch_size": batch_size, "whiten": whiten}
    reference = IncrementalPCA(**params).fit(X)
    blocks = cut(X, chunks)
    fitted = blockwise(**params).fit(blocks)
    assert_same_fit(fitted, reference)
    transformed = fitted.transform(blocks)
    assert isinstance(transformed, da.Array)
    assert_allclose(transformed.compute(), reference.transform(X), atol=1e-9)


def test_sparse_blocks_are_batched_as_sparse_rows():
    rows = np.where(X > 1, X, 0)
    reference = IncrementalPCA(2, batch_size=33).fit(sp.csr_matrix(rows))
    blocks = cut(rows, (90, 0, 110)).map_blocks(sp.csr_matrix)
    fitted = blockwise(2, batch_size=33).fit(blocks)
    assert_same_fit(fitted, reference)
    expected = reference.transform(sp.csr_matrix(rows))
    assert_allclose(fitted.transform(blocks).compute(), expected, atol=1e-9)


def test_float32_is_kept():
    rows = X.astype(np.float32)
    reference = IncrementalPCA(2, batch_size=33).fit(rows)
    fitted = blockwise(2, batch_size=33).fit(cut(rows, (90, 110)))
    assert_same_fit(fitted, reference, rtol=1e-5)


def test_it_goes_on_in_memory_where_blocks_ended():
    reference = IncrementalPCA(2, batch_size=50).fit(X).partial_fit(X[:60])
    fitted = blockwise(2, batch_size=50).fit(cut(X, (70, 130))).partial_fit(X[:60])
    assert_same_fit(fitted, reference)
    with pytest.raises(TypeError, match=r"takes rows in memory.* Call fit"):
        fitted.partial_fit(BLOCKS)


def test_each_block_is_loaded_once_and_few_at_a_time(monkeypatch):
    from sklearn_dask_auto.kernels import driver

    monkeypatch.setattr(driver, "GROUP_BYTES", 1)
    events = []

    def counted(block):
        events.append(("loaded", len(block)))
        return block

    fit_further = IncrementalPCA.partial_fit

    def fitted(self, rows, *args, **params):
        events.append(("fitted", len(rows)))
        return fit_further(self, rows, *args, **params)

    monkeypatch.setattr(IncrementalPCA, "partial_fit", fitted)
    lazy = cut(X, (40,) * 5).map_blocks(counted, dtype=float, meta=X[:0])
    blockwise(2, batch_size=20).fit(lazy)
    turn = [("loaded", 40), ("fitted", 20), ("fitted", 20)]
    assert events == 5 * turn


def test_a_cluster_gives_the_same_fit(client):
    blocks = client.persist(cut(X, (30, 50, 0, 70, 50)))
    fitted = blockwise(3, batch_size=33).fit(blocks)
    assert_same_fit(fitted, IncrementalPCA(3, batch_size=33).fit(X))


def with_last(value):
    bad = X.copy()
    bad[-1, -1] = value
    return cut(bad, (150, 50))


BAD_INPUT = {
    "NaN in the last block": (with_last(np.nan), {}, "Input X contains NaN"),
    "infinity": (with_last(np.inf), {}, "Input X contains infinity"),
    "no rows": (BLOCKS[:0], {}, "Found array with 0 sample"),
    "too many components": (
        BLOCKS,
        {"n_components": 6},
        "n_components=6 invalid for n_features=5, need more rows than columns",
    ),
    "a parameter": (BLOCKS, {"batch_size": 0}, "The 'batch_size' parameter of"),
}


@pytest.mark.parametrize("engine", ["blockwise", "sklearn"])
@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_scikit_learns_error(case, engine):
    rows, params, message = BAD_INPUT[case]
    with pytest.raises(ValueError, match=message):
        AutoScaleIncrementalPCA(engine=engine, **params).fit(rows)


def test_large_dask_input_is_streamed_and_small_input_is_gathered():
    assert AutoScaleIncrementalPCA().explain(BLOCKS).engine == "sklearn"
    large = da.zeros((10_000_000, 20), chunks=(20_000, 20))
    assert AutoScaleIncrementalPCA().explain(large).engine == "blockwise"


def test_the_callers_arrays_are_not_changed():
    before = X.copy()
    blockwise(2, copy=False).fit(cut(X, (200,)))
    blockwise(2).fit_transform(X)
    assert_array_equal(X, before)


def test_a_batch_that_takes_more_than_the_budget_is_refused_before_any_row_is_read(
    no_compute,
):
    rows = da.zeros((5000, 40), chunks=(500, 40))
    model = AutoScaleIncrementalPCA(2, batch_size=1000, engine="blockwise")
    message = "1,000 rows of 40 columns takes 1.28 MB .* 1 MB. Set batch_size to 781 "
    with config_context(memory_budget="1MB"), pytest.raises(ValueError, match=message):
        model.fit(rows)
