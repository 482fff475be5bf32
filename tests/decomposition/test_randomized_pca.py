"""AutoScalePCA by randomized SVD against scikit-learn's, from the same draw."""

import dask.array as da
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.decomposition import PCA

from sklearn_dask_auto import AutoScalePCA, NoEngineError, config_context
from tests.cuts import cut, cuts
from tests.decomposition.test_pca import assert_same_fit

PARAMS = {"svd_solver": "randomized", "random_state": 0}


def decaying(n_rows, n_columns, dtype=np.float64):
    """Make rows whose directions differ in variance, far from zero."""
    rng = np.random.default_rng(n_rows)
    rows = rng.normal(size=(n_rows, n_columns)) * 0.9 ** np.arange(n_columns)
    return (rows + 10 * rng.normal(size=n_columns)).astype(dtype)


def randomized(n_components, **params):
    return AutoScalePCA(n_components, engine="blockwise", **{**PARAMS, **params})


@given(st.data())
def test_every_cut_gives_scikit_learns_randomized_fit(data):
    shape = data.draw(st.sampled_from([(60, 15), (15, 60), (30, 30), (12, 2)]))
    rows = decaying(*shape)
    params = {
        # Of as many rows as components, the last has no direction: they are centred.
        "n_components": data.draw(st.integers(1, min(shape) - 1)),
        "iterated_power": data.draw(st.sampled_from(["auto", 0, 1, 3])),
        "n_oversamples": data.draw(st.sampled_from([1, 10])),
        "whiten": data.draw(st.booleans()),
    }
    blocks = cut(rows, data.draw(cuts(len(rows))), data.draw(st.sampled_from([-1, 7])))
    reference = PCA(**params, **PARAMS).fit(rows)
    fitted = randomized(**params).fit(blocks)
    assert_same_fit(fitted, reference, rtol=1e-9)
    assert fitted._fit_svd_solver == reference._fit_svd_solver
    found = fitted.transform(blocks).compute()
    assert_allclose(found, reference.transform(rows), atol=1e-7)


@pytest.mark.parametrize("shape", [(200, 40), (40, 200)])
def test_float32_is_kept(shape):
    rows = decaying(*shape, dtype=np.float32)
    fitted = randomized(3).fit(cut(rows, (shape[0] - 7, 7)))
    assert_same_fit(fitted, PCA(3, **PARAMS).fit(rows), rtol=1e-3)


def test_means_far_from_zero_cost_no_digits():
    rows = decaying(300, 20) + 1e7
    exact = PCA(2, svd_solver="full").fit(rows)
    fitted = randomized(2).fit(cut(rows, (100, 200)))
    assert_allclose(fitted.explained_variance_, exact.explained_variance_, rtol=1e-8)


@pytest.mark.parametrize("shape", [(50, 20), (20, 50)])
def test_rows_of_low_rank_have_no_more_variance(shape):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(shape[0], 3)) @ rng.normal(size=(3, shape[1]))
    reference = PCA(5, **PARAMS).fit(rows)
    fitted = randomized(5).fit(cut(rows, (13, shape[0] - 13)))
    largest = reference.explained_variance_[0]
    for name in ("explained_variance_", "noise_variance_"):
        expected = getattr(reference, name)
        assert_allclose(getattr(fitted, name), expected, atol=1e-10 * largest)
    assert_allclose(fitted.components_[:3], reference.components_[:3], atol=1e-9)


def test_wide_rows_are_decomposed_as_auto_does_in_memory():
    rows = decaying(30, 6000)
    blocks = da.from_array(rows, chunks=(11, 2000))
    reference = PCA(4, random_state=0).fit(rows)
    assert reference._fit_svd_solver == "randomized"
    fitted = AutoScalePCA(4, random_state=0, engine="blockwise").fit(blocks)
    assert_same_fit(fitted, reference, rtol=1e-9)


@pytest.mark.parametrize("shape", [(60, 15), (15, 60)])
def test_passes_are_those_documented(shape):
    seen = []

    def counted(block):
        seen.append(len(block))
        return block

    rows = decaying(*shape)
    blocks = cut(rows, (shape[0],)).map_blocks(counted, dtype=float, meta=rows[:0])
    estimator = randomized(2, iterated_power=3)
    plan = estimator.explain(blocks)
    # Nothing is kept from one pass to the next.
    learned = _fit_rows_from_disk(estimator, blocks)
    assert learned["n_components_"] == 2
    assert len(seen) == 3 + 2 + (shape[0] < shape[1])
    assert plan.job.passes == len(seen)


def _fit_rows_from_disk(estimator, blocks):
    from sklearn_dask_auto.inputs.entry import enter
    from sklearn_dask_auto.kernels import pca

    return pca.fit(estimator, enter(estimator, blocks, {}), 0)


def test_a_cluster_gives_the_same_fit(client):
    rows = decaying(60, 15)
    fitted = randomized(3).fit(client.persist(cut(rows, (10, 0, 50))))
    assert_same_fit(fitted, PCA(3, **PARAMS).fit(rows), rtol=1e-9)


ROWS = cut(decaying(40, 8), (15, 25))


@pytest.mark.parametrize("engine", ["blockwise", "sklearn"])
@pytest.mark.parametrize(
    ("solver", "asked", "message"),
    [
        (
            "randomized",
            "mle",
            "n_components='mle' cannot be a string with svd_solver='",
        ),
        ("randomized", 0.5, r"n_components=0.5 must be between 1 and min\(n_samples"),
        (
            "randomized",
            9,
            r"n_components=9 must be between 1 and .*=8 with svd_solver=",
        ),
        ("arpack", 8, "n_components=8 must be strictly less than"),
    ],
)
def test_what_a_solver_cannot_do_is_scikit_learns_error(solver, asked, message, engine):
    with pytest.raises(ValueError, match=message):
        AutoScalePCA(asked, svd_solver=solver, engine=engine).fit(ROWS)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("shape", [(40, 8), (8, 40)])
def test_values_that_are_not_finite_are_scikit_learns_error(value, shape):
    rows = decaying(*shape)
    rows[-1, -1] = value
    with pytest.raises(ValueError, match="Input X contains"):
        randomized(2).fit(cut(rows, (3, shape[0] - 3)))


@pytest.mark.parametrize("asked", [None, 3])
def test_arpack_finds_the_same_components(asked):
    rows = decaying(60, 8)
    for container in (np.asarray, sp.csr_matrix):
        blocks = cut(rows, (20, 40)).map_blocks(container)
        reference = PCA(asked, svd_solver="arpack", random_state=0)
        reference.fit(container(rows))
        fitted = AutoScalePCA(asked, svd_solver="arpack", engine="blockwise")
        assert_same_fit(fitted.fit(blocks), reference, rtol=1e-9)


WIDE = da.zeros((9, 6000), chunks=(3, 6000))
WIDE_SPARSE = WIDE.map_blocks(sp.csr_matrix, meta=sp.csr_matrix((0, 6000)))


@pytest.mark.parametrize(
    ("rows", "params", "reason"),
    [
        (WIDE, {}, "6,000 columns, .* svd_solver='full' needs; .*='randomized' finds"),
        (WIDE, {"n_components": 8}, "as svd_solver='full' needs"),
        (
            WIDE_SPARSE,
            {"svd_solver": "covariance_eigh"},
            "'covariance_eigh' needs; svd_solver='arpack' finds",
        ),
        (
            WIDE,
            {"svd_solver": "arpack", "n_components": 501},
            "up to 500 components .* 5,000 columns; there are 6,000, .*=501 asks",
        ),
    ],
)
def test_wide_rows_are_refused_with_what_takes_them(rows, params, reason, no_compute):
    with pytest.raises(NoEngineError, match=reason):
        AutoScalePCA(engine="blockwise", **params).fit(rows)


def sparse_wide(n_rows=40, n_columns=5100):
    """Make sparse rows, wider than what is decomposed exactly in one pass."""
    rows = sp.random(n_rows, n_columns, 0.02, random_state=0, format="csr")
    rows.data *= 1 + 9 * (rows.indices < 50)
    return rows


@settings(max_examples=5)
@given(st.data())
def test_every_cut_of_wide_rows_gives_the_components_that_arpack_finds(data):
    rows = sparse_wide()
    asked = data.draw(st.sampled_from([1, 5, 38, None]))
    reference = PCA(asked, svd_solver="arpack", random_state=0).fit(rows)
    blocks = cut(
        rows.toarray(), data.draw(cuts(40)), data.draw(st.sampled_from([-1, 999]))
    )
    container = data.draw(st.sampled_from([np.asarray, sp.csr_matrix]))
    solver = "arpack" if container is np.asarray else "auto"
    fitted = AutoScalePCA(asked, svd_solver=solver, engine="blockwise")
    fitted.fit(blocks.map_blocks(container, meta=container(np.empty((0, 5100)))))
    assert_same_fit(fitted, reference, rtol=1e-9)
    assert fitted._fit_svd_solver == "arpack"


def counted(rows):
    """Return rows of unknown number in blocks, and a list of those that were read."""
    seen = []

    def read(block):
        seen.append(len(block))
        return block

    blocks = cut(rows, (len(rows) - 5, 5)).map_blocks(read, meta=rows[:0])
    chunks = ((np.nan, np.nan), blocks.chunks[1])
    return da.Array(blocks.dask, blocks.name, chunks, meta=rows[:0]), seen


def test_few_rows_that_nobody_had_counted_are_decomposed_whole():
    rows = decaying(30, 6000)
    reference = PCA(26, svd_solver="full").fit(rows)
    blocks, _ = counted(rows)
    fitted = AutoScalePCA(26, engine="blockwise").fit(blocks)
    assert fitted._fit_svd_solver == "full"
    assert_same_fit(fitted, reference, rtol=1e-9)


@pytest.mark.parametrize(
    ("asked", "solver", "reason"),
    [
        (
            26,
            "auto",
            r"30 rows of 6,000 columns take 3 factors of 1\.44 MB, over .* 1\.00",
        ),
        (
            5,
            "arpack",
            r"5 components of 6,000 columns, .* take 270 vectors .* 13 MB, over",
        ),
    ],
)
def test_what_the_budget_has_no_room_for_is_refused_before_work(asked, solver, reason):
    blocks, seen = counted(decaying(30, 6000))
    pca = AutoScalePCA(asked, svd_solver=solver, engine="blockwise")
    with config_context(memory_budget="1MB"), pytest.raises(MemoryError, match=reason):
        pca.fit(blocks)
    assert len(seen) == 2, "rows are counted, and no more"
