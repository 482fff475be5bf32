"""`SearchDisplay`: the scores of a fitted search, drawn."""

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_dask_auto._sklearn import check_matplotlib

__all__ = ["SearchDisplay"]

WIDE = 20
"""Numbers whose largest is so many times their smallest are drawn on a log scale."""


class SearchDisplay:
    """Scores of a search against the resources of its rounds, or against a parameter.

    Make it with :meth:`from_estimator`. It takes any fitted search of scikit-learn as
    well.

    Parameters
    ----------
    lines : list of tuple of (ndarray, ndarray, ndarray)
        For each candidate the values on the x axis, its mean scores and their standard
        deviations over the folds.
    xlabel : str
        What is on the x axis.
    ylabel : str
        Name of the score.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        The figure of `ax_`.

    See Also
    --------
    AutoScaleSearchCV : The search whose scores are drawn.
    sklearn.model_selection.ValidationCurveDisplay : Scores against one parameter.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn_dask_auto import AutoScaleSearchCV, SearchDisplay
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> search = AutoScaleSearchCV(Ridge(), {"alpha": [0.1, 1, 10]}).fit(X, X[:, 0])
    >>> display = SearchDisplay.from_estimator(search)
    >>> display.ax_.get_xlabel()
    'alpha'
    """

    def __init__(
        self,
        *,
        lines: list[tuple[Any, Any, Any]],
        xlabel: str,
        ylabel: str,
    ) -> None:
        self.lines = lines
        self.xlabel = xlabel
        self.ylabel = ylabel

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        against: str | None = None,
        metric: str = "score",
        ax: Any = None,
        **kwargs: Any,
    ) -> "SearchDisplay":
        """Draw the scores of a fitted search.

        Parameters
        ----------
        estimator : AutoScaleSearchCV, or a search of scikit-learn
            Fitted.
        against : str, default=None
            'n_resources', or a parameter that was searched. None is 'n_resources' of a
            search that has it, else the first parameter.
        metric : str, default='score'
            Which score, of a search with several.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            As for :meth:`plot`.

        Returns
        -------
        display : SearchDisplay
            With what was drawn.

        Raises
        ------
        ValueError
            If there is no such parameter or score.
        """
        check_matplotlib(f"{cls.__name__}.from_estimator")
        check_is_fitted(estimator, "cv_results_")
        results = estimator.cv_results_
        names = [n.removeprefix("param_") for n in results if n.startswith("param_")]
        rounds = ["n_resources"] if "n_resources" in results else []
        against = (rounds + names)[0] if against is None else against
        _check_among("against", against, rounds + names)
        means = [n.removeprefix("mean_test_") for n in results if "mean_test_" in n]
        _check_among("metric", metric, means)
        lines = _lines(results, against, metric)
        display = cls(lines=lines, xlabel=against, ylabel=metric)
        return display.plot(ax, **kwargs)

    def plot(self, ax: Any = None, **kwargs: Any) -> "SearchDisplay":
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            For matplotlib's `Axes.errorbar`.

        Returns
        -------
        display : SearchDisplay
            Itself.
        """
        check_matplotlib(f"{type(self).__name__}.plot")
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots()
        style = {"marker": "o", "markersize": 3, "linewidth": 1, "alpha": 0.7, **kwargs}
        for x, means, deviations in self.lines:
            ax.errorbar(x, means, deviations, **style)
        if _is_wide([value for x, *_ in self.lines for value in x]):
            ax.set_xscale("log")
        ax.set(xlabel=self.xlabel, ylabel=self.ylabel)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _lines(results: Any, against: str, metric: str) -> list[tuple[Any, Any, Any]]:
    is_rounds = against == "n_resources"
    column = results[against if is_rounds else f"param_{against}"]
    # Of several grids, some may not have the parameter.
    mask = np.ma.getmaskarray(np.ma.asarray(column))
    rows: list[int] = np.flatnonzero(~mask).tolist()
    followed: dict[Any, list[int]] = {}
    for row in rows:
        followed.setdefault(_whose(results, row) if is_rounds else row, []).append(row)
    means, deviations = results[f"mean_test_{metric}"], results[f"std_test_{metric}"]
    return [
        (_drawable(column[taken]), means[taken], deviations[taken])
        for taken in followed.values()
    ]


def _whose(results: Any, row: int) -> tuple[Any, ...]:
    """Tell which candidate a row is about, whatever its resources."""
    # A parameter of the estimator that is the resource is different in each round.
    resource = results["n_resources"][row]
    params = {
        name: value
        for name, value in results["params"][row].items()
        if not (isinstance(value, int) and value == resource)
    }
    bracket = results["bracket"][row] if "bracket" in results else 0
    return int(bracket), repr(sorted(params.items(), key=lambda item: item[0]))


def _drawable(values: Any) -> Any:
    values = np.ma.getdata(values)
    if all(isinstance(v, int | float | np.number) for v in values) and not any(
        # Truth values are names.
        isinstance(v, bool | np.bool_)
        for v in values
    ):
        return values.astype(float)
    return np.array([str(v) for v in values])


def _is_wide(values: list[Any]) -> bool:
    numbers = np.asarray(values)
    if numbers.dtype.kind != "f" or not len(numbers) or numbers.min() <= 0:
        return False
    return bool(numbers.max() / numbers.min() >= WIDE)


def _check_among(name: str, value: str, options: list[str]) -> None:
    if value not in options:
        raise ValueError(
            f"The {name!r} parameter of SearchDisplay.from_estimator must be one of "
            f"{options}. Got {value!r} instead."
        )
