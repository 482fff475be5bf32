"""Hyperband: successive halving, from many candidates on little to few on all.

Li, Jamieson, DeSalvo, Rostamizadeh, Talwalkar (2018), "Hyperband", JMLR 18(185). Here
the resource is calls of `partial_fit`, each on one block of rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor, log
from typing import Any

from sklearn.model_selection import ParameterSampler, RandomizedSearchCV

from sklearn_dask_auto.model_selection.strategies.base import (
    Strategy,
    count_grid,
    shared,
)

__all__ = ["Bracket", "Hyperband"]

MOST_CALLS = 81
"""What `max_resources='auto'` is."""


@dataclass(frozen=True)
class Bracket:
    """One successive halving.

    Parameters
    ----------
    number : int
        As in the paper: how often candidates are cut.
    counts : tuple of int
        Candidates of each round.
    resources : tuple of int
        Calls of `partial_fit` that each of them has had when its round is scored.
    """

    number: int
    counts: tuple[int, ...]
    resources: tuple[int, ...]


class Hyperband(Strategy):
    """Candidates of all brackets, trained side by side."""

    streams = True

    def plain(self) -> Any:
        """Return the nearest that scikit-learn has, a `RandomizedSearchCV`."""
        search = self.search
        options = shared(search, "pre_dispatch", "random_state")
        n_iter = sum(bracket.counts[0] for bracket in self.brackets())
        return RandomizedSearchCV(
            search.estimator, search.param_grid, n_iter=n_iter, **options
        )

    def count_candidates(self, n_rows: int | None) -> int:
        """Count the scores of all rounds of all brackets."""
        return sum(sum(bracket.counts) for bracket in self.brackets())

    def check(self) -> None:
        """Refuse what cannot be meant."""
        search = self.search
        name = type(search.estimator).__name__
        if search.resource not in ("auto", "partial_fit"):
            raise ValueError(
                "strategy='hyperband' takes resource='partial_fit' alone. Got "
                f"resource={search.resource!r}; strategy='halving' takes others."
            )
        if not hasattr(search.estimator, "partial_fit"):
            raise ValueError(
                f"strategy='hyperband' needs an estimator with partial_fit, and {name} "
                "has none. Use strategy='halving', which fits from scratch."
            )
        if isinstance(search.scoring, list | tuple | dict):
            raise ValueError(
                "strategy='hyperband' ranks by one metric. Got "
                f"scoring={search.scoring!r}."
            )
        if search.return_train_score or search.factor <= 1:
            raise ValueError(
                "strategy='hyperband' takes return_train_score=False and a factor "
                f"above 1. Got return_train_score={search.return_train_score!r} and "
                f"factor={search.factor!r}."
            )

    @property
    def most(self) -> int:
        """The most calls of `partial_fit` that a candidate gets."""
        most = self.search.max_resources
        return MOST_CALLS if most == "auto" else int(most)

    def brackets(self) -> list[Bracket]:
        """Return the brackets, the one with most candidates first."""
        factor, size = self.search.factor, count_grid(self.search.param_grid)
        if factor <= 1:
            return [Bracket(0, (1,), (self.most,))]
        # The logarithm of a power may come out a little short of a whole number.
        deepest = floor(log(self.most, factor) + 1e-9)
        return [self._bracket(s, deepest, factor, size) for s in range(deepest, -1, -1)]

    def _bracket(
        self, s: int, deepest: int, factor: float, size: int | None
    ) -> Bracket:
        n = ceil((deepest + 1) / (s + 1) * factor**s - 1e-9)
        n = n if size is None else min(n, size)
        rounds = range(s + 1)
        return Bracket(
            s,
            tuple(max(1, floor(n / factor**i + 1e-9)) for i in rounds),
            tuple(max(1, floor(self.most / factor ** (s - i) + 1e-9)) for i in rounds),
        )

    def draw(self, random: Any) -> Iterator[tuple[Bracket, list[dict[str, Any]]]]:
        """Draw the candidates of each bracket."""
        for bracket in self.brackets():
            sampler = ParameterSampler(
                self.search.param_grid, bracket.counts[0], random_state=random
            )
            yield bracket, list(sampler)
