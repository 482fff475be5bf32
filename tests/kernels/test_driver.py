import dask
import dask.array as da
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels import driver
from sklearn_dask_auto.kernels.driver import Pass
from tests.cuts import cut, cuts


def _summarise(block, beside, start, state):
    assert len(block)
    return [(start, block[:, 0].tolist(), beside["weight"].tolist(), state)]


def _join(a, b):
    return a + b


@given(st.data())
def test_a_pass_visits_every_row_once_with_what_lies_beside_it(data):
    n_rows = data.draw(st.integers(1, 60))
    X, weight = np.arange(n_rows * 2.0).reshape(-1, 2), np.arange(n_rows * 1.0)
    chunks = data.draw(cuts(n_rows))
    rows = Rows(cut(X, chunks), {"weight": cut(weight, chunks)})
    parts = sorted(Pass(rows).fold(_summarise, _join, "state"))
    assert [value for _, first, _, _ in parts for value in first] == X[:, 0].tolist()
    assert [value for *_, w, _ in parts for value in w] == weight.tolist()
    assert all(first[0] == X[start, 0] for start, first, *_ in parts)
    assert {state for *_, state in parts} == {"state"}


def _append(block, beside, start, seen):
    assert start == len(seen)
    assert len(block)
    return [*seen, *zip(block[:, 0], beside["weight"], strict=True)]


@pytest.mark.parametrize("scheduler", ["threads", "processes", "synchronous"])
def test_a_scan_visits_every_row_once_in_order(monkeypatch, scheduler):
    monkeypatch.setattr(driver, "GROUP_BYTES", 100)
    X, weight = np.arange(60.0).reshape(-1, 2), np.arange(30.0)
    chunks = (0, 1, 9, 0, 10, 3, 7, 0)
    rows = Rows(cut(X, chunks) + 0, {"weight": cut(weight, chunks)})
    with dask.config.set(scheduler=scheduler):
        seen = Pass(rows).scan(_append, [])
    assert seen == list(zip(X[:, 0], weight, strict=True))


def _count(block, beside, start, state):
    return 1


def _add(a, b):
    return a + b


@pytest.mark.parametrize("is_lazy", [True, False], ids=["lazy", "stored"])
def test_small_blocks_share_a_task(monkeypatch, is_lazy):
    monkeypatch.setattr(driver, "thread_count", lambda: 2)
    rows = Rows(cut(np.zeros((1000, 2)), (1,) * 1000))
    if is_lazy:
        rows = Rows(rows.X + 1)
    blocks = Pass(rows)
    assert len(blocks._groups) == 2
    assert blocks.fold(_count, _add) == 1000


@pytest.mark.parametrize(
    ("n_bytes", "groups"), [(1_600_000, 2), (16_000_000, 2), (160_000_000, 8)]
)
def test_large_input_has_several_groups_for_each_thread(monkeypatch, n_bytes, groups):
    monkeypatch.setattr(driver, "thread_count", lambda: 2)
    n_rows = n_bytes // 80
    X = da.zeros((n_rows, 10), chunks=(n_rows // 200, 10))
    assert len(Pass(Rows(X))._groups) == groups


@pytest.mark.parametrize("scheduler", ["threads", "processes", "synchronous"])
def test_any_scheduler_gives_the_same_total(scheduler):
    rows = Rows(cut(np.ones((100, 3)), (10,) * 10))
    with dask.config.set(scheduler=scheduler):
        assert Pass(rows).fold(_count, _add) == 10


def test_a_lazy_block_is_computed_once_a_pass():
    computed = []

    def note(block):
        computed.append(len(block))
        return block

    X = cut(np.ones((100, 3)), (10,) * 10).map_blocks(note, meta=np.empty((0, 3)))
    blocks = Pass(Rows(X))
    with dask.config.set(scheduler="synchronous"):
        blocks.fold(_count, _add)
    assert computed == [10] * 10


@pytest.mark.parametrize("writes", ["X", "y"])
def test_a_kernel_cannot_write_into_the_blocks_of_the_caller(writes):
    rows = Rows(da.ones((6, 2), chunks=(3, 2)), {"y": da.ones(6, chunks=3)})

    def write(block, beside, start, state):
        {"X": block, "y": beside["y"]}[writes][:] = 0.0

    with pytest.raises(ValueError, match="read-only"):
        Pass(rows).fold(write, lambda a, b: None)
