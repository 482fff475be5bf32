"""Imputation: scikit-learn's completion of missing values, for input of any size."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from sklearn.impute import SimpleImputer

from sklearn_dask_auto._base import AutoScaleMixin
from sklearn_dask_auto._sklearn import fit_context, parameter_constraints
from sklearn_dask_auto.routing import Profile

__all__ = ["AutoScaleSimpleImputer"]


class AutoScaleSimpleImputer(AutoScaleMixin, SimpleImputer):
    """Completion of missing values by a statistic of the column, for any size.

    On in-memory input this is :class:`sklearn.impute.SimpleImputer`. The statistics of
    a dask array or DataFrame are found block by block; what is transformed is lazy.

    Parameters
    ----------
    missing_values : int, float, str, np.nan, None or pandas.NA, default=np.nan
        What stands for a missing value.
    strategy : {'mean', 'median', 'most_frequent', 'constant'} or callable, \
            default='mean'
        What takes its place. A callable needs whole columns, in memory.
    fill_value : str or numerical value, default=None
        With 'constant'; None for 0 or 'missing_value'.
    copy : bool, default=True
        As in scikit-learn, for in-memory input; blocks are never overwritten.
    add_indicator : bool, default=False
        Add a column of flags for each column that had missing values in `fit`.
    keep_empty_features : bool, default=False
        Keep columns without any value.
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who does the work; see :meth:`explain`.

    Attributes
    ----------
    statistics_ : ndarray of shape (n_features,)
        What takes the place of missing values in each column, concrete.
    indicator_ : MissingIndicator or None
        None without `add_indicator`.
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
    sklearn.impute.SimpleImputer : The class mirrored.
    dask_ml.impute.SimpleImputer : Its counterpart, whose medians are approximate.

    Notes
    -----
    Passes over dask input: one, in which row counts need not be known. For medians,
    which are exact, one to three more, and one to count the rows if need be.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import AutoScaleSimpleImputer
    >>> X = np.array([[7.0, 2.0], [4.0, np.nan], [np.nan, 6.0]])
    >>> AutoScaleSimpleImputer().fit_transform(X)
    array([[7. , 2. ],
           [4. , 4. ],
           [5.5, 6. ]])

    The same on a dask array; what is transformed is lazy:

    >>> import dask.array as da
    >>> blocks = da.from_array(X, chunks=(2, 2))
    >>> imputer = AutoScaleSimpleImputer().fit(blocks)
    >>> imputer.statistics_
    array([5.5, 4. ])
    >>> imputer.transform(blocks)
    dask.array<transform, shape=(3, 2), dtype=float64, chunksize=(2, 2), ...>
    """

    _parameter_constraints = parameter_constraints(SimpleImputer)
    _kernel = "simple_imputer"
    _takes_any_dtype = True

    def __init__(
        self,
        *,
        missing_values: Any = np.nan,
        strategy: Any = "mean",
        fill_value: Any = None,
        copy: bool = True,
        add_indicator: bool = False,
        keep_empty_features: bool = False,
        engine: str = "auto",
    ) -> None:
        super().__init__(
            missing_values=missing_values,
            strategy=strategy,
            fill_value=fill_value,
            copy=copy,
            add_indicator=add_indicator,
            keep_empty_features=keep_empty_features,
        )
        self.engine = engine

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Any:
        """Find the statistic of each column.

        Parameters
        ----------
        X : {array-like, sparse matrix, dask array, dask DataFrame} of shape \
                (n_samples, n_features)
            Rows to learn from. Dask input may have unknown row counts, empty blocks,
            sparse (CSR) blocks and several blocks across its columns.
        y : Ignored
            Not used, present here for API consistency by convention.

        Returns
        -------
        self : AutoScaleSimpleImputer
            Fitted.
        """
        return self._fit_as_planned(X, None, {})

    def _refusals(
        self, profile: Profile, params: dict[str, Any]
    ) -> Iterable[tuple[str, str]]:
        if callable(self.strategy):
            yield "blockwise", "strategy is a function of a whole column"
