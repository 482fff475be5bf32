"""BLAS leaves the cores to tasks that run side by side, and gets them back."""

import threading

import dask
import dask.array as da
import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from sklearn_dask_auto.inputs.output import map_rows
from sklearn_dask_auto.inputs.threads import bounded_blas, bounded_threads

ROWS = da.from_array(np.ones((8, 2)), chunks=(2, 2))


def blas_threads():
    return [x["num_threads"] for x in threadpool_info() if x["user_api"] == "blas"]


class Telling:
    def predict(self, X):
        return np.full(len(X), max(blas_threads()))


@pytest.fixture(autouse=True)
def two_threads():
    """Have BLAS take two threads on any machine; and find them unchanged.

    From threadpoolctl 3.8 on this thread owns the limit, beside that of the tasks.
    """
    with threadpool_limits(2, "blas"):
        yield
        assert set(blas_threads()) == {2}


@pytest.mark.parametrize(
    ("scheduler", "n_workers", "expected"),
    [("threads", 2, 1), ("threads", 1, 2), ("sync", None, 2)],
)
def test_predictions_computed_by_dask_alone_bound_blas(scheduler, n_workers, expected):
    lazy = map_rows(Telling(), "predict", ROWS)
    with dask.config.set(scheduler=scheduler, num_workers=n_workers):
        found = lazy.compute()
    assert set(found) == {expected}


def test_the_last_of_overlapping_calls_gives_the_threads_back():
    is_in, may_leave, seen = threading.Event(), threading.Event(), []

    def outlast():
        with bounded_blas(1):
            is_in.set()
            may_leave.wait(10)
            seen.extend(blas_threads())

    thread = threading.Thread(target=outlast)
    with bounded_threads(1):
        thread.start()
        assert is_in.wait(10)
    seen.extend(blas_threads())
    may_leave.set()
    thread.join()
    assert set(seen) == {1}


def test_a_smaller_share_holds_within_a_larger_one():
    with threadpool_limits(3, "blas"):
        with bounded_blas(2):
            assert set(blas_threads()) == {2}
            with bounded_blas(1):
                assert set(blas_threads()) == {1}
        assert set(blas_threads()) == {3}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_gives_the_threads_back(error):
    with pytest.raises(error), bounded_threads(1):
        raise error
