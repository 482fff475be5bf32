"""Every estimator of scikit-learn: what it says of blocks is what it says of the whole.

All that `all_estimators` finds takes part, with all its row-wise methods; what cannot
is in `exceptions.toml`, each with its reason and with the error that it must raise.
"""

import copy
import functools
import re
import tomllib
import warnings
from pathlib import Path

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import is_regressor
from sklearn.linear_model import LogisticRegression
from sklearn.utils import all_estimators, get_tags

from sklearn_dask_auto import AutoScaleEstimator
from sklearn_dask_auto._base import ROW_WISE
from tests.cuts import cut, cuts
from tests.private import instances

N_ROWS = 24
N_TOLD = 9
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N_ROWS, 4)) + 2 * RNG.integers(0, 2, size=(N_ROWS, 1))
LABELS = (X[:, 0] > 1).astype(int)
NUMBERS = np.abs(X @ [1.0, -2.0, 0.5, 3.0]) + 1
WORDS = [f"word{i % 3} word{i % 5}" for i in range(N_ROWS)]
CLASSES = dict(all_estimators())
PARAMS = {
    "DummyClassifier": {},
    "FeatureHasher": {"n_features": 16},
    "FrozenEstimator": {"estimator": LogisticRegression().fit(X, LABELS)},
    "HashingVectorizer": {"n_features": 16},
    "KernelPCA": {"fit_inverse_transform": True},
    "MiniBatchNMF": {},
    "SimpleImputer": {"add_indicator": True},
    "SkewedChi2Sampler": {"skewedness": 100.0},
    "SparseCoder": {"dictionary": X[:5]},
}
"""Where scikit-learn's tests have others: what does not draw at random, is small, takes
four columns, and has all its methods."""


def exceptions():
    """Return reason and error of each name in `exceptions.toml`."""
    groups = tomllib.loads(Path(__file__).with_name("exceptions.toml").read_text())
    return {name: group for group in groups.values() for name in group["names"]}


EXCEPTIONS = exceptions()
NAMES = [name for name in CLASSES if name not in EXCEPTIONS]


def built(name):
    """Return an estimator as scikit-learn's own tests build it: small and fast."""
    cls = CLASSES[name]
    with warnings.catch_warnings():
        # Some are deprecated.
        warnings.simplefilter("ignore", FutureWarning)
        return cls(**PARAMS[name]) if name in PARAMS else next(instances(cls))


def objects(values):
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def rows_for(estimator):
    """Return rows that an estimator says it takes, one for each of the target."""
    tags = get_tags(estimator)
    takes, target = tags.input_tags, tags.target_tags
    if target.one_d_labels or target.two_d_labels:
        labels = [f"label {i}" for i in LABELS]
        return objects([(name,) for name in labels] if target.two_d_labels else labels)
    if (takes.string or takes.dict) and not takes.two_d_array:
        return objects([{text: 1.0} for text in WORDS] if takes.dict else WORDS)
    if takes.three_d_array:
        return np.stack([X, X, X], axis=2)
    if takes.pairwise:
        return X @ X.T
    if takes.one_d_array and not takes.two_d_array:
        return X[:, 0]
    return np.abs(X) if takes.positive_only else X


def target_for(estimator):
    tags = get_tags(estimator).target_tags
    if tags.one_d_labels or tags.two_d_labels:
        return None
    target = NUMBERS if tags.positive_only or is_regressor(estimator) else LABELS
    if tags.multi_output and not tags.single_output:
        return np.column_stack([target, target[::-1]])
    return target


@functools.cache
def fitted(name):
    """Return a fitted wrapper, and rows for each of its methods."""
    estimator = built(name)
    rows = rows_for(estimator)
    model = AutoScaleEstimator(estimator, random_state=0)
    model.fit(rows, target_for(estimator))
    inputs = {method: rows for method in ROW_WISE if hasattr(model, method)}
    if "inverse_transform" in inputs:
        out = model.transform(rows)
        inputs["inverse_transform"] = out.toarray() if sp.issparse(out) else out
    assert inputs, "no row-wise method"
    return model, inputs


def in_blocks(rows, row_chunks, column_chunks, is_known):
    blocks = cut(rows, row_chunks, column_chunks)
    if not is_known:
        blocks = blocks.map_blocks(
            np.copy,
            dtype=blocks.dtype,
            chunks=((np.nan,) * blocks.numblocks[0], *blocks.chunks[1:]),
        )
    return blocks


def refuse(graph, keys, **options):
    raise AssertionError("a dask graph was computed")


def assert_equal(lazy, found, expected):
    """Compare an array or a list of them, before and after it was computed."""
    if isinstance(expected, list):
        for each in zip(lazy, found, expected, strict=True):
            assert_equal(*each)
        return
    assert isinstance(lazy, da.Array)
    assert lazy.shape[1:] == found.shape[1:] == expected.shape[1:]
    assert lazy.dtype == found.dtype == expected.dtype
    assert sp.issparse(found) == sp.issparse(expected)
    found, expected = (v.toarray() if sp.issparse(v) else v for v in (found, expected))
    if expected.dtype.kind == "f":
        assert_allclose(found, expected, rtol=1e-6, atol=1e-7)
    else:
        assert_array_equal(found, expected)


def blocks_say_what_the_whole_says(model, inputs, *how):
    """Compare row-wise methods, on a few rows cut as `in_blocks` is told."""
    inputs = {method: rows[:N_TOLD] for method, rows in inputs.items()}
    with dask.config.set(scheduler=refuse):
        lazy = {m: getattr(model, m)(in_blocks(v, *how)) for m, v in inputs.items()}
    found = dict(zip(lazy, dask.compute(*lazy.values(), scheduler="sync"), strict=True))
    for method, rows in inputs.items():
        expected = getattr(model.estimator_, method)(rows)
        assert_equal(lazy[method], found[method], expected)


ONE_ROW_A_BLOCK = (1,) * N_TOLD
# One row a block says everything, or nothing, of a method that looks at other rows.
CUTS = st.tuples(cuts(N_TOLD), st.sampled_from([-1, 1, 3]), st.booleans())


def told(name):
    """Return a fitted wrapper, and rows for each method that is not excepted."""
    model, inputs = fitted(name)
    return model, {m: v for m, v in inputs.items() if f"{name}.{m}" not in EXCEPTIONS}


# As in scikit-learn's own tests: few iterations do not converge.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=2)
@example((ONE_ROW_A_BLOCK, -1, True))
@given(CUTS)
def test_blocks_of_any_cut_are_told_what_the_whole_is_told(name, how):
    blocks_say_what_the_whole_says(*told(name), *how)


def assert_same_frame(lazy, expected):
    assert isinstance(lazy, dd.DataFrame)
    found = lazy.compute(scheduler="sync")
    pd.testing.assert_frame_equal(found, expected, atol=1e-7, check_column_type=False)
    assert [*lazy.dtypes] == [*expected.dtypes]


TABLES = [name for name in NAMES if rows_for(built(name)).ndim == 2]


@pytest.mark.parametrize("name", TABLES)
def test_partitions_are_told_what_the_frame_is_told(name):
    model, inputs = told(name)
    frame = pd.DataFrame(rows_for(built(name))).add_prefix("column").rename_axis("row")
    table = dd.from_pandas(frame, npartitions=3)
    if "transform" in inputs and hasattr(model, "set_output"):
        model = copy.deepcopy(model).set_output(transform="pandas")
    for method in [m for m in inputs if m != "inverse_transform"]:
        here, there = getattr(model.estimator_, method), getattr(model, method)
        try:
            expected = here(frame)
        except ValueError as error:
            # No frame holds what is sparse.
            with pytest.raises(ValueError, match=re.escape(str(error))):
                there(table)
            continue
        lazy = there(table)
        if isinstance(expected, pd.DataFrame):
            assert_same_frame(lazy, expected)
        else:
            assert_equal(lazy, dask.compute(lazy, scheduler="sync")[0], expected)


def excepted(name):
    cls, _, method = name.partition(".")
    model, inputs = fitted(cls)
    inputs = {method: inputs[method]} if method else inputs
    blocks_say_what_the_whole_says(model, inputs, ONE_ROW_A_BLOCK, -1, True)


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_what_is_excepted_fails_as_the_list_says(name):
    with pytest.raises(Exception, match=EXCEPTIONS[name]["error"]):
        excepted(name)
