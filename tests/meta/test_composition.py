"""Wrappers in scikit-learn's meta-estimators and those in wrappers, as without them."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_clusterer, is_outlier_detector
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    IsolationForest,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.model_selection import cross_val_predict as predict_folds
from sklearn.model_selection import cross_val_score as score_folds
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_dask_auto import AutoScaleEstimator, cross_val_predict, cross_val_score
from tests.cuts import cut

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 4))
Y = np.where(X[:, 0] + 0.5 * RNG.normal(size=90) > 0, "many", "few")
NUMBERS = X @ [1.0, 2.0, 3.0, 4.0]
GROUPS = np.arange(90) % 6
WEIGHT = RNG.uniform(0.1, 2, size=90)
FRAME = pd.DataFrame(X, columns=list("abcd"))
BLOCKS, LABELS = cut(X, (20, 0, 70)), cut(Y, (45, 45))


def same(estimator):
    return estimator


def assert_alike(call):
    """Compare what a call makes of estimators as they are, and wrapped."""
    found, expected = call(AutoScaleEstimator), call(same)
    if np.asarray(expected).dtype.kind == "f":
        assert_allclose(found, expected, rtol=1e-9)
    else:
        assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "make",
    [
        lambda w: VotingClassifier([("a", w(SVC())), ("b", w(LogisticRegression()))]),
        lambda w: StackingClassifier([("a", w(SVC())), ("b", w(LogisticRegression()))]),
        lambda w: CalibratedClassifierCV(w(SVC())),
        lambda w: CalibratedClassifierCV(FrozenEstimator(w(SVC()).fit(X, Y))),
        lambda w: BaggingClassifier(w(SGDClassifier()), random_state=0),
        lambda w: AdaBoostClassifier(w(LogisticRegression()), random_state=0),
        lambda w: OneVsRestClassifier(w(SVC())),
        lambda w: make_pipeline(make_union(w(PCA(2)), w(StandardScaler())), w(SVC())),
        lambda w: w(w(SVC())),
    ],
    ids=[
        "voting",
        "stacking",
        "calibration",
        "frozen",
        "bagging",
        "boosting",
        "one against rest",
        "union",
        "itself",
    ],
)
def test_classifiers_of_scikit_learn_take_it_as_they_take_what_it_wraps(make):
    assert_alike(lambda wrap: make(wrap).fit(X, Y).predict(X))


@pytest.mark.parametrize(
    "call",
    [
        lambda w: (
            TransformedTargetRegressor(
                w(Ridge()), func=np.arcsinh, inverse_func=np.sinh
            )
            .fit(X, NUMBERS)
            .predict(X)
        ),
        lambda w: make_column_transformer(
            (w(StandardScaler()), ["a"]), (w(PCA(1)), ["b", "c"])
        ).fit_transform(FRAME),
        lambda w: (
            permutation_importance(
                w(Ridge()).fit(X, NUMBERS), X, NUMBERS, random_state=0
            ).importances_mean
        ),
    ],
    ids=["target", "columns", "importance"],
)
def test_others_do_too(call):
    assert_alike(call)


def test_steps_of_a_pipeline_hand_blocks_on():
    def steps(wrap):
        return make_pipeline(wrap(StandardScaler()), wrap(PCA(3)), wrap(SVC()))

    found = steps(AutoScaleEstimator).fit(BLOCKS, LABELS)
    expected = steps(same).fit(X, Y)
    assert_array_equal(found.predict(BLOCKS).compute(), expected.predict(X))
    assert found.score(BLOCKS, LABELS) == expected.score(X, Y)
    whole = AutoScaleEstimator(steps(same)).fit(BLOCKS, LABELS)
    assert_array_equal(
        whole.decision_function(BLOCKS).compute(), expected.decision_function(X)
    )


@pytest.mark.parametrize("scoring", [None, "roc_auc", "neg_log_loss"])
def test_folds_of_blocks_score_as_folds_of_rows(scoring):
    model = LogisticRegression()
    found = cross_val_score(
        AutoScaleEstimator(model), BLOCKS, LABELS, cv=3, scoring=scoring
    )
    assert_allclose(found, score_folds(model, X, Y, cv=3, scoring=scoring))


def test_folds_of_groups_clusters_and_outliers_do_too():
    grouped = {"cv": GroupKFold(3), "groups": GROUPS}
    found = cross_val_score(
        AutoScaleEstimator(Ridge()), BLOCKS, cut(NUMBERS, (90,)), **grouped
    )
    assert_allclose(found, score_folds(Ridge(), X, NUMBERS, **grouped))
    for model in (KMeans(2, random_state=0), IsolationForest(random_state=0)):
        options = {"cv": 3}
        if is_outlier_detector(model):
            options |= {"y": np.where(X[:, 0] > 0, 1, -1), "scoring": "roc_auc"}
        found = cross_val_score(AutoScaleEstimator(model), BLOCKS, **options)
        assert_allclose(found, score_folds(model, X, **options))
    options = {"cv": 3, "method": "predict_proba"}
    model = LogisticRegression()
    found = cross_val_predict(AutoScaleEstimator(model), BLOCKS, LABELS, **options)
    assert_allclose(found, predict_folds(model, X, Y, **options))


def test_kinds_are_those_of_what_is_wrapped():
    assert is_clusterer(AutoScaleEstimator(KMeans()))
    assert not is_clusterer(AutoScaleEstimator(SVC()))
    assert is_outlier_detector(AutoScaleEstimator(IsolationForest()))
    assert not is_outlier_detector(AutoScaleEstimator(PCA()))


def test_groups_and_step_parameters_reach_what_is_wrapped():
    grid = GridSearchCV(SVC(), {"C": [0.1, 1]}, cv=GroupKFold(3), scoring="roc_auc")
    expected = clone(grid).fit(X, Y, groups=GROUPS)
    for routing in (False, True):
        with sklearn.config_context(enable_metadata_routing=routing):
            model = AutoScaleEstimator(grid)
            model.fit(BLOCKS, LABELS, groups=cut(GROUPS, (40, 50)))
        assert model.best_score_ == expected.best_score_
        assert model.score(BLOCKS, LABELS) == expected.score(X, Y)
    pipe = make_pipeline(StandardScaler(), LogisticRegression())
    params = {"logisticregression__sample_weight": WEIGHT}
    model = AutoScaleEstimator(pipe).fit(BLOCKS, LABELS, **params)
    expected = clone(pipe).fit(X, Y, **params).predict_proba(X)
    assert_array_equal(model.predict_proba(BLOCKS).compute(), expected)


def test_weights_are_routed_through_folds_and_refused_if_nobody_asked():
    weights = cut(WEIGHT, (45, 45))
    with sklearn.config_context(enable_metadata_routing=True):
        model = LogisticRegression().set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        found = cross_val_score(
            AutoScaleEstimator(model), BLOCKS, LABELS, params={"sample_weight": weights}
        )
        expected = score_folds(model, X, Y, params={"sample_weight": WEIGHT})
        assert_allclose(found, expected)
        with pytest.raises(UnsetMetadataPassedError, match="within AutoScaleEstimator"):
            AutoScaleEstimator(SVC()).fit(BLOCKS, LABELS, sample_weight=weights)
