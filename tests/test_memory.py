"""Fits of an array on disk take memory for a few blocks, not for the array.

A slice of ``python -m benchmarks memory``, through the same command: each fit in a
process of its own, judged by the resident memory that it added.
"""

import subprocess
import sys
from pathlib import Path

import pytest

SIZE, MOST_RISE = "300MB", "0.5"
FITS = ["KMeans", "LogisticRegression", "PCA", "StandardScaler"]
ROOT = Path(__file__).parents[1]


def run_memory(*options):
    command = [sys.executable, "-m", "benchmarks", "memory", "--size", SIZE]
    command += ["--most-rise", MOST_RISE, "--threads", "1", *options]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_no_fit_takes_memory_for_half_of_the_rows():
    run = run_memory("--budget", "100MB", "--fits", *FITS)
    assert run.returncode == 0, run.stdout + run.stderr
    lines = [line.split() for line in run.stdout.splitlines()]
    assert {line[0] for line in lines if "blockwise" in line} == set(FITS)


@pytest.mark.slow
def test_streaming_takes_memory_for_its_buffer_alone():
    streamed = ["--fits", "SGDClassifier", "--budget", "100MB"]
    run = run_memory("--size", "600MB", "--most-rise", "0.65", *streamed)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "blockwise" in run.stdout


@pytest.mark.slow
def test_a_fit_that_gathers_the_rows_is_found_out():
    run = run_memory(
        "--fits", "StandardScaler", "--engine", "sklearn", "--budget", "9GB"
    )
    assert "over the limit: StandardScaler" in run.stderr
    assert run.returncode == 1
