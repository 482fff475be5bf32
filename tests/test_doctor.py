"""The `doctor` command: what it reports, and when it fails."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata

import pytest

import sklearn_dask_auto
from sklearn_dask_auto import doctor
from sklearn_dask_auto.__main__ import main


def run_doctor(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sklearn_dask_auto", "doctor", *arguments],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@pytest.fixture
def cluster_address() -> Iterator[str]:
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": ":0"},
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def closed_address() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{listener.getsockname()[1]}"


def texts(findings: list[doctor.Finding], topic: str) -> list[str]:
    return [finding.text for finding in findings if finding.topic == topic]


@pytest.mark.slow
def test_a_sound_install_passes() -> None:
    done = run_doctor()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PROBLEM" not in done.stdout
    assert done.stdout.endswith("All is fine.\n")
    assert f"sklearn_dask_auto {sklearn_dask_auto.__version__}" in done.stdout
    for package in doctor.PACKAGES:
        assert f"  {package} " in done.stdout
    for fact in ("cores: ", "free memory: ", "memory budget: ", "Dask client: none"):
        assert fact in done.stdout
    assert "blockwise KMeans in this process equals scikit-learn's" in done.stdout
    assert "cache in " in done.stdout


@pytest.mark.slow
def test_an_unreachable_scheduler_fails_and_the_rest_is_still_reported(
    closed_address: str,
) -> None:
    done = run_doctor("--scheduler", closed_address)
    assert done.returncode == 1
    (problem,) = [x for x in done.stdout.splitlines() if x.startswith("PROBLEM")]
    assert closed_address in problem
    assert "engines" in done.stdout
    assert done.stdout.endswith("Problems: 1.\n")


@pytest.mark.cluster
@pytest.mark.slow
def test_a_cluster_is_connected_to_and_tried(cluster_address: str) -> None:
    done = run_doctor("--scheduler", cluster_address)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Dask client: {cluster_address}, 1 worker" in done.stdout
    assert "every worker has this version" in done.stdout
    assert "blockwise KMeans on the cluster equals scikit-learn's" in done.stdout
    assert "scores of a search on the cluster equal those" in done.stdout
    assert "AutoScaleSearchCV on numpy: sklearn by choice, of sklearn, joblib" in (
        done.stdout
    )


def test_engines_are_listed_for_both_classes_on_both_containers() -> None:
    lines = texts(list(doctor._engines()), "engines")
    for estimator in ("AutoScaleKMeans", "AutoScaleSearchCV"):
        for container in ("numpy", "dask"):
            assert any(line.startswith(f"{estimator} on {container}") for line in lines)
    assert any("not joblib: no Dask client" in line for line in lines)


def test_a_missing_package_is_a_problem_unless_it_is_optional(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    problems = {f.text for f in doctor._versions() if f.is_problem}
    assert "numba is not installed" in problems
    assert "dask-ml is not installed" not in problems


def test_a_package_that_cannot_be_imported_is_a_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "dask_ml.cluster", None)
    (problem,) = [f for f in doctor._versions() if f.is_problem]
    assert "dask-ml" in problem.text
    assert "cannot be imported: ModuleNotFoundError" in problem.text


def test_wrong_answers_of_the_kernels_are_a_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from sklearn_dask_auto.cluster import AutoScaleKMeans

    fit = AutoScaleKMeans.fit

    def shifted(self: AutoScaleKMeans, X: object) -> AutoScaleKMeans:
        fit(self, X)
        self.cluster_centers_ = self.cluster_centers_ + 1.0
        return self

    monkeypatch.setattr(AutoScaleKMeans, "fit", shifted)
    finding = doctor._blockwise_fit("kernels", "in this process")
    assert finding.is_problem
    assert "differs from" in finding.text


def test_an_error_becomes_a_finding_and_the_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise OSError("no kernels here")

    monkeypatch.setattr(doctor, "_kernels", broken)
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "PROBLEM  kernels   OSError: no kernels here" in out
    assert "machine   cores: " in out
