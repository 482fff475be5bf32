"""The commands: ``python -m sklearn_dask_auto demo`` and ``… doctor``."""

import argparse
import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : sequence of str, default=None
        What follows the name of the program; None for this process's own.

    Returns
    -------
    status : int
        0 when all is fine.
    """
    options = _parser().parse_args(arguments)
    status: int = options.command(options)
    return status


def _demo(options: argparse.Namespace) -> int:
    from sklearn_dask_auto import demo

    return demo.run(options.size, options.cluster)


def _doctor(options: argparse.Namespace) -> int:
    from sklearn_dask_auto import doctor

    n_problems = 0
    for finding in doctor.examine(options.scheduler):
        print(finding, flush=True)
        n_problems += finding.is_problem
    print("\nAll is fine." if n_problems == 0 else f"\nProblems: {n_problems}.")
    return 1 if n_problems else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sklearn_dask_auto",
        description="Scikit-learn estimators that scale by themselves.",
    )
    commands = parser.add_subparsers(title="commands", required=True)
    _add_demo(commands)
    _add_doctor(commands)
    return parser


def _add_demo(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    demo = commands.add_parser(
        "demo",
        help="run the Dask-ML tutorial beside this library, with plans and times",
        description=(
            "Run the three parts of the Dask-ML tutorial: a grid search in memory, a "
            "larger one on a local Dask cluster, and KMeans on a dask array of 500 "
            "blocks. Each part makes the tutorial's call and this library's, shows the "
            "plan, both wall times, and whether the answers agree."
        ),
    )
    demo.add_argument(
        "--size",
        choices=("small", "tutorial"),
        default="small",
        help="rows for KMeans: small has 500,000; tutorial has 10,000,000 and needs "
        "4 GB of free memory; either takes about a minute (default: small)",
    )
    demo.add_argument(
        "--cluster",
        type=_count,
        default=2,
        metavar="N",
        help="worker processes of the local Dask cluster (default: 2)",
    )
    demo.set_defaults(command=_demo)


def _add_doctor(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    doctor = commands.add_parser(
        "doctor",
        help="look at versions, machines, engines and compiled code",
        description=(
            "Say which versions, machines and engines there are, and try the compiled "
            "code on a tiny fit. The exit status is 0 when all is fine and 1 when "
            "something is broken; lines that begin with PROBLEM say what."
        ),
    )
    doctor.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="connect to this Dask scheduler, such as tcp://host:8786, and look at "
        "its workers too (default: no cluster)",
    )
    doctor.set_defaults(command=_doctor)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {number}")
    return number


if __name__ == "__main__":
    sys.exit(main())
