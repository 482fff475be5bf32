"""What scikit-learn's class is to the mixin elsewhere: a wrapper without dask.

Tags, metadata, output containers and methods are those of the wrapped estimator.
"""

import copy
from functools import update_wrapper
from inspect import Signature, signature
from typing import Any

import numpy as np
import sklearn
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklearn_dask_auto._base import ROW_WISE

__all__ = ["SignedAsWrapped", "Wrapper", "seed_unseeded", "wrapped_has"]


def wrapped_has(name: str) -> Any:
    """Return a check that the wrapped estimator has `name`; scikit-learn's error."""

    def check(estimator: Any) -> bool:
        for owner in estimator._owners:
            getattr(owner, name)
        return True

    return check


class SignedAsWrapped:
    """A method that, once bound, has the signature of what is wrapped.

    scikit-learn reads there whether `fit` takes `sample_weight`. On the class it is the
    function as it is written, with its docstring.

    Parameters
    ----------
    function : callable
        Decorated: a method that hands its parameters on.
    """

    def __init__(self, function: Any) -> None:
        self._function = function

    def __get__(self, estimator: Any, owner: Any = None) -> Any:
        return (
            self._function if estimator is None else _Bound(self._function, estimator)
        )


class _Bound:
    # A bound method of Python's has no room for a signature.
    __name__: str

    def __init__(self, function: Any, estimator: Any) -> None:
        self._function = function
        self.__self__ = estimator
        update_wrapper(self, function)

    def __call__(self, *args: Any, **params: Any) -> Any:
        return self._function(self.__self__, *args, **params)

    @property
    def __signature__(self) -> Signature:
        return signature(getattr(self.__self__._wrapped, self.__name__))


def _delegated(method: str) -> Any:
    def call(self: Any, *args: Any, **params: Any) -> Any:
        return getattr(self._fitted(), method)(*args, **params)

    call.__name__ = method
    return available_if(wrapped_has(method))(call)


class Wrapper(MetaEstimatorMixin, BaseEstimator):
    """What scikit-learn's class is to the mixin elsewhere: it knows nothing of dask."""

    estimator: Any
    estimator_: Any

    def __getattr__(self, name: str) -> Any:
        """Return what the wrapped estimator has learned, under the same name."""
        is_learned = name.endswith("_") and not name.startswith("_")
        if is_learned and "estimator_" in vars(self):
            return getattr(self.estimator_, name)
        # It raises; of methods that what is wrapped has not, with the reason.
        return object.__getattribute__(self, name)

    @property
    def _wrapped(self) -> Any:
        return vars(self).get("estimator_", self.estimator)

    @property
    def _owners(self) -> tuple[Any, ...]:
        """Return what must have a method, for the wrapper to have it."""
        return (self._wrapped,)

    def _fitted(self) -> Any:
        check_is_fitted(self)
        # An estimator that needs no fit works without one.
        return self._wrapped

    @available_if(wrapped_has("get_feature_names_out"))
    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Return the names of the columns of `transform`, as what is wrapped does."""
        return self._fitted().get_feature_names_out(input_features)

    @available_if(wrapped_has("set_output"))
    def set_output(self, *, transform: str | None = None) -> Any:
        """Set the container of what `transform` returns.

        Parameters
        ----------
        transform : {'default', 'pandas', 'polars'} or None, default=None
            As in scikit-learn. With 'pandas', dask input gives a dask DataFrame.

        Returns
        -------
        self : AutoScaleEstimator
            The wrapped estimator itself is not changed, its clone is.
        """
        if transform is not None:
            # Under this name it is scikit-learn's `clone` that takes it along.
            self._sklearn_output_config = {"transform": transform}
            if "estimator_" in vars(self):
                self.estimator_ = self._with_output(self.estimator_)
        return self

    def get_metadata_routing(self) -> Any:
        """Return what metadata is routed to the estimator.

        Returns
        -------
        routing : MetadataRouter
            `fit` and `score` hand on what the estimator requests for its own.
        """
        mapping = MethodMapping().add(caller="score", callee="score")
        for caller in ("fit", "fit_transform", "fit_predict"):
            mapping.add(caller=caller, callee="fit")
        if hasattr(self.estimator, "partial_fit"):
            mapping.add(caller="partial_fit", callee="partial_fit")
        router = MetadataRouter(owner=self)
        return router.add(estimator=self.estimator, method_mapping=mapping)

    def __sklearn_tags__(self) -> Any:
        return copy.deepcopy(get_tags(self.estimator))

    def _with_output(self, model: Any) -> Any:
        config = vars(self).get("_sklearn_output_config")
        if config is None:
            return model
        if isinstance(model, FrozenEstimator):
            # It is the user's.
            model = FrozenEstimator(copy.deepcopy(model.estimator))
        model.set_output(**config)
        return model

    def _call(
        self, model: Any, method: str, X: Any, y: Any, params: dict[str, Any]
    ) -> Any:
        # Some take no `y` at all. That it is missing is for the others to say; a frozen
        # one wants it, and looks at nothing.
        takes_y = y is not None or isinstance(model, FrozenEstimator)
        takes_y = takes_y or get_tags(model).target_tags.required
        arguments = (X, y) if takes_y else (X,)
        return getattr(model, method)(*arguments, **self._routed("fit", params))

    def _routed(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        if not params or not sklearn.get_config()["enable_metadata_routing"]:
            return params
        return dict(process_routing(self, method, **params).estimator[method])


for _method in ROW_WISE:
    setattr(Wrapper, _method, _delegated(_method))


def seed_unseeded(model: Any, random_state: Any) -> None:
    """Set each `random_state` of an estimator, and of those in it, that is None.

    Parameters
    ----------
    model : estimator
        A clone; changed in place.
    random_state : int, RandomState instance or None
        None leaves all as they are. An instance is not drawn from, but its copy is.
    """
    if random_state is None or not hasattr(model, "get_params"):
        return
    seed = random_state
    if isinstance(seed, np.random.RandomState):
        seed = copy.deepcopy(seed).randint(np.iinfo(np.int32).max)
    unset = {
        name: seed
        for name, value in model.get_params().items()
        if name.rpartition("__")[2] == "random_state" and value is None
    }
    if unset:
        model.set_params(**unset)
