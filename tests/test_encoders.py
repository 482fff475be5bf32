"""Encoders on blocks of any dtype: scikit-learn's categories, however rows are cut."""

import re
import warnings

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from sklearn_dask_auto import AutoScaleOneHotEncoder, AutoScaleOrdinalEncoder
from tests.cuts import cut, cuts

N_ROWS = 60
RNG = np.random.default_rng(0)
LETTERS = RNG.choice(np.array(["a", "b", "c", None], object), N_ROWS)
FRAME = pd.DataFrame(
    {
        "text": LETTERS,
        "objects": pd.Series(LETTERS, dtype=object),
        "both missing": pd.Series(
            RNG.choice(np.array(["u", None, np.nan], object), N_ROWS), dtype=object
        ),
        "category": pd.Categorical(RNG.choice(["x", "z"], N_ROWS), list("zyx")),
        "codes": pd.Categorical(RNG.choice([3.0, np.nan, 1.0], N_ROWS)),
        "whole": RNG.integers(0, 4, N_ROWS),
        "real": RNG.choice([1.5, np.nan, -2.0], N_ROWS),
        "flag": RNG.random(N_ROWS) > 0.5,
        "nullable": pd.array(RNG.choice([1, 2, 3], N_ROWS), dtype="Int64"),
        "nullable flag": pd.array(RNG.random(N_ROWS) > 0.5, dtype="boolean"),
        "moment": pd.to_datetime(RNG.choice(["2020-01-01", "2021-05-06"], N_ROWS)),
    }
)
FRAME.loc[7, "nullable"] = pd.NA
TEXT = FRAME[["text", "category", "real", "whole"]]
ENCODERS = {
    "one-hot": (AutoScaleOneHotEncoder, OneHotEncoder, {}),
    "one-hot dense": (AutoScaleOneHotEncoder, OneHotEncoder, {"sparse_output": False}),
    "first dropped": (AutoScaleOneHotEncoder, OneHotEncoder, {"drop": "first"}),
    "binary dropped": (AutoScaleOneHotEncoder, OneHotEncoder, {"drop": "if_binary"}),
    "int8": (AutoScaleOneHotEncoder, OneHotEncoder, {"dtype": np.int8}),
    "share": (
        AutoScaleOneHotEncoder,
        OneHotEncoder,
        {"min_frequency": 0.3, "handle_unknown": "infrequent_if_exist"},
    ),
    "few": (
        AutoScaleOneHotEncoder,
        OneHotEncoder,
        {"max_categories": 2, "handle_unknown": "warn"},
    ),
    "ordinal": (AutoScaleOrdinalEncoder, OrdinalEncoder, {}),
    "ordinal of few": (
        AutoScaleOrdinalEncoder,
        OrdinalEncoder,
        {
            "min_frequency": 20,
            "handle_unknown": "use_encoded_value",
            "unknown_value": -2,
            "encoded_missing_value": -1,
        },
    ),
}


@pytest.fixture(autouse=True, scope="module")
def text_as_it_is():
    """Have dask keep the dtypes of text; what it makes of them has a test."""
    with dask.config.set({"dataframe.convert-string": False}):
        yield


def pair(name, **more):
    ours, original, params = ENCODERS[name]
    return ours(engine="blockwise", **params, **more), original(**params, **more)


def dense(values):
    return values.toarray() if sp.issparse(values) else values


def assert_same(found, expected):
    """Compare arrays: value by value, missing values and types included."""
    found, expected = dense(found), dense(expected)
    assert found.dtype == expected.dtype
    assert repr(found.tolist()) == repr(expected.tolist())


def assert_same_state(encoder, reference):
    """Compare all that is learned, private state too."""
    found = {
        k: repr(v) for k, v in vars(encoder).items() if k not in ("engine", "plan_")
    }
    assert found == {k: repr(v) for k, v in vars(reference).items()}
    for ours, theirs in zip(encoder.categories_, reference.categories_, strict=True):
        assert_same(ours, theirs)


def frame_of(rows, sizes, unknown=False):
    """Cut a pandas frame into partitions of these sizes."""
    pairs = zip(np.cumsum(sizes), sizes, strict=True)
    parts = [rows.iloc[stop - n : stop] for stop, n in pairs]
    frame = dd.from_map(lambda i: parts[i], range(len(parts)), meta=rows.iloc[:0])
    if unknown:
        return frame.assign(category=frame["category"].cat.as_unknown())
    return frame


@pytest.mark.parametrize("name", ENCODERS)
@settings(max_examples=3)
@given(st.data())
def test_every_cut_of_a_frame_gives_scikit_learns_state_and_output(name, data):
    sizes = data.draw(cuts(N_ROWS))
    encoder, reference = pair(name)
    blocks = frame_of(FRAME, sizes, data.draw(st.booleans()))
    assert_same_state(encoder.fit(blocks), reference.fit(FRAME))
    lazy, expected = encoder.transform(blocks), reference.transform(FRAME)
    assert isinstance(lazy, da.Array)
    assert lazy.dtype == expected.dtype
    assert sp.issparse(lazy._meta) == sp.issparse(expected)
    found = lazy.compute()
    assert_same(found, expected)
    names = encoder.get_feature_names_out()
    assert list(names) == list(reference.get_feature_names_out())


ARRAYS = {
    "objects": RNG.choice(np.array(["a", "b", None, np.nan], object), (N_ROWS, 3)),
    "words": RNG.choice(["a", "bb", "longer"], (N_ROWS, 3)),
    "whole": RNG.integers(0, 5, (N_ROWS, 3)),
    "real": RNG.choice([0.5, np.nan, 7.0], (N_ROWS, 3)).astype(np.float32),
    "flags": RNG.random((N_ROWS, 3)) > 0.5,
}


@pytest.mark.parametrize("kind", ARRAYS)
@pytest.mark.parametrize("name", ["share", "ordinal"])
@settings(max_examples=3)
@given(st.data())
def test_every_cut_of_an_array_gives_scikit_learns_state_and_output(name, kind, data):
    rows, sizes = ARRAYS[kind], data.draw(cuts(N_ROWS))
    encoder, reference = pair(name)
    blocks = cut(rows, sizes, data.draw(st.sampled_from([-1, 1])))
    assert_same_state(encoder.fit(blocks), reference.fit(rows))
    coded = encoder.transform(blocks)
    assert coded.chunks[0] == blocks.chunks[0]
    assert_same(coded.compute(), reference.transform(rows))
    back = encoder.inverse_transform(coded)
    expected = reference.inverse_transform(reference.transform(rows))
    assert_same(back.compute(), expected)


def test_row_counts_need_not_be_known():
    rows = ARRAYS["objects"]
    blocks = da.from_array(rows, chunks=(17, 3))
    blocks = blocks[blocks[:, 0] != "b"]
    encoder, reference = pair("share")
    here = blocks.compute()
    assert_same_state(encoder.fit(blocks), reference.fit(here))
    assert_same(encoder.transform(blocks).compute(), reference.transform(here))


def test_the_rows_are_read_once_and_only_by_fit():
    reads = []

    def read(part):
        if len(part):
            reads.append(len(part))
        return part

    frame = frame_of(TEXT, (20, 0, 39, 1)).map_partitions(read, meta=TEXT.iloc[:0])
    encoder = AutoScaleOneHotEncoder().fit(frame)
    assert sum(reads) == N_ROWS
    encoder.transform(frame)
    assert sum(reads) == N_ROWS


def outcome(call, *args):
    """Return an error's type and first sentence, or None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call(*args)
    except Exception as error:
        return type(error), re.split(r"\.\s|\n", str(error).replace("AutoScale", ""))[0]
    return None


MIXED = np.array([["a", 1], [2, 3], ["b", 4]], object)
LISTS = np.empty((3, 1), object)
LISTS[:, 0] = [[1], "a", [2]]
INFINITE = np.array([[0.0], [1.0], [np.inf]])


@pytest.mark.parametrize("name", ["one-hot", "share", "ordinal"])
@pytest.mark.parametrize(
    "rows",
    [MIXED, LISTS, INFINITE, MIXED[:0], MIXED[:, 0], INFINITE + 1j],
    ids=["mixed", "not hashable", "infinite", "no rows", "one dimension", "complex"],
)
def test_bad_rows_are_scikit_learns_error(name, rows):
    encoder, reference = pair(name)
    expected = outcome(reference.fit, rows)
    assert expected is not None
    assert outcome(encoder.fit, da.from_array(rows, chunks=1)) == expected


@pytest.mark.parametrize(
    "more",
    [
        {"categories": [list("abc"), list("zx"), [-2.0, 1.5, np.nan], [0, 1, 2, 3]]},
        {"categories": [["a"], ["x", "z"], [1.5], [0, 1]]},
        {"categories": [["a"]]},
        {"drop": ["a", "x", 1.5, 9]},
        {"drop": ["a", "x", 1.5, 2]},
    ],
    ids=["all", "some unknown", "too few", "dropped not found", "dropped"],
)
@pytest.mark.parametrize("unknown", ["error", "ignore"])
def test_categories_and_drops_by_hand_are_taken_or_refused_as_in_scikit_learn(
    more, unknown
):
    encoder, reference = pair("one-hot", handle_unknown=unknown, **more)
    blocks = frame_of(TEXT, (1, 39, 20))
    expected = outcome(reference.fit, TEXT)
    assert outcome(encoder.fit, blocks) == expected
    if expected is None:
        assert_same_state(encoder, reference)
        assert_same(encoder.transform(blocks).compute(), reference.transform(TEXT))


def test_an_unknown_category_in_a_late_block_is_scikit_learns_error():
    encoder, reference = pair("one-hot")
    encoder.fit(frame_of(TEXT, (30, 30)))
    reference.fit(TEXT)
    late = TEXT.copy()
    late.loc[N_ROWS - 1, "text"] = "new"
    lazy = encoder.transform(frame_of(late, (30, 30)))
    expected = outcome(reference.transform, late)
    assert expected is not None
    assert outcome(lazy.compute) == expected


@pytest.mark.parametrize(
    "columns",
    [["text", "category", "real"], ["category", "text", "real", "whole"]],
    ids=["missing", "reordered"],
)
def test_columns_missing_or_reordered_are_scikit_learns_error(columns):
    encoder, reference = pair("ordinal")
    encoder.fit(frame_of(TEXT, (30, 30)))
    reference.fit(TEXT)
    expected = outcome(reference.transform, TEXT[columns])
    assert expected is not None
    assert outcome(encoder.transform, frame_of(TEXT[columns], (30, 30))) == expected


@pytest.mark.parametrize("name", ["one-hot dense", "ordinal"])
def test_set_output_gives_a_lazy_dask_frame(name):
    encoder, reference = (e.set_output(transform="pandas") for e in pair(name))
    blocks = frame_of(TEXT, (20, 0, 40))
    lazy = encoder.fit(blocks).transform(blocks)
    assert isinstance(lazy, dd.DataFrame)
    pd.testing.assert_frame_equal(lazy.compute(), reference.fit(TEXT).transform(TEXT))


def test_sparse_output_as_a_frame_is_scikit_learns_error():
    encoder, reference = (e.set_output(transform="pandas") for e in pair("one-hot"))
    blocks = frame_of(TEXT, (20, 40))
    expected = outcome(reference.fit(TEXT).transform, TEXT)
    assert outcome(encoder.fit(blocks).transform, blocks) == expected


def test_text_that_dask_has_converted_is_taken_for_what_it_was():
    encoder, reference = pair("share")
    with dask.config.set({"dataframe.convert-string": True}):
        blocks = dd.from_pandas(FRAME[["text", "objects"]], npartitions=3)
    assert str(blocks.dtypes["objects"]) == "string"
    here = FRAME[["text", "text"]].set_axis(["text", "objects"], axis=1)
    # What is missing in dask's text is missing, and not None as in pandas 2.
    here = here.astype(object).where(here.notna(), np.nan)
    assert_same_state(encoder.fit(blocks), reference.fit(here))
    assert_same(encoder.transform(blocks).compute(), reference.transform(here))


def test_describing_computes_nothing(no_compute):
    plan = AutoScaleOneHotEncoder().explain(frame_of(TEXT, (20, 40)))
    assert plan.engine == "blockwise"
