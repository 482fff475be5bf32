import dask
import dask.array as da
import dask.bag
import dask.dataframe as dd
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp

from sklearn_dask_auto.inputs import describe, is_dask
from sklearn_dask_auto.inputs.describe import TEXT_BYTES, is_stored
from sklearn_dask_auto.routing import Profile

pytestmark = pytest.mark.usefixtures("no_compute")

ARRAY = np.arange(12.0).reshape(6, 2)
FRAME = pd.DataFrame({"a": np.arange(6.0), "b": np.arange(6, dtype="int32")})
MIXED = pd.DataFrame({"a": np.arange(6.0), "b": list("uvwxyz")})


def persisted(collection):
    """Compute with dask's own scheduler, whatever the test forbids."""
    return collection.persist(scheduler="synchronous")


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_numpy_array_is_described_in_either_order(order):
    assert describe(np.asarray(ARRAY, order=order)) == Profile(
        "numpy", 6, 2, 96, "float64"
    )


@pytest.mark.parametrize(
    ("X", "profile"),
    [
        pytest.param(np.ones(5, "float32"), Profile("numpy", 5, 1, 20, "float32")),
        pytest.param(np.ones((0, 3)), Profile("numpy", 0, 3, 0, "float64")),
        pytest.param(np.ones((2, 3, 4)), Profile("numpy", 2, 3, 192, "float64")),
        pytest.param(np.float64(1.0), Profile("other", None, 1, 8, "float64")),
        pytest.param(np.array(1.0), Profile("numpy", None, 1, 8, "float64")),
        pytest.param(np.ma.ones((5, 2)), Profile("numpy", 5, 2, 80, "float64")),
        pytest.param(ARRAY[::2], Profile("numpy", 3, 2, 48, "float64")),
        pytest.param(FRAME, Profile("pandas", 6, 2, 72, "mixed")),
        pytest.param(FRAME[["a"]], Profile("pandas", 6, 1, 48, "float64")),
        pytest.param(FRAME["b"], Profile("pandas", 6, 1, 24, "int32")),
        pytest.param(MIXED, Profile("pandas", 6, 2, 6 * (8 + TEXT_BYTES), "mixed")),
        pytest.param(
            MIXED["b"], Profile("pandas", 6, 1, 6 * TEXT_BYTES, str(MIXED["b"].dtype))
        ),
        pytest.param(FRAME.iloc[:, :0], Profile("pandas", 6, 0, 0, "mixed")),
        pytest.param(pl.from_pandas(FRAME), Profile("polars", 6, 2, 72, "mixed")),
        pytest.param(
            pl.Series(np.ones(4, "float32")), Profile("polars", 4, 1, 16, "Float32")
        ),
        pytest.param(
            sp.csr_matrix(ARRAY), Profile("scipy sparse", 6, 2, 132, "float64")
        ),
        pytest.param(
            sp.csr_array(ARRAY), Profile("scipy sparse", 6, 2, 132, "float64")
        ),
        pytest.param(
            sp.coo_array(ARRAY), Profile("scipy sparse", 6, 2, 132, "float64")
        ),
        pytest.param(
            sp.lil_array(ARRAY), Profile("scipy sparse", 6, 2, 132, "float64")
        ),
        pytest.param([[1, 2, 3], [4, 5, 6]], Profile("list", 2, 3, 48)),
        pytest.param([1, 2, 3], Profile("list", 3, 1, 24)),
        pytest.param(["one", "three"], Profile("list", 2, 1, 16)),
        pytest.param([np.ones(3)] * 2, Profile("list", 2, 3, 48)),
        pytest.param([np.array(1.0)] * 2, Profile("list", 2, 1, 16)),
        pytest.param(((1, 2),), Profile("list", 1, 2, 16)),
        pytest.param([], Profile("list", 0, 0, 0)),
    ],
    ids=[
        "1d",
        "no-rows",
        "3d",
        "scalar",
        "0d",
        "masked",
        "view",
        "pandas",
        "one-dtype",
        "series",
        "text",
        "text-series",
        "no-columns",
        "polars",
        "polars-series",
        "csr-matrix",
        "csr-array",
        "coo-array",
        "lil-array",
        "list-of-lists",
        "flat-list",
        "list-of-text",
        "list-of-arrays",
        "list-of-0d-arrays",
        "tuple",
        "empty-list",
    ],
)
def test_what_is_in_memory_is_described_in_full(X, profile):
    assert describe(X) == profile
    assert not is_dask(X)


@pytest.mark.parametrize(
    ("column", "row_bytes"),
    [
        pytest.param(pd.Categorical(["u", "v"]), TEXT_BYTES, id="category"),
        pytest.param(pd.array([1, None], dtype="Int16"), 2, id="nullable"),
        pytest.param(pd.arrays.SparseArray([0.0, 1.0]), 8, id="sparse"),
        pytest.param(pd.to_datetime(["2026", "2027"], utc=True), 8, id="time-zone"),
        pytest.param(pd.period_range("2026", periods=2), TEXT_BYTES, id="period"),
        pytest.param(np.array(["u", None], dtype=object), TEXT_BYTES, id="object"),
    ],
)
def test_pandas_extension_dtypes_have_a_size(column, row_bytes):
    assert describe(pd.DataFrame({"a": column})).n_bytes == 2 * row_bytes


def test_a_memory_map_is_an_array(tmp_path):
    X = np.memmap(tmp_path / "X", dtype="float32", mode="w+", shape=(5, 3))
    assert describe(X) == Profile("numpy", 5, 3, 60, "float32")


@pytest.mark.parametrize(
    ("X", "profile"),
    [
        pytest.param(
            da.ones((6, 2), chunks=(4, 2)),
            Profile("dask array", 6, 2, 96, "float64", 2, 64, True, False),
            id="lazy",
        ),
        pytest.param(
            da.ones((6, 4), chunks=(4, 3), dtype="float32"),
            Profile("dask array", 6, 4, 96, "float32", 4, 48, True, False),
            id="several-blocks-across",
        ),
        pytest.param(
            da.from_array(ARRAY, chunks=(2, 2)),
            Profile("dask array", 6, 2, 96, "float64", 3, 32, True, True),
            id="from-array",
        ),
        pytest.param(
            da.from_array(ARRAY, chunks=(6, 2)),
            Profile("dask array", 6, 2, 96, "float64", 1, 96, True, True),
            id="from-array-in-one-block",
        ),
        pytest.param(
            da.from_array(ARRAY, chunks=(2, 2)) + 1,
            Profile("dask array", 6, 2, 96, "float64", 3, 32, True, False),
            id="from-array-and-a-step",
        ),
        pytest.param(
            persisted(da.ones((6, 2), chunks=(4, 2))),
            Profile("dask array", 6, 2, 96, "float64", 2, 64, True, True),
            id="persisted",
        ),
        pytest.param(
            da.ones(6, chunks=4),
            Profile("dask array", 6, 1, 48, "float64", 2, 32, True, False),
            id="1d",
        ),
        pytest.param(
            da.ones((4, 3, 2), chunks=2),
            Profile("dask array", 4, 3, 192, "float64", 4, 64, True, False),
            id="3d",
        ),
        pytest.param(
            da.ones((0, 2), chunks=2),
            Profile("dask array", 0, 2, 0, "float64", 1, 0, True, False),
            id="no-rows",
        ),
        pytest.param(
            da.ones((6, 2), chunks=(4, 2))[da.ones(6, chunks=4) > 0],
            Profile("dask array", None, 2, None, "float64", 2, 0, True, False),
            id="unknown-rows",
        ),
        pytest.param(
            da.ones((6, 2, 2), chunks=3)[:, :, da.ones(2, chunks=2) > 0],
            Profile("dask array", 6, 2, None, "float64", 2, 0, True, False),
            id="unknown-depth",
        ),
        pytest.param(
            dd.from_pandas(FRAME, npartitions=3),
            Profile("dask dataframe", None, 2, None, "mixed", 3, 0, True, False),
            id="frame",
        ),
        pytest.param(
            dd.from_pandas(FRAME, npartitions=3)["a"],
            Profile("dask dataframe", None, 1, None, "float64", 3, 0, True, False),
            id="series",
        ),
        pytest.param(
            persisted(dd.from_pandas(FRAME, npartitions=3)),
            Profile("dask dataframe", None, 2, None, "mixed", 3, 0, True, True),
            id="persisted-frame",
        ),
        pytest.param(
            persisted(dd.from_pandas(FRAME, npartitions=3))["a"],
            Profile("dask dataframe", None, 1, None, "float64", 3, 0, True, False),
            id="column-of-a-persisted-frame",
        ),
        pytest.param(
            dask.bag.from_sequence([1, 2], npartitions=2).to_dataframe(meta={"a": int}),
            Profile("dask dataframe", None, 1, None, "int64", 2, 0, True, False),
            id="frame-over-a-lazy-graph",
        ),
        pytest.param(
            dd.from_delayed([dask.delayed(FRAME)], meta=FRAME.iloc[:0]),
            Profile("dask dataframe", None, 2, None, "mixed", 1, 0, True, False),
            id="from-delayed",
        ),
    ],
)
def test_a_dask_collection_is_described_by_its_metadata(X, profile):
    assert describe(X) == profile
    assert is_dask(X)


def test_many_blocks_are_counted_whatever_their_sizes():
    X = da.ones((10, 4), chunks=((1, 7, 0, 2), (1, 3)))
    profile = describe(X)
    assert profile.n_blocks == 8
    assert profile.block_bytes == 7 * 3 * 8


def test_blocks_on_a_cluster_are_stored(client):
    X = da.ones((6, 2), chunks=(4, 2))
    # With its own scheduler, as `no_compute` is in force.
    assert is_stored(client.persist(X))
    assert not is_stored(client.persist(X) + 1)
    assert is_stored(client.persist(dd.from_pandas(FRAME, npartitions=2)))


@pytest.mark.parametrize(
    ("X", "y", "n_bytes", "target"),
    [
        pytest.param(ARRAY, np.ones(6), 96 + 48, "numpy", id="numpy"),
        pytest.param(ARRAY, [0, 1] * 3, 96 + 48, "list", id="list"),
        pytest.param(ARRAY, FRAME["b"], 96 + 24, "pandas", id="pandas"),
        pytest.param(ARRAY, da.ones(6), 96 + 48, "dask array", id="dask"),
        pytest.param(
            ARRAY, dd.from_pandas(FRAME["a"]), None, "dask dataframe", id="dask-series"
        ),
        pytest.param(
            da.ones((6, 2)), np.ones(6), 96 + 48, "numpy", id="numpy-beside-dask"
        ),
        pytest.param(ARRAY, None, 96, None, id="none"),
        pytest.param(ARRAY, "text", 96, "other", id="text"),
    ],
)
def test_the_target_counts_whatever_its_kind(X, y, n_bytes, target):
    profile = describe(X, y)
    assert profile.n_bytes == n_bytes
    assert profile.target == target
    assert profile.container == describe(X).container
    assert profile.is_dask == is_dask(X)


def test_weights_count_and_those_not_given_do_not():
    weights = np.ones(6, "float32")
    assert describe(ARRAY, None, weights, None, 2.0).n_bytes == 96 + 24


class _Shape:
    def __init__(self, shape):
        self.shape = shape


class _Raising:
    def __getattr__(self, name):
        raise RuntimeError(name)


class _RaisingLength(list):
    def __len__(self):
        return 1

    def __getitem__(self, index):
        return _Raising()


class Array:
    """Has the name of a dask class and nothing else."""

    __module__ = None


@pytest.mark.parametrize(
    ("X", "n_rows", "n_columns"),
    [
        pytest.param(None, None, None, id="none"),
        pytest.param("text", None, None, id="text"),
        pytest.param(b"bytes", None, None, id="bytes"),
        pytest.param(3, None, None, id="int"),
        pytest.param({1, 2}, None, None, id="set"),
        pytest.param({"a": [1]}, None, None, id="dict"),
        pytest.param((i for i in "ab"), None, None, id="generator"),
        pytest.param(object(), None, None, id="object"),
        pytest.param(int, None, None, id="class"),
        pytest.param(pd, None, None, id="module"),
        pytest.param(dask.delayed(ARRAY), None, None, id="delayed"),
        pytest.param(dask.bag.from_sequence([1]), None, None, id="bag"),
        pytest.param(
            dd.from_pandas(FRAME, npartitions=2)["a"].sum(),
            None,
            None,
            id="dask-scalar",
        ),
        pytest.param(pl.LazyFrame({"a": [1.0]}), None, None, id="polars-lazy"),
        pytest.param(_Shape(None), None, None, id="shape-none"),
        pytest.param(_Shape("ab"), None, None, id="shape-text"),
        pytest.param(_Shape(()), None, 1, id="shape-empty"),
        pytest.param(_Shape((None, 3)), None, 3, id="shape-open"),
        pytest.param(_Shape((np.int64(4), np.int32(3))), 4, 3, id="shape-numpy"),
        pytest.param(_Shape((float("nan"), 3)), None, 3, id="shape-nan"),
        pytest.param(_Shape((float("inf"), 3)), None, 3, id="shape-infinite"),
        pytest.param(_Shape(("a", object())), None, None, id="shape-of-anything"),
        pytest.param(_Raising(), None, None, id="raising"),
        pytest.param(Array(), None, None, id="namesake"),
    ],
)
def test_what_is_unknown_is_described_as_other(X, n_rows, n_columns):
    profile = describe(X)
    assert profile.container == "other"
    assert (profile.n_rows, profile.n_columns) == (n_rows, n_columns)
    assert not profile.is_dask
    assert describe(ARRAY, X).n_rows == 6


def test_a_list_of_oddities_is_a_list():
    assert describe(_RaisingLength()) == Profile("list", 1, 1, 8)


def test_sizes_in_a_profile_are_plain_integers():
    profile = describe(_Shape((np.int64(4), np.int32(3))))
    assert type(profile.n_rows) is int
    assert type(profile.n_columns) is int
    assert type(profile.n_bytes) is int


def test_a_subclass_of_a_known_kind_is_of_that_kind():
    class Table(pd.DataFrame):
        pass

    assert describe(Table(FRAME)) == describe(FRAME)
