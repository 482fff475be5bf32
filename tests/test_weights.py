"""What weights mean, for every class that takes them: rows that are there so often.

Whole weights are repeated rows, and a weight of zero is no row, however rows and
weights are cut into blocks; the answer is scikit-learn's for the repeated rows.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cuts import cut, cuts
from tests.test_on_dask import (
    CASES,
    N_ROWS,
    WITH_WEIGHTS,
    X,
    assert_same_value,
    learned,
    original,
    ours,
)

PARAMS = {
    # Its draws of first centers are other ones.
    "AutoScaleKMeans": {"init": X[:3], "n_init": 1},
    # L-BFGS leaves some digits of coefficients near zero.
    "AutoScalePoissonRegressor": {"solver": "newton-cholesky"},
}
DRAWS_BATCHES = {"AutoScaleMiniBatchKMeans"}
"""Batches are so many rows of any weight, in scikit-learn too."""
OF_ROWS = {
    # One for each row that is there.
    "AutoScaleKMeans": {"labels_"},
    # scikit-learn's share of the largest variance leaves weights out.
    "AutoScaleGaussianNB": {"epsilon_"},
}
NAMES = sorted({*WITH_WEIGHTS} - DRAWS_BATCHES)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=4)
@given(st.data())
def test_whole_weights_are_repeated_rows_and_zero_is_none(name, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    weight, target = rng.integers(0, 4, N_ROWS), CASES[name].target
    repeated = None if target is None else np.repeat(target, weight)
    params = PARAMS.get(name, {})
    model, reference = ours(name).set_params(**params), original(name)
    reference.set_params(**params).fit(np.repeat(X, weight, axis=0), repeated)
    model.fit(
        cut(X, data.draw(cuts(N_ROWS)), data.draw(st.sampled_from([-1, 3]))),
        None if target is None else cut(target, data.draw(cuts(N_ROWS))),
        sample_weight=cut(weight, data.draw(cuts(N_ROWS))),
    )
    found, expected = learned(model), learned(reference)
    for attribute in {*expected} - CASES[name].differs - OF_ROWS.get(name, set()):
        assert_same_value(found[attribute], expected[attribute])
