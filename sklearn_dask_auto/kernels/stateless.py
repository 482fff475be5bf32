"""Fits that learn nothing from the rows: metadata is all that is read.

scikit-learn's own `fit` judges the parameters and one row of zeros of the same dtype.
It would also refuse rows that are not finite; on row blocks its `transform` does, once
they are computed.
"""

from typing import Any

from sklearn.base import clone

from sklearn_dask_auto.inputs.entry import specimen

__all__ = ["fit_metadata"]


def fit_metadata(estimator: Any, X: Any) -> dict[str, Any]:
    """Fit without a pass.

    Parameters
    ----------
    estimator : AutoScaleMixin
        Its parameters are read, and nothing is written to it.
    X : dask array or dask DataFrame of shape (n_rows, n_columns)
        Nothing of it is computed.

    Returns
    -------
    learned : dict
        What scikit-learn's `fit` sets, but for the columns.
    """
    plain = clone(estimator.to_sklearn())
    unfitted = {*vars(plain), "n_features_in_"}
    plain.fit(specimen(X, 1))
    return {k: v for k, v in vars(plain).items() if k not in unfitted}
