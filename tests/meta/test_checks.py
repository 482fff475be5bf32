"""scikit-learn's checks of estimators, around wrapped ones of several kinds.

A wrapper fails what scikit-learn lists for the class it wraps, where that class itself
fails on the same data with the same numbers, and nothing else.
"""

import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import estimator_checks_generator

from sklearn_dask_auto import AutoScaleEstimator
from tests.private import expected_failures

WRAPPED = {
    "forest": RandomForestRegressor(5),
    "kmeans": KMeans(n_init=2, max_iter=5),
    "logistic": LogisticRegression(),
    "outliers": IsolationForest(n_estimators=5),
    "pca": PCA(),
    "pipeline": make_pipeline(StandardScaler(), Ridge()),
    "scaler": StandardScaler(),
    "sgd": SGDClassifier(),
    "svc": SVC(),
}


def checks(is_listed):
    """Return checks that scikit-learn does, or does not, list as expected to fail."""
    for name, estimator in WRAPPED.items():
        listed = expected_failures(estimator)
        for wrapper, check in estimator_checks_generator(AutoScaleEstimator(estimator)):
            check_name = getattr(check, "func", check).__name__
            if check_name.startswith("check_array_api"):
                # They need array libraries that this project has no use for.
                continue
            if (check_name in listed) == is_listed:
                yield pytest.param(wrapper, check, id=f"{name}-{check_name}")


def failure(check, estimator):
    """Return what a check says against an estimator; None if it passes."""
    try:
        check(clone(estimator))
    except Exception as error:
        return str(error)
    return None


# scikit-learn's checks are written for Python's own warnings filters.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize(("wrapper", "check"), [*checks(is_listed=False)])
def test_scikit_learns_checks_pass_around_it(wrapper, check):
    check(clone(wrapper))


@pytest.mark.parametrize(("wrapper", "check"), [*checks(is_listed=True)])
def test_what_scikit_learn_lists_fails_only_as_it_does_without_the_wrapper(
    wrapper, check
):
    found = failure(check, wrapper)
    # A check carries the name of the class that it was made for: the text is the same.
    assert found is None or found == failure(check, wrapper.estimator)
