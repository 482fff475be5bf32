"""AutoScaleTruncatedSVD against scikit-learn on the same rows, however they are cut."""

import dask.array as da
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import TruncatedSVD

from sklearn_dask_auto import AutoScaleTruncatedSVD, NoEngineError, config_context
from sklearn_dask_auto.kernels import sizes
from tests.cuts import cut, cuts, matrices

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 6)) * [9, 7, 5, 3, 2, 1] + [4, 0, 0, 0, 1, 0]
BLOCKS = cut(X, (120, 80))
ATTRIBUTES = (
    "components_",
    "singular_values_",
    "explained_variance_",
    "explained_variance_ratio_",
)


def blockwise(n_components=2, **params):
    return AutoScaleTruncatedSVD(n_components, engine="blockwise", **params)


def assert_same_fit(fitted, reference, rtol):
    for name in ATTRIBUTES:
        found, expected = getattr(fitted, name), getattr(reference, name)
        assert found.shape == expected.shape, name
        assert found.dtype == expected.dtype, name
        scale = np.abs(expected).max()
        assert_allclose(found, expected, rtol=0, atol=rtol * scale, err_msg=name)


def separated(rows, ratio=0.7):
    """Make singular values unequal, so that vectors are not for rounding to choose."""
    U, s, Vt = np.linalg.svd(rows, full_matrices=False)
    return U * (s[0] * ratio ** np.arange(len(s))) @ Vt


@given(st.data())
def test_every_cut_gives_the_exact_decomposition(data):
    rows = data.draw(matrices(max_columns=5))
    rising = np.linspace(0, np.abs(rows).max(), len(rows))
    rows = separated(np.column_stack([rows, rising]))
    n_components = data.draw(st.integers(1, rows.shape[1] - 1))
    reference = TruncatedSVD(n_components, algorithm="arpack").fit(rows)
    algorithm = data.draw(st.sampled_from(["arpack", "randomized"]))
    blocks = cut(rows, data.draw(cuts(len(rows))), data.draw(st.sampled_from([-1, 1])))
    fitted = blockwise(n_components, algorithm=algorithm).fit(blocks)
    assert_same_fit(fitted, reference, rtol=1e-9)
    found = fitted.transform(blocks).compute()
    assert_allclose(found, reference.transform(rows), atol=1e-9 * np.abs(rows).max())


def test_singular_values_far_below_the_largest_keep_their_digits():
    rows = separated(RNG.normal(size=(300, 6)), ratio=1e-2)
    fitted = blockwise(5).fit(cut(rows, (100, 1, 199)))
    _, values, components = np.linalg.svd(rows, full_matrices=False)
    # From squares, the last would be off by all of its digits, as ARPACK's may be.
    assert_allclose(fitted.singular_values_, values[:5], rtol=1e-5)
    assert_allclose(np.abs(np.sum(fitted.components_ * components[:5], axis=1)), 1)


def test_variances_along_components_survive_a_mean_far_from_zero():
    rows = X + 1e6
    fitted = blockwise(2).fit(cut(rows, (150, 50)))
    scores = rows @ fitted.components_.T
    assert_allclose(fitted.explained_variance_, scores.var(axis=0), rtol=1e-6)
    assert_allclose(
        fitted.explained_variance_ratio_,
        scores.var(axis=0) / rows.var(axis=0).sum(),
        rtol=1e-6,
    )


def wide_rows(n_rows=60, n_columns=1200, density=0.05):
    """Return sparse rows, wider than what is decomposed exactly, of decaying rank."""
    rng = np.random.default_rng(0)
    topics = rng.random((8, n_columns)) * (rng.random((8, n_columns)) < density)
    weights = rng.random((n_rows, 8)) * 0.6 ** np.arange(8)
    noise = sp.random(n_rows, n_columns, density=0.01, random_state=0, format="csr")
    return (sp.csr_matrix(weights @ topics) + 1e-3 * noise).tocsr()


def sparse_blocks(rows, chunks):
    dense = cut(rows.toarray(), chunks)
    return dense.map_blocks(sp.csr_matrix)


@pytest.mark.parametrize("kind", ["sparse", "dense"])
def test_wide_rows_are_decomposed_as_well_as_by_scikit_learn(kind):
    rows = wide_rows()
    assert not sizes.is_exact_svd(rows.shape[1], "randomized")
    exact = TruncatedSVD(3, algorithm="arpack").fit(rows)
    fits = []
    for chunks in [(60,), (1,) * 60, (0, 20, 39, 1)]:
        blocks = sparse_blocks(rows, chunks)
        if kind == "dense":
            blocks = cut(rows.toarray(), chunks)
        fits.append(blockwise(3, random_state=7).fit(blocks))
    for fitted in fits:
        assert_same_fit(fitted, fits[0], rtol=1e-11)
    theirs = TruncatedSVD(3, random_state=7).fit(rows)

    def error(model):
        return np.abs(model.singular_values_ - exact.singular_values_).max()

    assert error(fits[0]) <= max(error(theirs), 1e-12)
    assert_same_fit(fits[0], exact, rtol=1e-6)
    transformed = fits[0].transform(blocks).compute()
    assert_allclose(transformed, theirs.transform(rows), atol=1e-4)


@pytest.mark.parametrize("n_iter", [0, 2])
def test_wide_rows_are_passed_over_as_often_as_documented(n_iter):
    rows, counts = wide_rows(40), []

    def counted(block):
        counts.append(block.shape[0])
        return block

    dense = cut(rows.toarray(), (15, 25))
    lazy = dense.map_blocks(counted, dtype=float, meta=rows.toarray()[:0])
    model = blockwise(2, n_iter=n_iter, random_state=0)
    assert model.explain(lazy).job.passes == n_iter + 2
    with config_context(memory_budget="1kB"):
        model.fit(lazy)
    assert len(counts) == 2 * (n_iter + 2)


def test_narrow_rows_are_passed_over_once():
    counts = []

    def counted(block):
        counts.append(block.shape[0])
        return block

    blockwise().fit(BLOCKS.map_blocks(counted, dtype=float, meta=X[:0]))
    assert sorted(counts) == [80, 120]


def test_sparse_blocks_are_decomposed_as_sparse_rows():
    rows = np.where(X > 2, X, 0)
    blocks = cut(rows, (120, 0, 80)).map_blocks(sp.csr_matrix)
    reference = TruncatedSVD(3, algorithm="arpack").fit(sp.csr_matrix(rows))
    fitted = blockwise(3).fit(blocks)
    assert_same_fit(fitted, reference, rtol=1e-9)
    found = fitted.fit_transform(blocks)
    assert isinstance(found, da.Array)
    assert_allclose(found.compute(), reference.transform(rows), atol=1e-9)


def test_float32_is_kept_and_wide_float32_too():
    for rows in (X, wide_rows().toarray()):
        rows32 = rows.astype(np.float32)
        fitted = blockwise(2, random_state=0).fit(cut(rows32, (20, len(rows) - 20)))
        reference = TruncatedSVD(2, algorithm="arpack").fit(rows32)
        assert_same_fit(fitted, reference, rtol=1e-3)
        assert fitted.transform(cut(rows32, (len(rows),))).dtype == np.float32


def test_fewer_rows_than_components_give_as_many_as_there_are_rows():
    reference = TruncatedSVD(4, random_state=0).fit(X[:3])
    fitted = blockwise(4, random_state=0).fit(cut(X[:3], (1, 2)))
    assert fitted.components_.shape == reference.components_.shape == (3, 6)
    assert_allclose(fitted.singular_values_, reference.singular_values_)


@pytest.mark.parametrize("engine", ["auto", "blockwise"])
def test_fit_transform_in_memory_is_scikit_learns_and_leaves_a_plan(engine):
    model = AutoScaleTruncatedSVD(2, random_state=0, engine=engine)
    expected = TruncatedSVD(2, random_state=0).fit_transform(X)
    assert_allclose(model.fit_transform(X), expected, atol=1e-6)
    assert model.plan_.engine == ("sklearn" if engine == "auto" else engine)


def test_a_cluster_gives_the_same_fit(client):
    fitted = blockwise(3).fit(client.persist(BLOCKS))
    assert_same_fit(fitted, TruncatedSVD(3, algorithm="arpack").fit(X), rtol=1e-10)


def with_last(value):
    bad = X.copy()
    bad[-1, -1] = value
    return cut(bad, (150, 50))


WIDE_NAN = wide_rows().toarray()
WIDE_NAN[-1, -1] = np.nan
BAD_INPUT = {
    "NaN in the last block": (with_last(np.nan), {}, "Input X contains NaN"),
    "infinity": (with_last(np.inf), {}, "Input X contains infinity"),
    "NaN in a wide block": (cut(WIDE_NAN, (50, 10)), {}, "Input X contains NaN"),
    "one column": (BLOCKS[:, :1], {}, "minimum of 2 is required"),
    "no rows": (BLOCKS[:0], {}, "Found array with 0 sample"),
    "too many components": (
        BLOCKS,
        {"n_components": 7},
        r"n_components\(7\) must be <= n_features\(6\)",
    ),
    "too many for arpack": (
        BLOCKS,
        {"n_components": 6, "algorithm": "arpack"},
        "`k` must be an integer satisfying",
    ),
    "a parameter": (BLOCKS, {"n_components": 0}, "The 'n_components' parameter of"),
}


@pytest.mark.parametrize("engine", ["blockwise", "sklearn"])
@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_scikit_learns_error(case, engine):
    rows, params, message = BAD_INPUT[case]
    with pytest.raises(ValueError, match=message):
        AutoScaleTruncatedSVD(engine=engine, **params).fit(rows)


@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix])
def test_arpack_finds_a_few_components_of_any_number_of_columns(container):
    rows = wide_rows(40, 5100)
    blocks = cut(rows.toarray(), (13, 0, 27)).map_blocks(container)
    reference = TruncatedSVD(3, algorithm="arpack", random_state=0).fit(rows)
    fitted = blockwise(n_components=3, algorithm="arpack").fit(blocks)
    assert_same_fit(fitted, reference, rtol=1e-9)


def test_all_components_of_very_wide_rows_is_refused_before_any_work(no_compute):
    rows = da.zeros((100, 6000), chunks=(10, 6000))
    with pytest.raises(NoEngineError, match=r"there are 6,000, .*=501"):
        blockwise(n_components=501, algorithm="arpack").fit(rows)
    assert blockwise().explain(rows).engine == "blockwise"


def test_the_callers_arrays_are_not_changed():
    before = X.copy()
    blockwise().fit(BLOCKS)
    blockwise().fit_transform(X)
    assert_array_equal(X, before)
