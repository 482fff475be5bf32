"""Whether the workers of a cluster can run what is sent to them.

What is sent names functions of this library, and pickled estimators and functions of
Python itself are not for other releases. Found out late, that is an unpickling error
in the middle of a fit, or a worker that seems to die.
"""

import asyncio
import pkgutil
import platform
import threading
import warnings
from importlib import metadata
from typing import Any
from weakref import WeakKeyDictionary

__all__ = ["worker_problem"]

QUESTIONS: dict[str, tuple[Any, ...]] = {
    "sklearn_dask_auto": (pkgutil.resolve_name, "sklearn_dask_auto:__version__"),
    "scikit-learn": (metadata.version, "scikit-learn"),
    "Python": (platform.python_version,),
}
"""Functions of the standard library, as a worker may lack this one."""
_asked: WeakKeyDictionary[Any, dict[str, str | None]] = WeakKeyDictionary()
"""Client -> address of each worker that was asked -> what is wrong with it."""
_lock = threading.Lock()


def worker_problem(client: Any, addresses: list[str], asks: bool = True) -> str | None:
    """Return why no fit can be sent to a cluster, or None if one can.

    Parameters
    ----------
    client : distributed.Client
        Running, and not asynchronous.
    addresses : list of str
        Of its workers. Each is asked once, in some milliseconds.
    asks : bool, default=True
        False to tell of those alone that were asked before.

    Returns
    -------
    problem : str or None
        Of the first worker that has one; a warning tells of it, once for a worker.
    """
    with _lock:
        known = _asked.setdefault(client, {})
        new = [address for address in addresses if address not in known]
        if new and asks:
            found = _ask(client, new)
            known.update(found)
            for problem in filter(None, dict.fromkeys(found.values())):
                warnings.warn(f"{problem}; nothing is sent to it", stacklevel=2)
        return next(filter(None, map(known.get, addresses)), None)


def _ask(client: Any, addresses: list[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = dict.fromkeys(addresses)
    for name, answers in zip(
        QUESTIONS, client.sync(_answers, client, addresses), strict=True
    ):
        for address, answer in answers.items():
            found[address] = found[address] or _difference(name, answer)
    return found


async def _answers(client: Any, addresses: list[str]) -> list[dict[str, Any]]:
    """Ask all questions at once, as each takes some milliseconds."""
    runs = [
        client.run(*question, workers=addresses, on_error="return")
        for question in QUESTIONS.values()
    ]
    return list(await asyncio.gather(*runs))


def _difference(name: str, there: Any) -> str | None:
    """Return what is wrong with a version, or with what came of asking for it."""
    if isinstance(there, OSError):
        # The worker left meanwhile.
        return None
    if isinstance(there, Exception):
        return f"a Dask worker has no {name} ({type(there).__name__}: {there})"
    function, *arguments = QUESTIONS[name]
    here = function(*arguments)
    if _release(here) == _release(there):
        return None
    return f"{name} is {here} here and {there} on a Dask worker"


def _release(version: str) -> list[str]:
    """Return the numbers of a version within which releases go together."""
    return version.split(".")[:2]
