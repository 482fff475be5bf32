"""A search over a pipeline fits what its candidates share once, with equal results."""

import tempfile
import threading
import time
import warnings

import numpy as np
import pytest
from distributed import Client, LocalCluster
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_dask_auto import AutoScaleSearchCV
from sklearn_dask_auto.engines import shared_steps
from tests.model_selection.results import assert_same_search

RNG = np.random.default_rng(0)
WORDS = np.array([f"word{i}" for i in range(3000)])
TEXTS = [" ".join(RNG.choice(WORDS, size=60)) for _ in range(300)]
Y = np.array([("word1" in text) ^ (RNG.random() < 0.2) for text in TEXTS]).astype(int)
GRID = {
    "count__ngram_range": [(1, 1), (1, 2)],
    "sgd__alpha": [1e-5, 1e-4, 1e-3],
    "sgd__penalty": ["l2", "l1"],
}


class Counted(CountVectorizer):
    """Count how often it is fitted in this process."""

    fits: list[int] = []

    def fit_transform(self, raw_documents, y=None):
        Counted.fits.append(threading.get_ident())
        return super().fit_transform(raw_documents, y)


def pipeline():
    return Pipeline(
        [
            ("count", Counted()),
            ("tfidf", TfidfTransformer()),
            ("sgd", SGDClassifier(random_state=0, max_iter=5, tol=None)),
        ]
    )


@pytest.fixture(scope="module")
def original():
    return GridSearchCV(pipeline(), GRID, cv=3, return_train_score=True).fit(TEXTS, Y)


@pytest.mark.parametrize("n_jobs", [1, None])
def test_each_fold_is_counted_once_for_each_way_of_counting(n_jobs, original):
    Counted.fits.clear()
    search = AutoScaleSearchCV(
        pipeline(), GRID, cv=3, n_jobs=n_jobs, return_train_score=True
    ).fit(TEXTS, Y)
    assert_same_search(search, original)
    if n_jobs == 1:
        # And once for the refit, which is scikit-learn's alone.
        assert len(Counted.fits) == 2 * 3 + 1
    assert search.best_estimator_.memory is None
    assert search.estimator.memory is None


def test_workers_share_steps_too(original, client):
    search = AutoScaleSearchCV(
        pipeline(), GRID, cv=3, return_train_score=True, engine="joblib"
    ).fit(TEXTS, Y)
    assert_same_search(search, original)
    kept = client.run(lambda: shared_steps._current.search)
    assert all(kept.values())


def test_nothing_is_kept_here_after_the_search():
    AutoScaleSearchCV(pipeline(), {"sgd__alpha": [1e-4, 1e-3]}, n_jobs=1).fit(TEXTS, Y)
    assert not shared_steps._current.store._steps


class Telling(StandardScaler):
    """Warns, in `fit` and in `transform`, and takes long enough to be kept."""

    def fit(self, X, y=None):
        time.sleep(0.005)
        warnings.warn("as asked", FutureWarning, stacklevel=1)
        return super().fit(X, y)

    def transform(self, X):
        warnings.warn("in transform", FutureWarning, stacklevel=1)
        return super().transform(X)


@pytest.mark.parametrize("options", [{"n_jobs": 1}, {"engine": "joblib"}])
def test_shared_steps_warn_once_for_each_fit(client, options):
    rows = RNG.normal(size=(40, 2))
    target = (rows[:, 0] > 0).astype(int)
    model = Pipeline([("scale", Telling()), ("sgd", SGDClassifier(random_state=0))])

    def told(cls, **options):
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            grid = {"sgd__alpha": [1e-4, 1e-3, 1e-2]}
            cls(model, grid, cv=2, **options).fit(rows, target)
        return sorted(str(w.message) for w in warned if w.category is FutureWarning)

    expected = told(GridSearchCV)
    assert expected.count("as asked") == 7
    assert told(AutoScaleSearchCV, **options) == expected


class Noted(StandardScaler):
    """Leaves a file behind for each fit, and takes long enough to be kept."""

    def __init__(self, path=None):
        super().__init__()
        self.path = path

    def fit(self, X, y=None):
        time.sleep(0.02)
        tempfile.mkstemp(dir=self.path)
        return super().fit(X, y)


def test_workers_stay_with_the_folds_whose_steps_they_have(tmp_path):
    rows = RNG.normal(size=(80, 2))
    target = (rows[:, 0] > 0).astype(int)
    steps = [("scale", Noted(str(tmp_path))), ("sgd", SGDClassifier(random_state=0))]
    grid = {"sgd__alpha": np.logspace(-5, -1, 12)}
    with (
        LocalCluster(n_workers=4, threads_per_worker=1, dashboard_address=":0") as four,
        Client(four),
    ):
        search = AutoScaleSearchCV(
            Pipeline(steps), grid, cv=4, engine="joblib", refit=False
        ).fit(rows, target)
    n_fits = len(list(tmp_path.iterdir()))
    # One for each fold, and some more where workers would idle; else it would be 16.
    assert 4 <= n_fits <= 10
    assert_same_search(
        search,
        GridSearchCV(Pipeline(steps), grid, cv=4, refit=False).fit(rows, target),
    )
