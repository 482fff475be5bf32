"""AutoScaleEstimator: any scikit-learn compatible estimator, beside dask.

The estimator is cloned and fitted: in this process, on the largest worker of a cluster,
or through its `partial_fit` on row blocks. What it then says of dask collections is
computed block by block. For estimators that have no class of their own in this library.
"""

import time
from dataclasses import replace
from numbers import Integral, Real
from typing import Any

from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.preprocessing import TargetEncoder
from sklearn.utils.metaestimators import available_if

from sklearn_dask_auto._base import AutoScaleMixin, to_plain
from sklearn_dask_auto._config import get_config
from sklearn_dask_auto._sklearn import (
    ENGINE_CONSTRAINT,
    HasMethods,
    Interval,
    StrOptions,
    fit_context,
)
from sklearn_dask_auto._survey import survey
from sklearn_dask_auto.inputs import is_dask, refuse_unshaped
from sklearn_dask_auto.inputs.concrete import ConcreteModel
from sklearn_dask_auto.inputs.gather import gather
from sklearn_dask_auto.inputs.measured import with_sizes
from sklearn_dask_auto.meta.fits import Request, fit_as_planned
from sklearn_dask_auto.meta.inner import operations_of, plan_of_inner
from sklearn_dask_auto.meta.predictions import known_outputs, map_predictions
from sklearn_dask_auto.meta.requests import OTHERS, map_request
from sklearn_dask_auto.meta.sample import plan_of_sample, take_sample
from sklearn_dask_auto.meta.stateless import is_stateless
from sklearn_dask_auto.meta.streamed import epochs, fit_further, streaming_refusals
from sklearn_dask_auto.meta.streamed_pipeline import last_step
from sklearn_dask_auto.meta.wrapper import (
    SignedAsWrapped,
    Wrapper,
    seed_unseeded,
    wrapped_has,
)
from sklearn_dask_auto.routing import Job, Plan, Profile, budget_of

__all__ = ["AutoScaleEstimator"]


class AutoScaleEstimator(AutoScaleMixin, Wrapper):
    """Wrap any estimator: fitted where the data fits, applied block by block.

    The estimator given is cloned and never changed. In-memory input is fitted by the
    clone as it is. A dask collection that fits into the memory budget is brought here
    once. What is larger is put together on the largest worker of a cluster, if it fits
    there, or streamed through `partial_fit`, if the estimator has that, and else
    refused, unless `fit_on` asks for a sample or for parts that vote. The methods of
    the fitted object are lazy on dask collections of any size.

    Parameters
    ----------
    estimator : estimator object
        A classifier, regressor, transformer, clusterer or pipeline. One of this
        library takes dask input itself. A fitted one, wrapped in
        :class:`~sklearn.frozen.FrozenEstimator`, is not fitted again.
    fit_on : {'sample', 'blocks'} or None, default=None
        None fits all rows. 'sample' fits `sample_size` of them, drawn at random without
        replacement. 'blocks' fits classifiers and regressors to groups of blocks, each
        for itself and where the blocks are, and has them vote. Both take input of any
        kind, and are never chosen for you.
    sample_size : int, default=100_000
        Rows that ``fit_on="sample"`` draws; of fewer, all are fitted.
    part_size : int, default=100_000
        Least mean number of rows in the parts that ``fit_on="blocks"`` makes, as long
        as there are that many rows.
    max_epochs : int, default=20
        Most passes over blocks that are streamed, for classifiers and regressors that
        have `max_iter`. All others see each row once.
    tol : float, default=1e-3
        Streaming ends when the mean score of an epoch has not improved by this much for
        five epochs.
    random_state : int, RandomState instance or None, default=None
        Seeds the sample, the order in which blocks are streamed and rows are mixed, and
        each `random_state` in `estimator` that is None; None takes that of `estimator`.
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who fits: 'sklearn' this process, 'joblib' the workers of a Dask cluster,
        'blockwise' streams through `partial_fit`. Others only where `estimator` is one
        of this library; they say why not.

    Attributes
    ----------
    estimator_ : estimator object
        The fitted clone; with ``fit_on="blocks"`` a fitted
        :class:`~sklearn.ensemble.VotingClassifier` or
        :class:`~sklearn.ensemble.VotingRegressor` of one clone a part.
    classes_, n_features_in_, feature_names_in_, ... : object
        All that `estimator_` has learned, where it has it: `coef_`, `labels_`, ...
    plan_ : Plan
        Who fitted, and why.

    Raises
    ------
    NoEngineError
        If a dask collection is over the memory budget, or the engine asked for by name
        cannot do it.

    See Also
    --------
    sklearn.frozen.FrozenEstimator : Keeps an estimator that is fitted as it is.
    dask_ml.wrappers.ParallelPostFit : Another, which fits the estimator it is given.
    dask_ml.ensemble.BlockwiseVotingClassifier : One clone a block; it wants the classes
        named, and each block to have all of them.

    Notes
    -----
    A collection that is brought here, or put together on a worker, is read once.

    Types and shapes of lazy results are learned from rows that are made up. Of models
    that refuse those, such as encoders of known categories, they are learned in `fit`;
    no row of the data is kept.

    ``predict(X, return_std=True)``, `kneighbors`, `apply` and their like are there
    where the estimator has them. On dask input they are lazy, a tuple of arrays where
    it returns a tuple, if each item has one row for each row; else they are refused.

    The graph of a lazy result holds the model, once, and sends it to each worker once;
    of several results that are computed apart, each does. dask warns of a model over
    10 MB. A future in its place would tie the result to one client: it could not be
    computed by threads, pickled, or after that client is closed. ``dask.compute`` of
    several results of one model, computed together, reads the blocks once.

    Streaming mixes the rows of several blocks, of low and of high targets, before it
    hands them to `partial_fit`, in batches of `batch_size` where the estimator has one.
    Classes and balanced class weights are those of all rows. Each buffer is scored
    before it is learned from, and the best model is kept. What is learned depends on
    the seed, and beyond 128 MB on how the rows are cut; never on the workers. A pass
    over the target finds its classes, another how they lie in the blocks; each epoch is
    one over all. A worker holds a buffer twice: of 128 MB, or of four blocks where
    these are larger.

    On a cluster one fit is made by the largest worker, where dask input is put
    together, of rows that never come here. Work that scikit-learn hands to joblib in a
    fit is shared by all workers: the trees of a forest, the members of a bag, a problem
    for each class or target, estimators that vote or are stacked; of input in memory,
    too, which is fitted here. `n_jobs` is a limit, None is none, and 1 keeps all in one
    place. Each worker gets what calls have in common once, and what is learned is the
    same for a seed. By itself ``engine="auto"`` times the first call, and sends the
    rest where that is clearly faster.

    A Pipeline is streamed if its last step can be, and each step before it learns
    nothing from the rows, has a class in this library, or has `partial_fit`. Steps are
    fitted in their order, each to all rows, in a pass; then the last is streamed. So
    are those of a Pipeline that is a step. What needs no fit, as its tags say, reads no
    block in `fit`.

    A sample depends on the seed and on the number of rows, not on how they are cut. Its
    rows keep their order, and are taken lazily, in one pass; where their number is
    unknown, a pass before it counts them. A class of which the sample has no row is not
    learned. ``fit_transform`` and ``fit_predict`` fit the sample, then apply what it
    taught to all rows.

    The parts of ``fit_on="blocks"`` are groups of whole blocks, and differ little: a
    pass over the target finds which classes a block has, or its mean target, and blocks
    are dealt so that every part has rows of every class, or of low and of high targets.
    Where too few blocks hold a class, there are fewer and larger parts; a part that
    fits no worker is refused. Parts depend on how the rows are cut, never on the
    workers; of one part, predictions are those of a plain fit. They learn codes for the
    labels, as scikit-learn has it; classes are weighed by their labels all the same,
    and balanced within each part. Probabilities are averaged where the estimator has
    them, else labels counted. After the pass over the target each block is read once,
    and only models come here.

    On dask input `fit_transform` is `fit` and then a lazy `transform`, but where
    scikit-learn means the two to differ (`TargetEncoder`); there, as in `fit_predict`,
    the result is made here with the fit. Methods must return one row for each row,
    whatever the other rows are.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sklearn_dask_auto import AutoScaleEstimator
    >>> X, y = load_iris(return_X_y=True)
    >>> model = AutoScaleEstimator(SVC()).fit(X, y)
    >>> model.predict(X[:3])
    array([0, 0, 0])

    The same model on blocks; `score` is a number:

    >>> import dask.array as da
    >>> dX, dy = da.from_array(X, chunks=(50, 4)), da.from_array(y, chunks=50)
    >>> model.predict(dX)
    dask.array<predict, shape=(150,), dtype=int64, chunksize=(50,), ...>
    >>> round(model.score(dX, dy), 2)
    0.97
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "estimator": [HasMethods(["fit"])],
        "fit_on": [StrOptions({"sample", "blocks"}), None],
        "sample_size": [Interval(Integral, 1, None, closed="left")],
        "part_size": [Interval(Integral, 1, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
        **ENGINE_CONSTRAINT,
    }

    def __init__(
        self,
        estimator: Any,
        *,
        fit_on: str | None = None,
        sample_size: int = 100_000,
        part_size: int = 100_000,
        max_epochs: int = 20,
        tol: float = 1e-3,
        random_state: Any = None,
        engine: str = "auto",
    ) -> None:
        self.estimator = estimator
        self.fit_on = fit_on
        self.sample_size = sample_size
        self.part_size = part_size
        self.max_epochs = max_epochs
        self.tol = tol
        self.random_state = random_state
        self.engine = engine

    def explain(self, X: Any, y: Any = None, **params: Any) -> Plan:
        """Say what `fit` would do with this input, without doing it.

        Parameters
        ----------
        X : object
            As for `fit`. Nothing is computed and nothing is started.
        y : object, default=None
            As for `fit`.
        **params : dict
            Further arguments of `fit`, such as `sample_weight`.

        Returns
        -------
        plan : Plan
            ``plan.engine`` is None where `fit` would raise. Where an estimator of this
            library is wrapped, its plan.
        """
        if isinstance(self.estimator, AutoScaleMixin):
            self._refuse_fit_on(self.estimator)
            return self._unfitted().explain(X, y, **params)
        plan = super().explain(X, y, **params)
        if self._is_fitted_on("blocks"):
            from sklearn_dask_auto.meta.vote import plan_of_vote

            return plan_of_vote(plan, self.estimator, X, self.part_size)
        if self._is_fitted_on("sample"):
            plan = plan_of_sample(plan, self.sample_size)
        return plan_of_inner(plan, self.estimator)

    @SignedAsWrapped
    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Fit a clone of the estimator.

        Parameters
        ----------
        X : object
            What the estimator takes, or a dask collection, which is brought here once
            if it fits.
        y : object, default=None
            Target, of any kind; it need not be that of `X`.
        **params : dict
            Arguments of the estimator's `fit`, such as `sample_weight`; with metadata
            routing, those that it requests.

        Returns
        -------
        self : AutoScaleEstimator
            Fitted.
        """
        self._fit_by("fit", X, y, params)
        return self

    @available_if(wrapped_has("fit_transform"))
    def fit_transform(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Fit, and transform the same rows.

        Parameters
        ----------
        X : object
            As for `fit`.
        y : object, default=None
            As for `fit`.
        **params : dict
            As for `fit`.

        Returns
        -------
        X_new : ndarray, sparse matrix, DataFrame, dask array or dask DataFrame
            Lazy for dask input.
        """
        lazily = is_dask(X) and not self._transforms_fitted_rows_apart()
        if lazily or self._is_fitted_on("sample"):
            return self.fit(X, y, **params).transform(X)
        return self._fit_by("fit_transform", X, y, params)

    @available_if(wrapped_has("fit_predict"))
    def fit_predict(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Fit, and predict for the same rows.

        Parameters
        ----------
        X : object
            As for `fit`.
        y : object, default=None
            As for `fit`.
        **params : dict
            As for `fit`.

        Returns
        -------
        labels : ndarray or dask array
            For dask input in its row blocks; made here with the fit.
        """
        if self._is_fitted_on("sample"):
            return self.fit(X, y, **params).predict(X)
        return self._fit_by("fit_predict", X, y, params)

    @available_if(wrapped_has("partial_fit"))
    def partial_fit(
        self, X: Any, y: Any = None, classes: Any = None, **params: Any
    ) -> Any:
        """Fit further, on all the rows given, whatever `fit_on` says.

        Parameters
        ----------
        X : object
            What the estimator takes, or a dask collection: its blocks are handed to
            `partial_fit` of the estimator, each once and in their order, where they
            are.
        y : object, default=None
            Target.
        classes : array-like, default=None
            As in scikit-learn. Of dask input, those of all its rows if not given.
        **params : dict
            Arguments of `partial_fit` of the estimator, such as `sample_weight`.

        Returns
        -------
        self : AutoScaleEstimator
            Fitted further; without a plan, if there was no `fit`.

        Raises
        ------
        TypeError
            If the estimator is frozen.
        """
        if isinstance(self.estimator, FrozenEstimator):
            raise TypeError("What is frozen is not fitted further.")
        params = self._routed("partial_fit", params)
        model = vars(self).get("estimator_")
        model = self._unfitted() if model is None else model
        if is_dask(X) and not isinstance(model, AutoScaleMixin):
            self.estimator_ = fit_further(model, X, y, classes, params)
            return self
        _, y, params = gather(None, y, params)
        if classes is not None:
            params = {"classes": classes, **params}
        self.estimator_ = model.partial_fit(X, *([] if y is None else [y]), **params)
        if "_outputs" not in vars(self):
            self._outputs = known_outputs(model, X)
        return self

    @available_if(wrapped_has("score"))
    def score(self, X: Any, y: Any = None, **params: Any) -> float:
        """Return the score of the estimator on the given data.

        Parameters
        ----------
        X : object
            What the estimator takes, or a dask collection.
        y : object, default=None
            Target.
        **params : dict
            Arguments of the estimator's `score`, such as `sample_weight`.

        Returns
        -------
        score : float
            Computed at once. Dask input is predicted block by block where predictions
            are enough; only they and `y` are brought here.
        """
        model, params = self._fitted(), self._routed("score", params)
        if not isinstance(model, AutoScaleMixin):
            _, y, params = gather(None, y, params)
            if is_dask(X):
                budget = budget_of(
                    survey(with_cluster=False), get_config()["memory_budget"]
                )
                model = ConcreteModel(model, budget, map_rows=self._map_rows)
        return model.score(X, *([] if y is None else [y]), **params)

    def to_sklearn(self) -> Any:
        """Return the estimator itself: fitted, if this is.

        Returns
        -------
        estimator : object
            A copy of `estimator_`. It, and everything in it, loads and predicts where
            neither this library nor dask is installed.
        """
        return to_plain(self._wrapped)

    def _unfitted(self) -> Any:
        """Return a clone, ready to be fitted; a frozen one is its own clone."""
        model = self._with_output(clone(self.estimator))
        seed_unseeded(model, self.random_state)
        if isinstance(model, AutoScaleMixin) and self.engine != "auto":
            model.engine = self.engine
        return model

    def _fit_by(self, method: str, X: Any, y: Any, params: dict[str, Any]) -> Any:
        """Fit by `fit`, `fit_transform` or `fit_predict`, and return what that does."""
        model = self._unfitted()
        if isinstance(model, AutoScaleMixin):
            self._refuse_fit_on(model)
            out = self._call(model, method, X, y, params)
            self.estimator_, self.plan_ = model, model.plan_
            return out
        plan = self.explain(X, y, **params)
        started = time.perf_counter()
        if self._is_fitted_on("sample"):
            seed = self._seed()
            X, y, params = take_sample(X, y, params, self.sample_size, seed)
        if "joblib" in (plan.engine, plan.job.engine):
            plan = with_sizes(plan, X, y, params)
        request = Request(self, model, method, X, y, params, plan)
        out, learned_now = fit_as_planned(request)
        plan = learned_now.pop("plan_", plan)
        self._adopt(learned_now, replace(plan, seconds=time.perf_counter() - started))
        if method == "fit" or not is_dask(X):
            return out
        if out is None:
            return getattr(self, method.removeprefix("fit_"))(X)
        from sklearn_dask_auto.inputs.output import in_row_blocks

        return in_row_blocks(out, X)

    def _is_fitted_on(self, rows: str) -> bool:
        is_frozen = isinstance(self.estimator, FrozenEstimator)
        return self.fit_on == rows and not is_frozen

    @property
    def _owners(self) -> tuple[Any, ...]:
        owners: tuple[Any, ...] = super()._owners
        if not self._is_fitted_on("blocks"):
            return owners
        from sklearn_dask_auto.meta.vote import vote_like

        # What parts vote in lacks methods of a part, and has others.
        is_fitted = "estimator_" in vars(self)
        ensemble = self.estimator_ if is_fitted else vote_like(self.estimator)
        return owners if ensemble is None else (self.estimator, ensemble)

    def _refuse_fit_on(self, model: Any) -> None:
        if self.fit_on is not None:
            raise ValueError(
                f"fit_on={self.fit_on!r} is for estimators that take rows in memory. "
                f"{type(model).__name__} takes dask input of any size: leave fit_on "
                "out, or wrap scikit-learn's class."
            )

    def _seed(self) -> Any:
        if self.random_state is not None:
            return self.random_state
        return getattr(last_step(self.estimator), "random_state", None)

    def _transforms_fitted_rows_apart(self) -> bool:
        model = self.estimator
        if not hasattr(model, "transform"):
            return True
        parts = model.get_params().values() if hasattr(model, "get_params") else ()
        return any(isinstance(part, TargetEncoder) for part in (model, *parts))

    def _job(self, profile: Profile, params: dict[str, Any]) -> Job:
        job = super()._job(profile, params)
        name = f"{job.estimator}({type(self.estimator).__name__})"
        is_frozen = isinstance(self.estimator, FrozenEstimator)
        refusals = [r for r in job.refusals if r[0] != "blockwise"]
        reasons = streaming_refusals(self.estimator, params, profile)
        is_same = is_stateless(self.estimator)
        reserved = ("blockwise", "partial_fit may learn other than fit does")
        return replace(
            job,
            estimator=name,
            # What is fitted already needs no rows.
            copies=0.0 if is_frozen else job.copies,
            refusals=(*refusals, *(("blockwise", reason) for reason in reasons)),
            reservations=() if is_same else (reserved,),
            passes=epochs(self.estimator, self.max_epochs),
            operations=operations_of(self.estimator),
            moves_whole=not is_frozen,
        )

    def _map_rows(self, method: str, X: Any) -> Any:
        model = self._fitted()
        if isinstance(model, AutoScaleMixin):
            return getattr(model, method)(X)
        return map_predictions(model, method, X, vars(self).get("_outputs", {}))

    def _map_request(
        self, method: str, X: Any, args: tuple[Any, ...], params: dict[str, Any]
    ) -> Any:
        model = self._fitted()
        if isinstance(model, AutoScaleMixin):
            return getattr(model, method)(X, *args, **params)
        if args or params or method in OTHERS:
            return map_request(model, method, X, args, params)
        return self._map_rows(method, X)

    def _plain(self) -> Any:
        return self._wrapped

    def _reduce_to_plain(self) -> tuple[Any, tuple[Any, ...]]:
        # What is wrapped passes through the pickler in its turn.
        return _itself, (self._wrapped,)


def _itself(value: Any) -> Any:
    return value


def _other(method: str) -> Any:
    """Return a method that no class of this library has, but what is wrapped may."""

    def call(self: AutoScaleEstimator, X: Any = None, *args: Any, **params: Any) -> Any:
        if is_dask(X):
            return self._map_request(method, X, args, params)
        refuse_unshaped(X=X)
        return getattr(self._fitted(), method)(X, *args, **params)

    call.__name__ = method
    call.__qualname__ = f"AutoScaleEstimator.{method}"
    call.__doc__ = f"""Apply `{method}` of the estimator, lazily on dask input.

        Parameters
        ----------
        X : object
            What the estimator takes, or a dask collection, of which what has not one
            row for each row is refused.
        *args, **params
            As of the estimator's `{method}`.

        Returns
        -------
        out : object
            What the estimator returns; for dask input a dask array, or a tuple of them.
        """
    return available_if(wrapped_has(method))(call)


for _method in OTHERS:
    setattr(AutoScaleEstimator, _method, _other(_method))
