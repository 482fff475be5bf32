"""The parity table holds: for every cut, for every class, and on the page."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

import sklearn_dask_auto
from tests.parity.table import PAGE, ROWS, cutter, linear_error, page, scaled
from tests.test_on_dask import META

SHARES = st.lists(st.floats(0, 1), max_size=8)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.estimator}-{row.data}")
@settings(max_examples=4)
@given(shares=SHARES)
def test_what_is_measured_is_within_its_bound(row, shares):
    assert row.measure(cutter(shares)) <= row.bound


def test_least_squares_of_any_scale_are_nearer_the_exact_than_scikit_learns():
    rows, y = scaled()
    reference = LinearRegression(tol=1e-15).fit(rows, y)
    assert linear_error(reference, 0.0) > 1e-9, "the page says how far"


def test_every_class_has_a_row():
    named = {n for n in sklearn_dask_auto.__all__ if n.startswith("AutoScale")}
    assert {row.estimator for row in ROWS} == named - {*META}


def test_the_page_is_what_the_table_says():
    assert PAGE.read_text() == page(), "run python -m tests.parity.table"
