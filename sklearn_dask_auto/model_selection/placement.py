"""Where the fits of a search run: decided again, with measured times, as they run."""

import uuid
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Any, cast

from joblib.parallel import get_active_backend
from sklearn import get_config

from sklearn_dask_auto import engines
from sklearn_dask_auto._sklearn import (
    detached_fit,
    formatted_results,
    has_callbacks,
    hears_from_afar,
    tell_callbacks,
    unheard_fit,
    unmade_fit,
)
from sklearn_dask_auto._survey import survey
from sklearn_dask_auto.engines.calls import Call, why_not_picklable
from sklearn_dask_auto.engines.fits import Fits, GoneError, Surroundings, Workers
from sklearn_dask_auto.engines.local_processes import as_configured, ordered_backend
from sklearn_dask_auto.engines.probe import ProbingBackend
from sklearn_dask_auto.engines.shared_steps import forget, share_steps
from sklearn_dask_auto.engines.thread_safety import rows_keep_apart
from sklearn_dask_auto.exceptions import LostFitError, NoEngineError
from sklearn_dask_auto.model_selection.accuracy import quick_scorer
from sklearn_dask_auto.model_selection.progress import Told
from sklearn_dask_auto.routing import Candidate, Job, Plan, decide
from sklearn_dask_auto.routing.cost import fit_bytes

__all__ = ["Placement"]

SHORT_SECONDS = 0.03
"""Fits that together take less run here: asking would cost as much as it could save."""


class Placement:
    """Keeps the plan of a search up to date, and gives its fits a place to run.

    Parameters
    ----------
    plan : Plan
        Made before the first fit, when nobody knew how long one takes.
    elsewhere : dict, default={}
        Futures of rows that only the workers of the cluster hold, so that no fit can
        run here; by the identity of what stands for them.
    shares_steps : bool, default=True
        Fit steps of pipelines once for all candidates that have them in common.

    Attributes
    ----------
    plan : Plan
        The last one made.
    rounds : list of (list of call, list of dict)
        The calls of each round, and the results so far.
    """

    def __init__(
        self,
        plan: Plan,
        elsewhere: dict[int, Any] | None = None,
        *,
        shares_steps: bool = True,
    ) -> None:
        self.plan = plan
        self._shares_steps = shares_steps
        self._told: Told | None = None
        self.rounds: list[tuple[list[Call], list[Any]]] = []
        self._surroundings = Surroundings(
            get_active_backend()[0], as_configured(), get_config(), elsewhere or {}
        )
        self._workers: dict[tuple[str, int, bool], Workers] = {}
        self._name = uuid.uuid4().hex
        self._first_untold = 0
        self._sent: tuple[int, Fits] | None = None
        self._has_looked = False

    @contextmanager
    def active(self, search: Any) -> Iterator[None]:
        """Have joblib ask us, unless the user's own backend is an order.

        Interrupted, or bereft of the cluster, give `search` the results so far.
        """
        if ordered_backend() is not None:
            yield
            return
        self._told = Told(search)
        n_probes = 0 if self.plan.job.engine == "joblib" else 1
        try:
            with ProbingBackend(self, n_probes).active(), self._kept_filters():
                yield
        except (KeyboardInterrupt, NoEngineError):
            self._keep_results(search)
            raise
        finally:
            forget(self._name)
            self._close()
            self._tell_times()

    def _kept_filters(self) -> AbstractContextManager[Any]:
        """Return what gives the filters of warnings back as they were.

        scikit-learn's checks set some for a moment, which overlapping threads restore
        in the wrong order.
        """
        return warnings.catch_warnings() if self.plan.job.in_threads else nullcontext()

    @property
    def may_leave(self) -> bool:
        """See `Place.may_leave`."""
        if self.plan.job.engine == "joblib":
            return True
        able = [c for c in self.plan.candidates if c.is_able]
        cores = self.plan.resources.cores
        is_alone = self.plan.resources.is_in_worker or cores == 1
        return self.plan.job.n_jobs != 1 and (len(able) > 1 or not is_alone)

    def begin(self, calls: list[Call]) -> None:
        """See `Place.begin`."""
        scorer = quick_scorer(calls[0][2]["scorer"])
        is_heard = has_callbacks(calls[0])
        for call in calls:
            call[2]["scorer"] = scorer
            if not is_heard:
                unheard_fit(call)
            if self._shares_steps:
                share_steps(call, self._name)
        cast("Told", self._told).expect(len(calls))
        self.rounds.append((calls, []))
        self._sent = None
        self._first_untold = len(calls)
        if self.plan.job.in_threads and not rows_keep_apart(calls[0]):
            job = replace(self.plan.job, in_threads=False)
            self.plan = replace(self.plan, job=job)

    def finish(self, result: Any) -> None:
        """See `Place.finish`."""
        calls, results = self.rounds[-1]
        if len(results) >= self._first_untold:
            tell_callbacks(calls[len(results)])
        split, n_splits = calls[len(results)][2]["split_progress"]
        place = len(results) // n_splits, split
        cast("Told", self._told).hear(result, n_splits, place)
        results.append(result)

    def choose(self, seconds: float, calls: list[Call]) -> Fits | None:
        """See `Place.choose`."""
        job = replace(self.plan.job, seconds_per_fit=seconds, n_fits=len(calls))
        if job.engine == "auto" and seconds * len(calls) < SHORT_SECONDS:
            return None
        self._decide(job)
        if self._has_to_look_at_cluster():
            self._look_at_cluster()
            self._decide(job)
        if self._stays_here():
            return None
        if not cast("Candidate", self.plan.chosen).cost.in_threads:
            calls = [detached_fit(call) for call in calls]
            problem = why_not_picklable(calls[0])
            if problem is not None:
                self._refuse(f"a fit cannot be sent to another process: {problem}")
                return None
        workers = self._workers_as_planned(echoes=calls[0][2].get("verbose", 0) > 1)
        if workers is None:
            self._refuse("this process may not start others")
            return None
        if has_callbacks(calls[0]) and not self._reaches_callbacks(workers, calls[0]):
            calls = [detached_fit(call, with_callbacks=False) for call in calls]
            self._first_untold = len(self.rounds[-1][0]) - len(calls)
        fits = Fits(
            calls,
            workers,
            self._stand_in,
            self._move_here,
            seconds=seconds,
            helps=self._may_help(calls),
        )
        self._sent = len(self.rounds[-1][0]) - len(calls), fits
        return fits

    @staticmethod
    def _reaches_callbacks(workers: Workers, call: Call) -> bool:
        """Tell whether callbacks can be told of a fit where it runs."""
        return workers.is_on_this_machine and hears_from_afar(call)

    def run_elsewhere(self, call: Call) -> Any:
        """Run one more call where the fits run: the refit, or a splitter."""
        workers = cast("Workers", self._workers_as_planned())
        fits = Fits([call], workers, self._lost_elsewhere, self._move_here, seconds=0.0)
        return fits.take(0)

    def _lost_elsewhere(self, call: Call, cause: str) -> Any:
        function, (subject, *_), _ = call
        name = f"{type(subject).__name__}{function.__name__.replace('_', '.', 1)}"
        raise LostFitError(f"the worker died twice that ran {name}. {cause}")

    def _may_help(self, calls: list[Call]) -> bool:
        """Tell whether this process may run fits while workers start or import."""
        plan, cost = self.plan, cast("Candidate", self.plan.chosen).cost
        is_asked = plan.job.engine != "auto" or plan.job.n_jobs not in (None, -1)
        needed = cost.n_bytes + fit_bytes(plan.profile, plan.job)
        # Those under way may be run a second time, which callbacks would hear.
        is_heard = has_callbacks(calls[0])
        return cost.start > 0 and needed <= plan.budget and not (is_asked or is_heard)

    def _has_to_look_at_cluster(self) -> bool:
        """Tell whether the cluster was chosen unseen, and not by the user."""
        plan = self.plan
        is_chosen = plan.job.engine == "auto" and plan.engine == "joblib"
        return is_chosen and not self._has_looked

    def _look_at_cluster(self) -> None:
        """Ask, once, whether the workers can run fits, and are ready for them."""
        self._has_looked = True
        spreading: Any = engines.load("joblib")
        seen = survey()
        cluster = seen.cluster
        if cluster is not None and not cluster.problem:
            cluster = replace(cluster, is_warm=spreading.is_warm())
        resources = replace(
            self.plan.resources, cluster=cluster, cluster_problem=seen.cluster_problem
        )
        self.plan = replace(self.plan, resources=resources)

    def _decide(self, job: Job) -> None:
        plan = decide(self.plan.profile, job, self.plan.resources, self.plan.budget)
        if plan.engine is None:
            raise NoEngineError(plan.refusal(), plan)
        self.plan = plan

    def _refuse(self, reason: str) -> None:
        job = self.plan.job
        refusals = (*job.refusals, ("joblib", reason))
        self._decide(replace(job, n_jobs=1, refusals=refusals))

    def _stays_here(self) -> bool:
        chosen = cast("Candidate", self.plan.chosen)
        return chosen.engine == "sklearn" and chosen.cost.n_workers == 1

    def _workers_as_planned(self, echoes: bool = False) -> Workers | None:
        """Return the workers that the plan names, those of the last round if any."""
        chosen = cast("Candidate", self.plan.chosen)
        key = (chosen.engine, chosen.cost.n_workers, chosen.cost.in_threads)
        if key not in self._workers:
            engine = cast("engines.SpreadingEngine", engines.load(chosen.engine))
            try:
                self._workers[key] = engine.workers(
                    self.plan, self._surroundings, echoes
                )
            except GoneError:
                return None
        return self._workers[key]

    def _stand_in(self, call: Call, cause: str) -> dict[str, Any]:
        """Return what stands for a fit that lost its worker twice, or raise."""
        kwargs = call[2]
        split, n_splits = kwargs["split_progress"]
        error = (
            f"{type(call[1][0]).__name__} with parameters {kwargs['parameters']}, "
            f"split {split + 1} of {n_splits}: its worker died while it was fitted, "
            f"and died again when it was fitted with nothing beside it. {cause}\n"
        )
        if kwargs["error_score"] == "raise":
            raise LostFitError(error)
        return unmade_fit(call, error)

    def _move_here(self, cause: str) -> Workers | None:
        """Plan the rest on this machine, as the cluster is no more."""
        if self._surroundings.elsewhere:
            lost = f"{cause}, and the rows of X were there and not on this machine"
            raise NoEngineError(f"{lost}. Fit again once there are workers.", self.plan)
        message = f"{cause}: the rest of the fits runs on this machine."
        warnings.warn(message, RuntimeWarning, stacklevel=2)
        resources = replace(self.plan.resources, cluster=None, cluster_problem=cause)
        self.plan = replace(self.plan, resources=resources)
        self._decide(replace(self.plan.job, engine="auto"))
        return None if self._stays_here() else self._workers_as_planned()

    def _close(self) -> None:
        for workers in self._workers.values():
            workers.close()
        self._workers.clear()

    def _tell_times(self) -> None:
        """Put into the plan how many fits there were, and how long they took."""
        results = [result for _, round_ in self.rounds for result in round_]
        if results:
            total = sum(r["fit_time"] + r["score_time"] for r in results)
            times = {"n_fits": len(results), "seconds_per_fit": total / len(results)}
            self.plan = replace(self.plan, job=replace(self.plan.job, **times))

    def _keep_results(self, search: Any) -> None:
        """Set `cv_results_` from the results so far; scores of other fits are NaN."""
        made = [dict(enumerate(results)) for _, results in self.rounds]
        if made and self._sent is not None:
            first, fits = self._sent
            made[-1] |= {first + i: value for i, value in fits.finished().items()}
        if not any(made):
            return
        calls = [call for calls, _ in self.rounds for call in calls]
        out = [
            results[i] if i in results else unmade_fit(call, None)
            for (round_, _), results in zip(self.rounds, made, strict=True)
            for i, call in enumerate(round_)
        ]
        candidates = [call[2]["parameters"] for call in calls[:: search.n_splits_]]
        search.cv_results_ = formatted_results(
            search, candidates, out, _joined(search._columns)
        )


def _joined(rounds: list[dict[str, list[Any]]]) -> dict[str, list[Any]]:
    """Put columns of `cv_results_`, such as "iter", together over rounds."""
    joined: dict[str, list[Any]] = {}
    for columns in rounds:
        for name, values in columns.items():
            joined.setdefault(name, []).extend(values)
    return joined
