"""What the process of a worker takes of its memory, before it is given anything.

Python and what it has imported take some 200 MB, of a limit that may be 1 GB.
"""

import threading
from typing import Any
from weakref import WeakKeyDictionary

__all__ = ["process_bytes"]

_least: WeakKeyDictionary[Any, dict[str, int]] = WeakKeyDictionary()
"""Client -> address of each worker -> the least that it ever reported."""
_lock = threading.Lock()


def process_bytes(client: Any, address: str, facts: dict[str, Any]) -> int:
    """Return the bytes of a worker's process that are there as long as it is.

    That is the least that it reported so far beside the values that it holds: what a
    task took a moment ago is soon free again.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    address : str
        Of the worker.
    facts : dict
        What the scheduler tells of it; of one that has just come there is no report.

    Returns
    -------
    n_bytes : int
        0 where nothing is known, and for a worker within this process, whose memory is
        that of all else here.
    """
    if address.startswith("inproc:"):
        return 0
    metrics = facts["metrics"]
    now = int(metrics.get("memory", 0) - metrics.get("managed_bytes", 0))
    with _lock:
        known = _least.setdefault(client, {})
        if now > 0:
            known[address] = min(now, known.get(address, now))
        return known.get(address, 0)
