"""Threads of BLAS and OpenMP for fits that run here, one after another."""

import joblib
import pytest
from sklearn.cluster import KMeans  # noqa: F401  it brings BLAS and OpenMP
from threadpoolctl import threadpool_info, threadpool_limits

from sklearn_dask_auto.engines.native_threads import ThreadTrial

LONG, SHORT = 0.05, 0.001


def threads(api):
    return {lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == api}


@pytest.fixture(autouse=True)
def three():
    """Give every library three threads, however many cores there are."""
    with threadpool_limits(limits=3):
        yield
        assert threads("blas") == threads("openmp") == {3}


def seen(trial, seconds_on_share, seconds_free, n_fits=5):
    """Return on how many threads of BLAS and OpenMP fits ran, one after another."""
    runs = []
    for _ in range(n_fits):
        trial.begin()
        runs.append((*threads("blas"), *threads("openmp")))
        trial.learn(seconds_on_share if runs[-1] == (1, 1) else seconds_free)
    return runs


@pytest.mark.parametrize(
    ("seconds_on_share", "seconds_free", "expected"),
    [
        (LONG, 4 * LONG, [1, 3, 1, 1, 1]),
        (LONG, LONG / 2, [1, 3, 1, 3, 3]),
        (SHORT, SHORT / 2, [1, 1, 1, 1, 1]),
    ],
    ids=["share", "all", "too-short-to-try"],
)
def test_what_was_faster_goes_on(seconds_on_share, seconds_free, expected):
    trial = ThreadTrial(1)
    runs = seen(trial, seconds_on_share, seconds_free)
    trial.end()
    assert runs == [(n, n) for n in expected]


def test_a_first_fit_that_imports_does_not_decide():
    trial = ThreadTrial(1)
    taken = {1: iter([10 * LONG, LONG, LONG]), 3: iter([4 * LONG])}
    runs = []
    for _ in range(4):
        trial.begin()
        runs += threads("blas")
        trial.learn(next(taken[runs[-1]]))
    trial.end()
    assert runs == [1, 3, 1, 1]


def test_nothing_is_tried_where_the_share_is_all_there_is():
    trial = ThreadTrial(3)
    assert seen(trial, LONG, LONG) == [(3, 3)] * 5
    trial.settle()
    assert threads("blas") == {3}
    trial.end()


@pytest.mark.parametrize(("seconds_free", "blas"), [(2 * LONG, 1), (LONG / 2, 3)])
def test_what_comes_next_has_blas_as_it_was_faster_and_all_of_openmp(
    seconds_free, blas
):
    trial = ThreadTrial(1)
    seen(trial, LONG, seconds_free)
    trial.settle()
    assert threads("blas") == {blas}
    assert threads("openmp") == {3}
    trial.end()


def test_a_fit_that_was_tried_in_vain_tells_nothing_of_others():
    trial = ThreadTrial(1)
    told = []
    for seconds in (LONG, 4 * LONG, LONG):
        trial.begin()
        told.append(trial.learn(seconds))
    trial.end()
    assert told == [True, False, True]


def test_the_share_is_never_more_than_there_was():
    with threadpool_limits(limits=1):
        trial = ThreadTrial(joblib.cpu_count() + 1)
        trial.begin()
        assert threads("blas") == threads("openmp") == {1}
        trial.end()
