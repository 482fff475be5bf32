"""`cross_validate` and its kin on dask input: scikit-learn's folds and scores."""

import inspect

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import sklearn
import sklearn.model_selection as original
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, mean_absolute_error, r2_score
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    PredefinedSplit,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
)
from sklearn.pipeline import make_pipeline

import sklearn_dask_auto
from sklearn_dask_auto import (
    AutoScaleEstimator,
    AutoScaleGaussianNB,
    AutoScaleKMeans,
    AutoScaleLinearRegression,
    AutoScaleLogisticRegression,
    AutoScaleRidge,
    AutoScaleStandardScaler,
    NoEngineError,
    config_context,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from tests.cuts import cut, cuts

N = 120
X, Y = make_classification(N, 5, flip_y=0.2, random_state=0)
LABELS = np.array(["no", "yes"])[Y]
NUMBERS = X @ [1.0, 2, 0, -1, 3] + np.random.default_rng(1).normal(size=N)
WEIGHTS = np.random.default_rng(2).uniform(0.1, 2, size=N)
GROUPS = np.random.default_rng(3).integers(6, size=N)
FRAME = pd.DataFrame(X, columns=list("abcde"))

X_KINDS = {
    "array": lambda: da.from_array(X, chunks=(50, 5)),
    "array cut across columns": lambda: da.from_array(X, chunks=(33, 2)),
    "array of unknown rows": lambda: dd.from_pandas(FRAME, 3).to_dask_array(),
    "frame": lambda: dd.from_pandas(FRAME, npartitions=3),
}
BAYES = AutoScaleGaussianNB(engine="blockwise")
RIDGE = AutoScaleRidge(engine="blockwise")


def assert_same(found, expected, rtol=1e-9):
    assert list(found) == list(expected)
    for name, values in expected.items():
        if name.startswith(("test_", "train_")):
            assert found[name].dtype == values.dtype == np.float64
            assert_allclose(found[name], values, rtol=rtol)


@settings(max_examples=25)
@given(st.data())
def test_scores_are_scikit_learns_for_any_cut(data):
    blocks = cut(X, data.draw(cuts(N)), data.draw(st.sampled_from([-1, 2])))
    labels = data.draw(st.sampled_from([LABELS, cut(LABELS, data.draw(cuts(N)))]))
    cv = data.draw(
        st.sampled_from([None, 3, KFold(4), ShuffleSplit(2, random_state=0)])
    )
    scoring = ["accuracy", "neg_log_loss"]
    found = cross_validate(BAYES, blocks, labels, cv=cv, scoring=scoring)
    assert_same(
        found, original.cross_validate(BAYES, X, LABELS, cv=cv, scoring=scoring)
    )


@pytest.mark.parametrize("kind", X_KINDS)
@pytest.mark.parametrize("engine", ["auto", "blockwise"])
def test_kinds_of_input_give_the_same_scores(kind, engine):
    ridge = AutoScaleRidge(engine=engine)
    here = FRAME if kind == "frame" else X
    y = da.from_array(NUMBERS, chunks=31)
    found = cross_validate(
        ridge, X_KINDS[kind](), y, return_train_score=True, return_estimator=True
    )
    expected = original.cross_validate(
        ridge, here, NUMBERS, return_train_score=True, return_estimator=True
    )
    assert_same(found, expected)
    for ours, theirs in zip(found["estimator"], expected["estimator"], strict=True):
        assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9)
        assert hasattr(ours, "feature_names_in_") == (kind == "frame")


SPLITTERS = {
    "none": None,
    "int": 4,
    "shuffled": KFold(3, shuffle=True, random_state=0),
    "stratified": StratifiedKFold(3, shuffle=True, random_state=0),
    "repeated": RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=0),
    "groups": GroupKFold(3),
    "one group out": LeaveOneGroupOut(),
    "stratified groups": StratifiedGroupKFold(2),
    "time": TimeSeriesSplit(3),
    "predefined": PredefinedSplit(np.arange(N) % 3),
    "random": ShuffleSplit(2, test_size=0.2, random_state=0),
    "list": [(np.arange(60), np.arange(60, N)), ([5, 90, 2] * 10, [7, 1])],
    "masks": [(np.arange(N) < 80, np.arange(N) >= 80)],
}


@pytest.mark.parametrize("cv", SPLITTERS.values(), ids=list(SPLITTERS))
@pytest.mark.parametrize("lazy", [False, True])
def test_folds_are_those_of_any_splitter_of_scikit_learn(cv, lazy):
    options = {"cv": cv, "return_indices": True}
    groups = GROUPS if "Group" in type(cv).__name__ else None
    expected = original.cross_validate(BAYES, X, LABELS, groups=groups, **options)
    if lazy and groups is not None:
        groups = da.from_array(GROUPS, chunks=50)
    found = cross_validate(BAYES, X_KINDS["array"](), LABELS, groups=groups, **options)
    assert_same(found, expected)
    if cv is not SPLITTERS["masks"]:
        for half in ("train", "test"):
            for ours, theirs in zip(
                found["indices"][half], expected["indices"][half], strict=True
            ):
                assert_array_equal(ours, theirs)


@pytest.mark.parametrize("lazy", [False, True])
def test_weights_follow_the_folds_and_reach_scorers_by_routing(lazy):
    weights = da.from_array(WEIGHTS, chunks=11) if lazy else WEIGHTS
    y = da.from_array(NUMBERS, chunks=40)
    found = cross_val_score(
        RIDGE, X_KINDS["array"](), y, params={"sample_weight": weights}
    )
    params = {"sample_weight": WEIGHTS}
    expected = original.cross_val_score(RIDGE, X, NUMBERS, params=params)
    assert_allclose(found, expected, rtol=1e-9)
    with sklearn.config_context(enable_metadata_routing=True):
        ridge = AutoScaleRidge(engine="blockwise").set_fit_request(sample_weight=True)
        scorer = make_scorer(mean_absolute_error).set_score_request(sample_weight=True)
        plain = make_scorer(r2_score).set_score_request(sample_weight=False)
        options = {"cv": GroupKFold(3), "scoring": {"error": scorer, "r2": plain}}
        found = cross_validate(
            ridge,
            X_KINDS["array"](),
            y,
            params={"sample_weight": weights, "groups": da.from_array(GROUPS)},
            **options,
        )
        params = {"sample_weight": WEIGHTS, "groups": GROUPS}
        assert_same(
            found, original.cross_validate(ridge, X, NUMBERS, params=params, **options)
        )


def count_calls(counts):
    def counting(graph, keys, **options):
        counts.append(keys)
        return dask.get(graph, keys, **options)

    return dask.config.set(scheduler=counting)


class Loads:
    """A collection that records which of its partitions are read."""

    def __init__(self):
        self.read = []

    def __call__(self, i):
        self.read.append(i)
        return FRAME.iloc[30 * i : 30 * i + 30]

    def frame(self):
        return dd.from_map(self, range(4), meta=FRAME.iloc[:0])


def test_all_predictions_of_a_fold_are_one_computation(monkeypatch):
    counts = []
    fit = AutoScaleGaussianNB.fit

    def counted_fit(self, *args, **params):
        before = len(counts)
        fit(self, *args, **params)
        del counts[before:]
        return self

    monkeypatch.setattr(AutoScaleGaussianNB, "fit", counted_fit)
    scoring = ["accuracy", "f1", "neg_log_loss", "roc_auc"]
    with count_calls(counts):
        cross_validate(
            AutoScaleGaussianNB(engine="blockwise"),
            X_KINDS["array"](),
            Y,
            scoring=scoring,
            cv=2,
        )
    assert len(counts) == 2


def test_lazy_blocks_are_read_once_if_they_can_be_kept():
    loads = Loads()
    with config_context(memory_budget="1MB"):
        cross_val_score(RIDGE, loads.frame().to_dask_array(lengths=[30] * 4), NUMBERS)
    assert sorted(loads.read) == [0, 1, 2, 3]


def test_blocks_over_the_budget_are_read_for_each_fold_and_no_more_than_needed():
    loads = Loads()
    with config_context(memory_budget=1000):
        cross_val_score(
            RIDGE, loads.frame().to_dask_array(lengths=[30] * 4), NUMBERS, cv=KFold(4)
        )
    # The fit reads three blocks of four, the score the other.
    assert sorted(loads.read) == sorted([0, 1, 2, 3] * 4)


@pytest.mark.parametrize(
    ("estimator", "y"),
    [
        (AutoScaleLinearRegression(engine="blockwise"), NUMBERS),
        (AutoScaleLinearRegression(engine="blockwise"), np.c_[NUMBERS, -NUMBERS]),
        (AutoScaleLogisticRegression(tol=1e-9, engine="blockwise"), LABELS),
        (make_pipeline(AutoScaleStandardScaler(engine="blockwise"), RIDGE), NUMBERS),
        (AutoScaleEstimator(LogisticRegression()), LABELS),
    ],
    ids=["linear", "two targets", "logistic", "pipeline", "wrapped"],
)
@pytest.mark.parametrize("kind", ["array", "frame"])
def test_any_estimator_of_ours_and_pipelines_of_them(estimator, y, kind):
    here = FRAME if kind == "frame" else X
    found = cross_val_score(estimator, X_KINDS[kind](), y, cv=3)
    assert_allclose(
        found, original.cross_val_score(estimator, here, y, cv=3), rtol=1e-4
    )


def test_without_a_target():
    kmeans = AutoScaleKMeans(2, random_state=0, engine="blockwise")
    found = cross_val_score(kmeans, X_KINDS["array"](), cv=3)
    assert_allclose(found, original.cross_val_score(kmeans, X, cv=3), rtol=1e-6)


def absolute_error(model, X, y):
    return -np.abs(np.asarray(model.predict(X)) - y).mean()


@pytest.mark.parametrize("scoring", [absolute_error, "r2", None, {"e": absolute_error}])
def test_scorers_of_any_kind(scoring):
    found = cross_validate(RIDGE, X_KINDS["array"](), NUMBERS, scoring=scoring)
    assert_same(found, original.cross_validate(RIDGE, X, NUMBERS, scoring=scoring))


@pytest.mark.parametrize("scoring", ["accuracy", ["accuracy", "f1"]])
def test_a_fold_that_fails_scores_as_told(scoring):
    cv = [(np.arange(80), np.arange(80, N)), (np.flatnonzero(Y == 0), np.arange(9))]
    logistic = AutoScaleLogisticRegression(engine="blockwise", tol=1e-9)
    options = {"cv": cv, "scoring": scoring, "error_score": -1.0}
    with pytest.warns(match="1 fits failed out of a total of 2"):
        found = cross_validate(logistic, X_KINDS["array"](), Y, **options)
    with pytest.warns(match="1 fits failed out of a total of 2"):
        expected = original.cross_validate(logistic, X, Y, **options)
    assert_same(found, expected)
    options["error_score"] = "raise"
    with pytest.raises(ValueError, match="at least 2 classes"):
        cross_validate(logistic, X_KINDS["array"](), Y, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"cv": 1},
        {"cv": N + 1},
        {"cv": "a"},
        {"scoring": "nothing"},
        {"y": LABELS[:-1]},
        {"cv": GroupKFold(2)},
        {"error_score": "no"},
    ],
    ids=str,
)
def test_nonsense_is_refused_in_scikit_learns_words(options):
    options = {"y": LABELS, **options}
    with pytest.raises((TypeError, ValueError)) as expected:
        original.cross_validate(BAYES, X, **options)
    with pytest.raises(type(expected.value)) as found:
        cross_validate(BAYES, X_KINDS["array"](), **options)
    assert str(found.value) == str(expected.value)


@pytest.mark.usefixtures("no_compute")
def test_an_estimator_that_takes_no_dask_input_is_refused_over_the_budget():
    with (
        config_context(memory_budget="1kB"),
        pytest.raises(NoEngineError, match="an estimator of this library") as refused,
    ):
        cross_val_score(LogisticRegression(), X_KINDS["array"](), LABELS)
    assert "LogisticRegression.cross_val_score" in str(refused.value)


def test_an_estimator_that_takes_no_dask_input_gets_rows_that_fit():
    found = cross_val_score(LogisticRegression(), X_KINDS["array"](), LABELS)
    assert_array_equal(found, original.cross_val_score(LogisticRegression(), X, LABELS))


def test_rows_in_memory_are_scikit_learns():
    found = cross_validate(
        LogisticRegression(), FRAME, Y, params={"sample_weight": WEIGHTS}, cv=3
    )
    params = {"sample_weight": WEIGHTS}
    expected = original.cross_validate(
        LogisticRegression(), FRAME, Y, params=params, cv=3
    )
    assert_same(found, expected, rtol=0)


def test_scikit_learns_own_function_takes_our_estimators_on_dask_arrays():
    y = da.from_array(NUMBERS, chunks=31)
    for scoring in (None, "neg_mean_squared_error"):
        options = {"scoring": scoring, "error_score": "raise"}
        found = original.cross_val_score(RIDGE, X_KINDS["array"](), y, **options)
        assert_allclose(
            found, original.cross_val_score(RIDGE, X, NUMBERS, **options), rtol=1e-9
        )


@pytest.mark.parametrize("kind", X_KINDS)
@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba"])
@pytest.mark.parametrize(
    "cv",
    [3, [(np.arange(9, N), np.arange(8, -1, -1)), (np.arange(9), np.arange(9, N))]],
    ids=["int", "list"],
)
def test_predictions_are_scikit_learns_in_the_order_of_the_rows(kind, method, cv):
    options = {"cv": cv, "method": method}
    here = FRAME if kind == "frame" else X
    y = da.from_array(LABELS, chunks=50)
    found = cross_val_predict(BAYES, X_KINDS[kind](), y, **options)
    bayes = AutoScaleGaussianNB()
    expected = original.cross_val_predict(bayes, here, LABELS, **options)
    assert isinstance(found, da.Array)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    if method == "predict":
        assert_array_equal(found.compute(), expected)
    else:
        assert_allclose(found.compute(), expected, rtol=1e-7)


def test_predictions_are_in_the_blocks_of_the_rows_and_of_a_partition_only():
    rows = X_KINDS["array"]()
    weights = {"sample_weight": da.from_array(WEIGHTS, chunks=50)}
    found = cross_val_predict(RIDGE, rows, NUMBERS, params=weights)
    assert found.chunks == rows.chunks[:1]
    weights = {"sample_weight": WEIGHTS}
    expected = original.cross_val_predict(RIDGE, X, NUMBERS, params=weights)
    assert_allclose(found.compute(), expected, rtol=1e-9)
    assert isinstance(cross_val_predict(RIDGE, X, NUMBERS), np.ndarray)
    with pytest.raises(ValueError, match="only works for partitions"):
        cross_val_predict(RIDGE, rows, NUMBERS, cv=ShuffleSplit(2))


@pytest.mark.parametrize(
    "name", ["cross_val_predict", "cross_val_score", "cross_validate"]
)
def test_the_signature_is_scikit_learns(name):
    ours = inspect.signature(getattr(sklearn_dask_auto, name))
    theirs = inspect.signature(getattr(original, name))
    for found, expected in zip(
        ours.parameters.values(), theirs.parameters.values(), strict=True
    ):
        assert (found.name, found.kind) == (expected.name, expected.kind)
        assert found.default is expected.default or found.default == expected.default


def test_on_a_cluster_the_scores_are_the_same(client):
    found = cross_val_score(RIDGE, X_KINDS["array"](), NUMBERS)
    assert_allclose(found, original.cross_val_score(RIDGE, X, NUMBERS), rtol=1e-9)
