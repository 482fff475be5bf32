"""Bad input, class by class: scikit-learn's error or its result, never a wrong answer.

Every public class is fitted on, and applied to, rows that are odd in one way, as a dask
array and as a dask DataFrame, beside scikit-learn's class on the same rows in memory.
The classes, and how to compare them, are those of `test_on_dask`; where the two differ
is told in `DIFFERENT`, with the reason, and fails once it is no longer true.
"""

from uuid import uuid4

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from sklearn_dask_auto import (
    AutoScaleColumnTransformer,
    AutoScaleOneHotEncoder,
    AutoScaleOrdinalEncoder,
)
from tests.test_on_dask import (
    CASES,
    X,
    assert_same_fit,
    assert_same_value,
    fitted_pair,
    methods,
    original,
    ours,
    outcome,
)

# One case a class.
NAMES = [name for name in CASES if " " not in name]
WITH_TARGET = [name for name in NAMES if CASES[name].target is not None]
SIZES = (20, 0, 33, 7)
COLUMNS = list("abcd")


def parts_of(values):
    """Cut rows into blocks, of which one is empty."""
    return np.split(values, np.cumsum(SIZES)[:-1])


def as_array(parts):
    """Return a dask array that says that all blocks have the dtype of the first."""
    # `da.concatenate` would leave out the empty one.
    first, rest = parts[0], (0,) * (parts[0].ndim - 1)
    name = f"parts-{uuid4().hex}"
    graph = {(name, i, *rest): part for i, part in enumerate(parts)}
    chunks = (tuple(map(len, parts)), *((n,) for n in first.shape[1:]))
    return da.Array(graph, name, chunks, meta=first[:0])


def as_frame(parts):
    """Return a dask DataFrame (or Series) that says so."""
    make = pd.Series if parts[0].ndim == 1 else lambda p: pd.DataFrame(p, None, COLUMNS)
    frames = [make(part) for part in parts]
    # Objects stay objects, as in memory.
    with dask.config.set({"dataframe.convert-string": False}):
        return dd.from_map(lambda i: frames[i], range(len(frames)), meta=frames[0][:0])


CONTAINERS = {"array": as_array, "frame": as_frame}
"""Those that classes are fitted on, by the names that `fitted_pair` has for them."""
FITTED_ON = {"array": "ragged blocks", "frame": "dask dataframe"}


def in_memory(parts, container):
    """Return the rows of all blocks that have some."""
    rows = np.concatenate([part for part in parts if len(part)])
    return pd.DataFrame(rows, columns=COLUMNS) if container == "frame" else rows


def with_last(value):
    """Return rows of which the last has another value; a word needs objects around."""
    first, *between, last = parts_of(X)
    last = last.astype(object if isinstance(value, str) else float)
    last[-1, 1] = value
    return [first, *between, last]


def with_columns(columns, value):
    rows = X.copy()
    rows[:, columns] = value
    return parts_of(rows)


def in_dtypes(*dtypes):
    return [part.astype(d) for part, d in zip(parts_of(3 * X), dtypes, strict=True)]


ROWS = {
    "NaN in the last block": with_last(np.nan),
    "infinity in the last block": with_last(-np.inf),
    "a word in the last block": with_last("word"),
    "a constant column": with_columns(1, 3.5),
    "a column of NaN": with_columns(2, np.nan),
    "constant columns": with_columns(slice(None), 3.5),
    "blocks of smaller dtypes": in_dtypes(float, float, np.float32, np.int64),
    "blocks of larger dtypes": in_dtypes(np.int64, np.int64, np.int64, float),
}
BY_DASK = "dask itself puts blocks together in the dtype that it has of the first"
DIFFERENT = {
    ("AutoScaleColumnTransformer", "blocks of larger dtypes", "array"): BY_DASK,
    ("AutoScaleEstimator", "blocks of larger dtypes", "array"): BY_DASK,
    ("AutoScaleSearchCV", "blocks of larger dtypes", "array"): BY_DASK,
    **{
        (name, kind, container): reason
        for container in CONTAINERS
        for name, kind, reason in (
            (
                "AutoScalePoissonRegressor",
                "a constant column",
                "L-BFGS of scikit-learn leaves 7e-11 where the best coefficient is 0",
            ),
            (
                "AutoScaleTruncatedSVD",
                "constant columns",
                "of rows of rank one, any second component is as good",
            ),
        )
    },
}
"""Fits whose outcome is another than scikit-learn's, and why."""


def read_fit(name, model, rows, target):
    """Fit, and read the rows where `fit` does not."""
    model.fit(rows, target)
    if not CASES[name].reads_rows:
        model.transform(rows).compute()


def assert_same_outcome(name, rows, here, target, target_here):
    """Compare fits, or what is said instead; return that."""
    model, reference = ours(name), original(name)
    expected = outcome(reference.fit, here, target_here)
    assert outcome(read_fit, name, model, rows, target) == expected
    if expected is None:
        assert_same_fit(model, reference, CASES[name].differs)
    return expected


def assert_same_answers(name, container, rows, here):
    """Compare all that a fitted pair returns of rows, or says instead."""
    model, reference, _, _ = fitted_pair(name, FITTED_ON[container])
    for method in set(methods(model)) - {"inverse_transform"}:
        found, expected = Answer(model, method), Answer(reference, method)
        said = outcome(expected, here)
        assert outcome(found, rows) == said, method
        if said is None:
            assert_same_value(found.value, expected.value)


class Answer:
    """Keeps what a method returns, computed."""

    def __init__(self, model, method):
        self.method = getattr(model, method)

    def __call__(self, rows):
        value = self.method(rows)
        self.value = value.compute() if hasattr(value, "dask") else np.asarray(value)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("name", NAMES)
def test_odd_rows_are_learned_from_or_refused_as_in_scikit_learn(
    name, kind, container, request
):
    if reason := DIFFERENT.get((name, kind, container)):
        request.applymarker(pytest.mark.xfail(reason=reason))
    rows, here = CONTAINERS[container](ROWS[kind]), in_memory(ROWS[kind], container)
    target = CASES[name].target
    assert_same_outcome(name, rows, here, target, target)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("name", NAMES)
def test_odd_rows_are_answered_or_refused_as_in_scikit_learn(name, kind, container):
    rows, here = CONTAINERS[container](ROWS[kind]), in_memory(ROWS[kind], container)
    assert_same_answers(name, container, rows, here)


TARGETS = {
    "sorted, so that blocks lack a class": np.sort,
    "one class only": lambda y: y[[0] * len(y)],
    "a class in the last row alone": lambda y: np.append(y[[0] * 59], max(y)),
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("name", WITH_TARGET)
def test_odd_targets_are_learned_or_refused_as_in_scikit_learn(name, kind, container):
    make, target = CONTAINERS[container], TARGETS[kind](CASES[name].target)
    rows, here = make(parts_of(X)), in_memory(parts_of(X), container)
    target = make(parts_of(target))
    assert_same_outcome(name, rows, here, target, target.compute())


@pytest.mark.parametrize("n_targets", [59, 61])
@pytest.mark.parametrize("container", [*CONTAINERS, "array of unknown sizes"])
@pytest.mark.parametrize("name", WITH_TARGET)
def test_rows_and_targets_of_other_lengths_are_scikit_learns_error(
    name, container, n_targets
):
    target = np.resize(CASES[name].target, n_targets)
    make = CONTAINERS[container.partition(" ")[0]]
    rows, lazy = make(parts_of(X)), make([target[:30], target[30:]])
    if container not in CONTAINERS:
        rows, lazy = rows[rows[:, 0] > -np.inf], lazy[lazy == lazy]
    assert assert_same_outcome(name, rows, X, lazy, target) is not None


@pytest.mark.parametrize("name", NAMES)
def test_sparse_blocks_are_taken_or_refused_as_in_scikit_learn(name):
    values = np.where(X > 0, X, 0)
    rows = as_array(parts_of(values)).map_blocks(sp.csr_matrix)
    target = CASES[name].target
    assert_same_outcome(name, rows, sp.csr_matrix(values), target, target)
    model, reference, _, _ = fitted_pair(name)
    for method in set(methods(model)) - {"inverse_transform"}:
        said = outcome(Answer(reference, method), sp.csr_matrix(values))
        assert outcome(Answer(model, method), rows) == said, method


OTHER_COLUMNS = {
    "a column missing": lambda frame: frame[["a", "b", "c"]],
    "a column more": lambda frame: frame.assign(e=1.0),
    "columns reordered": lambda frame: frame[["b", "a", "d", "c"]],
    "a column renamed": lambda frame: frame.rename(columns={"b": "z"}),
}


@pytest.mark.parametrize("kind", OTHER_COLUMNS)
@pytest.mark.parametrize("name", NAMES)
def test_other_columns_are_found_or_refused_as_in_scikit_learn(name, kind):
    change = OTHER_COLUMNS[kind]
    rows, here = as_frame(parts_of(X)), in_memory(parts_of(X), "frame")
    assert_same_answers(name, "frame", change(rows), change(here))


ENCODERS = {
    "one-hot": (AutoScaleOneHotEncoder, OneHotEncoder, {"sparse_output": False}),
    "ignored": (
        AutoScaleOneHotEncoder,
        OneHotEncoder,
        {"sparse_output": False, "handle_unknown": "ignore"},
    ),
    "infrequent": (
        AutoScaleOneHotEncoder,
        OneHotEncoder,
        {
            "sparse_output": False,
            "handle_unknown": "infrequent_if_exist",
            "min_frequency": 15,
        },
    ),
    "ordinal": (AutoScaleOrdinalEncoder, OrdinalEncoder, {}),
    "given a number": (
        AutoScaleOrdinalEncoder,
        OrdinalEncoder,
        {"handle_unknown": "use_encoded_value", "unknown_value": -1},
    ),
    "in a column transformer": (
        AutoScaleColumnTransformer,
        ColumnTransformer,
        {"transformers": [("words", OneHotEncoder(sparse_output=False), [0, 3])]},
    ),
}
WORDS = np.select([X > 1, X > 0, X > -7], ["high", "mid", "low"], "none").astype(object)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("kind", ENCODERS)
def test_categories_unseen_in_fit_are_treated_as_in_scikit_learn(kind, container):
    mine, theirs, params = ENCODERS[kind]
    make = CONTAINERS[container]
    model = mine(**params, engine="blockwise").fit(make(parts_of(WORDS)))
    reference = theirs(**params).fit(in_memory(parts_of(WORDS), container))
    other = WORDS.copy()
    other[-1] = "new"
    found, expected = Answer(model, "transform"), Answer(reference, "transform")
    said = outcome(expected, in_memory(parts_of(other), container))
    assert outcome(found, make(parts_of(other))) == said
    is_refused = {"handle_unknown"}.isdisjoint(params)
    assert (said is not None) == is_refused
    if not is_refused:
        assert_same_value(found.value, expected.value)
