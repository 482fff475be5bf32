"""Where the fits of a search run: decided again, with measured times, as they run."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import joblib
from joblib.parallel import get_active_backend

from sklearn_dask_auto import engines
from sklearn_dask_auto.engines.probe import ProbingBackend
from sklearn_dask_auto.routing import Plan, decide

__all__ = ["Placement"]

SHORT_SECONDS = 0.05
"""Fits that together take less run here: asking would cost as much as it could save."""


class Placement:
    """Keeps the plan of a search up to date, and gives its fits a place to run.

    Parameters
    ----------
    plan : Plan
        Made before the first fit, when nobody knew how long one takes.
    data : list of object
        What the fits will be called with.
    """

    def __init__(self, plan: Plan, data: list[Any]) -> None:
        self.plan = plan
        self._data = data

    @contextmanager
    def active(self) -> Iterator[None]:
        """Have joblib ask us, unless there is nothing to choose."""
        if not self._has_choice():
            yield
            return
        forced = self.plan.job.engine == "joblib"
        backend = ProbingBackend(self._choose, n_probes=0 if forced else 1)
        with joblib.parallel_config(backend=backend):
            yield

    def _has_choice(self) -> bool:
        if self.plan.job.engine == "joblib":
            return True
        if self.plan.job.n_jobs == 1 or _user_backend() is not None:
            return False
        able = [c for c in self.plan.candidates if c.is_able]
        cores = self.plan.resources.cores
        is_alone = self.plan.resources.is_in_worker or cores == 1
        return len(able) > 1 or not is_alone

    def _choose(self, seconds: float, n_left: int) -> joblib.Parallel | None:
        job = replace(self.plan.job, seconds_per_fit=seconds, n_fits=n_left)
        if job.engine == "auto" and seconds * n_left < SHORT_SECONDS:
            return None
        self.plan = decide(
            self.plan.profile, job, self.plan.resources, self.plan.budget
        )
        chosen = self.plan.chosen
        if chosen is None or (
            chosen.engine == "sklearn" and chosen.cost.n_workers == 1
        ):
            return None
        engine = cast("engines.SpreadingEngine", engines.load(chosen.engine))
        return engine.workers(chosen.cost.n_workers, self._data)


def _user_backend() -> str | None:
    """Return the name of a joblib backend that the user chose, other than ours to use.

    The default and Dask's leave the choice to the plan; any other is an order.
    """
    backend = type(get_active_backend()[0]).__name__
    return None if backend in ("LokyBackend", "DaskDistributedBackend") else backend
