import warnings

import dask.array as da
import numpy as np
import pytest
from sklearn.svm import SVC, NuSVC

from sklearn_dask_auto import AutoScaleKMeans, AutoScaleSearchCV, NoEngineError
from sklearn_dask_auto._survey import survey
from sklearn_dask_auto.model_selection import placement
from sklearn_dask_auto.routing import cost

X = np.random.default_rng(0).normal(size=(60, 2))
Y = np.repeat([0, 1], 30)


@pytest.fixture
def one_worker():
    """Return the client of a cluster of one worker process of its own."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=":0"
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def lack_the_library():
    """Return a function for a worker, sent by value, that takes the library from it."""

    def run():
        import sys

        class Blocker:
            @staticmethod
            def find_spec(name, path=None, target=None):
                if name.partition(".")[0] == "sklearn_dask_auto":
                    raise ModuleNotFoundError(f"No module named {name!r}")

        for name in [n for n in sys.modules if n.startswith("sklearn_dask_auto")]:
            del sys.modules[name]
        sys.meta_path.insert(0, Blocker)

    return run


def have_another_scikit_learn():
    def run():
        from importlib import metadata

        metadata.version = lambda name: "1.2.3"

    return run


def told_by(workers):
    """Survey a cluster, and return the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        problem = survey().cluster.problem
    return problem, [str(warning.message) for warning in caught]


def test_workers_like_this_process_have_no_problem(client):
    assert told_by(client) == (None, [])


def test_workers_without_the_library_are_not_used(one_worker):
    one_worker.run(lack_the_library())
    problem, told = told_by(one_worker)
    assert problem == (
        "a Dask worker has no sklearn_dask_auto (ModuleNotFoundError: No module named "
        "'sklearn_dask_auto')"
    )
    assert told == [f"{problem}; nothing is sent to it"]
    assert told_by(one_worker) == (problem, [])  # once

    search = AutoScaleSearchCV(SVC(), {"C": [1, 2]}, cv=2).fit(X, Y)
    assert search.plan_.engine == "sklearn"
    assert problem in str(search.plan_)
    with pytest.raises(NoEngineError, match="has no sklearn_dask_auto"):
        search.set_params(engine="joblib").fit(X, Y)


def test_a_search_that_is_over_before_asks_no_workers(one_worker):
    search = AutoScaleSearchCV(SVC(), {"C": [1, 2]}, cv=2).fit(X, Y)
    assert search.plan_.resources.cluster.n_workers == 1
    assert not _known(one_worker)
    search.explain(X, Y)
    assert set(_known(one_worker)) == set(one_worker.nthreads())


def test_a_search_that_would_go_to_workers_asks_them_before(one_worker, monkeypatch):
    one_worker.run(lack_the_library())
    monkeypatch.setattr(placement, "SHORT_SECONDS", 0.0)
    monkeypatch.setattr(cost, "CLUSTER_CALL_SECONDS", -1e3)
    with pytest.warns(UserWarning, match="nothing is sent to it"):
        search = AutoScaleSearchCV(NuSVC(), {"nu": [0.1, 0.2]}, cv=2).fit(X, Y)
    assert search.plan_.engine == "sklearn"
    assert "has no sklearn_dask_auto" in str(search.plan_)


def test_rows_on_workers_without_the_library_come_here_if_they_fit(one_worker):
    one_worker.run(lack_the_library())
    rows = da.from_array(X, chunks=(20, 2))
    with pytest.warns(UserWarning, match="has no sklearn_dask_auto"):
        kmeans = AutoScaleKMeans(2, random_state=0).fit(rows)
    assert kmeans.plan_.engine == "sklearn"
    with pytest.raises(NoEngineError, match="has no sklearn_dask_auto"):
        kmeans.set_params(engine="blockwise").fit(rows)


def test_workers_with_another_scikit_learn_are_told_of(one_worker):
    one_worker.run(have_another_scikit_learn())
    problem, told = told_by(one_worker)
    assert problem.startswith("scikit-learn is ")
    assert problem.endswith(" here and 1.2.3 on a Dask worker")
    assert len(told) == 1


def test_a_worker_that_comes_later_is_asked(one_worker):
    assert told_by(one_worker) == (None, [])
    one_worker.cluster.scale(2)
    one_worker.wait_for_workers(2, timeout=60)
    late = [w for w in one_worker.nthreads() if w not in _known(one_worker)]
    one_worker.run(lack_the_library(), workers=late)
    assert "has no sklearn_dask_auto" in told_by(one_worker)[0]


def _known(client):
    from sklearn_dask_auto._worker_versions import _asked

    return _asked[client]
