"""Numbers that depend on a row's position alone, and so not on how rows are cut."""

import numpy as np
from numba import njit

__all__ = ["label_signatures", "mix", "uniform_by_row"]


@njit(nogil=True, cache=True)
def mix(counter):  # type: ignore[no-untyped-def]
    """Scramble a 64-bit counter: the finaliser of SplitMix64 (Steele et al., 2014)."""
    z = np.uint64(counter) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(nogil=True, cache=True)
def uniform_by_row(seed, start, n_rows):  # type: ignore[no-untyped-def]
    """Draw a number from [0, 1) for each row, from the seed and the row's number."""
    numbers = np.empty(n_rows)
    offset = mix(seed)
    for i in range(n_rows):
        numbers[i] = (mix(offset + np.uint64(start + i)) >> np.uint64(11)) * 2.0**-53
    return numbers


@njit(nogil=True, cache=True)
def label_signatures(labels, start, n_labels):  # type: ignore[no-untyped-def]
    """Sum up scrambled row numbers by label, modulo 2**64.

    Two labelings group the rows alike, whatever they call the groups, if their
    signatures are the same but for the order. Signatures of blocks add up.
    """
    signatures = np.zeros(n_labels, np.uint64)
    for i in range(len(labels)):
        signatures[labels[i]] += mix(np.uint64(start + i + 1))
    return signatures
