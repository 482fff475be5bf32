"""A candidate on its way through the rounds of its bracket."""

from dataclasses import dataclass, field
from typing import Any

from sklearn_dask_auto.model_selection.strategies.rounds import Bracket

__all__ = ["Candidate", "Model"]


@dataclass(eq=False)
class Model:
    """What a candidate has learned from the training rows of one split.

    Parameters
    ----------
    candidate : int
        Its number among all.
    params : dict
        Of the candidate.
    split : int
        Its number.
    start : delayed Trained
        What it begins as.
    """

    candidate: int
    params: dict[str, Any]
    split: int
    start: Any

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Forget what was learned, so that it may be learned again."""
        self.resume(self.start, 0)

    def resume(self, trained: Any, calls: int) -> None:
        """Be as after so many calls of `partial_fit`."""
        self.trained, self.calls = trained, calls


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
    start : delayed Trained
        What each of its models begins as.
    n_splits : int
        For each of which there is a model.
    calls : int
        Of `partial_fit`, so far.
    round : int
        The one it is in.
    scores : list of (int, float)
        Calls, and the score after them, by which candidates are ranked.
    last : list of dict
        For each split, all that is known of its last score.
    has_stopped : bool
        It is trained no more, but may still win.
    last_row : int
        Of `cv_results_`, where its last score is.
    """

    number: int
    params: dict[str, Any]
    bracket: Bracket
    start: Any
    n_splits: int = 1
    calls: int = 0
    round: int = 0
    scores: list[tuple[int, float]] = field(default_factory=list)
    last: list[dict[str, Any]] = field(default_factory=list)
    has_stopped: bool = False
    last_row: int = -1

    def __post_init__(self) -> None:
        self.models = [
            Model(self.number, self.params, i, self.start) for i in range(self.n_splits)
        ]

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
