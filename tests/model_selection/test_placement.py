"""Where the fits of a search run, round after round."""

import importlib
import os
import re
import threading
import time
import warnings

import dask.array as da
import joblib
import numpy as np
import pytest
from distributed import Client, LocalCluster
from joblib.parallel import get_active_backend
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.callback import ProgressBar
from sklearn.callback._transport import open_listener, send
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from threadpoolctl import threadpool_info, threadpool_limits

from sklearn_dask_auto import AutoScaleGaussianNB, AutoScaleSearchCV, SearchProgress
from sklearn_dask_auto.engines import cluster_fits
from sklearn_dask_auto.engines.cluster_fits import HAS_SCIKIT_LEARN, is_warm
from sklearn_dask_auto.engines.cluster_workers import ClusterWorkers
from tests.model_selection.results import assert_same_search

X, Y = make_classification(240, 6, random_state=0)
ROUNDS = [[{"C": 0.001}, {"C": 0.1}, {"C": 10.0}], [{"C": 1.0}, {"C": 2.0}], [{"C": 5}]]


def in_rounds(cls, rounds=ROUNDS):
    """Return a search that evaluates candidates round after round, as halving does."""

    class Rounds(cls):
        def _run_search(self, evaluate_candidates, *, callback_ctx=None):
            for candidates in rounds:
                evaluate_candidates(candidates)

    Rounds.__name__ = cls.__name__
    return Rounds


class Told(ClassifierMixin, BaseEstimator):
    """Takes a while, and remembers where it fitted and how joblib was set there."""

    def __init__(self, seconds=0.0):
        self.seconds = seconds

    def fit(self, X, y):
        time.sleep(self.seconds)
        self.classes_ = np.unique(y)
        self.process_ = os.getpid()
        self.backend_ = type(get_active_backend()[0]).__name__
        return self

    def predict(self, X):
        return np.full(X.shape[0], self.classes_[0])


def process(model, X, y):
    return model.process_


def scores(search):
    table = search.cv_results_
    return np.transpose(
        [table[f"split{i}_test_score"] for i in range(search.n_splits_)]
    ).astype(int)


@pytest.mark.parametrize("n_jobs", [None, 1, 2])
def test_a_search_in_rounds_gives_scikit_learns_results(n_jobs):
    def fit(cls):
        model = LogisticRegression()
        return in_rounds(cls)(model, {"C": [1.0]}, cv=3, n_jobs=n_jobs).fit(X, Y)

    assert_same_search(fit(AutoScaleSearchCV), fit(GridSearchCV))


def test_every_round_of_a_search_is_placed(client):
    rounds = [[{"seconds": 0.0}] * 2, [{"seconds": 0.0}]]
    search = in_rounds(AutoScaleSearchCV, rounds)(
        Told(), {"seconds": [0.0]}, scoring=process, cv=2, engine="joblib"
    )
    assert os.getpid() not in scores(search.fit(X, Y))


def test_a_later_round_asks_at_once_with_what_the_last_one_measured(client):
    # While workers import, fits would run here as well.
    client.run(importlib.import_module, "sklearn.model_selection")
    rounds = [[{"seconds": 0.2}] * 2, [{"seconds": 0.2}] * 2]
    search = in_rounds(AutoScaleSearchCV, rounds)(
        Told(), {"seconds": [0.2]}, scoring=process, cv=2
    )
    first, second = np.split(scores(search.fit(X, Y)), 2)
    assert (first == os.getpid()).ravel().tolist() == [True, False, False, False]
    assert os.getpid() not in second
    assert search.plan_.job.seconds_per_fit >= 0.2


def test_between_rounds_and_after_them_joblib_is_as_it_was():
    seen = []

    class Between(AutoScaleSearchCV):
        def _run_search(self, evaluate_candidates, *, callback_ctx=None):
            for _ in range(2):
                evaluate_candidates([{"seconds": 0.0}])
                seen.append(type(get_active_backend()[0]).__name__)
                seen.append(joblib.Parallel(n_jobs=1)([joblib.delayed(int)(7)]))

    search = Between(Told(), {"seconds": [0.0]}, cv=2).fit(X, Y)
    assert seen == ["LokyBackend", [7]] * 2
    assert search.best_estimator_.backend_ == "LokyBackend"


def threads(model, X, y):
    """A scorer that tells how many threads BLAS, OpenMP and joblib may use in a fit."""
    return max(model.threads_)


class Threaded(Told):
    """Remembers how many threads it may use."""

    def fit(self, X, y):
        LogisticRegression().fit(X, y)
        libraries = [library["num_threads"] for library in threadpool_info()]
        self.threads_ = [*libraries, joblib.effective_n_jobs(-1)]
        return super().fit(X, y)


@pytest.mark.parametrize(
    ("engine", "n_jobs"), [("sklearn", 2), ("joblib", 2), ("joblib", 1)]
)
def test_fits_side_by_side_share_the_cores(client, engine, n_jobs):
    joblib.Parallel(n_jobs=2)(joblib.delayed(int)(i) for i in range(4))
    search = AutoScaleSearchCV(
        Threaded(seconds=0.05),
        {"seconds": [0.05, 0.06]},
        scoring=threads,
        cv=2,
        n_jobs=n_jobs,
        engine=engine,
        refit=False,
    )
    # The last one, as the first of local ones runs here.
    found = search.fit(X, Y).cv_results_["split1_test_score"][1]
    assert found <= max(1, joblib.cpu_count() // n_jobs)
    if n_jobs == 1:
        # What the fit itself does side by side may use them all.
        assert found == joblib.cpu_count()


@pytest.mark.parametrize("n_jobs", [None, 1])
def test_many_fits_here_begin_on_their_share_unless_they_are_to_be_one_by_one(n_jobs):
    grid = {"seconds": [0.0] * 4}
    with threadpool_limits(limits=3):
        search = AutoScaleSearchCV(
            Threaded(), grid, scoring=threads, cv=2, n_jobs=n_jobs, refit=False
        ).fit(X, Y)
        assert {library["num_threads"] for library in threadpool_info()} == {3}
    first = search.cv_results_["split0_test_score"][0]
    cores = joblib.cpu_count()
    assert first == (max(3, cores) if n_jobs == 1 else cores)


class Warned(Told):
    """Warns when it fits."""

    def fit(self, X, y):
        warnings.warn("as asked", FutureWarning, stacklevel=1)
        return super().fit(X, y)


class Ends:
    """A callback that notes, in this process, which fits are over."""

    def __init__(self):
        self.fits = []
        self.handle = open_listener(self.fits.append, owner=self)

    def __getstate__(self):
        return {"handle": self.handle}

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "candidate-split-evaluation":
            send(self.handle, context.task_id)

    def teardown(self, estimator, context):
        pass


@pytest.mark.parametrize("is_near", [True, False])
@pytest.mark.parametrize(
    "options",
    [{"n_jobs": 1}, {"engine": "sklearn", "n_jobs": 2}, {"engine": "joblib"}],
    ids=["here", "processes", "cluster"],
)
def test_callbacks_hear_of_every_fit(client, options, is_near, monkeypatch):
    monkeypatch.setattr(ClusterWorkers, "is_on_this_machine", is_near)
    ends = Ends()
    grid = {"seconds": [0.03, 0.031, 0.032]}
    search = AutoScaleSearchCV(Told(), grid, cv=2, **options).set_callbacks(ends)
    search.fit(X, Y)
    assert sorted(ends.fits) == list(range(6))
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("engine", ["sklearn", "joblib"])
def test_a_warning_of_a_fit_is_given_where_the_user_is(client, engine):
    joblib.Parallel(n_jobs=2)(joblib.delayed(int)(i) for i in range(4))
    search = AutoScaleSearchCV(
        Warned(seconds=0.05), {"seconds": [0.05, 0.06]}, cv=2, n_jobs=2, engine=engine
    )
    with pytest.warns(FutureWarning, match="as asked") as warned:
        search.set_params(refit=False).fit(X, Y)
    assert len(warned) == 4


PLACES = pytest.mark.parametrize(
    "options",
    [{"n_jobs": 1}, {"engine": "sklearn", "n_jobs": 2}, {"engine": "joblib"}],
    ids=["here", "processes", "cluster"],
)


def told_of_fits(text):
    """Return the lines of `verbose` in some order, without the times."""
    return sorted(re.sub(r"total time=.*", "", line) for line in text.splitlines())


@pytest.mark.parametrize(
    "options", [{"n_jobs": 1}, {"engine": "joblib"}], ids=["here", "cluster"]
)
def test_verbose_prints_what_scikit_learn_prints(client, capfd, options):
    grid = {"C": [0.1, 1.0]}
    GridSearchCV(LogisticRegression(), grid, cv=2, verbose=3).fit(X, Y)
    expected = told_of_fits(capfd.readouterr().out)
    AutoScaleSearchCV(LogisticRegression(), grid, cv=2, verbose=3, **options).fit(X, Y)
    assert told_of_fits(capfd.readouterr().out) == expected
    assert len(expected) == 5


@pytest.mark.filterwarnings("ignore:The estimator Told does not support callbacks")
@PLACES
def test_the_progress_bar_of_scikit_learn_comes_to_its_end(client, capfd, options):
    grid = {"seconds": [0.03, 0.031]}
    search = AutoScaleSearchCV(Told(), grid, cv=2, **options)
    search.set_callbacks(ProgressBar()).fit(X, Y)
    shown = capfd.readouterr().out
    assert "AutoScaleSearchCV" in shown
    assert "100%" in shown


def test_workers_that_have_not_imported_scikit_learn_are_known():
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as new,
        Client(new) as client,
    ):
        client.wait_for_workers(1)
        # pytest's own modules may come with a worker's start.
        has_it = client.run(eval, HAS_SCIKIT_LEARN)
        assert is_warm() == all(has_it.values())
        # Asking has them import nothing.
        assert client.run(eval, HAS_SCIKIT_LEARN) == has_it
        client.run(importlib.import_module, "sklearn.model_selection")
        assert is_warm()


class Choosy(Told):
    """Fails for one parameter; else its score is its parameter."""

    def fit(self, X, y):
        if self.seconds == 0.031:
            raise ValueError("as asked")
        return super().fit(X, y)

    def partial_fit(self, X, y, classes=None):
        return self.fit(X, y)

    def score(self, X, y):
        return self.seconds


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
@pytest.mark.parametrize(
    "options",
    [
        *({"n_jobs": 1}, {"engine": "sklearn", "n_jobs": 2}, {"engine": "joblib"}),
        {"strategy": "halving", "resource": "partial_fit", "max_resources": 1},
    ],
    ids=["here", "processes", "cluster", "partial_fit"],
)
def test_progress_tells_of_failures_and_of_the_best_score(client, capfd, options):
    progress = SearchProgress()
    search = AutoScaleSearchCV(
        Choosy(), {"seconds": [0.03, 0.031, 0.032]}, cv=2, **options
    )
    search.set_callbacks(progress).fit(X, Y)
    assert (progress.n_done_, progress.n_total_, progress.n_failed_) == (6, 6, 2)
    assert progress.best_score_ == search.best_score_ == 0.032
    shown = " ".join(capfd.readouterr().out.split())
    assert "6/6 2 failed, best 0.0320" in shown


def test_progress_tells_of_fits_on_blocks(capfd):
    progress = SearchProgress()
    search = AutoScaleSearchCV(
        AutoScaleGaussianNB(),
        {"var_smoothing": [1e-9, 1e-3]},
        cv=2,
        engine="blockwise",
        scoring=["accuracy", "roc_auc"],
        refit="roc_auc",
    )
    search.set_callbacks(progress).fit(da.from_array(X, (90, 6)), Y)
    assert (progress.n_done_, progress.n_total_, progress.n_failed_) == (4, 4, 0)
    assert progress.best_score_ == search.best_score_
    assert search.plan_.job.seconds_per_fit > 0
    assert search.plan_.job.n_fits == 4
    assert "4/4" in capfd.readouterr().out


class Pressing(AutoScaleGaussianNB):
    """Presses Ctrl-C in its third fit."""

    n_fits = 0

    def fit(self, X, y=None, sample_weight=None):
        Pressing.n_fits += 1
        if Pressing.n_fits == 3:
            raise KeyboardInterrupt
        return super().fit(X, y)


def test_an_interrupted_search_on_blocks_keeps_the_scores_it_has():
    grid = {"var_smoothing": [1e-9, 1e-3]}
    search = AutoScaleSearchCV(Pressing(), grid, cv=2, engine="blockwise")
    with pytest.raises(KeyboardInterrupt):
        search.fit(da.from_array(X, (90, 6)), Y)
    expected = GridSearchCV(GaussianNB(), grid, cv=2).fit(X, Y).cv_results_
    found = search.cv_results_
    for name in ("split0_test_score", "split1_test_score"):
        np.testing.assert_array_equal(found[name], [expected[name][0], np.nan])


class Beside(Told):
    """Remembers how many fits of its process ran at once."""

    now = 0
    lock = threading.Lock()

    def fit(self, X, y):
        with self.lock:
            Beside.now += 1
            self.at_once_ = Beside.now
        try:
            return super().fit(X, y)
        finally:
            with self.lock:
                Beside.now -= 1


def at_once(model, X, y):
    return model.at_once_


@pytest.mark.cluster
@pytest.mark.parametrize(("n_bytes", "most"), [(100_000_000, 4), (250_000_000, 2)])
def test_a_worker_gets_no_more_fits_than_its_memory_takes(n_bytes, most, monkeypatch):
    # Of 1 GB a worker fills 800 MB, of which its process has 100 to 250 already.
    monkeypatch.setattr(cluster_fits, "fit_bytes", lambda profile, job: n_bytes)
    workers = {"n_workers": 1, "threads_per_worker": 4, "memory_limit": "1GB"}
    search = AutoScaleSearchCV(
        Beside(),
        {"seconds": [0.2 + i / 1000 for i in range(8)]},
        scoring=at_once,
        cv=2,
        engine="joblib",
        refit=False,
    )
    with LocalCluster(**workers, dashboard_address=":0") as cluster, Client(cluster):
        results = search.fit(X, Y).cv_results_
    assert max(results[f"split{i}_test_score"].max() for i in range(2)) == most
