"""Mixed tables on dask: impute, encode, scale, classify, as on the pandas table."""

import re

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
from dask import delayed
from dask.dataframe.io.parquet.core import ParquetFunctionWrapper
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    StandardScaler,
)

from sklearn_dask_auto import (
    AutoScaleColumnTransformer,
    AutoScaleLogisticRegression,
    AutoScaleMinMaxScaler,
    AutoScaleOneHotEncoder,
    AutoScaleOrdinalEncoder,
    AutoScaleSimpleImputer,
    AutoScaleStandardScaler,
    config_context,
)
from sklearn_dask_auto._base import to_plain
from tests.cuts import cut, cuts

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
    sides = np.array(["left", "right", "both", np.nan], object)
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


def doubled(rows):
    return 2 * rows


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


def test_a_setting_of_scikit_learns_for_all_output_holds_on_blocks(stored):
    steps = [
        ("scale", StandardScaler(), ["mean radius"]),
        ("site", OneHotEncoder(sparse_output=False), ["site"]),
        ("twice", FunctionTransformer(doubled), ["mean area"]),
    ]
    with sklearn.config_context(transform_output="pandas"):
        expected = ColumnTransformer(steps).fit_transform(TABLE)
        ours = AutoScaleColumnTransformer(steps, engine="blockwise").fit(stored[0])
        lazy = ours.transform(stored[0])
    assert isinstance(lazy, dd.DataFrame)
    found = lazy.compute()
    pd.testing.assert_frame_equal(found, expected, check_index_type=False)


def test_columns_may_come_in_another_order_and_must_be_there(stored):
    ours = columns_of(OURS).fit(stored[0])
    turned = stored[0][[*stored[0].columns][::-1]]
    expected = columns_of(THEIRS).fit_transform(TABLE)
    assert_allclose(ours.transform(turned).compute(), expected, rtol=1e-9, atol=1e-12)
    with pytest.raises(ValueError, match=re.escape("columns are missing: {'site'}")):
        ours.transform(stored[0].drop(columns="site"))


def test_what_learns_in_memory_is_named_as_the_reason(stored, no_compute):
    inner = make_pipeline(StandardScaler(), KBinsDiscretizer())
    steps = [("bins", inner, ["mean radius"]), ("near", KMeans(), ["mean area"])]
    plan = AutoScaleColumnTransformer(steps, engine="blockwise").explain(stored[0])
    assert plan.engine is None
    assert "'bins__kbinsdiscretizer' is KBinsDiscretizer" in plan.refusal()
    assert "'near' is KMeans" in plan.refusal()
    assert "AutoScaleEstimator" in plan.refusal()


def test_what_a_twin_refuses_is_refused_before_work_starts(stored, no_compute):
    inner = ColumnTransformer(
        [("fill", SimpleImputer(strategy=np.mean), [0])], remainder=KBinsDiscretizer()
    )
    steps = [("both", inner, NUMBERS), ("scale", StandardScaler(), ["mean area"])]
    plan = AutoScaleColumnTransformer(steps, engine="blockwise").explain(stored[0])
    assert "'both__fill' is SimpleImputer, strategy is a function" in plan.refusal()
    assert "'both__remainder' is KBinsDiscretizer" in plan.refusal()


class OwnScaler(StandardScaler):
    """Of a user, who may have changed anything."""


def test_a_subclass_is_not_taken_for_the_class_it_inherits(stored, no_compute):
    steps = [("own", OwnScaler(), ["mean radius"])]
    plan = AutoScaleColumnTransformer(steps, engine="blockwise").explain(stored[0])
    assert "'own' is OwnScaler" in plan.refusal()


PLAIN_STEPS = {
    "scaler": (StandardScaler(), ["mean radius", "mean area"]),
    "encoder": (OneHotEncoder(drop="first", handle_unknown="ignore"), ["grade"]),
    "imputer": (SimpleImputer(strategy="median"), NUMBERS),
    "pca": (PCA(2), ["mean radius", "mean area"]),
    "function": (FunctionTransformer(doubled), ["mean area"]),
    "function of frames": (
        FunctionTransformer(doubled).set_output(transform="pandas"),
        ["mean area"],
    ),
    "normalizer": (Normalizer(), ["mean radius", "mean area"]),
    "binarizer": (Binarizer(threshold=15), ["mean radius"]),
    "pipeline": (
        make_pipeline(FunctionTransformer(doubled), StandardScaler(), "passthrough"),
        ["mean radius"],
    ),
    "pipeline of both": (
        make_pipeline(SimpleImputer(), AutoScaleStandardScaler()),
        ["mean texture"],
    ),
    "union": (
        FeatureUnion([("scale", StandardScaler()), ("same", "passthrough")]),
        ["mean radius"],
    ),
    "columns": (
        ColumnTransformer([("scale", StandardScaler(), ["mean radius"])]),
        ["mean area", "mean radius"],
    ),
    "words": (HashingVectorizer(n_features=8), "grade"),
}


@pytest.mark.parametrize("kind", PLAIN_STEPS)
def test_steps_of_scikit_learn_work_on_blocks_and_stay_what_they_are(stored, kind):
    step, columns = PLAIN_STEPS[kind]
    rows, table = stored[0].dropna(), TABLE.dropna()
    if kind == "words":
        rows = rows.assign(grade=rows["grade"].astype(str))
        table = table.assign(grade=table["grade"].astype(str))
    ours = AutoScaleColumnTransformer([("step", step, columns)], engine="blockwise")
    theirs = ColumnTransformer([("step", to_plain(step), columns)])
    lazy, expected = ours.fit(rows).transform(rows), theirs.fit_transform(table)
    assert lazy.dtype == expected.dtype
    assert sp.issparse(lazy._meta) == sp.issparse(expected)
    assert_allclose(dense(lazy.compute()), dense(expected), rtol=1e-9, atol=1e-9)
    fitted = ours.named_transformers_["step"]
    assert type(fitted) is type(step)
    assert not re.search("AutoScale|RowWise", repr(fitted)) or "both" in kind
    if kind.startswith("pipeline"):
        inner = [type(part) for _, part in fitted.steps]
        assert inner == [type(part) for _, part in step.steps]


@pytest.mark.parametrize("kind", ["a frame", "an array"])
def test_a_column_that_is_not_in_a_list_is_scikit_learns_error(stored, kind):
    rows, table, column = stored[0], TABLE, "mean radius"
    if kind == "an array":
        rows, table, column = cut(HOLES, (40, 40)), HOLES, 1
    steps = [("scale", StandardScaler(), column)]
    with pytest.raises(ValueError) as expected:  # noqa: PT011  its words are compared
        ColumnTransformer(steps).fit(table)
    first = re.escape(str(expected.value).strip().split(".")[0])
    with pytest.raises(ValueError, match=first):
        AutoScaleColumnTransformer(steps, engine="blockwise").fit(rows)


def first_numbers(frame):
    return frame.iloc[:, :3].fillna(0)


@pytest.mark.parametrize("verified", [True, False])
def test_frames_of_delayed_parts_are_taken(verified):
    parts = [delayed(first_numbers)(delayed(TABLE.iloc[i : i + 200])) for i in (0, 200)]
    meta = first_numbers(TABLE.iloc[:0])
    frame = dd.from_delayed(parts, meta=meta, verify_meta=verified)
    frame = frame.assign(sums=frame["mean radius"] + frame["mean texture"])
    here = first_numbers(TABLE.iloc[:400])
    here = here.assign(sums=here["mean radius"] + here["mean texture"])
    steps = [("s", StandardScaler(), [0, 3]), ("o", MinMaxScaler(), [1])]
    ours = AutoScaleColumnTransformer(steps, engine="blockwise")
    ours.set_output(transform="pandas")
    expected = ColumnTransformer(steps).fit_transform(here)
    scaled = ours.fit(frame).transform(frame)
    assert_allclose(scaled.compute(), expected, rtol=1e-9, atol=1e-12)
    # And what is made of them, in turn.
    again = AutoScaleStandardScaler(engine="blockwise").fit(scaled)
    assert_allclose(again.mean_, expected.mean(axis=0), atol=1e-12)
    assert_allclose(
        again.transform(scaled).compute(), StandardScaler().fit_transform(expected)
    )


@settings(max_examples=6)
@given(st.data())
def test_every_cut_of_sparse_blocks_is_imputed_as_in_scikit_learn(data):
    rows = sp.csr_matrix(np.where(HOLES == 7, 0, HOLES))
    strategy = data.draw(st.sampled_from(["mean", "median", "most_frequent"]))
    dense_blocks = cut(rows.toarray(), data.draw(cuts(80)))
    blocks = dense_blocks.map_blocks(sp.csr_matrix)
    params = {"strategy": strategy, "keep_empty_features": True}
    ours = AutoScaleSimpleImputer(**params, engine="blockwise").fit(blocks)
    theirs = SimpleImputer(**params).fit(rows)
    assert_allclose(ours.statistics_, theirs.statistics_)
    found = ours.transform(blocks).compute()
    assert_allclose(dense(found), dense(theirs.transform(rows)))


READS = []


def read(part):
    if len(part):
        READS.append(list(part.columns))
    return part


@pytest.mark.parametrize(
    ("steps", "passes"),
    [
        (["site", "grade"], 1),
        (["site", "mean area"], 2),
        (["mean area", "mean radius", "mean texture"], 2),
    ],
    ids=["encoders", "encoder and scaler", "scalers"],
)
def test_steps_read_a_partition_once_a_pass_and_only_their_columns(steps, passes):
    # A scaler asks for the number of rows, then for the rows.
    READS.clear()
    with dask.config.set({"dataframe.convert-string": False}):
        frame = dd.from_pandas(TABLE, npartitions=3, sort=False)
    frame = frame.map_partitions(read, meta=TABLE.iloc[:0])
    made = [
        (
            name,
            (OneHotEncoder if name in ("site", "grade") else StandardScaler)(),
            [name],
        )
        for name in steps
    ]
    columns = AutoScaleColumnTransformer(made, sparse_threshold=0, engine="blockwise")
    columns.fit(frame)
    assert len(READS) == 3 * passes


def test_of_a_file_only_the_columns_of_steps_are_read(tmp_path, monkeypatch):
    dd.from_pandas(TABLE, npartitions=3).to_parquet(tmp_path)
    columns_read, original = set(), ParquetFunctionWrapper.__call__

    def read(self, part):
        frame = original(self, part)
        columns_read.update(frame.columns)
        return frame

    monkeypatch.setattr(ParquetFunctionWrapper, "__call__", read)
    steps = [("scale", StandardScaler(), ["mean area"]), ("o", OneHotEncoder(), [5])]
    rows = dd.read_parquet(tmp_path)
    AutoScaleColumnTransformer(steps, engine="blockwise").fit_transform(rows).compute()
    assert columns_read == {"mean area", "site"}


def test_weights_are_routed_to_the_steps_that_ask_for_them(stored):
    weight = np.random.default_rng(2).uniform(0.5, 2, len(TABLE))

    def make(columns, scaler):
        weighted = scaler().set_fit_request(sample_weight=True)
        plain = scaler().set_fit_request(sample_weight=False)
        steps = [("w", weighted, ["mean area"]), ("p", plain, ["mean radius"])]
        return columns(steps)

    blocks = da.from_array(weight, chunks=100)
    with sklearn.config_context(enable_metadata_routing=True):
        theirs = make(ColumnTransformer, StandardScaler)
        theirs.fit(TABLE, sample_weight=weight)
        for scaler in (AutoScaleStandardScaler, StandardScaler):
            ours = make(AutoScaleColumnTransformer, scaler)
            ours.set_params(engine="blockwise").fit(stored[0], sample_weight=blocks)
            for name in "wp":
                found, expected = (
                    columns.named_transformers_[name].mean_
                    for columns in (ours, theirs)
                )
                assert_allclose(found, expected, rtol=1e-10)


def test_metadata_beside_blocks_to_transform_is_refused_by_name(stored):
    ours = columns_of(OURS, engine="blockwise").fit(stored[0])
    with pytest.raises(
        TypeError, match=r"no metadata beside .* got \['sample_weight'\]"
    ):
        ours.transform(stored[0], sample_weight=np.ones(len(TABLE)))


def test_a_table_is_fitted_and_transformed_on_a_cluster(stored, client):
    rows = stored[0]
    ours = columns_of(OURS, engine="blockwise").fit(rows)
    theirs = columns_of(THEIRS).fit(TABLE)
    assert_allclose(
        ours.transform(rows).compute(), theirs.transform(TABLE), rtol=1e-9, atol=1e-12
    )


@settings(max_examples=8)
@given(st.data())
def test_every_cut_of_a_table_gives_scikit_learns_output(data):
    sizes = data.draw(cuts(60))
    table = TABLE.iloc[:60]
    ends = np.cumsum(sizes)
    parts = [table.iloc[end - n : end] for end, n in zip(ends, sizes, strict=True)]
    with dask.config.set({"dataframe.convert-string": False}):
        frame = dd.from_map(lambda i: parts[i], range(len(parts)), meta=table[:0])
    ours = columns_of(OURS, engine="blockwise").fit(frame)
    theirs = columns_of(THEIRS).fit(table)
    found = ours.transform(frame).compute()
    assert_allclose(dense(found), dense(theirs.transform(table)), rtol=1e-9, atol=1e-9)
    assert list(ours.get_feature_names_out()) == list(theirs.get_feature_names_out())


@settings(max_examples=8)
@given(st.data())
def test_sparse_blocks_are_taken_where_scikit_learn_takes_them(data):
    rows = np.where(HOLES > 1.5, 0, np.nan_to_num(HOLES))
    blocks = cut(rows, data.draw(cuts(80))).map_blocks(sp.csr_matrix)
    steps = [("largest", MaxAbsScaler(), [0, 2]), ("same", "passthrough", [1])]
    ours = AutoScaleColumnTransformer(steps, engine="blockwise").fit(blocks)
    theirs = ColumnTransformer(steps).fit(sp.csr_matrix(rows))
    assert ours.sparse_output_ == theirs.sparse_output_
    found = ours.transform(blocks).compute()
    assert_allclose(dense(found), dense(theirs.transform(sp.csr_matrix(rows))))


PAIR = [("scale", AutoScaleStandardScaler()), ("limits", MinMaxScaler())]


def test_a_union_of_our_steps_takes_arrays_of_known_sizes():
    rows = np.nan_to_num(HOLES[:, :2])
    pair = [PAIR[0], ("largest", AutoScaleMinMaxScaler())]
    ours = FeatureUnion(pair, transformer_weights={"scale": 3.0})
    expected = to_plain(ours).fit_transform(rows)
    found = ours.fit(cut(rows, (20, 60))).transform(cut(rows, (20, 60)))
    assert isinstance(found, da.Array)
    assert_allclose(found.compute(), expected, rtol=1e-12)


@pytest.mark.parametrize("container", ["default", "pandas"])
@pytest.mark.parametrize("kind", ["an array", "unknown sizes", "a frame"])
def test_a_union_as_a_step_takes_anything(kind, container):
    rows = pd.DataFrame(np.nan_to_num(HOLES[:, :2]), columns=["a", "b"])
    blocks = dd.from_pandas(rows, npartitions=3)
    union = FeatureUnion(
        [*PAIR, ("none", "drop"), ("same", "passthrough")],
        transformer_weights={"scale": 3.0},
    )
    steps = [("union", union, slice(0, None))]
    ours = AutoScaleColumnTransformer(steps, engine="blockwise")
    theirs = to_plain(ours).set_output(transform=container)
    if kind != "a frame":
        rows, blocks = rows.to_numpy(), cut(rows.to_numpy(), (20, 60))
    if kind == "unknown sizes":
        blocks = blocks[blocks[:, 0] > -np.inf]
    found = ours.set_output(transform=container).fit(blocks).transform(blocks)
    expected = theirs.fit_transform(rows)
    assert type(found.compute()) is type(expected)
    assert_allclose(found.compute(), expected, rtol=1e-12)
    assert isinstance(found, dd.DataFrame if container == "pandas" else da.Array)
    names = theirs.get_feature_names_out()
    assert list(ours.get_feature_names_out()) == list(names)
    assert container == "default" or list(found.columns) == list(names)


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
    "median of another sign": (
        np.nan_to_num(HOLES, nan=-1),
        {"missing_values": -1, "strategy": "median"},
    ),
    "median of whole numbers": (
        np.nan_to_num(HOLES, nan=-1).astype(int),
        {"missing_values": -1, "strategy": "median", "add_indicator": True},
    ),
    "refused None": (
        np.where(np.isnan(HOLES), None, HOLES),
        {"missing_values": None, "strategy": "median"},
    ),
    "most frequent of objects": (
        np.where(WORDS == "a", WORDS, None),
        {"missing_values": None, "strategy": "most_frequent"},
    ),
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


@pytest.mark.parametrize("missing", [pd.NA, np.nan], ids=["NA", "NaN"])
def test_medians_of_nullable_columns_are_scikit_learns(missing):
    table = pd.DataFrame(HOLES[:, :2], columns=["a", "b"]).astype("Float64")
    frame = dd.from_pandas(table, npartitions=3)
    params = {"missing_values": missing, "strategy": "median"}
    ours = AutoScaleSimpleImputer(**params, engine="blockwise").fit(frame)
    theirs = SimpleImputer(**params).fit(table)
    assert_allclose(ours.statistics_, theirs.statistics_)
    assert_allclose(ours.transform(frame).compute(), theirs.transform(table))


CATEGORIES = pd.DataFrame(
    {
        "category": pd.Categorical([*"aab"] * 20 + [np.nan] * 20),
        "text": pd.Series([*"xyy"] * 20 + [np.nan] * 20, dtype=object),
    }
)


@pytest.mark.parametrize("strategy", ["most_frequent", "constant"])
@pytest.mark.parametrize("column", CATEGORIES)
def test_text_and_categories_are_imputed_as_in_scikit_learn(column, strategy):
    table = CATEGORIES[[column]]
    frame = dd.from_pandas(table, npartitions=4)
    ours = AutoScaleSimpleImputer(strategy=strategy, engine="blockwise").fit(frame)
    theirs = SimpleImputer(strategy=strategy).fit(table)
    assert ours.statistics_.tolist() == theirs.statistics_.tolist()
    found, expected = ours.transform(frame).compute(), theirs.transform(table)
    assert found.tolist() == expected.tolist()


def test_inverse_transform_without_indicators_is_scikit_learns_error():
    blocks = cut(HOLES, (40, 40))
    imputer = AutoScaleSimpleImputer(engine="blockwise").fit(blocks)
    with pytest.raises(ValueError, match="add_indicator=True"):
        imputer.inverse_transform(imputer.transform(blocks))


@pytest.mark.parametrize(
    "make",
    [
        AutoScaleOneHotEncoder,
        AutoScaleOrdinalEncoder,
        lambda: AutoScaleSimpleImputer(strategy="most_frequent"),
    ],
    ids=["one-hot", "ordinal", "imputer"],
)
@pytest.mark.parametrize("npartitions", [1, 16])
def test_values_that_do_not_repeat_are_refused_before_memory_is_full(make, npartitions):
    names = np.array([f"customer {i}" for i in range(4000)], object)
    frame = dd.from_pandas(pd.DataFrame({"site": "x", "who": names}), npartitions)
    with config_context(memory_budget="1MB", engine="blockwise"):
        with pytest.raises(MemoryError, match=r"Column 'who' has more than .* 1\.0 MB"):
            make().fit(frame)
        make().fit(frame[["site"]])
