"""What predictors share: the score of predictions that are lazy."""

from collections.abc import Callable
from typing import Any, ClassVar

from sklearn.utils.validation import check_is_fitted

from sklearn_dask_auto._base import AutoScaleMixin
from sklearn_dask_auto.inputs import is_dask

__all__ = ["ScoreMixin"]


class ScoreMixin(AutoScaleMixin):
    """The mixin of a predictor; `_metric` is what scikit-learn's class scores by."""

    _metric: ClassVar[Callable[..., float]]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Compare predictions with what was observed, by scikit-learn's measure.

        It is the accuracy of a classifier, the coefficient of determination (R²) of
        a regressor, and the share of the deviance explained (D²) of a generalised
        linear model.

        Parameters
        ----------
        X : {array-like, sparse matrix, dask array, dask DataFrame} of shape \
                (n_samples, n_features)
            Rows to predict.
        y : {array-like, dask array, dask Series or DataFrame} of shape \
                (n_samples,) or (n_samples, n_targets)
            What was observed.
        sample_weight : {array-like, dask array} of shape (n_samples,), default=None
            Weights of the rows; all equal if None.

        Returns
        -------
        score : float
            Computed at once. Of dask input, only predictions and `y` are brought here.
        """
        if not is_dask(X):
            return float(super().score(X, y, sample_weight))  # type: ignore[misc]
        check_is_fitted(self)
        from sklearn_dask_auto.inputs.output import score_rows

        predictions = self.predict(X)  # type: ignore[attr-defined]
        return score_rows(type(self)._metric, predictions, y, sample_weight)
