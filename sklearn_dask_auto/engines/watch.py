"""A second thread that looks on while the main thread runs a fit.

Fits run in the main thread, where scikit-learn would run them: filters of warnings and
much else belong to it. What keeps workers busy meanwhile is short, and runs beside.
"""

import contextvars
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

__all__ = ["watched"]


@contextmanager
def watched(look: Callable[[threading.Event], None]) -> Iterator[None]:
    """Run `look` in another thread while the body runs here.

    Parameters
    ----------
    look : callable
        Given an event that is set when the body is over, upon which it returns. What
        it raises is raised here then, unless the body raised before.
    """
    is_over = threading.Event()
    # The client that is current here is so in the thread.
    context = contextvars.copy_context()
    with ThreadPoolExecutor(max_workers=1) as thread:
        looking = thread.submit(context.run, look, is_over)
        try:
            yield
        finally:
            is_over.set()
    looking.result()
