"""How far a search is, as it runs: a line that `SearchProgress` draws.

scikit-learn's `ProgressBar` draws what its contexts tell, which is how many tasks are
over; it is told of no scores. This callback is told of them by the search.
"""

from typing import Any

import numpy as np

from sklearn_dask_auto._sklearn import check_rich, listeners
from sklearn_dask_auto.model_selection.scoring import ranking_score

__all__ = ["SearchProgress", "Told"]


class SearchProgress:
    """Callback that shows fits of a search that are over or failed, and the best score.

    Set it by ``search.set_callbacks(SearchProgress())``, alone or beside scikit-learn's
    :class:`~sklearn.callback.ProgressBar`, which shows a bar for each task of a fit. It
    shows one line, for fits here, in local processes and on a cluster alike.

    Attributes
    ----------
    n_done_, n_total_, n_failed_ : int
        Fits, each of one candidate on one split; more may come to the total with each
        round of a search.
    best_score_ : float
        The best mean score over splits so far, by which candidates are ranked; NaN
        before there is one.

    See Also
    --------
    sklearn.callback.ProgressBar : A bar for each task.
    AutoScaleSearchCV : The search.

    Notes
    -----
    It is drawn with rich, which has to be installed.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sklearn_dask_auto import AutoScaleSearchCV, SearchProgress
    >>> X, y = load_iris(return_X_y=True)
    >>> progress = SearchProgress()
    >>> search = AutoScaleSearchCV(SVC(), {"C": [0.1, 1, 10]}, cv=3)
    >>> _ = search.set_callbacks(progress).fit(X, y)  # doctest: +ELLIPSIS
    AutoScaleSearchCV ... 9/9 ...
    >>> progress.n_done_, progress.n_failed_
    (9, 0)
    """

    def __init__(self) -> None:
        check_rich(type(self).__name__)
        self._live: Any = None

    def __getstate__(self) -> dict[str, Any]:
        # It travels with fits to other processes, where there is nothing to draw on.
        return {**vars(self), "_live": None}

    def setup(self, estimator: Any, context: Any) -> None:
        """Begin to draw.

        Parameters
        ----------
        estimator : AutoScaleSearchCV
            The search.
        context : sklearn.callback.CallbackContext
            Of its fit.
        """
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
        )

        self.n_done_ = self.n_total_ = self.n_failed_ = 0
        self.best_score_ = float("nan")
        self._entries: dict[int, dict[int, dict[str, Any]]] = {}
        text = TextColumn("[progress.description]{task.description}")
        told = TextColumn("{task.fields[told]}")
        columns = (text, BarColumn(), MofNCompleteColumn(), told, TimeElapsedColumn())
        self._live = Progress(*columns)
        self._task = self._live.add_task(context.estimator_name, total=None, told="")
        self._live.start()

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Do nothing: the search tells of its fits itself.

        Parameters
        ----------
        estimator : AutoScaleSearchCV
            The search.
        context : sklearn.callback.CallbackContext
            Of a task.
        """

    on_fit_task_end = on_fit_task_begin

    def teardown(self, estimator: Any, context: Any) -> None:
        """End to draw.

        Parameters
        ----------
        estimator : AutoScaleSearchCV
            The search.
        context : sklearn.callback.CallbackContext
            Of its fit.
        """
        self._live.stop()
        self._live = None

    def _expect(self, n_fits: int) -> None:
        self.n_total_ += n_fits
        self._draw()

    def _hear(
        self, search: Any, entry: dict[str, Any], n_splits: int, place: tuple[int, int]
    ) -> None:
        """Count a fit, as `_fit_and_score` returned it, of a candidate's `n_splits`."""
        self.n_done_ += 1
        self.n_failed_ += entry["fit_error"] is not None
        candidate, split = place
        known = self._entries.setdefault(candidate, {})
        known[split] = entry
        if len(known) == n_splits:
            del self._entries[candidate]
            score = ranking_score(search, [known[i] for i in range(n_splits)])
            self.best_score_ = float(np.fmax(self.best_score_, score))
        self._draw()

    def _draw(self) -> None:
        told = f"{self.n_failed_} failed, best {self.best_score_:.4f}"
        count = {"completed": self.n_done_, "total": self.n_total_}
        self._live.update(self._task, told=told, **count)


class Told:
    """Tells those callbacks of a search that show its progress.

    Parameters
    ----------
    search : AutoScaleSearchCV
        Without such callbacks there is nobody to be told.
    """

    def __init__(self, search: Any) -> None:
        self._search = search
        self._shown = listeners(search, SearchProgress)

    def expect(self, n_fits: int) -> None:
        """Tell of fits to come."""
        for progress in self._shown:
            progress._expect(n_fits)

    def hear(
        self, entry: dict[str, Any], n_splits: int, place: tuple[int, int]
    ) -> None:
        """Tell of a fit that is over, by the numbers of its candidate and its split."""
        for progress in self._shown:
            progress._hear(self._search, entry, n_splits, place)
