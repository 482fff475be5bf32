"""Mixed tables on dask: impute, encode, scale, classify, as on the pandas table."""

import re

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.datasets import load_breast_cancer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, StandardScaler

from sklearn_dask_auto import (
    AutoScaleColumnTransformer,
    AutoScaleLogisticRegression,
    AutoScaleOneHotEncoder,
    AutoScaleSimpleImputer,
    AutoScaleStandardScaler,
)
from tests.cuts import cut

# 2026-11, dask 2026.8: what it calls to read Parquet is deprecated by pandas 3.1.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")
NUMBERS = make_column_selector(dtype_include="number")
OURS = (
    AutoScaleColumnTransformer,
    AutoScaleSimpleImputer,
    AutoScaleStandardScaler,
    AutoScaleOneHotEncoder,
)
THEIRS = (ColumnTransformer, SimpleImputer, StandardScaler, OneHotEncoder)


def make_table():
    rng = np.random.default_rng(0)
    bunch = load_breast_cancer(as_frame=True)
    table = bunch.data.iloc[:, :5].copy()
    table.iloc[::7, 2] = np.nan
    sides = np.array(["left", "right", "both", None], object)
    table["site"] = rng.choice(sides, len(table))
    table["grade"] = pd.Categorical(rng.choice(["i", "ii", "iii"], len(table)))
    table.loc[5, "grade"] = np.nan
    return table, bunch.target.map({0: "malign", 1: "benign"})


TABLE, LABELS = make_table()


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """The table and its labels, from Parquet files."""
    path = tmp_path_factory.mktemp("table")
    whole = TABLE.assign(label=LABELS)
    dd.from_pandas(whole, npartitions=4).to_parquet(path)
    frame = dd.read_parquet(path)
    return frame.drop(columns="label"), frame["label"]


def columns_of(classes, **params):
    columns, imputer, scaler, encoder = classes
    numbers = make_pipeline(imputer(strategy="median", add_indicator=True), scaler())
    words = make_pipeline(imputer(strategy="most_frequent"), encoder(drop="first"))
    steps = [("numbers", numbers, NUMBERS), ("words", words, ["site", "grade"])]
    return columns(steps, **params)


def dense(values):
    return values.toarray() if sp.issparse(values) else values


def test_a_table_from_parquet_is_imputed_encoded_and_classified_as_in_pandas(stored):
    rows, labels = stored
    ours = make_pipeline(columns_of(OURS), AutoScaleLogisticRegression(tol=1e-10))
    exact = LogisticRegression(tol=1e-10, solver="newton-cholesky")
    theirs = make_pipeline(columns_of(THEIRS), exact).fit(TABLE, LABELS)
    ours.fit(rows, labels)
    assert ours[0].plan_.engine == ours[1].plan_.engine == "blockwise"
    assert list(ours[0].get_feature_names_out()) == [*theirs[0].get_feature_names_out()]
    assert_allclose(ours[1].coef_, theirs[1].coef_, rtol=1e-6)
    assert ours.score(rows, labels) == theirs.score(TABLE, LABELS)
    predicted = ours.predict(rows)
    assert isinstance(predicted, da.Array)
    np.testing.assert_array_equal(predicted.compute(), theirs.predict(TABLE))


@pytest.mark.parametrize("threshold", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("remainder", ["drop", "passthrough"])
def test_output_is_sparse_where_scikit_learns_is(stored, threshold, remainder):
    def make(classes):
        steps = [("site", classes[3](handle_unknown="ignore"), ["site"])]
        return classes[0](
            steps,
            remainder=remainder,
            sparse_threshold=threshold,
            transformer_weights={"site": 2.5},
        )

    rows, table = stored[0].drop(columns="grade"), TABLE.drop(columns="grade")
    ours, theirs = make(OURS).fit(rows), make(THEIRS).fit(table)
    assert ours.sparse_output_ == theirs.sparse_output_
    assert ours.output_indices_ == theirs.output_indices_
    lazy, expected = ours.transform(rows), theirs.transform(table)
    assert sp.issparse(lazy._meta) == sp.issparse(expected)
    assert lazy.dtype == expected.dtype
    assert_allclose(dense(lazy.compute()), dense(expected))


SELECTIONS = {
    "names": ["mean radius", "mean area"],
    "numbers": [0, 3],
    "slice": slice(0, 2),
    "slice of names": slice("mean radius", "mean texture"),
    "mask": [True, False, True, False, False, False, False],
    "callable": NUMBERS,
}


@pytest.mark.parametrize("kind", SELECTIONS)
def test_columns_are_selected_as_in_scikit_learn(stored, kind):
    def make(classes):
        return classes[0]([("scale", classes[2](), SELECTIONS[kind])])

    ours, theirs = make(OURS).fit(stored[0]), make(THEIRS).fit(TABLE)
    found, expected = ours.transform(stored[0]).compute(), theirs.transform(TABLE)
    assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    assert list(ours.get_feature_names_out()) == list(theirs.get_feature_names_out())


def test_an_array_is_cut_into_columns_by_number():
    rows = TABLE.iloc[:, :4].to_numpy()

    def make(classes):
        steps = [("mean", classes[1](), [1, 2]), ("scale", classes[2](), slice(3, 4))]
        return classes[0](steps, remainder="passthrough")

    blocks = cut(rows, (100, 0, 469), 2)
    ours, theirs = make(OURS), make(THEIRS)
    ours.set_params(engine="blockwise")
    found = ours.fit(blocks).transform(blocks)
    assert found.chunks[0] == blocks.chunks[0]
    assert_allclose(found.compute(), theirs.fit_transform(rows), rtol=1e-9, atol=1e-12)


def test_set_output_gives_a_lazy_dask_frame(stored):
    def make(classes):
        steps = [
            ("mean", classes[1](), ["mean radius"]),
            ("site", classes[3](sparse_output=False), ["site"]),
        ]
        columns = classes[0](steps, verbose_feature_names_out=False)
        return columns.set_output(transform="pandas")

    lazy = make(OURS).fit(stored[0]).transform(stored[0])
    assert isinstance(lazy, dd.DataFrame)
    expected = make(THEIRS).fit_transform(TABLE)
    pd.testing.assert_frame_equal(lazy.compute(), expected, check_index_type=False)


def test_columns_may_come_in_another_order_and_must_be_there(stored):
    ours = columns_of(OURS).fit(stored[0])
    turned = stored[0][[*stored[0].columns][::-1]]
    expected = columns_of(THEIRS).fit_transform(TABLE)
    assert_allclose(ours.transform(turned).compute(), expected, rtol=1e-9, atol=1e-12)
    with pytest.raises(ValueError, match=re.escape("columns are missing: {'site'}")):
        ours.transform(stored[0].drop(columns="site"))


def test_what_learns_in_memory_is_named_as_the_reason(stored, no_compute):
    steps = [("bins", KBinsDiscretizer(), ["mean radius"])]
    plan = AutoScaleColumnTransformer(steps, engine="blockwise").explain(stored[0])
    assert plan.engine is None
    assert "'bins' is KBinsDiscretizer" in plan.refusal()


HOLES = np.random.default_rng(1).choice([0.0, 1.5, 2.0, np.nan, 7.0], (80, 3))
HOLES[:, 2] = np.nan
WORDS = np.random.default_rng(1).choice(np.array(["a", "b", np.nan], object), (80, 2))
IMPUTERS = {
    "mean": (HOLES, {}),
    "float32": (HOLES.astype(np.float32), {"add_indicator": True}),
    "kept": (HOLES, {"keep_empty_features": True}),
    "median": (HOLES, {"strategy": "median"}),
    "most frequent": (HOLES, {"strategy": "most_frequent", "add_indicator": True}),
    "words": (WORDS, {"strategy": "most_frequent"}),
    "constant": (WORDS, {"strategy": "constant", "fill_value": "none"}),
    "constant number": (HOLES, {"strategy": "constant"}),
    "other sign": (np.nan_to_num(HOLES, nan=-1), {"missing_values": -1}),
    "refused words": (WORDS, {}),
    "refused NaN": (HOLES, {"missing_values": -1}),
}


@pytest.mark.filterwarnings("ignore:Skipping features:UserWarning")
@pytest.mark.parametrize("chunks", [(80,), (1, 0, 79), (20, 33, 27)], ids=str)
@pytest.mark.parametrize("kind", IMPUTERS)
def test_an_imputer_learns_and_does_what_scikit_learns_does(kind, chunks):
    rows, params = IMPUTERS[kind]
    ours, theirs = AutoScaleSimpleImputer(engine="blockwise"), SimpleImputer()
    ours.set_params(**params)
    theirs.set_params(**params)
    blocks = cut(rows, chunks)
    if kind.startswith("refused"):
        with pytest.raises(ValueError) as expected:  # noqa: PT011  its words are compared
            theirs.fit(rows)
        first = re.escape(str(expected.value).split("\n")[0])
        with pytest.raises(ValueError, match=first):
            ours.fit(blocks)
        return
    ours.fit(blocks)
    theirs.fit(rows)
    assert ours.statistics_.dtype == theirs.statistics_.dtype
    lazy, expected = ours.transform(blocks), theirs.transform(rows)
    assert lazy.dtype == expected.dtype
    if expected.dtype.kind == "O":
        assert lazy.compute().tolist() == expected.tolist()
    else:
        assert_allclose(
            ours.statistics_.astype(float), theirs.statistics_.astype(float)
        )
        assert_allclose(lazy.compute(), expected, rtol=1e-6)
    assert list(ours.get_feature_names_out()) == list(theirs.get_feature_names_out())
