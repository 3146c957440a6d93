"""What the benchmarks of speed share: fair turns, medians, a table, a plot, and the machine.

Whatever else the machine does disturbs a measurement. So each is taken several times, in turn with
what it is compared with; medians are shown, and ratios within one run count.
"""

import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import matplotlib.pyplot as plt
import psutil

#: Where plots are kept.
PLOTS = Path("artifacts/benchmarks")

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "bentoml", "uvloop", "distributed")

T = TypeVar("T")


def machine() -> str:
    """Return what was measured on, and how busy it was."""
    try:
        model = next(
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        )
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    memory = psutil.virtual_memory().total / 2**30
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {model}, {len(os.sched_getaffinity(0))} cores, "
        f"{memory:.0f} GiB, load {os.getloadavg()[0]:.1f}; {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}, {libraries}"
    )


def in_turn(measures: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Return what each measure says in so many rounds, in each of which all have their turn."""
    taken: dict[str, list[T]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            taken[name].append(measure())
    return taken


def medians(taken: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Return the median of each measure."""
    return {name: statistics.median(values) for name, values in taken.items()}


def show_table(columns: Sequence[str], rows: Sequence[Sequence[str | float]]) -> None:
    """Print a Markdown table; numbers have three digits that count."""
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for row in rows:
        print(f"| {' | '.join(_cell(value) for value in row)} |", flush=True)


def show_reach(what: str, value: float, reach: float, *, at_most: bool = False) -> bool:
    """Print and return whether a figure is what it shall be."""
    holds = value <= reach if at_most else value >= reach
    bound = "at most" if at_most else "at least"
    print(f"{'holds' if holds else 'FAILS'}  {what}: {_cell(value)}, {bound} {_cell(reach)}")
    return holds


def plot_growth(name: str, x: str, y: str, series: Mapping[str, Mapping[float, float]]) -> Path:
    """Draw how a cost grows, both axes logarithmic, and return where.

    Parameters
    ----------
    series : mapping of str to mapping of float to float
        Of each thing compared, the cost at each size.
    """
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for label, points in series.items():
        axes.loglog(list(points), list(points.values()), marker="o", label=label)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    PLOTS.mkdir(parents=True, exist_ok=True)
    path = PLOTS / f"{name}.png"
    figure.savefig(path, dpi=150)
    plt.close(figure)
    print(f"plot: {path}")
    return path


def _cell(value: str | float) -> str:
    if isinstance(value, str):
        return value
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
