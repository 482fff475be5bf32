import asyncio
import json
import subprocess
import sys

import psutil
import pytest

from sklearn_dask_auto import _survey
from sklearn_dask_auto._survey import survey
from sklearn_dask_auto._worker_memory import process_bytes

GIGABYTE = 10**9
NO_LIMIT_V1 = "9223372036854771712"


@pytest.fixture(autouse=True)
def nothing_remembered():
    """Have every test look for itself, and leave nothing it made up to the next."""
    _survey._machine.cache_clear()
    yield
    _survey._machine.cache_clear()


@pytest.fixture
def cgroup(tmp_path, monkeypatch):
    """Stand in for the kernel's files, on a machine with 8 GB, 4 GB of them free."""
    memory = psutil.virtual_memory()._replace(
        total=8 * GIGABYTE, available=4 * GIGABYTE
    )
    monkeypatch.setattr(_survey.psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(_survey, "CGROUP", tmp_path)
    _survey._cgroup_files.cache_clear()
    yield tmp_path
    _survey._cgroup_files.cache_clear()


def write(folder, files):
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{text}\n")


V2 = {"memory.max": 3 * GIGABYTE, "memory.current": 2 * GIGABYTE}
V1 = {
    "memory/memory.limit_in_bytes": 3 * GIGABYTE,
    "memory/memory.usage_in_bytes": 2 * GIGABYTE,
}


@pytest.mark.parametrize(
    ("files", "free"),
    [
        pytest.param({}, 4, id="none"),
        pytest.param(V2, 1, id="v2"),
        pytest.param(V1, 1, id="v1"),
        pytest.param(V2 | {"memory.max": "max"}, 4, id="v2-no-limit"),
        pytest.param(
            V1 | {"memory/memory.limit_in_bytes": NO_LIMIT_V1}, 4, id="v1-no-limit"
        ),
        pytest.param(V2 | {"memory.max": 9 * GIGABYTE}, 4, id="limit-over-the-machine"),
        pytest.param(V2 | {"memory.max": 7 * GIGABYTE}, 4, id="machine-is-fuller"),
        pytest.param(V2 | {"memory.current": 5 * GIGABYTE}, 0, id="over-the-limit"),
        pytest.param({"memory.max": GIGABYTE}, 4, id="use-unknown"),
        pytest.param(
            V2 | {"memory.stat": f"anon 5\ninactive_file {GIGABYTE}\nfile 7"},
            2,
            id="v2-file-cache",
        ),
        pytest.param(
            V1
            | {
                "memory/memory.stat": f"inactive_file 0\ntotal_inactive_file {GIGABYTE}"
            },
            2,
            id="v1-file-cache",
        ),
    ],
)
def test_free_memory_heeds_the_container(cgroup, files, free):
    write(cgroup, files)
    assert survey().free_memory == free * GIGABYTE


def test_free_memory_is_of_this_second(cgroup, monkeypatch):
    seconds = iter([10.0, 10.9, 11.0, 12.5])
    monkeypatch.setattr(_survey, "monotonic", lambda: next(seconds))
    write(cgroup, V2)
    assert survey().free_memory == GIGABYTE
    write(cgroup, {"memory.current": GIGABYTE})
    assert survey().free_memory == GIGABYTE
    assert survey().free_memory == 2 * GIGABYTE
    write(cgroup, {"memory.max": "max"})
    assert survey().free_memory == 4 * GIGABYTE


def run(source):
    command = [sys.executable, "-c", source]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_looking_imports_neither_dask_nor_distributed_and_starts_nothing():
    source = """
import json, sys
import psutil
from sklearn_dask_auto._survey import survey
found = survey()
foreign = [n for n in ("dask", "distributed", "dask_ml") if n in sys.modules]
children = len(psutil.Process().children())
print(json.dumps([foreign, children, found.cluster, found.cluster_problem]))
"""
    assert json.loads(run(source)) == [[], 0, None, None]


def test_cores_are_those_that_joblib_would_use(monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    assert survey().cores == 1


def test_where_distributed_was_never_imported_there_is_no_cluster(monkeypatch):
    monkeypatch.delitem(sys.modules, "distributed", raising=False)
    assert survey().cluster is None
    assert "distributed" not in sys.modules


def test_without_a_client_there_is_no_cluster_and_no_problem():
    found = survey()
    assert found.cluster is None
    assert found.cluster_problem is None
    assert not found.is_in_worker
    assert found.has_dask_ml


@pytest.mark.parametrize(("package", "there"), [("numpy", True), ("no_such", False)])
def test_a_package_is_looked_for_and_not_imported(package, there):
    assert _survey._is_installed(package) == there


def test_warm_workers_of_joblib_are_seen():
    source = """
import joblib
from sklearn_dask_auto._survey import survey
print(survey().has_warm_workers)
joblib.Parallel(n_jobs=2)(joblib.delayed(abs)(i) for i in range(2))
print(survey().has_warm_workers)
"""
    assert run(source).split() == ["False", "True"]


def test_the_cluster_of_a_client_is_described(client):
    found = survey()
    assert found.cluster_problem is None
    assert found.cluster.address == client.scheduler.address
    assert found.cluster.n_workers == 2
    assert found.cluster.n_threads == 2
    assert found.cluster.worker_memory == GIGABYTE
    assert found.cluster.memory == 2 * GIGABYTE
    # Python, numpy, scikit-learn and dask.
    assert 5e7 < found.cluster.process_memory < 5e8
    assert not found.is_in_worker


def test_a_worker_takes_at_rest_the_least_that_it_reported():
    class Client:
        pass

    client, others = Client(), Client()

    def told(memory, held=0, client=client, address="tcp://a:1"):
        metrics = {"memory": memory, "managed_bytes": held} if memory else {}
        return process_bytes(client, address, {"metrics": metrics})

    assert told(None) == 0
    assert told(900, held=100) == 800
    assert told(300, held=100) == 200
    assert told(2_000) == 200
    assert told(None) == 200
    assert told(500, address="tcp://b:1") == 500
    assert told(500, client=others) == 500
    assert told(500, address="inproc://a/1") == 0


def test_the_scheduler_is_not_asked_where_nobody_needs_to_know(client):
    found = survey(with_cluster=False)
    assert found.cluster is None
    assert "has no use for the Dask client" in found.cluster_problem


def test_a_client_that_was_closed_is_named_as_the_problem(cluster):
    from distributed import Client

    client = Client(cluster, set_as_default=False)
    with client.as_current():
        client.close()
        found = survey()
    assert found.cluster is None
    assert found.cluster_problem == "the Dask client is closed"


def test_a_default_client_that_was_closed_is_forgotten(cluster):
    from distributed import Client

    Client(cluster).close()
    assert survey().cluster is None
    assert survey().cluster_problem is None


def test_an_asynchronous_client_is_named_as_the_problem(cluster):
    from distributed import Client

    async def look():
        async with Client(cluster, asynchronous=True):
            return survey()

    found = asyncio.run(look())
    assert found.cluster is None
    assert "asynchronous" in found.cluster_problem


def test_a_cluster_without_workers_is_described_as_such():
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as empty,
        Client(empty),
    ):
        found = survey().cluster
    assert (found.n_workers, found.n_threads) == (0, 0)
    assert (found.memory, found.worker_memory) == (0, 0)


def test_a_worker_without_a_limit_has_the_memory_of_its_machine():
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            processes=False,
            memory_limit=0,
            dashboard_address=":0",
        ) as unlimited,
        Client(unlimited),
    ):
        found = survey().cluster
    assert found.worker_memory == psutil.virtual_memory().total


def test_a_call_inside_a_task_knows_it(client):
    found = client.submit(survey, pure=False).result()
    assert found.is_in_worker
    assert not survey().is_in_worker


def test_a_task_in_a_thread_of_this_process_knows_it():
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            processes=False,
            dashboard_address=":0",
        ) as threads,
        Client(threads) as client,
    ):
        assert client.submit(survey, pure=False).result().is_in_worker
        assert not survey().is_in_worker


def test_a_task_that_has_a_client_sees_the_cluster(client):
    found = client.submit(_survey_with_client, pure=False).result()
    assert found.is_in_worker
    assert found.cluster.n_workers == 2


def _survey_with_client():
    from distributed import worker_client

    with worker_client():
        return survey()


@pytest.mark.cluster
def test_workers_are_counted_while_the_client_asks_for_none_of_them(
    client, monkeypatch
):
    ask, answers = client.scheduler_info, []

    def overtaken(**kwargs):
        ask(**kwargs)
        answers.append(ask(n_workers=0 if not answers else -1))
        return answers[-1]

    monkeypatch.setattr(client, "scheduler_info", overtaken)
    assert survey().cluster.n_workers == 2
    assert [len(answer["workers"]) for answer in answers] == [0, 2]
