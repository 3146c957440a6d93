"""Whether messages are still what a model was made for: the measures, and a verdict on each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import chi2_contingency, ks_2samp, kstwobign

from models.manifest import Thresholds
from models.params import DriftLimits, DriftParams
from pipelines.reference import DIGITS, FIGURES, Figure, Reference

Verdict = Literal["too few", "ok", "notice", "alarm"]

#: From harmless to worst.
VERDICTS: tuple[Verdict, ...] = ("too few", "ok", "notice", "alarm")

ACTIONS = ("allow", "review", "block")

# Parts of equal size of the reference, which the index compares.
_PARTS = 10


@dataclass(frozen=True)
class Check:
    """One measure of one figure.

    Attributes
    ----------
    figure : str
        One of ``FIGURES``, or ``action``.
    measure : str
        ``psi`` or ``ks``.
    value : float
    p_value : float
        How often chance alone makes so large a difference between as many messages.
    verdict : Verdict
    """

    figure: str
    measure: Literal["psi", "ks"]
    value: float
    p_value: float
    verdict: Verdict


def run_checks(
    reference: Reference,
    columns: Mapping[Figure, np.ndarray],
    thresholds: Thresholds,
    params: DriftParams,
) -> list[Check]:
    """Return every check of a log's messages against a reference.

    Parameters
    ----------
    reference : Reference
    columns : dict of figure to ndarray of float, shape (n_messages,)
    thresholds : Thresholds
        By which the actions of both are told: the operator may have changed them.

    Returns
    -------
    list of Check
        An alarm is both larger than its limit and no work of chance; with few messages on either
        side all verdicts are ``too few``.
    """
    rows = len(columns["score"])
    enough = rows >= params.min_rows and reference.rows >= params.min_reference

    def judge(figure: str, measure: Literal["psi", "ks"], value: float, p_value: float) -> Check:
        limits: DriftLimits = getattr(params, measure)
        verdict: Verdict = "ok"
        if not enough:
            verdict = "too few"
        elif p_value < params.significance and value >= limits.notice:
            verdict = "alarm" if value >= limits.alarm else "notice"
        return Check(figure, measure, value, p_value, verdict)

    checks = []
    for figure in FIGURES:
        points, values = np.array(reference.points[figure]), columns[figure].round(DIGITS)
        shares = _shares_by_parts(points, points), _shares_by_parts(points, values)
        checks.append(judge(figure, "psi", *_psi(*shares, reference.rows, rows)))
        checks.append(judge(figure, "ks", *_ks(points, values, reference.rows)))
    actions = (
        action_shares(np.array(reference.points["score"]), thresholds),
        action_shares(columns["score"], thresholds),
    )
    checks.append(judge("action", "psi", *_psi(*actions, reference.rows, rows)))
    return checks


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the worst of ``verdicts``."""
    return max(verdicts, key=VERDICTS.index, default="too few")


def action_shares(scores: np.ndarray, thresholds: Thresholds) -> np.ndarray:
    """Return the shares of ``ACTIONS`` at these thresholds, shape (3,)."""
    edges = [thresholds.review, thresholds.block]
    counts = np.bincount(np.searchsorted(edges, scores, side="right"), minlength=3)
    shares: np.ndarray = counts / len(scores)
    return shares


def _shares_by_parts(points: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the shares of ``values`` that lie in parts of ``points`` of about equal size."""
    quantiles = np.quantile(points, np.arange(1, _PARTS) / _PARTS, method="inverted_cdf")
    edges = np.unique(quantiles)  # many rows of the same value are one part, not several
    counts = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)
    shares: np.ndarray = counts / len(values)
    return shares


def _psi(
    expected: np.ndarray, found: np.ndarray, expected_rows: int, rows: int
) -> tuple[float, float]:
    """Return the population stability index, and how often chance makes the parts so unequal.

    The index is Kullback and Leibler's divergence both ways; half a row more in every part keeps
    it finite. Its significance is Pearson's of the two rows of counts.
    """
    counts = np.array([expected * expected_rows, found * rows])
    counts = counts[:, counts.sum(axis=0) > 0]
    if counts.shape[1] < 2:
        return 0.0, 1.0
    smoothed = counts + 0.5
    first, second = smoothed / smoothed.sum(axis=1, keepdims=True)
    value = float(np.sum((second - first) * np.log(second / first)))
    return value, float(chi2_contingency(counts, correction=False).pvalue)


def _ks(points: np.ndarray, values: np.ndarray, expected_rows: int) -> tuple[float, float]:
    """Return Kolmogorov and Smirnov's statistic, and its asymptotic significance.

    ``points`` stand for ``expected_rows`` rows.
    """
    value = float(ks_2samp(points, values, method="asymp").statistic)
    rows = len(values)
    scale = np.sqrt(expected_rows * rows / (expected_rows + rows))
    return value, float(kstwobign.sf(value * scale))
