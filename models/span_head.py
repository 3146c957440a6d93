"""The head that says which words of a message to show: linear, over the n-grams of each word alone.

It learns from words that people marked. What a word adds to the score is the main head's to say.
"""

from typing import Self

import numpy as np
from scipy.sparse import csr_matrix, vstack
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from models.spans import SpanRule


class SpanHead(BaseEstimator):  # type: ignore[misc]
    """Tells the words that people would mark from the rest.

    Parameters
    ----------
    C : float
        Inverse strength of the L2 penalty.
    least, gap : float
        See :class:`models.spans.SpanRule`.

    Attributes
    ----------
    coef_ : ndarray of float64, shape (n_terms,)
    intercept_ : float
    """

    def __init__(self, C: float = 1.0, least: float = 0.0, gap: float = 1.0) -> None:
        self.C = C
        self.least = least
        self.gap = gap

    def fit(self, features: csr_matrix, marked: np.ndarray, seen: np.ndarray) -> Self:
        """Learn from how often each word was marked.

        Parameters
        ----------
        features : csr_matrix, shape (n_words, n_terms)
            One row for each word, vectorised alone.
        marked, seen : ndarray of int, shape (n_words,)
            In how many places it was marked, of how many where it stands.
        """
        once, not_always = marked > 0, marked < seen
        regression = LogisticRegression(C=self.C, solver="liblinear", tol=1e-3, max_iter=1000)
        regression.fit(
            vstack([features[once], features[not_always]]).tocsr(),
            np.repeat([1, 0], [once.sum(), not_always.sum()]),
            sample_weight=np.concatenate([marked[once], (seen - marked)[not_always]]).astype(float),
        )
        self.coef_ = regression.coef_[0]
        self.intercept_ = float(regression.intercept_[0])
        return self

    @property
    def rule(self) -> SpanRule:
        """Which words are shown, by their log-odds."""
        return SpanRule(self.least, self.gap)

    def decision_function(self, features: csr_matrix) -> np.ndarray:
        """Return the log-odds of each word, shape (n_words,)."""
        odds: np.ndarray = features @ self.coef_ + self.intercept_
        return odds
