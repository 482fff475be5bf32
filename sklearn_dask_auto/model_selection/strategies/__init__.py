"""How a search finds its candidates: one file a strategy, chosen by name.

The strategies that scikit-learn has are scikit-learn's own: a search of its class, made
with the same parameters, is asked which candidates to evaluate, and on what.
"""

from typing import Any

from sklearn_dask_auto.model_selection.strategies.base import Strategy
from sklearn_dask_auto.model_selection.strategies.grid import Grid
from sklearn_dask_auto.model_selection.strategies.halving import Halving
from sklearn_dask_auto.model_selection.strategies.hyperband import Hyperband
from sklearn_dask_auto.model_selection.strategies.random import Random

__all__ = ["NAMES", "Strategy", "strategy_of"]

STRATEGIES: dict[str, type[Strategy]] = {
    "grid": Grid,
    "random": Random,
    "halving": Halving,
    "hyperband": Hyperband,
}
NAMES = frozenset(STRATEGIES)


def strategy_of(search: Any) -> Strategy:
    """Return the strategy that a search asks for; of a grid where its name is none."""
    return STRATEGIES.get(search.strategy, Grid)(search)
