"""Bringing collections here: once, and never more than the budget allows."""

import threading

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sklearn_dask_auto.exceptions import NoEngineError
from sklearn_dask_auto.inputs.gather import gather
from sklearn_dask_auto.inputs.scheduler import computes_here

ROWS = np.arange(4000.0).reshape(1000, 4)


class Source:
    """Blocks that count how often they are read."""

    def __init__(self):
        self.reads = 0
        self._lock = threading.Lock()

    def __dask_tokenize__(self):
        return id(self)

    def __call__(self, block):
        with self._lock:
            self.reads += 1
        return block


def unknown_array(source):
    whole = da.from_array(ROWS, chunks=(100, 4))
    whole = whole.map_blocks(source, dtype=float, meta=whole._meta)
    return whole[whole[:, 0] >= 0]


def unknown_frame(source):
    frame = dd.from_pandas(pd.DataFrame(ROWS), npartitions=10)
    return frame.map_partitions(source, meta=frame._meta)


@pytest.mark.parametrize("make", [unknown_array, unknown_frame])
@pytest.mark.parametrize("scheduler", ["threads", "sync"])
def test_blocks_of_unknown_size_are_computed_once(make, scheduler):
    source = Source()
    with dask.config.set(scheduler=scheduler):
        X, y, params = gather(make(source), None, {}, budget=10**6)
    np.testing.assert_array_equal(np.asarray(X), ROWS)
    assert (source.reads, y, params) == (10, None, {})


@pytest.mark.parametrize("make", [unknown_array, unknown_frame])
def test_what_turns_out_too_large_is_refused_before_all_of_it_is_here(make):
    source = Source()
    with (
        dask.config.set(scheduler="sync"),
        pytest.raises(NoEngineError, match=r"more than 9\.6 kB; .* budget of 16 kB"),
    ):
        gather(make(source), None, {}, budget=16_000, copies=2.0)
    assert source.reads < 10


def test_what_is_known_counts_too():
    y = da.ones(1000, chunks=100)
    with pytest.raises(NoEngineError, match="over the memory budget"):
        gather(unknown_array(Source()), y, {}, budget=ROWS.nbytes + 7_000)
    X, y, _ = gather(unknown_array(Source()), y, {}, budget=ROWS.nbytes + 8_000)
    assert (X.shape, y.shape) == ((1000, 4), (1000,))


def test_sparse_blocks_weigh_what_they_hold():
    blocks = da.from_array(ROWS * (ROWS < 8), chunks=(100, 4)).map_blocks(
        sp.csr_matrix, dtype=float, meta=sp.csr_matrix((0, 4))
    )
    unknown = da.Array(
        blocks.dask, blocks.name, ((np.nan,) * 10, (4,)), meta=blocks._meta
    )
    X, _, _ = gather(unknown, None, {}, budget=1_000)
    np.testing.assert_array_equal(X.toarray(), ROWS * (ROWS < 8))


def test_what_other_processes_compute_is_counted_before_it_is_brought_here():
    frame = dd.from_pandas(pd.DataFrame(ROWS), npartitions=2)
    with dask.config.set(scheduler="processes"):
        assert not computes_here()
        with pytest.raises(NoEngineError, match=r"takes 32 kB; .* budget of 10 kB"):
            gather(frame, None, {}, budget=10_000)
        X, _, _ = gather(frame, None, {}, budget=40_000)
    np.testing.assert_array_equal(X, ROWS)


def test_the_callers_collection_is_left_as_it_was():
    X = unknown_array(Source())
    before = X.name
    gather(X, None, {}, budget=10**6)
    assert X.name == before
    assert np.isnan(X.shape[0])
