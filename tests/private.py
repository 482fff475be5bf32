"""Every private name of scikit-learn that the tests use, each with its reason."""

from sklearn.utils._test_common.instance_generator import (
    _construct_instances as instances,
)
from sklearn.utils._test_common.instance_generator import (
    _get_expected_failed_checks as expected_failures,
)

__all__ = ["expected_failures", "instances"]
# `expected_failures`: the checks that scikit-learn itself knows its classes to fail,
# with their reasons; a wrapper may fail these and no others.
# `instances`: how scikit-learn's own tests build what cannot be built by default.
