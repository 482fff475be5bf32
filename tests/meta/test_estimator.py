"""AutoScaleEstimator: blocks give what the whole gives, for any estimator."""

import inspect
import pickle
import warnings

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.cluster import DBSCAN, KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from sklearn_dask_auto import (
    AutoScaleEstimator,
    AutoScaleKMeans,
    AutoScaleRidge,
    AutoScaleSearchCV,
    NoEngineError,
    config_context,
)
from tests.cuts import cut, cuts

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 4)) + 2 * RNG.integers(0, 2, size=(80, 1))
Y = np.where(X[:, 0] > 1, "many", "few")
NUMBERS = X @ [1.0, -2.0, 0.5, 3.0]
WEIGHT = RNG.uniform(0.1, 2, size=80)
BLOCKS, LABELS = cut(X, (30, 0, 50)), cut(Y, (30, 50))
FRAME = pd.DataFrame(X, columns=list("abcd")).assign(
    town=[f"town {i % 3}" for i in range(80)]
)
TABLE = ColumnTransformer(
    [("words", OneHotEncoder(), ["town"]), ("numbers", StandardScaler(), ["b", "a"])]
)


def refuse(graph, keys, **options):
    raise AssertionError("a dask graph was computed")


def lazily(call, *args):
    with dask.config.set(scheduler=refuse):
        return call(*args)


def assert_lazy_and_equal(model, method, rows, here):
    lazy = lazily(getattr(model, method), rows)
    expected = getattr(model.estimator_, method)(here)
    found = lazy.compute()
    assert isinstance(lazy, da.Array)
    assert found.shape == expected.shape
    assert found.dtype == lazy.dtype == expected.dtype
    assert sp.issparse(found) == sp.issparse(expected)
    found, expected = (v.toarray() if sp.issparse(v) else v for v in (found, expected))
    if expected.dtype.kind == "f":
        assert_allclose(found, expected, rtol=1e-6, atol=1e-9)
    else:
        assert_array_equal(found, expected)


METHODS = ["predict", "predict_proba", "decision_function", "transform"]
MODELS = {
    "forest": RandomForestClassifier(5, random_state=0),
    "boosting": HistGradientBoostingClassifier(max_iter=3),
    "svc": SVC(),
    "scaler": StandardScaler(),
    "pca": PCA(2),
    "pipeline": make_pipeline(StandardScaler(), PCA(3), LogisticRegression()),
}
FITTED = {name: AutoScaleEstimator(m).fit(BLOCKS, LABELS) for name, m in MODELS.items()}


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=15)
@given(data=st.data())
def test_any_cut_gives_what_the_whole_gives(name, data):
    model = FITTED[name]
    rows = cut(X, data.draw(cuts(80)), data.draw(st.sampled_from([-1, 1])))
    for method in METHODS:
        if hasattr(model, method):
            assert_lazy_and_equal(model, method, rows, X)


@given(n_parts=st.integers(1, 9), known=st.booleans())
@settings(max_examples=15)
def test_a_table_of_words_and_numbers_is_mapped_by_partition(n_parts, known):
    pipe = make_pipeline(TABLE, LogisticRegression())
    frame = dd.from_pandas(FRAME, npartitions=n_parts)
    frame = frame if known else frame[frame.a > -1e9]
    model = AutoScaleEstimator(pipe).fit(frame, Y)
    assert list(model.feature_names_in_) == list(FRAME.columns)
    for method in ("predict", "predict_proba"):
        assert_lazy_and_equal(model, method, frame, frame.compute())


def test_the_users_estimator_stays_as_it_was():
    mine = SVC()
    model = AutoScaleEstimator(mine).fit(BLOCKS, LABELS)
    with pytest.raises(NotFittedError):
        check_is_fitted(mine)
    check_is_fitted(model)
    model = AutoScaleEstimator(StandardScaler()).set_output(transform="pandas")
    assert isinstance(model.fit(X).transform(X), pd.DataFrame)
    assert isinstance(clone(model).fit_transform(X), pd.DataFrame)
    assert not hasattr(model.estimator, "_sklearn_output_config")


def test_methods_in_place_leave_the_callers_blocks_alone():
    mine = make_pipeline(StandardScaler(copy=False))
    model = AutoScaleEstimator(mine).fit(X)
    rows = X.copy()
    model.transform(da.from_array(rows, chunks=(20, 4))).compute()
    assert_array_equal(rows, X)
    assert model.estimator_[0].copy is False


@pytest.mark.parametrize("depth", ["frozen", "step", "column"])
def test_what_is_fitted_to_work_in_place_leaves_stored_blocks_alone(depth):
    frozen = FrozenEstimator(StandardScaler(copy=False).fit(X.copy()))
    in_place = StandardScaler(copy=False)
    estimator = {
        "frozen": frozen,
        "step": make_pipeline(frozen),
        "column": ColumnTransformer([("scale", in_place, slice(0, 4))]),
    }[depth]
    model = AutoScaleEstimator(estimator).fit(X.copy())
    stored = da.from_array(X, chunks=(20, 4)).persist()
    assert_allclose(model.transform(stored).compute(), model.transform(X.copy()))
    assert_array_equal(stored.compute(), X)


def test_a_fit_on_dask_input_is_scikit_learns_on_the_whole():
    weights = cut(WEIGHT, (20, 60))
    model = AutoScaleEstimator(Ridge())
    model.fit(BLOCKS, da.from_array(NUMBERS, chunks=9), sample_weight=weights)
    reference = Ridge().fit(X, NUMBERS, sample_weight=WEIGHT)
    assert_array_equal(model.estimator_.coef_, reference.coef_)
    assert model.plan_.engine == "sklearn"
    assert model.plan_.seconds > 0


def test_a_clone_and_a_pickle_keep_what_they_should():
    model = FITTED["forest"]
    loaded = pickle.loads(pickle.dumps(model))
    assert_array_equal(loaded.predict(X), model.predict(X))
    assert loaded.plan_ == model.plan_
    with pytest.raises(NotFittedError):
        clone(model).predict(X)


def test_no_row_of_the_data_is_pickled():
    names = np.array([f"secret {i % 3}" for i in range(80)], object)
    coded = np.array([f"hidden {i}" for i in range(80)], object)
    rows = np.column_stack([names, coded])
    model = AutoScaleEstimator(make_pipeline(OneHotEncoder(), PCA(1))).fit(rows)
    model.estimator_[0].categories_ = [c * 0 for c in ([0],) * 2]
    dump = pickle.dumps(model)
    assert b"secret" not in dump
    assert b"hidden" not in dump
    model = AutoScaleEstimator(StandardScaler()).fit(np.full((9, 2), 1234.5))
    assert not vars(model)["_outputs"]


@pytest.mark.parametrize("container", ["default", "pandas"])
@pytest.mark.parametrize("kind", [float, int, object])
def test_encoders_tell_what_they_return_after_a_pickle(kind, container):
    codes = RNG.integers(3, 6, size=(80, 2)).astype(kind)
    model = AutoScaleEstimator(OneHotEncoder(sparse_output=False)).fit(codes)
    model.set_output(transform=container)
    model = pickle.loads(pickle.dumps(model))
    lazy = lazily(model.transform, da.from_array(codes, chunks=(30, 2)))
    found, expected = lazy.compute(), model.transform(codes)
    assert type(found) is type(expected)
    assert_array_equal(found, expected)
    inverse = lazily(model.inverse_transform, da.from_array(np.asarray(expected)))
    assert inverse.dtype == codes.dtype
    assert_array_equal(inverse.compute(), codes)


@pytest.mark.parametrize("wrap", [GridSearchCV, AutoScaleSearchCV])
@pytest.mark.parametrize("rows", [X, BLOCKS], ids=["numpy", "dask"])
def test_a_search_reaches_nested_parameters(wrap, rows):
    if wrap is GridSearchCV and rows is BLOCKS:
        rows = X
    grid = [0.01, 1.0]
    reference = GridSearchCV(SVC(), {"C": grid}, cv=3).fit(X, Y)
    search = wrap(AutoScaleEstimator(SVC()), {"estimator__C": grid}, cv=3).fit(rows, Y)
    assert search.best_params_ == {"estimator__C": reference.best_params_["C"]}
    assert_array_equal(
        search.cv_results_["mean_test_score"],
        reference.cv_results_["mean_test_score"],
    )
    assert search.score(rows, Y) == reference.score(X, Y)


def test_cross_validation_stratifies_and_scores_as_for_what_is_wrapped():
    for scoring in (None, "roc_auc"):
        assert_array_equal(
            cross_val_score(AutoScaleEstimator(SVC()), X, Y, cv=4, scoring=scoring),
            cross_val_score(SVC(), X, Y, cv=4, scoring=scoring),
        )


@pytest.mark.parametrize("estimator", [SVC(), Ridge(), KMeans(), MODELS["pipeline"]])
def test_tags_are_those_of_what_is_wrapped(estimator):
    model = AutoScaleEstimator(estimator)
    assert get_tags(model) == get_tags(estimator)
    assert is_classifier(model) == is_classifier(estimator)
    assert is_regressor(model) == is_regressor(estimator)


@pytest.mark.usefixtures("no_compute")
@pytest.mark.parametrize(
    ("estimator", "advice"),
    [
        (SVC(), "set_config"),
        (Ridge(), "that is what AutoScaleRidge is for"),
    ],
    ids=["svc", "kernel"],
)
def test_over_the_budget_is_refused_before_anything_is_computed(estimator, advice):
    lazy = da.zeros((1_000_000, 10), chunks=(100_000, 10))
    model = AutoScaleEstimator(estimator)
    with (
        config_context(memory_budget="10MB"),
        pytest.raises(NoEngineError, match=r"88 MB.*memory budget of 10 MB") as refused,
    ):
        model.fit(lazy, da.zeros(1_000_000, chunks=100_000))
    assert advice in str(refused.value)
    assert not [name for name in vars(model) if name.endswith("_")]


@pytest.mark.usefixtures("no_compute")
@pytest.mark.parametrize("engine", ["joblib", "dask-ml", "blockwise"])
def test_an_engine_that_cannot_is_refused_with_its_reason(engine):
    for method in ("fit", "fit_predict"):
        with pytest.raises(NoEngineError, match=f"{engine}: .*"):
            getattr(AutoScaleEstimator(KMeans(), engine=engine), method)(BLOCKS)


@pytest.mark.parametrize(
    "estimator",
    [SVC(), PCA(), KMeans(), make_pipeline(PCA(), Ridge()), AutoScaleRidge()],
    ids=lambda estimator: type(estimator).__name__,
)
def test_fit_has_the_signature_of_the_wrapped_one(estimator):
    model = AutoScaleEstimator(estimator)
    assert inspect.signature(model.fit) == inspect.signature(estimator.fit)
    for name in ("sample_weight", "groups"):
        takes = has_fit_parameter(estimator, name)
        assert has_fit_parameter(model, name) == takes
    fit = pickle.loads(pickle.dumps(model.fit))
    assert "estimator_" in vars(fit(X, X[:, 0] > 1))
    assert fit.__doc__ == AutoScaleEstimator.fit.__doc__


@pytest.mark.usefixtures("no_compute")
def test_what_is_no_estimator_is_refused_before_anything_is_computed():
    with pytest.raises(TypeError):
        AutoScaleEstimator(SVC).fit(BLOCKS, LABELS)
    with pytest.raises(ValueError, match="'estimator' parameter"):
        AutoScaleEstimator(3).fit(BLOCKS, LABELS)


def test_what_is_frozen_is_mapped_without_fitting_or_gathering():
    fitted = SVC().fit(X, Y)
    frozen = FrozenEstimator(fitted)
    with config_context(memory_budget="1kB"):
        model = lazily(AutoScaleEstimator(frozen).fit, BLOCKS, LABELS)
    assert model.to_sklearn().estimator is not fitted
    assert_lazy_and_equal(model, "predict", BLOCKS, X)
    assert model.score(BLOCKS, LABELS) == fitted.score(X, Y)
    scaler = FrozenEstimator(StandardScaler().fit(X))
    framed = AutoScaleEstimator(scaler).set_output(transform="pandas").fit(X)
    assert isinstance(framed.transform(X), pd.DataFrame)
    assert type(scaler.transform(X)) is np.ndarray


def test_before_fit_methods_raise_not_fitted_and_facts_are_absent():
    model = AutoScaleEstimator(SVC())
    for rows in (X, BLOCKS):
        with pytest.raises(NotFittedError):
            model.predict(rows)
        with pytest.raises(NotFittedError):
            model.score(rows, Y)
    for name in ("classes_", "n_features_in_", "feature_names_in_"):
        assert not hasattr(model, name)
    assert list(FITTED["svc"].classes_) == ["few", "many"]
    assert FITTED["svc"].n_features_in_ == 4


def test_what_needs_no_fit_works_without():
    double = AutoScaleEstimator(FunctionTransformer(np.negative))
    assert_array_equal(double.transform(BLOCKS).compute(), -X)


def test_methods_that_the_estimator_lacks_are_absent():
    model = FITTED["svc"]
    for method in ("transform", "predict_proba", "fit_transform", "set_output"):
        assert not hasattr(model, method)
    assert not hasattr(AutoScaleEstimator(StandardScaler()), "predict")
    assert not hasattr(model, "partial_fit")
    assert not hasattr(AutoScaleEstimator(PCA()), "fit_predict")


def test_set_output_gives_a_lazy_frame_with_scikit_learns_names():
    frame = dd.from_pandas(FRAME, npartitions=3)
    table = clone(TABLE).set_params(words__sparse_output=False)
    model = AutoScaleEstimator(table).set_output(transform="pandas").fit(frame)
    found = lazily(model.transform, frame)
    assert isinstance(found, dd.DataFrame)
    expected = table.set_output(transform="pandas").fit_transform(FRAME)
    pd.testing.assert_frame_equal(found.compute(), expected, check_column_type=False)
    assert list(model.get_feature_names_out()) == list(expected.columns)
    blocks = AutoScaleEstimator(StandardScaler()).set_output(transform="polars")
    with pytest.raises(ValueError, match=r"polars'\) has no lazy .* Use 'pandas'"):
        blocks.fit(X).transform(BLOCKS)


def test_sparse_output_stays_sparse():
    frame = dd.from_pandas(FRAME[["town"]], npartitions=3)
    model = AutoScaleEstimator(OneHotEncoder()).fit(frame)
    assert_lazy_and_equal(model, "transform", frame, FRAME[["town"]])
    coded = da.from_array(model.transform(FRAME[["town"]]).toarray(), chunks=(30, 3))
    assert_array_equal(model.inverse_transform(coded).compute(), FRAME[["town"]])


@pytest.mark.parametrize("kind", ["array", "series"])
def test_texts_of_one_dimension_are_mapped(kind):
    texts = np.array([f"{t} {y}" for t, y in zip(FRAME.town, Y, strict=True)], object)
    rows = da.from_array(texts, chunks=30)
    if kind == "series":
        rows = dd.from_pandas(pd.Series(texts), npartitions=3)
    model = AutoScaleEstimator(make_pipeline(TfidfVectorizer(), LogisticRegression()))
    model.fit(rows, LABELS)
    assert_lazy_and_equal(model, "predict", rows, texts)
    assert_lazy_and_equal(model.fit(rows, Y), "predict_proba", rows, texts)
    words = AutoScaleEstimator(TfidfVectorizer()).fit(rows)
    assert_lazy_and_equal(words, "transform", rows, texts)


def test_fitting_and_applying_at_once_gives_scikit_learns_answer():
    for estimator, method in [
        (PCA(2), "fit_transform"),
        (KMeans(3, random_state=0), "fit_predict"),
        (DBSCAN(), "fit_predict"),
        (TargetEncoder(cv=StratifiedKFold(4)), "fit_transform"),
    ]:
        expected = getattr(clone(estimator), method)(X, Y)
        found = getattr(AutoScaleEstimator(estimator), method)(BLOCKS, LABELS)
        assert isinstance(found, da.Array)
        assert found.chunks[0] == BLOCKS.chunks[0]
        assert_allclose(found.compute(), expected, atol=1e-12)
        here = getattr(AutoScaleEstimator(estimator), method)(X, Y)
        assert_array_equal(here, expected)


@pytest.mark.parametrize("estimator", [SVC(), KMeans(3, random_state=0)])
def test_scores_are_python_floats_and_those_of_scikit_learn(estimator):
    model = AutoScaleEstimator(estimator).fit(X, Y)
    expected = clone(estimator).fit(X, Y).score(X, Y)
    for rows in (BLOCKS, dd.from_pandas(pd.DataFrame(X), npartitions=2)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            score = model.score(rows, LABELS)
        assert type(score) is float
        assert score == pytest.approx(expected)


def test_weights_are_routed_as_requested():
    def coefficients(wrap):
        ridge = Ridge().set_fit_request(sample_weight=True)
        ridge.set_score_request(sample_weight=True)
        pipe = make_pipeline(wrap(ridge)).fit(X, NUMBERS, sample_weight=WEIGHT)
        return pipe.predict(X), pipe.score(X, NUMBERS, sample_weight=WEIGHT)

    with sklearn.config_context(enable_metadata_routing=True):
        found, expected = coefficients(AutoScaleEstimator), coefficients(lambda e: e)
        assert_array_equal(found[0], expected[0])
        assert found[1] == expected[1]


def test_an_estimator_of_this_library_takes_dask_input_itself():
    model = AutoScaleEstimator(AutoScaleKMeans(2, random_state=0), engine="blockwise")
    with config_context(memory_budget="1kB"):
        assert model.explain(BLOCKS).engine == "blockwise"
        model.fit(BLOCKS)
    assert model.plan_.engine == "blockwise"
    assert model.estimator.engine == "auto"
    reference = KMeans(2, random_state=0).fit(X)
    assert_array_equal(model.predict(BLOCKS).compute(), reference.labels_)
    assert model.score(BLOCKS) == pytest.approx(reference.score(X))
    assert type(model.to_sklearn()) is KMeans


def test_to_sklearn_is_plain_all_the_way_down():
    inner = make_pipeline(StandardScaler(), AutoScaleEstimator(AutoScaleRidge()))
    plain = AutoScaleEstimator(inner).fit(X, NUMBERS).to_sklearn()
    assert type(plain[-1]) is Ridge
    assert b"sklearn_dask_auto" not in pickle.dumps(plain)
    assert_allclose(
        plain.predict(X),
        Ridge().fit(plain[0].transform(X), NUMBERS).predict(plain[0].transform(X)),
    )


def test_rows_that_cannot_be_cut_do_not_fail_a_fit():
    class Whole:
        """What some libraries have: a shape, an array within, and no slices."""

        shape = X.shape

        def __array__(self, dtype=None, copy=None):
            return np.array(X, dtype)

        def __len__(self):
            return len(X)

        def __getitem__(self, key):
            raise RuntimeError("no views")

    model = AutoScaleEstimator(StandardScaler()).fit(Whole())
    assert_allclose(model.estimator_.mean_, X.mean(axis=0))
