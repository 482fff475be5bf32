"""Run every benchmark, or one: ``python -m benchmarks [NAME [OPTION ...]]``."""

import importlib
import sys

NAMES = (
    "overhead",
    "rates",
    "search",
    "pipelines",
    "faults",
    "hyperband",
    "kmeans",
    "logistic",
    "scalers",
    "pca",
    "wide_pca",
    "tables",
    "anyest",
    "memory",
)

if __name__ == "__main__":
    chosen, options = sys.argv[1:2] or NAMES, sys.argv[2:]
    for name in chosen:
        if name not in NAMES:
            sys.exit(f"no benchmark {name!r}; there are {', '.join(NAMES)}")
        importlib.import_module(f"benchmarks.{name}").main(options)
