"""By how much one model is better than another on the same units, and whether that is chance.

A unit is what is drawn as a whole: a message, a job posting with its sentences, a resume. A
statistic is a figure as a function of how often each unit is drawn, so that a resample costs no
second scoring and both models see the same one.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

from models.metrics import Figure

Floats = NDArray[np.float64]

#: From how often each unit is drawn, shape (n_resamples, n_units), to one figure for each
#: resample; NaN where it is undefined.
Statistic = Callable[[Floats], Floats]

# Units times resamples in one array: such an array stays in the processor's cache.
_CHUNK_ELEMENTS = 200_000


def auc(labels: NDArray[np.int_], scores: Floats) -> Statistic:
    """Return the area under the ROC curve, ties counting half.

    Parameters
    ----------
    labels : ndarray of int, shape (n_units,)
        1 for positive.
    scores : ndarray of float, shape (n_units,)
    """
    positive, negative = (np.flatnonzero(labels == label) for label in (1, 0))
    negative = negative[np.argsort(scores[negative], kind="stable")]
    # How many negatives score less than each positive, and how many do not score more.
    sides = [
        np.searchsorted(scores[negative], scores[positive], side) for side in ("left", "right")
    ]

    def statistic(weights: Floats) -> Floats:
        positives = weights[:, positive]
        below = np.zeros((len(weights), len(negative) + 1))
        np.cumsum(weights[:, negative], axis=1, out=below[:, 1:])
        wins = sum(np.einsum("ij,ij->i", positives, below[:, side]) for side in sides) / 2
        return _ratio(wins, positives.sum(axis=1) * below[:, -1])

    return statistic


def mcc(labels: NDArray[np.int_], flagged: NDArray[np.bool_]) -> Statistic:
    """Return Matthews' correlation coefficient; 0 where everything or nothing is flagged.

    Parameters
    ----------
    labels : ndarray of int, shape (n_units,)
        1 for positive.
    flagged : ndarray of bool, shape (n_units,)
    """
    positive = labels == 1
    cells = (positive & flagged, ~positive & flagged, positive & ~flagged, ~positive & ~flagged)
    table = np.column_stack(cells).astype(float)

    def statistic(weights: Floats) -> Floats:
        tp, fp, fn, tn = (weights @ table).T
        spread = np.sqrt((tp + fp) * (fn + tn))
        classes = np.sqrt((tp + fn) * (fp + tn))
        figure = np.where(spread > 0, _ratio(tp * tn - fp * fn, spread * classes), 0.0)
        return np.where(classes > 0, figure, np.nan)

    return statistic


def f1(right: Floats, found: Floats, met: Floats, wanted: Floats) -> Statistic:
    """Return the F1 of spans over all units; 0 where nothing found is right.

    Parameters
    ----------
    right, found : ndarray of float, shape (n_units,)
        How many of the spans found are right, and how many there are.
    met, wanted : ndarray of float, shape (n_units,)
        How many of the spans wanted are found, and how many there are.
    """
    table = np.column_stack((right, found, met, wanted)).astype(float)

    def statistic(weights: Floats) -> Floats:
        counts = weights @ table
        precision = np.nan_to_num(_ratio(counts[:, 0], counts[:, 1]))
        recall = _ratio(counts[:, 2], counts[:, 3])
        figure = np.nan_to_num(_ratio(2 * precision * recall, precision + recall))
        return np.where(np.isnan(recall), np.nan, figure)

    return statistic


def ratio(parts: Floats, wholes: Floats) -> Statistic:
    """Return the sum of ``parts`` over the sum of ``wholes``, both of shape (n_units,)."""
    table = np.column_stack((parts, wholes)).astype(float)

    def statistic(weights: Floats) -> Floats:
        sums = weights @ table
        return _ratio(sums[:, 0], sums[:, 1])

    return statistic


def mean(values: Floats, strata: Sequence[NDArray[np.int_]] = ()) -> Statistic:
    """Return the mean of ``values``; with strata the mean of their means.

    Parameters
    ----------
    values : ndarray of float, shape (n_units,)
    strata : sequence of ndarray of int
        Unit numbers of each stratum, which is to be resampled within itself.
    """
    shares = np.full(len(values), 1.0 / len(values))
    for stratum in strata:
        shares[stratum] = 1.0 / (len(stratum) * len(strata))

    def statistic(weights: Floats) -> Floats:
        figure: Floats = weights @ (values * shares)
        return figure

    return statistic


def gain(
    challenger: Statistic,
    champion: Statistic,
    n_units: int,
    *,
    resamples: int,
    seed: int,
    strata: Sequence[NDArray[np.int_]] = (),
) -> Figure:
    """Return the challenger's figure less the champion's, with its paired 95 % interval.

    Parameters
    ----------
    challenger, champion : callable
        The same statistic of each model, over the same units in the same order.
    strata : sequence of ndarray of int
        Unit numbers of each stratum; each is resampled within itself. By default all are one.

    Returns
    -------
    Figure
        NaN for bounds that no resample can tell.

    References
    ----------
    Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13; Koehn 2004,
    "Statistical significance tests for machine translation evaluation" (paired resampling).
    """
    once = np.ones((1, n_units))
    draws = np.concatenate(
        [
            challenger(weights) - champion(weights)
            for weights in _resamples(n_units, resamples, seed, strata)
        ]
    )
    known = draws[np.isfinite(draws)]
    low, high = np.percentile(known, [2.5, 97.5]) if len(known) else (np.nan, np.nan)
    return Figure(float((challenger(once) - champion(once))[0]), float(low), float(high))


def chance_of_worse(better: int, worse: int) -> float:
    """Return McNemar's exact probability: how likely chance alone makes so many worse.

    Of the units that the two models answer differently, each is as likely to be better as worse
    if neither model is; this is the chance of at least ``worse`` among them (one-sided).

    References
    ----------
    McNemar 1947, "Note on the sampling error of the difference between correlated proportions".
    """
    return float(bdtrc(worse - 1, better + worse, 0.5)) if worse else 1.0


def _resamples(
    n_units: int, resamples: int, seed: int, strata: Sequence[NDArray[np.int_]]
) -> Iterator[Floats]:
    """Yield how often each unit is drawn, shape (chunk, n_units), until there are enough."""
    random = np.random.default_rng(seed)
    chunk = max(1, _CHUNK_ELEMENTS // n_units)
    for done in range(0, resamples, chunk):
        size = min(chunk, resamples - done)
        weights = np.zeros((size, n_units))
        for stratum in strata or [np.arange(n_units)]:
            picks = random.integers(0, len(stratum), size=(size, len(stratum)))
            picks += np.arange(size)[:, None] * len(stratum)
            counts = np.bincount(picks.ravel(), minlength=size * len(stratum))
            weights[:, stratum] = counts.reshape(size, len(stratum))
        yield weights


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Return the quotients, NaN where there is none."""
    quotients = np.full(np.shape(numerator), np.nan)
    np.divide(numerator, denominator, out=quotients, where=denominator > 0)
    return quotients
