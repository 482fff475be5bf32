"""Methods with arguments, methods that only some estimators have, and partial_fit."""

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.covariance import EmpiricalCovariance
from sklearn.decomposition import IncrementalPCA
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import BayesianRidge, Ridge, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sklearn_dask_auto import AutoScaleEstimator, AutoScalePCA
from sklearn_dask_auto.meta.requests import OTHERS
from tests.cuts import cut, cuts

N_ROWS = 40
X = np.random.default_rng(0).normal(size=(N_ROWS, 3))
Y = np.where(X[:, 0] > 0, "many", "few")
NUMBERS = X @ [1.0, 2.0, 3.0]
FOREST = RandomForestClassifier(3, random_state=0)
CASES = {
    "deviation": (BayesianRidge(), NUMBERS, "predict", {"return_std": True}),
    "process": (
        # A kernel that is not fitted keeps its matrix well conditioned.
        make_pipeline(
            StandardScaler(), GaussianProcessRegressor(alpha=0.1, optimizer=None)
        ),
        NUMBERS,
        "predict",
        {"return_std": True},
    ),
    "leaves": (FOREST, Y, "apply", {}),
    "leaves-boosted": (GradientBoostingClassifier(n_estimators=2), Y, "apply", {}),
    "path": (DecisionTreeClassifier(random_state=0), Y, "decision_path", {}),
    "neighbors": (KNeighborsClassifier(3), Y, "kneighbors", {"n_neighbors": 2}),
    "indices": (NearestNeighbors(), None, "kneighbors", {"return_distance": False}),
    "graph": (NearestNeighbors(), None, "kneighbors_graph", {"mode": "distance"}),
    "distance": (EmpiricalCovariance(), None, "mahalanobis", {}),
    "unchecked": (StandardScaler(), None, "transform", {"copy": True}),
}


def items(out):
    """Return what a method returned as arrays in memory, whatever it was."""
    whole = out if isinstance(out, tuple) else (out,)
    computed = dask.compute(*whole)
    return [a.toarray() if sp.issparse(a) else a for a in computed]


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=8)
@given(data=st.data())
def test_blocks_give_what_the_whole_gives(name, data):
    estimator, target, method, params = CASES[name]
    model = AutoScaleEstimator(estimator).fit(X, target)
    rows = cut(X, data.draw(cuts(N_ROWS)), data.draw(st.sampled_from([3, 2])))
    lazy = getattr(model, method)(rows, **params)
    expected = getattr(model.to_sklearn(), method)(X, **params)
    assert type(lazy) is (tuple if isinstance(expected, tuple) else da.Array)
    found, here = items(lazy), items(expected)
    assert len(found) == len(here)
    for ours, theirs in zip(found, here, strict=True):
        assert ours.dtype == theirs.dtype
        assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)
    in_memory = items(getattr(model, method)(X, **params))
    for ours, theirs in zip(in_memory, here, strict=True):
        assert_array_equal(ours, theirs)


def test_arguments_may_stand_by_their_place():
    tree = AutoScaleEstimator(DecisionTreeClassifier(random_state=0)).fit(X, Y)
    rows = X.astype(np.float32)
    lazy = tree.apply(cut(rows, (10, 30)), False)
    assert_array_equal(lazy.compute(), tree.to_sklearn().apply(rows, False))


@pytest.mark.usefixtures("no_compute")
@pytest.mark.parametrize(
    ("estimator", "method", "params", "reason"),
    [
        (FOREST, "decision_path", {}, "it does not return one row for each row"),
        (
            GaussianProcessRegressor(),
            "predict",
            {"return_cov": True},
            r"predict\(return_cov=...\) has no lazy form .* one row for each row",
        ),
        (GaussianProcessRegressor(), "sample_y", {}, "draws for all rows together"),
        (GradientBoostingClassifier(), "staged_predict", {}, "all rows at each stage"),
        (
            BayesianRidge(),
            "predict",
            {"return_std": np.ones(N_ROWS)},
            "'return_std' as one value, and not one a row",
        ),
    ],
)
def test_what_has_no_lazy_form_is_refused_with_its_reason(
    estimator, method, params, reason
):
    target = NUMBERS if sklearn.base.is_regressor(estimator) else Y
    model = AutoScaleEstimator(estimator).fit(X, target)
    with pytest.raises(ValueError, match=reason):
        getattr(model, method)(cut(X, (10, 30)), **params)


def test_methods_are_there_where_the_estimator_has_them():
    for estimator in (FOREST, NearestNeighbors(), GaussianProcessRegressor(), Ridge()):
        model = AutoScaleEstimator(estimator)
        for method in (*OTHERS, "partial_fit"):
            assert hasattr(model, method) == hasattr(estimator, method)
    lazy = da.from_array(X, (10, 3))
    with pytest.raises(TypeError, match="unexpected keyword argument 'return_std'"):
        AutoScaleEstimator(Ridge()).fit(X, NUMBERS).predict(lazy, return_std=True)
    with pytest.raises(TypeError, match=r"transform takes no arguments .* got copy"):
        AutoScalePCA().fit(X).transform(lazy, copy=True)


@pytest.mark.parametrize("kind", ["array", "frame"])
@pytest.mark.parametrize(
    "estimator",
    [SGDClassifier(shuffle=False), GaussianNB(), IncrementalPCA(2)],
    ids=["sgd", "bayes", "pca"],
)
def test_it_is_fitted_further_as_by_scikit_learn(estimator, kind):
    order = np.argsort(Y)
    rows, labels = X[order], Y[order]
    model, plain = AutoScaleEstimator(estimator), sklearn.base.clone(estimator)
    known = {"classes": ["few", "many"]} if hasattr(estimator, "predict") else {}
    for start, stop in ((0, 20), (20, 40)):
        part, beside = rows[start:stop], labels[start:stop]
        lazy = cut(part, (10, 10))
        if kind == "frame":
            lazy = dd.from_pandas(pd.DataFrame(part, columns=list("abc")), 2)
        model.partial_fit(lazy, cut(beside, (5, 15)), **known)
        for half in (slice(10), slice(10, 20)):
            plain.partial_fit(part[half], beside[half], **known)
    learned = [k for k in ("coef_", "var_", "components_", "t_") if hasattr(plain, k)]
    for name in learned:
        assert_allclose(getattr(model, name), getattr(plain, name), rtol=1e-9)
    assert learned
    if kind == "frame":
        assert list(model.feature_names_in_) == list("abc")


def test_classes_of_dask_input_are_those_of_all_its_rows():
    order = np.argsort(Y)
    model = AutoScaleEstimator(SGDClassifier(random_state=0))
    model.partial_fit(cut(X[order], (10, 30)), cut(Y[order], (10, 30)))
    assert_array_equal(model.classes_, ["few", "many"])
    model.partial_fit(X[:5], Y[:5], sample_weight=np.ones(5))
    with pytest.raises(ValueError, match="2 features, but SGDClassifier is expecting"):
        model.partial_fit(da.from_array(X[:, :2], (10, 2)), Y)
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        AutoScaleEstimator(SGDClassifier()).partial_fit(X, Y)


def test_what_is_the_users_is_not_fitted_further():
    estimator = SGDClassifier()
    AutoScaleEstimator(estimator).partial_fit(X, Y, classes=["few", "many"])
    assert not hasattr(estimator, "coef_")
    frozen = FrozenEstimator(SGDClassifier().fit(X, Y))
    with pytest.raises(TypeError, match="What is frozen"):
        AutoScaleEstimator(frozen).partial_fit(X, Y)
