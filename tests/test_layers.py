"""The shape of the package: which file may import what, and how long a body may be."""

import ast
from pathlib import Path

import pytest

import sklearn_dask_auto

PACKAGE = "sklearn_dask_auto"
ROOT = Path(sklearn_dask_auto.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
MOST_LINES = 50

# From the bottom up. What is not named here is a public estimator module. A module may
# import its own layer and those below.
LAYERS = (
    ("routing",),
    (
        "exceptions",
        "_config",
        "_sklearn",
        "_worker_facts",
        "_worker_memory",
        "_worker_versions",
    ),
    ("_survey", "inputs"),
    ("kernels",),
    ("engines",),
    ("_base",),
    ("_score",),
    ("<public estimators>",),
    ("__main__", "demo", "doctor"),
)
PUBLIC = LAYERS.index(("<public estimators>",))
# What a user could have written: they compare with others and start clusters.
PROGRAMS = LAYERS[-1]


def module_of(file):
    parts = file.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def part_of(module):
    """Return the first name below the package: "" for the package itself."""
    return module.removeprefix(PACKAGE).strip(".").partition(".")[0]


def layer_of(module):
    part = part_of(module)
    return next((i for i, names in enumerate(LAYERS) if part in names), PUBLIC)


def is_type_checking(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def import_nodes(tree):
    """Find import statements wherever they are, but not those for type checkers."""
    queue = [tree]
    while queue:
        node = queue.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif is_type_checking(node):
            queue += node.orelse
        else:
            queue += ast.iter_child_nodes(node)


def imports(file):
    """Return each import of a file as a pair of the module and the name, if any."""
    found = []
    for node in import_nodes(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
        else:
            assert node.level == 0, f"{file.name} has a relative import"
            found += [(node.module, alias.name) for alias in node.names]
    return found


def own_imports(file):
    """Return the modules of this package that a file imports."""
    modules = {module_of(f) for f in FILES}
    found = set()
    for module, name in imports(file):
        if module == PACKAGE or module.startswith(f"{PACKAGE}."):
            # `from package import module` names a module, not something in one.
            inner = f"{module}.{name}"
            found.add(inner if inner in modules else module)
    return found


def importers_of(package):
    """Return the files that import a package, but for the user's programs we ship."""
    return {
        file_id(file)
        for file in FILES
        if part_of(module_of(file)) not in PROGRAMS
        and any(m.partition(".")[0] == package for m, _ in imports(file))
    }


def file_id(file):
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize(
    "file", [f for f in FILES if module_of(f) != PACKAGE], ids=file_id
)
def test_imports_point_down(file):
    own = module_of(file)
    upward = {name for name in own_imports(file) if layer_of(name) > layer_of(own)}
    # A demonstration reads as a user's program, which imports from the package.
    upward -= {PACKAGE} if part_of(own) in PROGRAMS else set()
    assert not upward


@pytest.mark.parametrize("file", FILES, ids=file_id)
def test_public_estimator_modules_do_not_import_each_other(file):
    own = module_of(file)
    if layer_of(own) != PUBLIC or own == PACKAGE:
        return
    siblings = {
        name
        for name in own_imports(file)
        if layer_of(name) == PUBLIC and part_of(name) not in ("", part_of(own))
    }
    assert not siblings


def test_the_package_imports_its_settings_alone():
    assert own_imports(ROOT / "__init__.py") == {f"{PACKAGE}._config"}


def test_no_module_imports_itself_through_others():
    graph = {module_of(f): own_imports(f) for f in FILES}

    def reachable(start):
        seen, queue = set(), [start]
        while queue:
            new = graph.get(queue.pop(), set()) - seen
            seen |= new
            queue += new
        return seen

    circular = {
        module
        for module in graph
        # A package's `__init__` gathers what its modules define.
        if module in reachable(module)
    }
    assert not circular


def test_dask_ml_is_imported_in_one_file():
    assert importers_of("dask_ml") == {"engines/dask_ml.py"}


def test_distributed_is_imported_in_two_files_at_most():
    assert len(importers_of("distributed")) <= 2


@pytest.mark.parametrize("package", ["dask_ml", "distributed"])
def test_what_is_optional_or_slow_is_imported_at_call_time(package):
    at_top = {
        file.name
        for file in FILES
        for node in ast.parse(file.read_text()).body
        if package in ast.unparse(node).split("\n", 1)[0].replace(".", " ").split()
        and isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert not at_top


@pytest.mark.parametrize("word", ["utils", "helpers", "common", "misc", "tools"])
def test_no_file_is_a_drawer(word):
    names = {part for f in FILES for part in f.relative_to(ROOT).with_suffix("").parts}
    assert not {name for name in names if name.strip("_") in (word, word[:-1])}


def is_private(module, name):
    parts = [*module.split("."), name]
    return parts[0] == "sklearn" and any(
        part.startswith("_") and not part.endswith("__") for part in parts[1:]
    )


def test_private_names_of_scikit_learn_are_imported_in_one_file():
    files = {
        file_id(file)
        for file in FILES
        if any(is_private(module, name) for module, name in imports(file))
    }
    assert files == {"_sklearn.py"}


def functions(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def body_lines(function):
    body = function.body
    if ast.get_docstring(function) is not None:
        body = body[1:]
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("file", FILES, ids=file_id)
def test_a_body_fits_on_a_screen(file):
    long = {f.name: n for f in functions(file) if (n := body_lines(f)) > MOST_LINES}
    assert not long


@pytest.mark.parametrize("file", FILES, ids=file_id)
def test_a_module_says_what_it_is_for(file):
    assert ast.get_docstring(ast.parse(file.read_text()))
