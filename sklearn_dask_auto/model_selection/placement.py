"""Where the fits of a search run: decided again, with measured times, as they run."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import cloudpickle
import joblib
from joblib.parallel import get_active_backend

from sklearn_dask_auto import engines
from sklearn_dask_auto.engines.probe import ProbingBackend
from sklearn_dask_auto.exceptions import NoEngineError
from sklearn_dask_auto.routing import Candidate, Job, Plan, decide

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
        with ProbingBackend(self._choose, n_probes=0 if forced else 1).active():
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

    def _choose(self, seconds: float, calls: list[Any]) -> joblib.Parallel | None:
        job = replace(self.plan.job, seconds_per_fit=seconds, n_fits=len(calls))
        if job.engine == "auto" and seconds * len(calls) < SHORT_SECONDS:
            return None
        self._decide(job)
        if self._stays_here():
            return None
        problem = _why_not_picklable(calls[0], self._data)
        if problem is not None:
            # joblib would raise, or wait for ever on a Dask cluster.
            refusal = ("joblib", f"a fit cannot be sent to another process: {problem}")
            self._decide(replace(job, n_jobs=1, refusals=(*job.refusals, refusal)))
            return None
        chosen = cast("Candidate", self.plan.chosen)
        engine = cast("engines.SpreadingEngine", engines.load(chosen.engine))
        return engine.workers(chosen.cost.n_workers, self._data)

    def _decide(self, job: Job) -> None:
        plan = decide(self.plan.profile, job, self.plan.resources, self.plan.budget)
        if plan.engine is None:
            raise NoEngineError(plan.refusal(), plan)
        self.plan = plan

    def _stays_here(self) -> bool:
        chosen = cast("Candidate", self.plan.chosen)
        return chosen.engine == "sklearn" and chosen.cost.n_workers == 1


def _why_not_picklable(call: Any, data: list[Any]) -> str | None:
    """Try to pickle a fit, all but the data; return the error's text, if any."""
    try:
        _PicklerWithout(data).dump(call)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


class _PicklerWithout(cloudpickle.Pickler):
    def __init__(self, data: list[Any]) -> None:
        super().__init__(io.BytesIO())
        self._known = {id(value) for value in data}

    def persistent_id(self, obj: Any) -> int | None:
        return id(obj) if id(obj) in self._known else None


def _user_backend() -> str | None:
    """Return the name of a joblib backend that the user chose, other than ours to use.

    The default and Dask's leave the choice to the plan; any other is an order.
    """
    backend = type(get_active_backend()[0]).__name__
    return None if backend in ("LokyBackend", "DaskDistributedBackend") else backend
