"""Execution, without decisions: one file an engine, behind one narrow protocol.

An engine is a module with ``fit(estimator, X, y, params, plan)``, which returns the
learned attributes by name. Each is imported when a plan first names it.
"""

import importlib
from typing import TYPE_CHECKING, Any, Protocol, cast

from sklearn_dask_auto.routing import Plan

if TYPE_CHECKING:
    from sklearn_dask_auto.engines.fits import Surroundings, Workers

__all__ = ["Engine", "SpreadingEngine", "load"]

_HOMES = {
    "sklearn": "in_memory",
    "joblib": "cluster_fits",
    "dask-ml": "dask_ml",
    "blockwise": "blockwise",
}


class Engine(Protocol):
    """What every engine module offers."""

    def fit(
        self, estimator: Any, X: Any, y: Any, params: dict[str, Any], plan: Plan
    ) -> dict[str, Any]:
        """Fit an estimator and return what it learned.

        Parameters
        ----------
        estimator : AutoScaleMixin
            Its parameters are read. An engine that runs scikit-learn's own `fit` sets
            learned attributes on it; any other leaves it alone.
        X, y : object
            As the user passed them, never changed.
        params : dict
            Further arguments of `fit`; None for those not given.
        plan : Plan
            The decision that named this engine.

        Returns
        -------
        learned : dict
            Attributes to be set; "plan_" replaces the plan where the engine refined it.
        """
        ...


class SpreadingEngine(Engine, Protocol):
    """An engine that can run many independent fits side by side."""

    def workers(
        self, plan: Plan, surroundings: "Surroundings", echoes: bool = False
    ) -> "Workers":
        """Return a place to run calls.

        Parameters
        ----------
        plan : Plan
            Its chosen candidate says how many calls run at once.
        surroundings : Surroundings
            Settings of joblib's that the user made for this engine hold.
        echoes : bool, default=False
            Print here what calls print in other processes.
        """
        ...


def load(name: str) -> Engine:
    """Import an engine by its name in a plan."""
    return cast("Engine", importlib.import_module(f"{__name__}.{_HOMES[name]}"))
