"""Threads of BLAS and OpenMP: how many of them a fit should have.

Fits side by side get their share of the cores each, and never more than they had. For
fits one after another all cores are theirs, which helps some of them; on matrices as
small as most searches have, threads that wait for each other can take several times as
long as one alone. So that is tried out.
"""

import contextlib

from sklearn_dask_auto.inputs.threads import (
    bounded_blas,
    bounded_threads,
    would_exceed,
)

__all__ = ["ThreadTrial"]

SHORT_SECONDS = 0.005
"""Fits that take less are not worth a trial."""


class ThreadTrial:
    """Finds out how many threads suit fits that run here one after another.

    The first has its share, as it would have beside others. The second is tried with
    all threads, if it is worth that. The first one also imported and filled caches, so
    that a third decides where the second was faster.

    Parameters
    ----------
    share : int
        Threads for each of the fits, if as many as there are cores ran side by side.
    """

    def __init__(self, share: int) -> None:
        self._share = share
        self._bounded: list[float] = []
        self._free: list[float] = []
        self._limits = contextlib.ExitStack()
        self._is_bounded = False
        self._is_choice = False

    def begin(self) -> None:
        """Set the threads of the next fit."""
        is_bounded = self._is_share_next()
        # What the first fit imports brings threads of its own.
        if is_bounded != self._is_bounded or len(self._bounded) <= 1:
            self.end()
            self._is_choice = would_exceed(self._share)
            if is_bounded:
                self._limits.enter_context(bounded_threads(self._share))
            self._is_bounded = is_bounded

    def learn(self, seconds: float) -> bool:
        """Hear how long the fit took; tell whether others are expected to do so."""
        (self._bounded if self._is_bounded else self._free).append(seconds)
        return self._is_bounded or seconds < min(self._bounded)

    def settle(self) -> None:
        """Leave BLAS at its share for what comes next, if that was found to be faster.

        OpenMP gets its threads back: some estimators remember how many they had.
        """
        is_faster = bool(self._free) and not self._is_faster_free()
        self.end()
        if is_faster:
            self._limits.enter_context(bounded_blas(self._share))

    def end(self) -> None:
        """Give all threads back."""
        self._limits.close()
        self._is_bounded = False

    def _is_share_next(self) -> bool:
        if not self._bounded or not self._is_choice:
            return True
        if not self._free:
            return self._bounded[0] < SHORT_SECONDS
        is_first_doubted = len(self._bounded) == 1
        return is_first_doubted or not self._is_faster_free()

    def _is_faster_free(self) -> bool:
        return min(self._free) < min(self._bounded)
