"""Any estimator with `partial_fit`, on row blocks: mixed batches, several epochs.

A buffer of several blocks is fetched by one task, which mixes their rows and hands them
to `partial_fit`; then comes the next buffer. Blocks are dealt to buffers so that each
has some of low, of middle and of high targets: so do rows that are sorted by label no
harm. The model travels, the rows do not.

What is learned depends on the seed and on how the rows are cut, not on who works. Rows
that fit into one buffer are mixed by their numbers: there the cutting is of no matter.

Passes: two over the target, where there is one, and one over all for each epoch.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from inspect import signature
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import is_classifier
from sklearn.utils import check_random_state

from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels.driver import Pass
from sklearn_dask_auto.kernels.targets import check_target, classes_of, encode

__all__ = ["deal", "further", "stream"]

BUFFER_BYTES = 128_000_000
"""Rows that are mixed at a time; they are held twice while they are."""
LEAST_BLOCKS = 4
"""Blocks that are mixed at a time, however large they are."""
PATIENCE = 5
"""Epochs without a better score after which the fit stops."""


@dataclass(frozen=True)
class _State:
    """What travels from buffer to buffer.

    Parameters
    ----------
    model : estimator
        Fitted to the buffers so far; not yet fitted before the first.
    classes : ndarray or None
        Of all rows, for a classifier.
    scores : bool
        Score each buffer before it is learned from.
    """

    model: Any
    classes: Any
    scores: bool


def stream(
    model: Any, rows: Rows, *, max_epochs: int, tol: float, random_state: Any
) -> tuple[Any, int]:
    """Fit by `partial_fit`, buffer by buffer.

    Parameters
    ----------
    model : estimator
        Not fitted, and not changed.
    rows : Rows
        With "y" and "sample_weight" beside `X`, or without.
    max_epochs : int
        Passes over all rows; with more than one, fewer if the mean score of the
        buffers, each taken before it is learned from, no longer improves.
    tol : float
        What counts as an improvement of the score.
    random_state : object
        Seeds the order of the blocks and of the rows.

    Returns
    -------
    model : estimator
        Fitted.
    n_epochs : int
        Passes made.
    """
    blocks = Pass(rows)
    classes = None
    if is_classifier(model):
        check_target(rows.beside["y"])
        classes = classes_of(blocks)
    means, counts = _survey(rows, classes)
    random = check_random_state(random_state)
    state = _State(_with_class_weights(model, classes, counts), classes, max_epochs > 1)
    progress, n_epochs = _Progress(tol), 0
    while n_epochs < max_epochs and not progress.has_ended:
        for buffer in deal(rows, means, random):
            learn = partial(_learn, seed=int(random.randint(2**31)))
            trained, score, size = blocks.apply(learn, buffer, state)
            progress.note(state.model, score, size)
            state = replace(state, model=trained)
        progress.end_epoch()
        n_epochs += 1
    fitted = state.model if progress.best is None else progress.best
    return _with_parameters_of(model, fitted), n_epochs


def further(model: Any, rows: Rows, classes: Any) -> Any:
    """Hand each block to `partial_fit` once, in the order of the rows.

    Parameters
    ----------
    model : estimator
        Fitted or not; not changed.
    rows : Rows
        As for `stream`.
    classes : ndarray or None
        For a classifier that has not been told them; inferred from the target if it
        takes them, and has none.

    Returns
    -------
    model : estimator
        Fitted further.
    """
    blocks = Pass(rows)
    takes_classes = "classes" in signature(model.partial_fit).parameters
    if classes is None and takes_classes and not hasattr(model, "classes_"):
        classes = classes_of(blocks)
    named_once = {} if classes is None else {"classes": classes}
    for number in np.flatnonzero(rows.sizes):
        go_on = partial(_go_on, named_once=named_once)
        model = blocks.apply(go_on, [int(number)], model)
    return model


def _go_on(parts: list[Any], model: Any, *, named_once: dict[str, Any]) -> Any:
    ((block, beside, _),) = parts
    return copy.deepcopy(model).partial_fit(block, **beside, **named_once)


class _Progress:
    """Keep the best model, and tell when epochs no longer improve.

    Steps on a few rows are noisy, so that the last model may be a bad one. The score of
    a buffer is of a model that has not learned from it since the epoch before.

    Parameters
    ----------
    tol : float
        What counts as an improvement of the mean score of an epoch.
    """

    def __init__(self, tol: float) -> None:
        self.best: Any = None
        self._tol = tol
        self._best_score = self._best_mean = -np.inf
        self._n_since_best = 0
        self._scores: list[tuple[float, int]] = []

    def note(self, model: Any, score: float | None, size: int) -> None:
        """Take the score of a model on a buffer of so many rows, if it has one."""
        if score is None:
            return
        self._scores.append((score, size))
        if score > self._best_score:
            self.best, self._best_score = model, score

    def end_epoch(self) -> None:
        """Compare the mean score of the epoch with those before."""
        if self._scores:
            values, sizes = np.transpose(self._scores)
            mean = float(values @ sizes / sizes.sum())
            is_better = mean > self._best_mean + self._tol
            self._n_since_best = 0 if is_better else self._n_since_best + 1
            self._best_mean, self._scores = max(self._best_mean, mean), []

    @property
    def has_ended(self) -> bool:
        """There was no improvement for `PATIENCE` epochs."""
        return self._n_since_best >= PATIENCE


def _survey(rows: Rows, classes: Any) -> tuple[Any, Any]:
    """Return the mean target of each block with rows, and the rows of each class."""
    n_blocks = sum(size > 0 for size in rows.sizes)
    y = rows.beside.get("y")
    if y is None:
        return np.zeros(n_blocks), None
    column = y if y.ndim == 2 else y[:, None]
    parts: list[Any] = Pass(Rows(column)).fold(_survey_block, _joined, classes)
    parts.sort(key=_start_of)
    counts = None if classes is None else np.sum([part[2] for part in parts], axis=0)
    return np.array([part[1] for part in parts]), counts


def _survey_block(block: Any, beside: Any, start: int, classes: Any) -> Any:
    if classes is None:
        return [(start, float(np.mean(block)), None)]
    codes = encode(classes, block)
    return [(start, float(codes.mean()), np.bincount(codes, minlength=len(classes)))]


def _joined(a: list[Any], b: list[Any]) -> list[Any]:
    return a + b


def _start_of(part: Any) -> int:
    return int(part[0])


def _with_class_weights(model: Any, classes: Any, counts: Any) -> Any:
    """Balance classes by their number in all rows, which no single batch can know."""
    if getattr(model, "class_weight", None) != "balanced":
        return copy.deepcopy(model)
    weights = counts.sum() / (len(classes) * counts)
    mapped = dict(zip(classes.tolist(), weights.tolist(), strict=True))
    return copy.deepcopy(model).set_params(class_weight=mapped)


def _with_parameters_of(model: Any, fitted: Any) -> Any:
    if getattr(model, "class_weight", None) == "balanced":
        fitted.set_params(class_weight="balanced")
    return fitted


def deal(rows: Rows, means: Any, random: Any) -> list[list[int]]:
    """Deal blocks to buffers: of each stratum of targets, one block to a buffer.

    Parameters
    ----------
    rows : Rows
        The blocks.
    means : ndarray of shape (n_blocks,)
        Mean target of each block that has rows.
    random : RandomState
        Decides which block of a stratum goes where.

    Returns
    -------
    buffers : list of list of int
        Numbers of blocks, ascending in each buffer.
    """
    numbers = np.flatnonzero(rows.sizes)
    row_bytes = rows.n_columns * rows.dtype.itemsize
    n_buffers = max(1, -(-rows.n_rows * row_bytes // BUFFER_BYTES))
    n_buffers = min(n_buffers, -(-len(numbers) // LEAST_BLOCKS))
    n_strata = -(-len(numbers) // n_buffers)
    dealt: list[list[int]] = [[] for _ in range(n_buffers)]
    for stratum in np.array_split(np.argsort(means, kind="stable"), n_strata):
        places = random.permutation(n_buffers)[: len(stratum)]
        for place, block in zip(places, stratum, strict=True):
            dealt[place].append(int(numbers[block]))
    return [sorted(buffer) for buffer in dealt if buffer]


def _learn(
    parts: list[Any], state: _State, *, seed: int
) -> tuple[Any, float | None, int]:
    """Return the model after a buffer, its score there before, and the rows."""
    blocks, beside, _ = zip(*parts, strict=True)
    size = sum(block.shape[0] for block in blocks)
    order = np.random.RandomState(seed).permutation(size)
    X = _mixed(blocks, order)
    named = {name: _mixed([b[name] for b in beside], order) for name in beside[0]}
    model, score = copy.deepcopy(state.model), None
    if state.scores and hasattr(model, "n_features_in_"):
        score = float(model.score(X, **named))
    named_once = {} if state.classes is None else {"classes": state.classes}
    for batch in _batches(model, size):
        taken = {name: value[batch] for name, value in named.items()}
        model.partial_fit(X[batch], **taken, **named_once)
    return model, score, size


def _mixed(blocks: Any, order: Any) -> Any:
    """Put the rows of several blocks together in a new order, with one copy."""
    if sp.issparse(blocks[0]):
        return sp.vstack(blocks, format="csr")[order]
    dtype = np.result_type(*{block.dtype for block in blocks})
    mixed = np.empty((len(order), *blocks[0].shape[1:]), dtype)
    place, start = np.argsort(order), 0
    for block in blocks:
        mixed[place[start : start + len(block)]] = block
        start += len(block)
    return mixed


def _batches(model: Any, n_rows: int) -> Iterator[slice]:
    """Cut a buffer as the estimator wants it: by its `batch_size`, if it has one."""
    size = getattr(model, "batch_size", None)
    size = n_rows if not isinstance(size, int) else min(size, n_rows)
    # Rows left over join the last batch, as some need a number of rows at least.
    n_batches = max(1, n_rows // size)
    for i in range(n_batches):
        yield slice(i * size, n_rows if i == n_batches - 1 else (i + 1) * size)
