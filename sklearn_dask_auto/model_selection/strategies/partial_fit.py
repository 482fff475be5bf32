"""What strategies share whose resource is calls of `partial_fit`."""

from typing import Any

from sklearn.model_selection import GridSearchCV, RandomizedSearchCV

from sklearn_dask_auto.model_selection.strategies.base import shared

__all__ = ["check_streamed", "least_calls", "most_calls", "nearest"]

MOST_CALLS = 81
"""What `max_resources='auto'` is."""


def most_calls(search: Any) -> int:
    """Return the most calls of `partial_fit` that a candidate gets."""
    most = search.max_resources
    return MOST_CALLS if most == "auto" else int(most)


def least_calls(search: Any) -> int:
    """Return the fewest calls of `partial_fit` that a candidate gets."""
    least = search.min_resources
    return 1 if isinstance(least, str) else int(least)


def nearest(search: Any, n_candidates: int | None) -> Any:
    """Return the search of scikit-learn with the same candidates, trained to the end.

    Parameters
    ----------
    search : AutoScaleSearchCV
        Its parameters are read.
    n_candidates : int or None
        None for all combinations of a grid.
    """
    options = shared(search, "pre_dispatch")
    if n_candidates is None:
        return GridSearchCV(search.estimator, search.param_grid, **options)
    return RandomizedSearchCV(
        search.estimator,
        search.param_grid,
        n_iter=n_candidates,
        random_state=search.random_state,
        **options,
    )


def check_streamed(search: Any) -> None:
    """Refuse what training by `partial_fit` cannot mean."""
    name, asked = type(search.estimator).__name__, "resource='partial_fit'"
    if not hasattr(search.estimator, "partial_fit"):
        raise ValueError(
            f"{asked} needs an estimator with partial_fit, and {name} has none. Use "
            "resource='n_samples', or a parameter of it, which fit from scratch."
        )
    if least_calls(search) > most_calls(search):
        raise ValueError(
            f"min_resources={search.min_resources!r} is greater than "
            f"max_resources={most_calls(search)}."
        )
