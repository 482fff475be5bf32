"""Different columns for different transformers, for tables of any size."""

import time
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.validation import check_is_fitted

from sklearn_dask_auto._base import AutoScaleMixin, to_plain
from sklearn_dask_auto._sklearn import (
    adopt_steps,
    check_n_features,
    column_steps,
    fit_context,
    fit_step,
    fitted_steps,
    parameter_constraints,
    stacked,
    transform_container,
)
from sklearn_dask_auto.compose.outputs import density, row_like
from sklearn_dask_auto.compose.parts import Parts, head
from sklearn_dask_auto.compose.twins import (
    named_steps,
    passes_once,
    restored,
    twin,
    without_twin,
)
from sklearn_dask_auto.inputs import is_dask, is_frame
from sklearn_dask_auto.routing import Plan, Profile

__all__ = ["AutoScaleColumnTransformer"]


class _RoutedTransform(AutoScaleMixin):
    """The mixin for a `transform` that hands on metadata.

    It is a class of its own because scikit-learn wraps a `transform` that an estimator
    itself defines, and for `set_output` would compute what is lazy.
    """

    def transform(self, X: Any, **params: Any) -> Any:
        """Transform the columns of each step, and put the results side by side.

        Parameters
        ----------
        X : {array-like, dataframe, dask array, dask DataFrame} of shape \
                (n_samples, n_features)
            Rows to transform. A DataFrame may have further columns, in any order.
        **params : dict
            What metadata routing hands to the steps, for rows in memory.

        Returns
        -------
        X_t : {ndarray, sparse matrix, dask array, dask DataFrame} of shape \
                (n_samples, n_features_out)
            Lazy for dask input.

        Raises
        ------
        TypeError
            If there is metadata beside dask input.
        """
        if not is_dask(X):
            return super(AutoScaleMixin, self).transform(X, **params)  # type: ignore[misc]
        if params:
            raise TypeError(
                f"transform takes no metadata beside dask input, and got {[*params]}. "
                "Transform rows in memory, block by block."
            )
        return self._map_rows("transform", X)


class AutoScaleColumnTransformer(_RoutedTransform, ColumnTransformer):
    """Transformers for parts of the columns, side by side, for tables of any size.

    On in-memory input this is :class:`sklearn.compose.ColumnTransformer`. On a dask
    DataFrame or array each transformer is fitted on the blocks of its columns, all in
    passes that they share; what is transformed is lazy, one task a block.

    Parameters
    ----------
    transformers : list of tuples
        (name, transformer, columns), as in scikit-learn. Columns are named, numbered, a
        slice, a mask or a callable, which is given the empty frame that dask keeps as
        metadata, so that :class:`sklearn.compose.make_column_selector` works.
    remainder : {'drop', 'passthrough'} or estimator, default='drop'
        What happens to the columns that nobody asked for.
    sparse_threshold : float, default=0.3
        If some outputs are sparse, all of it is where fewer values are stored.
    n_jobs : int, default=None
        Used in memory. On dask input, all threads work for all transformers.
    transformer_weights : dict, default=None
        Factors for outputs, by name.
    verbose : bool, default=False
        Print the time that each fit takes.
    verbose_feature_names_out : bool, str or callable, default=True
        Put the name of the transformer before that of the column.
    engine : {'auto', 'sklearn', 'joblib', 'dask-ml', 'blockwise'}, default='auto'
        Who does the work; see :meth:`explain`.

    Attributes
    ----------
    transformers_ : list of tuples
        The fitted clones, of the classes that were given.
    named_transformers_ : Bunch
        The same, by name.
    sparse_output_ : bool
        The output is sparse.
    output_indices_ : dict
        Slices of the output, by name.
    n_features_in_ : int
        Columns seen during `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if all are text.
    plan_ : Plan
        Which engine did the work, and why.

    Raises
    ------
    NoEngineError
        If the engine asked for by name cannot do it, or a transformer of scikit-learn
        needs more rows in memory than the budget allows.

    See Also
    --------
    sklearn.compose.ColumnTransformer : The class mirrored.
    dask_ml.compose.ColumnTransformer : Its counterpart, which cannot find the columns
        of a dask DataFrame by their names.

    Notes
    -----
    Passes over dask input: as many as the transformer with most of them needs, since
    those of all are made together, each over the columns that a transformer takes. Of
    Parquet files, what encoders and imputers need is read apart, in a pass of its own.
    One more over the columns of sparse outputs counts what they store. A transformer of
    several turns that holds its columns in memory (see its own notes) reads them once
    more.

    Fitted on blocks are transformers of this library; those of scikit-learn that it has
    a class for, which is then used in their place, as if it had been given, with equal
    results; and those that learn nothing from the rows (`FunctionTransformer`,
    `HashingVectorizer`, ...), which are applied to each block: a function must return
    for each row what it would beside any other rows. `Pipeline` and `FeatureUnion` may
    hold any of them, inside this. A `FeatureUnion` by itself takes dask arrays of known
    sizes; as the only step of this, with ``slice(0, None)`` for columns, anything. All
    others learn from rows in memory: the input is brought here, if it fits; wrapped in
    :class:`AutoScaleEstimator`, only their own columns are.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn_dask_auto import (
    ...     AutoScaleColumnTransformer,
    ...     AutoScaleOneHotEncoder,
    ...     AutoScaleStandardScaler,
    ... )
    >>> table = pd.DataFrame(
    ...     {"city": ["Oslo", "Rome", "Oslo"], "people": np.array([1.0, 2.0, 3.0])}
    ... )
    >>> columns = AutoScaleColumnTransformer(
    ...     [
    ...         ("where", AutoScaleOneHotEncoder(), ["city"]),
    ...         ("size", AutoScaleStandardScaler(), ["people"]),
    ...     ]
    ... )
    >>> columns.fit_transform(table).round(2)
    array([[ 1.  ,  0.  , -1.22],
           [ 0.  ,  1.  ,  0.  ],
           [ 1.  ,  0.  ,  1.22]])

    The same on a dask DataFrame; what is transformed is lazy:

    >>> import dask.dataframe as dd
    >>> blocks = dd.from_pandas(table, npartitions=2)
    >>> columns.fit_transform(blocks).compute().round(2)
    array([[ 1.  ,  0.  , -1.22],
           [ 0.  ,  1.  ,  0.  ],
           [ 1.  ,  0.  ,  1.22]])

    An array has columns by number:

    >>> import dask.array as da
    >>> numbers = da.from_array(np.array([[1.0, 2.0], [3.0, 6.0]]), chunks=(1, 2))
    >>> scale = AutoScaleColumnTransformer([("size", AutoScaleStandardScaler(), [1])])
    >>> scale.fit_transform(numbers).compute()
    array([[-1.],
           [ 1.]])
    """

    _parameter_constraints = parameter_constraints(ColumnTransformer)
    # Those of its steps: none is loaded by this name.
    _kernel = "steps"
    _passes = 2.0

    def __init__(
        self,
        transformers: Any,
        *,
        remainder: Any = "drop",
        sparse_threshold: float = 0.3,
        n_jobs: int | None = None,
        transformer_weights: Any = None,
        verbose: bool = False,
        verbose_feature_names_out: Any = True,
        engine: str = "auto",
    ) -> None:
        super().__init__(
            transformers,
            remainder=remainder,
            sparse_threshold=sparse_threshold,
            n_jobs=n_jobs,
            transformer_weights=transformer_weights,
            verbose=verbose,
            verbose_feature_names_out=verbose_feature_names_out,
        )
        self.engine = engine

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Fit all transformers, each on its columns.

        Parameters
        ----------
        X : {array-like, dataframe, dask array, dask DataFrame} of shape \
                (n_samples, n_features)
            Rows to learn from. Dask input may have unknown row counts and empty blocks.
        y : array-like of shape (n_samples,), default=None
            Target, for the transformers that use one.
        **params : dict
            What metadata routing hands to the transformers.

        Returns
        -------
        self : AutoScaleColumnTransformer
            Fitted.
        """
        return self._fit_as_planned(X, y, params)

    def _fit_in_memory(
        self, X: Any, y: Any, params: dict[str, Any], plan: Plan
    ) -> dict[str, Any]:
        # scikit-learn's `fit` would call the method of that name here.
        ColumnTransformer.fit_transform(self, X, y, **params)
        return {}

    def _fit_transform_in_memory(self, X: Any, y: Any, params: dict[str, Any]) -> Any:
        plan = self.explain(X, y, **params)
        if plan.engine != "sklearn":
            return self.fit(X, y, **params).transform(X)
        started = time.perf_counter()
        out = ColumnTransformer.fit_transform(self, X, y, **params)
        self._adopt({}, replace(plan, seconds=time.perf_counter() - started))
        return out

    def _refusals(
        self, profile: Profile, params: dict[str, Any]
    ) -> Iterable[tuple[str, str]]:
        if not profile.is_dask:
            yield "blockwise", "its steps take in-memory rows as they are"
        for name, step in named_steps(self) or ():
            for place, reason in without_twin(name, step, profile):
                yield (
                    "blockwise",
                    f"{place!r} is {reason}; wrapped in AutoScaleEstimator, it is "
                    "given its own columns alone, brought here",
                )

    def _fit_on_blocks(
        self, X: Any, y: Any, params: dict[str, Any], plan: Plan
    ) -> dict[str, Any]:
        """Fit all steps, each on its columns, in passes that they share."""
        from sklearn_dask_auto.inputs.passes import share_passes

        steps = column_steps(self, head(X))
        routed = process_routing(self, "fit_transform", **params)
        parts = self._parts_to_fit(X, steps)
        fits = [
            partial(
                self._fit_step,
                (name, number, len(steps)),
                step,
                self._part(part, name, columns),
                y,
                routed[name],
            )
            for number, ((name, step, columns, _), part) in enumerate(
                zip(steps, parts, strict=True), start=1
            )
        ]
        results = share_passes(fits)
        outputs = [out for out, _ in results]
        if results:
            least = self.sparse_threshold
            self.sparse_output_ = least > 0 and density(outputs) < least
        adopt_steps(self, [fitted for _, fitted in results], outputs)
        return {}

    def _parts_to_fit(self, X: Any, steps: list[Any]) -> list[Parts]:
        """Return, for each step, the columns that are read together with its own.

        Files of columns are read apart for steps that need one pass, and for those
        that need several: these would else read the columns of the others again.
        """
        from sklearn_dask_auto.inputs.columns import plain_text
        from sklearn_dask_auto.inputs.passes import has_columns_apart, readable_together

        apart = has_columns_apart(X)
        kinds = [apart and passes_once(step) for _, step, *_ in steps]
        together = {}
        for kind in {*kinds}:
            pairs = zip(steps, kinds, strict=True)
            names = [name for (name, *_), own in pairs if own == kind]
            parts = self._parts(X, names)
            # Now, as a source of files looks no further than this for what is wanted.
            parts.X = plain_text(parts.X)
            if len(names) > 1:
                parts.X = readable_together(parts.X)
            together[kind] = parts
        return [together[kind] for kind in kinds]

    def _fit_step(
        self, place: tuple[str, int, int], step: Any, part: Any, y: Any, params: Any
    ) -> tuple[Any, Any]:
        """Return what a step makes of its columns, and the fitted step."""
        if step == "passthrough":
            step = FunctionTransformer(
                accept_sparse=True, check_inverse=False, feature_names_out="one-to-one"
            )
            step.set_output(transform=transform_container(self))
        out, fitted = fit_step(self, place, twin(clone(step)), part, y, params)
        return out, restored(fitted, step)

    def _parts(self, X: Any, names: Iterable[str]) -> Parts:
        """Choose the columns of some steps, by name if they were known by name."""
        chosen = (self._transformer_to_input_indices[name] for name in names)
        labels = vars(self).get("feature_names_in_", getattr(X, "columns", None))
        return Parts(X, labels, chain.from_iterable(chosen))

    def _part(self, parts: Parts, name: str, columns: Any) -> Any:
        """Take the columns of a step; a single one, as scikit-learn does, flat."""
        chosen = self._transformer_to_input_indices[name]
        return parts.take(chosen, flat=bool(np.isscalar(columns)))

    def _map_rows(self, method: str, X: Any) -> Any:
        from sklearn_dask_auto.inputs.columns import plain_text

        check_is_fitted(self)
        X = plain_text(self._columns_of(X))
        return self._map_to_container(to_plain(self), method, X)

    def _named(self, frame: Any) -> Any:
        # The steps have named them.
        return frame

    def _columns_of(self, X: Any) -> Any:
        """Take the columns that steps use by name, if `fit` knew names.

        Else there must be as many as it saw.
        """
        if not (is_frame(X) and hasattr(self, "feature_names_in_")):
            check_n_features(self, X)
            return X
        used = {
            self.feature_names_in_[i]
            for name, *_ in fitted_steps(self)
            for i in self._transformer_to_input_indices[name]
        }
        missing = used - {*X.columns}
        if missing:
            raise ValueError(f"columns are missing: {missing}")
        return X[[name for name in X.columns if name in used]]

    def _sample(self, model: Any, method: str, X: Any) -> Any:
        """Put side by side a row as each step says, lazily, that it gives."""
        steps = fitted_steps(self)
        parts = self._parts(X, [name for name, *_ in steps])
        rows = []
        for name, step, columns, weight in steps:
            row = row_like(twin(step).transform(self._part(parts, name, columns)))
            rows.append(row if weight is None else row * weight)
        if not rows:
            return np.zeros((1, 0))
        return stacked(model, rows)
