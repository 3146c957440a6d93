"""The toxicity model: Logistic Regression over TF-IDF, one head for toxic and one per category."""

from typing import Any, Self

import numpy as np
from scipy.sparse import csr_matrix, diags_array
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from models.labels import TOXICITY_CATEGORIES
from models.params import ToxicityClassifierParams
from models.span_head import SpanHead

#: The kinds of toxicity that have a head of their own.
CATEGORIES = TOXICITY_CATEGORIES

# Added to each term's weight in either class, so that rare terms say less.
_SMOOTHING = 0.1


class ToxicityHeads(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Independent logistic regressions over the same features, each on the rows it has labels for.

    The main one learns from features that are scaled by how unevenly they are spread over the two
    classes, and takes the scale into its coefficients.

    Parameters
    ----------
    C, category_c : float
        Inverse strength of the L2 penalty, of the main head and of the others.
    class_weight : {"balanced", None}
    scaling : float
        The power of the class ratios that scale the features of the main head: 1 ranks messages
        best, the less of it the nearer its log-odds are to those of a probability.
    heads : sequence of str
        Names of the heads; the first is the main one.

    Attributes
    ----------
    coef_ : ndarray of float64, shape (n_heads, n_terms)
    intercept_ : ndarray of float64, shape (n_heads,)
    classes_ : ndarray of int, shape (2,)
        0 and 1, of the main head.
    span_head_ : SpanHead or None
        What says which words to show; None where nobody marked any, and in bundles of before.
    """

    span_head_: SpanHead | None = None

    def __init__(
        self,
        C: float = 1.0,
        category_c: float = 1.0,
        class_weight: str | None = None,
        scaling: float = 1.0,
        heads: tuple[str, ...] = ("toxic", *CATEGORIES),
    ) -> None:
        self.C = C
        self.category_c = category_c
        self.class_weight = class_weight
        self.scaling = scaling
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
        sample_weight : ndarray of float, shape (n_messages,) or (n_messages, n_heads), optional
            A head leaves out the messages that weigh nothing.
        silent : ndarray of int, optional
            Columns that shall weigh nothing in the main score.

        Raises
        ------
        ValueError
            If a head has rows of one class only.
        """
        weights = np.ones(len(labels)) if sample_weight is None else np.asarray(sample_weight)
        if weights.ndim == 1:
            weights = np.broadcast_to(weights[:, None], labels.shape)
        coefficients, intercepts = [], []
        for column, head in enumerate(self.heads):
            known = ~np.isnan(labels[:, column]) & (weights[:, column] > 0)
            target = labels[known, column].astype(int)
            if len(np.unique(target)) < 2:
                raise ValueError(
                    f"head {head!r} has {len(target)} labelled rows, all of one class: "
                    "it cannot be learnt; check the label maps and the split report"
                )
            regression = LogisticRegression(
                C=self.category_c if column else self.C,
                class_weight=self.class_weight,
                solver="liblinear",
                dual=True,
                random_state=0,
                max_iter=5000,
                tol=1e-4,
            )
            scale = np.ones(features.shape[1])
            if column == 0:
                scale = class_ratios(features[known], target, weights[known, column], self.scaling)
                scale[[] if silent is None else silent] = 0.0
            scaled = csr_matrix(features[known] @ diags_array(scale))
            regression.fit(scaled, target, sample_weight=weights[known, column])
            coefficients.append(scale * regression.coef_[0])
            intercepts.append(regression.intercept_[0])
        self.coef_ = np.vstack(coefficients)
        self.intercept_ = np.array(intercepts)
        self.classes_ = np.array([0, 1])
        return self

    def calibrate(self, features: csr_matrix, labels: np.ndarray) -> Self:
        """Make the heads' probabilities those of rows that none of them has seen.

        A logistic curve over each logit, folded into the coefficients: the heads stay linear, and
        the order of messages as it was. A head without rows of both classes stays too.

        Parameters
        ----------
        features : csr_matrix, shape (n_messages, n_terms)
        labels : ndarray of float, shape (n_messages, n_heads)
            1, 0, or NaN where the label is unknown.

        References
        ----------
        Platt 1999, "Probabilistic outputs for support vector machines".
        """
        logits = self.decision_function(features)
        for column in range(len(self.heads)):
            known = ~np.isnan(labels[:, column])
            target = labels[known, column].astype(int)
            if len(np.unique(target)) < 2:
                continue
            curve = LogisticRegression(C=1e6, max_iter=1000).fit(
                logits[known, column][:, None], target
            )
            slope, shift = float(curve.coef_[0, 0]), float(curve.intercept_[0])
            if slope > 0:
                self.coef_[column] *= slope
                self.intercept_[column] = slope * self.intercept_[column] + shift
        return self

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


def class_ratios(
    features: csr_matrix, labels: np.ndarray, weights: np.ndarray, power: float
) -> np.ndarray:
    """Return how unevenly each feature is spread over the two classes, shape (n_terms,).

    The scale of the log-ratio of its share in either class.

    References
    ----------
    Wang and Manning 2012, "Baselines and bigrams: simple, good sentiment and topic
    classification".
    """
    shares = []
    for label in (0, 1):
        counts = features.T @ (weights * (labels == label)) + _SMOOTHING
        shares.append(np.log(counts / counts.sum()))
    return scale_of(shares[1] - shares[0], power)


def scale_of(log_ratios: np.ndarray, power: float) -> np.ndarray:
    """Return a power of the absolute ``log_ratios``, divided by the root mean square of all."""
    ratios = np.abs(log_ratios) ** power
    scale: np.ndarray = ratios / np.sqrt((ratios**2).mean())
    return scale


def build_classifier(params: ToxicityClassifierParams, scaling: float = 1.0) -> ToxicityHeads:
    """Return the unfitted classifier."""
    weight = None if params.class_weight == "none" else params.class_weight
    return ToxicityHeads(params.C, params.category_c, weight, scaling)
