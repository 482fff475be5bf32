import dask
import dask.array as da
import dask.bag
import numpy as np
import polars
import pytest
import xarray

from sklearn_dask_auto import (
    AutoScaleEstimator,
    AutoScaleKMeans,
    AutoScaleSearchCV,
    cross_val_score,
    train_test_split,
)
from sklearn_dask_auto.inputs import refuse_unshaped

ROWS = np.arange(12.0).reshape(6, 2)


def fail():
    raise AssertionError("computed")


DELAYED = dask.delayed(fail)()
NOT_ROWS = [
    pytest.param(DELAYED, r"X is a Delayed,.*from_delayed\(\.\.\., ", id="delayed"),
    pytest.param(
        [DELAYED, DELAYED],
        r"X is a list of Delayed objects,.*concatenate.*from_delayed",
        id="list-of-delayed",
    ),
    pytest.param(
        dask.bag.from_delayed([DELAYED]), r"X is a Bag,.*to_dataframe", id="bag"
    ),
]


@pytest.mark.parametrize(("X", "message"), NOT_ROWS)
@pytest.mark.parametrize(
    "call",
    [
        AutoScaleKMeans(2).fit,
        AutoScaleKMeans(2).explain,
        AutoScaleKMeans(2).fit(ROWS).predict,
        AutoScaleEstimator(AutoScaleKMeans(2)).fit,
        AutoScaleSearchCV(AutoScaleKMeans(2), {"n_clusters": [2]}).fit,
        lambda X: cross_val_score(AutoScaleKMeans(2), X, cv=2),
    ],
    ids=["fit", "explain", "predict", "meta", "search", "cross_val_score"],
)
def test_what_has_no_shape_is_refused_before_it_is_computed(call, X, message):
    with pytest.raises(TypeError, match=message):
        call(X)


def test_the_name_in_the_error_is_that_of_the_argument():
    with pytest.raises(TypeError, match=r"^sample_weight is a Delayed"):
        AutoScaleKMeans(2).fit(ROWS, sample_weight=DELAYED)
    with pytest.raises(TypeError, match=r"^y is a Delayed"):
        AutoScaleKMeans(2).explain(ROWS, DELAYED)
    with pytest.raises(TypeError, match=r"^array is a Delayed"):
        train_test_split(ROWS, DELAYED)


def test_lazy_collections_of_other_libraries_are_refused():
    lazy = xarray.DataArray(da.from_delayed(DELAYED, (6, 2), float))
    with pytest.raises(TypeError, match=r"X is a DataArray,.*`\.data`"):
        AutoScaleKMeans(2).fit(lazy)
    in_memory = xarray.DataArray(ROWS)
    expected = AutoScaleKMeans(2, random_state=0).fit(ROWS)
    fitted = AutoScaleKMeans(2, random_state=0).fit(in_memory)
    np.testing.assert_array_equal(fitted.labels_, expected.labels_)


def test_futures_are_refused(client):
    future = client.scatter(ROWS)
    with pytest.raises(TypeError, match=r"X is a Future,.*from_delayed"):
        AutoScaleKMeans(2).fit(future)
    with pytest.raises(TypeError, match="X is a list of Future objects"):
        AutoScaleKMeans(2).fit([future])


@pytest.mark.parametrize(
    "rows", [ROWS, ROWS.tolist(), da.from_array(ROWS), [], (), None, "text", object()]
)
def test_all_else_is_left_to_others(rows):
    refuse_unshaped(X=rows)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (dask.delayed(ROWS), r"X is a Delayed,.*from_delayed\(\.\.\., "),
        (polars.DataFrame(ROWS).lazy(), r"X is a LazyFrame,.*collect\(\)"),
    ],
    ids=["leaf", "polars"],
)
def test_kinds_of_lazy_rows_are_known_by_the_name_users_know(X, message):
    with pytest.raises(TypeError, match=message):
        AutoScaleKMeans(2).fit(X)
