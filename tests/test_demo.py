"""The `demo` command: the tutorial runs, routes as it should, and compares fairly."""

import re
import subprocess
import sys

import pytest

from sklearn_dask_auto import demo
from sklearn_dask_auto.__main__ import main


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def summary(output: str) -> dict[str, list[str]]:
    """Return the cells of each line of the summary, by the letter of its part."""
    _, _, table = output.partition("Summary\n")
    lines = [x for x in table.splitlines() if re.match(r"[abc]\. ", x)]
    return {line[0]: re.split(r"\s{2,}|(?<=\d) +", line.strip()) for line in lines}


@pytest.mark.cluster
@pytest.mark.slow
def test_the_tutorial_runs_in_full() -> None:
    done = run_python("-m", "sklearn_dask_auto", "demo", "--cluster", "2")
    out = done.stdout
    assert done.returncode == 0, out + done.stderr
    assert "Warning" not in done.stderr
    # A plan for each part, by the engine it took.
    taken = re.findall(r"^-> (\S+), took", out, flags=re.MULTILINE)
    assert taken[0] == "sklearn"
    assert taken[1] in ("sklearn", "joblib")
    assert taken[2] == "blockwise"
    # The answers agree.
    assert out.count("best parameters equal: yes") == 2
    assert "all 8 cross-validation scores equal: yes" in out
    assert "all 25 cross-validation scores equal: yes" in out
    rows = summary(out)
    assert [rows[part][-1] for part in "abc"] == taken
    for part in "abc":
        unrouted_seconds, seconds, ratio = (float(rows[part][i]) for i in (2, 4, 5))
        assert min(unrouted_seconds, seconds, ratio) > 0


@pytest.mark.slow
def test_both_clusterings_are_judged_by_the_same_inertia(
    capsys: pytest.CaptureFixture[str],
) -> None:
    row = demo.large_data(250)
    inertias = re.findall(
        r"^  \S+ +(\S+) after \d+ iterations$", capsys.readouterr().out, re.M
    )
    assert row.engine == "blockwise"
    # Neither is seeded, so local optima differ; sums of plain distances, which
    # dask-ml calls inertia, would be more than ten times smaller.
    theirs, ours = map(float, inertias)
    assert 0.5 < theirs / ours < 2


def test_without_dask_ml_the_comparison_is_left_out() -> None:
    script = (
        "import sys; sys.modules['dask_ml'] = None\n"
        "from sklearn_dask_auto import demo\n"
        "demo._print_summary([demo.large_data(250)])"
    )
    done = run_python("-c", script)
    assert done.returncode == 0, done.stderr
    assert "The comparison with dask-ml is left out: dask_ml cannot be" in done.stdout
    assert summary(done.stdout)["c"][2] == "left out"
    assert summary(done.stdout)["c"][-1] == "blockwise"


def test_searches_that_differ_are_told_and_are_a_problem(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Searched:
        def __init__(self, score: float) -> None:
            self.best_params_ = {"C": 1}
            self.cv_results_ = {"split0_test_score": [score], "params": [{"C": 1}]}

    problem = demo._compare_searches(Searched(0.5), Searched(0.6))
    assert problem is not None
    assert "scores equal: NO" in capsys.readouterr().out

    row = demo.Row("a. search", "theirs", 2.0, "ours", 1.0, "sklearn", problem)
    for part in ("search_in_memory", "_search_on_cluster", "large_data"):
        monkeypatch.setattr(demo, part, lambda *_: row)
    assert demo.run() == 1
    assert f"PROBLEM  a. search: {problem}" in capsys.readouterr().out


def test_the_ratio_is_above_one_where_ours_is_faster() -> None:
    line = str(demo.Row("a", "theirs", 3.0, "ours", 2.0, "sklearn"))
    assert " 1.50 " in line


@pytest.mark.parametrize("workers", ["0", "-1", "two"])
def test_a_cluster_needs_workers(
    workers: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["demo", "--cluster", workers])
    assert "--cluster" in capsys.readouterr().err


def test_importing_the_command_imports_no_dask() -> None:
    done = run_python(
        "-c",
        "import sys, sklearn_dask_auto.__main__; "
        "print([m for m in ('dask', 'distributed', 'sklearn') if m in sys.modules])",
    )
    assert done.stdout == "[]\n", done.stderr
