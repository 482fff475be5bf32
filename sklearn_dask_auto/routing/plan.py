"""The decision, kept on the object that was fitted."""

from dataclasses import asdict, dataclass
from typing import Any

from sklearn_dask_auto.routing.cost import Cost
from sklearn_dask_auto.routing.job import Job
from sklearn_dask_auto.routing.profile import Profile, format_bytes
from sklearn_dask_auto.routing.resources import Resources

__all__ = ["Candidate", "Plan"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One engine, judged.

    Parameters
    ----------
    engine : str
        The engine's name.
    cost : Cost
        What it would cost.
    reasons : tuple of str
        Every condition that failed; empty for an engine that can do the job.
    reservations : tuple of str
        Why ``engine="auto"`` passes it by although it can.
    """

    engine: str
    cost: Cost
    reasons: tuple[str, ...] = ()
    reservations: tuple[str, ...] = ()

    @property
    def is_able(self) -> bool:
        """No condition failed."""
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Plan:
    """Which engine does a job, and why not the others.

    Parameters
    ----------
    engine : str or None
        The chosen engine; None for a job that nothing here can do.
    candidates : tuple of Candidate
        Every engine with its reasons and its cost.
    profile : Profile
        What the input is.
    job : Job
        What was asked.
    resources : Resources
        What was at hand.
    budget : int
        Bytes that the fit may take in this process.
    seconds : float or None
        How long the fit took; None before it ends.

    Notes
    -----
    A plan is frozen, picklable and free of references to data, dask or a cluster.
    ``print(plan)`` shows the table, and so does a notebook; ``plan.to_dict()`` is
    ready for JSON.
    """

    engine: str | None
    candidates: tuple[Candidate, ...]
    profile: Profile
    job: Job
    resources: Resources
    budget: int
    seconds: float | None = None

    @property
    def chosen(self) -> Candidate | None:
        """The candidate of the chosen engine."""
        return next((c for c in self.candidates if c.engine == self.engine), None)

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain dicts, lists, numbers and text.

        Returns
        -------
        plan : dict
            Ready for ``json.dumps``; each candidate also has ``seconds`` (the sum of
            its cost's parts) and ``binds`` (the part that dominates).
        """
        plan = asdict(self)
        for entry, candidate in zip(plan["candidates"], self.candidates, strict=True):
            entry["seconds"] = candidate.cost.seconds
            entry["binds"] = candidate.cost.binds
        return _listed(plan)

    def refusal(self) -> str:
        """Say why nothing can be done, or why the engine asked for cannot do it.

        Returns
        -------
        message : str
            Every condition that failed, one a line, and the engines that can.
        """
        asked = self.job.engine
        head = f"{self._head()}:"
        if asked == "auto":
            lines = [f"{head} no engine can do this here."]
            concerned: tuple[Candidate, ...] = self.candidates
        else:
            lines = [f"{head} engine={asked!r} cannot do this here."]
            concerned = tuple(c for c in self.candidates if c.engine == asked)
        lines += [f"  {c.engine}: {reason}" for c in concerned for reason in c.reasons]
        able = [c.engine for c in self.candidates if c.is_able]
        if able:
            lines.append(f"Engines that can: {', '.join(able)}.")
        return "\n".join(lines)

    def __str__(self) -> str:
        asked = "" if self.job.engine == "auto" else " (asked for by name)"
        taken = "" if self.seconds is None else f", took {self.seconds:.3g} s"
        lines = [
            self._head(),
            f"-> {self.engine or 'no engine'}{asked}{taken}; "
            f"memory budget {format_bytes(self.budget)}",
            f"   {'engine':<10}{'can':<5}{'seconds':>9}{'memory':>10}{'workers':>8}  "
            "binds / why not",
        ]
        for candidate in self.candidates:
            lines += self._rows(candidate)
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Show the table, not the fields, at the prompt of IPython and in notebooks."""
        printer.text(str(self))

    def _head(self) -> str:
        rows = f" ({self.job.rows})" if self.job.rows else ""
        return f"{self.job.estimator}.{self.job.method} on {self.profile}{rows}"

    def _rows(self, candidate: Candidate) -> list[str]:
        cost = candidate.cost
        mark = "->" if candidate.engine == self.engine else "  "
        notes = list(candidate.reasons)
        if candidate.is_able:
            where = ", in threads" if cost.in_threads else ""
            notes = [cost.binds + where]
            notes += [f"auto: {r}" for r in candidate.reservations]
            figures = (
                f"{cost.seconds:>9.2g}{format_bytes(cost.n_bytes):>10}"
                f"{cost.n_workers:>8}"
            )
        else:
            figures = f"{'-':>9}{'-':>10}{'-':>8}"
        can = "yes" if candidate.is_able else "no"
        first = f"{mark} {candidate.engine:<10}{can:<5}{figures}  "
        return [
            (first if i == 0 else " " * len(first)) + note
            for i, note in enumerate(notes)
        ]


def _listed(value: Any) -> Any:
    """Replace tuples by lists, so that JSON and back is the identity."""
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_listed(item) for item in value]
    return value
