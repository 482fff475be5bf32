"""What is asked, in joblib's words."""

import joblib
import pytest

from sklearn_dask_auto.routing.job import workers_asked


@pytest.mark.parametrize("n_jobs", [-9, -2, -1, 1, 2, 99])
def test_workers_asked_are_reckoned_as_by_joblib(n_jobs):
    width = joblib.cpu_count()
    assert workers_asked(n_jobs, width) == joblib.effective_n_jobs(n_jobs)


def test_where_nothing_is_asked_all_may_be_taken():
    assert workers_asked(None, 4) == 4
