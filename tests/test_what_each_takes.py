"""The page on what each class takes says what the classes say of themselves.

``python -m tests.test_what_each_takes`` writes ``docs/what-each-takes.md``. Sparse rows
and NaN are as in scikit-learn, which `test_bad_input` holds on blocks, class by class.
"""

from pathlib import Path

import dask.array as da
import numpy as np
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

import sklearn_dask_auto
from sklearn_dask_auto import AutoScaleEstimator, AutoScaleSearchCV
from tests.test_on_dask import CASES, ours

PAGE = Path(__file__).parents[1] / "docs" / "what-each-takes.md"
INTRODUCTION = """\
# What each class takes

Every class takes what scikit-learn's takes in memory, and dask arrays and dask
DataFrames: cut into any blocks of rows and columns, of known and of unknown sizes, with
empty blocks. `y` and weights may be dask's or in memory. The table is of dask input,
with the parameters left as they are.

| class | `sample_weight` | sparse blocks | NaN | `engine="dask-ml"` |
|---|---|---|---|---|
"""
WRAPPERS = """\

`AutoScaleEstimator` and `AutoScaleSearchCV` take what the estimator takes that they are
given, and `AutoScaleColumnTransformer` what each step does of its columns.

## What is refused on blocks

Rows that can be gathered are given to scikit-learn, whatever the parameters. Of more
than that, and with `engine="blockwise"`, what a parameter asks may need all rows at
once. It is refused before any work starts, with this reason:

| class | with | reason |
|---|---|---|
"""
CONCLUSION = """
A `Pipeline` or another meta-estimator of scikit-learn passes rows to its steps as they
are. Steps of this library pass over blocks; a step of scikit-learn's own makes an array
of a dask collection in this process, whatever its size. Wrapped in
`AutoScaleEstimator`, the pipeline, or the step alone, is placed where it fits, and
applied block by block.
"""
MANY, WIDE = (100, 4), (100, 6000)
REFUSED = [
    ("AutoScaleElasticNet", {"precompute": np.eye(4)}, MANY),
    ("AutoScaleElasticNet", {}, WIDE),
    ("AutoScaleLinearRegression", {"positive": True}, MANY),
    ("AutoScaleLinearRegression", {}, WIDE),
    ("AutoScaleLogisticRegression", {"solver": "liblinear"}, MANY),
    ("AutoScaleLogisticRegression", {"dual": True}, MANY),
    ("AutoScaleLogisticRegression", {"l1_ratio": 1}, MANY),
    ("AutoScalePCA", {"svd_solver": "full"}, WIDE),
    ("AutoScaleRidge", {"solver": "sag"}, MANY),
    ("AutoScaleRidge", {"positive": True}, MANY),
    ("AutoScaleSimpleImputer", {"strategy": np.nanmax}, MANY),
]


def line_of_class(name):
    model = ours(name)
    tags = get_tags(model).input_tags
    cells = [has_fit_parameter(model, "sample_weight"), tags.sparse, tags.allow_nan]
    told = ["yes" if cell else "no" for cell in cells]
    reason = "; ".join(reasons_of(model, MANY, "dask-ml"))
    return f"| `{name}` | {' | '.join(told)} | {reason or 'yes'} |"


def reasons_of(model, shape, engine="blockwise"):
    """Return why an engine cannot take blocks, by a plan."""
    plan = model.explain(da.ones(shape))
    return [r for c in plan.candidates if c.engine == engine for r in c.reasons]


def line_of_refusal(name, params, shape):
    told = ", ".join(f"{key}={spelt(value)}" for key, value in params.items())
    model = getattr(sklearn_dask_auto, name)(**params)
    reason = "; ".join(reasons_of(model, shape))
    assert reason, "what is not refused has no place here"
    return f"| `{name}` | {f'`{told}`' if told else 'many columns'} | {reason} |"


def spelt(value):
    """Return how a value would be written."""
    if isinstance(value, np.ndarray):
        return "gram"
    return f"np.{value.__name__}" if callable(value) else repr(value)


def page():
    wrappers = {"AutoScaleColumnTransformer", AutoScaleEstimator.__name__}
    wrappers.add(AutoScaleSearchCV.__name__)
    names = [n for n in CASES if n not in wrappers and " " not in n]
    classes = [line_of_class(name) for name in names]
    refusals = [line_of_refusal(*of) for of in REFUSED]
    parts = [INTRODUCTION, *[f"{c}\n" for c in classes], WRAPPERS]
    return "".join([*parts, *[f"{r}\n" for r in refusals], CONCLUSION])


def test_the_page_is_what_the_classes_say():
    told = "run python -m tests.test_what_each_takes"
    assert PAGE.read_text() == page(), told


if __name__ == "__main__":
    PAGE.write_text(page())
