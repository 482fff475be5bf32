"""What is asked: an estimator, a method, how much work that is, and who could do it."""

from dataclasses import dataclass

__all__ = ["ENGINES", "Job", "workers_asked"]

ENGINES = ("sklearn", "joblib", "dask-ml", "blockwise")


@dataclass(frozen=True, slots=True)
class Job:
    """A request, in terms that a decision needs.

    Parameters
    ----------
    estimator : str
        Class name, for messages.
    method : str
        Usually "fit".
    engine : str
        The engine asked for by name, or "auto".
    refusals : tuple of (str, str)
        Pairs of engine and reason: what an engine cannot do for this very request.
    n_fits : int
        Independent fits: one, or candidates times splits.
    seconds_per_fit : float or None
        Measured on this input; None before the first fit.
    passes : float
        Expected passes over the rows in one fit.
    operations : float
        Arithmetic operations per cell and pass.
    copies : float
        What scikit-learn holds at its peak, in multiples of the input, the input
        included.
    n_jobs : int or None
        Cap on workers; None leaves it to the plan.
    exact_rows : int or None
        Up to this many rows every engine gives the very same answer, so that the
        choice among them is free; None where that holds at any size.
    reservations : tuple of (str, str)
        Pairs of engine and reason: what "auto" passes an engine by for, although it
        can.
    moves_whole : bool
        A single fit may run whole on one worker, which the rows are put together on.
    in_threads : bool
        Fits may run side by side in threads of this process.
    rows : str
        Which rows are fitted, where the user asked for some of them by name.
    read_bytes : int
        Bytes of the blocks that are read for those rows.
    n_parts, part_bytes : int
        Parts of the rows that are fitted apart, each in memory, and the bytes of the
        largest; 0 for any other fit.
    """

    estimator: str
    method: str = "fit"
    engine: str = "auto"
    refusals: tuple[tuple[str, str], ...] = ()
    n_fits: int = 1
    seconds_per_fit: float | None = None
    passes: float = 1.0
    operations: float = 2.0
    copies: float = 2.0
    n_jobs: int | None = None
    exact_rows: int | None = None
    reservations: tuple[tuple[str, str], ...] = ()
    moves_whole: bool = False
    in_threads: bool = False
    rows: str = ""
    read_bytes: int = 0
    n_parts: int = 0
    part_bytes: int = 0

    def refused(self, engine: str) -> list[str]:
        """Return the reasons why `engine` cannot take this request."""
        return [reason for name, reason in self.refusals if name == engine]


def workers_asked(n_jobs: int | None, width: int) -> int:
    """Return for how many of `width` workers `n_jobs` asks, as joblib reckons.

    A number above `width` is returned as it is, since workers may still come.
    """
    if n_jobs is None or n_jobs == -1:
        return width
    return n_jobs if n_jobs > 0 else max(1, width + 1 + n_jobs)
