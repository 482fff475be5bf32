"""Blocks that are scaled in one sweep equal scikit-learn's, to the bit."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

from sklearn_dask_auto import (
    AutoScaleMaxAbsScaler,
    AutoScaleMinMaxScaler,
    AutoScaleRobustScaler,
    AutoScaleStandardScaler,
)
from sklearn_dask_auto.kernels.affine import AffineBlocks

SCALERS = {
    "standard": (AutoScaleStandardScaler, StandardScaler, {}),
    "only mean": (AutoScaleStandardScaler, StandardScaler, {"with_std": False}),
    "only std": (AutoScaleStandardScaler, StandardScaler, {"with_mean": False}),
    "min-max": (AutoScaleMinMaxScaler, MinMaxScaler, {}),
    "clipped": (
        AutoScaleMinMaxScaler,
        MinMaxScaler,
        {"feature_range": (-0.3, 0.1), "clip": True},
    ),
    "robust": (AutoScaleRobustScaler, RobustScaler, {}),
    "max-abs": (AutoScaleMaxAbsScaler, MaxAbsScaler, {}),
    "max-abs clipped": (AutoScaleMaxAbsScaler, MaxAbsScaler, {"clip": True}),
}
METHODS = ["transform", "inverse_transform"]
RNG = np.random.default_rng(0)
X = RNG.normal(3, [1e-5, 1, 1e5], size=(700, 3))
X[RNG.uniform(size=X.shape) < 0.1] = np.nan
X[:5] = -0.0


class Refusal:
    """A model that is not to be asked."""

    def __getattr__(self, name):
        raise AssertionError(f"{name} of the model was asked for")


def blocks_of(name, rows, model=None):
    """Return scikit-learn's scaler, and ours that takes blocks, fitted on the rows."""
    ours, original, params = SCALERS[name]
    fitted = ours(**params).fit(rows)
    return original(**params).fit(rows), AffineBlocks(
        model or fitted.to_sklearn(), **fitted._affine()
    )


@pytest.mark.parametrize("learned", [np.float64, np.float32])
@pytest.mark.parametrize("given", [np.float64, np.float32])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SCALERS)
def test_dense_blocks_are_scaled_as_by_scikit_learn_to_the_bit(
    name, method, learned, given
):
    reference, blocks = blocks_of(name, X.astype(learned), Refusal())
    rows = (2 * X).astype(given)
    before = rows.copy()
    found = getattr(blocks, method)(rows)
    expected = getattr(reference, method)(rows)
    assert found.dtype == expected.dtype
    # As whole numbers, so that the sign of a zero counts.
    whole = {4: np.int32, 8: np.int64}[found.itemsize]
    is_there = ~np.isnan(expected)
    assert_array_equal(found.view(whole)[is_there], expected.view(whole)[is_there])
    assert_array_equal(np.isnan(found), ~is_there)
    assert_array_equal(rows, before)


@pytest.mark.parametrize("n_columns", [1, 7, 2000])
def test_any_number_of_columns_is_scaled(n_columns):
    rows = np.random.default_rng(0).normal(size=(11, n_columns))
    reference, blocks = blocks_of("standard", rows, Refusal())
    assert_array_equal(blocks.transform(rows), reference.transform(rows))


OTHER_BLOCKS = {
    "sparse": sp.csr_matrix(np.nan_to_num(X)),
    "column-major": np.asfortranarray(X),
    "strided": np.repeat(X, 2, axis=0)[::2],
    "whole numbers": np.arange(30).reshape(10, 3),
    "other byte order": X.astype(">f8"),
    "rows in a list": X.tolist(),
}


@pytest.mark.parametrize("kind", OTHER_BLOCKS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["only std", "max-abs clipped"])
def test_other_blocks_are_left_to_scikit_learn(name, method, kind):
    reference, blocks = blocks_of(name, X)
    found = getattr(blocks, method)(OTHER_BLOCKS[kind])
    expected = getattr(reference, method)(OTHER_BLOCKS[kind])
    assert type(found) is type(expected)
    if sp.issparse(expected):
        found, expected = found.toarray(), expected.toarray()
    assert_array_equal(found, expected)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SCALERS)
def test_what_scikit_learn_refuses_is_its_error(name, method):
    reference, blocks = blocks_of(name, X)
    infinite = X.copy()
    infinite[-1, -1] = -np.inf
    for bad, message in ((infinite, "infinity"), (X[0], "Expected 2D array")):
        with pytest.raises(ValueError, match=message) as expected:
            getattr(reference, method)(bad)
        with pytest.raises(ValueError, match=message) as found:
            getattr(blocks, method)(bad)
        assert str(found.value) == str(expected.value)
