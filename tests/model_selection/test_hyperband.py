"""Hyperband by `partial_fit`: its brackets, and results that depend on nothing else."""

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from scipy.stats import loguniform
from sklearn.base import BaseEstimator
from sklearn.datasets import make_classification
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression, SGDClassifier, SGDRegressor
from sklearn.model_selection import RandomizedSearchCV, ShuffleSplit

from sklearn_dask_auto import AutoScaleSearchCV, NoEngineError, config_context
from sklearn_dask_auto.model_selection.strategies.hyperband import Hyperband
from tests.model_selection.results import assert_same_search

X, Y = make_classification(600, 5, random_state=0)
X = np.ascontiguousarray(X)
NAMES = np.array(["no", "yes"])[Y]
DRAWN = {"alpha": loguniform(1e-5, 1)}


def hyperband(estimator=None, params=DRAWN, **options):
    options = {"max_resources": 9, "random_state": 0, **options}
    estimator = SGDClassifier(random_state=0) if estimator is None else estimator
    return AutoScaleSearchCV(estimator, params, strategy="hyperband", **options)


def blocks(rows=100):
    return da.from_array(X, chunks=(rows, 5))


class Recording(BaseEstimator):
    """Remembers the blocks it is given; its score is its parameter."""

    def __init__(self, quality=0, fails=False):
        self.quality = quality
        self.fails = fails

    def fit(self, X, y=None):
        raise AssertionError("a search by partial_fit fits from scratch")

    def partial_fit(self, X, y=None):
        if self.fails:
            raise ValueError("as asked for")
        self.seen_ = [*getattr(self, "seen_", []), (len(X), X[0, 0])]
        return self

    def score(self, X, y=None):
        return self.quality


def test_brackets_are_those_of_the_paper():
    found = Hyperband(hyperband(max_resources=81)).brackets()
    assert [bracket.counts for bracket in found] == [
        (81, 27, 9, 3, 1),
        (34, 11, 3, 1),
        (15, 5, 1),
        (8, 2),
        (5,),
    ]
    assert [bracket.resources for bracket in found] == [
        (1, 3, 9, 27, 81),
        (3, 9, 27, 81),
        (9, 27, 81),
        (27, 81),
        (81,),
    ]


@pytest.mark.parametrize("rows", [X, blocks()], ids=["numpy", "dask"])
def test_the_best_of_each_round_go_on_and_calls_are_counted(rows):
    search = hyperband(Recording(), {"quality": list(range(100))}).fit(rows, Y)
    results = search.cv_results_
    expected = []
    for bracket in Hyperband(search).brackets():
        for i, (count, calls) in enumerate(
            zip(bracket.counts, bracket.resources, strict=True)
        ):
            expected += [(bracket.number, i, calls)] * count
            this = (results["bracket"] == bracket.number) & (results["iter"] == i)
            scores = results["mean_test_score"]
            before = (results["bracket"] == bracket.number) & (results["iter"] == i - 1)
            if i:
                best = np.sort(scores[before])[-count:]
                np.testing.assert_array_equal(np.sort(scores[this]), best)
    found = zip(
        results["bracket"], results["iter"], results["n_resources"], strict=True
    )
    assert sorted(found) == sorted(expected)
    assert search.best_score_ == results["mean_test_score"].max()
    calls = len(search.best_estimator_.seen_)
    assert calls == results["n_resources"][search.best_index_]
    # 9 candidates: 6 end after 1 call, 2 after 3; 5: 4 end after 3; 3 have all 9.
    assert search.n_partial_fit_calls_ == 6 + 2 * 3 + 9 + 4 * 3 + 9 + 3 * 9


def test_a_pass_takes_every_block_once():
    search = hyperband(
        Recording(), {"quality": [1]}, max_resources=12, factor=13, random_state=3
    ).fit(blocks(), Y)
    seen = search.best_estimator_.seen_
    expected = [(100, value) for value in X[::100, 0]]
    assert sorted(seen[:6]) == sorted(seen[6:]) == sorted(expected)


@pytest.mark.parametrize("rows", [X, blocks()], ids=["numpy", "dask"])
def test_a_seed_gives_the_same_on_any_number_of_threads(rows):
    def found(**options):
        with dask.config.set(**options):
            return hyperband().fit(rows, Y)

    one = found(scheduler="sync")
    two = found(scheduler="threads", num_workers=3)
    assert_same_search(two, one)
    np.testing.assert_array_equal(two.best_estimator_.coef_, one.best_estimator_.coef_)


@pytest.mark.parametrize("rows", [X, blocks()], ids=["numpy", "dask"])
def test_a_cluster_gives_the_same(client, rows):
    on_cluster = hyperband().fit(rows, Y)
    with dask.config.set(scheduler="sync"):
        here = hyperband().fit(rows, Y)
    assert_same_search(on_cluster, here)


def test_blocks_that_are_not_kept_give_the_same():
    kept = hyperband(cv=ShuffleSplit(1, test_size=50, random_state=0)).fit(blocks(), Y)
    with config_context(memory_budget="8kB"):
        lazy = blocks().map_blocks(np.copy)
        streamed = hyperband(cv=kept.cv).fit(lazy, Y)
    assert_same_search(streamed, kept)
    with (
        config_context(memory_budget="1kB"),
        pytest.raises(NoEngineError, match=r"rows held out .* Hold out fewer"),
    ):
        hyperband().fit(blocks().map_blocks(np.copy), Y)


def test_frames_labels_of_text_and_unknown_sizes():
    frame = pd.DataFrame(X, columns=list("abcde"))
    lazy = dd.from_pandas(frame, npartitions=6)
    target = dd.from_pandas(pd.Series(NAMES), npartitions=4)
    found = hyperband().fit(lazy, target)
    assert list(found.classes_) == ["no", "yes"]
    assert list(found.feature_names_in_) == list("abcde")
    expected = hyperband().fit(lazy.to_dask_array(lengths=True), NAMES)
    assert_same_search(found, expected)
    assert found.score(lazy, target) == expected.score(X, NAMES)
    assert found.best_score_ > 0.75
    in_memory = hyperband().fit(frame, NAMES)
    assert list(in_memory.feature_names_in_) == list("abcde")


def test_weights_are_cut_with_the_rows():
    weights = np.where(np.arange(600) % 2, 1.0, 1e-12)
    found = hyperband(SGDRegressor(random_state=0)).fit(
        blocks(), X[:, 0] * weights, sample_weight=da.from_array(weights, chunks=70)
    )
    here = hyperband(SGDRegressor(random_state=0)).fit(
        blocks(), X[:, 0] * weights, sample_weight=weights
    )
    without = hyperband(SGDRegressor(random_state=0)).fit(blocks(), X[:, 0] * weights)
    assert_same_search(found, here)
    assert found.best_score_ != without.best_score_


def test_it_reaches_the_full_search_on_a_fraction_of_its_calls():
    search = hyperband(max_resources=27).fit(blocks(), Y)
    n_candidates = search.to_sklearn().n_iter
    full = RandomizedSearchCV(
        SGDClassifier(random_state=0, max_iter=27, tol=None),
        DRAWN,
        n_iter=n_candidates,
        random_state=0,
        n_jobs=1,
    ).fit(X, Y)
    assert search.best_score_ > full.best_score_ - 0.03
    assert search.n_partial_fit_calls_ < 0.3 * 27 * n_candidates


def test_a_candidate_that_fails_gets_the_error_score():
    params = {"fails": [False, True, False], "quality": [1, 2, 3, 4, 5]}
    with (
        pytest.warns(FitFailedWarning, match="ValueError: as asked for"),
        pytest.warns(UserWarning, match="non-finite"),
    ):
        search = hyperband(Recording(), params).fit(blocks(), Y)
    failed = np.array([p["fails"] for p in search.cv_results_["params"]])
    np.testing.assert_array_equal(
        np.isnan(search.cv_results_["mean_test_score"]), failed
    )
    assert not search.best_params_["fails"]
    with pytest.raises(ValueError, match="as asked for"):
        hyperband(Recording(), {"fails": [True]}, error_score="raise").fit(X, Y)


@pytest.mark.usefixtures("no_compute")
@pytest.mark.parametrize(
    ("search", "message"),
    [
        (hyperband(LogisticRegression(), {"C": [1]}), "LogisticRegression has none"),
        (hyperband(resource="n_samples"), "takes resource='partial_fit' alone"),
        (hyperband(scoring=["accuracy"]), "ranks by one metric"),
        (hyperband(return_train_score=True), "return_train_score=True"),
        (hyperband(factor=1), "factor=1"),
    ],
)
def test_what_it_cannot_do_is_refused_before_work_starts(search, message):
    with pytest.raises(ValueError, match=message):
        search.fit(da.zeros((20, 2), chunks=5), da.zeros(20, chunks=5))


@pytest.mark.usefixtures("no_compute")
def test_a_plan_counts_scores_and_says_why_not_elsewhere():
    plan = hyperband().explain(da.zeros((20, 2), chunks=5), da.zeros(20, chunks=5))
    assert (plan.engine, plan.job.n_fits) == ("blockwise", 9 + 3 + 1 + 5 + 1 + 3)
    assert "partial_fit streams over the blocks of X" in str(plan)
