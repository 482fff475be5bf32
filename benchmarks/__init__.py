"""Paired timings: every figure is a ratio of medians of runs taken in turn.

``python -m benchmarks`` runs all of them and prints one table each; a name after it
runs one. Absolute seconds depend on the machine, so only ratios are claimed anywhere.
"""
