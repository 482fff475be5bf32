"""The mixin of every public class: the five steps of a fit, and the output rules.

profile = describe(X, y)        inputs/     what it is
resources = survey()            _survey     what is at hand
plan = decide(...)              routing/    who does it, and why
learned = engine.fit(...)       engines/    doing it
adopt                           here        learned attributes, `plan_`
"""

import importlib
import io
import pickle
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import cloudpickle
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklearn_dask_auto import engines
from sklearn_dask_auto._config import LOGGER, get_config
from sklearn_dask_auto._sklearn import transform_container
from sklearn_dask_auto._survey import survey
from sklearn_dask_auto.engines.dask_ml_gaps import why_not
from sklearn_dask_auto.exceptions import NoEngineError
from sklearn_dask_auto.inputs import describe, is_dask, refuse_unshaped
from sklearn_dask_auto.routing import Job, Plan, Profile, decide

__all__ = [
    "ROW_WISE",
    "AutoScaleMixin",
    "block_refusals",
    "needs_no_fit",
    "not_lazy",
    "promoted",
    "to_plain",
]

Self = TypeVar("Self", bound="AutoScaleMixin")
ROW_WISE = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "predict_joint_log_proba",
    "decision_function",
    "score_samples",
    "transform",
    "inverse_transform",
)
"""Methods that return one row for each row."""


def _inherits(method: str) -> Any:
    """Return a check that the scikit-learn class behind the mixin has `method`."""

    def check(estimator: Any) -> bool:
        try:
            getattr(super(AutoScaleMixin, estimator), method)
        except AttributeError as error:
            # scikit-learn's reason alone: `available_if` wraps what is raised here.
            raise (error.__cause__ or error) from None
        return True

    return check


class AutoScaleMixin:
    """Routing for a class that inherits a scikit-learn estimator after this mixin.

    A subclass says what can take it off scikit-learn's hands (`_kernel`, the module in
    `kernels/`; `_dask_ml_adapter`, the name in `engines/dask_ml.py`) and how much work
    it is (`_passes` over the rows, `_operations` for each cell of a pass), or more
    precisely so in `_job`. Think twice before adding anything here.
    """

    engine: str
    _kernel: str | None = None
    _dask_ml_adapter: str | None = None
    _passes = 1.0
    _operations = 4.0
    # scikit-learn's class refuses numbers written as text, which most of them take.
    _numbers_only = False
    # It learns from text, categories and objects as well; blocks stay as they are.
    _takes_any_dtype = False
    # What scikit-learn's class requires of the rows of `fit`.
    _least_columns = 1

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
            ``print(plan)`` shows every engine, what it would cost, and why it could
            not or would not be taken. ``plan.engine`` is None where `fit` would raise.
        """
        return self._plan(X, y, params)

    def to_sklearn(self) -> Any:
        """Return a plain scikit-learn estimator: same parameters, same learned state.

        Returns
        -------
        estimator : BaseEstimator
            Of the scikit-learn class that this one mirrors. It, and everything in it,
            loads and predicts where neither this library nor dask is installed.
        """
        return to_plain(self)

    @available_if(_inherits("get_feature_names_out"))
    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Return the names of the columns of `transform`: scikit-learn's own.

        Parameters
        ----------
        input_features : array-like of str, default=None
            As in the scikit-learn class that this one mirrors.

        Returns
        -------
        names : ndarray of str
            Prefixed with the name of that class, where it prefixes.
        """
        return self._plain().get_feature_names_out(input_features)

    @available_if(_inherits("fit_transform"))
    def fit_transform(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Fit, and transform the same rows.

        Parameters
        ----------
        X : {array-like, dask array, dask DataFrame} of shape (n_rows, n_columns)
            As for `fit`.
        y : object, default=None
            As for `fit`.
        **params : dict
            Further arguments of `fit`.

        Returns
        -------
        X_new : ndarray or dask array
            Lazy for dask input.
        """
        if is_dask(X):
            return self.fit(X, y, **params).transform(X)  # type: ignore[attr-defined]
        return self._fit_transform_in_memory(X, y, params)

    @available_if(_inherits("partial_fit"))
    def partial_fit(self, X: Any, y: Any = None, *args: Any, **params: Any) -> Any:
        """Fit further on rows in memory, as scikit-learn does.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)
            Not a dask collection, of which `fit` takes any size.
        y : object, default=None
            As in the scikit-learn class that this one mirrors.
        *args, **params
            As in the scikit-learn class that this one mirrors.

        Returns
        -------
        self : object
            Fitted further.

        Raises
        ------
        TypeError
            For dask input.
        """
        if is_dask(X):
            raise TypeError(
                f"{type(self).__name__}.partial_fit takes rows in memory, and X is a "
                "dask collection. Call fit, which passes over its blocks."
            )
        return super().partial_fit(X, y, *args, **params)  # type: ignore[misc]

    def _job(self, profile: Profile, params: dict[str, Any]) -> Job:
        refusals = list(self._refusals(profile, params))
        if self._kernel is None:
            refusals.append(("blockwise", "there is no blockwise kernel for it"))
        if self._dask_ml_adapter is None:
            refusals.append(("dask-ml", why_not(self._plain_class().__name__)))
        return Job(
            estimator=type(self).__name__,
            engine=self.engine,
            refusals=tuple(refusals),
            passes=self._passes,
            operations=self._operations,
        )

    def _refusals(
        self, profile: Profile, params: dict[str, Any]
    ) -> Iterable[tuple[str, str]]:
        """Return pairs of engine and reason: what this very request rules out."""
        return ()

    def _plan(
        self, X: Any, y: Any, params: dict[str, Any], asks_workers: bool = True
    ) -> Plan:
        refuse_unshaped(X=X, y=y)
        refuse_unshaped(**params)
        profile = describe(X, y, *params.values())
        job = self._job(profile, params)
        if job.engine == "auto":
            job = replace(job, engine=get_config()["engine"] or "auto")
        resources = survey(
            with_cluster=profile.is_dask or job.n_fits > 1,
            asks_workers=asks_workers or job.engine != "auto",
        )
        return decide(profile, job, resources, get_config()["memory_budget"])

    def _plan_of_fit(self, X: Any, y: Any, params: dict[str, Any]) -> Plan:
        """Return the plan that a fit begins with."""
        return self.explain(X, y, **params)

    def _fit_as_planned(self: Self, X: Any, y: Any, params: dict[str, Any]) -> Self:
        plan = self._plan_of_fit(X, y, params)
        if plan.engine is None:
            raise NoEngineError(plan.refusal(), plan)
        started = time.perf_counter()
        learned = engines.load(plan.engine).fit(self, X, y, params, plan)
        plan = learned.pop("plan_", plan)
        self._adopt(learned, replace(plan, seconds=time.perf_counter() - started))
        return self

    def _fit_in_memory(
        self, X: Any, y: Any, params: dict[str, Any], plan: Plan
    ) -> dict[str, Any]:
        """Fit as scikit-learn does; return what it did not set on the estimator."""
        super().fit(X, y, **params)  # type: ignore[misc]
        return {}

    def _fit_transform_in_memory(self, X: Any, y: Any, params: dict[str, Any]) -> Any:
        """Fit and transform as scikit-learn does, which calls `fit`, or should."""
        return super().fit_transform(X, y, **params)  # type: ignore[misc]

    def _adopt(self, learned: dict[str, Any], plan: Plan) -> None:
        for name, value in learned.items():
            setattr(self, name, value)
        self.plan_ = plan
        LOGGER.info(
            "%s.%s: %s on %s, %.3g s",
            plan.job.estimator,
            plan.job.method,
            plan.engine,
            plan.profile,
            plan.seconds,
        )

    def _plain_class(self) -> Any:
        """Return the scikit-learn class that this one mirrors."""
        mro = type(self).__mro__
        return mro[mro.index(AutoScaleMixin) + 1]

    def _plain(self) -> Any:
        """Return this estimator as scikit-learn's; what it holds is left as it is."""
        plain_class = self._plain_class()
        plain = plain_class.__new__(plain_class)
        parameters = type(self)._get_param_names()  # type: ignore[attr-defined]
        extra = {*parameters} - {*plain_class._get_param_names()} | {"plan_"}
        state = {k: v for k, v in vars(self).items() if k not in extra}
        plain.__dict__.update(state)
        return plain

    def _reduce_to_plain(self) -> tuple[Any, tuple[Any, ...]]:
        """Return, as `__reduce__` does, how to make the plain estimator again."""
        plain = self._plain()
        return _restored, (type(plain), plain.__getstate__())

    def _block_model(self, X: Any, method: str) -> Any:
        """Return what to apply to blocks of dask input, after checking its columns."""
        model = self._plain()
        if "copy" in model.get_params(deep=False):
            # Blocks are the caller's.
            model.copy = True
        if method == "inverse_transform":
            return model
        from sklearn_dask_auto.inputs.entry import check_columns, check_specimen

        check_specimen(self, X)
        check_columns(self, X, reset=False)
        # Checked above, once; scikit-learn would warn again at every block.
        if not hasattr(X, "columns"):
            vars(model).pop("feature_names_in_", None)
        elif not hasattr(self, "feature_names_in_"):
            check_columns(model, X, reset=True)
        return model

    def _sample(self, model: Any, method: str, X: Any) -> Any:
        """Return what a method returns of rows like `X`, if made-up ones fail."""
        return None

    def _map_rows(self, method: str, X: Any) -> Any:
        """Apply a row-wise method to dask input, lazily."""
        check_is_fitted(self)
        if self._takes_any_dtype:
            from sklearn_dask_auto.inputs.columns import plain_text

            X = plain_text(X)
        model = self._block_model(X, method)
        return self._map_to_container(model, method, X)

    def _map_request(
        self, method: str, X: Any, args: tuple[Any, ...], params: dict[str, Any]
    ) -> Any:
        """Apply a row-wise method to dask input, which takes no further arguments."""
        if args or params:
            raise TypeError(
                f"{type(self).__name__}.{method} takes no arguments beside dask input, "
                f"and got {', '.join([*map(repr, args), *params])}."
            )
        return self._map_rows(method, X)

    def _map_to_container(self, model: Any, method: str, X: Any) -> Any:
        """Apply a method of what `_block_model` made; `set_output` says to what end."""
        from sklearn_dask_auto.inputs.output import map_rows, map_rows_to_frame

        sample = self._sample(model, method, X)
        container = transform_container(self) if method == "transform" else "default"
        if container == "default":
            return map_rows(model, method, X, sample)
        if container == "pandas":
            return self._named(map_rows_to_frame(model, method, X, sample))
        raise not_lazy(container)

    def _named(self, frame: Any) -> Any:
        """Name the columns of what blocks were transformed to."""
        # The model of blocks has no names to check, and so none to give.
        names = self.get_feature_names_out()
        return frame.rename(columns=dict(zip(frame.columns, names, strict=True)))

    def __getstate__(self) -> dict[str, Any]:
        state: Any = super().__getstate__()
        # What is learned but lazy would drag its graph, or a cluster, along.
        return {
            name: value
            for name, value in state.items()
            if not (name.endswith("_") and is_dask(value))
        }


def _row_wise(method: str) -> Any:
    """Return a method that maps dask input lazily and else is scikit-learn's own."""

    def call(self: AutoScaleMixin, X: Any, *args: Any, **params: Any) -> Any:
        if is_dask(X):
            return self._map_request(method, X, args, params)
        refuse_unshaped(X=X)
        return getattr(super(AutoScaleMixin, self), method)(X, *args, **params)

    call.__name__ = method
    call.__qualname__ = f"AutoScaleMixin.{method}"
    call.__doc__ = f"""Apply `{method}` as scikit-learn does, lazily on dask input.

        Parameters
        ----------
        X : {{array-like, dask array, dask DataFrame}} of shape (n_rows, n_columns)
            What scikit-learn's `{method}` accepts, or a dask collection of it.
        *args, **params
            As in scikit-learn; of rows in memory.

        Returns
        -------
        out : ndarray or dask array
            As scikit-learn returns it; for dask input a lazy dask array in the row
            blocks of `X`.
        """
    return available_if(_inherits(method))(call)


for _method in ROW_WISE:
    setattr(AutoScaleMixin, _method, _row_wise(_method))


def not_lazy(container: str) -> ValueError:
    """Return the error of a container of `set_output` that dask has no likeness of."""
    return ValueError(
        f"set_output(transform={container!r}) has no lazy form for dask input. Use "
        "'pandas' for a dask DataFrame, or 'default' for a dask array."
    )


def promoted(step: Any) -> Any:
    """Return a step of scikit-learn's as the class here that mirrors it, or None.

    It shares what the step holds, works on blocks, and does not change the step. A
    subclass of the user's may do other than the class that it inherits, and has none.
    """
    # By name, as the package imports a class when it is first asked for.
    package = importlib.import_module("sklearn_dask_auto")
    name = f"AutoScale{type(step).__name__}"
    if name not in package.__all__:
        return None
    mirror = getattr(package, name)
    if type(step) not in mirror.__mro__:
        return None
    twin = mirror.__new__(mirror)
    twin.__dict__.update(vars(step), engine="blockwise")
    return twin


def block_refusals(step: Any, profile: Profile) -> Iterator[str]:
    """Yield why a step of a class here cannot be fitted on blocks of any width.

    How many columns that will be is not known before the steps in front of it are
    fitted.
    """
    refusals = step._refusals(replace(profile, n_columns=None), {})
    yield from (reason for engine, reason in refusals if engine == "blockwise")


def needs_no_fit(step: Any) -> bool:
    """Tell whether an estimator says in its tags that it works without a fit."""
    return hasattr(step, "__sklearn_tags__") and not get_tags(step).requires_fit


def to_plain(value: Any) -> Any:
    """Copy an object with every estimator of this library in it made scikit-learn's.

    The copy goes through pickle, which finds estimators wherever they are: in the
    steps of a pipeline, among parameters, in a grid.
    """
    buffer = io.BytesIO()
    _PlainPickler(buffer).dump(value)
    return pickle.loads(buffer.getvalue())


class _PlainPickler(cloudpickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, AutoScaleMixin):
            return obj._reduce_to_plain()
        return super().reducer_override(obj)


def _restored(plain_class: Any, state: dict[str, Any]) -> Any:
    plain = plain_class.__new__(plain_class)
    plain.__setstate__(state)
    return plain
