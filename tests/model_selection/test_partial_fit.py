"""Halving and Hyperband by `partial_fit`: rounds, plateaus, and rows however they lie.

dask-ml's searches state some of this behaviour, and its tests were the guide: its
`test_incremental.py`, `test_inverse.py`, `test_successive_halving.py` and
`test_hyperband.py`.
"""

import _thread
import os
import signal
import threading
import time
import warnings
from contextlib import contextmanager
from pathlib import Path

import dask
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from distributed import Client, LocalCluster
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from scipy.stats import loguniform, uniform
from sklearn.base import BaseEstimator, clone
from sklearn.cluster import MiniBatchKMeans
from sklearn.datasets import make_classification
from sklearn.exceptions import FitFailedWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    ParameterGrid,
    RandomizedSearchCV,
    ShuffleSplit,
    StratifiedKFold,
)

from sklearn_dask_auto import (
    AutoScaleSearchCV,
    NoEngineError,
    SearchProgress,
    config_context,
)
from sklearn_dask_auto.inputs import scheduler
from sklearn_dask_auto.kernels import streaming
from tests.cuts import cut, cuts
from tests.model_selection.results import assert_same_search

X, Y = make_classification(600, 5, random_state=0)
X = np.ascontiguousarray(X)
DRAWN = {"alpha": loguniform(1e-5, 1)}
HOME = os.getpid()


class Line(BaseEstimator):
    """Its score is a line in the number of its calls, and ends at `top`."""

    def __init__(self, start=0.0, slope=0.0, top=np.inf):
        self.start = start
        self.slope = slope
        self.top = top

    def fit(self, X, y=None):
        raise AssertionError("a search by partial_fit fits from scratch")

    def partial_fit(self, X, y=None):
        self.calls_ = getattr(self, "calls_", 0) + 1
        return self

    def score(self, X, y=None):
        return min(self.start + self.slope * self.calls_, self.top)


ONE = ShuffleSplit(1, test_size=0.2, random_state=0)


def by_calls(estimator, params, strategy="halving", **options):
    options = {"resource": "partial_fit", "random_state": 0, "cv": ONE, **options}
    return AutoScaleSearchCV(estimator, params, strategy=strategy, **options)


def rounds(search):
    results = search.cv_results_
    found = {}
    for i, calls in zip(results["iter"], results["n_resources"], strict=True):
        found.setdefault((int(i), int(calls)), 0)
        found[int(i), int(calls)] += 1
    return [(calls, count) for (_, calls), count in sorted(found.items())]


STARTS = {"start": np.linspace(0, 1, 10).tolist()}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"max_resources": 9}, [(1, 10), (3, 4), (9, 2)]),
        ({"max_resources": 20}, [(2, 10), (6, 4), (18, 2)]),
        ({"min_resources": 2, "max_resources": 20}, [(2, 10), (6, 4), (18, 2)]),
        ({"factor": 2, "max_resources": 4}, [(1, 10), (2, 5), (4, 3)]),
        (
            {"factor": 2, "max_resources": 4, "aggressive_elimination": True},
            [(1, 10), (1, 5), (2, 3), (4, 2)],
        ),
        ({"n_candidates": 5, "max_resources": 9}, [(1, 5), (3, 2)]),
        ({"n_candidates": "exhaust", "max_resources": 4}, [(1, 4), (3, 2)]),
        (
            {"n_candidates": 4, "min_resources": "exhaust", "max_resources": 9},
            [(3, 4), (9, 2)],
        ),
        (
            {"decay_rate": 1, "max_resources": 5},
            [(1, 10), (2, 5), (3, 3), (4, 2), (5, 2)],
        ),
        ({"decay_rate": 0, "max_resources": 6}, [(1, 10), (6, 10)]),
        (
            {"decay_rate": 2, "min_resources": 3, "max_resources": 10},
            [(3, 10), (6, 2), (9, 1), (10, 1)],
        ),
    ],
)
def test_halving_goes_through_the_rounds_that_it_says(options, expected):
    search = by_calls(Line(), STARTS, **options)
    assert search.explain(X, Y).job.n_fits == sum(count for _, count in expected)
    search.fit(X, Y)
    assert rounds(search) == expected
    assert search.n_resources_ == [calls for calls, _ in expected]
    assert search.n_candidates_ == [count for _, count in expected]
    best = max(p["start"] for p in search.cv_results_["params"])
    assert search.best_params_ == {"start": best}
    calls = search.cv_results_["partial_fit_calls"]
    np.testing.assert_array_equal(calls, search.cv_results_["n_resources"])
    assert search.best_estimator_.calls_ == calls[search.best_index_]


def test_candidates_keep_their_number_and_go_on_where_they_were():
    search = by_calls(Line(slope=1.0), STARTS, max_resources=9).fit(X, Y)
    table = pd.DataFrame(search.cv_results_)
    for _, rows in table.groupby("candidate"):
        starts = rows["param_start"].astype(float)
        assert starts.nunique() == 1
        expected = starts + rows["partial_fit_calls"]
        np.testing.assert_array_equal(rows["mean_test_score"], expected)
    lasts = table.groupby("candidate")["n_resources"].max()
    assert search.n_partial_fit_calls_ == lasts.sum()


def test_all_combinations_of_lists_are_tried_and_no_others():
    grid = {"start": [0.1, 0.2], "slope": [1.0, 2.0, 3.0]}
    search = by_calls(Line(), grid, max_resources=3).fit(X, Y)
    assert search.cv_results_["params"][:6] == list(ParameterGrid(grid))
    assert search.n_candidates_[0] == 6
    assert type(search.to_sklearn()) is GridSearchCV
    drawn = by_calls(Line(), {"start": uniform()}, n_candidates=3, max_resources=3)
    plain = drawn.fit(X, Y).to_sklearn()
    assert type(plain) is RandomizedSearchCV
    assert plain.n_iter == 3
    np.testing.assert_array_equal(
        plain.best_estimator_.start, drawn.best_params_["start"]
    )


@pytest.mark.parametrize(
    ("patience", "tol", "slope", "calls"),
    [
        (5, 0, 0.0, 6),
        (3, 1, 1.0, 10),
        (3, 4, 1.0, 4),
        (None, 4, 1.0, 10),
        (1, 0, 0.0, 2),
        (9, 0, 0.0, 10),
    ],
)
def test_training_stops_when_scores_no_longer_rise(patience, tol, slope, calls):
    search = by_calls(
        Line(slope=slope),
        STARTS,
        decay_rate=0,
        max_resources=10,
        patience=patience,
        tol=tol,
    ).fit(X, Y)
    last = search.cv_results_["iter"] == 1
    assert set(search.cv_results_["partial_fit_calls"][last]) == {calls}
    assert search.best_estimator_.calls_ == calls
    assert search.n_partial_fit_calls_ == 10 * calls


def test_a_candidate_that_stopped_may_still_win():
    params = [{"start": [0.9]}, {"slope": [0.01], "start": [0.0, 0.1]}]
    search = by_calls(
        Line(), params, decay_rate=0, max_resources=9, patience=2, tol=0
    ).fit(X, Y)
    assert search.best_params_ == {"start": 0.9}
    assert sorted(search.cv_results_["partial_fit_calls"][-3:]) == [3, 9, 9]


def test_patience_saves_calls_of_hyperband_and_keeps_its_rounds():
    def found(**options):
        search = by_calls(
            Line(slope=0.1, top=1.2), {"start": uniform()}, "hyperband", **options
        )
        return search.set_params(max_resources=27).fit(X, Y)

    patient, full = found(patience=3, tol=0), found()
    for name in ("bracket", "iter", "n_resources", "param_start"):
        ours, theirs = patient.cv_results_[name], full.cv_results_[name]
        np.testing.assert_array_equal(np.ma.filled(ours), np.ma.filled(theirs))
    assert patient.n_partial_fit_calls_ < full.n_partial_fit_calls_
    assert patient.best_score_ == full.best_score_


def test_history_tells_every_score_in_order():
    search = by_calls(Line(slope=1.0), STARTS, max_resources=9, patience=3, tol=0).fit(
        X, Y
    )
    history = search.history_
    assert sorted({entry["partial_fit_calls"] for entry in history}) == list(
        range(1, 10)
    )
    times = [entry["elapsed_time"] for entry in history]
    assert times == sorted(times)
    for entry in history:
        expected = entry["params"]["start"] + entry["partial_fit_calls"]
        assert entry["score"] == expected
    names = ("candidate", "partial_fit_calls", "mean_test_score")
    columns = (search.cv_results_[name].tolist() for name in names)
    of_rows = {(number, calls): s for number, calls, s in zip(*columns, strict=True)}
    told = {(e["candidate"], e["partial_fit_calls"]): e["score"] for e in history}
    assert of_rows.items() <= told.items()


@pytest.mark.usefixtures("no_compute")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategy": "grid", "patience": 3}, "patience is for candidates that are"),
        ({"strategy": "halving", "decay_rate": 1}, "decay_rate is for candidates"),
        (
            {"strategy": "hyperband", "resource": "n_samples", "patience": 2},
            "patience is for candidates",
        ),
        (
            {"strategy": "halving", "resource": "partial_fit", "scoring": ["r2"]},
            "For multi-metric scoring, the parameter refit must be set",
        ),
        (
            {
                "strategy": "halving",
                "resource": "partial_fit",
                "n_candidates": "exhaust",
                "min_resources": "exhaust",
            },
            "cannot be both",
        ),
        ({"patience": 0}, "The 'patience' parameter of AutoScaleSearchCV"),
        ({"tol": -1.0}, "The 'tol' parameter of AutoScaleSearchCV"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_work_starts(options, message):
    with pytest.raises(ValueError, match=message):
        AutoScaleSearchCV(Line(), STARTS, **options).fit(da.from_array(X, (50, 5)), Y)


EXPECTED = by_calls(SGDClassifier(random_state=0), DRAWN, "hyperband", max_resources=9)


@hypothesis_settings(max_examples=8)
@given(cuts(len(X)))
def test_results_are_those_of_rows_in_memory_however_they_are_cut(counts):
    with dask.config.set(scheduler="sync"):
        if not hasattr(EXPECTED, "cv_results_"):
            EXPECTED.fit(X, Y)
        search = AutoScaleSearchCV(**EXPECTED.get_params(deep=False))
        assert_same_search(search.fit(cut(X, counts), Y), EXPECTED)
    np.testing.assert_array_equal(
        search.best_estimator_.coef_, EXPECTED.best_estimator_.coef_
    )


def test_sparse_blocks_give_what_sparse_rows_give():
    thin = sp.csr_matrix(np.where(X > 0.5, X, 0))
    lazy = da.from_array(thin.toarray(), (70, 5)).map_blocks(sp.csr_matrix)
    options = {"max_resources": 9, "n_candidates": 6}
    found = by_calls(SGDClassifier(random_state=0), DRAWN, **options).fit(lazy, Y)
    here = by_calls(SGDClassifier(random_state=0), DRAWN, **options).fit(thin, Y)
    assert_same_search(found, here)
    assert found.best_score_ > 0.7


@pytest.mark.parametrize("buffer_bytes", [128_000_000, 4_000])
def test_rows_that_are_sorted_by_label_do_no_harm(buffer_bytes, monkeypatch):
    monkeypatch.setattr(streaming, "BUFFER_BYTES", buffer_bytes)
    order = np.argsort(Y, kind="stable")
    options = {"max_resources": 27, "n_candidates": 8, "min_resources": 9, "cv": 5}
    scores = [
        by_calls(SGDClassifier(random_state=0), DRAWN, **options)
        .fit(da.from_array(rows, (30, 5)), target)
        .best_score_
        for rows, target in [(X[order], Y[order]), (X, Y)]
    ]
    assert scores[0] > scores[1] - 0.03
    assert scores[0] > 0.85


@pytest.mark.parametrize("n_jobs", [None, 1])
@pytest.mark.parametrize(
    ("n_splits", "test_size"), [(1, 30), (5, 30), (5, 120)], ids=repr
)
def test_blocks_are_read_once_for_all_splits(n_splits, test_size, n_jobs, monkeypatch):
    monkeypatch.setattr(streaming, "BUFFER_BYTES", 4_000)
    cv = ShuffleSplit(n_splits, test_size=test_size, random_state=0)
    read, seen = [], set()

    def note(block):
        read.append(len(block))
        return block

    class Seeing(Line):
        def partial_fit(self, X, y=None):
            seen.update(X[:, 0])
            return super().partial_fit(X, y)

    lazy = da.from_array(X, (30, 5)).map_blocks(note, meta=X[:0], dtype=float)
    options = {"max_resources": 20, "factor": 2, "refit": False, "n_jobs": n_jobs}
    with config_context(memory_budget="10kB"), dask.config.set(scheduler="sync"):
        by_calls(Seeing(), {"start": [1.0, 2.0, 3.0]}, cv=cv, **options).fit(lazy)
    # 20 blocks once in 20 calls, in 5 buffers; and for rows held out those that have
    # any once, or, where they do not fit together, for each split in each of 2 rounds.
    held_out = [set(test // 30) for _, test in cv.split(X)]
    fits = n_splits * test_size * 40 <= 10_000
    n_read = len(set().union(*held_out)) if fits else 2 * sum(map(len, held_out))
    assert len(read) == 20 + n_read
    assert seen == {X[row, 0] for train, _ in cv.split(X) for row in train}


def test_buffers_give_the_same_on_a_cluster(client, monkeypatch):
    monkeypatch.setattr(streaming, "BUFFER_BYTES", 4_000)
    lazy = da.from_array(X, (100, 5))
    options = {"max_resources": 9, "n_candidates": 4, "min_resources": 3}
    found = by_calls(SGDClassifier(random_state=0), DRAWN, **options).fit(lazy, Y)
    with dask.config.set(scheduler="sync"):
        here = by_calls(SGDClassifier(random_state=0), DRAWN, **options).fit(lazy, Y)
    assert_same_search(found, here)


@pytest.mark.parametrize("n_jobs", [1, 2, 3, None, -1])
def test_n_jobs_caps_what_is_trained_at_once_and_changes_no_result(n_jobs):
    one = by_calls(SGDClassifier(random_state=0), DRAWN, max_resources=9, n_jobs=1)
    found = by_calls(Counting(random_state=0), DRAWN, max_resources=9, n_jobs=n_jobs)
    Counting.most = 0
    with dask.config.set(scheduler="threads", num_workers=8):
        found.fit(X, Y)
        one.fit(X, Y)
    assert_same_search(found, one)
    assert Counting.most <= (8 if n_jobs in (None, -1) else n_jobs)


class Counting(SGDClassifier):
    """Counts how many learn at once."""

    now = most = 0
    lock = threading.Lock()

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        with self.lock:
            Counting.now += 1
            Counting.most = max(Counting.most, Counting.now)
        time.sleep(0.001)
        try:
            return super().partial_fit(X, y, classes, sample_weight)
        finally:
            with self.lock:
                Counting.now -= 1


def test_it_says_what_it_does_as_asked(capsys):
    by_calls(Line(), STARTS, max_resources=3).fit(X, Y)
    assert not capsys.readouterr().out
    by_calls(Line(), STARTS, max_resources=3, verbose=1).fit(X, Y)
    printed = capsys.readouterr().out
    assert "iter: 1\nn_candidates: 4\nn_resources: 3\nbest score: 1.0000\n" in printed
    assert "[CV]" not in printed
    by_calls(Line(), STARTS, max_resources=3, verbose=2).fit(X, Y)
    assert capsys.readouterr().out.count("[CV] END start=") == 10 + 4


class Tasks:
    """A callback that notes which tasks began and ended."""

    def __init__(self):
        self.begun, self.ended, self.is_down = [], [], False

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        self.begun.append(context.task_name)

    def on_fit_task_end(self, estimator, context):
        self.ended.append(context.task_name)

    def teardown(self, estimator, context):
        self.is_down = True


def test_callbacks_hear_of_rounds_and_scores():
    told = Tasks()
    by_calls(Line(), STARTS, max_resources=3).set_callbacks(told).fit(X, Y)
    assert told.is_down
    assert sorted(told.begun) == sorted(told.ended)
    assert told.begun.count("candidate-split-evaluation") == 10 + 4
    assert told.begun.count("halving-iteration") == 2
    assert told.ended[-2:] == ["refit-with-best-params", told.begun[0]]


@pytest.mark.cluster
@pytest.mark.parametrize("place", ["here", "cluster"])
def test_progress_moves_with_each_model_that_is_scored(place, request):
    progress = SearchProgress()
    seen = []
    options = {"max_resources": 3, "cv": 2, "refit": False}
    search = by_calls(SGDClassifier(random_state=0), DRAWN, "hyperband", **options)
    draw = progress._draw
    progress._draw = lambda: (seen.append(progress.n_done_), draw())
    search.set_callbacks(progress)
    if place == "cluster":
        request.getfixturevalue("client")
        search.fit(da.from_array(X, (100, 5)), Y)
    else:

        def score(model, X, y):
            seen.append(progress.n_done_)
            return model.score(X, y)

        with dask.config.set(scheduler="sync"):
            search.set_params(scoring=score).fit(X, Y)
        # Before it counts one, it has counted all before.
        assert seen[1::2] == sorted(seen[1::2])
        assert seen[1::2][:4] == [0, 1, 2, 3]
    assert progress.n_done_ == progress.n_total_ == 2 * len(search.cv_results_["iter"])
    assert progress.best_score_ == search.cv_results_["mean_test_score"].max()


class Interrupting(Line):
    """Presses Ctrl-C in its fifth call."""

    def partial_fit(self, X, y=None):
        super().partial_fit(X, y)
        if self.calls_ == 5 and self.start == 1.0:
            _thread.interrupt_main()
            time.sleep(0.5)
        return self


def test_an_interrupted_search_keeps_the_rounds_it_has():
    search = by_calls(Interrupting(), STARTS, max_resources=9, n_jobs=1)
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, Y)
    assert rounds(search) == [(1, 10), (3, 4)]
    assert len(search.history_) == 14
    assert not hasattr(search, "best_estimator_")


def test_estimators_without_a_target_are_searched():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(900, 2)) + 9 * rng.integers(0, 4, size=(900, 1))
    model = MiniBatchKMeans(n_init=3, random_state=0)
    params = {"n_clusters": [2, 3, 4]}
    search = by_calls(model, params, max_resources=9).fit(da.from_array(rows, (90, 2)))
    assert search.best_params_ == {"n_clusters": 4}
    assert search.transform(da.from_array(rows, (90, 2))).shape == (900, 4)


def test_classes_may_be_given_as_dask_ml_asks_for_them():
    params = {"alpha": [0.1, 0.01]}
    search = by_calls(SGDClassifier(random_state=0), params, max_resources=3)
    search.fit(da.from_array(X, (50, 5)), Y, classes=[0, 1, 2])
    assert list(search.classes_) == [0, 1, 2]


@contextmanager
def two_workers():
    """Start a cluster whose tasks are to blame for the first worker that dies."""
    failures = {"distributed.scheduler.allowed-failures": 0}
    workers = {"n_workers": 2, "threads_per_worker": 1, "memory_limit": "1GB"}
    with (
        pytest.MonkeyPatch.context() as patch,
        dask.config.set(failures),
        LocalCluster(**workers, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        # A worker takes long to come back on a busy machine.
        patch.setattr(scheduler, "RESTART_SECONDS", 120)
        yield client


class Dying(SGDClassifier):
    """Kills its process in one call, once."""

    def __init__(self, path=None, alpha=1e-4, random_state=0):
        super().__init__(alpha=alpha, random_state=random_state)
        self.path = path

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        super().partial_fit(X, y, classes, sample_weight)
        if self.path and self.t_ > 4 * len(X):
            try:
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return self
            os.kill(os.getpid(), signal.SIGKILL)
        return self


@pytest.mark.cluster
def test_a_worker_killed_on_the_way_costs_no_result(tmp_path):
    options = {"strategy": "hyperband", "max_resources": 9}
    here = by_calls(Dying(), DRAWN, n_jobs=1, **options).fit(X, Y)
    path = str(tmp_path / "died")
    workers = {"n_workers": 2, "threads_per_worker": 1, "memory_limit": "1GB"}
    with LocalCluster(**workers, dashboard_address=":0") as cluster, Client(cluster):
        lazy = da.from_array(X, (100, 5)).persist()
        found = by_calls(Dying(path), DRAWN, **options).fit(lazy, Y)
    assert os.path.exists(path)
    assert_same_search(found, here)


class Fatal(SGDClassifier):
    """Cannot learn with one alpha: it raises here, and crashes any other process."""

    def __init__(self, alpha=1e-4, home=HOME, random_state=0):
        super().__init__(alpha=alpha, random_state=random_state)
        self.home = home

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        super().partial_fit(X, y, classes, sample_weight)
        if self.alpha == 0.5 and self.t_ > 2 * len(X):
            if os.getpid() != self.home:
                os.kill(os.getpid(), signal.SIGKILL)
            raise ValueError("cannot learn")
        return self


@pytest.mark.cluster
@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_a_candidate_that_kills_its_workers_is_named_and_the_rest_finishes():
    params = {"alpha": [0.1, 0.5, 0.01, 0.001]}
    options = {"max_resources": 4, "min_resources": 4}
    # Others are trained in the same task, and must not share its fate.
    search = by_calls(Fatal(), params, n_jobs=2, **options)
    with two_workers():
        lazy = da.from_array(X, (100, 5)).persist()
        with pytest.warns(FitFailedWarning, match="'alpha': 0.5.* died again when it"):
            found = search.fit(lazy, Y)
    with pytest.warns(FitFailedWarning, match="cannot learn"):
        here = by_calls(Fatal(), params, n_jobs=1, **options).fit(X, Y)
    assert_same_search(found, here)
    assert np.isnan(found.cv_results_["mean_test_score"]).sum() == 1


class Killing:
    """Scores models but for one, of which any process dies that is not `home`."""

    def __init__(self, home=HOME):
        self.home = home

    def __call__(self, model, X, y):
        if model.alpha == 0.5:
            if os.getpid() != self.home:
                os.kill(os.getpid(), signal.SIGKILL)
            raise ValueError("cannot be scored")
        return model.score(X, y)


@pytest.mark.cluster
@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_a_score_that_kills_its_workers_is_named_and_the_rest_finishes():
    params = {"alpha": [0.1, 0.5, 0.01]}
    options = {"max_resources": 3, "scoring": Killing()}
    search = by_calls(SGDClassifier(random_state=0), params, **options)
    with (
        two_workers(),
        pytest.warns(FitFailedWarning, match="'alpha': 0.5.* while it was scored"),
    ):
        found = search.fit(da.from_array(X, (100, 5)), Y)
    with pytest.warns(FitFailedWarning, match="cannot be scored"):
        here = clone(search).set_params(n_jobs=1).fit(X, Y)
    assert_same_search(found, here)
    assert np.isnan(found.cv_results_["mean_test_score"]).sum() == 1


class Closing(SGDClassifier):
    """Asks, once its training is halfway, for the client to be closed."""

    def __init__(self, path=None, alpha=1e-4, home=HOME, random_state=0):
        super().__init__(alpha=alpha, random_state=random_state)
        self.path = path
        self.home = home

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        super().partial_fit(X, y, classes, sample_weight)
        if self.path and os.getpid() != self.home and self.t_ > 2 * len(X):
            Path(self.path).touch()
            time.sleep(0.3)
        return self


@contextmanager
def when_asked(action, path):
    """Do something as soon as there is a file."""
    is_over = threading.Event()

    def watch():
        while not is_over.wait(0.01):
            if path.exists():
                action()
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        watcher.join()


@pytest.mark.cluster
def test_a_client_that_closes_leaves_the_rest_to_this_machine(cluster, tmp_path):
    options = {"max_resources": 9, "n_candidates": 4, "cv": 2, "n_jobs": 2}
    here = by_calls(Closing(), DRAWN, **options).fit(X, Y)
    path = tmp_path / "close"
    search = by_calls(Closing(str(path)), DRAWN, **options)
    with (
        Client(cluster) as client,
        when_asked(client.close, path),
        pytest.warns(
            RuntimeWarning, match=r"client is (closing|closed):.*on this machine"
        ),
    ):
        found = search.fit(da.from_array(X, (100, 5)), Y)
    assert_same_search(found, here)
    np.testing.assert_array_equal(
        found.best_estimator_.coef_, here.best_estimator_.coef_
    )
    assert "the Dask client is " in found.plan_.resources.cluster_problem


@pytest.mark.cluster
def test_rows_that_went_with_the_client_leave_the_rounds_that_are_over(
    cluster, tmp_path
):
    path = tmp_path / "close"
    options = {"max_resources": 9, "n_candidates": 9, "cv": 2}
    search = by_calls(Closing(str(path)), DRAWN, **options)
    with Client(cluster) as client, when_asked(client.close, path):
        lazy = da.from_array(X, (100, 5)).persist()
        with pytest.raises(NoEngineError, match="blocks of X were there"):
            search.fit(lazy, Y)
    here = by_calls(Closing(), DRAWN, **options).fit(X, Y)
    n_kept = len(search.cv_results_["params"])
    assert 0 < n_kept < len(here.cv_results_["params"])
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"],
        here.cv_results_["mean_test_score"][:n_kept],
    )
    assert not hasattr(search, "best_estimator_")


@contextmanager
def one_worker():
    workers = {"n_workers": 1, "threads_per_worker": 1, "memory_limit": "1GB"}
    with (
        LocalCluster(**workers, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        yield cluster, client


@pytest.mark.cluster
def test_workers_that_stay_away_leave_the_rest_to_this_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(scheduler, "RESTART_SECONDS", 1)
    options = {"max_resources": 9, "n_candidates": 4, "cv": 2, "n_jobs": 2}
    here = by_calls(Closing(), DRAWN, **options).fit(X, Y)
    path = tmp_path / "away"
    search = by_calls(Closing(str(path)), DRAWN, **options)
    with (
        one_worker() as (cluster, _),
        when_asked(lambda: cluster.scale(0), path),
        pytest.warns(RuntimeWarning, match=r"no workers for 1 s:.*on this machine"),
    ):
        found = search.fit(da.from_array(X, (100, 5)), Y)
    assert_same_search(found, here)
    assert "no workers" in found.plan_.resources.cluster_problem


class Waiting(Line):
    """Learns once there is a file."""

    def __init__(self, path=None, start=0.0):
        super().__init__(start)
        self.path = path

    def partial_fit(self, X, y=None):
        while not os.path.exists(self.path):
            time.sleep(0.01)
        return super().partial_fit(X, y)


def process(model, X, y=None):
    time.sleep(0.1)
    return os.getpid()


@pytest.mark.cluster
def test_workers_that_come_late_take_part(tmp_path):
    path = tmp_path / "go"
    options = {"max_resources": 1, "cv": 2, "scoring": process, "refit": False}
    search = by_calls(Waiting(str(path)), STARTS, **options)
    with one_worker() as (cluster, client):

        def grow():
            cluster.scale(2)
            client.wait_for_workers(2, timeout=60)
            path.touch()

        grower = threading.Thread(target=grow)
        grower.start()
        results = search.fit(da.from_array(X, (100, 5)), Y).cv_results_
        grower.join()
        workers = set(client.run(os.getpid).values())
    assert len(workers) == 2
    assert {*results["split0_test_score"], *results["split1_test_score"]} == workers


METRICS = {"accuracy": "accuracy", "auc": "roc_auc"}


def both_metrics(model, X, y):
    """Return what `METRICS` would."""
    scores = {"accuracy": accuracy_score(y, model.predict(X))}
    return {**scores, "auc": roc_auc_score(y, model.decision_function(X))}


def last_row(results):
    return len(results["params"]) - 1


@pytest.mark.parametrize("strategy", ["halving", "hyperband"])
def test_each_split_gives_what_it_gives_alone(strategy):
    splits = list(StratifiedKFold(3).split(X, Y))
    options = {"max_resources": 9, "n_candidates": 9, "factor": 1e9, "refit": False}
    if strategy == "hyperband":
        # One bracket, whose only round has all resources: nobody is cut.
        options = {"min_resources": 9, "max_resources": 9, "refit": False}
    search = by_calls(SGDClassifier(random_state=0), DRAWN, strategy, **options)
    found = clone(search).set_params(cv=splits).fit(X, Y).cv_results_
    for i, split in enumerate(splits):
        alone = clone(search).set_params(cv=[split]).fit(X, Y).cv_results_
        np.testing.assert_array_equal(
            found[f"split{i}_test_score"], alone["split0_test_score"]
        )


@pytest.mark.parametrize("scoring", [METRICS, both_metrics], ids=["dict", "callable"])
@pytest.mark.parametrize("refit", ["auc", False, last_row])
def test_several_metrics_have_the_columns_of_scikit_learn(scoring, refit):
    options = {"max_resources": 9, "cv": 3, "scoring": scoring, "refit": refit}
    params = {"alpha": np.logspace(-5, 0, 9).tolist()}
    search = by_calls(SGDClassifier(random_state=0), params, **options)
    search.fit(da.from_array(X, (90, 5)), Y)
    plain = GridSearchCV(
        SGDClassifier(random_state=0), params, cv=3, scoring=scoring, refit=refit
    ).fit(X, Y)
    ours = ("candidate", "bracket", "iter", "n_resources", "partial_fit_calls")
    assert [n for n in search.cv_results_ if n not in ours] == list(plain.cv_results_)
    for name in ("best_index_", "best_params_", "best_score_", "best_estimator_"):
        assert hasattr(search, name) == hasattr(plain, name), name
    for name in ("multimetric_", "n_splits_"):
        assert getattr(search, name) == getattr(plain, name)
    assert type(search.scorer_) is type(plain.scorer_)
    table = pd.DataFrame(search.cv_results_)
    metric = "auc" if refit == "auc" else "accuracy"
    for i, rows in table.groupby("iter"):
        best = rows.nlargest(len(table[table["iter"] == i + 1]), f"mean_test_{metric}")
        assert set(best["candidate"]) == set(table[table["iter"] == i + 1]["candidate"])
    if refit:
        lasts = table.groupby("candidate").last()["mean_test_auc"]
        expected = len(table) - 1 if callable(refit) else lasts.max()
        found = search.best_index_ if callable(refit) else search.best_score_
        assert found == expected


@pytest.mark.parametrize("rows", [X, da.from_array(X, (70, 5))], ids=["numpy", "dask"])
@pytest.mark.parametrize("scoring", [None, METRICS], ids=["one", "several"])
def test_scores_on_training_rows_are_those_of_a_split_that_tests_on_them(rows, scoring):
    splits = list(StratifiedKFold(3).split(X, Y))
    options = {"max_resources": 9, "n_candidates": 9, "factor": 1e9, "refit": False}
    search = by_calls(
        SGDClassifier(random_state=0), DRAWN, scoring=scoring, **options
    ).set_params(return_train_score=True)
    found = clone(search).set_params(cv=splits).fit(rows, Y).cv_results_
    on_train = [(train, train) for train, _ in splits]
    other = clone(search).set_params(cv=on_train).fit(rows, Y).cv_results_
    plain = RandomizedSearchCV(
        SGDClassifier(random_state=0),
        DRAWN,
        cv=splits,
        scoring=scoring,
        n_iter=1,
        refit=False,
        return_train_score=True,
    ).fit(X, Y)
    ours = ("candidate", "bracket", "iter", "n_resources", "partial_fit_calls")
    assert [n for n in found if n not in ours] == list(plain.cv_results_)
    names = [name for name in found if "_train_" in name]
    assert len(names) == 5 * (1 if scoring is None else 2)
    for name in names:
        np.testing.assert_array_equal(
            found[name], other[name.replace("_train_", "_test_")]
        )


def test_training_rows_that_do_not_fit_are_not_scored_on():
    lazy = da.from_array(X, (90, 5)).map_blocks(np.copy)
    options = {"max_resources": 3, "return_train_score": True, "cv": 3}
    kept = by_calls(Line(), STARTS, **options).fit(lazy, Y)
    with config_context(memory_budget="17kB"):
        # Those of one split fit, and those of all do not.
        assert_same_search(by_calls(Line(), STARTS, **options).fit(lazy, Y), kept)
    with (
        config_context(memory_budget="10kB"),
        pytest.raises(NoEngineError, match=r"scores on take 16 kB, .* Leave it False"),
    ):
        by_calls(Line(), STARTS, **options).fit(lazy, Y)


def test_a_metric_that_fails_leaves_the_others():
    def failing(model, X, y):
        raise ValueError("no such score")

    scoring = {"accuracy": "accuracy", "failing": failing}
    options = {"max_resources": 3, "error_score": -1.0, "refit": "accuracy"}
    search = by_calls(SGDClassifier(random_state=0), DRAWN, scoring=scoring, **options)
    with pytest.warns(FitFailedWarning, match="ValueError: no such score"):
        search.fit(X, Y)
    assert set(search.cv_results_["mean_test_failing"]) == {-1.0}
    assert search.best_score_ > 0.7


def test_a_refit_by_the_name_of_no_metric_is_refused():
    options = {"max_resources": 3, "scoring": both_metrics}
    search = by_calls(SGDClassifier(random_state=0), DRAWN, **options)
    with pytest.raises(ValueError, match="parameter refit must be set to a scorer key"):
        search.fit(X, Y)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"min_resources": 2, "max_resources": 20},
        {"max_resources": 100},
        {"factor": 2, "max_resources": 4},
        {"factor": 2, "max_resources": 4, "aggressive_elimination": True},
        {"min_resources": "smallest", "max_resources": 30},
    ],
)
def test_rounds_are_told_of_as_scikit_learn_tells_of_its_own(options):
    options = {"max_resources": 9, **options}
    grid = {"C": np.logspace(-3, 3, 10).tolist()}
    by_iterations = HalvingGridSearchCV(
        LogisticRegression(), grid, resource="max_iter", cv=2, refit=False, **options
    )
    with warnings.catch_warnings(action="ignore"):
        by_iterations.fit(X, Y)
    search = by_calls(Line(), STARTS, **options).fit(X, Y)
    told = {n for n in vars(by_iterations) if n.endswith("_")}
    for name in told & {
        *("n_candidates_", "n_resources_", "n_iterations_", "min_resources_"),
        *("n_required_iterations_", "n_possible_iterations_", "max_resources_"),
        "n_remaining_candidates_",
    }:
        found, expected = getattr(search, name), getattr(by_iterations, name)
        assert (found, type(found)) == (expected, type(expected)), name
    assert told <= {*vars(search), "classes_", "n_features_in_"}


def test_rows_held_out_that_do_not_fit_together_are_taken_split_by_split():
    kept = by_calls(Line(), STARTS, max_resources=9, cv=5).fit(da.from_array(X, 90), Y)
    with config_context(memory_budget="9kB"):
        lazy = da.from_array(X, (90, 5)).map_blocks(np.copy)
        found = by_calls(Line(), STARTS, max_resources=9, cv=5).fit(lazy, Y)
    assert_same_search(found, kept)
