"""What two searches must agree on: everything but times."""

from typing import Any

import numpy as np

__all__ = ["assert_same_search"]


def assert_same_search(found: Any, expected: Any) -> None:
    """Compare fitted searches: `cv_results_` to the bit, and what was made of it."""
    ours, theirs = found.cv_results_, expected.cv_results_
    assert list(ours) == list(theirs)
    for name in ours:
        if not name.endswith("_time"):
            _assert_same_column(ours[name], theirs[name], name)
    for name in ("best_index_", "best_params_", "best_score_", "multimetric_"):
        assert hasattr(found, name) == hasattr(expected, name), name
        assert getattr(found, name, None) == getattr(expected, name, None), name
    assert found.n_splits_ == expected.n_splits_


def _assert_same_column(ours: Any, theirs: Any, name: str) -> None:
    if name == "params":
        # `repr`, as candidates may hold estimators.
        assert repr(ours) == repr(theirs)
        return
    assert type(ours) is type(theirs), name
    assert ours.dtype == theirs.dtype, name
    np.testing.assert_array_equal(np.ma.getmaskarray(ours), np.ma.getmaskarray(theirs))
    if ours.dtype == object:
        assert repr(ours) == repr(theirs), name
    else:
        np.testing.assert_array_equal(np.ma.filled(ours), np.ma.filled(theirs), name)
