"""Rows in a zarr store, read with `dask.array.from_zarr`, chunked both ways."""

import dask.array as da
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.cluster import KMeans
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

import sklearn_dask_auto

X, Y = make_classification(500, 6, n_informative=4, random_state=0)
PLAIN = [
    KMeans(3, init=X[:3], n_init=1),
    LogisticRegression(solver="newton-cholesky", tol=1e-8),
    PCA(3),
    StandardScaler(),
]


@pytest.mark.parametrize("plain", PLAIN, ids=lambda plain: type(plain).__name__)
def test_rows_of_a_zarr_store_give_scikit_learns_fit(plain, tmp_path):
    path = str(tmp_path / "rows.zarr")
    da.from_array(X, chunks=(70, 4)).to_zarr(path)
    rows = da.from_zarr(path)
    assert rows.numblocks == (8, 2)
    make = getattr(sklearn_dask_auto, f"AutoScale{type(plain).__name__}")
    model = make(**plain.get_params(), engine="blockwise").fit(rows, Y)
    plain.fit(X, Y)
    for name, expected in vars(plain).items():
        if name.endswith("_") and np.asarray(expected).dtype.kind in "fi":
            found = getattr(model, name)
            assert_allclose(found, expected, rtol=1e-6, atol=1e-8, err_msg=name)
    method = "predict" if hasattr(plain, "predict") else "transform"
    found = getattr(model, method)(rows).compute()
    assert_allclose(found, getattr(plain, method)(X), atol=1e-8)
