"""What every test can ask for: a scheduler that refuses, a real cluster.

Two fixtures hold for all tests: no test may leave a Dask client, a changed setting or
a changed dask scheduler behind.
"""

import logging
import os
import sys
from collections.abc import Iterator
from typing import Any

import dask
import pytest
from hypothesis import settings

from sklearn_dask_auto import get_config

settings.register_profile("ci", deadline=None, max_examples=100, derandomize=True)
settings.register_profile("here", deadline=None, max_examples=50)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "cluster" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.cluster)


@pytest.fixture(autouse=True)
def no_client_left() -> Iterator[None]:
    """Fail a test that leaves another default client than it found."""
    before = _default_client()
    yield
    assert _default_client() is before, "the test left a Dask client behind"


@pytest.fixture(autouse=True)
def no_setting_left() -> Iterator[None]:
    """Fail a test that leaves other settings than it found."""
    before = _settings()
    yield
    assert _settings() == before, "the test left settings behind"


def _default_client() -> Any:
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        return distributed.Client.current()
    except ValueError:
        return None


def _settings() -> tuple[Any, ...]:
    level = logging.getLogger("sklearn_dask_auto").level
    return get_config(), level, dask.config.get("scheduler", None)


@pytest.fixture
def no_compute() -> Iterator[None]:
    """Have dask raise on `compute` and `persist`, and fail if someone caught that."""
    calls = []

    def refuse(graph: Any, keys: Any, **options: Any) -> Any:
        calls.append(keys)
        raise AssertionError(f"a dask graph was computed, for {keys}")

    with dask.config.set(scheduler=refuse):
        yield
    assert not calls, "a dask graph was computed"


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """Return the address of a cluster of two worker processes, one thread each."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        memory_limit="1GB",
        # Any port: distributed leaks a socket where its usual port is taken.
        dashboard_address=":0",
    ) as local_cluster:
        yield local_cluster.scheduler_address


@pytest.fixture
def client(cluster: str) -> Iterator[Any]:
    """Connect to the cluster; its client is the default one for this test."""
    from distributed import Client

    with Client(cluster) as connected:
        yield connected
