"""A search over a pipeline fits what its candidates share once, with equal results."""

import threading

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

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
