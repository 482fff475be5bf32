"""What k-means and mini-batch k-means share: labels and scores by centers."""

from typing import Any

from sklearn.utils.validation import check_is_fitted

from sklearn_dask_auto._base import AutoScaleMixin
from sklearn_dask_auto.inputs import is_dask

__all__ = ["CenterClustering"]


class CenterClustering(AutoScaleMixin):
    """The mixin, for a clustering whose labels follow from `cluster_centers_`."""

    labels_: Any

    def _fit_with_labels(
        self, X: Any, sample_weight: Any, *, wanted: bool = True
    ) -> Any:
        """Fit; leave labels lazy that the engine found too large to bring here."""
        # They are not learned then, and none may be left over from another fit.
        self.__dict__.pop("labels_", None)
        self._fit_as_planned(X, None, {"sample_weight": sample_weight})
        if wanted and not hasattr(self, "labels_"):
            self.labels_ = self.predict(X)  # type: ignore[attr-defined]
        return self

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Compute cluster centers and the label of each row.

        Parameters
        ----------
        X, y, sample_weight
            As for :meth:`fit`.

        Returns
        -------
        labels : ndarray or dask array of shape (n_samples,), int32
            A dask array for dask input.
        """
        self.fit(X, sample_weight=sample_weight)  # type: ignore[attr-defined]
        return self.predict(X) if is_dask(X) else self.labels_  # type: ignore[attr-defined]

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return minus the inertia of `X` around the learned centers.

        Parameters
        ----------
        X, y, sample_weight
            As for :meth:`fit`.

        Returns
        -------
        score : float
            Computed at once, in one pass, for dask input too.
        """
        if not is_dask(X):
            return float(super().score(X, y, sample_weight))  # type: ignore[misc]
        check_is_fitted(self)
        from sklearn_dask_auto.inputs.entry import enter
        from sklearn_dask_auto.kernels import kmeans
        from sklearn_dask_auto.kernels.driver import Pass

        rows = enter(self, X, {"sample_weight": sample_weight}, reset=False)
        return kmeans.score(self, Pass(rows))
