"""The spam model: Naive Bayes over TF-IDF, with weighted terms and calibrated log-odds."""

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import ComplementNB, MultinomialNB

from models.params import NaiveBayesParams
from models.toxicity import scale_of


def build_classifier(params: NaiveBayesParams) -> MultinomialNB | ComplementNB:
    """Return the unfitted classifier.

    References
    ----------
    Rennie et al. 2003, "Tackling the poor assumptions of naive Bayes text classifiers"
    (the complement family).
    """
    if params.family == "complement":
        return ComplementNB(alpha=params.alpha)
    return MultinomialNB(alpha=params.alpha)


def weigh_terms(classifier: MultinomialNB | ComplementNB, power: float) -> None:
    """Let the terms that tell the classes apart weigh more, in place.

    Each term's log-probabilities are scaled by a power of its class ratio, as
    :func:`models.toxicity.scale_of` does: Naive Bayes counts every sign of one thing as if it were
    another one, and it is mostly the weak signs that repeat each other.

    Parameters
    ----------
    classifier : MultinomialNB or ComplementNB
        Fitted.
    power : float
        0 leaves it as it is.
    """
    ham, spam = classifier.feature_log_prob_
    classifier.feature_log_prob_ *= scale_of(spam - ham, power)


def calibrate(
    classifier: MultinomialNB | ComplementNB, features: csr_matrix, labels: np.ndarray
) -> None:
    """Make the probabilities those of rows that were not learnt from, in place.

    A logistic curve over the log-odds, folded into the log-probabilities: the order of messages
    stays as it was. The complement family has no prior, so that its curve goes through zero.

    Parameters
    ----------
    features : csr_matrix, shape (n_messages, n_terms)
    labels : ndarray of int, shape (n_messages,)
        Of both classes.

    References
    ----------
    Platt 1999, "Probabilistic outputs for support vector machines".
    """
    with_prior = isinstance(classifier, MultinomialNB)
    ham, spam = classifier.feature_log_prob_
    before, after = classifier.class_log_prior_ if with_prior else (0.0, 0.0)
    logits = features @ (spam - ham) + (after - before)
    curve = LogisticRegression(C=1e6, max_iter=1000, fit_intercept=with_prior).fit(
        logits[:, None], labels
    )
    slope = float(curve.coef_[0, 0])
    if slope > 0:
        classifier.feature_log_prob_ *= slope
        if with_prior:
            shift = float(curve.intercept_[0])
            classifier.class_log_prior_ = np.array([slope * before, slope * after + shift])
