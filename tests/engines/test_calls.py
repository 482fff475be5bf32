"""What is sent to workers, made small."""

import pickle

import numpy as np
import pytest

from sklearn_dask_auto.engines.calls import lightened

ROWS = np.flatnonzero(np.arange(10_000) % 5)


def test_sorted_row_numbers_travel_as_a_bit_for_each_row():
    call = (len, (), {"train": ROWS, "test": np.arange(0, 10_000, 5)})
    packed = pickle.dumps(lightened(call))
    assert len(packed) < len(pickle.dumps(call)) / 20
    _, _, arrived = pickle.loads(packed)
    for name, rows in call[2].items():
        assert arrived[name].dtype == rows.dtype
        np.testing.assert_array_equal(arrived[name], rows)


@pytest.mark.parametrize(
    "value",
    [
        ROWS[::-1],
        np.repeat(ROWS, 2),
        -ROWS[::-1],
        ROWS.astype(np.int32),
        ROWS.reshape(2, -1),
        np.array([0, 10**9]),
        ROWS[:10],
        list(ROWS),
        None,
    ],
)
def test_whatever_else_a_call_names_travels_as_it_is(value):
    _, _, kwargs = lightened((len, (), {"train": value}))
    assert kwargs["train"] is value
