"""Rows that lie together on workers of a cluster, and what stands for them here."""

from typing import Any

__all__ = ["ElsewhereError", "RowsElsewhere"]


class ElsewhereError(TypeError):
    """Values were asked for that only workers hold."""


class RowsElsewhere:
    """Stands, in this process, for rows that only workers hold.

    scikit-learn's loops over folds ask it for its size, and hand it to the fits along
    with row numbers; what sends the fits puts the rows in its place.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.ndim = len(shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Any:
        """Refuse what asks for values, such as a splitter that looks at `X`."""
        raise ElsewhereError(
            "X lies on the workers of the cluster, and its rows are not here. What "
            'looks at X needs it in memory: engine="sklearn" brings it here.'
        )

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        """Refuse as `__getitem__` does."""
        return self[...]

    def __reduce__(self) -> Any:
        raise TypeError("rows on the workers of a cluster cannot be sent from here")
