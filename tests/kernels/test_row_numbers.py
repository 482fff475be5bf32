import numpy as np
from numpy.testing import assert_array_equal

from sklearn_dask_auto.kernels.row_numbers import label_signatures, uniform_by_row


def test_draws_go_by_row_number_and_not_by_block():
    whole = uniform_by_row(3, 0, 1000)
    assert_array_equal(whole[400:], uniform_by_row(3, 400, 600))


def test_draws_are_uniform_and_differ_between_seeds():
    draws = np.stack([uniform_by_row(seed, 0, 100_000) for seed in range(4)])
    assert draws.min() >= 0
    assert draws.max() < 1
    # Five standard errors of a mean, a variance and a correlation of uniform draws.
    assert np.abs(draws.mean(axis=1) - 1 / 2).max() < 5 * 0.29 / 316
    assert np.abs(draws.var(axis=1) - 1 / 12).max() < 5 * 0.075 / 316
    assert np.abs(np.corrcoef(draws) - np.eye(4)).max() < 5 / 316
    assert abs(np.corrcoef(draws[0, :-1], draws[0, 1:])[0, 1]) < 5 / 316


def test_signatures_see_the_grouping_and_not_its_names():
    labels = np.random.default_rng(0).integers(0, 5, 1000).astype(np.int32)
    names = np.array([3, 0, 4, 1, 2], dtype=np.int32)
    signatures = label_signatures(labels, 0, 5)
    renamed = label_signatures(names[labels], 0, 5)
    assert sorted(signatures) == sorted(renamed)
    labels[500] = (labels[500] + 1) % 5
    assert sorted(label_signatures(labels, 0, 5)) != sorted(renamed)


def test_signatures_of_blocks_add_up():
    labels = np.random.default_rng(0).integers(0, 5, 1000).astype(np.int32)
    parts = label_signatures(labels[:300], 0, 5), label_signatures(labels[300:], 300, 5)
    assert_array_equal(parts[0] + parts[1], label_signatures(labels, 0, 5))
