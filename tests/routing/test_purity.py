import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sklearn_dask_auto.routing

FILES = sorted(Path(sklearn_dask_auto.routing.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_routing_imports_the_standard_library_only(file):
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
    foreign = {
        name
        for name in names
        if name.partition(".")[0] not in sys.stdlib_module_names
        and not name.startswith("sklearn_dask_auto.routing")
    }
    assert not foreign


def test_routing_works_where_nothing_is_installed():
    # The package's own `__init__` is left out: it sets up logging and settings.
    source = """
import sys, types
package = types.ModuleType("sklearn_dask_auto")
package.__path__ = [sys.argv[1]]
sys.modules["sklearn_dask_auto"] = package
from sklearn_dask_auto.routing import Job, Profile, Resources, decide
print(decide(Profile("numpy", 10, 2, 160), Job("KMeans"), Resources(1, 10**9)).engine)
"""
    package = FILES[0].parents[1]
    command = [sys.executable, "-I", "-S", "-c", source, str(package)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout == "sklearn\n"
