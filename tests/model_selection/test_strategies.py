"""Strategies that scikit-learn has: its results, whatever the parameters."""

import re

import dask.array as da
import numpy as np
import pytest
from scipy.stats import loguniform, uniform
from sklearn.datasets import make_classification
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    RandomizedSearchCV,
)

from sklearn_dask_auto import (
    AutoScaleLogisticRegression,
    AutoScaleSearchCV,
    config_context,
)
from tests.model_selection.results import assert_same_search

X, Y = make_classification(240, 6, random_state=0)
LISTS = {"C": [0.01, 0.1, 1.0, 10.0, 100.0], "fit_intercept": [True, False]}
DRAWN = {"C": loguniform(0.01, 10), "fit_intercept": [True, False]}
HALVING_ATTRIBUTES = [
    "n_resources_",
    "n_candidates_",
    "n_remaining_candidates_",
    "max_resources_",
    "min_resources_",
    "n_iterations_",
    "n_possible_iterations_",
    "n_required_iterations_",
]


def halving(original, **options):
    """Return a search of scikit-learn's, and the parameters that make it of ours."""
    shared = {"random_state": 0, "n_jobs": 1, **options}
    return (
        lambda *args: original(*args, return_train_score=True, **shared),
        {"strategy": "halving", "return_train_score": True, **shared},
    )


def at_random(**options):
    options["n_jobs"] = 1
    return (
        lambda *args: RandomizedSearchCV(*args, **options),
        {"strategy": "random", **options},
    )


CASES = {
    "random lists": (LISTS, *at_random(n_iter=4, random_state=1)),
    "random distributions": (DRAWN, *at_random(n_iter=3, random_state=2)),
    "random grids": (
        [{"C": [1.0, 2.0]}, DRAWN],
        *at_random(n_iter=5, random_state=np.random.RandomState(0).randint(9)),
    ),
    "random metrics": (
        DRAWN,
        *at_random(
            n_iter=3,
            random_state=0,
            scoring=["accuracy", "roc_auc"],
            refit="roc_auc",
            return_train_score=True,
        ),
    ),
    "halving grid": (LISTS, *halving(HalvingGridSearchCV)),
    "halving grid by two": (LISTS, *halving(HalvingGridSearchCV, factor=2)),
    "halving grid, aggressive": (
        LISTS,
        *halving(
            HalvingGridSearchCV,
            factor=2,
            aggressive_elimination=True,
            max_resources=60,
            min_resources="smallest",
        ),
    ),
    "halving grid, iterations": (
        LISTS,
        *halving(
            HalvingGridSearchCV,
            resource="max_iter",
            max_resources=50,
            min_resources=5,
        ),
    ),
    "halving at random": (DRAWN, *halving(HalvingRandomSearchCV)),
    "halving at random, exhausting": (
        DRAWN,
        *halving(HalvingRandomSearchCV, n_candidates=7, min_resources="exhaust", cv=3),
    ),
    "halving some of a grid": (
        LISTS,
        *halving(HalvingRandomSearchCV, n_candidates=4, scoring="roc_auc"),
    ),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", ["numpy", "dask"])
def test_results_are_scikit_learns(case, kind):
    params, original, options = CASES[case]
    # Its fits take a millisecond, and no threads of BLAS.
    estimator = LogisticRegression(solver="liblinear", random_state=0)
    expected = original(estimator, params).fit(X, Y)
    found = AutoScaleSearchCV(estimator, params, **options)
    rows = X if kind == "numpy" else da.from_array(np.ascontiguousarray(X), (70, 6))
    found.fit(rows, Y)
    assert_same_search(found, expected)
    for name in HALVING_ATTRIBUTES:
        assert getattr(found, name, None) == getattr(expected, name, None), name
    plain = found.to_sklearn()
    assert type(plain) is type(expected)
    assert without_addresses(plain) == without_addresses(expected)
    assert_same_search(plain.fit(X, Y), expected)


def without_addresses(search):
    return re.sub("0x[0-9a-f]+", "", repr(search))


@pytest.mark.usefixtures("no_compute")
@pytest.mark.parametrize("case", CASES)
def test_a_plan_counts_the_fits_before_they_run(case):
    params, _, options = CASES[case]
    found = AutoScaleSearchCV(LogisticRegression(), params, **options)
    assert found.explain(X, Y).job.n_fits == COUNTS[case]


COUNTS = {
    "random lists": 4 * 5,
    "random distributions": 3 * 5,
    "random grids": 5 * 5,
    "random metrics": 3 * 5,
    "halving grid": (10 + 4 + 2) * 5,
    "halving grid by two": (10 + 5 + 3 + 2) * 5,
    "halving grid, aggressive": (10 + 5 + 3 + 2) * 5,
    "halving grid, iterations": (10 + 4 + 2) * 5,
    "halving at random": (12 + 4 + 2) * 5,
    "halving at random, exhausting": (7 + 3) * 3,
    "halving some of a grid": (4 + 2) * 5,
}


@pytest.mark.usefixtures("no_compute")
def test_a_grid_refuses_distributions_and_says_what_takes_them():
    lazy = da.zeros((20, 2), chunks=5)
    for rows in (X, lazy):
        with pytest.raises(TypeError, match=r"'C' .* Use strategy='random'"):
            AutoScaleSearchCV(LogisticRegression(), DRAWN).fit(rows, Y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategy": "best"}, "The 'strategy' parameter of AutoScaleSearchCV"),
        ({"strategy": "random", "n_iter": 0}, "The 'n_iter' parameter"),
        ({"strategy": "halving", "scoring": ["r2"]}, "The 'scoring' parameter of Auto"),
        ({"strategy": "halving", "resource": "q"}, "Cannot use resource=q which"),
        ({"strategy": "halving", "factor": 0}, "The 'factor' parameter"),
    ],
)
def test_nonsense_is_refused_in_scikit_learns_words(options, message):
    search = AutoScaleSearchCV(Ridge(), {"alpha": [1, 2]}, **options)
    with pytest.raises(ValueError, match=message):
        search.fit(X, Y)


@pytest.mark.parametrize("strategy", ["random", "halving"])
def test_a_collection_over_the_budget_stays_on_its_blocks(strategy):
    options = {
        "cv": 2,
        "n_jobs": 1,
        "random_state": 0,
        "strategy": strategy,
        "n_iter": 3,
        "min_resources": "smallest",
    }
    params = {"C": [0.01, 0.1, 1.0, 10.0]}
    expected = AutoScaleSearchCV(LogisticRegression(tol=1e-10), params, **options).fit(
        X, Y
    )
    found = AutoScaleSearchCV(AutoScaleLogisticRegression(tol=1e-10), params, **options)
    with config_context(memory_budget="5kB"):
        found.fit(da.from_array(np.ascontiguousarray(X), (70, 6)), Y)
    assert found.plan_.engine == "blockwise"
    assert found.best_params_ == expected.best_params_
    scores = found.cv_results_["mean_test_score"]
    np.testing.assert_allclose(scores, expected.cv_results_["mean_test_score"])


@pytest.mark.usefixtures("no_compute")
def test_what_a_grid_overrides_is_no_reason_to_refuse():
    lazy = da.from_array(np.ascontiguousarray(X), (70, 6))
    wanted = AutoScaleLogisticRegression(solver="liblinear")

    def refusals(params):
        search = AutoScaleSearchCV(wanted, params, engine="blockwise")
        return search.explain(lazy, Y).job.refused("blockwise")

    assert not refusals({"solver": ["lbfgs", "newton-cholesky"]})
    assert refusals({"C": [1.0]})
    assert refusals({"solver": ["lbfgs", "liblinear"]})
    assert refusals([{"solver": ["lbfgs"]}, {"C": [1.0]}])
    # No candidate is like that, and the empty one is the estimator as it is.
    assert refusals({})
    assert refusals({"no such": [1]})


def test_random_states_are_drawn_from_once():
    def scores(cls, **options):
        search = cls(Ridge(), {"alpha": uniform(0, 1)}, n_iter=3, n_jobs=1, **options)
        return search.fit(X, Y).cv_results_["mean_test_score"]

    rng, same = (np.random.RandomState(5) for _ in range(2))
    for _ in range(2):
        found = scores(AutoScaleSearchCV, strategy="random", random_state=rng)
        expected = scores(RandomizedSearchCV, random_state=same)
        np.testing.assert_array_equal(found, expected)


def test_the_default_is_a_grid():
    params = {"alpha": [0.1, 1.0]}
    assert_same_search(
        AutoScaleSearchCV(Ridge(), params).fit(X, Y),
        GridSearchCV(Ridge(), params).fit(X, Y),
    )
