"""What a wrapper has of the estimator it wraps: what was learned, and seeds."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.feature_selection import RFE, SelectFromModel
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from sklearn_dask_auto import AutoScaleEstimator
from tests.cuts import cut

X = np.random.default_rng(0).normal(size=(80, 4))
Y = np.where(X[:, 0] > 0, "many", "few")
BLOCKS, LABELS = cut(X, (30, 0, 50)), cut(Y, (30, 50))


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (KMeans(2, random_state=0), "labels_"),
        (IsolationForest(n_estimators=5, random_state=0), "offset_"),
        (LogisticRegression(), "coef_"),
        (PCA(2), "explained_variance_"),
    ],
)
def test_what_was_learned_has_the_same_names(estimator, name):
    model = AutoScaleEstimator(estimator)
    with pytest.raises(AttributeError, match=f"'AutoScaleEstimator' .* '{name}'"):
        getattr(model, name)
    model.fit(BLOCKS, LABELS)
    assert_array_equal(getattr(model, name), getattr(estimator.fit(X, Y), name))


def test_what_was_not_learned_is_the_error_of_what_is_wrapped():
    model = AutoScaleEstimator(SVC()).fit(X, Y)
    with pytest.raises(AttributeError, match="only available when using a linear"):
        _ = model.coef_
    with pytest.raises(AttributeError, match="'SVC' object has no attribute 'new_'"):
        _ = model.new_
    with pytest.raises(AttributeError, match=r"'AutoScaleEstimator' .* 'C'"):
        _ = model.C
    with pytest.raises(AttributeError, match="no attribute 'classes_'"):
        _ = AutoScaleEstimator(FunctionTransformer()).classes_


@pytest.mark.parametrize("select", [RFE, SelectFromModel])
def test_columns_are_selected_by_what_it_learned(select):
    forest = RandomForestClassifier(5, random_state=0)
    found = select(AutoScaleEstimator(forest)).fit(X, Y)
    assert_array_equal(found.get_support(), select(forest).fit(X, Y).get_support())


def test_a_seed_is_that_of_what_is_wrapped_and_has_none():
    mine = make_pipeline(PCA(random_state=3), SGDClassifier())
    model = AutoScaleEstimator(mine, random_state=0).fit(X, Y)
    expected = make_pipeline(PCA(random_state=3), SGDClassifier(random_state=0))
    assert_array_equal(model.estimator_[-1].coef_, expected.fit(X, Y)[-1].coef_)
    assert model.estimator_[0].random_state == 3
    assert mine[-1].random_state is None
    unseeded = AutoScaleEstimator(SGDClassifier()).fit(X, Y)
    assert unseeded.estimator_.random_state is None
    frozen = FrozenEstimator(SGDClassifier().fit(X, Y))
    AutoScaleEstimator(frozen, random_state=0).fit(X, Y)
    assert frozen.estimator.random_state is None


def test_a_generator_of_seeds_is_left_as_it_was():
    generator = np.random.RandomState(0)
    model = AutoScaleEstimator(SGDClassifier(), random_state=generator)
    first = model.fit(X, Y).coef_
    assert_array_equal(model.fit(BLOCKS, LABELS).coef_, first)
    assert generator.randint(1000) == np.random.RandomState(0).randint(1000)
