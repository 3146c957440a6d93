"""The rows that the gate gives to both models, and what one model answered to them."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import CareerlensError
from models.gates import Slice
from models.paired import Statistic


class EvidenceError(CareerlensError):
    """The rows to compare models on are not there, or cannot tell them apart."""


@dataclass(frozen=True, eq=False)
class Given:
    """The units that both models answer.

    Attributes
    ----------
    digest : str
        Of all that was given.
    texts : sequence of str, length n_units
    wanted : sequence of str, length n_units
        The right answer to each, for people to read.
    notes : tuple of str
        Where the rows are from, and what was left out.
    strata : sequence of ndarray of int
        Unit numbers of each stratum.
    """

    digest: str
    texts: Sequence[str]
    wanted: Sequence[str]
    notes: tuple[str, ...]
    strata: Sequence[NDArray[np.int_]] = ()


@dataclass(frozen=True, eq=False)
class Answered:
    """What one model answered.

    Attributes
    ----------
    metrics : dict
        As in metrics.json; ``headline`` with intervals, ``test_digest`` of what was given.
    figures : dict of str to float
        What floors are held against, by the names of :func:`models.gates.flatten_metrics`.
    metric, main, quality, slices, ece
        As in :class:`models.gates.Evidence`.
    said : sequence of str, length n_units
        The answer to each unit, for people to read.
    answer : callable
        What the service does for one text.
    scores : ndarray of float, shape (n_units,)
        What plots show.
    """

    metrics: Mapping[str, Any]
    figures: Mapping[str, float]
    metric: str
    main: Statistic
    quality: NDArray[np.float64]
    slices: Mapping[str, Slice]
    said: Sequence[str]
    answer: Callable[[str], object]
    scores: NDArray[np.float64]
    ece: float | None = None


def require(path: Path) -> Path:
    """Return ``path`` if there is a file.

    Raises
    ------
    EvidenceError
        If there is none.
    """
    if not path.is_file():
        raise EvidenceError(
            f"{path} is not here, so there are no rows to compare versions on: run `dvc repro`, "
            "or `dvc pull`"
        )
    return path


def grouped(names: Iterable[str]) -> Iterator[tuple[str, NDArray[np.int_]]]:
    """Yield each name, in order, with the numbers of the rows that have it."""
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    for name in sorted(rows):
        yield name, np.array(rows[name])


def digest_of(lines: Iterable[str]) -> str:
    """Return the sha256 of ``lines``."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode("utf-8") + b"\n")
    return digest.hexdigest()
