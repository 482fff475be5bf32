import warnings

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.exceptions import DataConversionWarning
from sklearn.linear_model import LogisticRegression

from sklearn_dask_auto.inputs.entry import enter
from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.kernels.targets import check_target, classes_of, encode
from tests.cuts import cut, cuts

LABELS = {
    "int": np.array([3, -1, 7]),
    "bool": np.array([True, False]),
    "whole float": np.array([2.0, 0.0]),
    "float32": np.array([2, 0], np.float32),
    "text": np.array(["no", "yes", "a longer one"]),
    "object": np.array(["no", "yes", "a longer one"], dtype=object),
    "one class": np.array([5]),
    "dates": np.array(["2020-01-02", "2020-01-01"], "M8[D]"),
}


def beside(y, n_rows=None):
    X = da.zeros((len(y) if n_rows is None else n_rows, 2), chunks=(4, 2))
    return Pass(enter(LogisticRegression(), X, {"y": y}))


@given(st.data())
def test_classes_and_codes_are_those_of_the_whole_for_every_cut(data):
    labels = LABELS[data.draw(st.sampled_from(sorted(LABELS)))]
    indices = data.draw(st.lists(st.integers(0, len(labels) - 1), min_size=1))
    y = labels[indices]
    chunks = data.draw(cuts(len(y)))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The number of unique classes")
        classes = classes_of(beside(cut(y, chunks)))
    assert_array_equal(classes, np.unique(y))
    assert classes.dtype == y.dtype
    codes = [encode(classes, part) for part in np.split(y, np.cumsum(chunks)[:-1])]
    assert {part.dtype for part in codes} == {np.dtype(np.int64)}
    assert_array_equal(np.concatenate(codes), np.unique(y, return_inverse=True)[1])


def varying(blocks):
    """Return a dask array whose blocks are these, whatever it says of their dtype."""
    chunks = (tuple(map(len, blocks)),)
    graph = {("blocks", i): block for i, block in enumerate(blocks)}
    return da.Array(graph, "blocks", chunks, dtype=blocks[0].dtype)


@pytest.mark.parametrize(
    "blocks",
    [
        [["a", "b"] * 2, ["long", "b"] * 2],
        [np.array(["a", "b"] * 2, object), ["long", "b"] * 2],
        [["a", "b"] * 2, np.array(["long", "b"] * 2, object)],
        [[1, 2] * 2, [2.0, 3.0] * 2],
        [np.array([1, 2] * 2, np.int8), [2, 300] * 2],
        [[True, False] * 2, [0, 1] * 2],
    ],
    ids=["widths", "object first", "object last", "float", "int", "bool"],
)
def test_blocks_may_differ_in_dtype(blocks):
    blocks = [np.asarray(block) for block in blocks]
    whole = np.concatenate(blocks)
    classes = classes_of(beside(varying(blocks)))
    assert_array_equal(classes, np.unique(whole))
    assert classes.dtype == whole.dtype
    codes = np.concatenate([encode(classes, block) for block in blocks])
    assert_array_equal(classes[codes], whole)


@pytest.mark.parametrize("dtype", ["object", "string", "category", "Int64", "boolean"])
def test_a_dask_series_has_the_classes_that_scikit_learn_finds(dtype):
    values = {"Int64": [3, 1], "boolean": [True, False]}.get(dtype, ["b", "a"])
    y = pd.Series(values * 10, dtype=dtype)
    X = np.random.default_rng(0).normal(size=(20, 2))
    classes = classes_of(beside(dd.from_pandas(y, npartitions=3)))
    expected = LogisticRegression().fit(X, y).classes_
    assert_array_equal(classes, expected)
    assert classes.dtype == expected.dtype


@pytest.mark.parametrize(
    "y",
    [
        [0.5, 1.0, 2.0, 3.0] * 3,
        [0, 1, np.nan, 1] * 3,
        [0, 1, np.inf, 1] * 3,
        ["a", np.nan, "b", "a"] * 3,
        [1, 2, 1, 2] * 3,
        [b"a", b"b"] * 6,
        [1j, 2] * 6,
        np.ones((12, 2), int),
        np.ones((12, 1, 1), int),
    ],
    ids=[
        "continuous",
        "NaN",
        "infinity",
        "missing text",
        "objects",
        "bytes",
        "complex",
        "two columns",
        "three dimensions",
    ],
)
def test_what_is_no_target_is_scikit_learns_error(y, request):
    is_object = request.node.callspec.id in ("objects", "missing text")
    y = np.asarray(y, dtype=object if is_object else None)
    X = np.random.default_rng(0).normal(size=(12, 2))
    with pytest.raises((ValueError, TypeError)) as expected:
        LogisticRegression().fit(X, y)
    with pytest.raises(type(expected.value)) as found:
        checked_classes(da.from_array(y, chunks=5))
    assert first_line(found) == first_line(expected)


def checked_classes(y):
    blocks = beside(y)
    check_target(blocks.rows.beside["y"])
    return classes_of(blocks)


def first_line(info):
    return str(info.value).splitlines()[0]


@pytest.mark.parametrize("dtype", ["string", "category", "Int64", "boolean"])
def test_a_missing_value_in_a_dask_series_is_an_error(dtype):
    values = {"Int64": [3, 1, None], "boolean": [True, None]}.get(dtype, ["b", None])
    y = dd.from_pandas(pd.Series(values * 4, dtype=dtype), npartitions=3)
    with pytest.raises(ValueError, match="Input contains NaN"):
        classes_of(beside(y))


def test_a_column_is_taken_with_scikit_learns_warning():
    y = np.arange(12)[:, None] % 3
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        classes = checked_classes(da.from_array(y, chunks=(5, 1)))
    assert_array_equal(classes, [0, 1, 2])
    assert_array_equal(encode(classes, y), y.ravel())


@pytest.mark.parametrize("n_classes", [10, 11, 12, 20, 21])
def test_more_labels_than_half_the_rows_warn_as_scikit_learn_does(n_classes):
    y = np.arange(21) % n_classes
    with warnings.catch_warnings(record=True) as expected:
        warnings.simplefilter("always")
        LogisticRegression(max_iter=1, tol=1e9).fit(np.zeros((21, 1)), y)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        classes_of(beside(da.from_array(y, chunks=5)))
    assert [w for w in map(text, found) if "unique" in w] == [
        w for w in map(text, expected) if "unique" in w
    ]


def text(warning):
    return str(warning.message)


def test_finding_classes_computes_the_target_alone():
    def fail(block):
        raise AssertionError("a block of X was computed")

    X = da.zeros((12, 2), chunks=(4, 2)).map_blocks(fail, meta=np.empty((0, 2)))
    y = da.from_array(np.arange(12) % 2, chunks=4)
    rows = enter(LogisticRegression(), X, {"y": y})
    assert_array_equal(classes_of(Pass(rows)), [0, 1])
