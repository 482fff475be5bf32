"""Calls that compute: each asks in its own time, and a block is read once for all."""

import threading

import dask
import numpy as np
import pytest
import sklearn
from dask import delayed

from sklearn_dask_auto.inputs.passes import readable_together, share_passes
from sklearn_dask_auto.inputs.scheduler import compute, persist
from tests.cuts import cut

ROWS = np.arange(40.0).reshape(10, 4)


def counted_blocks(counts):
    def read(block):
        if block.size:
            counts.append(len(block))
        return block

    return cut(ROWS, (3, 0, 7)).map_blocks(read, dtype=float, meta=ROWS[:0])


def turns(blocks, column, n):
    """Return a call that passes over a column `n` times."""

    def call():
        total = 0.0
        for _ in range(n):
            (found,) = compute(blocks[:, [column]].sum())
            total += found
        return total

    return call


def test_as_many_passes_are_made_as_the_longest_call_needs():
    counts = []
    blocks = readable_together(counted_blocks(counts))
    found = share_passes([turns(blocks, j, n) for j, n in enumerate((1, 3, 2))])
    assert found == [ROWS[:, j].sum() * n for j, n in enumerate((1, 3, 2))]
    assert sum(counts) == 3 * len(ROWS)


def test_one_thread_runs_at_a_time_in_the_order_of_the_calls():
    seen, running = [], threading.Lock()

    def call(i):
        for turn in range(3):
            with running:
                seen.append((turn, i))
            compute(delayed(i))
        return i

    assert share_passes([lambda i=i: call(i) for i in range(4)]) == [0, 1, 2, 3]
    assert seen == [(turn, i) for turn in range(3) for i in range(4)]


def fail(block):
    raise ValueError("a bad block")


def test_an_error_is_that_of_the_first_call_that_fails():
    bad = cut(ROWS, (5, 5)).map_blocks(fail, dtype=float, meta=ROWS[:0])

    def late():
        compute(delayed(0))
        compute(delayed(1))
        raise KeyError("late, but first in order")

    calls = [turns(cut(ROWS, (10,)), 0, 4), late, turns(bad, 1, 1)]
    with pytest.raises(KeyError, match="first in order"):
        share_passes(calls)
    with pytest.raises(ValueError, match="a bad block"):
        share_passes(calls[::2])


def test_a_call_may_catch_what_its_computation_raises():
    def call():
        with pytest.raises(ValueError, match="a bad block"):
            compute(cut(ROWS, (10,)).map_blocks(fail, dtype=float, meta=ROWS[:0]))
        return "went on"

    assert share_passes([call, turns(cut(ROWS, (10,)), 0, 1)])[0] == "went on"


def test_a_call_that_is_not_needed_any_more_is_unwound():
    ends = []

    def waits():
        try:
            compute(delayed(1))
        finally:
            ends.append("unwound")

    def fails():
        raise KeyError

    with pytest.raises(KeyError):
        share_passes([fails, waits])
    assert ends == ["unwound"]


def test_settings_of_the_caller_hold_in_the_calls():
    def call():
        return sklearn.get_config()["transform_output"]

    with sklearn.config_context(transform_output="pandas"):
        assert share_passes([call, call]) == ["pandas", "pandas"]


def test_calls_may_share_passes_within_calls():
    counts = []
    blocks = readable_together(counted_blocks(counts))

    def inner():
        return sum(share_passes([turns(blocks, 0, 1), turns(blocks, 1, 2)]))

    found = share_passes([inner, turns(blocks, 2, 1)])
    assert found == [ROWS[:, 0].sum() + 2 * ROWS[:, 1].sum(), ROWS[:, 2].sum()]
    assert sum(counts) == 2 * len(ROWS)


def test_blocks_are_kept_for_those_that_ask_for_it():
    counts = []
    blocks = readable_together(counted_blocks(counts))

    def holds():
        (kept,) = persist(blocks[:, [0]])
        return [float(compute(kept.sum())[0]) for _ in range(2)]

    assert share_passes([holds, holds]) == [[ROWS[:, 0].sum()] * 2] * 2
    assert sum(counts) == len(ROWS)
    assert dask.config.get("optimization.fuse.active", None) is None
