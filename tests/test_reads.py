"""How often every fit reads its blocks: as often as its docstring declares.

A line of `READS` quotes what the Notes of a class say, and counts. A new public class
needs a line in it.
"""

import inspect
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import dask.array as da
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDClassifier

import sklearn_dask_auto
from sklearn_dask_auto.engines import blockwise
from tests.cuts import cut
from tests.test_on_dask import (
    CASES,
    NAMES,
    argument,
    fitted_pair,
    methods,
    ours,
    public,
)
from tests.test_on_dask import X as ROWS

BLOCKS = (7, 33, 0, 1, 19)
Count = int | Callable[[Any], int]


@dataclass(frozen=True)
class Line:
    """What a fit reads.

    Parameters
    ----------
    case : str
        Of `CASES`: the class, its parameters and its target.
    says : str
        A piece of the Notes of the class.
    X, y : int or callable
        How often each block is read if none is kept; ``count(model)`` of the fitted
        model where that depends on how many steps it took.
    params : dict
        Beside those of the case.
    rows, target : ndarray, sparse matrix or None
        In place of those of the case.
    sizes : tuple of int
        Rows of the blocks; of other rows than those of the case, two blocks.
    counts : int
        How often each block is read, besides, where row counts are unknown.
    """

    case: str
    says: str
    X: Count
    y: Count = 0
    params: dict[str, Any] = field(default_factory=dict)
    rows: Any = None
    target: Any = None
    sizes: tuple[int, ...] = BLOCKS
    counts: int = 1


def steps(more: int) -> Count:
    """Return a count of the iterations that a model took, and some more."""
    return lambda model: int(np.max(model.n_iter_)) + more


RNG = np.random.default_rng(0)
WIDE = RNG.normal(size=(30, 1100)) * 0.99 ** np.arange(1100)
VERY_WIDE = RNG.normal(size=(30, 5001))
SMALL = ROWS[:, :2] * [1, 1e-5]
SPARSE = sp.csr_matrix(np.where(ROWS > 0, ROWS, 0))
TARGET = CASES["AutoScaleLogisticRegression"].target
ONE = "Passes over dask input: one"
UNCOUNTED = f"{ONE}, in which row counts need not be known"
RANDOMIZED = {"svd_solver": "randomized", "iterated_power": 3, "random_state": 0}
WHOLE = "is read once"
SEARCHED = "for each fit, those of its estimator on the training rows, and one on the"
STREAM = "A pass over the target finds its classes, another how they lie in the blocks"

READS = [
    Line(
        "AutoScaleColumnTransformer",
        "as many as the transformer with most of them needs",
        1,
    ),
    Line("AutoScaleElasticNet", ONE, 1, 1),
    Line("AutoScaleEstimator", WHOLE, 1, 1, counts=0),
    Line(
        "AutoScaleEstimator",
        STREAM,
        1,
        3,
        {"estimator": SGDClassifier(), "max_epochs": 1, "engine": "blockwise"},
        target=TARGET,
    ),
    Line(
        "AutoScaleEstimator",
        "Its rows keep their order, and are taken lazily, in one pass",
        1,
        1,
        {"fit_on": "sample", "sample_size": 30, "random_state": 0},
    ),
    Line(
        "AutoScaleEstimator",
        "After the pass over the target each block is read once",
        1,
        2,
        {"fit_on": "blocks", "part_size": 20, "engine": "blockwise"},
    ),
    Line("AutoScaleGaussianNB", ONE, 1, 1),
    Line("AutoScaleIncrementalPCA", ONE, 1),
    Line("AutoScaleKMeans", "one for each of `n_iter_` iterations", steps(2)),
    Line(
        "AutoScaleKMeans",
        "with several runs, one to compare them",
        3 + 2,
        params={"n_init": 2, "max_iter": 2, "tol": 0},
    ),
    Line(
        "AutoScaleKMeans",
        "for 'k-means||' two a round and one more",
        steps(2 + 2 * 3 + 1),
        params={"init": "k-means||", "init_max_iter": 3},
    ),
    Line("AutoScaleLasso", ONE, 1, 1),
    Line("AutoScaleLinearRegression", ONE, 1, 1),
    Line(
        "AutoScaleLogisticRegression",
        "then one a step, one to begin with and one to confirm the last",
        steps(3),
        steps(4),
    ),
    Line("AutoScaleMaxAbsScaler", ONE, 1),
    Line("AutoScaleMinMaxScaler", ONE, 1),
    Line("AutoScaleMiniBatchKMeans", "one for each window of batches", 3),
    Line(
        "AutoScaleMiniBatchKMeans",
        "one for each further seeding",
        5,
        params={"n_init": 3},
    ),
    Line(
        "AutoScaleMiniBatchKMeans",
        "one for the labels",
        2,
        params={"compute_labels": False},
    ),
    Line("AutoScaleNormalizer", "Passes over dask input: none", 0, counts=0),
    Line("AutoScaleOneHotEncoder", UNCOUNTED, 1, counts=0),
    Line("AutoScaleOrdinalEncoder", UNCOUNTED, 1, counts=0),
    Line("AutoScalePCA", ONE, 1),
    Line("AutoScalePCA", ONE, 1, params={"svd_solver": "full"}),
    Line("AutoScalePCA", "takes ``iterated_power + 2`` passes", 5, params=RANDOMIZED),
    Line(
        "AutoScalePCA",
        "and one more for fewer rows than columns",
        6,
        params=RANDOMIZED,
        rows=WIDE,
    ),
    Line(
        "AutoScalePCA",
        "one pass for means and variances, and one for each block of vectors",
        1 + 4,
        params={"svd_solver": "arpack", "random_state": 0},
        rows=VERY_WIDE,
    ),
    Line(
        "AutoScalePoissonRegressor",
        "then one a step, one to begin with and one to confirm the last",
        steps(3),
        steps(3),
    ),
    Line("AutoScalePolynomialFeatures", "Passes over dask input: none", 0, counts=0),
    Line("AutoScaleQuantileTransformer", "one with `subsample`", 1),
    Line("AutoScaleQuantileTransformer", "two of sparse blocks", 2, rows=SPARSE),
    Line(
        "AutoScaleQuantileTransformer",
        "With `subsample=None`, one to three passes",
        1,
        params={"subsample": None},
    ),
    Line(
        "AutoScaleQuantileTransformer",
        "(and one more of sparse blocks)",
        2,
        params={"subsample": None},
        rows=SPARSE,
    ),
    Line("AutoScaleRidge", ONE, 1, 1),
    Line("AutoScaleRobustScaler", "one up to a thousand rows at least", 1),
    Line(
        "AutoScaleRobustScaler",
        "(20,000 of up to 100 columns), then two",
        2,
        rows=RNG.normal(size=(20_001, 1)),
    ),
    Line("AutoScaleSearchCV", WHOLE, 1, 1, counts=0),
    Line(
        "AutoScaleSearchCV",
        SEARCHED,
        # Of each of 3 splits, for each of 2 candidates; and by the refit.
        3 * 2 + 1,
        1,
        {"estimator": sklearn_dask_auto.AutoScaleRidge(), "engine": "blockwise"},
        sizes=(20, 20, 20),
    ),
    Line("AutoScaleSearchCV halving", WHOLE, 1, 1, counts=0),
    Line(
        "AutoScaleSearchCV hyperband",
        "of up to 128 MB is read once for each of the two. Rows held out are read once",
        # For all splits and rounds, by the refit, and for the rows held out.
        1 + 1 + 1,
        1,
        sizes=(20, 20, 20),
    ),
    Line("AutoScaleSearchCV random", WHOLE, 1, 1, counts=0),
    Line("AutoScaleSimpleImputer", UNCOUNTED, 1, counts=0),
    Line(
        "AutoScaleSimpleImputer",
        "For medians, which are exact, one to three more",
        2,
        params={"strategy": "median"},
    ),
    Line(
        "AutoScaleSimpleImputer",
        UNCOUNTED,
        1,
        params={"strategy": "most_frequent"},
        counts=0,
    ),
    Line("AutoScaleStandardScaler", ONE, 1),
    Line("AutoScaleTruncatedSVD", "one for up to 1,000 columns", 1),
    Line(
        "AutoScaleTruncatedSVD",
        "two if a singular value below a thousandth of the largest is asked for",
        2,
        rows=SMALL,
    ),
    Line("AutoScaleTruncatedSVD", "Wider input takes `n_iter` + 2", 5 + 2, rows=WIDE),
]


class Blocks:
    """A dask array that notes which of its blocks are read.

    Parameters
    ----------
    values : ndarray, sparse matrix or None
        What the blocks hold.
    sizes : tuple of int
        Rows of each block; those without rows are not noted.
    """

    def __init__(self, values, sizes):
        self._reads, self.lazy = [], None
        if values is not None:
            convert = sp.csr_matrix if sp.issparse(values) else np.asarray
            blocks = cut(values.toarray() if sp.issparse(values) else values, sizes)
            self.lazy = blocks.map_blocks(
                self._read, convert, dtype=blocks.dtype, meta=convert(blocks._meta)
            )

    def _read(self, block, convert, block_info=None):
        # dask itself asks for what becomes of a block of no rows.
        if block_info is not None and block.shape[0]:
            self._reads.append(block_info[0]["chunk-location"][0])
        return convert(block)

    def times_read(self):
        """Return how often each block was read since the last call, if all as often."""
        counts = Counter(self._reads)
        self._reads.clear()
        if self.lazy is None:
            return 0
        times = {counts[i] for i, size in enumerate(self.lazy.chunks[0]) if size}
        assert len(times) == 1, f"reads of the blocks: {counts}"
        return times.pop()


def input_of(line):
    rows = ROWS if line.rows is None else line.rows
    target = CASES[line.case].target if line.target is None else line.target
    n_rows = rows.shape[0]
    sizes = line.sizes if n_rows == sum(line.sizes) else (n_rows - 7, 0, 7)
    return Blocks(rows, sizes), Blocks(target, sizes)


def fitted(line, X, y):
    model = ours(line.case, line.params.get("engine"))
    with warnings.catch_warnings():
        # What is counted need not converge.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.set_params(**line.params).fit(X, y)


@pytest.fixture
def keeps_nothing(monkeypatch):
    """Have nothing kept from one pass to the next, as if it did not fit in memory."""
    monkeypatch.setattr(blockwise, "room", lambda plan: 0)


def title(line):
    return "-".join([line.case, *map(str, line.params), line.says])


def expected(line, model):
    return [n(model) if callable(n) else n for n in (line.X, line.y)]


@pytest.mark.usefixtures("keeps_nothing")
@pytest.mark.parametrize("line", READS, ids=title)
def test_a_fit_reads_its_blocks_as_often_as_its_notes_say(line):
    X, y = input_of(line)
    model = fitted(line, X.lazy, y.lazy)
    assert [X.times_read(), y.times_read()] == expected(line, model)


def without_sizes(array):
    if array is None:
        return None
    chunks = ((np.nan,) * array.numblocks[0], *array.chunks[1:])
    return da.Array(array.dask, array.name, chunks, meta=array._meta)


# Where splits do not know the blocks, they cut them, and each part reads its block.
NOT_CUT = [line for line in READS if line.sizes == BLOCKS]


@pytest.mark.usefixtures("keeps_nothing")
@pytest.mark.parametrize("line", NOT_CUT, ids=title)
def test_row_counts_that_are_unknown_take_one_pass_more(line):
    X, y = input_of(line)
    model = fitted(line, without_sizes(X.lazy), without_sizes(y.lazy))
    of_X, of_y = expected(line, model)
    of_y += line.counts if y.lazy is not None else 0
    assert [X.times_read(), y.times_read()] == [of_X + line.counts, of_y]


@pytest.mark.parametrize("line", READS, ids=title)
def test_a_fit_that_can_keep_its_blocks_reads_them_once(line):
    X, y = input_of(line)
    model = fitted(line, X.lazy, y.lazy)
    assert X.times_read() <= 1 or model.plan_.job.passes <= 1


@pytest.mark.parametrize("line", READS, ids=title)
def test_the_notes_say_it(line):
    notes = inspect.getdoc(public(line.case)).partition("\nNotes\n")[2]
    assert line.says in " ".join(notes.split())


def test_every_case_is_counted():
    assert {line.case for line in READS} == {*CASES}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_predicted_or_transformed_reads_each_block_once(name):
    model, _, _, _ = fitted_pair(name)
    X, y = Blocks(ROWS, BLOCKS), Blocks(CASES[name].target, BLOCKS)
    for method in methods(model):
        lazy = getattr(model, method)(argument(model, method, X.lazy))
        assert X.times_read() == 0, method
        lazy.compute()
        assert X.times_read() == 1, method
    if hasattr(model, "score"):
        model.score(X.lazy, y.lazy)
        assert [X.times_read(), y.times_read()] == [1, y.lazy is not None]
