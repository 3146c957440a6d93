"""Scores of a fitted text model: raw texts to one probability per head."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from models import toxicity


def score_texts(pipeline: Pipeline, texts: Sequence[str]) -> np.ndarray:
    """Return each head's probability for each text.

    Parameters
    ----------
    pipeline : Pipeline
        A packaged text model, raw text in.
    texts : sequence of str, length n_messages

    Returns
    -------
    ndarray of float64, shape (n_messages, n_heads)
        In the order of :data:`models.labels.HEADS` of the model's kind.
    """
    features = pipeline[:-1].transform(texts)
    return score_features(pipeline[-1], features)


def score_features(classifier: Any, features: Any) -> np.ndarray:
    """Return what :func:`score_texts` does, from the vectoriser's output."""
    if isinstance(classifier, toxicity.ToxicityHeads):
        return classifier.predict_heads(features)
    probabilities: np.ndarray = classifier.predict_proba(features)
    return probabilities[:, 1:]


def linear_weights(pipeline: Pipeline) -> tuple[np.ndarray, float]:
    """Return the main head as a linear model of the TF-IDF features.

    Naive Bayes is one too: its log-odds are a sum of log-probability ratios weighted by the
    features (Rennie et al. 2003, section 2).

    Returns
    -------
    weights : ndarray of float64, shape (n_terms,)
    intercept : float
        ``features @ weights + intercept`` is the logit of the main score.
    """
    classifier = pipeline[-1]
    if isinstance(classifier, toxicity.ToxicityHeads):
        return classifier.coef_[0], float(classifier.intercept_[0])
    weights = classifier.feature_log_prob_[1] - classifier.feature_log_prob_[0]
    # The complement family scores two classes by its weights alone, without a prior.
    if hasattr(classifier, "norm"):
        return weights, 0.0
    prior = classifier.class_log_prior_
    return weights, float(prior[1] - prior[0])
