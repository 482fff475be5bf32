"""scikit-learn's tests of the classes mirrored, run on ours; see `plugin`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import sklearn

from tests.upstream.plugin import SLICES, SWAPS, WHOLE

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def run_upstream(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a test module of scikit-learn in a process of its own.

    Its warnings filters, its conftest and its import mode are not those of this suite.
    """
    command = [sys.executable, "-m", "pytest", "-p", "tests.upstream.plugin"]
    command += ["-c", str(HERE / "settings.ini")]
    command += ["--rootdir", str(Path(sklearn.__file__).parents[1])]
    return subprocess.run(
        [*command, "--pyargs", module, *arguments],
        cwd=ROOT,
        env={**os.environ, "SKLEARN_RUN_FLOAT32_TESTS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600 if WHOLE in os.environ else 280,
    )


@pytest.mark.parametrize("module", SWAPS)
def test_scikit_learns_own_tests_pass(module):
    selected = "" if WHOLE in os.environ else SLICES.get(module, "")
    run = run_upstream(module, "-q", "--tb=short", "--disable-warnings", "-k", selected)
    assert run.returncode == 0, run.stdout + run.stderr
