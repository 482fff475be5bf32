"""Encoding of categories as numbers: scikit-learn's encoders, for input of any size."""

from typing import Any

import numpy as np
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from sklearn_dask_auto._base import AutoScaleMixin
from sklearn_dask_auto._sklearn import fit_context, parameter_constraints
from sklearn_dask_auto.inputs.table import table_of

__all__ = ["AutoScaleOneHotEncoder", "AutoScaleOrdinalEncoder"]


class _Encoding(AutoScaleMixin):
    """The mixin for an encoder, which knows no values but those that it has seen."""

    _kernel = "encoders"
    _takes_any_dtype = True
    categories_: list[Any]

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Any:
        """Find the categories of each column.

        Parameters
        ----------
        X : {array-like, dask array, dask DataFrame} of shape (n_samples, n_features)
            Rows to learn from, of any dtypes. Dask input may have unknown row counts,
            empty blocks and several blocks across its columns.
        y : Ignored
            Not used, present here for API consistency by convention.

        Returns
        -------
        self : object
            Fitted.
        """
        return self._fit_as_planned(X, None, {})

    def _sample(self, model: Any, method: str, X: Any) -> Any:
        names = None
        if method == "inverse_transform":
            names = getattr(model, "feature_names_in_", None)
        elif hasattr(X, "columns"):
            names = list(X.columns)
        rows = table_of([values[:1] for values in self.categories_], names)
        if method == "transform":
            return model.transform(rows)
        codes = model.transform(rows)
        # Of another width, scikit-learn's error is for the rows that the user has.
        return (
            model.inverse_transform(codes) if codes.shape[1:] == X.shape[1:] else None
        )


class AutoScaleOneHotEncoder(_Encoding, OneHotEncoder):
    """Encoding of each category as a column of its own, for input of any size.

    On in-memory input this is :class:`sklearn.preprocessing.OneHotEncoder`. The
    categories of a dask array or DataFrame, and how many rows have them, are found
    block by block, in one pass; what is transformed is lazy.

    Parameters
    ----------
    categories : 'auto' or list of array-like, default='auto'
        Categories of each column; 'auto' for those that are in it.
    drop : {'first', 'if_binary'} or array-like of shape (n_features,), default=None
        Category of each column that is left out.
    sparse_output : bool, default=True
        Give CSR matrices; for dask input, a dask array whose blocks are that.
    dtype : number type, default=np.float64
        Dtype of the output.
    handle_unknown : {'error', 'ignore', 'infrequent_if_exist', 'warn'}, \
            default='error'
        What `transform` makes of a category that `fit` has not seen. On dask input,
        errors and warnings come with the computation of the block that has it.
    min_frequency : int or float, default=None
        Rows, or the share of all rows, under which a category is infrequent.
    max_categories : int, default=None
        Most columns for one; the least frequent categories share the last.
    feature_name_combiner : 'concat' or callable, default='concat'
        Makes the name of a column from that of the feature and the category.
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who does the work; see :meth:`explain`.

    Attributes
    ----------
    categories_ : list of ndarray
        Categories of each column, concrete, in the dtype and the order that
        scikit-learn gives them.
    drop_idx_ : ndarray of shape (n_features,) or None
        Place of the category of each column that is left out; None if all are kept.
    infrequent_categories_ : list of ndarray
        Infrequent categories of each column, if there can be any.
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
    sklearn.preprocessing.OneHotEncoder : The class mirrored.
    AutoScaleOrdinalEncoder : One column of numbers for each column.
    dask_ml.preprocessing.OneHotEncoder : Its counterpart, which has neither `drop` nor
        other ways with unknown categories than an error.

    Notes
    -----
    Passes over dask input: one, in which row counts need not be known. Columns may be
    text, objects, numbers, pandas' categories (known to dask or not, and others in each
    block) and its nullable dtypes; missing values are a category, as in scikit-learn.
    Memory grows with the number of distinct values, not with that of rows.

    `inverse_transform` of dask input has the dtype of the categories. A block with
    unknown categories, which are None, makes objects of numbers when it is computed.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import AutoScaleOneHotEncoder
    >>> X = np.array([["red", "S"], ["blue", "M"], ["red", "M"]], dtype=object)
    >>> encoder = AutoScaleOneHotEncoder(sparse_output=False).fit(X)
    >>> encoder.transform(X)
    array([[0., 1., 0., 1.],
           [1., 0., 1., 0.],
           [0., 1., 1., 0.]])
    >>> encoder.get_feature_names_out(["colour", "size"])
    array(['colour_blue', 'colour_red', 'size_M', 'size_S'], dtype=object)

    The same on a dask array; what is transformed is lazy:

    >>> import dask.array as da
    >>> blocks = da.from_array(X, chunks=(2, 2))
    >>> encoder = AutoScaleOneHotEncoder().fit(blocks)
    >>> encoder.categories_
    [array(['blue', 'red'], dtype=object), array(['M', 'S'], dtype=object)]
    >>> encoder.transform(blocks).compute().toarray()
    array([[0., 1., 0., 1.],
           [1., 0., 1., 0.],
           [0., 1., 1., 0.]])
    """

    _parameter_constraints = parameter_constraints(OneHotEncoder)

    def __init__(
        self,
        *,
        categories: Any = "auto",
        drop: Any = None,
        sparse_output: bool = True,
        dtype: Any = np.float64,
        handle_unknown: str = "error",
        min_frequency: float | None = None,
        max_categories: int | None = None,
        feature_name_combiner: Any = "concat",
        engine: str = "auto",
    ) -> None:
        super().__init__(
            categories=categories,
            drop=drop,
            sparse_output=sparse_output,
            dtype=dtype,
            handle_unknown=handle_unknown,
            min_frequency=min_frequency,
            max_categories=max_categories,
            feature_name_combiner=feature_name_combiner,
        )
        self.engine = engine


class AutoScaleOrdinalEncoder(_Encoding, OrdinalEncoder):
    """Encoding of categories by their place in a sorted list, for input of any size.

    On in-memory input this is :class:`sklearn.preprocessing.OrdinalEncoder`. The
    categories of a dask array or DataFrame, and how many rows have them, are found
    block by block, in one pass; what is transformed is lazy.

    Parameters
    ----------
    categories : 'auto' or list of array-like, default='auto'
        Categories of each column, in order; 'auto' for those that are in it, sorted.
    dtype : number type, default=np.float64
        Dtype of the output.
    handle_unknown : {'error', 'use_encoded_value'}, default='error'
        What `transform` makes of a category that `fit` has not seen. On dask input,
        errors come with the computation of the block that has it.
    unknown_value : int or np.nan, default=None
        Code of unknown categories, with 'use_encoded_value'.
    encoded_missing_value : int or np.nan, default=np.nan
        Code of missing values.
    min_frequency : int or float, default=None
        Rows, or the share of all rows, under which a category is infrequent.
    max_categories : int, default=None
        Most codes for one column; the least frequent categories share the last.
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who does the work; see :meth:`explain`.

    Attributes
    ----------
    categories_ : list of ndarray
        Categories of each column, concrete, in the dtype and the order that
        scikit-learn gives them.
    infrequent_categories_ : list of ndarray
        Infrequent categories of each column, if there can be any.
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
    sklearn.preprocessing.OrdinalEncoder : The class mirrored.
    AutoScaleOneHotEncoder : A column for each category.
    dask_ml.preprocessing.OrdinalEncoder : Its counterpart, which encodes the columns
        of pandas' categories alone.

    Notes
    -----
    Passes over dask input: one, in which row counts need not be known. Columns may be
    text, objects, numbers, pandas' categories (known to dask or not, and others in each
    block) and its nullable dtypes. Memory grows with the number of distinct values, not
    with that of rows.

    `inverse_transform` of dask input has the dtype of the categories. A block with
    unknown categories, which are None, makes objects of numbers when it is computed.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_dask_auto import AutoScaleOrdinalEncoder
    >>> X = np.array([["red", "S"], ["blue", "M"], ["red", "M"]], dtype=object)
    >>> AutoScaleOrdinalEncoder().fit_transform(X)
    array([[1., 1.],
           [0., 0.],
           [1., 0.]])

    The same on a dask array; what is transformed is lazy:

    >>> import dask.array as da
    >>> blocks = da.from_array(X, chunks=(2, 2))
    >>> encoder = AutoScaleOrdinalEncoder().fit(blocks)
    >>> encoder.categories_
    [array(['blue', 'red'], dtype=object), array(['M', 'S'], dtype=object)]
    >>> encoder.transform(blocks)
    dask.array<transform, shape=(3, 2), dtype=float64, chunksize=(2, 2), ...>
    """

    _parameter_constraints = parameter_constraints(OrdinalEncoder)

    def __init__(
        self,
        *,
        categories: Any = "auto",
        dtype: Any = np.float64,
        handle_unknown: str = "error",
        unknown_value: Any = None,
        encoded_missing_value: Any = np.nan,
        min_frequency: float | None = None,
        max_categories: int | None = None,
        engine: str = "auto",
    ) -> None:
        super().__init__(
            categories=categories,
            dtype=dtype,
            handle_unknown=handle_unknown,
            unknown_value=unknown_value,
            encoded_missing_value=encoded_missing_value,
            min_frequency=min_frequency,
            max_categories=max_categories,
        )
        self.engine = engine
