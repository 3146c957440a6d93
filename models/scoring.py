"""Scores of a fitted text model: raw texts to one probability per head."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from sklearn.pipeline import Pipeline

from models import spam, toxicity
from models.passages import cut

#: The kinds of bundle that hold a text model, with the names of their heads; the first is main.
HEADS: dict[str, tuple[str, ...]] = {
    "spam": ("spam", *spam.CATEGORIES),
    "toxicity": ("toxic", *toxicity.CATEGORIES),
}


@dataclass(frozen=True)
class LinearPart:
    """Words of a normalised text, from ``first`` to before ``last``, and what weighs them."""

    first: int
    last: int
    weights: np.ndarray


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
        In the order of ``HEADS`` of the model's kind.
    """
    classifier = pipeline[-1]
    if isinstance(classifier, toxicity.ToxicityHeads):
        normalised = pipeline["normalise"].transform(texts)
        probabilities: np.ndarray = expit(head_logits(pipeline, normalised))
        return probabilities
    of_classes: np.ndarray = classifier.predict_proba(pipeline[:-1].transform(texts))
    return of_classes[:, 1:]


def head_logits(pipeline: Pipeline, normalised: Sequence[str]) -> np.ndarray:
    """Return the logits of a toxicity model's heads, shape (n_messages, n_heads)."""
    passages = cut(normalised)
    features = pipeline["tfidf"].transform([*normalised, *passages.texts])
    logits: np.ndarray = pipeline[-1].pooled(features, len(normalised), passages.owners)
    return logits


def linear_parts(pipeline: Pipeline, normalised: str) -> tuple[list[LinearPart], float]:
    """Return the main score of one text as a linear model of the TF-IDF features of its parts.

    Naive Bayes is one too: its log-odds are a sum of log-probability ratios weighted by the
    features (Rennie et al. 2003, section 2).

    Returns
    -------
    parts : list of LinearPart
    intercept : float
        The sum of ``features of the part @ weights`` and ``intercept`` is the logit.
    """
    words = len(normalised.split())
    classifier = pipeline[-1]
    if not isinstance(classifier, toxicity.ToxicityHeads):
        weights, intercept = linear_weights(pipeline)
        return [LinearPart(0, words, weights)], intercept
    passages = cut([normalised])
    features = pipeline["tfidf"].transform([normalised, *passages.texts])
    best, factors, intercept = classifier.explained(features)
    first, last = passages.words[best - 1] if best else (0, words)
    return [
        LinearPart(0, words, factors[0] * classifier.coef_[0]),
        LinearPart(int(first), int(last), factors[1] * classifier.passage_coef_),
    ], intercept


def linear_weights(pipeline: Pipeline) -> tuple[np.ndarray, float]:
    """Return a Naive Bayes model as a linear one of the TF-IDF features.

    Returns
    -------
    weights : ndarray of float64, shape (n_terms,)
    intercept : float
        ``features @ weights + intercept`` is the logit of the main score.
    """
    classifier = pipeline[-1]
    weights = classifier.feature_log_prob_[1] - classifier.feature_log_prob_[0]
    # The complement family scores two classes by its weights alone, without a prior.
    if hasattr(classifier, "norm"):
        return weights, 0.0
    prior = classifier.class_log_prior_
    return weights, float(prior[1] - prior[0])
