"""Estimators that do to their processes what they are told, for tests of faults.

In a file of their own, and with few imports: every process that is started to replace
one that died imports it.
"""

import ctypes
import os
import resource
import signal
import tempfile
import time

import numpy as np
import psutil
from sklearn.base import BaseEstimator, ClassifierMixin, clone

HOME = os.getpid()


def nothing(model):
    pass


def die(model):
    os.kill(os.getpid(), signal.SIGKILL)


def crash(model):
    """Crash as an extension module does that reads where it may not."""
    ctypes.string_at(0)


def exhaust(model):
    """Take more memory than a worker may, until its nanny ends it."""
    taken = [np.ones(10_000_000) for _ in range(13)]
    time.sleep(30)
    del taken


def run_out(model):
    """Run into a limit that the system sets."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (used + 100_000_000, before[1]))
    try:
        np.ones(100_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def is_first(path):
    """Tell, once among all processes, that nobody was here before."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def die_once(model):
    if is_first(model.path):
        die(model)


def stall_once(model):
    """Stall until `wake` is called, or for as long as no test should take."""
    if is_first(model.path):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not os.path.exists(f"{model.path} over"):
            time.sleep(0.05)


def stall_first(model):
    """Have the first fit stall until there is a file, or for as long as above."""
    stall_once(clone(model).set_params(path=f"{model.path}/first"))


def wake(model):
    is_first(f"{model.path} over")


class Fragile(ClassifierMixin, BaseEstimator):
    """Does to its process what it is told, but not to that of the tests."""

    def __init__(self, a=0.0, deed=nothing, path=None, home=HOME, seconds=0.02):
        self.a = a
        self.deed = deed
        self.path = path
        self.home = home
        self.seconds = seconds

    def fit(self, X, y):
        time.sleep(self.seconds)
        self.classes_ = np.unique(y)
        if os.getpid() != self.home:
            self.deed(self)
        return self

    def predict(self, X):
        return self.classes_[(X[:, 0] > self.a).astype(int)]


class Located(Fragile):
    """Fits once somebody says so, and remembers in which process it did."""

    def fit(self, X, y):
        while not os.path.exists(self.path):
            time.sleep(0.01)
        self.process_ = os.getpid()
        return super().fit(X, y)


class Counted(Fragile):
    """Leaves a file behind for each fit."""

    def fit(self, X, y):
        tempfile.mkstemp(dir=self.path)
        return super().fit(X, y)
