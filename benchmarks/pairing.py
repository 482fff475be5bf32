"""Time callables in turn, A B C A B C ..., so that a drifting machine hits all."""

import statistics
import time
from collections.abc import Callable


def timed_in_turn(
    calls: dict[str, Callable[[], object]], repeats: int
) -> dict[str, list[float]]:
    """Run each callable once untimed, then all in turn `repeats` times."""
    for call in calls.values():
        call()
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - started)
    return seconds


def print_table(title: str, seconds: dict[str, list[float]], against: str) -> None:
    """Print median, spread, and the median of the paired ratios."""
    print(f"\n{title}")
    print(f"  {'':<28}{'median s':>10}{'min':>10}{'max':>10}{'ratio':>8}")
    for name, runs in seconds.items():
        ratio = statistics.median(
            r / b for r, b in zip(runs, seconds[against], strict=True)
        )
        print(
            f"  {name:<28}{statistics.median(runs):>10.4g}{min(runs):>10.4g}"
            f"{max(runs):>10.4g}{ratio:>8.2f}"
        )
