"""The spam model: Naive Bayes over TF-IDF."""

from sklearn.naive_bayes import ComplementNB, MultinomialNB

from models.params import NaiveBayesParams

CATEGORIES: tuple[str, ...] = ()


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


def rescale_naive_bayes(classifier: MultinomialNB, slope: float, intercept: float) -> None:
    """Make the log-odds ``slope`` times what they were, plus ``intercept``, in place.

    What was a probability of each term is afterwards one to the power of ``slope``.
    """
    classifier.feature_log_prob_ = slope * classifier.feature_log_prob_
    classifier.class_log_prior_ = slope * classifier.class_log_prior_ + [0.0, intercept]
