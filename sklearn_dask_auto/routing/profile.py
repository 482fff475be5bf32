"""What the input is, from its metadata alone."""

from dataclasses import dataclass

__all__ = ["Profile"]


@dataclass(frozen=True, slots=True)
class Profile:
    """Facts about `X` (and the arrays beside it) that decide a route.

    Parameters
    ----------
    container : str
        "numpy", "pandas", "polars", "scipy sparse", "list", "dask array",
        "dask dataframe" or "other".
    n_rows, n_columns : int or None
        None where only a computation can tell.
    n_bytes : int or None
        Bytes of `X` and of the arrays beside it, once computed.
    dtype : str
        Common dtype of `X`.
    n_blocks : int
        Blocks of rows and columns; 1 for anything that is not a dask collection.
    block_bytes : int
        Bytes of the largest block.
    is_dask : bool
        `X` is a dask collection.
    is_stored : bool
        The blocks of a dask collection are in memory, here or on the workers.
    is_sparse : bool
        The blocks of a dask collection are scipy's sparse matrices.
    target : str or None
        Container of `y`, if there is one.
    """

    container: str
    n_rows: int | None = None
    n_columns: int | None = None
    n_bytes: int | None = None
    dtype: str = ""
    n_blocks: int = 1
    block_bytes: int = 0
    is_dask: bool = False
    is_stored: bool = True
    is_sparse: bool = False
    target: str | None = None

    @property
    def n_values(self) -> int:
        """Number of cells, 0 where it is unknown."""
        return (self.n_rows or 0) * (self.n_columns or 0)

    def __str__(self) -> str:
        rows = "?" if self.n_rows is None else f"{self.n_rows:,}"
        columns = "?" if self.n_columns is None else f"{self.n_columns:,}"
        parts = [f"{self.container} {rows} x {columns} {self.dtype}".rstrip()]
        if self.n_bytes is not None:
            parts.append(format_bytes(self.n_bytes))
        if self.is_dask:
            blocks = f"{self.n_blocks:,} block" + "s" * (self.n_blocks != 1)
            parts.append(f"{blocks}, {'in memory' if self.is_stored else 'lazy'}")
        return ", ".join(parts)


def format_bytes(n_bytes: float) -> str:
    """Write a number of bytes with three digits and a unit.

    Examples
    --------
    >>> format_bytes(1_600_000_000)
    '1.6 GB'
    """
    size = float(n_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"
