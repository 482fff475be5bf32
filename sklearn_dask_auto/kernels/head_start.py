"""Where an iterative fit of many rows starts: near the minimum of a few of them.

The pass that looks at all rows before the first step also takes a sample of them. Its
minimum costs next to nothing to find, and lies within sampling error of the one that is
looked for, which spares most of the passes that a start from zero would take on the way
there. Used by logistic and Poisson regression.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from sklearn_dask_auto.kernels.glm import newton
from sklearn_dask_auto.kernels.lottery import merge_parts, put_together

__all__ = ["Sample", "better_start", "merge_surveys", "numbers", "sample_of"]

T = TypeVar("T")

SAMPLE_ROWS = 20_000
LEAST_MULTIPLE = 10
"""Of fewer rows than so many samples, the passes are not worth sparing."""
PRECISION, MOST_STEPS = 1e-3, 10
"""Of the minimum of a sample, which is off by more than that anyway."""


@dataclass(frozen=True)
class Sample:
    """A few rows, and what lies beside them, in this process.

    Parameters
    ----------
    block : ndarray or CSR matrix of shape (n_sampled, n_columns)
    beside : dict of str to ndarray
        By the names that they have beside all rows.
    """

    block: Any
    beside: dict[str, Any]

    def fold(self, summarise: Callable[..., T], merge: Any, state: Any = None) -> T:
        """Return the statistics of these rows, as `Pass.fold` does those of all."""
        return summarise(self.block, self.beside, 0, state)


def numbers(n_rows: int) -> Any:
    """Return the numbers of the rows of the sample: always the same, and sorted."""
    if n_rows < LEAST_MULTIPLE * SAMPLE_ROWS:
        return np.empty(0, np.int64)
    drawn = np.random.default_rng(0).choice(n_rows, SAMPLE_ROWS, replace=False)
    return np.sort(drawn)


def merge_surveys(a: Any, b: Any) -> Any:
    """Merge what two sets of blocks had: sums, and parts of the sample."""
    return a[0] + b[0], merge_parts(a[1], b[1])


def sample_of(parts: list[Any]) -> Sample | None:
    """Put together what blocks had, as `fetch_block` returns it; None of nothing."""
    return Sample(*put_together(parts, slice(None))) if parts else None


def better_start(problem: Any, sample: Sample | None, start: Any) -> Any:
    """Return coefficients near the minimum of a sample.

    Parameters
    ----------
    problem : Problem
        That of all rows, a dataclass.
    sample : Sample or None
        None to leave the start as it is.
    start : ndarray of shape (n_coefficients,), float64
        Where to begin.

    Returns
    -------
    start : ndarray of shape (n_coefficients,), float64
    """
    if sample is None:
        return start
    *_, weight = problem.losses(sample.block, sample.beside)
    total = float(sample.block.shape[0] if weight is None else weight.sum(dtype=float))
    if total == 0:
        return start
    of_sample = replace(problem, weight=total)
    found, *_ = newton(sample, of_sample, start, PRECISION, MOST_STEPS)
    return found if np.isfinite(found).all() else start
