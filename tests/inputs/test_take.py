import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sklearn_dask_auto.inputs.entry import row_counts
from sklearn_dask_auto.inputs.take import Bits, take_rows
from tests.cuts import cut, cuts

N = 40
X = np.arange(3.0 * N).reshape(N, 3)
FRAME = pd.DataFrame(X, columns=list("abc"), index=np.arange(N) * 2)


def frame_of(pieces, loads=None):
    """Return a DataFrame of unknown sizes, that records which partitions it loads."""

    def load(i):
        if loads is not None:
            loads.append(i)
        return pieces[i]

    return dd.from_map(load, range(len(pieces)), meta=pieces[0].iloc[:0])


rows_of_any_kind = st.one_of(
    st.lists(st.integers(0, N - 1)).map(sorted),
    st.sets(st.integers(0, N - 1)).map(sorted),
    st.tuples(st.integers(0, N), st.integers(0, N)).map(lambda ab: range(*ab)),
).map(lambda rows: np.array(list(rows), dtype=int))


@given(st.data())
def test_rows_of_any_cut_are_those_of_the_whole(data):
    sizes, rows = data.draw(cuts(N)), data.draw(rows_of_any_kind)
    array = cut(X, sizes, data.draw(st.sampled_from([-1, 1, 2])))
    taken = take_rows(array, array.chunks[0], rows)
    assert taken.shape == (len(rows), 3)
    assert_array_equal(taken.compute(), X[rows])
    blocks = dask.compute(*taken.to_delayed()[:, 0])
    assert tuple(map(len, blocks)) == taken.chunks[0]
    assert 0 not in taken.chunks[0] or not len(rows)


@given(st.data())
def test_rows_of_any_partitions_are_those_of_the_whole(data):
    sizes, rows = data.draw(cuts(N)), data.draw(rows_of_any_kind)
    pieces = [
        FRAME.iloc[b - n : b] for n, b in zip(sizes, np.cumsum(sizes), strict=True)
    ]
    for lazy, here in (
        (frame_of(pieces), FRAME),
        (frame_of(pieces)["b"], FRAME["b"]),
    ):
        taken = take_rows(lazy, sizes, rows)
        assert taken.compute().equals(here.iloc[rows])
        assert row_counts([taken]) == [tuple(map(len, taken.partitions))]


@pytest.mark.usefixtures("no_compute")
def test_taking_computes_nothing_and_sizes_are_known_after():
    array = da.from_array(X, chunks=(7, 3)) + 1
    frame = frame_of([FRAME.iloc[:30], FRAME.iloc[30:]])
    rows = np.array([1, 8, 9, 39])
    taken = [
        take_rows(array, array.chunks[0], rows),
        take_rows(frame, (30, 10), rows),
    ]
    assert row_counts(taken) == [(1, 2, 1), (3, 1)]


def test_a_block_of_which_nothing_is_taken_is_not_computed():
    loads = []
    pieces = [FRAME.iloc[i : i + 10] for i in range(0, N, 10)]
    frame = frame_of(pieces, loads)
    rows = np.array([11, 12, 35])
    assert_array_equal(take_rows(frame, (10,) * 4, rows).compute(), X[rows])
    assert sorted(loads) == [1, 3]
    loads.clear()
    array = frame.to_dask_array(lengths=(10,) * 4)
    assert_array_equal(take_rows(array, (10,) * 4, rows).compute(), X[rows])
    assert sorted(loads) == [1, 3]


@pytest.mark.parametrize("as_array", [False, True])
def test_two_takes_computed_together_read_each_block_once(as_array):
    loads = []
    pieces = [FRAME.iloc[i : i + 10] for i in range(0, N, 10)]
    lazy = frame_of(pieces, loads)
    if as_array:
        lazy = lazy.to_dask_array(lengths=(10,) * 4)
    even, odd = (take_rows(lazy, (10,) * 4, np.arange(i, N, 2)) for i in (0, 1))
    dask.compute(even, odd)
    assert sorted(loads) == [0, 1, 2, 3]


def test_sparse_blocks_stay_sparse():
    blocks = da.from_array(X, chunks=(9, 3)).map_blocks(scipy.sparse.csr_matrix)
    rows = np.array([0, 0, 5, 6, 20, 39])
    taken = take_rows(blocks, blocks.chunks[0], rows)
    assert scipy.sparse.issparse(taken._meta)
    assert_array_equal(taken.compute().toarray(), X[rows])


def test_one_dimension_and_text_and_known_divisions_are_kept():
    names = np.array([f"row {i}" for i in range(N)])
    rows = np.array([3, 4, 30])
    lazy = da.from_array(names, chunks=11)
    assert_array_equal(take_rows(lazy, lazy.chunks[0], rows).compute(), names[rows])
    frame = dd.from_pandas(FRAME, npartitions=4)
    assert take_rows(frame, (10,) * 4, np.arange(0, N, 3)).divisions == frame.divisions


@pytest.mark.parametrize(
    ("rows", "most_bytes"),
    [
        (np.arange(1000, 90_000), 0),
        (np.arange(0, 100_000, 2), 12_500),
        (np.arange(0, 100_000, 1000), 400),
        (np.array([5, 5, 7]), 12),
    ],
    ids=["a run", "half", "few", "twice"],
)
def test_row_numbers_travel_in_few_bytes(rows, most_bytes):
    array = da.zeros(100_000, chunks=-1)
    taken = take_rows(array, array.chunks[0], rows)
    (task,) = taken.dask.layers[taken.name].values()
    pick = task[2]
    packed = pick.packed if isinstance(pick, Bits) else pick
    assert getattr(packed, "nbytes", 0) <= most_bytes
