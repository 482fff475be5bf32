"""The errors this library raises itself; all others are scikit-learn's own.

ValueError
└── NoEngineError
RuntimeError
└── LostFitError
"""

__all__ = ["LostFitError", "NoEngineError"]


class LostFitError(RuntimeError):
    """A fit lost its worker process twice, and ``error_score="raise"`` was asked for.

    The message names its parameters, and what is known of the cause.
    """


class NoEngineError(ValueError):
    """No engine can do the job, or the engine asked for by name cannot.

    The message names every condition that failed. The decision is on `plan`.

    Parameters
    ----------
    message : str
        Every condition that failed, and what to do about it.
    plan : Plan or None, default=None
        The decision whose candidates carry the reasons.
    """

    def __init__(self, message: str, plan: object = None) -> None:
        super().__init__(message)
        self.plan = plan
