"""AutoScaleGaussianNB against scikit-learn on the same rows, however they are cut."""

import warnings

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris, make_classification
from sklearn.naive_bayes import GaussianNB

from sklearn_dask_auto import AutoScaleGaussianNB
from tests.cuts import cut, cuts, matrices

X, Y = make_classification(
    300, 6, n_informative=4, n_classes=3, n_clusters_per_class=1, random_state=0
)
NAMES = np.array(["no", "yes", "perhaps"])
WEIGHT = np.random.default_rng(0).uniform(size=300)
ATTRIBUTES = ["class_count_", "class_prior_", "theta_", "var_", "epsilon_"]
METHODS = [
    "predict",
    "predict_proba",
    "predict_log_proba",
    "predict_joint_log_proba",
]


def blockwise(**params):
    return AutoScaleGaussianNB(engine="blockwise", **params)


def assert_same_fit(fitted, reference, rtol=1e-10, scale=0.0):
    assert_array_equal(fitted.classes_, reference.classes_)
    assert fitted.classes_.dtype == reference.classes_.dtype
    assert fitted.n_features_in_ == reference.n_features_in_
    for name in ATTRIBUTES:
        found, expected = getattr(fitted, name), getattr(reference, name)
        # Only means are near zero by cancellation.
        atol = rtol * scale if name == "theta_" else 0
        assert_allclose(found, expected, rtol=rtol, atol=atol, err_msg=name)
        assert type(found) is type(expected)
        assert found.dtype == expected.dtype


@given(st.data())
def test_every_cut_gives_scikit_learns_fit(data):
    rows = data.draw(matrices())
    n = len(rows)
    rng = np.random.default_rng(data.draw(st.integers(0, 100)))
    y = rng.integers(0, data.draw(st.integers(1, 5)), size=n)
    if data.draw(st.booleans()):
        y = np.sort(y)
    labels = data.draw(st.sampled_from([np.arange(5) - 2, np.array(list("edcba"))]))
    weight = data.draw(st.sampled_from([None, rng.uniform(size=n)]))
    reference = GaussianNB().fit(rows, labels[y], sample_weight=weight)
    blocks = cut(rows, data.draw(cuts(n)), data.draw(st.sampled_from([-1, 1])))
    fitted = blockwise().fit(
        blocks, cut(labels[y], data.draw(cuts(n))), sample_weight=weight
    )
    assert_same_fit(fitted, reference, scale=np.abs(rows).max())


@given(st.data())
def test_rows_far_from_zero_and_outliers_first_cost_no_digits(data):
    rows = X + data.draw(st.sampled_from([0.0, 1e6]))
    rows[0] *= data.draw(st.sampled_from([1.0, 1e3]))
    centre = rows.mean(axis=0)
    chunks = data.draw(cuts(300))
    fitted = blockwise(var_smoothing=0).fit(cut(rows, chunks), Y)
    expected = GaussianNB(var_smoothing=0).fit(rows - centre, Y)
    assert_allclose(fitted.var_, expected.var_, rtol=1e-9)


UNKNOWN = da.from_array(X, chunks=(60, 6))
UNKNOWN = UNKNOWN[UNKNOWN[:, 0] > -np.inf]
FRAME = dd.from_pandas(pd.DataFrame(X, columns=list("abcdef")), npartitions=4)
CONTAINERS = {
    "one row a block": cut(X, (1,) * 300),
    "one block": cut(X, (300,)),
    "column blocks": cut(X, (100, 200), 2),
    "empty blocks": cut(X, (0, 100, 0, 0, 199, 1, 0)),
    "unknown sizes": UNKNOWN,
    "dask frame": FRAME,
    "numpy": X,
    "column-major blocks": da.from_array(np.asfortranarray(X), chunks=(70, 6)),
}
TARGETS = {
    "numpy": NAMES[Y],
    "list": NAMES[Y].tolist(),
    "dask array": da.from_array(NAMES[Y], chunks=77),
    "dask series": dd.from_pandas(pd.Series(NAMES[Y]), npartitions=3),
    "categories": dd.from_pandas(pd.Series(NAMES[Y], dtype="category"), npartitions=3),
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_gives_the_same_fit_and_methods(container, target):
    rows, y = CONTAINERS[container], TARGETS[target]
    reference = GaussianNB().fit(X, NAMES[Y], sample_weight=WEIGHT)
    fitted = blockwise().fit(rows, y, sample_weight=WEIGHT)
    assert_array_equal(fitted.classes_, reference.classes_)
    for name in ATTRIBUTES:
        assert_allclose(getattr(fitted, name), getattr(reference, name), rtol=1e-10)
    for method in METHODS:
        found, expected = (getattr(m, method) for m in (fitted, reference))
        if method == "predict":
            assert_array_equal(np.asarray(found(rows)), expected(X))
        else:
            assert_allclose(np.asarray(found(rows)), expected(X), rtol=1e-8)
    score = fitted.score(rows, y, sample_weight=WEIGHT)
    assert type(score) is float
    assert score == pytest.approx(reference.score(X, NAMES[Y], WEIGHT))


@pytest.mark.parametrize(
    "params", [{"priors": [0.05, 0.05, 0.9]}, {"var_smoothing": 1}]
)
def test_parameters_do_what_they_do_in_scikit_learn(params):
    fitted = blockwise(**params).fit(cut(X, (100, 200)), Y)
    assert_same_fit(fitted, GaussianNB(**params).fit(X, Y), scale=1)


def test_a_class_may_be_missing_from_blocks_and_have_no_weight():
    order = np.argsort(Y)
    weight = np.where(Y == 1, 0.0, WEIGHT)
    with np.errstate(divide="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference = GaussianNB().fit(X[order], Y[order], weight[order])
    fitted = blockwise().fit(cut(X[order], (50,) * 6), Y[order], weight[order])
    assert_same_fit(fitted, reference, scale=1)
    assert fitted.class_count_[1] == 0


def test_constant_columns_give_finite_probabilities():
    rows = X.copy()
    rows[:, 2] = 0.1
    fitted = blockwise().fit(cut(rows, (7, 293)), Y)
    assert_same_fit(fitted, GaussianNB().fit(rows, Y), scale=1)
    assert np.isfinite(fitted.predict_proba(cut(rows, (7, 293))).compute()).all()


def test_float32_is_kept():
    rows = X.astype(np.float32)
    fitted = blockwise().fit(da.from_array(rows, chunks=(70, 6)), Y, WEIGHT)
    assert_same_fit(fitted, GaussianNB().fit(rows, Y, WEIGHT), rtol=1e-4, scale=1)


@pytest.mark.parametrize("dtype", [int, np.uint8, bool])
def test_whole_numbers_become_float64(dtype):
    rows = np.random.default_rng(0).integers(0, 200, (300, 4)).astype(dtype)
    fitted = blockwise().fit(da.from_array(rows, chunks=(33, 2)), Y)
    assert_same_fit(fitted, GaussianNB().fit(rows, Y))


def test_a_lazy_input_is_computed_once():
    computed = []

    def note(block):
        computed.append(len(block))
        return block

    lazy = cut(X, (100, 100, 100)).map_blocks(note, meta=np.empty((0, 6)))
    blockwise().fit(lazy, Y)
    assert sorted(computed) == [100] * 3


def test_what_methods_return_follows_the_input():
    blocks = cut(X, (100, 200))
    fitted = blockwise().fit(blocks, NAMES[Y])
    for method in METHODS:
        lazy = getattr(fitted, method)(blocks)
        assert isinstance(lazy, da.Array)
        concrete = lazy.compute()
        assert concrete.shape == lazy.shape
        assert concrete.dtype == lazy.dtype
        assert type(getattr(fitted, method)(X)) is np.ndarray


BLOCKS = cut(X, (100, 200))


def with_last(value):
    bad = X.copy()
    bad[-1, -1] = value
    return cut(bad, (100, 200))


BAD_INPUT = {
    "NaN": (with_last(np.nan), Y, None, {}, "Input X contains NaN"),
    "infinity": (with_last(np.inf), Y, None, {}, "Input X contains infinity"),
    "NaN target": (BLOCKS, np.where(Y, 1, np.nan), None, {}, "Input y contains NaN"),
    "continuous target": (BLOCKS, X[:, 0], None, {}, "Unknown label type"),
    "two targets": (BLOCKS, X[:, :2], None, {}, "y should be a 1d array"),
    "short target": (BLOCKS, Y[:9], None, {}, "inconsistent numbers of samples"),
    "no target": (BLOCKS, None, None, {}, "requires y to be passed"),
    "NaN weights": (BLOCKS, Y, np.full(300, np.nan), {}, "sample_weight contains NaN"),
    "zero weights": (BLOCKS, Y, np.zeros(300), {}, "at least one non-zero number"),
    "few priors": (BLOCKS, Y, None, {"priors": [0.5, 0.5]}, "must match number of"),
    "low priors": (BLOCKS, Y, None, {"priors": [0.1] * 3}, "sum of the priors"),
    "negative priors": (BLOCKS, Y, None, {"priors": [-1, 1, 1]}, "be non-negative"),
    "sparse": (BLOCKS.map_blocks(sp.csr_matrix), Y, None, {}, "Sparse data was passed"),
}


@pytest.mark.parametrize("engine", ["blockwise", "sklearn"])
@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_scikit_learns_error(case, engine):
    rows, y, weight, params, message = BAD_INPUT[case]
    model = AutoScaleGaussianNB(engine=engine, **params)
    with pytest.raises(TypeError if case == "sparse" else ValueError, match=message):
        model.fit(rows, y, sample_weight=weight)


@pytest.mark.parametrize("case", ["low priors", "negative priors", "two targets"])
def test_what_metadata_shows_to_be_wrong_is_refused_before_any_pass(case, no_compute):
    rows, y, weight, params, message = BAD_INPUT[case]
    with pytest.raises(ValueError, match=message):
        blockwise(**params).fit(rows + 0, y, sample_weight=weight)


def test_large_dask_input_goes_blockwise_and_small_input_is_gathered():
    assert AutoScaleGaussianNB().explain(BLOCKS, Y).engine == "sklearn"
    rows = da.zeros((10_000_000, 20), chunks=(20_000, 20))
    assert AutoScaleGaussianNB().explain(rows, rows[:, 0]).engine == "blockwise"


def test_a_cluster_gives_the_same_fit(client):
    fitted = blockwise().fit(cut(X, (100, 200)) + 0, cut(NAMES[Y], (150, 150)), WEIGHT)
    assert_same_fit(fitted, GaussianNB().fit(X, NAMES[Y], WEIGHT), scale=10)
    assert_array_equal(
        fitted.predict(cut(X, (100, 200))).compute(),
        GaussianNB().fit(X, NAMES[Y], WEIGHT).predict(X),
    )


def test_fitting_further_takes_rows_in_memory_alone():
    rows, y = load_iris(return_X_y=True)
    ours, reference = AutoScaleGaussianNB(), GaussianNB()
    for part in (slice(0, 75), slice(75, None)):
        for model in (ours, reference):
            model.partial_fit(rows[part], y[part], classes=[0, 1, 2])
    assert_same_fit(ours, reference)
    with pytest.raises(TypeError, match="takes rows in memory"):
        ours.partial_fit(BLOCKS, Y)
