"""Figures over rows with their bootstrap intervals, and as the numbers of a metrics file."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.metrics import Figure
from models.params import EvaluateParams

Rows = NDArray[np.float64]

#: From rows resampled, shape (n_resamples, n_rows, ...), to one number each.
Statistic = Callable[[Rows], Rows]


def bootstrap(
    rows: Rows,
    statistic: Statistic,
    params: EvaluateParams,
    groups: Sequence[NDArray[np.int64]] | None = None,
) -> Figure:
    """Return ``statistic`` of ``rows`` with its 95 % percentile interval.

    Parameters
    ----------
    rows : ndarray of float, shape (n_rows, ...)
    statistic : callable
        NaN where a resample cannot tell.
    groups : sequence of ndarray of int, optional
        Row numbers of each group; each is resampled within itself. All rows are one by default.
    """
    random = np.random.default_rng(params.seed)
    picks = np.zeros((params.bootstrap, len(rows)), dtype=np.int64)
    for group in groups or [np.arange(len(rows))]:
        picks[:, group] = random.choice(group, size=(params.bootstrap, len(group)))
    low, high = np.nanpercentile(statistic(rows[picks]), [2.5, 97.5])
    return Figure(float(statistic(rows[None])[0]), float(low), float(high))


def plain(figures: Mapping[str, Figure]) -> dict[str, Any]:
    """Return the figures as plain numbers, rounded to what the intervals can bear."""
    return {
        name: {part: round(value, 6) for part, value in dataclasses.asdict(figure).items()}
        for name, figure in figures.items()
    }
