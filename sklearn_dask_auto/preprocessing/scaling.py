"""What the scalers share: their arithmetic on blocks, and `copy` at call."""

from typing import Any

from sklearn_dask_auto._base import AutoScaleMixin
from sklearn_dask_auto._sklearn import transform_container
from sklearn_dask_auto.inputs import is_dask

__all__ = ["CopyAtCall", "CopyAtTransform", "ScalerMixin"]


class ScalerMixin(AutoScaleMixin):
    """The mixin of a scaler, which shifts and scales dense blocks in one sweep."""

    def _affine(self) -> dict[str, Any]:
        """Return how to shift and scale, as the arguments of `AffineBlocks`."""
        raise NotImplementedError

    def _block_model(self, X: Any, method: str) -> Any:
        model = super()._block_model(X, method)
        if method == "transform" and transform_container(self) != "default":
            return model
        from sklearn_dask_auto.kernels.affine import AffineBlocks

        return AffineBlocks(model, **self._affine())


class CopyAtTransform(AutoScaleMixin):
    """The mixin for a class whose `transform` takes `copy`.

    It is a class of its own because scikit-learn wraps a `transform` that an estimator
    itself defines, and for `set_output` would compute what is lazy.
    """

    def transform(self, X: Any, copy: bool | None = None) -> Any:
        """Scale as scikit-learn does, lazily on dask input.

        Parameters
        ----------
        X : {array-like, sparse matrix, dask array, dask DataFrame} of shape \
                (n_samples, n_features)
            Rows to scale.
        copy : bool, default=None
            For in-memory input, instead of the parameter of that name; blocks are
            never overwritten.

        Returns
        -------
        X_new : {ndarray, sparse matrix, dask array} of shape (n_samples, n_features)
            Lazy for dask input, in the row blocks of `X`.
        """
        return self._call("transform", X, copy)

    def _call(self, method: str, X: Any, copy: bool | None) -> Any:
        if is_dask(X):
            return self._map_rows(method, X)
        return getattr(super(AutoScaleMixin, self), method)(X, copy=copy)


class CopyAtCall(CopyAtTransform, ScalerMixin):
    """The mixin for a scaler whose `inverse_transform` takes `copy`, too."""

    def inverse_transform(self, X: Any, copy: bool | None = None) -> Any:
        """Undo the scaling as scikit-learn does, lazily on dask input.

        Parameters
        ----------
        X : {array-like, sparse matrix, dask array, dask DataFrame} of shape \
                (n_samples, n_features)
            Rows that were scaled.
        copy : bool, default=None
            As for :meth:`transform`.

        Returns
        -------
        X_original : {ndarray, sparse matrix, dask array} of shape \
                (n_samples, n_features)
            Lazy for dask input, in the row blocks of `X`.
        """
        return self._call("inverse_transform", X, copy)
