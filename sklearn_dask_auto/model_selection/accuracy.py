"""The accuracy of a fold, where little else is to be done: without checks in vain.

`accuracy_score` finds out what kind of targets it was given, and checks them, which
takes as long as a small fit's predictions, a fifth of a search of small fits. Of plain
arrays of classes in one dimension all of it is known beforehand; what is left is to
count. The number is the same to the bit.
"""

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score, get_scorer
from sklearn.pipeline import Pipeline

from sklearn_dask_auto._sklearn import PassthroughScorer

__all__ = ["QuickAccuracy", "quick_scorer"]


def quick_scorer(scorer: Any) -> Any:
    """Return a scorer that equals the one given, and may be quicker.

    Parameters
    ----------
    scorer : callable
        As a search of scikit-learn gives it to its fits.
    """
    is_accuracy = _is_accuracy(scorer)
    is_quick = is_accuracy or type(scorer) is PassthroughScorer
    return QuickAccuracy(scorer, is_accuracy) if is_quick else scorer


class QuickAccuracy:
    """A scorer of scikit-learn, by which classifiers are scored by their accuracy.

    Parameters
    ----------
    scorer : callable
        Asked in all other cases: of estimators with a score of their own, of weights.
    is_accuracy : bool
        It is the accuracy, and not the estimator's own score.
    """

    def __init__(self, scorer: Any, is_accuracy: bool) -> None:
        self._scorer = scorer
        self._is_accuracy = is_accuracy

    def __call__(self, estimator: Any, X: Any, *y: Any, **params: Any) -> Any:
        """Score a fitted estimator."""
        is_plain = len(y) == 1 and not params and _are_classes(y[0])
        if not (is_plain and self._is_for(estimator)):
            return self._scorer(estimator, X, *y, **params)
        predicted = estimator.predict(X)
        if _are_classes(predicted) and _are_alike(y[0], predicted):
            return float(np.average(y[0] == predicted))
        return accuracy_score(y[0], predicted)

    def _is_for(self, estimator: Any) -> bool:
        if self._is_accuracy:
            return isinstance(estimator, ClassifierMixin)
        if type(estimator) is Pipeline:
            # Its score is that of its last step, which it gives what `predict` gives.
            estimator = estimator.steps[-1][1]
        is_changed = "score" in getattr(estimator, "__dict__", ())
        of_class = getattr(type(estimator), "score", None)
        return of_class is ClassifierMixin.score and not is_changed


def _is_accuracy(scorer: Any) -> bool:
    """Tell whether it is scikit-learn's scorer "accuracy", whoever made it."""
    accuracy = get_scorer("accuracy")
    return type(scorer) is type(accuracy) and vars(scorer) == vars(accuracy)


def _are_classes(y: Any) -> bool:
    """Tell whether all that could be wrong with targets is not."""
    is_array = type(y) is np.ndarray and y.ndim == 1
    return is_array and len(y) > 0 and y.dtype.kind in "biuU"


def _are_alike(y: Any, predicted: Any) -> bool:
    return y.dtype.kind == predicted.dtype.kind and y.shape == predicted.shape
