"""The substance of scikit-learn's estimator checks, on dask input, for every class.

Each class is compared with the scikit-learn class that it mirrors, fitted on the same
rows in memory. A new public class needs a row in `CASES`.
"""

import copy
import functools
import inspect
import pickle
import re
import warnings
from dataclasses import dataclass, field

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import Ridge, SGDRegressor
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils import Bunch, get_tags
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

import sklearn_dask_auto
from tests.cuts import cut

N_ROWS, N_COLUMNS = 60, 4
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N_ROWS, N_COLUMNS)) * [1, 2, 5, 0.1] + [0, 3, -7, 1]
NUMBERS = X @ [1.0, -2.0, 0.5, 3.0] + RNG.normal(size=N_ROWS)
COUNTS = np.random.default_rng(1).poisson(np.exp(0.1 * NUMBERS - 1)).astype(float)
LABELS = np.array(["few", "many"])[(NUMBERS.mean() < NUMBERS).astype(int)]
WEIGHT = RNG.uniform(0.1, 2, size=N_ROWS)


@dataclass(frozen=True)
class Case:
    """How to compare one class.

    Parameters
    ----------
    params : dict
        Constructor arguments, for both classes.
    target : ndarray or None
        What `fit` takes beside the rows.
    exact : dict
        Further arguments for scikit-learn's class, to have it reach the optimum.
    differs : frozenset of str
        Attributes whose values may differ: iterations, times, the way there.
    reads_rows : bool
        `fit` on dask input computes something.
    is_own : bool
        scikit-learn has no such thing: compared with the same on rows in memory.
    """

    params: dict = field(default_factory=dict)
    target: np.ndarray | None = None
    exact: dict = field(default_factory=dict)
    differs: frozenset = frozenset()
    reads_rows: bool = True
    is_own: bool = False


def search_case(is_own=False, **options):
    """Return a case of a search."""
    params = {"estimator": Ridge(), "param_grid": {"alpha": [0.1, 1.0]}, "cv": 3}
    differs = frozenset({"cv_results_", "history_", "refit_time_"})
    return Case({**params, **options}, NUMBERS, differs=differs, is_own=is_own)


STEPS = [
    ("ours", sklearn_dask_auto.AutoScaleStandardScaler(), [0, 2]),
    ("plain", MinMaxScaler(), [1, 2]),
    ("rest", "passthrough", [1]),
]
# What is left to gain is mere rounding in float32; compared by tests of the class.
GAP = frozenset({"dual_gap_"})
CASES = {
    "AutoScaleColumnTransformer": Case({"transformers": STEPS}),
    "AutoScaleElasticNet": Case({"alpha": 0.1}, target=NUMBERS, differs=GAP),
    "AutoScaleEstimator": Case(
        {"estimator": Ridge()}, target=NUMBERS, differs=frozenset({"solver_"})
    ),
    "AutoScaleGaussianNB": Case(target=LABELS),
    "AutoScaleIncrementalPCA": Case({"n_components": 2, "batch_size": 13}),
    "AutoScaleKMeans": Case({"n_clusters": 3, "random_state": 0}),
    "AutoScaleLasso": Case({"alpha": 0.1}, target=NUMBERS, differs=GAP),
    "AutoScaleLinearRegression": Case(target=NUMBERS),
    "AutoScaleLogisticRegression": Case(
        {"tol": 1e-10},
        target=LABELS,
        exact={"solver": "newton-cholesky"},
        differs=frozenset({"n_iter_"}),
    ),
    "AutoScaleMaxAbsScaler": Case(),
    "AutoScaleMinMaxScaler": Case(),
    "AutoScaleMiniBatchKMeans": Case({"n_clusters": 3, "random_state": 0}),
    "AutoScaleNormalizer": Case(reads_rows=False),
    "AutoScaleOneHotEncoder": Case({"sparse_output": False}),
    "AutoScaleOrdinalEncoder": Case(),
    "AutoScalePCA": Case({"n_components": 3}),
    "AutoScalePoissonRegressor": Case(
        {"tol": 1e-10},
        target=COUNTS,
        exact={"max_iter": 10_000},
        differs=frozenset({"n_iter_"}),
    ),
    "AutoScalePolynomialFeatures": Case(reads_rows=False),
    "AutoScaleQuantileTransformer": Case({"n_quantiles": 20, "random_state": 0}),
    "AutoScaleRidge": Case(
        target=NUMBERS, exact={"tol": 1e-12}, differs=frozenset({"solver_"})
    ),
    "AutoScaleRobustScaler": Case(),
    "AutoScaleSearchCV": search_case(),
    "AutoScaleSearchCV halving": search_case(strategy="halving", random_state=0),
    "AutoScaleSearchCV hyperband": search_case(
        estimator=SGDRegressor(random_state=0),
        strategy="hyperband",
        max_resources=9,
        random_state=0,
        is_own=True,
    ),
    "AutoScaleSearchCV random": search_case(strategy="random", n_iter=2),
    "AutoScaleSimpleImputer": Case({"add_indicator": True}),
    "AutoScaleStandardScaler": Case(),
    "AutoScaleTruncatedSVD": Case({"n_components": 2, "random_state": 0}),
}
# As in scikit-learn, the columns of a frame may have any order.
FINDS_COLUMNS_BY_NAME = {"AutoScaleColumnTransformer"}
# A case is named by its class, and perhaps one word more.
NAMES = list(CASES)


def public(name):
    """Return the class that a case is of."""
    return getattr(sklearn_dask_auto, name.partition(" ")[0])


META = [n for n in NAMES if "estimator" in CASES[n].params]
ROW_WISE = [
    "predict",
    "predict_proba",
    "predict_log_proba",
    "predict_joint_log_proba",
    "decision_function",
    "score_samples",
    "transform",
    "inverse_transform",
]


def test_every_public_class_takes_part():
    classes = {n for n in sklearn_dask_auto.__all__ if n.startswith("AutoScale")}
    assert {public(n).__name__ for n in NAMES} == classes


def ours(name, engine=None):
    """Return an unfitted estimator; of kernels, where it has one."""
    cls = public(name)
    is_blockwise = cls._kernel is not None or CASES[name].is_own
    engine = engine or ("blockwise" if is_blockwise else "sklearn")
    return cls(**copy.deepcopy(CASES[name].params), engine=engine)


def original(name):
    if CASES[name].is_own:
        return ours(name, "sklearn")
    return ours(name).to_sklearn().set_params(**CASES[name].exact)


def as_blocks(values, chunks):
    return None if values is None else cut(values, chunks)


def without_sizes(rows, target):
    rows = da.from_array(rows, chunks=(25, 2))
    keep = rows[:, 0] > -np.inf
    if target is not None:
        target = da.from_array(target, chunks=25)[keep]
    return rows[keep], target


def as_frames(rows, target):
    frame = dd.from_pandas(pd.DataFrame(rows, columns=list("abcd")), npartitions=3)
    if target is not None:
        target = dd.from_pandas(pd.Series(target), npartitions=3)
    return frame, target


def in_chunks(row_chunks, column_chunks=-1, target_chunks=(13, 40, 7)):
    def make(rows, target):
        target = as_blocks(target, target_chunks)
        return cut(rows, row_chunks, column_chunks), target

    return make


CONTAINERS = {
    "one block": in_chunks((60,), target_chunks=(60,)),
    "ragged blocks": in_chunks((7, 33, 1, 19)),
    "one row a block": in_chunks((1,) * 60),
    "column blocks": in_chunks((20, 40), 2),
    "empty blocks": in_chunks((0, 20, 0, 0, 39, 1, 0)),
    "unknown sizes": without_sizes,
    "dask dataframe": as_frames,
}


@functools.cache
def fitted_pair(name, container="ragged blocks", dtype=float):
    """Fit both classes on the same rows; return them with the rows."""
    # Whole numbers of a few digits have rows that are as near to two centers.
    values = (3 * X if np.dtype(dtype).kind == "i" else X).astype(dtype)
    rows, target = CONTAINERS[container](values, CASES[name].target)
    here, target_here = dask.compute(rows, target)
    model, reference = ours(name).fit(rows, target), original(name)
    with warnings.catch_warnings():
        # What is asked of scikit-learn is more than float32 can give.
        warnings.simplefilter("ignore", ConvergenceWarning)
        reference.fit(here, target_here)
    return model, reference, rows, here


def learned(model):
    """Return public fitted attributes; what is compared elsewhere left out."""
    # What a wrapper learns is what the estimator in it does.
    model = getattr(model, "estimator_", model)
    names = [n for n in dir(model) if n.endswith("_") and not n.startswith("_")]
    names = [n for n in names if n != "plan_" and not n.startswith("sklearn_")]
    return {n: getattr(model, n) for n in names if hasattr(model, n)}


def assert_same_value(found, expected, rtol=1e-6):
    if isinstance(expected, BaseEstimator):
        # A step of ours stays of ours.
        assert isinstance(found, type(expected))
        assert_same_fit(found, expected, frozenset(), rtol)
        return
    assert type(found) is type(expected)
    if isinstance(expected, Bunch | list | tuple):
        pairs = (
            list(v.items() if isinstance(v, Bunch) else v) for v in (found, expected)
        )
        for one, other in zip(*pairs, strict=True):
            assert_same_value(one, other, rtol)
        return
    if not isinstance(expected, np.ndarray | np.generic | float | int | str | dict):
        return
    if isinstance(expected, np.ndarray | np.generic):
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
    if np.asarray(expected).dtype.kind == "f":
        scale = np.abs(np.nan_to_num(expected)).max(initial=0)
        # What is zero but for rounding is no part of the comparison.
        atol = max(rtol * 1e-3 * scale, 1e-14)
        assert_allclose(found, expected, rtol=rtol, atol=atol)
    else:
        assert_array_equal(found, expected)


def assert_same_fit(model, reference, differs, rtol=1e-6):
    found, expected = learned(model), learned(reference)
    assert sorted(found) == sorted(expected)
    for attribute, value in expected.items():
        if attribute not in differs:
            assert_same_value(found[attribute], value, rtol)
        elif isinstance(value, np.ndarray):
            assert found[attribute].shape == value.shape
            assert found[attribute].dtype == value.dtype


def methods(model):
    return [method for method in ROW_WISE if hasattr(model, method)]


def argument(model, method, rows):
    """Return what a row-wise method takes: rows, or what they are transformed to."""
    return model.transform(rows) if method == "inverse_transform" else rows


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("name", NAMES)
def test_fitted_attributes_are_those_of_scikit_learn(name, container):
    model, reference, _, _ = fitted_pair(name, container)
    assert model.plan_.engine == model.engine
    assert_same_fit(model, reference, CASES[name].differs)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("name", NAMES)
def test_what_methods_return_is_lazy_as_declared_and_what_scikit_learn_returns(
    name, container
):
    model, reference, rows, here = fitted_pair(name, container)
    assert methods(model) == methods(reference)
    for method in methods(model):
        with dask.config.set(scheduler=refuse):
            lazy = getattr(model, method)(argument(model, method, rows))
        assert isinstance(lazy, da.Array)
        found = lazy.compute()
        expected = getattr(reference, method)(argument(reference, method, here))
        assert_same_value(found, np.asarray(expected))
        assert found.dtype == lazy.dtype
        assert found.shape[1:] == lazy.shape[1:]
        assert container == "dask dataframe" or lazy.chunks[0] == rows.chunks[0]


def refuse(graph, keys, **options):
    raise AssertionError(f"a dask graph was computed, for {keys}")


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.int8])
@pytest.mark.parametrize("name", NAMES)
def test_dtypes_go_in_and_out_as_in_scikit_learn(name, dtype):
    model, reference, rows, here = fitted_pair(name, dtype=dtype)
    loose = 1e-3 if CASES[name].exact else 1e-4
    rtol = loose if dtype == np.float32 else 1e-6
    assert_same_fit(model, reference, CASES[name].differs, rtol)
    for method in methods(model):
        lazy = getattr(model, method)(argument(model, method, rows))
        expected = getattr(reference, method)(argument(reference, method, here))
        assert lazy.compute().dtype == lazy.dtype == expected.dtype


WITH_SCORE = [n for n in NAMES if hasattr(public(n), "score")]


@pytest.mark.parametrize("container", ["ragged blocks", "dask dataframe"])
@pytest.mark.parametrize("name", WITH_SCORE)
def test_scores_are_python_floats_and_those_of_scikit_learn(name, container):
    model, reference, _, _ = fitted_pair(name, container)
    rows, target = CONTAINERS[container](X, CASES[name].target)
    found = model.score(rows, target)
    assert type(found) is float
    assert found == pytest.approx(reference.score(*dask.compute(rows, target)))


WITH_WEIGHTS = [n for n in NAMES if has_fit_parameter(public(n), "sample_weight")]


BLOCKS = cut(X, (20, 40))
WEIGHTS = {
    "numpy": WEIGHT,
    "list": WEIGHT.tolist(),
    "dask array": cut(WEIGHT, (40, 0, 20)),
    "dask series": dd.from_pandas(pd.Series(WEIGHT), npartitions=2),
    "whole numbers": (3 * WEIGHT).astype(int),
    "some zero": np.where(np.arange(N_ROWS) < 20, 0, WEIGHT),
    "one number": 2.5,
}


@pytest.mark.parametrize("kind", WEIGHTS)
@pytest.mark.parametrize("name", WITH_WEIGHTS)
def test_weights_do_what_they_do_in_scikit_learn(name, kind):
    weight, target = WEIGHTS[kind], CASES[name].target
    (weight_here,) = dask.compute(weight)
    model = ours(name).fit(BLOCKS, target, sample_weight=weight)
    reference = original(name).fit(X, target, sample_weight=weight_here)
    assert_same_fit(model, reference, CASES[name].differs)


STATEFUL = [n for n in NAMES if get_tags(ours(n)).requires_fit]


@pytest.mark.parametrize("name", STATEFUL)
def test_before_fit_every_method_raises_not_fitted(name):
    model, target = ours(name), CASES[name].target
    rows = CONTAINERS["ragged blocks"](X, None)[0]
    for method in methods(fitted_pair(name)[0]):
        with pytest.raises(NotFittedError):
            getattr(model, method)(rows)
    if hasattr(model, "score"):
        with pytest.raises(NotFittedError):
            model.score(rows, target)


def first_sentence(error):
    """Return what an error says, up to its first full stop, and in whose name."""
    text = re.sub(r"AutoScale|SearchCV|GridSearchCV", "", str(error))
    # Where metadata tells that there is text, the word is a made-up one.
    text = re.sub(r"to float: '\w'", "to float", text)
    # Of unknown categories, a block names those that are in it.
    text = re.sub(r"categories \[.*\] in", "categories in", text)
    return re.split(r"\.\s|\n", text)[0]


def outcome(call, *args, **params):
    """Return None, or the error's type and first sentence."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            call(*args, **params)
        except Exception as error:
            return type(error), first_sentence(error)
    return None


def other_columns(rows):
    return {
        "few": rows[:, :2] if isinstance(rows, da.Array) else rows[["a", "b"]],
        "reordered": None if isinstance(rows, da.Array) else rows[list("dcba")],
        "renamed": None
        if isinstance(rows, da.Array)
        else rows.rename(columns={"a": "z"}),
        "one dimension": rows[:, 0] if isinstance(rows, da.Array) else rows["a"],
    }


@pytest.mark.parametrize("container", ["ragged blocks", "dask dataframe"])
@pytest.mark.parametrize("name", NAMES)
def test_other_columns_than_in_fit_are_scikit_learns_error(name, container):
    model, reference, rows, _ = fitted_pair(name, container)
    for method in set(methods(model)) - {"inverse_transform"}:
        for kind, other in other_columns(rows).items():
            if other is None:
                continue
            expected = outcome(getattr(reference, method), other.compute())
            found = outcome(compute_all, getattr(model, method), other)
            assert found == expected, (method, kind)
            is_same = kind == "reordered" and name in FINDS_COLUMNS_BY_NAME
            assert (found is None) == is_same


def compute_all(call, rows):
    dask.compute(call(rows))


WORDS = cut(np.full(X.shape, "word"), (20, 40))
ODD_ROWS = {
    "one dimension": BLOCKS[:, 0],
    "a series": dd.from_pandas(pd.Series(X[:, 0]), npartitions=2),
    "three dimensions": BLOCKS[:, :, None],
    "no rows": BLOCKS[:0],
    "no rows, unknown": BLOCKS[BLOCKS[:, 0] > 1e9],
    "no columns": BLOCKS[:, :0],
    "one row": BLOCKS[:1],
    "one column": BLOCKS[:, :1],
    "sparse": cut(np.where(X > 0, X, 0), (20, 40)).map_blocks(sp.csr_matrix),
    "booleans": BLOCKS > [0, 3, -7, 1],
    "words": WORDS,
    "words as objects": WORDS.astype(object),
    "numbers as text": cut(X.astype(str), (20, 40)),
    "numbers as objects": cut(X.astype(object), (20, 40)),
    "complex": BLOCKS + 1j,
    "a frame with words": dd.from_pandas(
        pd.DataFrame(X).assign(words=["x", "y"] * 30).rename(columns=str), npartitions=2
    ),
    "a frame with a missing value": dd.from_pandas(
        pd.DataFrame(X).assign(e=[1.0, np.nan] * 30).rename(columns=str), npartitions=2
    ),
}


def look(model, rows, target):
    """Fit without reading rows, and then read them."""
    with dask.config.set(scheduler=refuse):
        lazy = model.fit(rows, target).transform(rows)
    lazy.compute()


# Blocks are judged, and text made numbers, before a search of ours splits them.
JUDGED_BEFORE_SPLITS = {"no rows", "no rows, unknown", "numbers as text"}


@pytest.mark.parametrize("kind", ODD_ROWS)
@pytest.mark.parametrize("name", NAMES)
def test_rows_of_any_kind_are_scikit_learns_error_or_fit(name, kind):
    rows, target = ODD_ROWS[kind], CASES[name].target
    here = rows.compute()
    target = None if target is None else target[: here.shape[0]]
    model, reference = ours(name), original(name)
    expected = outcome(reference.fit, here, target)
    fit = model.fit if CASES[name].reads_rows else functools.partial(look, model)
    if kind == "no rows, unknown" and not CASES[name].reads_rows:
        assert outcome(fit, rows, target) is None, "nobody counts them"
        return
    found = outcome(fit, rows, target)
    if CASES[name].is_own and kind in JUDGED_BEFORE_SPLITS:
        assert (found is None) == (expected is None)
        return
    assert found == expected
    if expected is None:
        assert_same_fit(model, reference, CASES[name].differs)


@pytest.mark.parametrize("kind", ["words", "complex", "numbers as text"])
@pytest.mark.parametrize("name", NAMES)
def test_methods_judge_rows_as_scikit_learn_does(name, kind):
    model, reference, _, _ = fitted_pair(name)
    rows = ODD_ROWS[kind]
    for method in set(methods(model)) - {"inverse_transform"}:
        expected = outcome(getattr(reference, method), rows.compute())
        assert outcome(compute_all, getattr(model, method), rows) == expected, method


BAD_WEIGHTS = {
    "short": WEIGHT[:9],
    "short, on dask": cut(WEIGHT[:9], (4, 5)),
    "two columns": np.ones((N_ROWS, 2)),
    "NaN": np.full(N_ROWS, np.nan),
    "words": np.full(N_ROWS, "word"),
}


@pytest.mark.parametrize("kind", BAD_WEIGHTS)
@pytest.mark.parametrize("name", WITH_WEIGHTS)
def test_bad_weights_are_scikit_learns_error(name, kind):
    weight, target = BAD_WEIGHTS[kind], CASES[name].target
    (weight_here,) = dask.compute(weight)
    expected = outcome(original(name).fit, X, target, sample_weight=weight_here)
    assert outcome(ours(name).fit, BLOCKS, target, sample_weight=weight) == expected
    assert expected is not None


WITH_TARGET = [n for n in NAMES if CASES[n].target is not None]


ODD_TARGETS = {
    "missing": lambda y: None,
    "short": lambda y: y[:9],
    "NaN": lambda y: np.full(N_ROWS, np.nan),
    "infinity": lambda y: np.where(np.arange(N_ROWS) % 2, 1, np.inf),
    "three dimensions": lambda y: np.ones((N_ROWS, 1, 1)),
    "one column": lambda y: y[:, None],
    "two columns": lambda y: np.column_stack([y, y]),
    "one value": lambda y: y[[0] * N_ROWS],
    "booleans": lambda y: np.arange(N_ROWS) % 2 == 0,
    "whole numbers": lambda y: np.arange(N_ROWS) % 3,
    "complex": lambda y: np.arange(N_ROWS) % 2 * 1j,
    "objects": lambda y: y.astype(object),
}


@pytest.mark.parametrize("kind", ODD_TARGETS)
@pytest.mark.parametrize("name", WITH_TARGET)
def test_targets_of_any_kind_are_scikit_learns_error_or_fit(name, kind):
    target = ODD_TARGETS[kind](CASES[name].target)
    model, reference = ours(name), original(name)
    expected = outcome(reference.fit, X, target)
    blocks = None if target is None else da.from_array(target, chunks=17)
    assert outcome(model.fit, BLOCKS, blocks) == expected
    if expected is None:
        assert_same_fit(model, reference, CASES[name].differs)


@pytest.mark.parametrize("name", WITH_TARGET)
def test_a_column_as_target_warns_where_scikit_learn_warns(name):
    target = CASES[name].target[:, None]
    found = messages(ours(name).fit, BLOCKS, da.from_array(target))
    assert found == messages(original(name).fit, X, target)


def messages(call, *args):
    """Return the warnings of a call as pairs of category and text."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call(*args)
    return {(w.category, str(w.message).replace("AutoScale", "")) for w in caught}


@pytest.mark.parametrize("fitted_on", ["ragged blocks", "dask dataframe"])
@pytest.mark.parametrize("name", [n for n in NAMES if n not in META])
def test_names_of_columns_that_come_or_go_are_warned_of_as_in_scikit_learn(
    name, fitted_on
):
    model, reference, _, _ = fitted_pair(name, fitted_on)
    other = BLOCKS if fitted_on == "dask dataframe" else as_frames(X, None)[0]
    for method in set(methods(model)) - {"inverse_transform"}:
        expected = messages(getattr(reference, method), other.compute())
        assert messages(compute_all, getattr(model, method), other) == expected
        assert expected


FRAMES = {
    "columns named by numbers": pd.DataFrame(X),
    "columns named by both": pd.DataFrame(X, columns=["a", "b", "c", 1]),
    "float32 and int16": pd.DataFrame(X.astype(np.float32)).astype({0: np.int16}),
    "float32 and int32": pd.DataFrame(X.astype(np.float32)).astype({0: np.int32}),
    "float32 and bool": pd.DataFrame(X.astype(np.float32)).assign(e=X[:, 0] > 0),
    "nullable numbers": pd.DataFrame(X).astype({0: "Float64", 1: "Float32"}),
    "an index of its own": pd.DataFrame(X, index=np.arange(N_ROWS) // 2),
}


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("name", NAMES)
def test_frames_of_any_kind_are_taken_as_scikit_learn_takes_them(name, kind):
    frame, target = FRAMES[kind], CASES[name].target
    model, reference = ours(name), original(name)
    expected = outcome(reference.fit, frame, target)
    assert outcome(model.fit, dd.from_pandas(frame, npartitions=3), target) == expected
    if expected is None:
        loose = 1e-3 if "float32" in kind else 1e-6
        assert_same_fit(model, reference, CASES[name].differs, rtol=loose)


ENGINES = [
    (name, engine)
    for name in NAMES
    for engine in ("sklearn", "dask-ml")
    if (engine == "sklearn" and not CASES[name].is_own) or public(name)._dask_ml_adapter
]


@pytest.mark.parametrize("container", ["ragged blocks", "dask dataframe"])
@pytest.mark.parametrize(("name", "engine"), ENGINES)
def test_other_engines_give_the_same_fit(name, engine, container):
    model = ours(name, engine).fit(*CONTAINERS[container](X, CASES[name].target))
    reference = fitted_pair(name, container)[1]
    assert model.plan_.engine == engine
    assert_same_fit(model, reference, CASES[name].differs)


@pytest.mark.parametrize("name", NAMES)
def test_methods_do_not_change_the_estimator(name):
    model, _, rows, _ = fitted_pair(name)
    before = {key: id(value) for key, value in vars(model).items()}
    for method in methods(model):
        getattr(model, method)(argument(model, method, rows)).compute()
    assert {key: id(value) for key, value in vars(model).items()} == before


@pytest.mark.parametrize("method", ["fit_transform", "fit_predict"])
@pytest.mark.parametrize("name", NAMES)
def test_fitting_and_applying_at_once_is_lazy_and_the_same(name, method):
    model, reference, rows, here = fitted_pair(name)
    assert hasattr(model, method) == hasattr(reference, method)
    if hasattr(reference, method):
        found = getattr(ours(name), method)(rows, CASES[name].target)
        assert isinstance(found, da.Array)
        expected = getattr(original(name), method)(here, CASES[name].target)
        assert_same_value(found.compute(), expected)


@pytest.mark.parametrize("name", NAMES)
def test_fitting_further_takes_rows_in_memory_alone(name):
    model, reference, rows, _ = fitted_pair(name)
    assert hasattr(model, "partial_fit") == hasattr(reference, "partial_fit")
    if hasattr(model, "partial_fit"):
        with pytest.raises(TypeError, match="takes rows in memory"):
            clone(model).partial_fit(rows, CASES[name].target)


@pytest.mark.parametrize("name", NAMES)
def test_fitting_twice_gives_the_same_and_changes_nothing_of_the_callers(name):
    rows_here = X.copy()
    target_here = None if CASES[name].target is None else CASES[name].target.copy()
    rows, target = CONTAINERS["ragged blocks"](rows_here, target_here)
    before = rows.name, rows.chunks, dict(rows.dask)
    model = ours(name)
    params = repr(model.get_params())
    first = learned(copy.deepcopy(model.fit(rows, target)))
    second = learned(model.fit(rows, target))
    assert repr(model.get_params()) == params
    assert first.keys() == second.keys()
    for attribute in first.keys() - CASES[name].differs:
        assert_same_value(second[attribute], first[attribute], rtol=1e-12)
    assert (rows.name, rows.chunks) == before[:2]
    assert dict(rows.dask).keys() == before[2].keys()
    assert_array_equal(rows_here, X)
    if target_here is not None:
        assert_array_equal(target_here, CASES[name].target)


@pytest.mark.parametrize("name", NAMES)
def test_fitting_again_on_other_columns_forgets_the_first(name):
    frames = as_frames(X, CASES[name].target)
    blocks = CONTAINERS["ragged blocks"](X[:, :3], CASES[name].target)
    model = ours(name).fit(*frames).fit(*blocks)
    reference = original(name).fit(*dask.compute(*frames)).fit(*dask.compute(*blocks))
    assert_same_fit(model, reference, CASES[name].differs)


@pytest.mark.parametrize("name", NAMES)
def test_a_pickle_predicts_the_same_and_holds_nothing_of_dask(name):
    model, _, rows, _ = fitted_pair(name)
    pickled = pickle.dumps(model)
    assert not re.search(rb"(?<!sklearn_)\bdask\.|distributed\.", pickled)
    loaded = pickle.loads(pickled)
    for method in methods(model):
        data = argument(model, method, rows)
        found = getattr(loaded, method)(data).compute()
        assert_array_equal(found, getattr(model, method)(data).compute())


@pytest.mark.parametrize("name", STATEFUL)
def test_a_clone_is_not_fitted(name):
    model = fitted_pair(name)[0]
    copied = clone(model)
    assert repr(copied.get_params()) == repr(model.get_params())
    with pytest.raises(NotFittedError):
        check_is_fitted(copied)


@pytest.mark.parametrize("name", NAMES)
def test_to_sklearn_gives_scikit_learns_object_with_the_same_answers(name):
    model, reference, rows, here = fitted_pair(name)
    plain = model.to_sklearn()
    if CASES[name].is_own:
        reference = reference.to_sklearn()
    assert type(plain) is type(reference)
    for method in methods(model):
        found = getattr(plain, method)(argument(plain, method, here))
        expected = getattr(model, method)(argument(model, method, rows)).compute()
        assert_same_value(found, expected, rtol=1e-12)


@pytest.mark.parametrize("container", ["ragged blocks", "dask dataframe"])
@pytest.mark.parametrize("name", NAMES)
def test_names_of_what_comes_out_are_those_of_scikit_learn(name, container):
    model, reference, rows, here = fitted_pair(name, container)
    assert hasattr(model, "get_feature_names_out") == hasattr(
        reference, "get_feature_names_out"
    )
    if not hasattr(reference, "get_feature_names_out"):
        return
    expected = reference.get_feature_names_out()
    assert_array_equal(model.get_feature_names_out(), expected)
    framed = copy.deepcopy(model).set_output(transform="pandas").transform(rows)
    there = copy.deepcopy(reference).set_output(transform="pandas").transform(here)
    assert isinstance(framed, dd.DataFrame)
    assert list(framed.columns) == list(there.columns) == list(expected)
    pd.testing.assert_frame_equal(framed.compute(), there, check_index_type=False)


@pytest.mark.parametrize("engine", [None, "auto"], ids=["forced", "auto"])
@pytest.mark.parametrize("container", ["ragged blocks", "unknown sizes"])
@pytest.mark.parametrize("name", NAMES)
def test_explain_computes_nothing_and_names_what_fit_then_uses(name, container, engine):
    rows, target = CONTAINERS[container](X, CASES[name].target)
    model = ours(name, engine)
    with dask.config.set(scheduler=refuse):
        plan = model.explain(rows, target)
    assert not [attribute for attribute in vars(model) if attribute.endswith("_")]
    assert model.fit(rows, target).plan_.engine == plan.engine


@pytest.mark.parametrize("name", [n for n in NAMES if n != "AutoScaleEstimator"])
def test_fit_takes_the_arguments_that_scikit_learns_fit_takes(name):
    found, expected = (
        [p for p in inspect.signature(model.fit).parameters if p != "self"]
        for model in (ours(name), original(name))
    )
    assert found == expected
