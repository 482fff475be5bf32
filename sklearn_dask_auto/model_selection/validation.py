"""Cross-validation of any input: scikit-learn's own loop, on folds taken lazily."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import sklearn.model_selection
from sklearn.metrics import check_scoring

from sklearn_dask_auto._base import AutoScaleMixin
from sklearn_dask_auto._config import get_config
from sklearn_dask_auto._sklearn import check_arguments
from sklearn_dask_auto._survey import survey
from sklearn_dask_auto.exceptions import NoEngineError
from sklearn_dask_auto.inputs import describe, is_dask, refuse_unshaped
from sklearn_dask_auto.inputs.gather import gather
from sklearn_dask_auto.model_selection.folds import (
    LazyFolds,
    blockwise_refusals,
    count_splits,
    lazy_folds,
)
from sklearn_dask_auto.model_selection.scoring import ConcretePredictions, on_blocks
from sklearn_dask_auto.routing import Job, Plan, Profile, decide

__all__ = ["cross_val_predict", "cross_val_score", "cross_validate"]


def cross_val_predict(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    groups: Any = None,
    cv: Any = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    params: dict[str, Any] | None = None,
    pre_dispatch: Any = "2*n_jobs",
    method: str = "predict",
) -> Any:
    """Predict each row by a fit on the folds it is not in, on input of any size.

    See :func:`cross_validate` for what is done where.

    Parameters
    ----------
    estimator : estimator object
        As for :func:`cross_validate`.
    X : {array-like, sparse matrix, dask array, dask DataFrame} of shape \
            (n_samples, n_features)
        Rows.
    y : {array-like, dask array, dask Series} of shape (n_samples,), default=None
        Target.
    groups : {array-like, dask array, dask Series} of shape (n_samples,), default=None
        As for :func:`cross_validate`.
    cv : int, cross-validation generator or an iterable, default=None
        As in :func:`sklearn.model_selection.cross_val_predict`: a partition.
    n_jobs : int, default=None
        As for :func:`cross_validate`.
    verbose : int, default=0
        As in :func:`sklearn.model_selection.cross_val_predict`.
    params : dict, default=None
        As for :func:`cross_validate`.
    pre_dispatch : int or str, default='2*n_jobs'
        As for :func:`cross_validate`.
    method : {'predict', 'predict_proba', 'predict_log_proba', 'decision_function'}, \
            default='predict'
        What to call.

    Returns
    -------
    predictions : ndarray or dask array
        In the order of the rows. Of dask input a dask array in its row blocks, whose
        values were computed fold by fold and are in memory.

    Raises
    ------
    NoEngineError
        As for :func:`cross_validate`.

    See Also
    --------
    sklearn.model_selection.cross_val_predict : The function mirrored.
    cross_val_score : A score for each fold.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import AutoScaleRidge, cross_val_predict
    >>> X = np.arange(8.0).reshape(4, 2)
    >>> cross_val_predict(AutoScaleRidge(), X, X[:, 0], cv=2).round(1)
    array([1. , 2.6, 3.4, 5. ])

    The same on dask arrays:

    >>> import dask.array as da
    >>> dX = da.from_array(X, chunks=(3, 2))
    >>> cross_val_predict(AutoScaleRidge(), dX, dX[:, 0], cv=2).compute().round(1)
    array([1. , 2.6, 3.4, 5. ])
    """
    predictions = _on_any_input(
        sklearn.model_selection.cross_val_predict,
        estimator,
        X,
        y,
        groups=groups,
        cv=cv,
        n_jobs=n_jobs,
        verbose=verbose,
        params=params,
        pre_dispatch=pre_dispatch,
        method=method,
    )
    if not is_dask(X):
        return predictions
    from sklearn_dask_auto.inputs.output import in_row_blocks

    if isinstance(predictions, list):
        return [in_row_blocks(values, X) for values in predictions]
    return in_row_blocks(predictions, X)


def cross_val_score(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    groups: Any = None,
    scoring: Any = None,
    cv: Any = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    params: dict[str, Any] | None = None,
    pre_dispatch: Any = "2*n_jobs",
    error_score: Any = np.nan,
) -> Any:
    """Evaluate a score by cross-validation, on input of any size.

    See :func:`cross_validate` for what is done where.

    Parameters
    ----------
    estimator : estimator object
        As for :func:`cross_validate`.
    X : {array-like, sparse matrix, dask array, dask DataFrame} of shape \
            (n_samples, n_features)
        Rows.
    y : {array-like, dask array, dask Series} of shape (n_samples,), default=None
        Target.
    groups : {array-like, dask array, dask Series} of shape (n_samples,), default=None
        As for :func:`cross_validate`.
    scoring : str or callable, default=None
        As in :func:`sklearn.model_selection.cross_val_score`.
    cv : int, cross-validation generator or an iterable, default=None
        As in :func:`sklearn.model_selection.cross_val_score`.
    n_jobs : int, default=None
        As for :func:`cross_validate`.
    verbose : int, default=0
        As in :func:`sklearn.model_selection.cross_val_score`.
    params : dict, default=None
        As for :func:`cross_validate`.
    pre_dispatch : int or str, default='2*n_jobs'
        As for :func:`cross_validate`.
    error_score : 'raise' or numeric, default=np.nan
        As in :func:`sklearn.model_selection.cross_val_score`.

    Returns
    -------
    scores : ndarray of float of shape (n_splits,)
        One score for each fold.

    Raises
    ------
    NoEngineError
        As for :func:`cross_validate`.

    See Also
    --------
    sklearn.model_selection.cross_val_score : The function mirrored.
    cross_validate : Several metrics, times, estimators.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import AutoScaleRidge, cross_val_score
    >>> X = np.arange(40.0).reshape(20, 2)
    >>> y = X[:, 0] + np.tile([0, 1], 10)
    >>> cross_val_score(AutoScaleRidge(), X, y, cv=3).round(3)
    array([0.984, 0.984, 0.98 ])

    The same on dask arrays:

    >>> import dask.array as da
    >>> dX, dy = da.from_array(X, chunks=(7, 2)), da.from_array(y, chunks=5)
    >>> cross_val_score(AutoScaleRidge(), dX, dy, cv=3).round(3)
    array([0.984, 0.984, 0.98 ])
    """
    return _on_any_input(
        sklearn.model_selection.cross_val_score,
        estimator,
        X,
        y,
        groups=groups,
        scoring=scoring,
        cv=cv,
        n_jobs=n_jobs,
        verbose=verbose,
        params=params,
        pre_dispatch=pre_dispatch,
        error_score=error_score,
    )


def cross_validate(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    groups: Any = None,
    scoring: Any = None,
    cv: Any = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    params: dict[str, Any] | None = None,
    pre_dispatch: Any = "2*n_jobs",
    return_train_score: bool = False,
    return_estimator: bool = False,
    return_indices: bool = False,
    error_score: Any = np.nan,
) -> dict[str, Any]:
    """Evaluate metrics by cross-validation, on input of any size.

    Rows in memory are scikit-learn's own function's, and so is a dask collection that
    fits into the memory budget where that is faster: it is brought here once. Any
    other is never brought here: its folds are taken lazily, block by block, for an
    estimator of this library or a pipeline of them.

    Parameters
    ----------
    estimator : estimator object
        Any for rows in memory, and for a dask collection that fits.
    X : {array-like, sparse matrix, dask array, dask DataFrame} of shape \
            (n_samples, n_features)
        Rows.
    y : {array-like, dask array, dask Series} of shape (n_samples,), default=None
        Target, which is brought here; its kind need not be that of `X`.
    groups : {array-like, dask array, dask Series} of shape (n_samples,), default=None
        For the splitter; brought here.
    scoring : str, callable, list, tuple or dict, default=None
        As in :func:`sklearn.model_selection.cross_validate`.
    cv : int, cross-validation generator or an iterable, default=None
        As in :func:`sklearn.model_selection.cross_validate`: any splitter, the same
        folds, stratified by default for classifiers.
    n_jobs : int, default=None
        For rows in memory. Folds of a collection are fitted one after another, each
        on all the cores or workers.
    verbose : int, default=0
        As in :func:`sklearn.model_selection.cross_validate`.
    params : dict, default=None
        As in :func:`sklearn.model_selection.cross_validate`, metadata routing
        included; dask arrays, such as weights, are brought here and follow the folds.
    pre_dispatch : int or str, default='2*n_jobs'
        For rows in memory.
    return_train_score : bool, default=False
        As in :func:`sklearn.model_selection.cross_validate`.
    return_estimator : bool, default=False
        As in :func:`sklearn.model_selection.cross_validate`.
    return_indices : bool, default=False
        As in :func:`sklearn.model_selection.cross_validate`.
    error_score : 'raise' or numeric, default=np.nan
        As in :func:`sklearn.model_selection.cross_validate`.

    Returns
    -------
    scores : dict of ndarray of float of shape (n_splits,)
        As :func:`sklearn.model_selection.cross_validate` returns, concrete.

    Raises
    ------
    NoEngineError
        If a dask collection is over the memory budget and the estimator needs it in
        memory.

    See Also
    --------
    sklearn.model_selection.cross_validate : The function mirrored.
    cross_val_score : One metric.
    AutoScaleSearchCV : The same for many candidates.

    Notes
    -----
    Passes over a collection that is not brought here: one to count rows, where their
    number is unknown; then, for each fold, those of the fit on the training rows, and
    one on the test rows for all metrics together (one more on the training rows with
    `return_train_score`). Lazy blocks that fit into the memory of the cluster, or into
    the memory budget, are computed once and kept meanwhile. Blocks of which a fold
    takes nothing are not read.

    Within a fold, rows come in the order of the collection. Scores are scikit-learn's
    within the tolerance of the estimator on dask input.

    scikit-learn's own function also takes the estimators of this library on dask
    arrays of known sizes, to the same scores; on a dask DataFrame it fails.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import AutoScaleRidge, cross_validate
    >>> X = np.arange(40.0).reshape(20, 2)
    >>> y = X[:, 0] + np.tile([0, 1], 10)
    >>> sorted(cross_validate(AutoScaleRidge(), X, y, cv=3))
    ['fit_time', 'score_time', 'test_score']

    The same on dask arrays, block by block if so asked:

    >>> import dask.array as da
    >>> dX, dy = da.from_array(X, chunks=(7, 2)), da.from_array(y, chunks=5)
    >>> ridge = AutoScaleRidge(engine="blockwise")
    >>> cross_validate(ridge, dX, dy, cv=3)["test_score"].round(3)
    array([0.984, 0.984, 0.98 ])
    """
    return _on_any_input(
        sklearn.model_selection.cross_validate,
        estimator,
        X,
        y,
        groups=groups,
        scoring=scoring,
        cv=cv,
        n_jobs=n_jobs,
        verbose=verbose,
        params=params,
        pre_dispatch=pre_dispatch,
        return_train_score=return_train_score,
        return_estimator=return_estimator,
        return_indices=return_indices,
        error_score=error_score,
    )


def _on_any_input(
    validate: Callable[..., Any],
    estimator: Any,
    X: Any,
    y: Any,
    *,
    groups: Any,
    params: dict[str, Any] | None,
    **options: Any,
) -> Any:
    """Call a function of scikit-learn on rows in memory, or on lazy folds."""
    values = params if isinstance(params, dict) else {}
    refuse_unshaped(X=X, y=y, groups=groups)
    refuse_unshaped(**values)
    if not any(map(is_dask, (X, y, groups, *values.values()))):
        return validate(estimator, X, y, groups=groups, params=params, **options)
    check_arguments(validate, {"estimator": estimator, "params": params, **options})
    beside = {"groups": groups, **{f"params {k}": v for k, v in values.items()}}
    if is_dask(X):
        plan = _plan(validate.__name__, estimator, X, y, beside, options["cv"])
        if plan.engine is None:
            raise NoEngineError(plan.refusal(), plan)
        if plan.engine == "blockwise":
            folds = _folds(estimator, X, y, beside, options["cv"], plan)
            X, y, beside = folds.X, folds.y, folds.params
            # One fit at a time, as each of them takes all there is.
            options |= {"cv": folds.cv, "n_jobs": 1}
            estimator = _concrete(estimator, options)
        else:
            X, y, beside = gather(X, y, beside, plan.budget, plan.job.copies)
    else:
        _, y, beside = gather(None, y, beside)
    groups = beside.pop("groups")
    params = {name.removeprefix("params "): value for name, value in beside.items()}
    return validate(estimator, X, y, groups=groups, params=params, **options)


def _folds(
    estimator: Any, X: Any, y: Any, beside: dict[str, Any], cv: Any, plan: Plan
) -> LazyFolds:
    from sklearn_dask_auto.engines.blockwise import room

    return lazy_folds(estimator, X, y, beside, cv, room(plan))


def _concrete(estimator: Any, options: dict[str, Any]) -> Any:
    """Have the loop get concrete scores, or else an estimator that predicts so.

    Rows are taken in ascending order, in which predictions come back; the loop puts
    them where the folds say, which have to be as ascending.
    """
    if "scoring" not in options:
        options["cv"] = options["cv"].ascending()
        return ConcretePredictions(estimator)
    raises = options["error_score"] == "raise"
    scorer = check_scoring(estimator, scoring=options["scoring"], raise_exc=raises)
    options["scoring"] = on_blocks(scorer)
    return estimator


def _plan(
    method: str, estimator: Any, X: Any, y: Any, beside: dict[str, Any], cv: Any
) -> Plan:
    profile = describe(X, y, *beside.values())
    job = _job(method, estimator, profile, count_splits(cv))
    resources = survey(with_cluster=True)
    return decide(profile, job, resources, get_config()["memory_budget"])


def _job(method: str, estimator: Any, profile: Profile, n_splits: int) -> Job:
    """Return the job of one fit, as often as there are folds."""
    if isinstance(estimator, AutoScaleMixin):
        job = estimator._job(profile, {})
    else:
        job = Job(estimator=type(estimator).__name__, passes=20.0, operations=20.0)
    reasons = blockwise_refusals(estimator, profile)
    asked = get_config()["engine"] or "auto" if job.engine == "auto" else job.engine
    return replace(
        job,
        method=method,
        engine=_LOOPS.get(asked, "auto"),
        refusals=(*(("blockwise", reason) for reason in reasons), *_NO_LOOP),
        n_fits=n_splits,
        # Every fold reads the rows again.
        passes=max(2.0, job.passes),
    )


_LOOPS = {"sklearn": "sklearn", "blockwise": "blockwise", "dask-ml": "blockwise"}
"""The engine of the fits -> that of the loop over them."""
_NO_LOOP = (
    ("joblib", "folds are not sent to a cluster one by one; AutoScaleSearchCV does"),
    ("dask-ml", "dask-ml has no such function"),
)
