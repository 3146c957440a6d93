"""The toxicity model: Logistic Regression over TF-IDF, one head for toxic and one per category.

A head of its own reads the passages of a long message. The main score is a mean of what the whole
message and its worst passage say; a passage that is bad enough by itself lifts the message over the
level at which review begins, however much clean text stands around it.
"""

from typing import Any, Self

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from models.params import LogisticParams

#: The kinds of toxicity that have a head of their own.
CATEGORIES = ("insult", "threat", "obscene", "identity_attack")

#: Part of the whole message in the mean, and how slowly a lifted score goes on to rise.
WHOLE_SHARE, LIFTED_SLOPE = 0.7, 0.1

# No logit is as high.
_NEVER = 1e6


class ToxicityHeads(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Independent logistic regressions over the same features, each on the rows it has labels for.

    Parameters
    ----------
    C : float
        Inverse strength of the L2 penalty.
    class_weight : {"balanced", None}
    heads : sequence of str
        Names of the heads; the first is the main one.

    Attributes
    ----------
    coef_ : ndarray of float64, shape (n_heads, n_terms)
    intercept_ : ndarray of float64, shape (n_heads,)
    passage_coef_ : ndarray of float64, shape (n_terms,)
    passage_intercept_ : float
        Of the head that reads passages; the main head's until it is fitted.
    level_, lifted_ : float
        The logit from which on a passage is bad enough by itself, and to which it lifts; none is
        until validation rows have told (``pipelines.training.calibrate``).
    classes_ : ndarray of int, shape (2,)
        0 and 1, of the main head.
    """

    def __init__(
        self,
        C: float = 1.0,
        class_weight: str | None = None,
        heads: tuple[str, ...] = ("toxic", *CATEGORIES),
    ) -> None:
        self.C = C
        self.class_weight = class_weight
        self.heads = heads

    def fit(
        self,
        features: csr_matrix,
        labels: np.ndarray,
        sample_weight: np.ndarray | None = None,
        silent: np.ndarray | None = None,
    ) -> Self:
        """Fit every head.

        Parameters
        ----------
        features : csr_matrix, shape (n_messages, n_terms)
        labels : ndarray of float, shape (n_messages, n_heads)
            1, 0, or NaN where the label is unknown.
        sample_weight : ndarray of float, shape (n_messages,), optional
        silent : ndarray of int, optional
            Columns that the main score may not use: they weigh nothing there.

        Raises
        ------
        ValueError
            If a head has rows of one class only.
        """
        weights = np.ones(len(labels)) if sample_weight is None else np.asarray(sample_weight)
        coefficients, intercepts = [], []
        for column, head in enumerate(self.heads):
            known = ~np.isnan(labels[:, column]) & (weights > 0)
            target = labels[known, column].astype(int)
            if len(np.unique(target)) < 2:
                raise ValueError(
                    f"head {head!r} has {len(target)} labelled rows, all of one class: "
                    "it cannot be learnt; check the label maps and the split report"
                )
            regression = self._regression()
            seen = without(features[known], silent) if column == 0 else features[known]
            regression.fit(seen, target, sample_weight=weights[known])
            coefficients.append(regression.coef_[0])
            intercepts.append(regression.intercept_[0])
        self.coef_ = np.vstack(coefficients)
        self.intercept_ = np.array(intercepts)
        self.passage_coef_ = self.coef_[0].copy()
        self.passage_intercept_ = float(self.intercept_[0])
        self.level_, self.lifted_ = _NEVER, 0.0
        self.classes_ = np.array([0, 1])
        return self

    def fit_passages(
        self,
        features: csr_matrix,
        labels: np.ndarray,
        sample_weight: np.ndarray,
        silent: np.ndarray | None = None,
    ) -> Self:
        """Fit the head that reads passages.

        Parameters
        ----------
        features : csr_matrix, shape (n_passages, n_terms)
        labels : ndarray of int, shape (n_passages,)
        sample_weight : ndarray of float, shape (n_passages,)
        silent : ndarray of int, optional
            As of :meth:`fit`.
        """
        regression = self._regression()
        regression.fit(without(features, silent), labels, sample_weight=sample_weight)
        self.passage_coef_ = regression.coef_[0].copy()
        self.passage_intercept_ = float(regression.intercept_[0])
        return self

    def passage_logits(self, features: csr_matrix) -> np.ndarray:
        """Return what the passages' head says of each row, shape (n_passages,)."""
        logits: np.ndarray = np.asarray(features @ self.passage_coef_) + self.passage_intercept_
        return logits

    def worst_passages(self, features: csr_matrix, messages: int, owners: np.ndarray) -> np.ndarray:
        """Return the logit of the worst passage of each message, which is short ones' whole.

        Parameters as of :meth:`pooled`.
        """
        of_passages = self.passage_logits(features)
        worst = of_passages[:messages].copy()
        worst[owners] = -np.inf
        np.maximum.at(worst, owners, of_passages[messages:])
        return worst

    def pooled(self, features: csr_matrix, messages: int, owners: np.ndarray) -> np.ndarray:
        """Return the logits of all heads, shape (n_messages, n_heads).

        Parameters
        ----------
        features : csr_matrix, shape (n_messages + n_passages, n_terms)
            The whole messages, then the passages of the long ones.
        messages : int
        owners : ndarray of int, shape (n_passages,)
            The message each passage is of.
        """
        logits = self.decision_function(features[:messages])
        worst = self.worst_passages(features, messages, owners)
        logits[:, 0] = self._main(logits[:, 0], worst)
        return logits

    def explained(self, features: csr_matrix) -> tuple[int, tuple[float, float], float]:
        """Return what the main logit of one message is made of.

        Parameters
        ----------
        features : csr_matrix, shape (1 + n_passages, n_terms)

        Returns
        -------
        worst : int
            The row of the passage that counts; 0, the message, where it has none.
        factors : tuple of float
            Of the main head's weights on the message, and of the passages' head on the passage.
        intercept : float
        """
        whole = float(self.decision_function(features[:1])[0, 0])
        of_passages = self.passage_logits(features)
        worst = 1 + int(np.argmax(of_passages[1:])) if len(of_passages) > 1 else 0
        mean = WHOLE_SHARE * whole + (1 - WHOLE_SHARE) * of_passages[worst]
        if self._main(np.array([whole]), of_passages[[worst]])[0] == mean:
            intercept = (
                WHOLE_SHARE * self.intercept_[0] + (1 - WHOLE_SHARE) * self.passage_intercept_
            )
            return worst, (WHOLE_SHARE, 1 - WHOLE_SHARE), float(intercept)
        intercept = self.lifted_ + LIFTED_SLOPE * (self.passage_intercept_ - self.level_)
        return worst, (0.0, LIFTED_SLOPE), float(intercept)

    def rescale(self, head: int, slope: float, intercept: float) -> None:
        """Make a head's logit ``slope`` times what it was, plus ``intercept``."""
        self.coef_[head] *= slope
        self.intercept_[head] = slope * self.intercept_[head] + intercept
        if head == 0:
            self.passage_coef_ *= slope
            self.passage_intercept_ = slope * self.passage_intercept_ + intercept
            self.level_ = slope * self.level_ + intercept
            self.lifted_ = slope * self.lifted_ + intercept

    def _main(self, whole: np.ndarray, worst: np.ndarray) -> np.ndarray:
        mean = WHOLE_SHARE * whole + (1 - WHOLE_SHARE) * worst
        lifted = self.lifted_ + LIFTED_SLOPE * (worst - self.level_)
        main: np.ndarray = np.where(worst > self.level_, np.maximum(mean, lifted), mean)
        return main

    def _regression(self) -> LogisticRegression:
        return LogisticRegression(
            C=self.C,
            class_weight=self.class_weight,
            solver="liblinear",
            dual=True,
            random_state=0,
            max_iter=5000,
            tol=1e-4,
        )

    def decision_function(self, features: csr_matrix) -> np.ndarray:
        """Return the logits, shape (n_messages, n_heads)."""
        logits: np.ndarray = np.asarray(features @ self.coef_.T) + self.intercept_
        return logits

    def predict_heads(self, features: csr_matrix) -> np.ndarray:
        """Return every head's probability, shape (n_messages, n_heads)."""
        probabilities: np.ndarray = expit(self.decision_function(features))
        return probabilities

    def predict_proba(self, features: csr_matrix) -> np.ndarray:
        """Return the main head's probabilities of clean and toxic, shape (n_messages, 2)."""
        toxic = self.predict_heads(features)[:, 0]
        return np.column_stack([1.0 - toxic, toxic])

    def predict(self, features: csr_matrix) -> np.ndarray:
        """Return 1 where toxic is more likely than not; verdicts use thresholds instead."""
        return (self.predict_proba(features)[:, 1] >= 0.5).astype(int)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def without(features: csr_matrix, columns: np.ndarray | None) -> csr_matrix:
    """Return ``features`` with nothing in ``columns``, so that a model learns no weight there."""
    if columns is None:
        return features
    kept = np.ones(features.shape[1])
    kept[columns] = 0.0
    return csr_matrix(features.multiply(kept[None, :]))


def build_classifier(params: LogisticParams) -> ToxicityHeads:
    """Return the unfitted classifier."""
    weight = None if params.class_weight == "none" else params.class_weight
    return ToxicityHeads(C=params.C, class_weight=weight)
