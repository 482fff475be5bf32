"""Selection against numpy's sort, however the rows are cut."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels import cells, quantiles
from sklearn_dask_auto.kernels.driver import Pass
from tests.cuts import cut, cuts, matrices

FRACTIONS = (0.0, 0.01, 0.25, 0.5, 0.5, 0.75, 1 / 3, 1.0)
SIZES = {
    "the sample holds all": (1_000, 4_000_000),
    "brackets are collected": (20, 4_000_000),
    "brackets are split": (20, 30),
    "nothing is collected": (20, 0),
}


def neighbours(X, chunks, fractions=FRACTIONS, make=None):
    blocks = cut(X, chunks)
    rows = Rows(blocks if make is None else blocks.map_blocks(make))
    return quantiles.neighbours(Pass(rows), fractions, "E")


def of_numpy(function, *args, **params):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN", RuntimeWarning)
        return function(*args, **params)


@pytest.fixture(params=SIZES)
def sizes(request, monkeypatch):
    """Have few rows take the ways of many."""
    n_sampled, n_collected = SIZES[request.param]
    monkeypatch.setattr(quantiles, "LEAST_SAMPLE_ROWS", n_sampled)
    monkeypatch.setattr(quantiles, "MOST_SAMPLE_ROWS", n_sampled)
    monkeypatch.setattr(quantiles, "MOST_COLLECTED", n_collected)
    monkeypatch.setattr(cells, "MOST_COLLECTED", n_collected)


@st.composite
def columns(draw):
    """Continuous, tied, constant, tiny and huge values, of which some are missing."""
    X = draw(matrices(min_rows=1))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    kinds = {
        "continuous": X[:, 0],
        "few values": rng.integers(-1, 2, len(X)).astype(float),
        "mostly zero": np.where(rng.uniform(size=len(X)) < 0.8, 0, X[:, 0]),
        "constant": np.full(len(X), -7.1),
        "zeros of both signs": np.where(rng.uniform(size=len(X)) < 0.5, -0.0, 0.0),
        "denormal": rng.integers(-3, 9, len(X)) * np.float32(1e-45),
        "huge": np.sign(X[:, 0]) * 10 ** rng.uniform(-30, 30, len(X)),
        "missing": np.full(len(X), np.nan),
    }
    names = draw(st.lists(st.sampled_from(sorted(kinds)), min_size=1, max_size=4))
    X = np.column_stack([kinds[name] for name in names])
    X[rng.uniform(size=X.shape) < draw(st.sampled_from([0.0, 0.3, 0.95]))] = np.nan
    return X


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@given(data=st.data())
@pytest.mark.usefixtures("sizes")
def test_every_cut_gives_numpys_quantiles_and_medians(dtype, data):
    X = data.draw(columns()).astype(dtype)
    found = neighbours(X, data.draw(cuts(len(X))))
    # One by one: of columns together, the first decides numpy's dtype.
    for column, values in zip(X.T, found.interpolated().T, strict=True):
        expected = of_numpy(np.nanquantile, column, FRACTIONS)
        assert_array_equal(values, expected)
        assert values.dtype == expected.dtype or np.isnan(column).all()
    assert found.lower.dtype == dtype
    median = of_numpy(np.nanmedian, X, axis=0)
    assert_array_equal(found.midpoints()[3], median)
    assert found.midpoints().dtype == median.dtype


@pytest.mark.parametrize("make", [sp.csr_matrix, sp.csc_matrix])
def test_values_that_are_not_stored_are_zeros(make, monkeypatch):
    monkeypatch.setattr(quantiles, "LEAST_SAMPLE_ROWS", 20)
    monkeypatch.setattr(quantiles, "MOST_SAMPLE_ROWS", 20)
    monkeypatch.setattr(cells, "PART_VALUES", 100)
    X = sp.random(500, 7, density=0.6, random_state=0).toarray()
    found = neighbours(X, (1, 99, 400), make=make)
    assert_array_equal(found.interpolated(), np.quantile(X, FRACTIONS, axis=0))


@pytest.mark.parametrize(
    ("n_rows", "n_collected", "passes"),
    [(1_000, 1e6, 1), (30_000, 1e6, 2), (30_000, 5_000, 3)],
)
def test_passes_are_as_few_as_documented(n_rows, n_collected, passes, monkeypatch):
    monkeypatch.setattr(quantiles, "MOST_SAMPLE_ROWS", 2_000)
    monkeypatch.setattr(quantiles, "MOST_COLLECTED", n_collected)
    X = np.random.default_rng(0).normal(size=(n_rows, 5))
    X[:, 1] = np.arange(n_rows)
    X[:, 2] = np.round(X[:, 2], 1)
    blocks = Pass(Rows(cut(X, (n_rows // 2, n_rows - n_rows // 2))))
    made = []
    fold = blocks.fold
    blocks.fold = lambda *args: made.append(args) or fold(*args)
    found = quantiles.neighbours(blocks, (0.25, 0.5, 0.75), "E")
    assert_array_equal(found.interpolated(), np.quantile(X, (0.25, 0.5, 0.75), axis=0))
    assert len(made) == passes


def test_what_is_collected_is_bounded_where_the_sample_misleads(monkeypatch):
    """Rows of one in ten values that repeat, none of which is in the sample."""
    monkeypatch.setattr(quantiles, "LEAST_SAMPLE_ROWS", 10)
    monkeypatch.setattr(quantiles, "MOST_SAMPLE_ROWS", 10)
    monkeypatch.setattr(quantiles, "MOST_COLLECTED", 200)
    monkeypatch.setattr(cells, "MOST_COLLECTED", 200)
    held = []
    merge = cells.merge_tallies

    def watch(a, b):
        total = merge(a, b)
        held.append(sum(len(v) for _, v in total.parts or []))
        return total

    monkeypatch.setattr(quantiles, "merge_tallies", watch)
    X = np.random.default_rng(0).integers(0, 40, size=(20_000, 2)).astype(float)
    found = neighbours(X, (5_000,) * 4)
    assert_array_equal(found.interpolated(), np.quantile(X, FRACTIONS, axis=0))
    assert max(held) <= 200


@pytest.mark.parametrize("bad", [np.inf, -np.inf])
def test_infinity_is_scikit_learns_error(bad):
    X = np.ones((40, 3))
    X[-1, -1] = bad
    with pytest.raises(ValueError, match="Input X contains infinity"):
        neighbours(X, (20, 20))
