"""Naive Bayes: scikit-learn's estimators, for input of any size."""

from typing import Any

from sklearn.metrics import accuracy_score
from sklearn.naive_bayes import GaussianNB

from sklearn_dask_auto._score import ScoreMixin
from sklearn_dask_auto._sklearn import fit_context, parameter_constraints

__all__ = ["AutoScaleGaussianNB"]


class AutoScaleGaussianNB(ScoreMixin, GaussianNB):
    """Gaussian naive Bayes for input of any size.

    On in-memory input this is :class:`sklearn.naive_bayes.GaussianNB`. A dask array or
    DataFrame is passed over once, block by block, which finds the classes and the mean
    and variance of every column in each: the same numbers, for any blocks.

    Parameters
    ----------
    priors : array-like of shape (n_classes,), default=None
        Prior probabilities of the classes; if None, their shares of the rows.
    var_smoothing : float, default=1e-9
        Share of the largest variance of all columns that is added to variances.
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who does the work; see :meth:`explain`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, in the dtype of `y`.
    class_count_ : ndarray of shape (n_classes,)
        Rows of each class, or the sum of their weights.
    class_prior_ : ndarray of shape (n_classes,)
        Probability of each class.
    theta_ : ndarray of shape (n_classes, n_features)
        Mean of each column in each class.
    var_ : ndarray of shape (n_classes, n_features)
        Variance of each column in each class, `epsilon_` added.
    epsilon_ : float
        What is added to variances.
    n_features_in_ : int
        Columns seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if all are text.
    plan_ : Plan
        Which engine did the work, and why.

    Raises
    ------
    NoEngineError
        If the engine asked for by name cannot do it.

    See Also
    --------
    sklearn.naive_bayes.GaussianNB : The class mirrored.
    dask_ml.naive_bayes.GaussianNB : Another, which ignores `priors`.

    Notes
    -----
    Passes over dask input: one.

    float32 input is summed up in float64 and the result rounded to float32, which is
    scikit-learn's dtype; scikit-learn sums up in float32.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import AutoScaleGaussianNB
    >>> X = np.array([[-1, -1], [-2, -1], [-3, -2], [1, 1], [2, 1], [3, 2]])
    >>> y = np.array(["low", "low", "low", "high", "high", "high"])
    >>> AutoScaleGaussianNB().fit(X, y).predict([[-0.8, -1]])
    array(['low'], dtype='<U4')

    The same on dask arrays; what it predicts is lazy:

    >>> import dask.array as da
    >>> blocks, labels = da.from_array(X, chunks=(2, 2)), da.from_array(y, chunks=2)
    >>> bayes = AutoScaleGaussianNB().fit(blocks, labels)
    >>> bayes.class_count_
    array([3., 3.])
    >>> bayes.predict(blocks)
    dask.array<predict, shape=(6,), dtype=<U4, chunksize=(2,), ...>
    >>> bayes.score(blocks, labels)
    1.0
    """

    _parameter_constraints = parameter_constraints(GaussianNB)
    _kernel = "gaussian_nb"
    _metric = staticmethod(accuracy_score)
    _operations = 12.0
    _numbers_only = True

    def __init__(
        self,
        *,
        priors: Any = None,
        var_smoothing: float = 1e-9,
        engine: str = "auto",
    ) -> None:
        super().__init__(priors=priors, var_smoothing=var_smoothing)
        self.engine = engine

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Fit Gaussian naive Bayes.

        Parameters
        ----------
        X : {array-like, dask array, dask DataFrame} of shape (n_samples, n_features)
            Rows. Dask input may have unknown row counts, empty blocks and several
            blocks across its columns.
        y : {array-like, dask array, dask Series} of shape (n_samples,)
            Labels of any dtype; their blocks need not be those of `X`.
        sample_weight : {array-like, dask array} of shape (n_samples,), default=None
            Weights of the rows; all equal if None.

        Returns
        -------
        self : AutoScaleGaussianNB
            Fitted.
        """
        return self._fit_as_planned(X, y, {"sample_weight": sample_weight})

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> Any:
        """Fit further on rows in memory, as scikit-learn does.

        Parameters
        ----------
        X, y
            As for :meth:`fit`, but not dask collections.
        classes : array-like of shape (n_classes,), default=None
            All labels that may come; required at the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows; all equal if None.

        Returns
        -------
        self : AutoScaleGaussianNB
            Fitted further.
        """
        return super().partial_fit(X, y, classes=classes, sample_weight=sample_weight)
