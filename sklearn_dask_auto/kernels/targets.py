"""What classifiers need of `y` beside row blocks: its classes, and codes for them.

Labels are of any dtype that scikit-learn takes, and blocks may differ in theirs. Errors
are scikit-learn's. Used by every kernel that learns to classify.
"""

from typing import Any

import numpy as np
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from sklearn_dask_auto.inputs.entry import Rows
from sklearn_dask_auto.kernels.driver import Pass

__all__ = ["check_target", "classes_of", "encode", "labels_of"]


def check_target(y: Any) -> None:
    """Have scikit-learn judge the shape of a target; nothing of it is computed.

    Parameters
    ----------
    y : dask array
        A single column is a warning, more are an error.
    """
    if y.ndim > 1:
        # A column is warned of, not copied.
        shape = (0, 1) if y.shape[1:] == (1,) else y.shape
        column_or_1d(np.broadcast_to(np.int8(0), shape), warn=True)


def labels_of(block: Any) -> Any:
    """Return the labels of one block, sorted.

    Parameters
    ----------
    block : ndarray of shape (n_rows,) or (n_rows, 1)
        At least one row.

    Returns
    -------
    labels : ndarray of shape (n_labels,)

    Raises
    ------
    ValueError or TypeError
        scikit-learn's, for what are no labels.
    """
    y = column_or_1d(block)
    assert_all_finite(y, input_name="y")
    # Of objects, only the first is looked at; so that others are not compared.
    check_classification_targets(y[:1])
    # Python's objects are hashed several times faster than they are sorted.
    labels = np.unique(np.array([*{*y}], object) if y.dtype.kind == "O" else y)
    _check_labels(labels, 3 * len(labels))
    return labels


def _check_labels(labels: Any, n_rows: int) -> None:
    """Have scikit-learn judge the labels of so many rows; it may warn if all differ."""
    # It counts rows too. Three for each label say as much as more would.
    check_classification_targets(np.resize(labels, min(n_rows, 3 * len(labels))))


def classes_of(blocks: Pass) -> Any:
    """Return the sorted labels of all rows, in one pass over `y` alone.

    Parameters
    ----------
    blocks : Pass
        With "y" beside the rows, which `check_target` has judged.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        Of the dtype of `y`.

    Raises
    ------
    ValueError or TypeError
        scikit-learn's, for a target that is not finite, or not made of labels.
    """
    y = blocks.rows.beside["y"]
    column = y if y.ndim == 2 else y[:, None]
    classes = Pass(Rows(column)).fold(_block_labels, np.union1d)
    _check_labels(classes, blocks.rows.n_rows)
    return classes


def _block_labels(block: Any, beside: dict[str, Any], start: int, state: Any) -> Any:
    return labels_of(block)


def encode(classes: Any, block: Any) -> Any:
    """Return the position of every label of a block among the classes.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted; every label of the block is among them.
    block : ndarray of shape (n_rows,) or (n_rows, 1)
        Labels.

    Returns
    -------
    codes : ndarray of shape (n_rows,), int64
    """
    y = np.ravel(block)
    if classes.dtype.kind == "O":
        codes = {label: code for code, label in enumerate(classes)}
        return np.fromiter((codes[label] for label in y), np.int64, len(y))
    return np.searchsorted(classes, y).astype(np.int64, copy=False)
