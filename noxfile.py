"""The checks, one session each; CI runs these and nothing else.

``nox`` alone runs lint, types and tests. Sessions use the interpreter that runs nox,
so the Python versions are listed once, in the CI workflow.
"""

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "tests"]

# Over all cores; a process that is done takes tests over from another.
SPREAD = ["-n", "logical", "--dist", "worksteal"]

# Warnings of a release to come are news there, not failures.
PRERELEASES = ["dask", "distributed", "joblib", "numpy", "pandas", "scikit-learn"]


@nox.session
def lint(session: nox.Session) -> None:
    """Style and spelling, through the pre-commit hooks."""
    extras = nox.project.load_toml("pyproject.toml")["project"]["optional-dependencies"]
    # The tools alone: the package and its dependencies are not needed here.
    session.install(*(tool for tool in extras["dev"] if "[test]" not in tool))
    session.run("pre-commit", "run", "--all-files", env={"SKIP": "mypy"})


@nox.session
def types(session: nox.Session) -> None:
    """Types, strictly."""
    session.install("-e", ".[dev]")
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """Tests and doctests, with branch coverage."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", *SPREAD, "--cov", *session.posargs)


@nox.session
def oldest(session: nox.Session) -> None:
    """Tests on the lowest version of every dependency."""
    if session.venv_backend != "uv":
        session.skip("only uv resolves the lowest versions")
    session.install("--resolution", "lowest-direct", "-e", ".")
    # A second step, so that the test tools themselves are current.
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", *SPREAD, *session.posargs)


@nox.session
def upstream(session: nox.Session) -> None:
    """Tests on the newest pre-releases, to hear of changes before users do."""
    # In one step, so that one's pre-release does not go beyond another's bound.
    session.install("--pre", "--upgrade", "-e", ".[test]", *PRERELEASES)
    session.run("python", "-m", "pytest", *SPREAD, "-W", "default", *session.posargs)


@nox.session
def sklearn(session: nox.Session) -> None:
    """scikit-learn's own test modules on our classes, whole, which takes minutes."""
    session.install("-e", ".[test]")
    whole = {"SKLEARN_DASK_AUTO_WHOLE_MODULES": "1"}
    arguments = ["--timeout", "900", "tests/upstream", *session.posargs]
    session.run("python", "-m", "pytest", *SPREAD, *arguments, env=whole)


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation, its warnings as errors; `tests` runs its examples."""
    session.install("-e", ".[docs]")
    session.run("sphinx-build", "-W", "-b", "html", "docs", "docs/_build/html")


@nox.session
def bench(session: nox.Session) -> None:
    """The benchmarks; not part of CI, whose machines are too noisy."""
    session.install("-e", ".")
    session.run("python", "-m", "benchmarks", *session.posargs)
