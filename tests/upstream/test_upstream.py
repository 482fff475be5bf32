"""scikit-learn's tests of the classes mirrored, run on ours; see `plugin`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import sklearn

from tests.upstream.plugin import AWAY, AWAY_SLICES, SLICES, SWAPS, WHOLE

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def run_upstream(
    module: str, selected: str, environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run tests of a test module of scikit-learn in a process of its own.

    Its warnings filters, its conftest and its import mode are not those of this suite.
    """
    command = [sys.executable, "-m", "pytest", "-p", "tests.upstream.plugin"]
    command += ["-c", str(HERE / "settings.ini")]
    command += ["--rootdir", str(Path(sklearn.__file__).parents[1])]
    command += ["-q", "--tb=short", "--disable-warnings"]
    if WHOLE not in os.environ:
        command += ["-k", selected]
    return subprocess.run(
        [*command, "--pyargs", module],
        cwd=ROOT,
        env={**os.environ, "SKLEARN_RUN_FLOAT32_TESTS": "1", **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=600 if WHOLE in os.environ else 280,
    )


@pytest.mark.parametrize("module", SWAPS)
def test_scikit_learns_own_tests_pass(module):
    run = run_upstream(module, SLICES.get(module, ""))
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("module", AWAY_SLICES)
def test_they_pass_where_fits_leave_the_process(module):
    run = run_upstream(module, AWAY_SLICES[module], {AWAY: "1"})
    assert run.returncode == 0, run.stdout + run.stderr
