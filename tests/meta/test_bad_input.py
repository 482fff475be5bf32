"""Bad input of a wrapper: scikit-learn's own errors, on any blocks."""

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, clone, is_regressor
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from sklearn_dask_auto import AutoScaleEstimator
from tests.cuts import cut

X = np.random.default_rng(0).normal(size=(60, 4))
Y = np.where(X[:, 0] > 0, "many", "few")
FRAME = pd.DataFrame(X, columns=list("abcd"))
CUT = (20, 0, 39, 1)
LAST = np.arange(60) == 59
ESTIMATORS = {
    "forest": RandomForestRegressor(3, random_state=0),
    "kmeans": KMeans(2, random_state=0),
    "logistic": LogisticRegression(),
    "pca": PCA(2),
    "pipeline": make_pipeline(StandardScaler(), SVC()),
    "svc": SVC(),
}
METHODS = {
    name: "predict" if hasattr(estimator, "predict") else "transform"
    for name, estimator in ESTIMATORS.items()
}


def target_of(estimator):
    return X[:, 1] if is_regressor(estimator) else Y


FITTED = {
    name: AutoScaleEstimator(e).fit(FRAME, target_of(e))
    for name, e in ESTIMATORS.items()
}


def with_last(value):
    rows = X.copy()
    rows[LAST, 2] = value
    return rows


def said(call, *args):
    """Return what an error says, before or after a graph is computed."""
    with pytest.raises((TypeError, ValueError)) as raised:
        dask.compute(call(*args), scheduler="sync")
    return type(raised.value), str(raised.value)


FRAMES = {
    "missing": FRAME[["a", "b", "c"]],
    "reordered": FRAME[["b", "a", "c", "d"]],
    "more": FRAME.assign(e=1.0),
    "others": FRAME.rename(columns={"d": "e"}),
}
ARRAYS = {
    "columns": X[:, :3],
    "infinite": with_last(np.inf),
    "missing value": with_last(np.nan),
    "no rows": X[:0],
    "three dimensions": X[:, :, None],
    "words": np.full((60, 4), "word", dtype=object),
}


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_columns_are_those_of_fit(name, kind):
    model, method, frame = FITTED[name], METHODS[name], FRAMES[kind]
    table = dd.from_pandas(frame, npartitions=3)
    expected = said(getattr(model.estimator_, method), frame)
    assert said(getattr(model, method), table) == expected
    assert "feature names should match" in expected[1]


# The estimators were fitted to a frame.
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("kind", ARRAYS)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_rows_are_judged_as_scikit_learn_judges_them(name, kind):
    model, method, rows = FITTED[name], METHODS[name], ARRAYS[kind]
    if name == "forest" and kind == "missing value":
        # It takes them.
        blocks = cut(rows, CUT)
        assert_array_equal(model.predict(blocks), model.estimator_.predict(rows))
        return
    blocks = cut(rows, CUT) if len(rows) else da.from_array(rows)
    expected = said(getattr(model.estimator_, method), rows)
    assert said(getattr(model, method), blocks) == expected


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_fit_says_what_scikit_learns_says(name):
    estimator = ESTIMATORS[name]
    target = target_of(estimator)
    for rows, y in [
        (with_last(np.inf), target),
        (X[:0], target[:0]),
        (X[:, :, None], target),
        *([(X, target[:-1])] if name not in ("kmeans", "pca") else []),
    ]:
        blocks = cut(rows, CUT) if len(rows) else da.from_array(rows)
        expected = said(clone(estimator).fit, rows, y)
        assert said(AutoScaleEstimator(estimator).fit, blocks, y) == expected


@pytest.mark.parametrize("rows", [X, cut(X, CUT)], ids=["numpy", "dask"])
def test_before_fit_every_method_says_so(rows):
    for name, method in METHODS.items():
        model = AutoScaleEstimator(ESTIMATORS[name])
        with pytest.raises(NotFittedError, match="This AutoScaleEstimator instance is"):
            getattr(model, method)(rows)


# The estimators were fitted to a frame.
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
# scikit-learn's KMeans does not take float32 after a fit to float64.
@pytest.mark.parametrize("name", [n for n in ESTIMATORS if n != "kmeans"])
def test_blocks_may_have_other_dtypes_than_they_say(name):
    model, method = FITTED[name], METHODS[name]
    parts = [X[:20].astype(np.float32), (9 * X[20:]).astype(int)]
    rows = da.concatenate(
        [da.from_delayed(dask.delayed(part), part.shape, dtype=float) for part in parts]
    )
    expected = [getattr(model.estimator_, method)(part) for part in parts]
    found = getattr(model, method)(rows).compute()
    assert_array_equal(found, np.concatenate(expected))


def test_unknown_categories_in_the_last_block_are_told_of():
    codes = np.where(X > 0, "high", "low").astype(object)
    model = AutoScaleEstimator(OneHotEncoder()).fit(codes)
    codes[-1, 3] = "new"
    expected = said(model.estimator_.transform, codes[-1:])
    assert said(model.transform, cut(codes, CUT)) == expected


def test_no_rows_are_an_answer_where_their_number_is_unknown():
    model = FITTED["forest"]
    table = dd.from_pandas(FRAME, npartitions=3)
    found = model.predict(table[table.a > 1e9]).compute()
    assert (found.shape, found.dtype) == ((0,), np.dtype(float))


def test_what_takes_missing_values_gets_them():
    rows = with_last(np.nan)
    model = AutoScaleEstimator(HistGradientBoostingRegressor(max_iter=3))
    model.fit(cut(rows, CUT), X[:, 0])
    expected = model.estimator_.predict(rows)
    assert_array_equal(model.predict(cut(rows, CUT, 1)), expected)


class FitsOnly(BaseEstimator):
    def fit(self, X, y=None):
        self.n_rows_ = len(X)
        return self


def test_what_only_fits_has_no_other_method():
    model = AutoScaleEstimator(FitsOnly()).fit(cut(X, CUT))
    assert model.n_rows_ == 60
    for method in ("predict", "transform", "score", "fit_predict", "set_output"):
        with pytest.raises(AttributeError) as raised:
            getattr(model, method)
        message = f"This 'AutoScaleEstimator' has no attribute {method!r}"
        assert str(raised.value) == message
        assert "'FitsOnly' object has no attribute" in str(raised.value.__cause__)


class FitsNot(BaseEstimator):
    def predict(self, X):
        return X


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"implementing 'fit'. Got FitsNot\(\)"):
        AutoScaleEstimator(FitsNot()).fit(cut(X, CUT))
