"""A search over a text pipeline, whose candidates have their first steps in common."""

import argparse
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from benchmarks.pairing import print_table, timed_in_turn
from sklearn_dask_auto import AutoScaleSearchCV

N_WORDS = 20_000
N_TEXTS = 2_000
LENGTH = 120
# 48 candidates, as many as in scikit-learn's example of a text pipeline.
GRID = {
    "classify__alpha": np.logspace(-6, -2, 8),
    "classify__penalty": ["l2", "elasticnet"],
    "classify__max_iter": [10, 50, 80],
}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks pipelines")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(arguments)
    warnings.filterwarnings("ignore", category=ConvergenceWarning)

    rows, labels = texts(N_TEXTS, LENGTH)

    def plain(n_jobs=None):
        return GridSearchCV(pipeline(), GRID, cv=3, n_jobs=n_jobs).fit(rows, labels)

    def ours(n_jobs=None):
        search = AutoScaleSearchCV(pipeline(), GRID, cv=3, n_jobs=n_jobs)
        return search.fit(rows, labels)

    ours_scores = ours().cv_results_["mean_test_score"]
    assert np.array_equal(ours_scores, plain().cv_results_["mean_test_score"])
    calls = {
        "auto": ours,
        "auto, n_jobs=1": lambda: ours(n_jobs=1),
        "scikit-learn serial": plain,
        "scikit-learn n_jobs=-1": lambda: plain(n_jobs=-1),
    }
    seconds = timed_in_turn(calls, options.repeats)
    print_table("Text pipeline, 48 candidates, 144 fits", seconds, "auto")


def pipeline():
    return Pipeline(
        [
            ("count", CountVectorizer()),
            ("weigh", TfidfTransformer()),
            ("classify", SGDClassifier(random_state=0)),
        ]
    )


def texts(n_texts, length):
    """Make texts whose words are as frequent as Zipf's law has them."""
    rng = np.random.default_rng(0)
    words = np.array([f"word{i}" for i in range(N_WORDS)])
    frequency = 1 / np.arange(1, N_WORDS + 1)
    frequency /= frequency.sum()
    drawn = rng.choice(N_WORDS, size=(n_texts, length), p=frequency)
    noise = rng.random(n_texts) < 0.1
    return [" ".join(row) for row in words[drawn]], (drawn[:, 0] % 2 == 0) ^ noise
