"""What `to_sklearn` gives is scikit-learn's to others, and predicts the same."""

import numpy as np
import onnxruntime
import pytest
import skops.io
from numpy.testing import assert_allclose, assert_array_equal
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_dask_auto import (
    AutoScaleEstimator,
    AutoScaleLogisticRegression,
    AutoScaleStandardScaler,
)
from tests.cuts import cut

# Exact in float32, in which ONNX has its numbers.
X = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
Y = np.where(X[:, 0] + X[:, 1] ** 2 > 0.5, "many", "few")
ESTIMATORS = {
    "estimator": AutoScaleEstimator(RandomForestClassifier(5, random_state=0)),
    "pipeline": AutoScaleEstimator(make_pipeline(StandardScaler(), SVC())),
    "kernels": AutoScaleEstimator(
        make_pipeline(AutoScaleStandardScaler(), AutoScaleLogisticRegression())
    ),
    "class": AutoScaleLogisticRegression(),
}


@pytest.fixture(params=ESTIMATORS)
def fitted(request):
    return ESTIMATORS[request.param].fit(cut(X, (150, 50)), cut(Y, (20, 180)))


def test_skops_finds_nothing_in_it_but_scikit_learn(fitted):
    written = skops.io.dumps(fitted.to_sklearn())
    # skops wants trees, which are compiled, to be trusted by name.
    unknown = skops.io.get_untrusted_types(data=written)
    assert set(unknown) <= {"sklearn.tree._tree.Tree"}
    loaded = skops.io.loads(written, trusted=unknown)
    assert_array_equal(loaded.predict(X), fitted.predict(X))


# skl2onnx reads attributes that scikit-learn has deprecated.
@pytest.mark.filterwarnings("ignore:Attribute `prob[AB]_`:FutureWarning")
def test_onnx_runs_it(fitted):
    graph = to_onnx(fitted.to_sklearn(), X[:1], options={"zipmap": False})
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    labels, scores = session.run(None, {"X": X})
    assert_array_equal(labels, fitted.predict(X))
    if hasattr(fitted, "predict_proba"):
        assert_allclose(scores, fitted.predict_proba(X), atol=1e-5)
