"""Quality of a binary score, each figure with its bootstrap interval.

All figures come from cumulative sums over the rows sorted by score, so that a resample costs one
pass over the rows instead of a sort.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

#: Equal-width bins of the expected calibration error.
ECE_BINS = 15

# Rows times resamples held in memory at once, in array elements.
_CHUNK_ELEMENTS = 4_000_000


@dataclass(frozen=True)
class Figure:
    """A metric with the bounds of its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


def binary_metrics(
    labels: np.ndarray, scores: np.ndarray, threshold: float, *, resamples: int, seed: int
) -> dict[str, Figure]:
    """Return the figures that ``labels`` allow, with percentile bootstrap intervals.

    With both classes present: auc, average_precision, f1, mcc, precision, recall,
    false_positive_rate, brier, ece and flagged; with one class alone only brier, ece and flagged
    are defined.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,)
        1 for positive.
    scores : ndarray of float, shape (n_rows,)
        Probabilities of the positive class.
    threshold : float
        Rows at or above it count as flagged.
    resamples : int
        Bootstrap resamples of the rows.
    seed : int

    References
    ----------
    Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13 (percentile
    interval). Naeini et al. 2015 (ECE).
    """
    order = np.argsort(scores, kind="stable")
    scores, labels = scores[order].astype(float), labels[order].astype(float)
    point = _figures(labels, scores, threshold, np.ones((1, len(labels))))
    draws: dict[str, list[np.ndarray]] = {name: [] for name in point}
    for weights in _resample_weights(len(labels), resamples, seed):
        for name, values in _figures(labels, scores, threshold, weights).items():
            draws[name].append(values)
    both = 0 < labels.sum() < len(labels)
    single_class = ("brier", "ece", "flagged")
    return {
        name: _interval(float(point[name][0]), np.concatenate(draws[name]))
        for name in point
        if both or name in single_class
    }


def ranking_metrics(
    labels: np.ndarray, scores: np.ndarray, *, resamples: int, seed: int
) -> dict[str, Figure]:
    """Return auc, average_precision, brier and ece: the figures that need no threshold."""
    figures = binary_metrics(labels, scores, 2.0, resamples=resamples, seed=seed)
    wanted = ("auc", "average_precision", "brier", "ece")
    return {name: figures[name] for name in wanted if name in figures}


def _interval(value: float, draws: np.ndarray) -> Figure:
    low, high = np.nanpercentile(draws, [2.5, 97.5])
    return Figure(value, float(low), float(high))


def _resample_weights(rows: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yield how often each row is drawn, shape (chunk, rows), until there are ``resamples``."""
    random = np.random.default_rng(seed)
    chunk = max(1, _CHUNK_ELEMENTS // rows)
    for done in range(0, resamples, chunk):
        size = min(chunk, resamples - done)
        picks = random.integers(0, rows, size=(size, rows))
        picks += np.arange(size)[:, None] * rows
        counts = np.bincount(picks.ravel(), minlength=size * rows)
        yield counts.reshape(size, rows).astype(float)


def _figures(
    labels: np.ndarray, scores: np.ndarray, threshold: float, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """Return every figure for every row of ``weights``; NaN where it is undefined.

    Parameters
    ----------
    labels, scores : ndarray of float, shape (n_rows,), sorted by score
    weights : ndarray of float, shape (n_resamples, n_rows)
    """
    positive = weights * labels
    total = weights.sum(axis=1)
    positives = positive.sum(axis=1)
    negatives = total - positives

    # Rows of one score are one step of the curves.
    steps = np.flatnonzero(np.r_[True, np.diff(scores) > 0])
    positive_step = np.add.reduceat(positive, steps, axis=1)
    negative_step = np.add.reduceat(weights, steps, axis=1) - positive_step
    negative_below = np.cumsum(negative_step, axis=1) - negative_step
    wins = (positive_step * (negative_below + negative_step / 2)).sum(axis=1)

    positive_above = np.cumsum(positive_step[:, ::-1], axis=1)[:, ::-1]
    all_above = positive_above + np.cumsum(negative_step[:, ::-1], axis=1)[:, ::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        precision_at = np.where(all_above > 0, positive_above / all_above, 0.0)
        cut = int(np.searchsorted(scores, threshold, side="left"))
        tp = positive[:, cut:].sum(axis=1)
        fp = weights[:, cut:].sum(axis=1) - tp
        fn = positives - tp
        tn = negatives - fp
        denominator = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
        # A resample may lack a class; what says how well classes are told apart is undefined there.
        both = np.where((positives > 0) & (negatives > 0), 1.0, np.nan)
        return {
            "auc": wins / (positives * negatives),
            "average_precision": (positive_step * precision_at).sum(axis=1) / positives,
            "f1": both * (2 * tp / (2 * tp + fp + fn)),
            "mcc": both * np.where(denominator > 0, (tp * tn - fp * fn) / denominator, 0.0),
            "precision": both * np.where(tp + fp > 0, tp / (tp + fp), 0.0),
            "recall": tp / positives,
            "false_positive_rate": fp / negatives,
            "brier": (weights * (scores - labels) ** 2).sum(axis=1) / total,
            "ece": _calibration_error(labels, scores, weights),
            "flagged": (tp + fp) / total,
        }


def _calibration_error(labels: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    bins = np.minimum((scores * ECE_BINS).astype(int), ECE_BINS - 1)
    starts = np.flatnonzero(np.r_[True, np.diff(bins) > 0])
    gaps = np.add.reduceat(weights * (scores - labels), starts, axis=1)
    error: np.ndarray = np.abs(gaps).sum(axis=1) / weights.sum(axis=1)
    return error
