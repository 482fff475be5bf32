"""Work inside one fit, spread over a cluster: scikit-learn's own answer, sent once."""

import os
import signal
from contextlib import suppress

import dask.array as da
import joblib
import numpy as np
import pytest
from distributed import Client, LocalCluster
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from sklearn_dask_auto import AutoScaleEstimator, NoEngineError, config_context
from sklearn_dask_auto.engines.inner_fits import InnerFits
from sklearn_dask_auto.routing.cost import spreading_pays
from tests.cuts import cut

RNG = np.random.default_rng(0)
X = RNG.normal(size=(600, 5))
Y = np.array(["low", "mid", "top"])[np.digitize(X[:, 0] + X[:, 1], [-1, 1])]
WEIGHT = RNG.uniform(0.5, 2, size=600)
FOREST = RandomForestClassifier(12, random_state=0)


class Placed(ClassifierMixin, BaseEstimator):
    """Remembers the process that it was fitted in."""

    def fit(self, X, y, sample_weight=None):
        self.process_, self.classes_ = os.getpid(), np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class Dying(DecisionTreeClassifier):
    """Kills its process in one fit, once."""

    def __init__(self, path=None, random_state=None):
        super().__init__(random_state=random_state)
        self.path = path

    def fit(self, X, y, sample_weight=None):
        if self.path:
            with suppress(FileExistsError):
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL))
                os.kill(os.getpid(), signal.SIGKILL)
        return super().fit(X, y, sample_weight)


def processes(model):
    return {member.process_ for member in model.estimator_.estimators_}


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("kind", ["numpy", "dask"])
@pytest.mark.parametrize(
    "estimator",
    [
        FOREST,
        RandomForestClassifier(40, oob_score=True, n_jobs=2, random_state=1),
        RandomForestRegressor(5, max_features=2, random_state=2),
        ExtraTreesClassifier(7, bootstrap=True, random_state=3),
        BaggingClassifier(DecisionTreeClassifier(), 6, random_state=4),
        OneVsRestClassifier(SVC()),
        OneVsOneClassifier(SVC()),
        make_pipeline(StandardScaler(), FOREST),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_the_model_is_scikit_learns_to_the_last_bit(estimator, kind):
    y = X[:, 0] if isinstance(estimator, RandomForestRegressor) else Y
    given = (X, y) if kind == "numpy" else (cut(X, (250, 0, 350), 2), da.from_array(y))
    model = AutoScaleEstimator(estimator, engine="joblib").fit(*given)
    assert model.plan_.engine == "joblib"
    assert model.plan_.job.n_fits > 1
    estimator.fit(X, y)
    names = ("predict_proba", "decision_function", "predict")
    name = next(name for name in names if hasattr(estimator, name))
    found, expected = getattr(model, name)(X), getattr(estimator, name)(X)
    assert_array_equal(found, expected)
    if hasattr(estimator, "oob_score_"):
        assert model.oob_score_ == estimator.oob_score_


@pytest.mark.usefixtures("client")
def test_what_votes_or_is_stacked_is_spread_too():
    members = [("a", LogisticRegression()), ("b", FOREST)]
    for estimator in (
        VotingClassifier(members, voting="soft"),
        StackingClassifier(members, cv=3),
    ):
        model = AutoScaleEstimator(estimator, engine="joblib")
        model.fit(cut(X, (250, 350)), Y, sample_weight=WEIGHT)
        expected = estimator.fit(X, Y, sample_weight=WEIGHT).predict_proba(X)
        # BLAS on other numbers of threads rounds otherwise.
        assert_allclose(model.predict_proba(X), expected, rtol=1e-6)
        assert model.plan_.engine == "joblib"


@pytest.mark.usefixtures("client")
def test_all_workers_take_part_and_n_jobs_is_a_limit():
    rows, members = cut(X, (250, 350)), {"n_estimators": 8, "random_state": 0}
    for n_jobs in (None, -1, 2):
        bag = BaggingClassifier(Placed(), n_jobs=n_jobs, **members)
        for given in (X, rows):
            model = AutoScaleEstimator(bag, engine="joblib").fit(given, Y)
            assert len(processes(model)) == 2
            assert os.getpid() not in processes(model)
    one = BaggingClassifier(Placed(), n_jobs=1, **members)
    model = AutoScaleEstimator(one, engine="joblib").fit(rows, Y)
    assert len(processes(model)) == 1
    with pytest.raises(NoEngineError, match="there is nothing to spread"):
        AutoScaleEstimator(one, engine="joblib").fit(X, Y)
    limits = [InnerFits(True, n, 8, lambda: True).most for n in (None, -1, -2, 3, 99)]
    assert limits == [8, 8, 7, 3, 8]


@pytest.mark.usefixtures("client")
def test_warnings_of_a_worker_are_given_here_and_a_backend_is_an_order():
    few = RandomForestClassifier(2, oob_score=True, random_state=0)
    with pytest.warns(UserWarning, match="Some inputs do not have OOB scores"):
        AutoScaleEstimator(few, engine="joblib").fit(cut(X, (250, 350)), Y)
    bag = BaggingClassifier(Placed(), n_estimators=4)
    with joblib.parallel_config("threading", n_jobs=2):
        model = AutoScaleEstimator(bag, engine="joblib").fit(X, Y)
    assert processes(model) == {os.getpid()}


def received(dask_worker):
    """Return the bytes of everything that a worker got from another."""
    return sum(entry["total"] for entry in dask_worker.transfer_incoming_log)


@pytest.mark.parametrize("kind", ["numpy", "dask"])
def test_rows_go_to_every_worker_once(client, kind, monkeypatch):
    rows = np.tile(X, (200, 1))
    target = np.tile(X[:, 0], 200)
    sent = []
    scatter = Client.scatter

    def spy(self, data, *args, **options):
        sent.extend(getattr(value, "nbytes", 0) for value in data)
        return scatter(self, data, *args, **options)

    monkeypatch.setattr(Client, "scatter", spy)
    given = (rows, target)
    if kind == "dask":
        # Each of the workers holds a half of them.
        given = (cut(rows, (60_000, 60_000)).persist(), da.from_array(target, 60_000))
    before = sum(client.run(received).values())
    forest = RandomForestRegressor(6, max_depth=3, random_state=0)
    model = AutoScaleEstimator(forest, engine="joblib").fit(*given)
    n_bytes = sum(client.run(received).values()) - before
    assert model.plan_.engine == "joblib"
    # Trees are grown of rows in float32.
    converted = rows.nbytes // 2 + 2 * target.nbytes
    if kind == "numpy":
        assert sum(sent) <= 1.1 * converted
        assert n_bytes <= 1.1 * converted
    else:
        assert sum(sent) == 0
        assert n_bytes <= 1.1 * (rows.nbytes + target.nbytes + converted)


def test_here_or_there_is_decided_by_what_a_call_took(client):
    forest = RandomForestClassifier(4, random_state=0)
    model = AutoScaleEstimator(forest).fit(X, Y)
    plan = model.plan_
    assert plan.engine == "sklearn"
    assert plan.job.n_fits == 4
    assert plan.job.seconds_per_fit > 0
    assert_array_equal(model.predict_proba(X), forest.fit(X, Y).predict_proba(X))
    assert spreading_pays(1.0, 8, 10**6, here=1, there=4)
    assert not spreading_pays(1.0, 8, 10**6, here=4, there=4)
    assert not spreading_pays(0.01, 8, 10**6, here=1, there=4)
    assert not spreading_pays(0.1, 8, 10**6, here=1, there=4, is_warm=False)


def test_the_plan_says_what_is_spread(client):
    lazy = da.zeros((1_000_000, 10), chunks=(100_000, 10))
    y = da.zeros(1_000_000, chunks=100_000)
    model = AutoScaleEstimator(RandomForestRegressor(50))
    plan = model.explain(lazy, y)
    assert (plan.engine, plan.job.n_fits) == ("joblib", 50)
    assert plan.chosen.cost.n_workers == 2
    with config_context(engine="sklearn"):
        assert model.explain(lazy, y).engine == "sklearn"
    one = AutoScaleEstimator(RandomForestRegressor(50, n_jobs=1)).explain(lazy, y)
    assert one.job.n_fits == 1
    assert AutoScaleEstimator(SVC()).explain(lazy, y).job.n_fits == 1


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestClassifier("many"),
        VotingClassifier(None),
        Pipeline([]),
        Pipeline([("last", "passthrough")]),
    ],
)
def test_bad_parameters_are_scikit_learns_errors(estimator):
    def error(model):
        with pytest.raises(Exception, match=r".") as caught:
            model.fit(X, Y)
        return type(caught.value), str(caught.value)

    if isinstance(estimator, Pipeline) and estimator.steps:
        assert AutoScaleEstimator(estimator).fit(X, Y).plan_.engine == "sklearn"
    else:
        assert error(AutoScaleEstimator(estimator)) == error(estimator)


@pytest.mark.cluster
@pytest.mark.parametrize("kind", ["numpy", "dask"])
def test_a_worker_killed_inside_a_fit_costs_no_result(tmp_path, kind):
    def bag(path=None):
        return BaggingClassifier(Dying(path), 8, random_state=0)

    path = str(tmp_path / "died")
    workers = {"n_workers": 2, "threads_per_worker": 1, "memory_limit": "1GB"}
    with LocalCluster(**workers, dashboard_address=":0") as cluster, Client(cluster):
        rows = X if kind == "numpy" else da.from_array(X, (200, 5))
        model = AutoScaleEstimator(bag(path), engine="joblib").fit(rows, Y)
    assert os.path.exists(path)
    assert_array_equal(model.predict_proba(X), bag().fit(X, Y).predict_proba(X))


@pytest.mark.usefixtures("client")
def test_errors_inside_are_scikit_learns():
    bad = np.where(X > 3, np.inf, X)
    bad[-1, 0] = np.inf
    for given in (bad, cut(bad, (250, 350))):
        with pytest.raises(ValueError, match="infinity"):
            AutoScaleEstimator(FOREST, engine="joblib").fit(given, Y)
