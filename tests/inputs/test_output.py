import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from sklearn_dask_auto.inputs.output import map_rows, map_rows_to_frame
from tests.cuts import cut, cuts

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
LABELS = np.array(["no", "certainly"])[(X[:, 0] > 0).astype(int)]
MODEL = LogisticRegression().fit(X, LABELS)


@given(st.data())
def test_every_cut_gives_the_output_of_the_whole(data):
    blocks = cut(X, data.draw(cuts(60)), data.draw(st.sampled_from([-1, 2])))
    for method in ("predict", "predict_proba", "decision_function"):
        expected = getattr(MODEL, method)(X)
        out = map_rows(MODEL, method, blocks)
        assert out.shape == expected.shape
        assert out.dtype == expected.dtype
        assert out.chunks[0] == blocks.chunks[0]
        concrete = out.compute()
        assert concrete.dtype == expected.dtype
        if expected.dtype.kind == "U":
            assert_array_equal(concrete, expected)
        else:
            assert_allclose(concrete, expected)


def test_nothing_is_computed_to_know_the_output(no_compute):
    lazy = da.from_array(X, chunks=(20, 3)) + 0
    assert map_rows(MODEL, "predict_proba", lazy).shape == (60, 2)


def test_unknown_sizes_stay_unknown():
    blocks = da.from_array(X, chunks=(20, 3))
    out = map_rows(MODEL, "predict", blocks[blocks[:, 0] > 0])
    assert np.isnan(out.shape[0])
    assert set(out.compute()) == {"certainly"}


def test_a_frame_reaches_the_model_as_frames():
    frame = pd.DataFrame(X, columns=list("abc"), index=np.arange(60) * 2)
    model = LogisticRegression().fit(frame, LABELS)
    collection = dd.from_pandas(frame, npartitions=4)
    assert_array_equal(
        map_rows(model, "predict", collection).compute(), model.predict(frame)
    )
    empty = collection[collection.a > 99]
    assert map_rows(model, "predict_proba", empty).compute().shape == (0, 2)


@pytest.mark.parametrize("is_frame", [True, False], ids=["frame", "array"])
def test_frames_come_out_where_the_model_returns_frames(is_frame):
    frame = pd.DataFrame(X, columns=list("abc"), index=np.arange(60) * 2)
    model = StandardScaler().set_output(transform="pandas").fit(frame.to_numpy())
    rows = dd.from_pandas(frame, npartitions=3) if is_frame else cut(X, (20, 0, 40), 2)
    if is_frame:
        model = StandardScaler().set_output(transform="pandas").fit(frame)
    out = map_rows_to_frame(model, "transform", rows)
    assert isinstance(out, dd.DataFrame)
    concrete = out.compute()
    assert_allclose(concrete, StandardScaler().fit_transform(X))
    assert concrete.dtypes.tolist() == out.dtypes.tolist()
    if is_frame:
        assert concrete.index.equals(frame.index)


def test_sparse_blocks_reach_the_model_sparse():
    blocks = da.from_array(X, chunks=(20, 3)).map_blocks(sp.csr_matrix)
    assert_array_equal(map_rows(MODEL, "predict", blocks).compute(), MODEL.predict(X))


def test_the_model_is_one_node_of_the_graph():
    blocks = cut(X, (1,) * 60)
    graph = map_rows(MODEL, "predict", blocks).__dask_graph__().to_dict()
    values = [getattr(node, "value", node) for node in graph.values()]
    assert [getattr(value, "model", None) for value in values].count(MODEL) == 1


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_blocks_reach_the_model_as_they_are_and_not_as_copies(method):
    blocks = da.from_array(X, chunks=(20, 3)).persist()
    held = [*dict(blocks.__dask_graph__()).values()]

    class Looking:
        def predict(self, block):
            return np.array([any(block is one for one in held)] * len(block))

        def predict_proba(self, block):
            return self.predict(block)[:, None]

    assert map_rows(Looking(), method, blocks).all().compute()
