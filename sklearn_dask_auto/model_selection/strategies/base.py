"""What a strategy is to `AutoScaleSearchCV`."""

from collections.abc import Iterator
from typing import Any

from sklearn.model_selection import ParameterGrid

from sklearn_dask_auto.model_selection.strategies.rounds import Bracket

__all__ = ["Strategy", "count_grid", "distributions_in", "shared"]


class Strategy:
    """A way to find candidates, for one search.

    Parameters
    ----------
    search : AutoScaleSearchCV
        Its parameters are read; nothing is set on it.
    """

    def __init__(self, search: Any) -> None:
        self.search = search

    @property
    def streams(self) -> bool:
        """It trains by `partial_fit`, on blocks that stay where they are."""
        return False

    def plain(self) -> Any:
        """Return scikit-learn's search with the same parameters, not fitted."""
        raise NotImplementedError

    def count_candidates(self, n_rows: int | None) -> int:
        """Count what will be evaluated, from metadata, without judging it."""
        raise NotImplementedError

    def check(self) -> None:
        """Refuse what the search cannot mean, before anything is computed."""
        for name in ("patience", "decay_rate"):
            value = getattr(self.search, name)
            if value is not None and not self.streams:
                raise ValueError(
                    f"{name} is for candidates that are trained by partial_fit: "
                    "strategy='halving' or 'hyperband' with resource='partial_fit'. "
                    f"Got {name}={value!r}, strategy={self.search.strategy!r} and "
                    f"resource={self.search.resource!r}."
                )

    def brackets(self) -> list[Bracket]:
        """Return the rounds, of a strategy that `streams`."""
        raise NotImplementedError

    def draw(self, random: Any) -> Iterator[tuple[Bracket, list[dict[str, Any]]]]:
        """Draw the candidates of each bracket, of a strategy that `streams`."""
        raise NotImplementedError

    def told_of(self, brackets: list[Bracket]) -> dict[str, Any]:
        """Return the attributes that tell of the rounds, of one that `streams`."""
        return {}

    def prepare(self, cv: Any, X: Any, y: Any, split_params: dict[str, Any]) -> Any:
        """Return scikit-learn's search, after its own checks of the data.

        Parameters
        ----------
        cv : splitter
            As scikit-learn made it of the search's `cv`.
        X, y : object
            What will be split.
        split_params : dict
            Arguments of the splitter, such as `groups`.
        """
        return self._prepared(self.plain(), cv, X, y, split_params)

    @staticmethod
    def _prepared(
        plain: Any, cv: Any, X: Any, y: Any, split_params: dict[str, Any]
    ) -> Any:
        plain._checked_cv_orig = cv
        plain._check_input_parameters(X=X, y=y, split_params=split_params)
        plain.n_splits_ = cv.get_n_splits(X, y, **split_params)
        return plain

    def run(self, plain: Any, evaluate_candidates: Any, callback_ctx: Any) -> None:
        """Evaluate candidates as `plain`, which `prepare` returned, chooses them."""

        def evaluate(*args: Any, callback_ctx: Any = None, **options: Any) -> Any:
            context = None if callback_ctx is None else callback_ctx.context
            return evaluate_candidates(*args, callback_ctx=context, **options)

        context = _InTheNameOf(self.search, callback_ctx)
        plain._run_search(evaluate, callback_ctx=context)

    def learned(self, plain: Any) -> dict[str, Any]:
        """Return the attributes that `run` left, beyond those of every search."""
        return {
            name: value
            for name, value in vars(plain).items()
            if name.endswith("_") and name != "n_splits_"
        }

    def best_index(self, refit: Any, refit_metric: str, results: Any) -> Any:
        """Return which row of `cv_results_` is the best."""
        return self.plain()._select_best_index(refit, refit_metric, results)


class _InTheNameOf:
    """A context of scikit-learn's callbacks, which are to hear of the user's search."""

    def __init__(self, search: Any, context: Any) -> None:
        self.search = search
        self.context = context

    def subcontext(self, **options: Any) -> "_InTheNameOf":
        return _InTheNameOf(self.search, self.context.subcontext(**options))

    def call_on_fit_task_begin(self, *, estimator: Any) -> "_InTheNameOf":
        self.context.call_on_fit_task_begin(estimator=self.search)
        return self

    def call_on_fit_task_end(self, *, estimator: Any) -> None:
        self.context.call_on_fit_task_end(estimator=self.search)


def shared(search: Any, *names: str) -> dict[str, Any]:
    """Return parameters that a search of scikit-learn shares with ours."""
    every = (
        "scoring",
        "n_jobs",
        "refit",
        "cv",
        "verbose",
        "error_score",
        "return_train_score",
    )
    return {name: getattr(search, name) for name in (*every, *names)}


def count_grid(param_grid: Any) -> int | None:
    """Count the candidates of lists; None for what scikit-learn will refuse."""
    try:
        return len(ParameterGrid(param_grid))
    except (TypeError, ValueError):
        return None


def distributions_in(param_grid: Any) -> list[str]:
    """Return the names of the parameters that are given as distributions."""
    grids = param_grid if isinstance(param_grid, list | tuple) else [param_grid]
    return [
        name
        for grid in grids
        if isinstance(grid, dict)
        for name, values in grid.items()
        if hasattr(values, "rvs")
    ]
