"""`train_test_split` for collections of any size: scikit-learn's rows, taken lazily."""

from typing import Any

import numpy as np
import sklearn.model_selection
from sklearn.utils import check_consistent_length, indexable

from sklearn_dask_auto._sklearn import safe_indexing
from sklearn_dask_auto.inputs import is_dask, refuse_unshaped
from sklearn_dask_auto.inputs.gather import gather

__all__ = ["train_test_split"]


def train_test_split(
    *arrays: Any,
    test_size: float | int | None = None,
    train_size: float | int | None = None,
    random_state: Any = None,
    shuffle: bool = True,
    stratify: Any = None,
) -> list[Any]:
    """Split arrays, DataFrames or dask collections into random train and test rows.

    Arrays in memory are split by scikit-learn's own function. If one of them is a dask
    collection, the very rows that scikit-learn would choose for this `random_state`
    are chosen, however the collections are cut, and are taken lazily.

    Parameters
    ----------
    *arrays : {array-like, sparse matrix, dask array, dask DataFrame, dask Series}
        All with the same number of rows; kinds may be mixed, and cuts may differ.
    test_size : float or int, default=None
        As in :func:`sklearn.model_selection.train_test_split`.
    train_size : float or int, default=None
        As in :func:`sklearn.model_selection.train_test_split`.
    random_state : int, RandomState instance or None, default=None
        As in :func:`sklearn.model_selection.train_test_split`.
    shuffle : bool, default=True
        Choose rows at random. If False, the first rows are for training.
    stratify : {array-like, dask array, dask Series}, default=None
        As in :func:`sklearn.model_selection.train_test_split`; brought here.

    Returns
    -------
    splitting : list, length=2 * len(arrays)
        Train and test rows of each array, in its own kind: lazy for a dask collection,
        with known block sizes, concrete for an array in memory.

    Raises
    ------
    ValueError
        scikit-learn's own, for sizes, lengths or classes that it would refuse.

    See Also
    --------
    sklearn.model_selection.train_test_split : The function mirrored.
    dask_ml.model_selection.train_test_split : Another, which splits block by block.

    Notes
    -----
    Order: where one of the arrays is a dask collection, rows keep the order they had,
    in all the arrays; scikit-learn returns the same rows in a random order. To put
    them in that order, every block would have to be sent to every other.

    Passes over the data: none. Block sizes that are unknown, as are those of most
    DataFrames, are counted in one pass; a lazy `stratify` is computed in another.
    What is made of both halves in one computation reads each block once, unless
    partitions of a DataFrame that one half does not need were left out of it.

    Row numbers are drawn here: 8 bytes a row while it runs.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import train_test_split
    >>> X, y = np.arange(20).reshape(10, 2), np.arange(10)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> y_test
    array([2, 8, 4])

    The same rows of dask arrays, lazily and in their old order:

    >>> import dask.array as da
    >>> dX, dy = da.from_array(X, chunks=(4, 2)), da.from_array(y, chunks=3)
    >>> X_train, X_test, y_train, y_test = train_test_split(dX, dy, random_state=0)
    >>> y_test
    dask.array<take, shape=(3,), dtype=int64, chunksize=(1,), chunktype=numpy.ndarray>
    >>> y_test.compute()
    array([2, 4, 8])
    """
    options = {
        "test_size": test_size,
        "train_size": train_size,
        "random_state": random_state,
        "shuffle": shuffle,
    }
    for array in arrays:
        refuse_unshaped(array=array)
    if not any(map(is_dask, arrays)):
        _, stratify, _ = gather(None, stratify, {})
        return sklearn.model_selection.train_test_split(
            *arrays, stratify=stratify, **options
        )
    pairs = _with_counts(arrays)
    lengths = [
        array if counts is None else range(sum(counts)) for array, counts in pairs
    ]
    check_consistent_length(*lengths)
    _, stratify, _ = gather(None, stratify, {})
    n_rows = next(sum(counts) for _, counts in pairs if counts is not None)
    halves = sklearn.model_selection.train_test_split(
        np.arange(n_rows), stratify=stratify, **options
    )
    return [_taken(*pair, np.sort(rows)) for pair in pairs for rows in halves]


train_test_split.__test__ = False  # type: ignore[attr-defined]
# pytest would take it for a test where it is imported, as it would scikit-learn's.


def _with_counts(arrays: tuple[Any, ...]) -> list[tuple[Any, tuple[int, ...] | None]]:
    """Put beside each collection the rows of its blocks, and None beside the others."""
    from sklearn_dask_auto.inputs.entry import row_counts, settled

    lazy = [settled(array) for array in arrays if is_dask(array)]
    counted = zip(lazy, row_counts(lazy), strict=True)
    return [
        next(counted) if is_dask(array) else (*indexable(array), None)
        for array in arrays
    ]


def _taken(array: Any, counts: tuple[int, ...] | None, rows: Any) -> Any:
    if counts is None:
        return safe_indexing(array, rows)
    from sklearn_dask_auto.inputs.take import take_rows

    return take_rows(array, counts, rows)
