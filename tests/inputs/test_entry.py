import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator

from sklearn_dask_auto.inputs import entry
from sklearn_dask_auto.inputs.entry import enter, hold
from tests.cuts import cut, cuts

X = np.arange(60.0).reshape(20, 3)
WEIGHT = np.arange(20.0)


class Estimator(BaseEstimator):
    """Takes names and numbers of columns."""


@given(st.data())
def test_any_cut_of_x_and_weights_becomes_aligned_row_blocks(data):
    X = np.arange(120.0).reshape(40, 3)
    blocks = cut(X, data.draw(cuts(40)), data.draw(st.sampled_from([-1, 1, 2])))
    weight = cut(np.arange(40), data.draw(cuts(40)))
    if data.draw(st.booleans()):
        blocks = blocks[da.from_array(np.ones(40, bool), chunks=(blocks.chunks[0],))]
    rows = enter(Estimator(), blocks, {"sample_weight": weight})
    assert rows.X.numblocks[1] == 1
    assert rows.X.chunks[0] == rows.beside["sample_weight"].chunks[0] == rows.sizes
    assert (rows.n_rows, rows.n_columns) == (40, 3)
    assert_array_equal(rows.X.compute(), X)
    assert rows.beside["sample_weight"].dtype == rows.X.dtype == np.float64
    assert_array_equal(rows.beside["sample_weight"].compute(), np.arange(40))


def test_unknown_sizes_of_all_inputs_are_found_in_one_computation():
    mask = da.from_array(X[:, 0] > 5, chunks=4)
    unknown = da.from_array(X, chunks=(4, 3))[mask]
    weight = da.from_array(WEIGHT, chunks=4)[mask]
    calls = []

    def counting(graph, keys, **options):
        calls.append(keys)
        return dask.get(graph, keys, **options)

    with dask.config.set(scheduler=counting):
        rows = enter(Estimator(), unknown, {"sample_weight": weight})
    assert len(calls) == 1
    assert rows.n_rows == (X[:, 0] > 5).sum()
    assert np.isnan(unknown.shape[0]), "the caller's array is left as it was"


def test_known_sizes_cost_no_computation(no_compute):
    lazy = da.from_array(X, chunks=(7, 2)) + 0
    rows = enter(Estimator(), lazy, {"sample_weight": WEIGHT})
    assert rows.n_rows == 20


def test_names_of_a_frame_are_remembered_and_its_dtypes_joined():
    frame = pd.DataFrame({"a": np.arange(4, dtype="f4"), "b": np.ones(4, dtype="f4")})
    estimator = Estimator()
    rows = enter(estimator, dd.from_pandas(frame, npartitions=2), {})
    assert estimator.feature_names_in_.tolist() == ["a", "b"]
    assert estimator.n_features_in_ == 2
    assert rows.X.compute().dtype == rows.dtype == np.float32
    mixed = dd.from_pandas(frame.assign(c=[1, 2, 3, 4]), npartitions=2)
    assert enter(Estimator(), mixed, {}).X.compute().dtype == np.float64


def test_missing_values_of_nullable_columns_become_nan():
    frame = pd.DataFrame({"a": pd.array([1, None, 3], dtype="Int64"), "b": [1.0, 2, 3]})
    rows = enter(Estimator(), dd.from_pandas(frame, npartitions=1), {})
    assert_array_equal(rows.X.compute(), [[1, 1], [np.nan, 2], [3, 3]])


def test_a_large_block_is_cut_so_that_threads_can_share_it(monkeypatch):
    monkeypatch.setattr(entry, "LARGE_BLOCK_BYTES", 5 * 3 * 8)
    rows = enter(Estimator(), da.from_array(X, chunks=-1), {})
    assert rows.sizes == (5, 5, 5, 5)
    wide = da.from_array(X, chunks=(20, 1))
    assert enter(Estimator(), wide, {}).sizes == (5, 5, 5, 5)


def test_arrays_in_memory_are_cut_without_a_copy():
    rows = enter(Estimator(), X, {})
    (block,) = dask.compute(rows.X.to_delayed().ravel()[0])
    assert np.shares_memory(block, X)


@pytest.mark.parametrize(
    ("n_bytes", "is_kept"), [(X.nbytes + WEIGHT.nbytes, True), (X.nbytes, False)]
)
def test_lazy_blocks_are_kept_if_they_fit(n_bytes, is_kept):
    computed = []

    def note(block):
        computed.append(len(block))
        return block

    lazy = da.from_array(X, chunks=(5, 3)).map_blocks(note, meta=np.empty((0, 3)))
    rows = hold(enter(Estimator(), lazy, {"sample_weight": WEIGHT}), n_bytes)
    with dask.config.set(scheduler="synchronous"):
        for _ in range(2):
            rows.X.sum().compute()
    assert len(computed) == (4 if is_kept else 8)
