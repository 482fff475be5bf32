"""The parity table holds: for every cut, for every class, and on the page."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sklearn_dask_auto
from tests.parity.table import PAGE, ROWS, cutter, page
from tests.test_on_dask import META

SHARES = st.lists(st.floats(0, 1), max_size=8)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.estimator}-{row.data}")
@settings(max_examples=4)
@given(shares=SHARES)
def test_what_is_measured_is_within_its_bound(row, shares):
    assert row.measure(cutter(shares)) <= row.bound


def test_every_class_has_a_row():
    named = {n for n in sklearn_dask_auto.__all__ if n.startswith("AutoScale")}
    assert {row.estimator for row in ROWS} == named - {*META}


def test_the_page_is_what_the_table_says():
    assert PAGE.read_text() == page(), "run python -m tests.parity.table"
