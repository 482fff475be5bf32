"""Sphinx settings. The build needs no network: no inventories of other projects."""

from sklearn_dask_auto import __version__

project = "sklearn_dask_auto"
author = "The sklearn_dask_auto developers"
copyright = f"2026, {author}"
version = release = __version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
]
exclude_patterns = ["_build"]

html_theme = "pydata_sphinx_theme"
html_show_sourcelink = False

autosummary_generate = True
# numpydoc would list every method that scikit-learn's base classes bring; its own
# documentation describes those.
numpydoc_show_inherited_class_members = False
numpydoc_class_members_toctree = False
# Docstrings inherited from scikit-learn refer to its glossary.
suppress_warnings = ["ref.term"]
