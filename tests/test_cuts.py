"""Cuts of rows into blocks are what property tests believe them to be."""

import numpy as np
import pytest
from hypothesis import given

from tests.cuts import cut, cuts


@given(cuts(9))
def test_a_cut_has_all_the_blocks_it_was_asked_for(counts):
    rows = np.arange(27.0).reshape(9, 3)
    assert cut(rows, counts).chunks == (counts, (3,))
    assert cut(rows[:, 0], counts).chunks == (counts,)
    np.testing.assert_array_equal(cut(rows, counts, 2).compute(), rows)


@pytest.mark.parametrize("counts", [(0, 9), (4, 0, 5), (9, 0, 0)])
def test_empty_blocks_are_kept(counts):
    assert cut(np.zeros((9, 2)), counts, 1).chunks == (counts, (1, 1))
