"""Scalers of columns without a value, in blocks that may be empty, as in memory."""

import dask.array as da
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn import preprocessing

import sklearn_dask_auto

SCALERS = {
    "MaxAbsScaler": {},
    "MinMaxScaler": {},
    "QuantileTransformer": {"n_quantiles": 10},
    "RobustScaler": {},
    "StandardScaler": {},
}


def without_values(dtype):
    rows = np.random.default_rng(0).normal(size=(50, 3)).astype(dtype)
    rows[:, 1] = np.nan
    return rows


def empty_later(rows):
    """Cut into blocks of unknown size, of which the last ones are empty."""
    number = da.from_array(np.arange(80), chunks=10)
    return da.from_array(np.resize(rows, (80, 3)), chunks=(10, 2))[number < len(rows)]


@pytest.mark.filterwarnings("ignore:All-NaN slice encountered:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:invalid value encountered in divide:RuntimeWarning")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scaler", SCALERS)
def test_a_column_without_values_is_learned_as_in_memory(scaler, dtype):
    rows = without_values(dtype)
    blocks = empty_later(rows)
    reference = getattr(preprocessing, scaler)(**SCALERS[scaler]).fit(rows)
    make = getattr(sklearn_dask_auto, f"AutoScale{scaler}")
    fitted = make(**SCALERS[scaler], engine="blockwise").fit(blocks)
    for name, expected in vars(reference).items():
        if name.endswith("_"):
            found = getattr(fitted, name)
            assert type(found) is type(expected), name
            assert np.asarray(found).dtype == np.asarray(expected).dtype, name
            assert_allclose(found, expected, rtol=1e-6, atol=1e-6, err_msg=name)
    transformed, expected = fitted.transform(blocks), reference.transform(rows)
    assert transformed.dtype == transformed.compute().dtype == expected.dtype
    assert_allclose(transformed.compute(), expected, atol=1e-5)
