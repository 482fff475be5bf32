"""`AutoScaleSearchCV` without a cluster: scikit-learn's results on any input."""

import re

import dask
import dask.array as da
import dask.dataframe as dd
import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from joblib.parallel import get_active_backend
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from threadpoolctl import threadpool_limits

from sklearn_dask_auto import (
    AutoScaleKMeans,
    AutoScaleSearchCV,
    NoEngineError,
    config_context,
)
from tests.model_selection.results import assert_same_search

X, Y = make_classification(240, 6, random_state=0)
# As blocks are put together: in another order sums differ in the last bit.
X = np.ascontiguousarray(X)
GROUPS = np.arange(240) // 8
WEIGHTS = np.random.default_rng(0).uniform(0.1, 2, size=240)
FRAME = pd.DataFrame(X, columns=list("abcdef"))
SERIES = pd.Series(Y, name="y")
GRID = {"C": [0.001, 0.1, 10.0]}


def lazy_frame(value):
    return dd.from_pandas(value, npartitions=3)


X_KINDS = {
    "numpy": lambda: X,
    "pandas": lambda: FRAME,
    "array": lambda: da.from_array(X, chunks=(100, 6)),
    "array cut across columns": lambda: da.from_array(X, chunks=(50, 4)),
    "array of unknown rows": lambda: lazy_frame(FRAME).to_dask_array(),
    "frame": lambda: lazy_frame(FRAME),
}
Y_KINDS = {
    "numpy": lambda: Y,
    "list": lambda: Y.tolist(),
    "pandas": lambda: SERIES,
    "array": lambda: da.from_array(Y, chunks=70),
    "array of unknown rows": lambda: lazy_frame(SERIES).to_dask_array(),
    "series": lambda: lazy_frame(SERIES),
}


def both(estimator, grid, *args, search=None, **params):
    """Fit the two searches alike; return ours and scikit-learn's."""
    options = {"cv": 3, **(search or {})}
    original = GridSearchCV(estimator, grid, **options).fit(*args, **params)
    ours = AutoScaleSearchCV(estimator, grid, **options).fit(*args, **params)
    return ours, original


@pytest.mark.parametrize("engine", ["auto", "sklearn"])
@pytest.mark.parametrize("n_jobs", [None, 1, 2, -1])
def test_results_are_scikit_learns_for_any_number_of_jobs(engine, n_jobs):
    original = GridSearchCV(
        LogisticRegression(), GRID, cv=3, return_train_score=True
    ).fit(X, Y)
    found = AutoScaleSearchCV(
        LogisticRegression(),
        GRID,
        cv=3,
        return_train_score=True,
        n_jobs=n_jobs,
        engine=engine,
    ).fit(X, Y)
    assert_same_search(found, original)
    assert found.plan_.engine == "sklearn"
    np.testing.assert_array_equal(found.predict_proba(X), original.predict_proba(X))


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_slow_fits_give_the_same_results_in_worker_processes(n_jobs):
    grid = {"max_depth": [2, 4, None]}
    forest = RandomForestClassifier(60, random_state=0)
    original = GridSearchCV(forest, grid, cv=3).fit(X, Y)
    found = AutoScaleSearchCV(forest, grid, cv=3, n_jobs=n_jobs).fit(X, Y)
    assert_same_search(found, original)


@pytest.mark.parametrize("y_kind", Y_KINDS)
@pytest.mark.parametrize("x_kind", X_KINDS)
def test_kinds_of_input_may_be_mixed(x_kind, y_kind):
    found = AutoScaleSearchCV(LogisticRegression(), GRID, cv=3)
    found.fit(X_KINDS[x_kind](), Y_KINDS[y_kind]())
    here = FRAME if x_kind in ("pandas", "frame") else X
    original = GridSearchCV(LogisticRegression(), GRID, cv=3).fit(here, Y)
    assert_same_search(found, original)
    score = found.score(X_KINDS[x_kind](), Y_KINDS[y_kind]())
    assert type(score) is float
    assert score == original.score(here, Y)
    assert hasattr(found, "feature_names_in_") == (here is FRAME)


def test_sparse_input_gives_scikit_learns_results():
    assert_same_search(*both(LinearSVC(), GRID, scipy.sparse.csr_array(X), Y))


def test_a_search_without_y_works():
    grid = {"n_clusters": [2, 3]}
    kmeans = KMeans(random_state=0)
    # Its sums depend, in the last bit, on the threads, of which a worker has fewer.
    with threadpool_limits(1):
        original = GridSearchCV(kmeans, grid, cv=3).fit(X)
        for container in (X, X_KINDS["array"](), X_KINDS["frame"]()):
            found = AutoScaleSearchCV(kmeans, grid, cv=3).fit(container)
            assert_same_search(found, original)


@pytest.mark.parametrize("lazy", [False, True])
def test_groups_reach_the_splitter(lazy):
    original = GridSearchCV(LogisticRegression(), GRID, cv=GroupKFold(4))
    original.fit(X, Y, groups=GROUPS)
    found = AutoScaleSearchCV(LogisticRegression(), GRID, cv=GroupKFold(4))
    if lazy:
        groups = da.from_array(GROUPS, chunks=33)
        found.fit(X_KINDS["array"](), Y_KINDS["series"](), groups=groups)
    else:
        found.fit(X, Y, groups=GROUPS)
    assert_same_search(found, original)


@pytest.mark.parametrize("lazy", [False, True])
def test_weights_reach_the_fits_and_the_scores(lazy):
    original = GridSearchCV(LogisticRegression(), GRID, cv=3)
    original.fit(X, Y, sample_weight=WEIGHTS)
    found = AutoScaleSearchCV(LogisticRegression(), GRID, cv=3)
    if lazy:
        weights = da.from_array(WEIGHTS, chunks=33)
        found.fit(X_KINDS["array"](), Y_KINDS["array"](), sample_weight=weights)
    else:
        found.fit(X, Y, sample_weight=WEIGHTS)
    assert_same_search(found, original)
    np.testing.assert_array_equal(found.predict_proba(X), original.predict_proba(X))


def least_complex(results):
    """Choose by rule, as a user's `refit` may."""
    return int(np.argmin(results["param_C"].astype(float)))


def without_addresses(options):
    """Name a case the same in every process, as running tests in several asks."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(options))


@pytest.mark.parametrize(
    "options",
    [
        {"scoring": ["accuracy", "roc_auc"], "refit": "roc_auc"},
        {"scoring": {"a": "accuracy", "f": "f1"}, "refit": False},
        {"scoring": make_scorer(accuracy_score)},
        {"scoring": "neg_log_loss"},
        {"refit": least_complex},
        {"refit": False},
        {"cv": 2},
        {"cv": KFold(4, shuffle=True, random_state=0)},
        {"cv": ShuffleSplit(3, random_state=0)},
    ],
    ids=without_addresses,
)
@pytest.mark.parametrize("container", ["numpy", "array"])
def test_options_mean_what_they_mean_in_scikit_learn(options, container):
    options = {"cv": 3, **options}
    original = GridSearchCV(LogisticRegression(), GRID, **options).fit(X, Y)
    found = AutoScaleSearchCV(LogisticRegression(), GRID, **options)
    assert_same_search(found.fit(X_KINDS[container](), Y_KINDS[container]()), original)


def test_folds_may_come_from_a_generator():
    def folds():
        return (fold for fold in KFold(3).split(X))

    original = GridSearchCV(LogisticRegression(), GRID, cv=folds()).fit(X, Y)
    for container in ("numpy", "array"):
        found = AutoScaleSearchCV(LogisticRegression(), GRID, cv=folds())
        found.fit(X_KINDS[container](), Y)
        assert_same_search(found, original)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_slow_fits_that_cannot_be_sent_to_processes_stay_here(n_jobs):
    def fit(cls, **options):
        folds = (fold for fold in KFold(3).split(X))
        forest = RandomForestClassifier(60, random_state=0)
        return cls(forest, {"max_depth": [2, 4, None]}, cv=folds, **options).fit(X, Y)

    assert_same_search(fit(AutoScaleSearchCV, n_jobs=n_jobs), fit(GridSearchCV))


def test_a_list_of_grids_and_of_estimators_works():
    grid = [
        {"svc": [SVC(), LogisticRegression()], "svc__C": [0.1, 1.0]},
        {"svc__kernel": ["linear"], "standardscaler": ["passthrough"]},
    ]
    assert_same_search(*both(make_pipeline(StandardScaler(), SVC()), grid, X, Y))


class Failing(ClassifierMixin, BaseEstimator):
    """Fails to fit for one of its parameters."""

    def __init__(self, fails=False):
        self.fails = fails

    def fit(self, X, y):
        if self.fails:
            raise ValueError("failing as asked")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(X.shape[0], self.classes_[0])


@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("container", ["numpy", "array"])
def test_a_fit_that_fails_scores_as_told(container, n_jobs):
    grid = {"fails": [False, True]}
    with pytest.warns(match="3 fits failed out of a total of 6"):
        original = GridSearchCV(Failing(), grid, cv=3).fit(X, Y)
    found = AutoScaleSearchCV(Failing(), grid, cv=3, n_jobs=n_jobs)
    with pytest.warns(match="3 fits failed out of a total of 6"):
        found.fit(X_KINDS[container](), Y_KINDS[container]())
    assert_same_search(found, original)
    found.set_params(error_score="raise")
    with pytest.raises(ValueError, match="failing as asked"):
        found.fit(X_KINDS[container](), Y_KINDS[container]())


def test_a_search_can_be_fitted_again_after_it_failed():
    found = AutoScaleSearchCV(Failing(), {"fails": [True]}, error_score="raise")
    with pytest.raises(ValueError, match="failing as asked"):
        found.fit(X, Y)
    assert found.set_params(param_grid={"fails": [False]}).fit(X, Y).best_score_ > 0
    assert type(get_active_backend()[0]).__name__ == "LokyBackend"


class Recording(ClassifierMixin, BaseEstimator):
    """Learns which joblib backends were active, and how many jobs, while it fitted."""

    def __init__(self, a=1):
        self.a = a

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        backend, self.n_jobs_ = get_active_backend()
        self.backend_ = type(backend).__name__
        self.hinted_ = type(get_active_backend(prefer="threads")[0]).__name__
        return self

    def predict(self, X):
        return np.full(X.shape[0], self.classes_[0])


def recorded(model, X, y):
    """A scorer that tells whether a fit saw joblib as if there were no search."""
    return float(model.hinted_ == "ThreadingBackend")


def test_fits_and_refit_see_joblib_as_it_was():
    search = AutoScaleSearchCV(Recording(), {"a": [1, 2]}, scoring=recorded, cv=2)
    search.fit(X, Y)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], 1)
    assert search.best_estimator_.backend_ == "LokyBackend"
    assert search.best_estimator_.hinted_ == "ThreadingBackend"


@pytest.mark.parametrize("backend", ["threading", "sequential"])
def test_a_joblib_backend_of_the_user_is_an_order(backend):
    used = []

    class Spy(type(joblib.parallel.BACKENDS[backend]())):
        def configure(self, *args, **kwargs):
            used.append(backend)
            return super().configure(*args, **kwargs)

    search = AutoScaleSearchCV(Recording(), {"a": [1, 2]}, cv=2)
    with joblib.parallel_config(backend=Spy(), n_jobs=2):
        search.fit(X, Y)
    assert used == [backend]
    assert search.best_estimator_.backend_ == "Spy"
    assert search.best_estimator_.n_jobs_ == 2


def test_n_jobs_of_the_context_limits_the_plan():
    search = AutoScaleSearchCV(Recording(), {"a": [1, 2]}, cv=2)
    with joblib.parallel_config(n_jobs=1):
        assert search.explain(X, Y).job.n_jobs == 1
    assert search.explain(X, Y).job.n_jobs is None
    assert search.set_params(n_jobs=3).explain(X, Y).job.n_jobs == 3


def test_estimators_with_jobs_of_their_own_work():
    forest = RandomForestClassifier(8, random_state=0, n_jobs=2)
    assert_same_search(*both(forest, {"max_depth": [1, 3]}, X, Y))


def test_a_search_inside_a_search_gives_the_same_results():
    def nested(cls):
        inner = cls(Ridge(), {"alpha": [0.1, 1.0]}, cv=2)
        return cls(inner, {"estimator__fit_intercept": [True, False]}, cv=2).fit(X, Y)

    assert_same_search(nested(AutoScaleSearchCV), nested(GridSearchCV))


@pytest.mark.usefixtures("no_compute")
def test_a_collection_over_the_budget_is_refused_before_it_is_computed():
    lazy = da.zeros((1_000_000, 10), chunks=(100_000, 10))
    search = AutoScaleSearchCV(LogisticRegression(), GRID)
    with (
        config_context(memory_budget="10MB"),
        pytest.raises(NoEngineError, match=r"88 MB.*memory budget of 10 MB") as refused,
    ):
        search.fit(lazy, da.zeros(1_000_000, chunks=100_000))
    assert refused.value.plan.engine is None
    assert not hasattr(search, "plan_")


def test_a_frame_over_the_budget_is_refused_on_the_way():
    search = AutoScaleSearchCV(LogisticRegression(), GRID)
    with (
        config_context(memory_budget="5kB"),
        pytest.raises(NoEngineError, match=r"more than .*memory budget of 5 kB"),
    ):
        search.fit(lazy_frame(FRAME), lazy_frame(SERIES))


@pytest.mark.usefixtures("no_compute")
@pytest.mark.parametrize(
    ("grid", "estimator"),
    [
        ({"C": []}, LogisticRegression()),
        ({"C": 1.0}, LogisticRegression()),
        ([["C"]], LogisticRegression()),
        (3, LogisticRegression()),
        (GRID, "not an estimator"),
    ],
    ids=["empty list", "scalar", "list", "number", "estimator"],
)
def test_nonsense_is_refused_as_by_scikit_learn_before_computing(grid, estimator):
    with pytest.raises((TypeError, ValueError)) as expected:
        GridSearchCV(estimator, grid).fit(X, Y)
    with pytest.raises(expected.type) as found:
        AutoScaleSearchCV(estimator, grid).fit(X_KINDS["array"](), Y)
    assert str(found.value) == str(expected.value).replace(
        "GridSearchCV", "AutoScaleSearchCV"
    )


@pytest.mark.usefixtures("no_compute")
@pytest.mark.parametrize("engine", ["joblib", "dask-ml", "blockwise"])
def test_an_engine_that_cannot_is_refused_with_its_reasons(engine):
    search = AutoScaleSearchCV(LogisticRegression(), GRID, engine=engine)
    with pytest.raises(NoEngineError, match=f"engine='{engine}' cannot") as refused:
        search.fit(X_KINDS["array"](), Y)
    reasons = next(
        c.reasons for c in refused.value.plan.candidates if c.engine == engine
    )
    assert reasons
    assert all(reason in str(refused.value) for reason in reasons)


@pytest.mark.usefixtures("no_compute")
def test_a_plan_can_be_asked_for_without_computing():
    search = AutoScaleSearchCV(LogisticRegression(), GRID, cv=4)
    plan = search.explain(X_KINDS["frame"](), Y_KINDS["series"]())
    assert (plan.engine, plan.job.n_fits) == ("sklearn", 12)
    assert not [name for name in vars(search) if name.endswith("_")]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"scoring": "accuracy"},
        {"scoring": "neg_log_loss"},
        {"scoring": "roc_auc"},
        {"scoring": ["accuracy", "f1"], "refit": "f1"},
        {"scoring": make_scorer(accuracy_score)},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["array", "array of unknown rows", "frame"])
def test_score_on_dask_input_is_a_float(options, kind):
    here = FRAME if kind == "frame" else X
    original = GridSearchCV(LogisticRegression(), GRID, cv=3, **options).fit(here, Y)
    found = AutoScaleSearchCV(LogisticRegression(), GRID, cv=3, **options).fit(here, Y)
    score = found.score(X_KINDS[kind](), Y_KINDS["series"]())
    assert type(score) is float
    assert score == pytest.approx(original.score(here, Y), rel=1e-12)


@pytest.mark.parametrize("kind", ["array", "array of unknown rows", "frame"])
@pytest.mark.parametrize(
    ("estimator", "grid"),
    [
        (KMeans(random_state=0), {"n_clusters": [2, 3]}),
        (make_pipeline(StandardScaler(), PCA()), {"pca__n_components": [2, 3]}),
        (make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": [0.1, 1.0]}),
        (AutoScaleKMeans(random_state=0), {"n_clusters": [2, 3]}),
        (
            GridSearchCV(LogisticRegression(), GRID, scoring="roc_auc", cv=2),
            {"estimator__fit_intercept": [True, False]},
        ),
    ],
    ids=["kmeans", "pca", "regressor", "ours", "search"],
)
def test_score_is_the_models_own_whatever_the_model(estimator, grid, kind):
    here = FRAME if kind == "frame" else X
    found = AutoScaleSearchCV(estimator, grid, cv=2).fit(here, Y)
    score = found.score(X_KINDS[kind](), Y_KINDS["array"]())
    assert type(score) is float
    assert score == pytest.approx(found.score(here, Y), rel=1e-9)


def test_a_score_that_needs_all_rows_is_refused_over_the_budget():
    with config_context(memory_budget="1MB"):
        found = AutoScaleSearchCV(KMeans(random_state=0), {"n_clusters": [2]}).fit(X)
    with pytest.raises(NoEngineError, match="over the memory budget of 1 MB"):
        found.score(da.zeros((100_000, 6), chunks=10_000))


@pytest.mark.parametrize("kind", ["array", "array of unknown rows", "frame"])
@pytest.mark.parametrize(
    ("estimator", "grid", "methods"),
    [
        (
            LogisticRegression(),
            GRID,
            ["predict", "predict_proba", "predict_log_proba", "decision_function"],
        ),
        (
            make_pipeline(StandardScaler(), PCA()),
            {"pca__n_components": [2, 3]},
            ["transform", "score_samples"],
        ),
    ],
    ids=["classifier", "transformer"],
)
def test_methods_on_dask_input_are_lazy(estimator, grid, methods, kind):
    here = FRAME if kind == "frame" else X
    search = AutoScaleSearchCV(estimator, grid, cv=3).fit(here, Y)
    for method in methods:
        with dask.config.set(scheduler=_refuse):
            lazy = getattr(search, method)(X_KINDS[kind]())
        expected = getattr(search, method)(here)
        assert isinstance(lazy, da.Array)
        assert lazy.dtype == expected.dtype
        assert lazy.ndim == expected.ndim
        np.testing.assert_allclose(lazy.compute(), expected, rtol=1e-12)


def _refuse(graph, keys, **options):
    raise AssertionError("a dask graph was computed")


def test_without_refit_there_is_nothing_to_predict_with():
    search = AutoScaleSearchCV(LogisticRegression(), GRID, refit=False).fit(X, Y)
    with pytest.raises(AttributeError, match="predict") as refused:
        search.predict(X_KINDS["array"]())
    assert "refit=False" in str(refused.value.__cause__)
