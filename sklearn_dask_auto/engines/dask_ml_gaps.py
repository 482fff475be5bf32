"""Why ``engine="dask-ml"`` is refused: for each class, what is true of dask-ml's.

Read from dask-ml 2025.1.0 and measured with it. A class without a row here has no
counterpart there. Nothing of dask-ml is imported to know this.
"""

__all__ = ["why_not"]

_GAPS = {
    "GaussianNB": "ignores `priors`, has no `var_smoothing`, and learns counts of the "
    "wrong shape",
    "IncrementalPCA": "cuts its batches at the borders of blocks",
    "LinearRegression": "is a ridge by default, and learns neither `rank_` nor "
    "`singular_`",
    "LogisticRegression": "scales the columns before it penalises them, penalises the "
    "intercept too, and takes 0 and 1 for labels alone",
    "OneHotEncoder": "takes no `drop`, no `min_frequency` and no unknown categories",
    "OrdinalEncoder": "takes no `categories` and no `handle_unknown`",
    "PoissonRegressor": "has another penalty, which includes the intercept",
    "PolynomialFeatures": "has no `order`",
    "QuantileTransformer": "approximates quantiles, and with them normal output by up "
    "to 2",
    "RobustScaler": "approximates quantiles, which then depend on the blocks, and "
    "ignores `unit_variance`",
    "SimpleImputer": "approximates medians, and breaks ties in its own way",
    "TruncatedSVD": "leaves signs as they fall, and refuses as many components as "
    "there are columns",
}
_OTHER_NAMES = {"PoissonRegressor": "PoissonRegression"}


def why_not(name: str) -> str:
    """Return why there is no adapter for a class.

    Parameters
    ----------
    name : str
        Of scikit-learn's class.

    Returns
    -------
    reason : str
        A true sentence, without a full stop.
    """
    if name not in _GAPS:
        return "dask-ml has no such estimator"
    return f"dask-ml's {_OTHER_NAMES.get(name, name)} {_GAPS[name]}"
