"""Fits on the largest worker: scikit-learn's answer, and rows that stay there."""

import os

import dask.array as da
import dask.dataframe as dd
import distributed
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.cluster import DBSCAN
from sklearn.linear_model import Ridge
from sklearn.svm import SVC

from sklearn_dask_auto import AutoScaleEstimator, NoEngineError, config_context
from sklearn_dask_auto.inputs import assemble
from sklearn_dask_auto.inputs.assemble import call_on_worker
from tests.cuts import cut

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 4))
Y = np.where(X[:, 0] > 0, "many", "few")
WEIGHT = RNG.uniform(0.1, 2, size=200)


class Noting(BaseEstimator):
    def fit(self, X, y=None):
        self.process_, self.type_, self.n_rows_ = os.getpid(), type(X), len(X)
        return self


@pytest.mark.usefixtures("client")
def test_what_fits_a_worker_alone_is_fitted_there():
    rows = cut(X, (70, 0, 1, 129), 3)
    with config_context(memory_budget="1kB"):
        model = AutoScaleEstimator(SVC()).fit(
            rows, da.from_array(Y, 9), sample_weight=WEIGHT
        )
        assert model.plan_.engine == "joblib"
        noting = AutoScaleEstimator(Noting()).fit(rows).estimator_
    reference = SVC().fit(X, Y, sample_weight=WEIGHT)
    assert_array_equal(
        model.decision_function(rows).compute(), reference.decision_function(X)
    )
    assert noting.process_ != os.getpid()
    assert (noting.type_, noting.n_rows_) == (np.ndarray, 200)


@pytest.mark.usefixtures("client")
def test_frames_keep_their_names_and_order():
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = AutoScaleEstimator(Ridge(), engine="joblib")
    model.fit(dd.from_pandas(frame, npartitions=4), pd.Series(X[:, 0]))
    assert list(model.feature_names_in_) == list("abcd")
    reference = Ridge().fit(X, X[:, 0])
    assert_allclose(model.estimator_.coef_, reference.coef_, atol=1e-12)
    with config_context(memory_budget="1kB"):
        # A frame does not know its size.
        lazy = dd.from_pandas(frame, npartitions=4)
        again = AutoScaleEstimator(Ridge()).fit(lazy, X[:, 0])
    assert again.plan_.engine == "joblib"
    assert again.plan_.profile.n_rows == 200
    clusters = AutoScaleEstimator(DBSCAN(), engine="joblib")
    found = clusters.fit_predict(cut(X, (150, 50)))
    assert_array_equal(found.compute(), DBSCAN().fit_predict(X))


@pytest.mark.usefixtures("client")
def test_sparse_blocks_are_stacked():
    sparse = cut(X, (150, 50)).map_blocks(sp.csr_matrix, meta=sp.csr_matrix((0, 4)))
    found, other = call_on_worker(lambda *args: args, sparse, "other")
    assert other == "other"
    assert_array_equal(found.toarray(), X)


def address(*rows):
    return distributed.get_worker().address


@pytest.mark.usefixtures("client")
def test_it_is_the_largest_worker(monkeypatch):
    workers = [*distributed.Client.current().scheduler_info(n_workers=-1)["workers"]]
    for worker in workers:
        monkeypatch.setattr(assemble, "largest_worker", lambda worker=worker: worker)
        rows = cut(X, (150, 50))
        assert call_on_worker(address, rows) == worker
        assert call_on_worker(address, rows.persist(), pd.Series(Y)) == worker


@pytest.mark.usefixtures("client")
def test_errors_of_the_fit_are_scikit_learns():
    with pytest.raises(ValueError, match="Input X contains NaN"):
        AutoScaleEstimator(SVC(), engine="joblib").fit(cut(X * np.nan, (150, 50)), Y)


@pytest.mark.usefixtures("client")
def test_what_fits_nowhere_is_refused_with_its_numbers():
    lazy = da.zeros((100_000_000, 4), chunks=(1_000_000, 4))
    message = r"a fit takes 8 GB on a worker .* of its 1 GB"
    with (
        config_context(memory_budget="1kB"),
        pytest.raises(NoEngineError, match=message),
    ):
        AutoScaleEstimator(SVC()).fit(lazy, da.zeros(100_000_000, chunks=1_000_000))
