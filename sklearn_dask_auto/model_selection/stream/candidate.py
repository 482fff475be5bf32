"""A candidate on its way through the rounds of its bracket."""

from dataclasses import dataclass, field
from typing import Any

from sklearn_dask_auto.model_selection.strategies.rounds import Bracket

__all__ = ["Candidate"]


@dataclass(eq=False)
class Candidate:
    """A candidate of one bracket.

    Parameters
    ----------
    number : int
        Among all candidates.
    params : dict
        What was drawn.
    bracket : Bracket
        Its rounds.
    trained : delayed Trained
        The model so far.
    calls : int
        Of `partial_fit`, so far.
    round : int
        The one it is in.
    scores : list of (int, float)
        Calls, and the score after them.
    last : dict
        All that is known of its last score.
    has_stopped : bool
        It is trained no more, but may still win.
    last_row : int
        Of `cv_results_`, where its last score is.
    """

    number: int
    params: dict[str, Any]
    bracket: Bracket
    trained: Any
    calls: int = 0
    round: int = 0
    scores: list[tuple[int, float]] = field(default_factory=list)
    last: dict[str, Any] = field(default_factory=dict)
    has_stopped: bool = False
    last_row: int = -1

    @property
    def due(self) -> int:
        """Calls after which its round is scored."""
        return self.bracket.resources[self.round]

    def has_plateaued(self, patience: int, tol: float) -> bool:
        """Tell whether no score of the last `patience` calls was better by `tol`."""
        before = [
            score for calls, score in self.scores if calls <= self.calls - patience
        ]
        recent = [
            score for calls, score in self.scores if calls > self.calls - patience
        ]
        return bool(before) and not max(recent) > before[-1] + tol
