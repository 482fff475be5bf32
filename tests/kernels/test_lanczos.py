"""Block Lanczos against numpy's SVD: few passes, restarts, rows of low rank."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning

from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels import lanczos
from sklearn_dask_auto.kernels.driver import Pass
from tests.cuts import cut

# Of noise alone, the leading directions hardly stand out.
NOISE = np.random.default_rng(0).normal(size=(150, 400))


def found(rows, n_wanted):
    blocks = Pass(Rows(cut(rows, (70, len(rows) - 70))))
    return lanczos.leading_vectors(
        blocks, n_wanted, np.random.RandomState(0), "E", None
    )


@pytest.mark.parametrize("n_wanted", [1, 7, 150])
def test_vectors_are_those_of_numpy_up_to_their_sign(n_wanted):
    singular, vectors = found(NOISE, n_wanted)
    _, expected, along = np.linalg.svd(NOISE, full_matrices=False)
    assert_allclose(singular, expected[:n_wanted], rtol=1e-10)
    cosines = np.abs((vectors * along[:n_wanted]).sum(axis=1))
    assert_allclose(cosines, 1, rtol=1e-8)


def test_a_restart_goes_on_from_the_best(monkeypatch):
    monkeypatch.setattr(lanczos, "MOST_BLOCKS", 2)
    expected = np.linalg.svd(NOISE, compute_uv=False)[:3]
    assert_allclose(found(NOISE, 3)[0], expected, rtol=1e-10)


def test_rows_of_low_rank_end_it_at_once():
    rows = NOISE[:, :5] @ NOISE[:5]
    expected = np.linalg.svd(rows, compute_uv=False)[:5]
    singular, _ = found(rows, 8)
    assert_allclose(singular[:5], expected, rtol=1e-10)
    # Squares are summed up, of which rounding leaves half the digits of zero.
    assert_allclose(singular[5:], 0, atol=1e-6 * expected[0])


def test_rows_that_are_zero_have_no_directions_that_matter():
    singular, vectors = found(np.zeros((80, 30)), 2)
    assert_allclose(singular, 0, atol=0)
    assert_allclose(vectors @ vectors.T, np.eye(2), atol=1e-12)


def test_passes_that_were_not_enough_are_told_of(monkeypatch):
    monkeypatch.setattr(lanczos, "MOST_PASSES", 2)
    with pytest.warns(ConvergenceWarning, match="E did not find 3 components in 2"):
        found(NOISE, 3)
