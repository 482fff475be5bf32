"""Splits and folds of frames whose partitions dask puts together when it reads them."""

import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import sklearn.model_selection
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_classification

from sklearn_dask_auto import (
    AutoScaleGaussianNB,
    AutoScaleSearchCV,
    config_context,
    cross_val_predict,
    cross_val_score,
    train_test_split,
)

N = 80
# dask weighs the columns that are read against those that are not.
X, Y = make_classification(N, 20, flip_y=0.2, shuffle=False, random_state=0)
FRAME = pd.DataFrame(X, columns=list("abcdefghijklmnopqrst")).assign(y=Y)
COLUMNS = ["a", "b"]
ROWS = FRAME[COLUMNS].to_numpy()
BAYES = AutoScaleGaussianNB(engine="blockwise")


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    path = tmp_path_factory.mktemp("frame")
    for start in range(0, N, 16):
        FRAME[start : start + 16].to_parquet(path / f"{start:02}.parquet")
    frame = dd.read_parquet(path)
    rows, labels = frame[COLUMNS], frame["y"]
    assert (rows + 1).optimize().npartitions < rows.npartitions
    assert (labels + 1).optimize().npartitions < labels.npartitions
    return rows, labels


def test_rows_are_split_as_scikit_learn_splits_them(stored):
    found = train_test_split(*stored, stratify=stored[1], random_state=0)
    expected = sklearn.model_selection.train_test_split(
        np.arange(N), stratify=Y, random_state=0
    )
    for half, rows in enumerate(map(np.sort, expected)):
        assert_array_equal(found[half].compute(), ROWS[rows])
        assert_array_equal(found[2 + half].compute(), Y[rows])


@pytest.mark.parametrize("budget", [None, "1B"], ids=["kept", "read again"])
def test_folds_are_scored_as_by_scikit_learn(stored, budget):
    plain = BAYES.to_sklearn()
    with config_context(memory_budget=budget):
        scores = cross_val_score(BAYES, *stored, cv=3)
        labels = cross_val_predict(BAYES, *stored, cv=3)
        search = AutoScaleSearchCV(
            BAYES, {"var_smoothing": [1e-9, 0.1]}, cv=3, engine="blockwise"
        )
        search.fit(*stored)
    expected = sklearn.model_selection.cross_val_score(plain, ROWS, Y, cv=3)
    assert_allclose(scores, expected)
    assert_allclose(search.cv_results_["mean_test_score"][0], expected.mean())
    assert_array_equal(
        labels, sklearn.model_selection.cross_val_predict(plain, ROWS, Y, cv=3)
    )
