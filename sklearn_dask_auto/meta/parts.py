"""Which blocks make a part: parts that can be fitted apart, each like the whole.

Plain arithmetic on what is known of each block. Every part gets rows of every class,
of the rarest ones as evenly as blocks allow, or of low and of high targets. So do rows
that are sorted by their target no harm. The data alone decides, and not the workers.
"""

from typing import Any

import numpy as np

__all__ = ["by_class", "by_target", "n_parts_of"]


def n_parts_of(n_rows: int, n_blocks: int, part_size: int) -> int:
    """Return how many parts of at least `part_size` rows so many blocks make."""
    return max(1, min(n_rows // part_size, n_blocks))


def by_class(counts: Any, n_parts: int) -> list[list[int]]:
    """Deal blocks so that each part has rows of every class.

    Parameters
    ----------
    counts : ndarray of shape (n_blocks, n_classes)
        Rows of each class; there is at least one of each.
    n_parts : int
        Parts wanted; fewer are made where too few blocks hold some class.

    Returns
    -------
    parts : list of list of int
        Numbers of blocks, ascending in each part.
    """
    holders = (counts > 0).sum(axis=0)
    n_parts = min(n_parts, int(holders.min()))
    while True:
        owners = _dealt(counts, np.argsort(holders, kind="stable"), n_parts)
        totals = np.zeros((n_parts, counts.shape[1]), counts.dtype)
        np.add.at(totals, owners, counts)
        n_lacking = int((totals == 0).any(axis=1).sum())
        if not n_lacking:
            return _listed(owners, n_parts)
        # One part has all there is.
        n_parts = max(1, n_parts - n_lacking)


def by_target(means: Any, sizes: Any, n_parts: int) -> list[list[int]]:
    """Deal blocks so that each part has some of low and some of high targets.

    Parameters
    ----------
    means : ndarray of shape (n_blocks,)
        Mean target of each block.
    sizes : ndarray of shape (n_blocks,)
        Its rows.
    n_parts : int
        Parts to make; at most as many as blocks.

    Returns
    -------
    parts : list of list of int
        Numbers of blocks, ascending in each part.
    """
    order = np.argsort(means, kind="stable")
    owners = np.empty(len(sizes), int)
    rows = np.zeros(n_parts, int)
    for start in range(0, len(order), n_parts):
        # Of each stratum one block to a part, the largest to that of the fewest rows.
        stratum = order[start : start + n_parts]
        stratum = stratum[np.argsort(-sizes[stratum], kind="stable")]
        owners[stratum] = np.argsort(rows, kind="stable")[: len(stratum)]
        rows[owners[stratum]] += sizes[stratum]
    return _listed(owners, n_parts)


def _dealt(counts: Any, classes: Any, n_parts: int) -> Any:
    """Return a part for each block, given class by class, the rarest first."""
    owners = np.full(len(counts), -1)
    totals, rows = np.zeros((n_parts, len(classes)), int), np.zeros(n_parts, int)
    for label in classes:
        blocks = np.flatnonzero((counts[:, label] > 0) & (owners < 0))
        blocks = blocks[np.argsort(-counts[blocks, label], kind="stable")]
        for block in blocks:
            part = np.lexsort((rows, totals[:, label]))[0]
            owners[block] = part
            totals[part] += counts[block]
            rows[part] += counts[block].sum()
    return owners


def _listed(owners: Any, n_parts: int) -> list[list[int]]:
    return [np.flatnonzero(owners == part).tolist() for part in range(n_parts)]
