"""The spam model: Naive Bayes over TF-IDF."""

from sklearn.naive_bayes import ComplementNB, MultinomialNB

from models.params import NaiveBayesParams


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
