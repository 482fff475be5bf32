"""The arithmetic of halving: how many candidates each round has, on how much."""

from dataclasses import dataclass
from math import ceil, floor, log
from typing import Any

import numpy as np

__all__ = [
    "Bracket",
    "best_first",
    "decay_bracket",
    "halving_bracket",
    "hyperband_brackets",
    "iterations",
]

ROUNDING = 1e-9
"""The logarithm of a power may come out a little short of a whole number."""


@dataclass(frozen=True)
class Bracket:
    """One successive halving.

    Parameters
    ----------
    number : int
        As in the paper on Hyperband: how often candidates are cut. 0 where there is
        one bracket alone.
    counts : tuple of int
        Candidates of each round.
    resources : tuple of int
        What each of them has had when its round is scored; never falling.
    """

    number: int
    counts: tuple[int, ...]
    resources: tuple[int, ...]


def halving_bracket(
    n_candidates: int,
    least: int,
    most: int,
    factor: float,
    *,
    exhausts: bool = False,
    is_aggressive: bool = False,
) -> Bracket:
    """Return the rounds of scikit-learn's successive halving.

    Parameters
    ----------
    n_candidates : int
        Of the first round.
    least, most : int
        Resources of the first round, and of any.
    factor : float
        Resources of a round, in those of the one before.
    exhausts : bool, default=False
        Begin with more than `least`, so that the last round has `most`.
    is_aggressive : bool, default=False
        Where there are too many candidates for the rounds that fit between `least` and
        `most`, cut several times on `least`.
    """
    least, required, possible = iterations(
        n_candidates, least, most, factor, exhausts=exhausts
    )
    counts, resources = [n_candidates], [least]
    n_rounds = required if is_aggressive else min(required, possible)
    for i in range(1, n_rounds):
        power = max(0, i - required + possible) if is_aggressive else i
        counts.append(ceil(counts[-1] / factor))
        resources.append(min(int(factor**power * least), most))
    return Bracket(0, tuple(counts), tuple(resources))


def iterations(
    n_candidates: int, least: int, most: int, factor: float, *, exhausts: bool
) -> tuple[int, int, int]:
    """Return what scikit-learn's halving tells of its rounds.

    Returns
    -------
    least : int
        Resources of the first round.
    required, possible : int
        Rounds until fewer than `factor` candidates are left, and rounds that fit
        between `least` and `most`.
    """
    if factor <= 1:
        return least, 1, 1
    required = 1 + floor(log(n_candidates, factor))
    if exhausts:
        least = max(least, int(most // factor ** (required - 1)))
    possible = 1 + floor(log(max(1, most // least), factor))
    return least, required, possible


def decay_bracket(n_candidates: int, every: int, most: int, rate: float) -> Bracket:
    """Return rounds of which number i has candidates in proportion to 1 / i**rate.

    Parameters
    ----------
    n_candidates : int
        Of the first round.
    every : int
        Resources between two rounds; rounds that would cut nobody are left out.
    most : int
        Resources of the last round.
    rate : float
        0 cuts nobody.
    """
    counts, resources = [n_candidates], [min(every, most)]
    for i, reach in enumerate([*range(2 * every, most, every), most], start=2):
        count = max(1, floor(n_candidates / i**rate + ROUNDING))
        if reach > resources[-1] and (count < counts[-1] or reach == most):
            counts.append(count)
            resources.append(reach)
    return Bracket(0, tuple(counts), tuple(resources))


def hyperband_brackets(
    least: int, most: int, factor: float, n_distinct: int | None
) -> list[Bracket]:
    """Return the brackets of Hyperband, the one with most candidates first.

    Parameters
    ----------
    least, most : int
        Resources of the first round of the first bracket, at least, and of the last
        round of each.
    factor : float
        Resources of a round, in those of the one before.
    n_distinct : int or None
        No bracket has more candidates; None where they are without number.
    """
    if factor <= 1 or most <= least:
        return [Bracket(0, (1,), (most,))]
    deepest = floor(log(most / least, factor) + ROUNDING)
    return [
        _bracket(cuts, deepest, least, most, factor, n_distinct)
        for cuts in range(deepest, -1, -1)
    ]


def _bracket(
    cuts: int, deepest: int, least: int, most: int, factor: float, n: int | None
) -> Bracket:
    first = ceil((deepest + 1) / (cuts + 1) * factor**cuts - ROUNDING)
    first = first if n is None else min(first, n)
    rounds: dict[int, int] = {}
    for i in range(cuts + 1):
        reach = max(least, floor(most / factor ** (cuts - i) + ROUNDING))
        # By a small factor, two rounds may come to the same resources: one is enough.
        rounds.setdefault(reach, max(1, floor(first / factor**i + ROUNDING)))
    return Bracket(cuts, tuple(rounds.values()), tuple(rounds))


def best_first(scores: Any) -> Any:
    """Rank scores: of equals the first comes first, and NaN after anything."""
    scores = np.asarray(scores, dtype=float)
    return np.argsort(-np.where(np.isnan(scores), -np.inf, scores), kind="stable")
