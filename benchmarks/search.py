"""A search of 25 fits that take half a second together: what each place costs."""

import argparse
import warnings

import joblib
from distributed import Client, LocalCluster
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

from benchmarks.pairing import print_table, timed_in_turn
from sklearn_dask_auto import AutoScaleSearchCV

GRID = {"C": [0.001, 0.1, 1.0, 2.5, 10.0]}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks search")
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args(arguments)
    # SVC(probability=True) is the tutorial's, and deprecated since scikit-learn 1.9.
    warnings.filterwarnings("ignore", category=FutureWarning)

    X, y = make_classification(n_samples=1000, n_features=4, random_state=0)
    estimator = SVC(gamma="auto", random_state=0, probability=True)

    def plain(n_jobs=None):
        return GridSearchCV(estimator, GRID, cv=5, n_jobs=n_jobs).fit(X, y)

    def on_cluster():
        with joblib.parallel_config("dask", scatter=[X, y]):
            plain(n_jobs=-1)

    def ours():
        return AutoScaleSearchCV(estimator, GRID, cv=5).fit(X, y)

    calls = {"auto, no client": ours, "scikit-learn serial": plain}
    seconds = timed_in_turn(calls, options.repeats)
    print_table("SVC, 25 fits, no client, no workers", seconds, "auto, no client")

    calls["scikit-learn n_jobs=-1, warm"] = lambda: plain(n_jobs=-1)
    seconds = timed_in_turn(calls, options.repeats)
    print_table("SVC, 25 fits, warm local workers", seconds, "auto, no client")

    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
    with cluster, Client(cluster):
        calls["joblib-dask, 2 workers"] = on_cluster
        seconds = timed_in_turn(calls, options.repeats)
        print_table("SVC, 25 fits, cluster of 2 as well", seconds, "auto, no client")
