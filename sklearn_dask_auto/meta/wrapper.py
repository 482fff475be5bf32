"""What scikit-learn's class is to the mixin elsewhere: a wrapper without dask."""

from functools import update_wrapper
from inspect import Signature, signature
from typing import Any

from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

__all__ = ["SignedAsWrapped", "Wrapper", "learned", "wrapped_has"]


def wrapped_has(name: str) -> Any:
    """Return a check that the wrapped estimator has `name`; scikit-learn's error."""

    def check(estimator: Any) -> bool:
        getattr(estimator._wrapped, name)
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
    def call(self: Any, X: Any) -> Any:
        return getattr(self._fitted(), method)(X)

    call.__name__ = method
    return available_if(wrapped_has(method))(call)


class Wrapper(MetaEstimatorMixin, BaseEstimator):
    """What scikit-learn's class is to the mixin elsewhere: it knows nothing of dask."""

    estimator: Any
    estimator_: Any

    @property
    def _wrapped(self) -> Any:
        return vars(self).get("estimator_", self.estimator)

    def _fitted(self) -> Any:
        check_is_fitted(self)
        # An estimator that needs no fit works without one.
        return self._wrapped

    @available_if(wrapped_has("get_feature_names_out"))
    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Return the names of the columns of `transform`, as what is wrapped does."""
        return self._fitted().get_feature_names_out(input_features)


for _method in (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "predict_joint_log_proba",
    "decision_function",
    "score_samples",
    "transform",
    "inverse_transform",
):
    setattr(Wrapper, _method, _delegated(_method))


def learned(name: str, summary: str) -> property:
    """Return a property that is there once the wrapped estimator has learned it."""

    def get(self: Any) -> Any:
        if "estimator_" not in vars(self):
            raise AttributeError(f"{type(self).__name__} is not fitted: no {name!r}")
        return getattr(self.estimator_, name)

    return property(get, doc=summary)
