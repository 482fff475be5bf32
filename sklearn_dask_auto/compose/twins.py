"""Steps as a user gives them, and their twins, which work on blocks.

A twin holds the state of its step and does the same on dask input. A step of this
library is its own. One of scikit-learn's has the class that mirrors it, if this library
has that and it learns the same; one that learns nothing from the rows is applied block
by block. Pipelines and unions hold twins of their steps. What is fitted is given back
in the classes that came in, so that a user finds the steps that were given.
"""

import copy
import warnings
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, is_clusterer
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.metadata_routing import process_routing

from sklearn_dask_auto._base import (
    AutoScaleMixin,
    block_refusals,
    needs_no_fit,
    promoted,
    to_plain,
)
from sklearn_dask_auto._sklearn import stacked
from sklearn_dask_auto.compose.outputs import row_like
from sklearn_dask_auto.routing import Profile

__all__ = ["named_steps", "passes_once", "restored", "twin", "without_twin"]


class RowWise(BaseEstimator):
    """A transformer that learns nothing from the rows, applied block by block.

    It is no public class, and has none of scikit-learn's mixins: what `set_output` asks
    for is done by the step itself, in each block.

    Parameters
    ----------
    step : estimator
        One whose tags say that it requires no fit.
    """

    def __init__(self, step: Any) -> None:
        self.step = step

    def fit(self, X: Any, y: Any = None) -> "RowWise":
        """Fit the step on two rows that are made up: it takes note of the columns."""
        from sklearn_dask_auto.inputs.output import made_up_rows

        with warnings.catch_warnings():
            # Of the values, which are not the user's.
            warnings.simplefilter("ignore")
            self.step.fit(made_up_rows(X))
        return self

    def transform(self, X: Any) -> Any:
        """Transform lazily; a dask DataFrame where the step makes frames."""
        from sklearn_dask_auto.inputs.output import map_output

        return map_output(self.step, "transform", X)

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Fit, and transform the same rows."""
        return self.fit(X).transform(X)

    def __sklearn_is_fitted__(self) -> bool:
        return True


class SideBySide(BaseEstimator):
    """A union of twins, which share their passes over the rows.

    It is no public class. scikit-learn's union puts outputs side by side as numpy does,
    which dask can for arrays of known sizes.

    Parameters
    ----------
    union : FeatureUnion
        Of twins, which are fitted as they are.
    """

    def __init__(self, union: FeatureUnion) -> None:
        self.union = union

    def fit(self, X: Any, y: Any = None, **params: Any) -> "SideBySide":
        """Fit all steps on the same rows."""
        from sklearn_dask_auto.inputs.passes import readable_together, share_passes

        routed = process_routing(self.union, "fit_transform", **params)
        X = readable_together(X)
        share_passes(
            [
                partial(step.fit_transform, X, y, **routed[name].fit_transform)
                for name, step in self._steps()
            ]
        )
        return self

    def transform(self, X: Any) -> Any:
        """Transform lazily, in one task a block."""
        from sklearn_dask_auto.inputs.output import map_rows, map_rows_to_frame

        weights = self.union.transformer_weights or {}
        rows = [
            row_like(step.transform(X)) * weights.get(name, 1)
            for name, step in self._steps()
        ]
        model = to_plain(restored(self, self.union))
        sample = stacked(model, rows) if rows else np.zeros((1, 0))
        apply = map_rows_to_frame if hasattr(sample, "iloc") else map_rows
        return apply(model, "transform", X, sample)

    def fit_transform(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Fit, and transform the same rows."""
        return self.fit(X, y, **params).transform(X)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def _steps(self) -> list[tuple[str, Any]]:
        steps = self.union.transformer_list
        return [(name, step) for name, step in steps if step != "drop"]


def twin(step: Any) -> Any:
    """Return what does on blocks what a step does in memory.

    Parameters
    ----------
    step : estimator, 'drop' or 'passthrough'
        One that `without_twin` does not name, fitted or not.

    Returns
    -------
    twin : estimator, 'drop' or 'passthrough'
        It shares what the step holds; the step is not changed, and not by its fit if
        it is a clone.
    """
    if isinstance(step, FeatureUnion):
        same = RowWise(FunctionTransformer(feature_names_out="one-to-one"))
        parts = [same if p == "passthrough" else twin(p) for p in _parts(step) or ()]
        return SideBySide(_with_parts(step, parts))
    if isinstance(step, Pipeline):
        return _with_parts(step, [twin(part) for part in _parts(step) or ()])
    if _is_word(step) or isinstance(step, AutoScaleMixin):
        return step
    mirror = promoted(step)
    return RowWise(step) if mirror is None else mirror


def restored(fitted: Any, step: Any) -> Any:
    """Return a twin that was fitted, in the class of the step that it stands for."""
    if isinstance(fitted, SideBySide):
        fitted = fitted.union
    parts = _parts(step)
    if parts is not None:
        pairs = zip(_parts(fitted) or (), parts, strict=True)
        return _with_parts(fitted, [restored(*pair) for pair in pairs])
    if isinstance(fitted, RowWise):
        return fitted.step
    if isinstance(fitted, AutoScaleMixin) and not isinstance(step, AutoScaleMixin):
        return fitted._plain()
    return fitted


def passes_once(step: Any) -> bool:
    """Tell whether a step learns from rows of any dtype, in one pass; a guess."""
    return _is_word(step) or getattr(twin(step), "_takes_any_dtype", False)


def without_twin(name: str, step: Any, profile: Profile) -> Iterator[tuple[str, str]]:
    """Yield the place of each step that has no twin, and why.

    Parameters
    ----------
    name : str
        Where the step stands, as `set_params` says it.
    step : estimator, 'drop' or 'passthrough'
        Steps in it are looked at in its stead.
    profile : Profile
        Of the table. The twin of a step may be particular about its dtypes.

    Yields
    ------
    place, reason : str
    """
    steps = None if isinstance(step, AutoScaleMixin) else named_steps(step)
    if steps is not None:
        for inner, part in steps:
            yield from without_twin(f"{name}__{inner}", part, profile)
    elif not (_is_word(step) or isinstance(step, AutoScaleMixin)):
        for reason in _reasons(step, profile):
            yield name, f"{type(step).__name__}, {reason}"


def _reasons(step: Any, profile: Profile) -> Iterator[str]:
    if is_clusterer(step):
        yield "which learns as good clusters on blocks, not the same"
    elif promoted(step) is not None:
        yield from block_refusals(twin(step), profile)
    elif not needs_no_fit(step):
        yield "which learns from rows in memory"


def named_steps(step: Any) -> list[tuple[str, Any]] | None:
    """Return the steps of what scikit-learn composes of steps, or None."""
    if isinstance(step, Pipeline):
        return list(step.steps)
    if isinstance(step, FeatureUnion):
        return list(step.transformer_list)
    if isinstance(step, ColumnTransformer):
        steps = [(name, part) for name, part, _ in step.transformers]
        return [*steps, ("remainder", step.remainder)]
    return None


def _is_word(step: Any) -> bool:
    return step is None or isinstance(step, str)


def _parts(step: Any) -> list[Any] | None:
    """Return the steps of a pipeline or a union; None of what has none."""
    if not isinstance(step, Pipeline | FeatureUnion):
        return None
    return [part for _, part in named_steps(step) or ()]


def _with_parts(step: Any, parts: list[Any]) -> Any:
    """Return a copy of a pipeline or a union, with other steps in the same places."""
    copied = copy.copy(step)
    names = [name for name, _ in named_steps(step) or ()]
    place = "steps" if isinstance(step, Pipeline) else "transformer_list"
    setattr(copied, place, list(zip(names, parts, strict=True)))
    return copied
