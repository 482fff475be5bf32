"""What every kernel keeps to in its passes: a merge changes neither side."""

import pickle

import numpy as np
import pytest

from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels.driver import Pass
from tests.cuts import cut
from tests.test_on_dask import CASES, NAMES, X, as_blocks, ours, public

KERNELS = [name for name in NAMES if public(name)._kernel and CASES[name].reads_rows]
BLOCKS = (7, 33, 0, 1, 19)


@pytest.fixture
def merged(monkeypatch):
    """Check each merge of a pass, and record how many there were."""
    calls, fold = [], Pass.fold

    def checked_fold(self, summarise, merge, state=None):
        def checked(a, b):
            before = pickle.dumps(a), pickle.dumps(b)
            result = merge(a, b)
            assert (pickle.dumps(a), pickle.dumps(b)) == before
            assert result is not None
            calls.append(merge)
            return result

        return fold(self, summarise, checked, state)

    monkeypatch.setattr(Pass, "fold", checked_fold)
    return calls


@pytest.mark.parametrize("name", KERNELS)
def test_merges_change_neither_side_and_return_something(name, merged):
    ours(name).fit(cut(X, BLOCKS), as_blocks(CASES[name].target, BLOCKS))
    # One that goes through the rows in their order merges nothing.
    assert bool(merged) == (name != "AutoScaleIncrementalPCA")


@pytest.mark.parametrize("has_some", [True, False])
def test_a_block_with_nothing_to_add_is_left_out(has_some):
    def largest(block, beside, start, state):
        return float(block.max()) if has_some and start == 20 else None

    blocks = Pass(Rows(cut(np.arange(60.0)[:, None], (20, 20, 20))))
    assert blocks.fold(largest, max) == (39.0 if has_some else None)
