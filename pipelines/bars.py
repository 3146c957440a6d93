"""Bars of figures with their intervals, several side by side, as PNG with fixed bytes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

Figures = Sequence[Mapping[str, float]]


def write_bars(
    path: Path, title: str, measure: str, names: Sequence[str], series: Mapping[str, Figures]
) -> None:
    """Write one group of bars for each of ``names``, from top to bottom.

    Parameters
    ----------
    measure : str
        What the bars measure, in [0, 1].
    series : dict of str to sequence of dict
        Name of a model to its figures, with value, low and high, one for each of ``names``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    thickness = 0.8 / len(series)
    figure, axes = plt.subplots(
        figsize=(8, 1.5 + 0.15 * len(names) * (1 + len(series))), layout="constrained"
    )
    places = np.arange(len(names), dtype=float)
    for number, (name, figures) in enumerate(series.items()):
        values = np.array([each["value"] for each in figures])
        # The interval of a skewed figure may lie beside it.
        ends = [
            [each["value"] - each["low"] for each in figures],
            [each["high"] - each["value"] for each in figures],
        ]
        axes.barh(
            places + (number - (len(series) - 1) / 2) * thickness,
            values,
            height=thickness,
            xerr=np.maximum(ends, 0.0),
            error_kw={"elinewidth": 0.8},
            label=name,
        )
    axes.set(yticks=places, yticklabels=names, xlim=(0.0, 1.0), xlabel=measure, title=title)
    axes.set_ylim(len(names) - 0.5, -0.5)
    figure.legend(loc="outside lower center", ncols=len(series))
    # Without its "Software" entry the file depends on the picture alone.
    figure.savefig(path, dpi=100, metadata={"Software": None})
    plt.close(figure)
