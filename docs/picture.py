"""Draw the picture of the README: the plan of a real call, as text in an SVG.

Run ``python docs/picture.py`` after the table of a plan changes; needs rich.
"""

from pathlib import Path

import dask.array as da
from rich.console import Console
from rich.text import Text

from sklearn_dask_auto import AutoScaleKMeans, config_context

CODE = """\
>>> X = da.random.normal(size=(10_000_000, 20), chunks=(20_000, 20))
>>> print(AutoScaleKMeans(n_clusters=8).explain(X))
"""


def main() -> None:
    """Write the picture beside this file."""
    X = da.random.default_rng(0).normal(size=(10_000_000, 20), chunks=(20_000, 20))
    with config_context(memory_budget="4GB"):
        plan = AutoScaleKMeans(n_clusters=8).explain(X)
    console = Console(record=True, width=112)
    console.print(Text(CODE, style="bold"), end="")
    for line in str(plan).splitlines():
        is_chosen = line.startswith("->")
        console.print(Text(line, style="green" if is_chosen else ""), soft_wrap=True)
    svg = console.export_svg(title="who does the work, and why not the others")
    Path(__file__).with_name("_static").joinpath("deciding.svg").write_text(svg)


if __name__ == "__main__":
    main()
