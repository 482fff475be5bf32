"""Rows in dtypes and formats that are rare, and what is said of them."""

import warnings

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import DataConversionWarning

from sklearn_dask_auto import (
    AutoScaleGaussianNB,
    AutoScaleKMeans,
    AutoScaleLogisticRegression,
    AutoScalePCA,
    AutoScaleRidge,
    AutoScaleSimpleImputer,
    AutoScaleStandardScaler,
)

X = np.random.default_rng(0).normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)
FRAME = pd.DataFrame(X, columns=list("abc"))
ROW_MODELS = [
    AutoScaleKMeans(3, random_state=0),
    AutoScaleLogisticRegression(tol=1e-10),
    AutoScalePCA(2),
    AutoScaleRidge(),
    AutoScaleSimpleImputer(),
    AutoScaleStandardScaler(),
]


def outcome(model, rows, target):
    model.fit(rows, target)
    said = model.predict(rows) if hasattr(model, "predict") else model.transform(rows)
    return np.asarray(said)


@pytest.mark.parametrize("model", ROW_MODELS, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("dtype", ["float16", "str"])
def test_frames_of_half_floats_and_of_numbers_as_text_are_taken(model, dtype):
    frame = FRAME.astype("float16").astype(dtype)
    rows = dd.from_pandas(frame, npartitions=3)
    found = outcome(model.set_params(engine="blockwise"), rows, da.from_array(Y))
    expected = outcome(model.to_sklearn(), frame, Y)
    assert found.dtype == expected.dtype
    atol = 1e-2 if dtype == "float16" else 1e-6
    assert_allclose(found, expected, atol=atol)


def test_a_target_that_is_a_frame_of_one_column_keeps_its_dtype():
    rows, target = (
        dd.from_pandas(f, npartitions=3) for f in (FRAME, pd.DataFrame({"y": Y}))
    )
    model = AutoScaleLogisticRegression(engine="blockwise")
    with pytest.warns(DataConversionWarning) as warned:
        model.fit(rows, target)
    assert len(warned) == 1
    assert_array_equal(model.classes_, [0, 1])
    assert model.classes_.dtype == model.predict(rows).dtype == Y.dtype


def test_blocks_with_names_of_a_model_without_are_warned_of_once():
    rows = dd.from_pandas(FRAME, npartitions=3)
    model = AutoScaleGaussianNB(engine="blockwise")
    model.fit(da.from_array(X, chunks=20), da.from_array(Y))
    with pytest.warns(UserWarning, match="AutoScaleGaussianNB was fitted without"):
        lazy = model.predict(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = lazy.compute()
    assert_array_equal(found, model.predict(X))


def test_tasks_are_named_by_what_they_do():
    model = AutoScalePCA().fit(X)
    names = {str(key) for key in model.transform(da.from_array(X, chunks=20)).dask}
    assert any(name.startswith("('transform-") for name in names)
    assert any(name.startswith("PCA-") for name in names)
