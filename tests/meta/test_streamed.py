"""Streaming fits: any cut of sorted rows is learned as shuffled rows are."""

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.datasets import make_classification
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge, SGDClassifier, SGDRegressor
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PowerTransformer, StandardScaler
from sklearn.utils.class_weight import compute_class_weight

from sklearn_dask_auto import AutoScaleEstimator, NoEngineError, config_context
from sklearn_dask_auto.kernels import streaming
from tests.cuts import cut, cuts

X, CODES = make_classification(
    3000, 8, n_informative=5, class_sep=1.5, weights=[0.7], random_state=0
)
X = StandardScaler().fit_transform(X)
ORDER = np.argsort(CODES, kind="stable")
X, Y = X[ORDER], np.array(["no", "yes"])[CODES[ORDER]]
WEIGHT = np.random.default_rng(0).uniform(0.5, 2, len(X))
NUMBERS = X @ np.arange(8.0)
SGD = SGDClassifier(random_state=0)


def streamed(estimator, rows, *args, **params):
    return AutoScaleEstimator(estimator, engine="blockwise").fit(rows, *args, **params)


@pytest.mark.parametrize("n_blocks", [1, 10, 60])
def test_rows_sorted_by_label_are_learned_as_shuffled_rows_are(n_blocks, monkeypatch):
    monkeypatch.setattr(streaming, "BUFFER_BYTES", 40_000)
    shuffled = np.random.default_rng(0).permutation(len(X))
    reference = clone(SGD).fit(X[shuffled], Y[shuffled]).score(X, Y)
    rows, labels = da.from_array(X, (len(X) // n_blocks, 8)), da.from_array(Y, 700)
    model = streamed(SGD, rows, labels)
    assert model.plan_.engine == "blockwise"
    assert model.score(rows, labels) > reference - 0.01
    assert 1 < model.estimator_.n_iter_ <= 20


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sorted_rows_that_are_not_scaled_are_learned_as_well_as_by_scikit_learn(
    seed, monkeypatch
):
    # On rows that are not scaled the accuracy of one fit is chance: scikit-learn's own
    # has a spread of 0.05 and more over seeds. So medians are compared.
    monkeypatch.setattr(streaming, "BUFFER_BYTES", 400_000)
    rows, labels = make_classification(12_000, 20, n_informative=8, random_state=seed)
    rows *= np.random.default_rng(seed).uniform(0.1, 100, 20)
    rows, test, labels, truth = train_test_split(rows, labels, random_state=0)
    order = np.argsort(labels, kind="stable")
    blocks = da.from_array(rows[order], (500, 20))
    expected, found = [], []
    for fit_seed in range(5):
        plain = SGDClassifier(max_iter=20, tol=None, random_state=fit_seed)
        expected.append(clone(plain).fit(rows, labels).score(test, truth))
        found.append(streamed(plain, blocks, labels[order]).score(test, truth))
    assert np.median(found) > np.median(expected) - 0.01


@settings(max_examples=10)
@given(row_cut=cuts(len(X)))
def test_rows_of_one_buffer_are_learned_alike_however_they_are_cut(row_cut):
    reference = streamed(SGD, da.from_array(X, -1), Y, sample_weight=WEIGHT)
    found = streamed(
        SGD, cut(X, row_cut, 3), da.from_array(Y, 11), sample_weight=WEIGHT
    )
    assert_array_equal(found.estimator_.coef_, reference.estimator_.coef_)


@pytest.mark.usefixtures("client")
def test_workers_do_not_change_the_answer(monkeypatch):
    monkeypatch.setattr(streaming, "BUFFER_BYTES", 40_000)
    rows = da.from_array(X, chunks=(300, 8))
    found = streamed(SGD, rows, Y)
    with dask.config.set(scheduler="sync"):
        again = streamed(SGD, rows, Y)
    assert_array_equal(found.estimator_.coef_, again.estimator_.coef_)


def test_what_counts_sees_each_row_once():
    blocks = da.from_array(np.abs(X), chunks=(700, 8))
    for estimator in (GaussianNB(), MultinomialNB()):
        model = streamed(estimator, blocks, Y, sample_weight=da.from_array(WEIGHT))
        reference = clone(estimator).fit(np.abs(X), Y, sample_weight=WEIGHT)
        assert_allclose(
            model.predict_proba(blocks).compute(), reference.predict_proba(np.abs(X))
        )
        assert_array_equal(model.classes_, ["no", "yes"])
    scaler = streamed(StandardScaler(), blocks)
    assert scaler.estimator_.n_samples_seen_ == len(X)
    assert_allclose(scaler.estimator_.mean_, np.abs(X).mean(axis=0))


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize(
    "estimator",
    [SGDRegressor(random_state=0), MLPClassifier((8,), random_state=0)],
    ids=["regressor", "network"],
)
def test_other_learners_reach_the_score_of_their_fit(estimator):
    target = NUMBERS if isinstance(estimator, SGDRegressor) else Y
    model = streamed(estimator, da.from_array(X, (500, 8)), target)
    reference = clone(estimator).set_params(max_iter=20).fit(X, target)
    assert model.score(X, target) > reference.score(X, target) - 0.02


def test_batches_are_as_the_estimator_wants_them():
    model = streamed(
        MiniBatchKMeans(2, batch_size=100, random_state=0), cut(X, (3000,))
    )
    assert model.estimator_.n_steps_ == 30
    assert model.predict(X).shape == (3000,)


def test_balanced_class_weights_are_those_of_all_rows(monkeypatch):
    seen = []

    class Noting(SGDClassifier):
        def partial_fit(self, X, y, classes=None, sample_weight=None):
            seen.append(self.class_weight)
            return super().partial_fit(X, y, classes, sample_weight)

    monkeypatch.setattr(streaming, "BUFFER_BYTES", 40_000)
    mine = Noting(class_weight="balanced", random_state=0)
    model = streamed(mine, da.from_array(X, (100, 8)), Y)
    labels = np.array(["no", "yes"])
    expected = compute_class_weight("balanced", classes=labels, y=Y)
    assert all(weights == dict(zip(labels, expected, strict=True)) for weights in seen)
    assert len(seen) > 2
    assert model.estimator_.class_weight == mine.class_weight == "balanced"


def test_frames_give_names_and_sparse_blocks_stay_sparse():
    frame = dd.from_pandas(pd.DataFrame(X, columns=list("abcdefgh")), npartitions=5)
    model = streamed(SGD, frame, pd.Series(Y))
    assert list(model.feature_names_in_) == list("abcdefgh")
    assert_array_equal(model.predict(frame).compute(), model.predict(frame.compute()))
    sparse = da.from_array(X, (500, 8)).map_blocks(
        sp.csr_matrix, dtype=float, meta=sp.csr_matrix((0, 8))
    )
    found = streamed(SGD, sparse, Y).score(X, Y)
    assert found == pytest.approx(streamed(SGD, X, Y).score(X, Y), abs=0.02)


def test_float32_is_kept():
    model = streamed(StandardScaler(), da.from_array(X.astype(np.float32), (500, 8)))
    assert model.transform(cut(X.astype(np.float32), (3000,))).dtype == np.float32


def test_what_does_not_fit_is_streamed_by_itself():
    lazy = da.from_array(X, chunks=(300, 8))
    with config_context(memory_budget="10kB"):
        assert AutoScaleEstimator(SGD).fit(lazy, Y).plan_.engine == "blockwise"
    assert AutoScaleEstimator(SGD).explain(lazy, Y).engine == "sklearn"


@pytest.mark.usefixtures("no_compute")
@pytest.mark.parametrize(
    ("estimator", "params", "reason"),
    [
        (SGDClassifier(early_stopping=True), {}, "does not take early_stopping"),
        (SGD, {"coef_init": np.zeros((1, 8))}, "fit parameter 'coef_init'"),
        (MLPClassifier(solver="lbfgs"), {}, "no partial_fit to stream"),
        (
            make_pipeline(PowerTransformer(), SGD),
            {},
            "step 'powertransformer', PowerTransformer, learns from rows in memory",
        ),
        (
            make_pipeline(make_pipeline(PowerTransformer()), SGD),
            {},
            "'pipeline', Pipeline, of which step 'powertransformer', PowerTransformer,",
        ),
        (make_pipeline(StandardScaler(), Ridge()), {}, "Ridge has no partial_fit"),
        (make_pipeline(KMeans(), SGD), {}, "'kmeans', KMeans, finds as good clusters"),
        (Ridge(), {}, "that is what AutoScaleRidge is for"),
        (FrozenEstimator(SGD), {}, "what is frozen is not fitted"),
    ],
)
def test_what_cannot_be_streamed_is_refused_with_its_reason(estimator, params, reason):
    lazy = da.from_array(X, chunks=(300, 8))
    with pytest.raises(NoEngineError, match=reason):
        streamed(estimator, lazy, Y, **params)


@pytest.mark.parametrize(
    ("rows", "target", "message"),
    [
        (cut(np.where(X > 3, np.nan, X), (2000, 1000)), Y, "contains NaN"),
        (cut(X, (2000, 1000)), Y[:-1], "inconsistent numbers of samples"),
        (cut(X, (2000, 1000)), NUMBERS, "Unknown label type"),
        (cut(X, (2000, 1000)), None, "requires y to be passed"),
    ],
)
def test_bad_input_is_scikit_learns_error(rows, target, message):
    with pytest.raises(ValueError, match=message):
        streamed(SGD, rows, target)
