"""Search over parameters, with scikit-learn's contract and a choice of machines."""

from itertools import islice
from numbers import Integral, Real
from typing import Any

import numpy as np
from joblib.parallel import get_active_backend
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, ParameterGrid
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sklearn_dask_auto._base import AutoScaleMixin
from sklearn_dask_auto._sklearn import (
    BaseSearchCV,
    Interval,
    StrOptions,
    fit_context,
    parameter_constraints,
)
from sklearn_dask_auto.engines.local_processes import ordered_backend
from sklearn_dask_auto.engines.thread_safety import fits_keep_apart
from sklearn_dask_auto.inputs import is_dask
from sklearn_dask_auto.inputs.gather import gather
from sklearn_dask_auto.model_selection.block_search import search_blocks
from sklearn_dask_auto.model_selection.folds import blockwise_refusals, count_splits
from sklearn_dask_auto.model_selection.placement import Placement
from sklearn_dask_auto.model_selection.scoring import blockwise_view
from sklearn_dask_auto.model_selection.strategies import NAMES, strategy_of
from sklearn_dask_auto.model_selection.stream import search_stream
from sklearn_dask_auto.routing import Job, Plan, Profile

__all__ = ["AutoScaleSearchCV"]


class AutoScaleSearchCV(AutoScaleMixin, BaseSearchCV):
    """Search over parameters of an estimator, wherever its fits are best run.

    The search is scikit-learn's own: its candidates, folds, scores, refit and
    `cv_results_`. What this class adds is where the fits run. The first runs in this
    process and is timed; the rest follows it, or goes to local worker processes or to
    the cluster of a Dask client, whichever will be done first. Support vector machines
    are fitted in threads of this process, where that is sooner. A small dask
    collection, or any that fits into the memory budget where there is no cluster, is
    brought here once. One that fits a worker of the cluster is put together on those
    that get fits, and not here. One of any other size stays where it is, if the
    estimator is one of this library, or a pipeline of them: its folds are taken lazily,
    and each fit passes over their blocks. Any other estimator can be wrapped in
    :class:`AutoScaleEstimator`, whose fits put the rows of a fold together on a worker
    of the cluster, or stream them.

    Parameters
    ----------
    estimator : estimator object
        As in :class:`~sklearn.model_selection.GridSearchCV`.
    param_grid : dict or list of dict
        As in :class:`~sklearn.model_selection.GridSearchCV`.
        `param_grid` may hold distributions, that is, objects with a method `rvs`, for
        every strategy that draws at random.
    strategy : {'grid', 'random', 'halving', 'hyperband'}, default='grid'
        How candidates are found; where scikit-learn has the strategy, with the results
        of its class:

        - 'grid': :class:`~sklearn.model_selection.GridSearchCV`;
        - 'random': :class:`~sklearn.model_selection.RandomizedSearchCV`;
        - 'halving': :class:`~sklearn.model_selection.HalvingGridSearchCV` if every
          parameter is a list and `n_candidates` is None, else
          :class:`~sklearn.model_selection.HalvingRandomSearchCV`;
        - 'hyperband': brackets of successive halving, each from other resources on,
          side by side.

        With ``resource='partial_fit'`` a candidate goes on from round to round where it
        was, instead of being fitted from scratch: one model for each split of `cv`,
        whose test rows must fit in memory.
    n_iter : int, default=10
        Candidates to draw; for 'random'.
    n_candidates : 'exhaust' or int, default=None
        Candidates of the first round; for 'halving' at random, where None is
        'exhaust'.
    factor : int or float, default=3
        For 'halving' and 'hyperband': only one candidate in `factor` goes on to the
        next round, on `factor` times the resources.
    resource : str, default='auto'
        For 'halving' and 'hyperband': 'n_samples', a parameter of the estimator, or
        'partial_fit', calls of which are counted. 'auto' is 'n_samples', but for
        'hyperband' 'partial_fit' of an estimator that has it.
    min_resources : {'auto', 'exhaust', 'smallest'} or int, default='auto'
        For 'halving' and 'hyperband'; 'auto' is the default of the class mirrored:
        'exhaust' for lists, 'smallest' at random, which is 1 for 'partial_fit'.
    max_resources : int or 'auto', default='auto'
        For 'halving' and 'hyperband'. For 'partial_fit' the most calls that a
        candidate gets, of which 'auto' is 81. Rows are shuffled and cut into as many
        batches, of 256 rows at least; a dask collection over 128 MB into as many as it
        has blocks, each mixed from several.
    aggressive_elimination : bool, default=False
        For 'halving'.
    patience : int, default=None
        For 'partial_fit': a candidate is trained no more once its score did not
        improve by more than `tol` in `patience` calls. It keeps its score, and may
        still win. None trains every candidate to the end of its rounds.
    tol : float, default=1e-3
        For `patience`.
    decay_rate : float, default=None
        For 'halving' by 'partial_fit', in place of `factor`: candidates are scored
        after every `min_resources` calls, and after the i-th score
        ``n_candidates / (i + 1) ** decay_rate`` of them go on. 0 cuts nobody.
    random_state : int, RandomState instance or None, default=None
        Of the candidates drawn and of the rows taken; not used by 'grid'.
    scoring : str, callable, list, tuple or dict, default=None
        As in :class:`~sklearn.model_selection.GridSearchCV`.
    n_jobs : int, default=None
        Most fits at once. None leaves the number to the plan, 1 runs them here one
        after another, -1 may take every core or worker thread.
    refit : bool, str or callable, default=True
        As in :class:`~sklearn.model_selection.GridSearchCV`.
    cv : int, cross-validation generator or an iterable, default=None
        As in :class:`~sklearn.model_selection.GridSearchCV`.
    verbose : int, default=0
        As in :class:`~sklearn.model_selection.GridSearchCV`.
    pre_dispatch : int or str, default='2*n_jobs'
        As in :class:`~sklearn.model_selection.GridSearchCV`; it applies where
        scikit-learn itself runs the fits, under a joblib backend of the user's.
    error_score : 'raise' or numeric, default=np.nan
        As in :class:`~sklearn.model_selection.GridSearchCV`.
    return_train_score : bool, default=False
        As in :class:`~sklearn.model_selection.GridSearchCV`. For 'partial_fit' models
        are scored on all rows that their split trains on, whether or not they have met
        each; those of one split must fit in memory, and where those of all do not fit
        together they are read again in every round.
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who runs the fits: 'sklearn' this machine, 'joblib' the Dask cluster, each fit
        on one core; 'blockwise' one fit after another, each on all of them. 'dask-ml'
        is refused, with the reason.

    Attributes
    ----------
    cv_results_, best_estimator_, best_score_, best_params_, best_index_, scorer_, \
    n_splits_, refit_time_, multimetric_, classes_, n_features_in_, feature_names_in_
        As in :class:`~sklearn.model_selection.GridSearchCV`, concrete.
    n_candidates_, n_resources_, n_iterations_, n_required_iterations_, \
n_possible_iterations_, n_remaining_candidates_, min_resources_, max_resources_
        For 'halving', as in :class:`~sklearn.model_selection.HalvingGridSearchCV`.
        With `decay_rate`, by which no rounds are required, what is required and what
        is possible is what there was.
    n_partial_fit_calls_ : int
        For 'partial_fit': calls before the refit, of all candidates on all splits.
    history_ : list of dict
        For 'partial_fit': every mean score in the order of time, those between rounds
        that `patience` asks for included; of several metrics the one that ranks.
    plan_ : Plan
        Where the fits ran, and why.

    Raises
    ------
    NoEngineError
        If a dask collection is over the memory budget and the estimator needs it in
        memory, or the engine asked for by name cannot do it.

    See Also
    --------
    sklearn.model_selection.GridSearchCV : The search mirrored.
    dask_ml.model_selection.GridSearchCV : Another, whose results differ in places.

    Notes
    -----
    Results do not depend on where fits run: candidates and folds are made here, before,
    and on blocks they are the same within the tolerance of the estimator there.

    A collection that is brought here, or put together on workers, is read once; on
    workers, a pass before it counts rows where their number is unknown. The refit runs
    there, too, and so does a splitter that looks at the values of `X`. `y`, groups and
    weights are brought here. Should the cluster go, `NoEngineError` is raised, and
    `cv_results_` has the scores so far. Under a joblib backend of the user's that is
    neither the default nor Dask's, `X` is brought here, or refused if it is over the
    memory budget.

    Passes over a collection that stays where it is: one to count rows, where their
    number is unknown; then for each fit, those of its estimator on the training rows,
    and one on the test rows for all metrics together (one more on the training rows
    with `return_train_score`). Lazy blocks that fit into half the memory of the
    cluster, or into the memory budget without one, are computed once and kept
    meanwhile. Blocks of which a fold takes nothing are not read. `y`, groups and
    weights are brought here. Within a fold, rows come in the order of the collection.

    With 'halving' and 'hyperband', `cv_results_` has one row for each candidate of each
    round, with its `iter` and `n_resources`, and for 'hyperband' its `bracket`. The
    best is the best of the last round, or of those that had all resources.

    With 'partial_fit' there are also `candidate`, a number that stays the same through
    all rounds, and `partial_fit_calls`, which `patience` may have kept below
    `n_resources`. As all scores are on the same rows, the best is the best among the
    last scores of all candidates; it is trained as long again on all rows. Of several
    metrics the one that `refit` names decides who goes on, or the first where `refit`
    is a callable, which then chooses from `cv_results_`, or False. Candidates are
    trained in step, so that a block is read once for all of them and for all splits, of
    which each takes the rows that it trains on: as often, all in all, as one model goes
    through the rows, which is once for as many calls as there are blocks; and again for
    the refit. A collection of up to 128 MB is read once for each of the two. Rows held
    out are read once and kept, if those of all splits fit into the memory budget; else
    split by split in every round, from the blocks that have any. Fewer of them, as in
    ``cv=ShuffleSplit(1, test_size=0.1)``, which is what dask-ml's searches do, are read
    less. Rows in memory are trained on by threads here, or with `engine='joblib'` on
    the cluster; blocks where they are. Results depend on the seed, and for collections
    over 128 MB on their blocks, but neither on the workers nor on `n_jobs`. A candidate
    whose workers die is tried once more, alone, and then gets `error_score`. Should the
    client close, candidates are trained again here, to the same models, with a
    `RuntimeWarning`; where blocks of `X` were on its workers alone, `NoEngineError` is
    raised, and `cv_results_` has the rounds that were over. `to_sklearn` gives the
    search of scikit-learn with the same candidates.

    Of dask-ml's searches, HyperbandSearchCV is ``strategy='hyperband'``, and
    SuccessiveHalvingSearchCV ``strategy='halving', resource='partial_fit'``;
    InverseDecaySearchCV is the same with ``decay_rate=1``, and IncrementalSearchCV
    with ``decay_rate=0``.

    The methods of a fitted search map dask input lazily; `score` returns a float.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sklearn_dask_auto import AutoScaleSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> search = AutoScaleSearchCV(SVC(), {"C": [0.1, 1, 10]}).fit(X, y)
    >>> search.best_params_
    {'C': 10}

    The same with dask arrays, which are brought here once; predictions are lazy:

    >>> import dask.array as da
    >>> dX, dy = da.from_array(X, chunks=(50, 4)), da.from_array(y, chunks=50)
    >>> search = AutoScaleSearchCV(SVC(), {"C": [0.1, 1, 10]}).fit(dX, dy)
    >>> search.best_params_
    {'C': 10}
    >>> search.predict(dX)
    dask.array<predict, shape=(150,), dtype=int64, chunksize=(50,), ...>

    Hyperband, where the rows stay in their blocks:

    >>> from scipy.stats import loguniform
    >>> from sklearn.linear_model import SGDClassifier
    >>> drawn = {"alpha": loguniform(1e-5, 1)}
    >>> search = AutoScaleSearchCV(
    ...     SGDClassifier(random_state=0), drawn, strategy="hyperband",
    ...     max_resources=9, random_state=0,
    ... ).fit(dX, dy)
    >>> sorted(set(search.cv_results_["n_resources"].tolist()))
    [1, 3, 9]
    >>> search.n_partial_fit_calls_  # 69 on each split
    345
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **parameter_constraints(GridSearchCV),
        "strategy": [StrOptions(set(NAMES))],
        "n_iter": [Interval(Integral, 1, None, closed="left")],
        "n_candidates": [
            Interval(Integral, 0, None, closed="neither"),
            StrOptions({"exhaust"}),
            None,
        ],
        "factor": [Interval(Real, 0, None, closed="neither")],
        "resource": [str],
        "min_resources": [
            Interval(Integral, 0, None, closed="neither"),
            StrOptions({"auto", "exhaust", "smallest"}),
        ],
        "max_resources": [
            Interval(Integral, 0, None, closed="neither"),
            StrOptions({"auto"}),
        ],
        "aggressive_elimination": ["boolean"],
        "patience": [Interval(Integral, 1, None, closed="left"), None],
        "tol": [Interval(Real, 0, None, closed="left")],
        "decay_rate": [Interval(Real, 0, None, closed="left"), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        param_grid: Any,
        *,
        strategy: str = "grid",
        n_iter: int = 10,
        n_candidates: Any = None,
        factor: float = 3,
        resource: str = "auto",
        min_resources: Any = "auto",
        max_resources: Any = "auto",
        aggressive_elimination: bool = False,
        patience: int | None = None,
        tol: float = 1e-3,
        decay_rate: float | None = None,
        random_state: Any = None,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: Any = "2*n_jobs",
        error_score: Any = np.nan,
        return_train_score: bool = False,
        engine: str = "auto",
    ) -> None:
        super().__init__(
            estimator=estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.param_grid = param_grid
        self.strategy = strategy
        self.n_iter = n_iter
        self.n_candidates = n_candidates
        self.factor = factor
        self.resource = resource
        self.min_resources = min_resources
        self.max_resources = max_resources
        self.aggressive_elimination = aggressive_elimination
        self.patience = patience
        self.tol = tol
        self.decay_rate = decay_rate
        self.random_state = random_state
        self.engine = engine

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Run fit with all sets of parameters.

        Parameters
        ----------
        X : {array-like, sparse matrix, dask array, dask DataFrame} of shape \
                (n_samples, n_features)
            Dask input is brought here once, put together on the workers of a cluster,
            or left where it is; see above which.
        y : {array-like, dask array, dask Series} of shape (n_samples,), default=None
            Target; its kind need not be that of `X`.
        **params : dict
            As in :meth:`sklearn.model_selection.GridSearchCV.fit`: `groups`,
            `sample_weight` and what else is routed, dask arrays included.

        Returns
        -------
        self : AutoScaleSearchCV
            Fitted.
        """
        strategy_of(self).check()
        if is_dask(X):
            # Nonsense is refused before anything is brought here; for in-memory input
            # scikit-learn does it, in its own order.
            if self.strategy == "grid":
                ParameterGrid(self.param_grid)
            clone(self.estimator)
        return self._fit_as_planned(X, y, params)

    def score(self, X: Any, y: Any = None, **params: Any) -> float:
        """Return the score of the best estimator on the given data.

        Parameters
        ----------
        X : {array-like, dask array, dask DataFrame} of shape (n_samples, n_features)
            Data to score on.
        y : {array-like, dask array, dask Series} of shape (n_samples,), default=None
            Target.
        **params : dict
            Routed to the scorer.

        Returns
        -------
        score : float
            Computed at once. Dask input is predicted block by block; only predictions
            and `y` are brought here.
        """
        if not is_dask(X):
            _, y, params = gather(None, y, params)
            return super().score(X, y, **params)
        check_is_fitted(self)
        with blockwise_view(self, X, y, params) as (view, y_here, params_here):
            return float(BaseSearchCV.score(view, X, y_here, **params_here))

    def _check_input_parameters(
        self, X: Any, y: Any, split_params: dict[str, Any]
    ) -> None:
        cv = self._checked_cv_orig
        self._candidates = strategy_of(self).prepare(cv, X, y, split_params)

    def _run_search(
        self, evaluate_candidates: Any, *, callback_ctx: Any = None
    ) -> None:
        """Evaluate the candidates that the strategy chooses."""
        strategy, plain = strategy_of(self), self.__dict__.pop("_candidates")
        self._columns: list[Any] = []

        def evaluate(*args: Any, **options: Any) -> Any:
            # Noted before the fits, in case that they are interrupted.
            self._columns.append(options.get("more_results") or {})
            return evaluate_candidates(*args, **options)

        strategy.run(plain, evaluate, callback_ctx)
        self.__dict__.update(strategy.learned(plain))

    def _select_best_index(self, refit: Any, refit_metric: str, results: Any) -> Any:
        return strategy_of(self).best_index(refit, refit_metric, results)

    def _plan_of_fit(self, X: Any, y: Any, params: dict[str, Any]) -> Plan:
        # `Placement` asks the workers of a cluster, if it comes to choose them: what is
        # over in a moment is not held up.
        is_placed = not is_dask(X) and not strategy_of(self).streams
        return self._plan(X, y, params, asks_workers=not is_placed)

    def _fit_in_memory(
        self, X: Any, y: Any, params: dict[str, Any], plan: Plan
    ) -> dict[str, Any]:
        if strategy_of(self).streams:
            return search_stream(self, X, y, params, plan)
        placement = Placement(plan)
        try:
            with placement.active(self):
                BaseSearchCV.fit(self, X, y, **params)
        finally:
            self.__dict__.pop("_columns", None)
        return {"plan_": placement.plan}

    def _adopt(self, learned: dict[str, Any], plan: Plan) -> None:
        super()._adopt(learned, plan)
        if self.strategy == "halving" and not strategy_of(self).streams:
            # BaseSearchCV leaves it out for a callable `refit`, which halving ignores.
            self.best_score_ = self.cv_results_["mean_test_score"][self.best_index_]

    def _fit_on_blocks(
        self, X: Any, y: Any, params: dict[str, Any], plan: Plan
    ) -> dict[str, Any]:
        if strategy_of(self).streams:
            return search_stream(self, X, y, params, plan)
        return search_blocks(self, X, y, params, plan)

    def _fit_on_workers(
        self, X: Any, y: Any, params: dict[str, Any], plan: Plan
    ) -> dict[str, Any]:
        # It imports dask.
        from sklearn_dask_auto.model_selection.worker_search import search_on_workers

        return search_on_workers(self, X, y, params, plan)

    def _job(self, profile: Profile, params: dict[str, Any]) -> Job:
        if strategy_of(self).streams:
            return self._stream_job(profile)
        reasons = _not_cut(profile)
        for estimator in _estimators_tried(self.estimator, self.param_grid):
            reasons += blockwise_refusals(estimator, profile)
        n_candidates = strategy_of(self).count_candidates(profile.n_rows)
        # The same step may be tried with many parameters.
        unlike = dict.fromkeys(("blockwise", reason) for reason in reasons)
        return Job(
            estimator=type(self).__name__,
            engine=self.engine,
            refusals=(*unlike, *_not_sent(profile), ("dask-ml", _DASK_ML_SEARCH)),
            n_fits=max(1, n_candidates * count_splits(self.cv)),
            n_jobs=self._n_jobs_asked(),
            passes=20.0,
            operations=20.0,
            moves_whole=True,
            in_threads=fits_keep_apart(self.estimator, self.param_grid, self.scoring),
        )

    def _stream_job(self, profile: Profile) -> Job:
        refusals = [("dask-ml", "its searches by partial_fit fail on current dask")]
        if profile.is_dask:
            stays = "partial_fit streams over the blocks of X where they are"
            refusals += [("sklearn", stays), ("joblib", stays)]
        n_candidates = strategy_of(self).count_candidates(profile.n_rows)
        return Job(
            estimator=type(self).__name__,
            engine=self.engine,
            refusals=tuple(refusals),
            n_fits=n_candidates * count_splits(self.cv),
            n_jobs=self._n_jobs_asked(),
            passes=20.0,
            operations=20.0,
        )

    def _n_jobs_asked(self) -> int | None:
        # As in joblib: what is not said here may be said around it.
        n_jobs = get_active_backend()[1] if self.n_jobs is None else self.n_jobs
        return None if n_jobs is None else int(n_jobs)

    def _block_model(self, X: Any, method: str) -> Any:
        return self.best_estimator_

    def _plain_class(self) -> Any:
        return type(strategy_of(self).plain())

    def _plain(self) -> Any:
        plain = super()._plain()
        # What it calls otherwise, or has a default of its own for.
        vars(plain).update(vars(strategy_of(self).plain()))
        return plain


_DASK_ML_SEARCH = (
    "dask-ml's search weighs folds by size and ranks NaN scores differently"
)


MOST_TRIED = 100
"""Combinations of a grid that are looked at before any is fitted."""


def _estimators_tried(estimator: Any, param_grid: Any) -> list[Any]:
    """Return the estimator with the parameters of candidates, as far as they are known.

    Lists are; of a distribution nothing is drawn. What scikit-learn will refuse is left
    to it.
    """
    grids = param_grid if isinstance(param_grid, list | tuple) else [param_grid]
    listed = [
        {name: values for name, values in grid.items() if not hasattr(values, "rvs")}
        for grid in grids
        if isinstance(grid, dict)
    ]
    if not isinstance(estimator, AutoScaleMixin | Pipeline):
        # No parameter makes it take blocks.
        return [estimator]
    try:
        tried = [
            clone(estimator).set_params(**clone(params, safe=False))
            for params in islice(ParameterGrid(listed), MOST_TRIED)
            if params
        ]
    except (LookupError, TypeError, ValueError):
        return [estimator]
    return tried or [estimator]


def _not_sent(profile: Profile) -> list[tuple[str, str]]:
    """Refuse the cluster where joblib was told of other workers than it has."""
    backend = ordered_backend()
    if backend is None or not profile.is_dask:
        return []
    return [("joblib", f"joblib was told to use its {backend}, which needs X here")]


def _not_cut(profile: Profile) -> list[str]:
    if profile.is_dask or profile.container == "numpy":
        return []
    return [f"X is {profile.container}, from which no folds are taken block by block"]
