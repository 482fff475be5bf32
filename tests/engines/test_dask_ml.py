"""The adapters of dask-ml's estimators, and why the others have none."""

import dask.array as da
import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from sklearn.decomposition import PCA
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import sklearn_dask_auto
from sklearn_dask_auto import (
    AutoScaleMinMaxScaler,
    AutoScalePCA,
    AutoScaleStandardScaler,
    NoEngineError,
)
from sklearn_dask_auto.engines.dask_ml_gaps import _GAPS, why_not
from tests.cuts import cut

X = np.random.default_rng(0).normal(size=(300, 4)) * [9, 5, 2, 1] + [3, -100, 0, 1]
CLASSES = {
    name.removeprefix("AutoScale"): getattr(sklearn_dask_auto, name)
    for name in sklearn_dask_auto.__all__
    if name.startswith("AutoScale")
}


def counterparts():
    """Return the names of what dask-ml has, in its public modules."""
    from dask_ml import (
        cluster,
        decomposition,
        impute,
        linear_model,
        naive_bayes,
        preprocessing,
    )

    modules = (
        cluster,
        decomposition,
        impute,
        linear_model,
        naive_bayes,
        preprocessing,
    )
    names = {name for module in modules for name in dir(module) if name[0].isupper()}
    return names | {"PoissonRegressor"} if "PoissonRegression" in names else names


@pytest.mark.filterwarnings("ignore")
def test_what_dask_ml_has_is_adapted_or_refused_for_a_reason_of_its_own():
    has = counterparts()
    assert has >= _GAPS.keys()
    for name, ours in CLASSES.items():
        is_adapted = ours._dask_ml_adapter is not None
        assert is_adapted <= (name in has), name
        if not is_adapted:
            expected = f"dask-ml's {name[:4]}" if name in has else "dask-ml has no such"
            assert why_not(name).startswith(expected)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("chunks", [(300,), (100, 0, 200), (1, 199, 100)])
@pytest.mark.parametrize("n_components", [None, 2])
def test_pca_of_dask_ml_has_scikit_learns_numbers_and_signs(
    n_components, chunks, dtype
):
    rows = X.astype(dtype)
    model = AutoScalePCA(n_components, svd_solver="full", engine="dask-ml")
    model.fit(cut(rows, chunks))
    reference = PCA(n_components, svd_solver="full").fit(rows)
    rtol = 1e-10 if dtype == np.float64 else 1e-4
    for name in ("components_", "explained_variance_", "mean_", "noise_variance_"):
        found, expected = getattr(model, name), getattr(reference, name)
        assert np.asarray(found).dtype == np.asarray(expected).dtype
        scale = np.abs(expected).max()
        assert_allclose(found, expected, rtol=0, atol=rtol * scale, err_msg=name)


@pytest.mark.parametrize("chunks", [(300,), (100, 0, 200), (1,) * 300])
def test_the_scaler_of_dask_ml_has_scikit_learns_numbers(chunks):
    rows = np.column_stack([X, np.full(300, 0.1)])
    model = AutoScaleStandardScaler(engine="dask-ml").fit(cut(rows, chunks))
    reference = StandardScaler().fit(rows)
    for name in ("mean_", "var_", "scale_"):
        found, expected = getattr(model, name), getattr(reference, name)
        assert_allclose(found, expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("chunks", [(300,), (100, 0, 200), (1,) * 300])
@pytest.mark.parametrize("params", [{}, {"feature_range": (-1, 2), "clip": True}])
def test_the_extremes_of_dask_ml_are_scikit_learns(params, chunks, dtype):
    rows = np.column_stack([X, np.full(300, 0.1)]).astype(dtype)
    model = AutoScaleMinMaxScaler(**params, engine="dask-ml").fit(cut(rows, chunks))
    reference = MinMaxScaler(**params).fit(rows)
    rtol = 1e-14 if dtype == np.float64 else 1e-6
    for name, expected in vars(reference).items():
        if name.endswith("_"):
            found = getattr(model, name)
            assert type(found) is type(expected), name
            assert np.asarray(found).dtype == np.asarray(expected).dtype, name
            assert_allclose(found, expected, rtol=rtol, err_msg=name)
    further = 2 * rows
    found = model.transform(cut(further, chunks)).compute()
    assert_allclose(found, reference.transform(further), rtol=1e-5, atol=1e-6)


BLOCKS = cut(X, (200, 100))
ADAPTED = (AutoScaleMinMaxScaler, AutoScalePCA, AutoScaleStandardScaler)


@pytest.mark.parametrize("make", ADAPTED)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_dask_ml_would_not_notice_is_found_before_it_runs(make, value):
    rows = X.copy()
    rows[-1, -1] = value
    with pytest.raises(ValueError, match="Input X contains NaN or infinity"):
        make(engine="dask-ml").fit(cut(rows, (200, 100)))
    with pytest.raises(TypeError, match="sparse row blocks"):
        make(engine="dask-ml").fit(BLOCKS.map_blocks(sp.csr_matrix))


@pytest.mark.parametrize(
    ("model", "params", "reason"),
    [
        (AutoScalePCA("mle"), {}, "takes a number of components"),
        (AutoScalePCA(svd_solver="randomized"), {}, "its tsqr, alone"),
        (AutoScaleStandardScaler(with_std=False), {}, "divides or shifts by"),
        (AutoScaleStandardScaler(), {"sample_weight": np.ones(300)}, "no sample_"),
    ],
)
def test_what_dask_ml_cannot_do_is_refused_before_any_work(
    model, params, reason, no_compute
):
    with pytest.raises(NoEngineError, match=reason):
        model.set_params(engine="dask-ml").fit(BLOCKS, **params)


def test_the_callers_blocks_are_not_changed():
    rows = X.copy()
    blocks = da.from_array(rows, chunks=(100, 4))
    for make in ADAPTED:
        make(engine="dask-ml").fit(blocks)
    assert_allclose(blocks.compute(), X, rtol=0)
    assert_allclose(rows, X, rtol=0)
