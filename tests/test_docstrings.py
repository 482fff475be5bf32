"""Docstrings of everything public, held to numpydoc."""

import inspect

import pytest
from numpydoc.validate import ERROR_MSGS, validate

import sklearn_dask_auto

NOT_HELD = {
    "ES01": "a name and its parameters may say it all",
    "EX01": "examples are on the class, where they show a whole use",
    "SA01": "classes and settings refer on; their methods would repeat them",
    "PR04": "`X, y` that are described by reference have their types there",
    "RT02": "scikit-learn names what is returned: `labels : ndarray`",
}
HELD = set(ERROR_MSGS) - set(NOT_HELD)


def is_ours(value):
    return getattr(value, "__module__", "").startswith("sklearn_dask_auto")


def public_names():
    """Return the full name of each public class and function, and of its methods."""
    names = []
    for export in sklearn_dask_auto.__all__:
        value = getattr(sklearn_dask_auto, export)
        home = f"{value.__module__}.{export}"
        names.append(home)
        if inspect.isclass(value):
            names += [f"{home}.{name}" for name in methods(value)]
    return names


def methods(cls):
    """Return the public methods that this library, and not scikit-learn, defines."""
    return sorted(
        name
        for name in dir(cls)
        if not name.startswith("_")
        and any(name in vars(base) for base in cls.__mro__ if is_ours(base))
        # Fields of a dataclass are described by its class.
        and (
            callable(getattr(cls, name))
            or isinstance(inspect.getattr_static(cls, name), property)
        )
    )


NAMES = public_names()


@pytest.mark.parametrize("name", NAMES)
def test_a_docstring_is_numpydoc(name):
    errors = [
        f"{code}: {message}"
        for code, message in validate(name)["errors"]
        if code in HELD
    ]
    assert not errors


def documented(parameters):
    """Split names that share a description, and drop the stars."""
    return [
        name.strip().lstrip("*").replace("\\", "")
        for group in parameters
        for name in group.split(",")
        if name.strip()
    ]


@pytest.mark.parametrize(
    "name", [n for n in sklearn_dask_auto.__all__ if n.startswith("AutoScale")]
)
def test_every_parameter_is_documented_in_order(name):
    cls = getattr(sklearn_dask_auto, name)
    text = validate(f"{cls.__module__}.{name}")["docstring"]
    section = text.split("Parameters\n")[1].split("Attributes\n")[0]
    found = [
        line.split(" : ")[0].strip() for line in section.splitlines() if " : " in line
    ]
    expected = list(inspect.signature(cls).parameters)
    assert documented(found) == expected


UNKNOWN_TO_DASK_ML = {"AutoScaleMaxAbsScaler", "AutoScaleNormalizer", "AutoScaleRidge"}
"""scikit-learn classes without a counterpart there."""


@pytest.mark.parametrize(
    "name", [n for n in sklearn_dask_auto.__all__ if n.startswith("AutoScale")]
)
def test_an_estimator_refers_to_what_it_mirrors_and_shows_both_kinds_of_input(name):
    text = inspect.getdoc(getattr(sklearn_dask_auto, name))
    assert "\nsklearn." in text.split("See Also")[1]
    if name not in UNKNOWN_TO_DASK_ML:
        assert "\ndask_ml." in text.split("See Also")[1]
    examples = text.split("Examples\n")[1]
    assert "np." in examples or "load_" in examples
    assert "da.from_array" in examples


def test_a_check_that_is_not_held_exists():
    assert set(NOT_HELD) <= set(ERROR_MSGS)
