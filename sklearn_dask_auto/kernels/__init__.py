"""Algorithms as folds over row blocks, one file a kernel, and the driver of passes.

A kernel is plain array code: `summarise` turns a block into statistics, `merge` joins
two of them, and what the fit does with the total is its own affair. No routing here,
and a kernel can be tested without dask.
"""
