"""Every private name of scikit-learn that this library uses, each with its reason.

When a scikit-learn release breaks something, it breaks here.
"""

import copy
import pickle
import warnings
from inspect import signature
from typing import Any

import numpy as np
from sklearn.base import _fit_context as fit_context
from sklearn.linear_model._base import LinearClassifierMixin, LinearModel
from sklearn.metrics._scorer import _MultimetricScorer as MultimetricScorer
from sklearn.metrics._scorer import _PassthroughScorer as PassthroughScorer
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads
from sklearn.utils._optional_dependencies import (
    check_matplotlib_support as check_matplotlib,
)
from sklearn.utils._optional_dependencies import (
    check_rich_support as check_rich,
)
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils._set_output import _get_output_config

from sklearn_dask_auto.routing.job import ENGINES

__all__ = [
    "ENGINE_CONSTRAINT",
    "BaseSearchCV",
    "HasMethods",
    "Interval",
    "LinearClassifierMixin",
    "LinearModel",
    "MultimetricScorer",
    "PassthroughScorer",
    "StrOptions",
    "adopt_steps",
    "begin_task",
    "check_arguments",
    "check_matplotlib",
    "check_n_features",
    "check_rich",
    "column_steps",
    "detached_fit",
    "end_task",
    "fit_context",
    "fit_encoder",
    "fit_step",
    "fit_task",
    "fitted_steps",
    "formatted_results",
    "halving_searches",
    "has_callbacks",
    "hears_from_afar",
    "imputer_input",
    "infer_dimension",
    "insert_error_scores",
    "is_constant",
    "lbfgs_iterations",
    "listeners",
    "logistic_loss",
    "mini_batch_step",
    "missing_mask",
    "openmp_threads",
    "parameter_constraints",
    "poisson_loss",
    "response_method",
    "safe_indexing",
    "smallest",
    "stacked",
    "subsampled_splits",
    "tell_callbacks",
    "transform_container",
    "unheard_fit",
    "unmade_fit",
    "validate_parameters",
    "without_zeros",
]
# `BaseSearchCV`: documented for subclassing, but exported by no public module.
# `check_matplotlib`, `check_rich`: scikit-learn's errors where these are missing.
# `fit_context`: validates parameters and manages callbacks around a public `fit`; there
# is no public way to take part in either.
# `HasMethods`, `Interval`, `StrOptions`: the vocabulary of `_parameter_constraints`,
# which `check_estimator` requires of every constructor parameter.
# `LinearClassifierMixin`, `LinearModel`: whose own methods multiply rows by `coef_`, so
# that what they return tells whether all rows are finite.
# `MultimetricScorer`: what `check_scoring` returns for several metrics; the loops over
# folds treat it, and its subclasses alone, as one that does not raise.
# `PassthroughScorer`: a scorer that asks the estimator's `score` is known by its class.
# `safe_indexing`: takes rows of anything that scikit-learn accepts, as its splits do.

openmp_threads = _openmp_effective_n_threads
# KMeans.predict reads `_n_threads`, which KMeans.fit sets to this.

ENGINE_CONSTRAINT: dict[str, list[Any]] = {"engine": [StrOptions({"auto", *ENGINES})]}
"""What `engine=` may be, the same for every public class."""


def parameter_constraints(cls: type) -> dict[str, list[Any]]:
    """Copy the constraints of a scikit-learn class, and add that of `engine`."""
    constraints: dict[str, list[Any]] = cls._parameter_constraints  # type: ignore[attr-defined]
    copied: dict[str, Any] = {
        # "no_validation" is a word, not a list of options.
        name: options if isinstance(options, str) else list(options)
        for name, options in constraints.items()
    }
    return {**copied, **ENGINE_CONSTRAINT}


def check_arguments(function: Any, arguments: dict[str, Any]) -> None:
    """Raise what a function of scikit-learn raises for arguments of the wrong type."""
    constraints = function._skl_parameter_constraints
    validate_parameter_constraints(
        {name: constraints[name] for name in arguments}, arguments, function.__name__
    )


def transform_container(estimator: Any) -> str:
    """Return "default", "pandas" or "polars", as `set_output` left it.

    scikit-learn wraps what `transform` returns, which would compute a dask collection;
    so the dask path has to ask for the setting itself.
    """
    return str(_get_output_config("transform", estimator)["dense"])


def response_method(scorer: Any, model: Any) -> str | None:
    """Return the method of a model that a scorer will call, where that can be known."""
    asked = getattr(scorer, "_response_method", ())
    names = [asked] if isinstance(asked, str) else asked
    return next((name for name in names if hasattr(model, name)), None)


def logistic_loss(n_classes: int, fit_intercept: bool) -> Any:
    """Return scikit-learn's loss of a linear classifier, compiled and free of the GIL.

    `LinearModelLoss` and the losses under it are what LogisticRegression minimises;
    summed over blocks they are its objective to the last digits.
    """
    from sklearn._loss import HalfBinomialLoss, HalfMultinomialLoss
    from sklearn.linear_model._linear_loss import LinearModelLoss

    is_binary = n_classes == 2
    base = HalfBinomialLoss() if is_binary else HalfMultinomialLoss(n_classes=n_classes)
    return LinearModelLoss(base_loss=base, fit_intercept=fit_intercept)


def poisson_loss(fit_intercept: bool) -> Any:
    """Return scikit-learn's loss of a Poisson regression; see `logistic_loss`."""
    from sklearn._loss import HalfPoissonLoss
    from sklearn.linear_model._linear_loss import LinearModelLoss

    return LinearModelLoss(base_loss=HalfPoissonLoss(), fit_intercept=fit_intercept)


def mini_batch_step(
    X: Any,
    centers: Any,
    moved: Any,
    counts: Any,
    random_state: Any,
    reassigns: bool,
    estimator: Any,
) -> float:
    """Take one step of MiniBatchKMeans, into `moved` and `counts`; return the inertia.

    Its public `partial_fit` takes the same step, but does not tell the inertia before
    it, by which `fit` decides when to stop.
    """
    from sklearn.cluster._kmeans import _mini_batch_step

    inertia = _mini_batch_step(
        X,
        np.ones(X.shape[0], X.dtype),
        centers,
        moved,
        counts,
        random_state,
        random_reassign=reassigns,
        reassignment_ratio=estimator.reassignment_ratio,
        verbose=estimator.verbose,
        n_threads=openmp_threads(),
    )
    return float(inertia)


def halving_searches() -> tuple[Any, Any]:
    """Return `HalvingGridSearchCV` and `HalvingRandomSearchCV`.

    They are exported only after the import of an "experimental" module, which would
    change `sklearn.model_selection` for the user's program as well.
    """
    from sklearn.model_selection._search_successive_halving import (
        HalvingGridSearchCV,
        HalvingRandomSearchCV,
    )

    return HalvingGridSearchCV, HalvingRandomSearchCV


def subsampled_splits(cv: Any, fraction: float, random_state: Any) -> Any:
    """Return a splitter that takes a share of the rows, as halving does."""
    from sklearn.model_selection._search_successive_halving import (
        _SubsampleMetaSplitter,
    )

    return _SubsampleMetaSplitter(
        base_cv=cv, fraction=fraction, subsample_test=True, random_state=random_state
    )


def fit_task(search: Any, X: Any, y: Any) -> Any:
    """Return the context of callbacks of a fit that has begun; None if none listens.

    For a search whose candidates scikit-learn does not evaluate.
    """
    if not getattr(search, "_skl_callbacks", None):
        return None
    context = search._init_callback_context(
        max_subtasks=1 + (search.refit is not False)
    )
    return context.call_on_fit_task_begin(estimator=search, X=X, y=y)


def listeners(search: Any, kind: type) -> list[Any]:
    """Return the callbacks of a search that are of a class."""
    callbacks = getattr(search, "_skl_callbacks", None) or []
    return [callback for callback in callbacks if isinstance(callback, kind)]


def begin_task(search: Any, context: Any, **options: Any) -> Any:
    """Return the context of a task within a fit that has begun; None if none listens.

    `options` are those of a context's `subcontext`.
    """
    if context is None:
        return None
    inner = context.subcontext(**options)
    return inner.call_on_fit_task_begin(estimator=search)


def end_task(search: Any, context: Any, **data: Any) -> None:
    """Tell callbacks that a task is over, if any listens."""
    if context is not None:
        context.call_on_fit_task_end(estimator=search, **data)


def validate_parameters(estimator: Any, caller: str) -> None:
    """Raise scikit-learn's error for parameters out of bounds, in the caller's name."""
    constraints = estimator._parameter_constraints
    validate_parameter_constraints(
        constraints, estimator.get_params(deep=False), caller_name=caller
    )


def lbfgs_iterations(result: Any, max_iter: int) -> int:
    """Return the iterations of scipy's L-BFGS, warning as scikit-learn's solvers do."""
    from sklearn.utils.optimize import _check_optimize_result

    return int(_check_optimize_result("lbfgs", result, max_iter))


def is_constant(variance: Any, mean: Any, n_samples: Any) -> Any:
    """Tell which columns scikit-learn's scalers take for constant, up to rounding."""
    from sklearn.preprocessing._data import _is_constant_feature

    return _is_constant_feature(variance, mean, n_samples)


def without_zeros(scale: Any, constant_mask: Any = None) -> Any:
    """Return the scale that scikit-learn divides by: 1 for constant columns."""
    from sklearn.preprocessing._data import _handle_zeros_in_scale

    return _handle_zeros_in_scale(scale, constant_mask=constant_mask)


def infer_dimension(spectrum: Any, n_samples: int) -> Any:
    """Return the number of components that `n_components="mle"` asks PCA for."""
    from sklearn.decomposition._pca import _infer_dimension

    return _infer_dimension(spectrum, n_samples)


def detached_fit(call: Any, with_callbacks: bool = True) -> Any:
    """Return a fit of a search, ready to be sent: without the search, if it can be.

    scikit-learn gives every fit the search itself, for callbacks to look at. Its `cv`
    may be a generator, which cannot be sent, and may hold every fold.
    """
    function, args, kwargs = call
    context, search = kwargs.get("callback_ctx"), kwargs.get("caller")
    if search is None:
        return call
    if has_callbacks(call) and with_callbacks:
        search = copy.copy(search)
        search.cv = search._checked_cv_orig
    else:
        search = context = None
    return function, args, {**kwargs, "caller": search, "callback_ctx": context}


def has_callbacks(call: Any) -> bool:
    """Tell whether a fit of a search has callbacks to tell of it."""
    return bool(getattr(call[2].get("callback_ctx"), "_callbacks", None))


def hears_from_afar(call: Any) -> bool:
    """Tell whether callbacks in another process could send word of a fit back.

    They send the search along, and as pickle does it: by the names of its classes.
    """
    try:
        pickle.dumps(call[2]["caller"])
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return True


def unheard_fit(call: Any) -> None:
    """Take the search out of a fit that has no callbacks.

    Fits with it and without take different lines of scikit-learn's, which the texts of
    their errors would show; equal texts are counted together.
    """
    kwargs = call[2]
    kwargs.update({name: None for name in ("caller", "callback_ctx") if name in kwargs})


def tell_callbacks(call: Any) -> None:
    """Tell here, when its result arrives, of a fit made where callbacks cannot be."""
    context, search = call[2]["callback_ctx"], call[2]["caller"]
    context.call_on_fit_task_begin(estimator=search)
    context.call_on_fit_task_end(estimator=search)


def unmade_fit(call: Any, error: str | None) -> dict[str, Any]:
    """Return what `_fit_and_score` does for a fit that failed: `error_score`.

    Without an `error`, for a fit that was never made: NaN.
    """
    kwargs = call[2]
    score = float("nan") if error is None else kwargs["error_score"]
    scorer = kwargs["scorer"]
    if isinstance(scorer, MultimetricScorer):
        score = dict.fromkeys(scorer._scorers, score)
    result = {"fit_error": error, "test_scores": copy.copy(score)}
    if kwargs["return_train_score"]:
        result["train_scores"] = copy.copy(score)
    n_test_samples = len(kwargs["test"])
    times = {"fit_time": 0.0, "score_time": 0.0}
    return {**result, "n_test_samples": n_test_samples, **times}


def insert_error_scores(out: list[dict[str, Any]], error_score: Any) -> None:
    """Give fits that failed as many scores as a callable `scoring` gave the others.

    Which there are is known from a fit that was made.
    """
    from sklearn.model_selection._validation import _insert_error_scores

    _insert_error_scores(out, error_score)


def formatted_results(
    search: Any,
    candidates: list[Any],
    out: list[dict[str, Any]],
    more: dict[str, list[Any]],
) -> dict[str, Any]:
    """Return `cv_results_` from what `_fit_and_score` returned, fit by fit."""
    if callable(search.scoring):
        insert_error_scores(out, float("nan"))
    with warnings.catch_warnings():
        # Of scores that are not finite: some are missing, as the caller knows.
        warnings.simplefilter("ignore", UserWarning)
        results: dict[str, Any] = search._format_results(
            candidates, search.n_splits_, out, more
        )
    return results


def fit_encoder(encoder: Any, table: Any, columns: Any) -> None:
    """Fit an encoder on distinct values, as if on all the rows that have them.

    Only its choice of infrequent categories looks at rows, in one method, which is
    given their counts here in place of those of the table.
    """
    choose = encoder._fit_infrequent_category_mapping

    def choose_from_all_rows(n_samples: int, counts: Any, missing: Any) -> None:
        pairs = zip(columns, encoder.categories_, strict=True)
        counts = [column.count_of(categories) for column, categories in pairs]
        choose(columns[0].n_rows, counts, missing)

    encoder._fit_infrequent_category_mapping = choose_from_all_rows
    try:
        encoder.fit(table)
    finally:
        del encoder._fit_infrequent_category_mapping


def column_steps(transformer: Any, head: Any) -> list[Any]:
    """Check the steps of a ColumnTransformer and choose their columns, as its fit does.

    Returns (name, step, columns, weight) of those that have columns; where a table has
    none, since it has not two dimensions, the error is scikit-learn's.
    """
    from sklearn.utils.validation import validate_data

    validate_data(transformer, X=head, skip_check_array=True)
    transformer._validate_transformers()
    transformer._validate_column_callables(head)
    transformer._validate_remainder(head)
    steps = _steps(transformer, fitted=False)
    for _, _, columns, _ in steps:
        safe_indexing(head, columns, axis=1)
    return steps


def fitted_steps(transformer: Any) -> list[Any]:
    """Return (name, step, columns, weight) of the steps that a transform applies."""
    return _steps(transformer, fitted=True)


def _steps(transformer: Any, fitted: bool) -> list[Any]:
    steps = transformer._iter(
        fitted=fitted,
        column_as_labels=False,
        skip_drop=True,
        skip_empty_columns=True,
    )
    return list(steps)


def fit_step(
    transformer: Any,
    place: tuple[str, int, int],
    step: Any,
    X: Any,
    y: Any,
    params: Any,
) -> Any:
    """Fit a step of a ColumnTransformer, telling of it if that is `verbose`.

    Returns what it transforms the rows to, and the fitted step.
    """
    from sklearn.compose._column_transformer import _ERR_MSG_1DCOLUMN
    from sklearn.pipeline import _fit_transform_one

    try:
        return _fit_transform_one(
            step,
            X,
            y,
            weight=None,
            message_clsname="ColumnTransformer",
            message=transformer._log_message(*place),
            params=params,
        )
    except ValueError as error:
        if "Expected 2D array, got 1D array instead" in str(error):
            raise ValueError(_ERR_MSG_1DCOLUMN) from error
        raise


def adopt_steps(transformer: Any, fitted: list[Any], outputs: list[Any]) -> None:
    """Set what a ColumnTransformer learns from its steps and the shapes they give."""
    transformer._update_fitted_transformers(fitted)
    if fitted:
        transformer._validate_output(outputs)
        transformer._record_output_indices(outputs)


def stacked(transformer: Any, outputs: list[Any]) -> Any:
    """Put outputs of steps side by side, as a ColumnTransformer or FeatureUnion does.

    Frames have the names of what the transformer gives.
    """
    # The one asks for the number of rows, the other does not.
    takes = signature(transformer._hstack).parameters
    rows = {"n_samples": outputs[0].shape[0]} if "n_samples" in takes else {}
    out = transformer._hstack(outputs, **rows)
    if transform_container(transformer) != "pandas":
        return out
    import pandas as pd

    names = transformer.get_feature_names_out()
    return pd.DataFrame(out).set_axis(names, axis="columns")


def check_n_features(estimator: Any, X: Any) -> None:
    """Raise scikit-learn's error for another number of columns than in fit."""
    from sklearn.utils.validation import _check_n_features

    _check_n_features(estimator, X, reset=False)


def imputer_input(imputer: Any, X: Any) -> Any:
    """Check and convert rows as SimpleImputer does in fit, with its own errors."""
    return imputer._validate_input(X, in_fit=True)


def missing_mask(X: Any, missing_values: Any) -> Any:
    """Tell which values an imputer takes for missing."""
    from sklearn.utils._mask import _get_mask

    return _get_mask(X, missing_values)


def smallest(values: list[Any]) -> Any:
    """Return the value that SimpleImputer takes of several that are as frequent."""
    from sklearn.impute._base import _safe_min

    return _safe_min(values)
