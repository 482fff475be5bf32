"""Folds of a dask collection, taken lazily, for scikit-learn's own loops over them.

The folds are scikit-learn's: its splitter is given the number of rows and, in memory,
`y` and `groups`. What goes through the loop is rows that can be taken by number.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.model_selection import check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils import check_consistent_length

from sklearn_dask_auto._base import AutoScaleMixin
from sklearn_dask_auto._config import get_config
from sklearn_dask_auto._survey import survey
from sklearn_dask_auto.inputs import count_rows, is_dask
from sklearn_dask_auto.inputs.gather import gather, row_bytes_of
from sklearn_dask_auto.routing import Job, Profile, decide

__all__ = ["LazyFolds", "blockwise_refusals", "count_splits", "lazy_folds"]

DEFAULT_SPLITS = 5
"""scikit-learn's number of folds for ``cv=None``."""


@dataclass(frozen=True)
class LazyFolds:
    """What stands for the data in a loop of scikit-learn's over folds.

    Parameters
    ----------
    X : dask array, DataFrame or Series
        Its rows can be taken by number.
    y : RowValues or None
        In the blocks of `X`, and in memory.
    params : dict
        Fit parameters; those with one value a row are as `y`.
    cv : object
        A splitter that may be called with them.
    """

    X: Any
    y: Any
    params: dict[str, Any]
    cv: Any


def lazy_folds(
    estimator: Any, X: Any, y: Any, params: dict[str, Any], cv: Any, room: int
) -> LazyFolds:
    """Prepare a collection for a loop over folds.

    Parameters
    ----------
    estimator : object
        Classifiers get stratified folds by default, as in scikit-learn.
    X : dask array, DataFrame or Series, or ndarray
        Rows are counted where their number is unknown. Lazy blocks that take up to
        `room` bytes are computed once and kept.
    y : object
        Brought here, as is what has one value a row in `params`.
    params : dict
        Arguments of `fit`, of the splitter and of the scorer.
    cv : object
        As scikit-learn's functions take it.
    room : int
        Bytes.

    Returns
    -------
    folds : LazyFolds
    """
    from sklearn_dask_auto.inputs.entry import known_rows, row_counts, settled
    from sklearn_dask_auto.inputs.indexable import indexable_rows, row_values

    X = settled(X) if is_dask(X) else known_rows([X])[0]
    (counts,) = row_counts([X])
    n_rows = sum(counts)
    X, y, params = _held(X, y, params, n_rows, room)
    _, y, params = gather(None, y, params)
    check_consistent_length(range(n_rows), y)
    splitter = check_cv(cv, y, classifier=is_classifier(estimator))
    return LazyFolds(
        X=indexable_rows(X),
        y=None if y is None else row_values(y, counts),
        params={
            name: row_values(value, counts) if _is_aligned(value, n_rows) else value
            for name, value in params.items()
        },
        cv=_Splitter(splitter),
    )


def blockwise_refusals(estimator: Any, profile: Profile) -> Iterator[str]:
    """Say why an estimator cannot be fitted on folds that stay dask collections."""
    if isinstance(estimator, Pipeline):
        for name, step in estimator.steps:
            if step not in (None, "passthrough"):
                reasons = blockwise_refusals(step, profile)
                yield from (f"step {name!r}: {reason}" for reason in reasons)
    elif not isinstance(estimator, AutoScaleMixin):
        yield (
            f"{type(estimator).__name__} takes whole folds in one process; an "
            "estimator of this library, and a pipeline of them, takes dask input"
        )
    else:
        job = estimator._job(profile, {})
        if not _fits_a_worker(profile, job):
            name = type(estimator).__name__
            yield from (f"{name}: {reason}" for reason in job.refused("blockwise"))


def _fits_a_worker(profile: Profile, job: Job) -> bool:
    """Tell whether each fit can put its rows together on a worker of the cluster."""
    if not job.moves_whole or not profile.is_dask:
        return False
    resources, budget = survey(with_cluster=True), get_config()["memory_budget"]
    return (
        decide(profile, replace(job, engine="joblib"), resources, budget).engine
        is not None
    )


def count_splits(cv: Any) -> int:
    """Count from metadata alone; a generator must not be consumed for a plan."""
    if cv is None:
        return DEFAULT_SPLITS
    if isinstance(cv, int):
        return cv
    n_splits = getattr(cv, "n_splits", None)
    if isinstance(n_splits, int):
        return n_splits
    return len(cv) if hasattr(cv, "__len__") else DEFAULT_SPLITS


class _Splitter:
    """A splitter of scikit-learn, given what is in memory of that which it asks for."""

    def __init__(self, cv: Any, *, is_ascending: bool = False) -> None:
        self._cv = cv
        self._is_ascending = is_ascending

    def ascending(self) -> "_Splitter":
        """Return one with the same folds, each in the order of the rows."""
        return _Splitter(self._cv, is_ascending=True)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._cv, name)

    def split(self, X: Any, y: Any = None, **params: Any) -> Iterator[tuple[Any, Any]]:
        """Yield row numbers for training and for testing."""
        for halves in self._cv.split(X, **_here(y=y, **params)):
            train, test = map(_numbers, halves)
            yield (
                (np.sort(train), np.sort(test)) if self._is_ascending else (train, test)
            )

    def get_n_splits(self, X: Any = None, y: Any = None, **params: Any) -> int:
        """Return the number of folds."""
        return int(self._cv.get_n_splits(X, **_here(y=y, **params)))


def _here(**values: Any) -> dict[str, Any]:
    from sklearn_dask_auto.inputs.indexable import values_of

    return {name: values_of(value) for name, value in values.items()}


def _numbers(rows: Any) -> Any:
    """Return row numbers; scikit-learn takes masks of an iterable `cv`, too."""
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows


def _is_aligned(value: Any, n_rows: int) -> bool:
    """Tell whether a parameter has one value for each row, as scikit-learn does."""
    if isinstance(value, str | bytes | dict) or np.ndim(value) == 0:
        return False
    return bool(count_rows(value) == n_rows)


def _held(
    X: Any, y: Any, params: dict[str, Any], n_rows: int, room: int
) -> tuple[Any, Any, dict[str, Any]]:
    """Compute lazy rows once and keep their blocks, if they take up to `room` bytes.

    What lies beside them may come from the same source, and is computed with them.
    """
    from sklearn_dask_auto.inputs.entry import settled
    from sklearn_dask_auto.inputs.scheduler import is_at_hand, persist

    if is_at_hand(X) or n_rows * row_bytes_of(X) > room:
        return X, y, params
    values = [X, y, *params.values()]
    kept = iter(persist(*(settled(value) for value in values if is_dask(value))))
    X, y, *rest = (next(kept) if is_dask(value) else value for value in values)
    return X, y, dict(zip(params, rest, strict=True))
