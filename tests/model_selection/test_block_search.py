"""`AutoScaleSearchCV` on rows that stay dask collections: scikit-learn's results."""

import pickle

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_classification
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  a switch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, mean_absolute_error
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    KFold,
    ShuffleSplit,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import SVC

from sklearn_dask_auto import (
    AutoScaleEstimator,
    AutoScaleGaussianNB,
    AutoScaleKMeans,
    AutoScaleLogisticRegression,
    AutoScalePCA,
    AutoScaleRidge,
    AutoScaleSearchCV,
    AutoScaleStandardScaler,
    NoEngineError,
    config_context,
)
from tests.cuts import cut, cuts

N = 150
X, Y = make_classification(N, 5, flip_y=0.2, random_state=0)
X = np.ascontiguousarray(X)
LABELS = np.array(["no", "yes"])[Y]
NUMBERS = X @ [1.0, 2, 0, -1, 3] + np.random.default_rng(1).normal(size=N)
WEIGHTS = np.random.default_rng(2).uniform(0.1, 2, size=N)
GROUPS = np.random.default_rng(3).integers(6, size=N)
FRAME = pd.DataFrame(X, columns=list("abcde"))
ALPHAS = {"alpha": [0.01, 1.0, 100.0]}
TOO_SMALL = "2kB"
"""A memory budget under which no collection of these tests is brought here."""

X_KINDS = {
    "array": lambda: da.from_array(X, chunks=(50, 5)),
    "array cut across columns": lambda: da.from_array(X, chunks=(40, 2)),
    "array of unknown rows": lambda: dd.from_pandas(FRAME, 3).to_dask_array(),
    "frame": lambda: dd.from_pandas(FRAME, npartitions=3),
}


def assert_same_search(found, original, rtol=1e-7):
    assert list(found.cv_results_) == list(original.cv_results_)
    for name, expected in original.cv_results_.items():
        values = found.cv_results_[name]
        if name.startswith("rank_"):
            assert_array_equal(values, expected)
        elif "_score" in name or "_test_" in name or "_train_" in name:
            if "time" not in name:
                assert_allclose(values, expected, rtol=rtol, atol=1e-12)
        elif name == "params":
            assert list(map(str, values)) == list(map(str, expected))
    for name in ("best_params_", "best_index_", "n_splits_", "multimetric_"):
        if hasattr(original, name):
            assert str(getattr(found, name)) == str(getattr(original, name))


def on_blocks(estimator, grid, *args, params=None, **options):
    """Fit the search with a memory budget that is too small for the rows."""
    search = AutoScaleSearchCV(estimator, grid, **options)
    with config_context(memory_budget=TOO_SMALL):
        search.fit(*args, **(params or {}))
    assert search.plan_.engine == "blockwise"
    return search


@settings(max_examples=15)
@given(st.data())
def test_results_are_scikit_learns_for_any_cut(data):
    blocks = cut(X, data.draw(cuts(N)), data.draw(st.sampled_from([-1, 2])))
    y = data.draw(st.sampled_from([NUMBERS, cut(NUMBERS, data.draw(cuts(N)))]))
    cv = data.draw(st.sampled_from([3, ShuffleSplit(2, random_state=0)]))
    found = on_blocks(AutoScaleRidge(), ALPHAS, blocks, y, cv=cv)
    original = GridSearchCV(AutoScaleRidge(), ALPHAS, cv=cv).fit(X, NUMBERS)
    assert_same_search(found, original)
    coef = original.best_estimator_.coef_
    assert_allclose(found.best_estimator_.coef_, coef, rtol=1e-9)


@pytest.mark.parametrize("kind", X_KINDS)
def test_kinds_of_input(kind):
    here = FRAME if kind == "frame" else X
    found = on_blocks(AutoScaleRidge(), ALPHAS, X_KINDS[kind](), NUMBERS)
    original = GridSearchCV(AutoScaleRidge(), ALPHAS).fit(here, NUMBERS)
    assert_same_search(found, original)
    assert hasattr(found, "feature_names_in_") == (kind == "frame")
    assert found.n_features_in_ == 5
    lazy = found.predict(X_KINDS[kind]())
    assert_allclose(lazy.compute(), original.predict(here), rtol=1e-9)
    score = found.score(X_KINDS[kind](), da.from_array(NUMBERS, chunks=20))
    assert score == pytest.approx(original.score(here, NUMBERS))


@pytest.mark.parametrize(
    "options",
    [
        {"scoring": ["r2", "neg_mean_squared_error"], "refit": "r2"},
        {"scoring": {"e": "explained_variance", "r": "r2"}, "refit": False},
        {"scoring": make_scorer(mean_absolute_error, greater_is_better=False)},
        {"return_train_score": True},
        {"refit": lambda results: 1},
        {"refit": False},
        {"cv": KFold(4, shuffle=True, random_state=0)},
        {"cv": [(np.arange(N) < 100, np.arange(N) >= 100)]},
    ],
    ids=[
        "several",
        "no refit of several",
        "scorer",
        "train",
        "rule",
        "no refit",
        "shuffled",
        "masks",
    ],
)
def test_options_mean_what_they_mean_in_scikit_learn(options):
    found = on_blocks(AutoScaleRidge(), ALPHAS, X_KINDS["array"](), NUMBERS, **options)
    original = GridSearchCV(AutoScaleRidge(), ALPHAS, **options).fit(X, NUMBERS)
    assert_same_search(found, original)
    assert str(found.scorer_) == str(original.scorer_)
    assert hasattr(found, "best_estimator_") == hasattr(original, "best_estimator_")


@pytest.mark.parametrize("routing", [False, True])
def test_groups_and_weights_follow_the_folds(routing):
    with sklearn.config_context(enable_metadata_routing=routing):
        ridge = AutoScaleRidge()
        scoring = make_scorer(mean_absolute_error, greater_is_better=False)
        if routing:
            ridge.set_fit_request(sample_weight=True)
            scoring.set_score_request(sample_weight=True)
        options = {"cv": GroupKFold(3), "scoring": scoring}
        original = GridSearchCV(ridge, ALPHAS, **options)
        original.fit(X, NUMBERS, groups=GROUPS, sample_weight=WEIGHTS)
        params = {
            "groups": da.from_array(GROUPS, chunks=70),
            "sample_weight": da.from_array(WEIGHTS, chunks=20),
        }
        y = da.from_array(NUMBERS, chunks=45)
        found = on_blocks(
            ridge, ALPHAS, X_KINDS["array"](), y, params=params, **options
        )
    assert_same_search(found, original)
    coef = original.best_estimator_.coef_
    assert_allclose(found.best_estimator_.coef_, coef, rtol=1e-9)


PIPELINE = Pipeline([("scale", AutoScaleStandardScaler()), ("fit", AutoScaleRidge())])


@pytest.mark.parametrize(
    ("estimator", "grid", "y"),
    [
        (AutoScaleLogisticRegression(tol=1e-9), {"C": [0.01, 1.0]}, LABELS),
        (AutoScaleKMeans(random_state=0, n_init=1), {"n_clusters": [2, 3]}, None),
        (PIPELINE, {"fit__alpha": [0.1, 10.0]}, NUMBERS),
        (PIPELINE, {"scale": ["passthrough", AutoScalePCA(2)]}, NUMBERS),
        (
            AutoScaleSearchCV(AutoScaleRidge(), ALPHAS, cv=2),
            {"estimator__fit_intercept": [True, False]},
            NUMBERS,
        ),
    ],
    ids=["logistic", "kmeans", "pipeline", "steps", "search"],
)
@pytest.mark.parametrize("kind", ["array", "frame"])
def test_estimators_of_ours_and_pipelines_of_them(estimator, grid, y, kind):
    found = on_blocks(estimator, grid, X_KINDS[kind](), y, cv=3)
    here = FRAME if kind == "frame" else X
    original = GridSearchCV(estimator, grid, cv=3).fit(here, y)
    # Neither stops where the other does, but both near the optimum.
    assert_same_search(found, original, rtol=1e-3)


def test_halving_takes_the_rows_that_scikit_learn_takes():
    options = {"cv": 3, "random_state": 0, "return_train_score": True}
    estimator = AutoScaleGaussianNB()
    grid = {"var_smoothing": [1e-9, 1e-3, 0.1, 1.0]}
    found = on_blocks(
        estimator, grid, X_KINDS["array"](), LABELS, strategy="halving", **options
    )
    original = HalvingGridSearchCV(estimator, grid, **options).fit(X, LABELS)
    assert found.n_resources_ == original.n_resources_
    assert_same_search(found, original)


def test_candidates_that_fail_score_as_told():
    grid = {"alpha": [1.0, -1.0]}
    with pytest.warns(match="5 fits failed out of a total of 10"):
        found = on_blocks(
            AutoScaleRidge(), grid, X_KINDS["array"](), NUMBERS, error_score=-9.0
        )
    original = GridSearchCV(AutoScaleRidge(), grid, error_score=-9.0)
    with pytest.warns(match="5 fits failed out of a total of 10"):
        original.fit(X, NUMBERS)
    assert_same_search(found, original)
    with pytest.raises(ValueError, match="'alpha' parameter"):
        on_blocks(
            AutoScaleRidge(), grid, X_KINDS["array"](), NUMBERS, error_score="raise"
        )


@pytest.mark.usefixtures("no_compute")
@pytest.mark.parametrize(
    ("estimator", "grid", "reason"),
    [
        (LogisticRegression(), {"C": [1]}, "LogisticRegression takes whole folds"),
        (
            make_pipeline(AutoScaleStandardScaler(), LogisticRegression()),
            {"logisticregression__C": [1]},
            "step 'logisticregression': LogisticRegression takes whole folds",
        ),
        (PIPELINE, {"fit": [LogisticRegression()]}, "LogisticRegression takes whole"),
        (
            AutoScaleLogisticRegression(solver="liblinear"),
            {"C": [1]},
            "solver='liblinear' needs all rows in memory",
        ),
    ],
    ids=["plain", "step", "grid", "parameter"],
)
def test_what_needs_rows_in_memory_is_refused_before_computing(estimator, grid, reason):
    search = AutoScaleSearchCV(estimator, grid)
    with (
        config_context(memory_budget=TOO_SMALL),
        pytest.raises(NoEngineError, match=reason),
    ):
        search.fit(X_KINDS["array"](), LABELS)


def test_a_frame_of_unknown_size_that_fits_is_brought_here_after_all():
    found = AutoScaleSearchCV(AutoScaleRidge(), ALPHAS)
    found.fit(X_KINDS["frame"](), NUMBERS)
    assert found.plan_.engine == "sklearn"
    original = GridSearchCV(AutoScaleRidge(), ALPHAS).fit(FRAME, NUMBERS)
    assert_same_search(found, original, rtol=0)


def test_rows_in_memory_may_be_searched_on_blocks_by_name():
    search = AutoScaleSearchCV(AutoScaleRidge(), ALPHAS, engine="blockwise")
    search.fit(X, NUMBERS)
    assert_same_search(search, GridSearchCV(AutoScaleRidge(), ALPHAS).fit(X, NUMBERS))
    with pytest.raises(NoEngineError, match="X is pandas"):
        search.fit(FRAME, NUMBERS)


def reads_of(budget):
    """Fit a search on a lazy array; return how often each block was read."""
    read = []

    def load(i):
        read.append(i)
        return FRAME.iloc[50 * i : 50 * i + 50]

    lazy = dd.from_map(load, range(3), meta=FRAME.iloc[:0])
    lazy = lazy.to_dask_array(lengths=[50] * 3)
    search = AutoScaleSearchCV(
        AutoScaleRidge(), ALPHAS, cv=KFold(3), engine="blockwise"
    )
    with config_context(memory_budget=budget):
        search.fit(lazy, NUMBERS)
    return [read.count(i) for i in range(3)]


def test_lazy_blocks_are_read_once_if_they_can_be_kept():
    assert reads_of("1MB") == [1, 1, 1]


def test_blocks_that_cannot_be_kept_are_read_by_each_fit_and_the_refit():
    # Nine fits: in each a block is in the training rows or in the test rows.
    assert reads_of(TOO_SMALL) == [10, 10, 10]


def test_nothing_lazy_is_left_on_the_search():
    found = on_blocks(AutoScaleRidge(), ALPHAS, X_KINDS["array"](), NUMBERS)
    blob = pickle.dumps(found)
    assert b"dask" not in blob.replace(b"sklearn_dask_auto", b"").replace(
        b"dask array", b""
    ).replace(b"dask-ml", b"")
    plain = found.to_sklearn()
    assert type(plain) is GridSearchCV
    assert_allclose(plain.predict(X), found.predict(X))


def test_on_a_cluster_results_are_the_same(client):
    y = da.from_array(NUMBERS, chunks=40)
    original = GridSearchCV(AutoScaleRidge(), ALPHAS, cv=3).fit(X, NUMBERS)
    for kind in ("array", "frame"):
        found = on_blocks(
            AutoScaleRidge(), ALPHAS, X_KINDS[kind](), y, cv=3, engine="blockwise"
        )
        assert_same_search(found, original)


def test_on_a_cluster_folds_may_be_put_together_on_a_worker(client):
    grid = {"estimator__C": [0.1, 1.0]}
    svc = AutoScaleEstimator(SVC())
    found = on_blocks(svc, grid, X_KINDS["array"](), LABELS, cv=3, engine="blockwise")
    assert found.best_estimator_.plan_.engine == "joblib"
    assert_same_search(found, GridSearchCV(svc, grid, cv=3).fit(X, LABELS))


@pytest.mark.usefixtures("no_compute")
def test_without_a_cluster_there_is_no_worker_to_hold_folds():
    search = AutoScaleSearchCV(AutoScaleEstimator(SVC()), {"estimator__C": [1.0]})
    with (
        config_context(memory_budget=TOO_SMALL),
        pytest.raises(
            NoEngineError, match="AutoScaleEstimator: SVC has no partial_fit"
        ),
    ):
        search.fit(X_KINDS["array"](), LABELS)
