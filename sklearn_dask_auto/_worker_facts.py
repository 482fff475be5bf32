"""What the scheduler of a cluster tells of its workers."""

from typing import Any

__all__ = ["worker_facts"]

ATTEMPTS = 5


def worker_facts(client: Any) -> dict[str, dict[str, Any]]:
    """Return what is known of each worker, by its address.

    Every two seconds the client asks for the cluster without its workers, and keeps the
    answer where it keeps the one that we asked for. If ours is replaced before it is
    read, it has fewer workers than it counts, and is asked for again.

    Parameters
    ----------
    client : distributed.Client
        Synchronous, and running.
    """
    for _ in range(ATTEMPTS):
        info = client.scheduler_info(n_workers=-1)
        if len(info["workers"]) >= info.get("n_workers", 0):
            break
    return dict(info["workers"])
