"""What the tables of the quality benchmark are made of: models, lines, figures with intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.pipeline import Pipeline

from models.bundle import Bundle
from models.manifest import Thresholds
from models.metrics import Figure, binary_metrics
from models.params import EvaluateParams
from models.scoring import score_texts

Scores = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    what: str
    rows: int
    figure: str
    reach: str = ""


@dataclass(frozen=True)
class Models:
    """The two packaged models, asked as the service asks them."""

    spam: Bundle[Pipeline]
    toxicity: Bundle[Pipeline]

    @cached_property
    def review(self) -> float:
        """Where review of toxicity begins."""
        return thresholds_of(self.toxicity).review

    def toxic(self, texts: Sequence[str]) -> Scores:
        """Return the main toxicity score of each text."""
        return score_texts(self.toxicity.model, texts)[:, 0]

    def flagged(self, texts: Sequence[str]) -> Flags:
        """Return which texts the toxicity model sends to review."""
        flags: Flags = self.toxic(texts) >= self.review
        return flags

    def spammy(self, texts: Sequence[str]) -> Flags:
        """Return which texts the spam model sends to review."""
        flags: Flags = score_texts(self.spam.model, texts)[:, 0] >= thresholds_of(self.spam).review
        return flags


def thresholds_of(bundle: Bundle[Pipeline]) -> Thresholds:
    """Return the thresholds of a text model."""
    assert bundle.manifest.thresholds is not None
    return bundle.manifest.thresholds


def shown(figure: Figure) -> str:
    """Return a figure with its interval, such as ``0.961 [0.950, 0.970]``."""
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"


def share(flags: Flags) -> Figure:
    """Return the share of rows that are flagged, with its Wilson interval."""
    hits, rows = int(flags.sum()), len(flags)
    interval = binomtest(hits, rows).proportion_ci(method="wilson")
    return Figure(hits / rows, float(interval.low), float(interval.high))


def figures(
    labels: NDArray[np.int_], scores: Scores, threshold: float, params: EvaluateParams
) -> dict[str, Figure]:
    """Return every figure of a binary score, with bootstrap intervals."""
    return binary_metrics(labels, scores, threshold, resamples=params.bootstrap, seed=params.seed)


def resampled(
    rows: int, statistic: Callable[[NDArray[np.int_]], float], params: EvaluateParams
) -> Figure:
    """Return ``statistic`` of the numbers of all rows, with its bootstrap interval."""
    random = np.random.default_rng(params.seed)
    draws = [statistic(random.integers(0, rows, rows)) for _ in range(params.bootstrap)]
    low, high = np.nanpercentile(draws, [2.5, 97.5])
    return Figure(statistic(np.arange(rows)), float(low), float(high))
