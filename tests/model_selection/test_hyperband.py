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
    one = ShuffleSplit(1, test_size=0.2, random_state=0)
    options = {"max_resources": 9, "random_state": 0, "cv": one, **options}
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
    engine = "joblib" if rows is X else "blockwise"
    on_cluster = hyperband(engine=engine).fit(rows, Y)
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


def fitted_from_scratch(resource, rows=X, callbacks=(), **options):
    options = {"resource": resource, "cv": 3, "n_jobs": 1, **options}
    if resource in ("auto", "n_samples"):
        options.setdefault("max_resources", "auto")
    estimator = LogisticRegression(solver="liblinear", random_state=0)
    search = hyperband(estimator, {"C": loguniform(1e-3, 1e3)}, **options)
    return search.set_callbacks(*callbacks).fit(rows, Y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("resource", "options", "expected"),
    [
        (
            "n_samples",
            {"max_resources": 540, "min_resources": 20},
            [
                *[(3, 0, 20), (3, 1, 60), (2, 0, 60), (3, 2, 180), (2, 1, 180)],
                *[(1, 0, 180), (3, 3, 540), (2, 2, 540), (1, 1, 540), (0, 0, 540)],
            ],
        ),
        (
            "max_iter",
            {"max_resources": 9},
            [(2, 0, 1), (2, 1, 3), (1, 0, 3), (2, 2, 9), (1, 1, 9), (0, 0, 9)],
        ),
    ],
)
def test_rows_or_a_parameter_may_be_the_resource(resource, options, expected):
    search = fitted_from_scratch(resource, **options)
    results = search.cv_results_
    columns = (results[name].tolist() for name in ("bracket", "iter", "n_resources"))
    found = list(zip(*columns, strict=True))
    assert list(dict.fromkeys(found)) == expected
    plan = search.explain(X, Y)
    assert plan.job.n_fits == 3 * len(found)
    assert search.n_resources_ == sorted({calls for _, _, calls in expected})
    assert results["n_resources"][search.best_index_] == options["max_resources"]
    assert_best_go_on(results)
    if resource == "max_iter":
        assert search.best_params_["max_iter"] == 9
        # A round is that of a grid search with the same candidates.
        at_9 = [p for p in results["params"] if p["max_iter"] == 9]
        grid = [{name: [value] for name, value in p.items()} for p in at_9]
        alone = AutoScaleSearchCV(search.estimator, grid, cv=3, n_jobs=1).fit(X, Y)
        np.testing.assert_array_equal(
            alone.cv_results_["mean_test_score"],
            results["mean_test_score"][-len(at_9) :],
        )
    assert search.to_sklearn().n_candidates == "exhaust"
    again = fitted_from_scratch(resource, da.from_array(X, (70, 5)), **options)
    assert_same_search(again, search)


def assert_best_go_on(results):
    table = pd.DataFrame(results)
    for _, rounds in table.groupby("bracket"):
        for i in range(1, rounds["iter"].max() + 1):
            before, after = (rounds[rounds["iter"] == k] for k in (i - 1, i))
            best = before.sort_values(
                "mean_test_score", ascending=False, kind="stable"
            ).head(len(after))
            assert list(best["param_C"]) == list(after["param_C"])


def test_rows_are_the_resource_of_an_estimator_without_partial_fit():
    options = {"max_resources": "auto", "min_resources": 200}
    search = fitted_from_scratch("auto", **options)
    assert search.cv_results_["n_resources"].max() == len(X)
    assert not hasattr(search, "history_")


def test_rounds_from_scratch_are_told_of_as_halving_tells(capsys):
    options = {"min_resources": 200, "verbose": 1}
    ends = []

    class Ends:
        def setup(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            assert type(estimator) in (AutoScaleSearchCV, LogisticRegression)

        def on_fit_task_end(self, estimator, context):
            ends.append(context.task_name)

        def teardown(self, estimator, context):
            pass

    search = fitted_from_scratch("n_samples", callbacks=[Ends()], **options)
    n_rounds = len(search.n_resources_)
    assert ends.count("hyperband-round") == n_rounds
    n_fits = 3 * len(search.cv_results_["iter"])
    assert ends.count("candidate-split-evaluation") == n_fits
    printed = capsys.readouterr().out
    assert printed.count("n_resources: ") == n_rounds
    assert "----------\nn_candidates: 3\nn_resources: 200\n" in printed


def test_a_parameter_that_is_searched_is_no_resource():
    with pytest.raises(ValueError, match="Cannot use parameter C as the resource"):
        fitted_from_scratch("C", max_resources=9)


@pytest.mark.usefixtures("no_compute")
@pytest.mark.parametrize(
    ("search", "message"),
    [
        (
            hyperband(LogisticRegression(), {"C": [1]}, resource="partial_fit"),
            "LogisticRegression has none",
        ),
        (hyperband(decay_rate=1), "cuts by factor alone"),
        (hyperband(min_resources=10), "min_resources=10 is greater than"),
        (hyperband(resource="n_samples", patience=3), "patience is for candidates"),
        (hyperband(scoring=["accuracy"]), "the parameter refit must be set"),
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
