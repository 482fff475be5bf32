"""`train_test_split`: scikit-learn's rows of any mixture of arrays and collections."""

import inspect

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn.model_selection
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sklearn_dask_auto import train_test_split
from tests.cuts import cut, cuts

N = 60
X = np.random.default_rng(0).normal(size=(N, 3))
Y = np.random.default_rng(1).choice(["a", "b", "c"], size=N)
FRAME = pd.DataFrame(X, columns=list("abc"), index=[f"row {i}" for i in range(N)])


def original(*arrays, **options):
    return sklearn.model_selection.train_test_split(*arrays, **options)


def in_order(*arrays, **options):
    """Split as scikit-learn does, and put the rows back in their old order."""
    train, test = map(np.sort, original(np.arange(N), **options))
    return [array[rows] for array in arrays for rows in (train, test)]


options_of_any_kind = st.fixed_dictionaries(
    {
        "test_size": st.sampled_from([None, 0.1, 0.33, 7]),
        "train_size": st.sampled_from([None, 0.41, 20]),
        "random_state": st.integers(0, 5),
    }
)


@given(options_of_any_kind, st.sampled_from(["no", "shuffle", "stratify"]), st.data())
def test_rows_are_scikit_learns_for_any_cut(options, how, data):
    stratify = Y if how == "stratify" else None
    options = {**options, "shuffle": how != "no"}
    lazy = cut(X, data.draw(cuts(N)), data.draw(st.sampled_from([-1, 2])))
    labels = cut(Y, data.draw(cuts(N)))
    found = train_test_split(
        lazy, labels, stratify=None if stratify is None else labels, **options
    )
    expected = in_order(X, Y, stratify=stratify, **options)
    for ours, theirs in zip(found, expected, strict=True):
        assert isinstance(ours, da.Array)
        assert ours.shape == theirs.shape
        assert ours.dtype == theirs.dtype
        assert_array_equal(ours.compute(), theirs)


def test_kinds_are_kept_and_rows_stay_aligned():
    frame = dd.from_pandas(FRAME, npartitions=4, sort=False)
    unknown = frame.to_dask_array()
    sparse = scipy.sparse.coo_matrix(X)
    arrays = [frame, frame["a"], unknown, X, FRAME, X[:, 0].tolist(), sparse]
    found = train_test_split(*arrays, random_state=3, test_size=0.3)
    train, test = map(np.sort, original(np.arange(N), random_state=3, test_size=0.3))
    kinds = [type(array) for array in arrays[:-1]] + [scipy.sparse.csr_matrix]
    for i, kind in enumerate(kinds):
        for rows, part in zip((train, test), found[2 * i : 2 * i + 2], strict=True):
            assert isinstance(part, kind)
            values = part.compute() if hasattr(part, "dask") else part
            values = values.toarray() if scipy.sparse.issparse(values) else values
            values = np.asarray(values)
            assert_array_equal(values, X[rows, 0] if values.ndim == 1 else X[rows])
    # dask may have made the index another kind of text.
    pd.testing.assert_frame_equal(
        found[0].compute(), FRAME.iloc[train], check_index_type=False
    )


def test_rows_in_memory_are_split_by_scikit_learn_alone():
    for options in ({"random_state": 0}, {"shuffle": False}):
        for ours, theirs in zip(
            train_test_split(X, FRAME, Y.tolist(), **options),
            original(X, FRAME, Y.tolist(), **options),
            strict=True,
        ):
            assert type(ours) is type(theirs)
            assert_array_equal(ours, theirs)
    lazy = da.from_array(Y, chunks=7)
    assert_array_equal(
        train_test_split(X, stratify=lazy, random_state=0)[1],
        original(X, stratify=Y, random_state=0)[1],
    )


@pytest.mark.usefixtures("no_compute")
def test_known_sizes_cost_no_computation():
    lazy = da.from_array(X, chunks=(7, 2)) + 0
    train, test = train_test_split(lazy, test_size=0.25, random_state=0)
    assert (train.shape, test.shape) == ((45, 3), (15, 3))


def test_both_halves_together_read_each_block_once():
    loads = []

    def load(i):
        loads.append(i)
        return FRAME.iloc[20 * i : 20 * i + 20]

    frame = dd.from_map(load, range(3), meta=FRAME.iloc[:0])
    halves = train_test_split(frame, random_state=0)
    assert sorted(loads) == [0, 1, 2], "the sizes are unknown, and counted"
    loads.clear()
    dask.compute(*halves)
    assert sorted(loads) == [0, 1, 2]


@pytest.mark.parametrize(
    ("options", "lengths"),
    [
        ({"test_size": 1.5}, (N, N)),
        ({"test_size": N}, (N, N)),
        ({"test_size": 0.6, "train_size": 0.6}, (N, N)),
        ({"test_size": "a"}, (N, N)),
        ({"shuffle": False, "stratify": Y}, (N, N)),
        ({"stratify": Y[:-1]}, (N, N)),
        ({"stratify": np.arange(N)}, (N, N)),
        ({"train_size": 0.0001}, (N, N)),
        ({}, (N, N - 1)),
        ({}, (0, 0)),
        ({}, (1, 1)),
    ],
    ids=str,
)
def test_what_scikit_learn_refuses_is_refused_in_its_words(options, lengths):
    x, y = X[: lengths[0]], Y[: lengths[1]]
    with pytest.raises((TypeError, ValueError)) as expected:
        original(x, y, **options)
    with pytest.raises(type(expected.value)) as found:
        train_test_split(da.from_array(x, chunks=7), y, **options)
    assert str(found.value) == str(expected.value)


def test_no_array_is_an_error():
    with pytest.raises(ValueError, match="At least one array required as input"):
        train_test_split()


def test_a_multilabel_target_stratifies():
    labels = np.column_stack([Y == "a", np.arange(N) % 2 == 0]).astype(int)
    found = train_test_split(
        da.from_array(X, chunks=(9, 3)),
        stratify=da.from_array(labels, chunks=(11, 1)),
        random_state=0,
    )
    expected = in_order(X, stratify=labels, random_state=0)
    for ours, theirs in zip(found, expected, strict=True):
        assert_array_equal(ours, theirs)


def test_the_signature_is_scikit_learns():
    ours = inspect.signature(train_test_split)
    theirs = inspect.signature(sklearn.model_selection.train_test_split)
    assert [(p.name, p.kind, p.default) for p in ours.parameters.values()] == [
        (p.name, p.kind, p.default) for p in theirs.parameters.values()
    ]
