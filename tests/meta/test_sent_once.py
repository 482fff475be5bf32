"""A large model travels to each worker once, however many blocks it is asked about."""

import pickle
import sys

import dask
import dask.array as da
import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from sklearn_dask_auto import AutoScaleEstimator

N_BYTES, N_BLOCKS = 30_000_000, 40
ROWS = da.ones((40 * N_BLOCKS, 3), chunks=(40, 3))
N_PICKLED, N_UNPICKLED = [0], [0]


class Large(ClassifierMixin, BaseEstimator):
    """Holds 30 MB, and counts in each process how often they are sent and taken."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.weights_ = np.zeros(N_BYTES, np.uint8)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[self.weights_[0]])

    def __getstate__(self):
        N_PICKLED[0] += 1
        return vars(self)

    def __setstate__(self, state):
        N_UNPICKLED[0] += 1
        vars(self).update(state)


def counts():
    module = sys.modules.get(__name__)
    return (module.N_PICKLED[0], module.N_UNPICKLED[0]) if module else (0, 0)


# dask says so of any graph over 10 MB; that it is sent once is what is tested here.
@pytest.mark.filterwarnings("ignore:Sending large graph")
def test_a_model_is_sent_to_each_worker_once(client):
    model = AutoScaleEstimator(Large()).fit(np.ones((4, 3)), [0, 1, 0, 1])
    lazy = model.predict(ROWS)
    before, here = client.run(counts), counts()
    assert set(lazy.compute()) == {0}
    after = client.run(counts)
    taken = [after[worker][1] - before[worker][1] for worker in after]
    assert max(taken) == 1
    # From here to the scheduler, from there to a worker, and from that to the other.
    sent = sum(after[worker][0] - before[worker][0] for worker in after)
    assert sent + counts()[0] - here[0] <= 1 + len(after)


def test_no_task_but_one_carries_the_model():
    model = AutoScaleEstimator(Large()).fit(np.ones((4, 3)), [0, 1, 0, 1])
    (lazy,) = dask.optimize(model.predict(ROWS))
    sizes = [len(pickle.dumps(t)) for t in dict(lazy.__dask_graph__()).values()]
    assert sum(size > N_BYTES for size in sizes) == 1
    assert sum(size for size in sizes if size < N_BYTES) < 10_000 * N_BLOCKS
