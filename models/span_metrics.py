"""How well marked spans agree with those that people marked, strictly and in part.

All counts are over places, pairs of first and one after the last code point. A place counts once
in its text, whatever its labels: to score one label, give the spans of that label alone; to score
several together, give the spans of all of them, and labels do not matter.

Strict
    A found span is right if a gold span begins and ends where it does.
Partial
    A found span is right if it shares a code point with some gold span, and a gold span is found
    if it shares one with some found span. Precision counts found spans, recall gold ones, so one
    found span may find several gold ones and the reverse. Spans of one side may nest or overlap:
    each counts on its own. One span over a whole text would have the best partial figures and the
    worst strict ones; read the two together.
"""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from models.metrics import Figure

Place = tuple[int, int]

#: What is counted of a text: gold and found spans; those that are both; found ones that share a
#: code point with a gold one, and gold ones that share one with a found one.
COUNTS = ("gold", "found", "same", "touching", "touched")


@dataclass(frozen=True)
class SpanScores:
    """Shares in [0, 1]; 0 where nothing was found or nothing was there."""

    strict_precision: float
    strict_recall: float
    strict_f1: float
    partial_precision: float
    partial_recall: float
    partial_f1: float


def span_counts(
    gold: Sequence[Collection[Place]], found: Sequence[Collection[Place]]
) -> np.ndarray:
    """Return the ``COUNTS`` of each text, shape (n_texts, 5)."""
    rows = [
        (
            len(right),
            len(marked),
            len(right & marked),
            _touching(marked, right),
            _touching(right, marked),
        )
        for right, marked in zip(map(set, gold), map(set, found), strict=True)
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, 5)


def span_scores(
    gold: Sequence[Collection[Place]], found: Sequence[Collection[Place]]
) -> SpanScores:
    """Return the scores over all texts.

    Parameters
    ----------
    gold, found : sequence of collection of (int, int), one for each text
    """
    return SpanScores(
        **{name: float(value[0]) for name, value in _shares(span_counts(gold, found)[None]).items()}
    )


def span_figures(
    gold: Sequence[Collection[Place]],
    found: Sequence[Collection[Place]],
    *,
    resamples: int,
    seed: int,
) -> dict[str, Figure]:
    """Return the scores by name with percentile bootstrap intervals over the texts.

    Parameters
    ----------
    gold, found : sequence of collection of (int, int), one for each text
    resamples : int
        Bootstrap resamples of the texts.
    seed : int
    """
    counts = span_counts(gold, found)
    random = np.random.default_rng(seed)
    drawn = counts[random.integers(0, len(counts), size=(resamples, len(counts)))]
    draws = _shares(drawn)
    return {
        name: Figure(value, *map(float, np.percentile(draws[name], [2.5, 97.5])))
        for name, value in asdict(span_scores(gold, found)).items()
    }


def _touching(places: Collection[Place], others: Collection[Place]) -> int:
    """Return how many of ``places`` share a code point with one of ``others``."""
    ordered = sorted(others)
    starts = [start for start, _ in ordered]
    reach = np.maximum.accumulate([0, *(end for _, end in ordered)])
    # Of the spans that begin before a place ends, one must end after it begins.
    return sum(bool(reach[bisect_left(starts, end)] > start) for start, end in places)


def _shares(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Return the scores of texts whose counts have the shape (n_resamples, n_texts, 5)."""
    gold, found, same, touching, touched = np.moveaxis(counts.sum(axis=1), -1, 0)
    pairs: Mapping[str, tuple[np.ndarray, np.ndarray]] = {
        "strict": (_share(same, found), _share(same, gold)),
        "partial": (_share(touching, found), _share(touched, gold)),
    }
    return {
        f"{kind}_{name}": values
        for kind, (precision, recall) in pairs.items()
        for name, values in (
            ("precision", precision),
            ("recall", recall),
            ("f1", _share(2 * precision * recall, precision + recall)),
        )
    }


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0))
